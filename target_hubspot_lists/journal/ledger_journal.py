"""Records a run in the ledger: marks before calls, answers after them, lists that are new, gone or renamed."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import LedgerError
from target_hubspot_lists.journal.journal import Journal
from target_hubspot_lists.journal.ledger_reading import LedgerReading
from target_hubspot_lists.journal.list_locks import ListLocks
from target_hubspot_lists.journal.lost_members import LostMembers
from target_hubspot_lists.journal.remembered_lists import RememberedLists
from target_hubspot_lists.journal.restoring import RestoreMembers
from target_hubspot_lists.journal.run_records import RunRecords

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from hubspot_singer.http import HubSpotClient
    from target_hubspot_lists.errors import UnusableList
    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.hubspot.found_lists import FoundLists
    from target_hubspot_lists.hubspot.list_memberships import ChangeWriter
    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.hubspot.membership_changes import Change, Confirmation
    from target_hubspot_lists.hubspot.membership_reads import MembershipReader, Reading
    from target_hubspot_lists.journal.journal import Routed
    from target_hubspot_lists.ledger import Ledger
    from target_hubspot_lists.reporting.account import Account
    from target_hubspot_lists.settings import Settings

logger = logging.getLogger(__name__)


class LedgerJournal(LedgerReading, Journal):
    """The journal of a run with a ledger: what a call is about is marked before it, and settled after its answer."""

    is_kept = True

    def __init__(  # noqa: PLR0913 - all that a run asks HubSpot with
        self,
        ledger: Ledger,
        settings: Settings,
        client: HubSpotClient,
        lists: FoundLists,
        *,
        every: Lists,
        contacts: Contacts,
        writer: ChangeWriter,
        reader: MembershipReader,
        started: datetime,
    ) -> None:
        super().__init__(ledger, settings, lists, every=every, reader=reader, started=started)
        putting_back = RestoreMembers(
            contacts, writer, reader, workers=settings.connection.max_concurrency, wait=client.wait
        )
        self._locks = ListLocks(ledger, client.wait)
        self._members = LostMembers(
            ledger,
            contacts,
            putting_back,
            reader,
            count=self.count_put_back,
            follow=self.follow,
            forget=self.forget,
        )
        self._remembered = RememberedLists(ledger, settings, lists, self._members)
        self._records = RunRecords(ledger, settings, every, started)
        self._is_over = False

    # Lists

    @override
    def lock(
        self, lists: Collection[HubSpotList], *, is_waited_for: bool = True
    ) -> Mapping[str, UnusableList]:
        return self._locks.hold(lists, is_waited_for=is_waited_for)

    @override
    def begin_making(self, names: Collection[str]) -> None:
        if names:
            self._ledger.lists.begin_creating(names)

    @override
    def end_making(self, names: Collection[str]) -> None:
        if names:
            self._ledger.lists.end_creating(names)

    @override
    def _note(self, routed: Routed, found: HubSpotList) -> None:
        """Keep which list a cohort goes to; read one that is new to the ledger, fill one that was made anew."""
        self._locks.take([], [found.list_id])  # where it was made just now, only its name was held
        self._records.streams[found.list_id] = routed.stream
        old_id = self._gone.pop(routed.route.key, None)
        is_replaced = old_id is not None and self._remembered.replace(routed, found, old_id)
        self._ledger.lists.remember_list(self._remembered.entry(routed, found))
        if found.list_id not in self._ready:
            self._ready.add(found.list_id)
            if self._remembered.has_to_be_read(found):
                self.reread(found, has_snapshot=self._settings.sync_mode == "mirror")
            elif self._settings.sync_mode == "incremental" and not is_replaced:
                self.put_back(found, but_for=())

    @override
    def reread(self, hubspot_list: HubSpotList, *, has_snapshot: bool) -> None:
        self._ready.add(hubspot_list.list_id)
        self._members.reread(hubspot_list, has_snapshot=has_snapshot)

    @override
    def put_back(self, hubspot_list: HubSpotList, *, but_for: Collection[int]) -> None:
        self._members.put_back(hubspot_list, but_for=but_for)

    @override
    def let_go(self, hubspot_list: HubSpotList) -> None:
        self._members.let_go(hubspot_list)

    @override
    def lost_by_hand(self, hubspot_list: HubSpotList) -> Collection[int]:
        return self._members.by_hand.get(hubspot_list.list_id, ())

    @override
    def leave(self, route: Route, record_ids: Collection[int]) -> None:
        old_id = self._gone[route.key]
        self._locks.take([route.name], [old_id])
        self._remembered.leave(route, old_id, record_ids)

    # Contacts

    @override
    def remember_contacts(self, by: str, record_ids: Mapping[str, int]) -> None:
        if record_ids:
            self._ledger.people.remember_contacts(record_ids, by=by)

    @override
    def follow(self, merged: Mapping[int, int]) -> None:
        if merged:
            self._ledger.people.merge_records(merged)

    @override
    def may_mislead(self, hubspot_list: HubSpotList, *, is_member: bool) -> bool:
        # Who is added may be known as off the list under another id, who is removed as on it.
        return not is_member or self._ledger.members.has_former_members(hubspot_list.list_id)

    @override
    def forget(self, record_ids: Collection[int]) -> None:
        if record_ids:
            self._ledger.people.forget_record_ids(record_ids)

    @property
    @override
    def contacts_since(self) -> datetime | None:
        if self._settings.reconcile and self._settings.contact_cache_days:
            return self._started
        return super().contacts_since

    @override
    def begin_rereading(self) -> None:
        self._ledger.people.age_contacts(self._started)

    @override
    def old_contacts(self) -> Iterable[tuple[str, Mapping[str, int]]]:
        return self._ledger.people.contacts(looked_up_before=self._started)

    @override
    def moved(self, record_ids: Mapping[int, int]) -> None:
        self._members.moved |= record_ids

    # Memberships

    @override
    def begin(self, hubspot_list: HubSpotList, change: Change) -> None:
        """Mark these, committed, before calls about them are sent."""
        self._ledger.members.mark_unsettled(hubspot_list.list_id, change.add, leaving=change.remove)

    @override
    def confirm(self, hubspot_list: HubSpotList, confirmation: Confirmation) -> None:
        """Settle members that HubSpot added or removed; those that it left open stay unsettled."""
        self._ledger.members.settle(hubspot_list.list_id, on=confirmation.added, off=confirmation.removed)

    @override
    def confirm_reading(self, hubspot_list: HubSpotList, reading: Reading) -> None:
        """Settle members that were read; whether a member is ours stays as it was."""
        self._ledger.members.settle(
            hubspot_list.list_id, on=reading.on_list, off=reading.not_on_list, ours=False
        )

    @override
    def _is_trusted(self, hubspot_list: HubSpotList) -> bool:
        """It is: the list was read, or made, when this run came upon it."""
        return True

    # The end

    @override
    def end(self, accounts: Iterable[Account]) -> None:
        self._records.rename(self._known, self._names)
        self._records.write(accounts, is_complete=True)
        self._is_over = True
        self._ledger.people.prune()

    @override
    def close(self, accounts: Iterable[Account]) -> None:
        with suppress(LedgerError):  # it may be the ledger that the run broke off for
            if not self._is_over:
                self._records.write(accounts, is_complete=False)
        self._locks.close()
        self._ledger.close()

    # Properties

    @override
    def remember(self, hashes: Mapping[int, bytes]) -> None:
        self._ledger.people.remember_property_hashes(hashes)
