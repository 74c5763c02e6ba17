"""Finds members that a list has lost in HubSpot, and adds them again."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.contact_answers import retired
from target_hubspot_lists.ledger import State

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Collection, Iterable, Mapping

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.membership_reads import MembershipReader
    from target_hubspot_lists.journal.restoring import RestoreMembers
    from target_hubspot_lists.ledger import Ledger

logger = logging.getLogger(__name__)


class LostMembers:
    """Members that the ledger knows to be on a list, and that HubSpot does not show there."""

    def __init__(  # noqa: PLR0913 - what they are found and put back with
        self,
        ledger: Ledger,
        contacts: Contacts,
        putting_back: RestoreMembers,
        reader: MembershipReader,
        *,
        count: Counter[str],
        follow: Callable[[Mapping[int, int]], None],
        forget: Callable[[Collection[int]], object],
    ) -> None:
        self._ledger = ledger
        self._contacts = contacts
        self._putting_back = putting_back
        self._reader = reader
        self._count = count  # by list id, how many were put back
        self._follow = follow
        self._forget = forget
        self.by_hand: dict[str, set[int]] = {}  # by list id, whom a snapshot to come may not want
        self.moved: dict[int, int] = {}  # contacts whose address another one has now

    def reread(self, hubspot_list: HubSpotList, *, has_snapshot: bool) -> None:
        """Read a list, and add the members that it has lost; with `has_snapshot` only note them."""
        list_id = hubspot_list.list_id
        members = set(self._reader.iter_members(hubspot_list))
        if any(each.was_read for each in self._ledger.lists.known(list_id)):
            # Noted, or put back, before the reading is: until then the ledger says that they belong there.
            lost = self._follow_lost(list_id, members) - members
            if has_snapshot:
                self._ledger.members.mark_lost(list_id, lost)
                self.by_hand[list_id] = lost
            else:
                lost |= self._ledger.members.lost(list_id) - members
                on_list, left_open = self.put_these_back(hubspot_list, lost, known_as=list_id)
                self._ledger.members.mark_unsettled(list_id, left_open)
                members |= on_list
        self._ledger.members.take_over(list_id, members)
        logger.info("%s: read from HubSpot, %d members.", hubspot_list, len(members))

    def _follow_lost(self, list_id: str, members: set[int]) -> set[int]:
        """Return the members that the ledger knows and HubSpot does not show, by their current record ids."""
        lost = self._ledger.members.all(list_id) - self._ledger.members.unsettled(list_id) - members
        merged = retired(self._contacts.known_ids(lost))
        left = self._who_left(list_id, set(merged.values()))
        self._follow({old: new for old, new in merged.items() if new not in left})
        self._forget([old for old, new in merged.items() if new in left])
        return {merged.get(each, each) for each in lost} - left

    def put_these_back(
        self, hubspot_list: HubSpotList, record_ids: Iterable[int], *, known_as: str
    ) -> tuple[set[int], set[int]]:
        """Add the members that a list lost; return those on it afterwards, and those that HubSpot does not show yet.

        `known_as` is the id under which the ledger knows its members.
        """
        back = self._putting_back.put_back(
            hubspot_list, record_ids, moved=self.moved, who_left=partial(self._who_left, known_as)
        )
        self._count[hubspot_list.list_id] += len(back.added)
        self._follow(back.became)
        self._forget(back.missing - back.became.keys())
        if back.left_open:
            logger.warning(
                "%s: %d members that the list has lost could not be put back: HubSpot refuses them, or does not show "
                "them on the list.",
                hubspot_list,
                len(back.left_open),
            )
        return back.on_list, back.left_open

    def _who_left(self, list_id: str, record_ids: Collection[int]) -> set[int]:
        states = self._ledger.members.states(list_id, record_ids)
        return {record_id for record_id, state in states.items() if state is State.OFF}

    def put_back(self, hubspot_list: HubSpotList, *, but_for: Collection[int]) -> None:
        """Add the members that the list has lost, except those that a record removes."""
        list_id = hubspot_list.list_id
        if lost := self._ledger.members.lost(list_id):
            on_list, _ = self.put_these_back(hubspot_list, lost.difference(but_for), known_as=list_id)
            self._ledger.members.settle(list_id, on=on_list, off=lost.intersection(but_for), ours=False)

    def let_go(self, hubspot_list: HubSpotList) -> None:
        """Accept the loss of members that were removed by hand: a whole snapshot does not name them."""
        if lost := self.by_hand.pop(hubspot_list.list_id, None):
            still = self._ledger.members.lost(hubspot_list.list_id)
            self._ledger.members.settle(hubspot_list.list_id, on=(), off=lost & still)
