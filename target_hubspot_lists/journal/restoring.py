"""Adds members again that a list lost in HubSpot, besides what the records ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from hubspot_singer.http import concurrently
from target_hubspot_lists.hubspot.contact_answers import retired
from target_hubspot_lists.hubspot.list_memberships import MAX_RECORD_IDS_PER_CALL
from target_hubspot_lists.hubspot.membership_changes import Change, Doubts
from target_hubspot_lists.hubspot.membership_reads import WAITS_BEFORE_DROPPED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.hubspot.list_memberships import ChangeWriter
    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.membership_changes import Confirmation
    from target_hubspot_lists.hubspot.membership_reads import MembershipReader


@dataclass
class PutBack:
    """The result: each member is in one of `on_list`, `missing` and `left_open`."""

    added: set[int] = field(default_factory=set)
    on_list: set[int] = field(default_factory=set)  # added now, or there already
    missing: set[int] = field(default_factory=set)
    became: dict[int, int] = field(default_factory=dict)  # of the missing, by whom another contact stands now
    left_open: set[int] = field(default_factory=set)  # refused, or accepted and not to be seen there

    def take(self, confirmation: Confirmation) -> None:
        """Take in what HubSpot said of some of them."""
        self.added |= confirmation.added
        self.on_list |= confirmation.added
        self.missing |= confirmation.missing
        self.left_open |= confirmation.refused.keys() | confirmation.open


class RestoreMembers:
    """Adds members, many a call; follows merged contacts, and reads back members that HubSpot left open."""

    def __init__(
        self,
        contacts: Contacts,
        writer: ChangeWriter,
        reader: MembershipReader,
        *,
        workers: int,
        wait: Callable[[float], None],
    ) -> None:
        self._wait = wait
        self._contacts = contacts
        self._writer = writer
        self._reader = reader
        self._workers = workers

    def put_back(
        self,
        hubspot_list: HubSpotList,
        record_ids: Iterable[int],
        *,
        moved: Mapping[int, int],
        who_left: Callable[[Collection[int]], set[int]],
    ) -> PutBack:
        """Put contacts onto a list, and say what became of each; one that is gone by the id its person has now.

        `moved` are contacts whose address another one has now, which counts where they are gone. `who_left` says who
        of some left under the id of today: they stay off, though their old ids are known as members.
        """
        back = PutBack()
        self._add(hubspot_list, tuple(record_ids), back)
        if back.missing:
            current = self._contacts.known_ids(back.missing)
            self._add_known(hubspot_list, {old for old, new in current.items() if old == new}, back)
            handed_over = {each: moved[each] for each in back.missing & moved.keys() - current.keys()}
            became = handed_over | retired(current)
            left = who_left(set(became.values()))
            back.became = {old: new for old, new in became.items() if new not in left}
            now = set(back.became.values()) - back.missing - back.on_list - back.left_open
            self._add(hubspot_list, tuple(now), back)
        if back.left_open:
            asked = dict.fromkeys(back.left_open, True)
            reading, _ = self._reader.read_until_settled(hubspot_list, asked)
            gone = reading.missing - self._contacts.known_ids(reading.missing).keys()
            back.on_list |= reading.on_list
            back.missing |= gone
            back.left_open -= reading.on_list | gone
        return back

    def _add_known(self, hubspot_list: HubSpotList, record_ids: set[int], back: PutBack) -> None:
        """Add those again, after short waits, that the list calls missing though HubSpot knows them."""
        for seconds in WAITS_BEFORE_DROPPED:
            if not record_ids:
                return
            self._wait(seconds)
            back.missing -= record_ids
            self._add(hubspot_list, tuple(record_ids), back)
            record_ids = record_ids & back.missing
        back.missing -= record_ids
        back.left_open |= record_ids

    def _add(self, hubspot_list: HubSpotList, record_ids: tuple[int, ...], back: PutBack) -> None:
        parts = Change(add=record_ids, remove=()).split(MAX_RECORD_IDS_PER_CALL)
        jobs = (partial(self._writer.write, hubspot_list, part) for part in parts)
        doubts = Doubts()
        for confirmation in concurrently(jobs, workers=self._workers):
            back.take(confirmation)
            doubts.note(confirmation)
        if doubts:
            back.take(self._writer.ask_again(hubspot_list, doubts))
