"""Finds members that a list has lost in HubSpot, and adds them again."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from hubspot_singer.http import concurrently
from target_hubspot_lists.hubspot.contact_answers import retired
from target_hubspot_lists.hubspot.membership_changes import Change, Doubts
from target_hubspot_lists.hubspot.membership_reads import WAITS_BEFORE_DROPPED
from target_hubspot_lists.hubspot.membership_writes import MAX_RECORD_IDS_PER_CALL
from target_hubspot_lists.ledger import State

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.membership_changes import Confirmation
    from target_hubspot_lists.hubspot.membership_reads import MembershipReader
    from target_hubspot_lists.hubspot.membership_writes import ChangeWriter
    from target_hubspot_lists.ledger import Ledger

logger = logging.getLogger(__name__)


class LostMembers:
    """Members that are on a list according to the ledger, and not according to HubSpot."""

    def __init__(
        self, ledger: Ledger, contacts: Contacts, restoring: RestoreMembers, reader: MembershipReader
    ) -> None:
        self._ledger = ledger
        self._contacts = contacts
        self._restoring = restoring
        self._reader = reader
        self.restored = Counter[str]()  # by list id, how many members were added again
        self.by_hand: dict[
            str, set[int]
        ] = {}  # by list id, lost members that the coming snapshot may not name
        self.moved: dict[int, int] = {}  # contacts whose address another contact has now: old id, new id

    def reread(self, hubspot_list: HubSpotList, *, has_snapshot: bool) -> None:
        """Read a list, and add the members that it has lost; with `has_snapshot` only note them."""
        list_id = hubspot_list.list_id
        members = set(self._reader.iter_members(hubspot_list))
        known = self._ledger.lists.find(list_id)
        if known and known.was_read:
            # Lost members are marked or restored before the reading is recorded: until then they are members.
            lost = self._find_lost(list_id, members) - members
            if has_snapshot:
                self._ledger.members.mark_lost(list_id, lost)
                self.by_hand[list_id] = lost
            else:
                lost |= self._ledger.members.lost(list_id) - members
                on_list, left_open = self.add_again(hubspot_list, lost, recorded_under=list_id)
                self._ledger.members.mark_lost(list_id, left_open)
                members |= on_list
        self._ledger.members.take_over(list_id, members)
        logger.info("%s: read from HubSpot, %d members.", hubspot_list, len(members))

    def _find_lost(self, list_id: str, members: set[int]) -> set[int]:
        """Return the members that the ledger knows and HubSpot does not show, by their current record ids."""
        lost = self._ledger.members.all(list_id) - self._ledger.members.unsettled(list_id) - members
        merged = retired(self._contacts.known_ids(lost))
        left = self._left(list_id, set(merged.values()))
        self._record(
            {old: new for old, new in merged.items() if new not in left},
            [old for old, new in merged.items() if new in left],
        )
        return {merged.get(record_id, record_id) for record_id in lost} - left

    def restore(self, hubspot_list: HubSpotList, *, except_for: Collection[int]) -> None:
        """Add the members that the list has lost, except those that a record removes."""
        list_id = hubspot_list.list_id
        if lost := self._ledger.members.lost(list_id):
            on_list, _ = self.add_again(hubspot_list, lost.difference(except_for), recorded_under=list_id)
            self._ledger.members.settle(list_id, on=on_list, off=lost.intersection(except_for), ours=False)

    def accept(self, hubspot_list: HubSpotList) -> None:
        """Accept that members were removed by hand: a complete snapshot does not name them."""
        if lost := self.by_hand.pop(hubspot_list.list_id, None):
            still_lost = lost & self._ledger.members.lost(hubspot_list.list_id)
            self._ledger.members.settle(hubspot_list.list_id, on=(), off=still_lost)

    def add_again(
        self, hubspot_list: HubSpotList, record_ids: Iterable[int], *, recorded_under: str
    ) -> tuple[set[int], set[int]]:
        """Add lost members to a list; return those that are on it afterwards, and those that are left open.

        `recorded_under` is the id of the list under which the ledger has these members.
        """
        result = self._restoring.restore(
            hubspot_list, record_ids, moved=self.moved, left=partial(self._left, recorded_under)
        )
        self.restored[hubspot_list.list_id] += len(result.added)
        self._record(result.current, result.missing - result.current.keys())
        if result.left_open:
            logger.warning(
                "%s: %d members that the list has lost could not be put back: HubSpot refuses them, or does not show "
                "them on the list. The next run that changes the list tries again.",
                hubspot_list,
                len(result.left_open),
            )
        return result.on_list, result.left_open

    def _left(self, list_id: str, record_ids: Collection[int]) -> set[int]:
        """Return the records that left a list according to the ledger."""
        states = self._ledger.members.states(list_id, record_ids)
        return {record_id for record_id, state in states.items() if state is State.OFF}

    def _record(self, merged: Mapping[int, int], deleted: Collection[int]) -> None:
        """Record which record ids merges retired, and which HubSpot does not know."""
        if merged:
            self._ledger.people.merge_records(merged)
        if deleted:
            self._ledger.people.forget_record_ids(deleted)


@dataclass
class Restored:
    """The result of `RestoreMembers.restore`: each member is in one of `on_list`, `missing` and `left_open`."""

    added: set[int] = field(default_factory=set)
    on_list: set[int] = field(default_factory=set)  # added now, or members already
    missing: set[int] = field(default_factory=set)
    current: dict[int, int] = field(default_factory=dict)  # of missing ids, the contact that took their place
    left_open: set[int] = field(default_factory=set)  # refused, or accepted and not shown on the list

    def take(self, confirmation: Confirmation) -> None:
        """Take in HubSpot's answer for some of the members."""
        self.added |= confirmation.added
        self.on_list |= confirmation.added
        self.missing |= confirmation.missing
        self.left_open |= confirmation.refused.keys() | confirmation.open


class RestoreMembers:
    """Adds members in calls of many; follows merged contacts, and reads members that HubSpot left open."""

    def __init__(
        self,
        contacts: Contacts,
        writer: ChangeWriter,
        reader: MembershipReader,
        *,
        workers: int,
        wait: Callable[[float], None],
    ) -> None:
        self._contacts = contacts
        self._writer = writer
        self._reader = reader
        self._workers = workers
        self._wait = wait

    def restore(
        self,
        hubspot_list: HubSpotList,
        record_ids: Iterable[int],
        *,
        moved: Mapping[int, int],
        left: Callable[[Collection[int]], set[int]],
    ) -> Restored:
        """Add contacts to a list; a contact whose record id is retired is added under its current one.

        `moved` are contacts whose address another contact has now: that one is added if the old one is deleted. `left`
        returns those of some record ids that left the list: they stay off, though an old id is recorded as a member.
        """
        result = Restored()
        self._add(hubspot_list, tuple(record_ids), result)
        if result.missing:
            current = self._contacts.known_ids(result.missing)
            unmerged = {old for old, new in current.items() if old == new}
            self._add_existing(hubspot_list, unmerged, result)
            by_address = {old: moved[old] for old in result.missing & moved.keys() - current.keys()}
            replaced = by_address | retired(current)
            have_left = left(set(replaced.values()))
            result.current = {old: new for old, new in replaced.items() if new not in have_left}
            new_ids = set(result.current.values()) - result.missing - result.on_list - result.left_open
            self._add(hubspot_list, tuple(new_ids), result)
        if result.left_open:
            asked = dict.fromkeys(result.left_open, True)
            reading, _ = self._reader.read_until_settled(hubspot_list, asked)
            deleted = reading.missing - self._contacts.known_ids(reading.missing).keys()
            result.on_list |= reading.on_list
            result.missing |= deleted
            result.left_open -= reading.on_list | deleted
        return result

    def _add_existing(self, hubspot_list: HubSpotList, record_ids: set[int], result: Restored) -> None:
        """Add members again, after short waits, that the list calls missing though HubSpot knows the contacts."""
        for seconds in WAITS_BEFORE_DROPPED:
            if not record_ids:
                return
            self._wait(seconds)
            result.missing -= record_ids
            self._add(hubspot_list, tuple(record_ids), result)
            record_ids = record_ids & result.missing
        result.missing -= record_ids
        result.left_open |= record_ids

    def _add(self, hubspot_list: HubSpotList, record_ids: tuple[int, ...], result: Restored) -> None:
        parts = Change(add=record_ids, remove=()).split(MAX_RECORD_IDS_PER_CALL)
        jobs = (partial(self._writer.write, hubspot_list, part) for part in parts)
        doubts = Doubts()
        for confirmation in concurrently(jobs, workers=self._workers):
            result.take(confirmation)
            doubts.note(confirmation)
        if doubts:
            result.take(self._writer.ask_again(hubspot_list, doubts))
