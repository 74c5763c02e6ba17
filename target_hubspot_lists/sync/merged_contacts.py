"""The record ids that contacts have now: a merge in HubSpot retires one, and HubSpot answers under the other."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hubspot_singer.http import MissingScopes
from target_hubspot_lists.hubspot.contact_answers import retired

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from target_hubspot_lists.hubspot.contact_answers import FoundContact
    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.sync.plans import Plan
    from target_hubspot_lists.sync.resolution import Resolution

logger = logging.getLogger(__name__)


class MergedContacts:
    """Reads contacts by record id, and tells the journal of those that were merged."""

    def __init__(self, contacts: Contacts, journal: Journal) -> None:
        self._contacts = contacts
        self._journal = journal
        self._may_read = True

    def read(self, record_ids: Collection[int], known: Mapping[int, int | None]) -> Mapping[int, int]:
        """Return by record id the one that the contact has now; the journal forgets ids that no contact has.

        `known` has the ids that were read before, with None for those of no contact. If the token may not read
        contacts, nothing is forgotten, and only what is known is returned.
        """
        current = {
            record_id: now for record_id, now in known.items() if now is not None and record_id in record_ids
        }
        if to_read := set(record_ids) - known.keys():
            current |= {record_id: found.record_id for record_id, found in self._current(to_read)}
        self._journal.record_merges(retired(current))
        if self._may_read:
            self._journal.forget_contacts(set(record_ids) - current.keys())
        return current

    def follow(self, plans: Sequence[Plan], resolution: Resolution) -> list[Plan]:
        """Return the plans with the record ids that contacts have now.

        Read are only contacts whose change, as it stands, could leave a wrong state in the ledger under a retired id.
        """
        merged: dict[int, int] = {}
        for plan in plans:
            merged |= self.retired_ids(self._possibly_merged(plan, resolution))
        if not merged:
            return list(plans)
        self._journal.record_merges(merged)
        resolution.follow(merged)
        return [plan.with_current_ids(merged) for plan in plans]

    def retired_ids(self, record_ids: Collection[int]) -> dict[int, int]:
        """Read contacts; return all record ids of theirs that merges retired, each with the one that counts now."""
        merged: dict[int, int] = {}
        for record_id, found in self._current(record_ids):
            merged |= dict.fromkeys((record_id, *found.merged), found.record_id)
        return retired(merged)

    def _possibly_merged(self, plan: Plan, resolution: Resolution) -> list[int]:
        """Return the contacts of a plan whose change is sent, and whose other record ids this run has not read."""
        directions = [
            is_member
            for is_member in (False, True)
            if self._journal.needs_current_ids(plan.hubspot_list, is_member=is_member)
        ]
        if not directions:
            return []
        wanted = {
            record_id: is_member
            for record_id, is_member in plan.wanted(plan.record_ids).items()
            if is_member in directions and not resolution.has_looked_up(record_id)
        }
        states = self._journal.states(plan.hubspot_list, wanted)
        return [
            record_id for record_id, is_member in wanted.items() if states.get(record_id) is not is_member
        ]

    def _current(self, record_ids: Collection[int]) -> Iterable[tuple[int, FoundContact]]:
        """Yield record ids with their contacts; nothing, and once a warning, if the token may not read contacts."""
        if not record_ids or not self._may_read:
            return
        try:
            yield from self._contacts.current(record_ids)
        except MissingScopes as refused:
            self._may_read = False
            logger.warning("Contacts that were merged are not followed: %s", refused)
