"""Keeps in the ledger which list each cohort goes to, also where a list was made anew."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import UnusableList
from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.ledger import KnownList
from target_hubspot_lists.outcomes import Reason

if TYPE_CHECKING:
    from collections.abc import Collection

    from target_hubspot_lists.hubspot.found_lists import FoundLists
    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.journal.journal import Routed
    from target_hubspot_lists.journal.lost_members import LostMembers
    from target_hubspot_lists.ledger import Ledger
    from target_hubspot_lists.settings import Settings

logger = logging.getLogger(__name__)


class RememberedLists:
    """The lists of a run, as they are written into the ledger."""

    def __init__(self, ledger: Ledger, settings: Settings, lists: FoundLists, members: LostMembers) -> None:
        self._ledger = ledger
        self._settings = settings
        self._lists = lists
        self._members = members

    def entry(self, routed: Routed, found: HubSpotList) -> KnownList:
        """Return what is kept of a cohort's list."""
        # One that is not new is read, whoever made it: somebody may have put people there.
        is_new = self._lists.is_new(found)
        return KnownList(
            found.list_id,
            found.name,
            routed.cohort.key,
            routed.stream,
            created_by_us=is_new or self._ledger.lists.is_being_created(found.name),
            was_read=is_new,
            cohort_name=routed.cohort.name if routed.cohort.id else None,
        )

    def replace(self, routed: Routed, found: HubSpotList, old_id: str) -> bool:
        """Let a list take the place of a deleted one, with its members; a mirror brings those itself.

        Return whether it does.
        """
        if not self._ledger.lists.known(old_id) or self._ledger.lists.known(found.list_id):
            return False
        on_list: set[int] = set()
        if self._settings.sync_mode == "incremental":
            # The old list is let go only once its members are on the new one: a crash in between heals.
            on_list, _ = self._members.put_these_back(
                found, self._ledger.members.iter_members(old_id), known_as=old_id
            )
        logger.info("%s takes the place of list %s, which was deleted in HubSpot.", found, old_id)
        self._ledger.lists.replace_list(old_id, self.entry(routed, found))
        self._ledger.members.settle(found.list_id, on=on_list, off=(), ours=False)
        return True

    def leave(self, route: Route, old_id: str, record_ids: Collection[int]) -> None:
        """Settle as off whoever left a list that is gone; those who stay go onto the one made in its place."""
        if not self._ledger.lists.known(old_id):
            raise UnusableList(
                Reason.LIST_GONE,
                f'The list "{shown(route.name)}" was made anew by another run during this one: run again.',
            )
        self._ledger.members.settle(old_id, on=(), off=record_ids)

    def has_to_be_read(self, found: HubSpotList) -> bool:
        """Return whether the ledger did not make the list and has never read it, or all are read again."""
        was_read = any(each.was_read for each in self._ledger.lists.known(found.list_id))
        return not was_read or (self._settings.reconcile and not self._lists.is_new(found))
