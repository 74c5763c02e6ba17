"""Adds record ids to a list and removes them, many a call, and says what HubSpot confirmed of each."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from hubspot_singer.http import Conflict, InvalidRequest, NotFound, TooLarge, TooSlow, parsed
from target_hubspot_lists.batches import Brake
from target_hubspot_lists.hubspot_lists import gone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hubspot_singer.http import HubSpotClient, Refused
    from target_hubspot_lists.hubspot_lists import HubSpotList
    from target_hubspot_lists.lists import Lists

logger = logging.getLogger(__name__)

# HubSpot names no limit for add-and-remove; calls of this size have been seen to work many times over.
# https://developers.hubspot.com/docs/api-reference/latest/crm/lists/memberships
MAX_RECORD_IDS_PER_CALL = 10_000

# A call that times out twice at one size will do so again: it is halved instead.
SLOW_TRIES = 2

# What HubSpot may answer where some of the ids are at fault, and not their number.
GUILTY_INPUTS = (Conflict, InvalidRequest)


@dataclass(frozen=True)
class Change:
    """Record ids to add to one list and to remove from it; no id twice."""

    add: tuple[int, ...]
    remove: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.add) + len(self.remove)

    def split(self, size: int) -> Iterator[Change]:
        """Yield the change in pieces of at most `size` ids that together are the whole."""
        adds, removes = self.add, self.remove
        for start in range(0, len(self), size):
            end = start + size
            yield Change(adds[start:end], removes[max(0, start - len(adds)) : max(0, end - len(adds))])

    def halves(self) -> Iterator[Change]:
        """Yield the two halves; of an odd number the first is the larger."""
        return self.split((len(self) + 1) // 2)


@dataclass
class Confirmation:
    """What HubSpot said of one change: every id asked is in one of these, or HubSpot left it open."""

    change: Change
    added: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    missing: set[int] = field(default_factory=set)
    refused: dict[int, Refused] = field(default_factory=dict)
    calls: int = 0
    seconds: float = 0.0

    @classmethod
    def from_body(cls, change: Change, body: Mapping[str, Any]) -> Confirmation:
        """Parse an answer (MembershipsUpdateResponse): absent arrays are empty, both spellings are read."""
        # Specs and live portals say recordsIdsAdded, beside recordIdsRemoved; one page says recordIdsAdded.
        added = _record_ids(body, "recordsIdsAdded") | _record_ids(body, "recordIdsAdded")
        removed = _record_ids(body, "recordIdsRemoved") | _record_ids(body, "recordsIdsRemoved")
        missing = _record_ids(body, "recordIdsMissing") | _record_ids(body, "recordsIdsMissing")
        to_add, to_remove = set(change.add), set(change.remove)
        if strange := (added - to_add) | (removed - to_remove) | (missing - to_add - to_remove):
            logger.warning(
                "HubSpot's answer names %d record ids that were not asked for; not counted.", len(strange)
            )
        return cls(change, added & to_add, removed & to_remove, missing & (to_add | to_remove))

    @property
    def open(self) -> set[int]:
        """Those of whom HubSpot said nothing: they were as asked already, or it has yet to show."""
        named = self.added | self.removed | self.missing | self.refused.keys()
        return {*self.change.add, *self.change.remove} - named

    def include(self, part: Confirmation) -> None:
        """Take in what HubSpot said of a part of this change."""
        self.added |= part.added
        self.removed |= part.removed
        self.missing |= part.missing
        self.refused |= part.refused
        self.calls += part.calls
        self.seconds += part.seconds


def _record_ids(body: Mapping[str, Any], name: str) -> set[int]:
    return {int(each) for each in body.get(name) or () if str(each).isdecimal()}


class ChangeWriter:
    """Sends changes, several at once; keeps for the run the size of call that HubSpot takes."""

    def __init__(self, client: HubSpotClient, lists: Lists) -> None:
        self._client = client
        self._lists = lists
        self._base = client.base("crm/lists")
        self._lock = threading.Lock()
        self.size = MAX_RECORD_IDS_PER_CALL
        self._brakes: defaultdict[str, Brake] = defaultdict(Brake)  # by list id

    def write(self, hubspot_list: HubSpotList, change: Change) -> Confirmation:
        """Apply a change to a list; ids that HubSpot refuses are isolated by halving and named as refused."""
        whole = Confirmation(change)
        for part in change.split(self.size):
            whole.include(self._write_or_halve(hubspot_list, part, is_half=False))
        return whole

    def _write_or_halve(self, hubspot_list: HubSpotList, change: Change, *, is_half: bool) -> Confirmation:
        started = time.monotonic()
        try:
            confirmation = self._put(hubspot_list, change)
        except NotFound as not_found:
            raise gone(hubspot_list) from not_found
        except (Conflict, InvalidRequest, TooLarge, TooSlow) as problem:
            if isinstance(problem, GUILTY_INPUTS) and not is_half:
                # A list that became active refuses everything: say that, and search for no guilty id.
                self._lists.check(hubspot_list)
            confirmation = self._halve(hubspot_list, change, problem)
        else:
            self._brake(hubspot_list).accepted()
        confirmation.calls += 1
        confirmation.seconds = time.monotonic() - started
        return confirmation

    def _put(self, hubspot_list: HubSpotList, change: Change) -> Confirmation:
        # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/memberships
        answer = self._client.put(
            f"{self._base}/{hubspot_list.list_id}/memberships/add-and-remove",
            {
                "recordIdsToAdd": [str(each) for each in change.add],
                "recordIdsToRemove": [str(each) for each in change.remove],
            },
            slow_tries=SLOW_TRIES,
        )
        return parsed(answer, partial(Confirmation.from_body, change))

    def _halve(self, hubspot_list: HubSpotList, change: Change, problem: Refused | TooSlow) -> Confirmation:
        if len(change) == 1:
            return self._refuse(hubspot_list, change, problem)
        logger.warning(
            "%s: a call with %d record ids failed and is halved. %s", hubspot_list, len(change), problem
        )
        halves = list(change.halves())
        if not isinstance(problem, GUILTY_INPUTS):
            self._learn(len(halves[0]))
        whole = Confirmation(change)
        parts = [
            self._write_or_halve(hubspot_list, piece, is_half=True)
            for half in halves
            for piece in half.split(self.size)  # the first half may have taught a smaller size
        ]
        for part in parts:
            whole.include(part)
        if isinstance(problem, GUILTY_INPUTS) and all(part.calls == 1 and not part.refused for part in parts):
            self._learn(len(halves[0]))  # both halves went through: it was the size, not an id
        return whole

    def _learn(self, size: int) -> None:
        with self._lock:
            self.size = min(self.size, size)

    def _refuse(self, hubspot_list: HubSpotList, change: Change, problem: Refused | TooSlow) -> Confirmation:
        if isinstance(problem, TooSlow):
            raise problem
        if self._brake(hubspot_list).refused():
            raise problem
        confirmation = Confirmation(change)
        confirmation.refused = dict.fromkeys(change.add + change.remove, problem)
        return confirmation

    def _brake(self, hubspot_list: HubSpotList) -> Brake:
        with self._lock:
            return self._brakes[hubspot_list.list_id]
