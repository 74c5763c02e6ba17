"""Records contacts in the ledger: who has which address, who is mailed, who was merged, and who is gone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from target_hubspot_lists.journal.ledger_reading import LedgerReader

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.outcomes import Mailability


class ContactRecords(LedgerReader):
    """The part of a journal with a ledger that records contacts."""

    @override
    def _lookups_valid_since(self) -> datetime | None:
        is_reconciled = self._settings.reconcile and self._settings.contact_cache_days
        return self._started if is_reconciled else super()._lookups_valid_since()

    @override
    def remember_contacts(self, by: str, record_ids: Mapping[str, int]) -> None:
        if record_ids:
            self._ledger.people.remember_contacts(record_ids, by=by)

    @override
    def remember_mailability(self, mailabilities: Mapping[int, Mailability]) -> None:
        if mailabilities:
            self._ledger.people.remember_mailability(mailabilities)

    @override
    def record_merges(self, merged: Mapping[int, int]) -> None:
        if merged:
            self._ledger.people.merge_records(merged)

    @override
    def needs_current_ids(self, hubspot_list: HubSpotList, *, is_member: bool) -> bool:
        # The other id of a contact that is added may be recorded as off the list, of one that is removed as on it.
        return not is_member or self._ledger.members.has_former_members(hubspot_list.list_id)

    @override
    def forget_contacts(self, record_ids: Collection[int]) -> None:
        if record_ids:
            self._ledger.people.forget_record_ids(record_ids)

    @override
    def expire_lookups(self) -> None:
        self._ledger.people.age_contacts(self._started)

    @override
    def outdated_contacts(self) -> Iterable[tuple[str, Mapping[str, int]]]:
        # Not people who left long ago: each look-up would keep them in the ledger for another time.
        for by, known in self._ledger.people.contacts(looked_up_before=self._started):
            on_lists = self._ledger.members.known(known.values())
            if kept := {value: record_id for value, record_id in known.items() if record_id in on_lists}:
                yield by, kept

    @override
    def remember(self, hashes: Mapping[int, bytes], known: Mapping[int, bytes]) -> None:
        self._ledger.people.remember_property_hashes(hashes, known)
