"""Adds record ids to a list and removes them, many a call, and says what HubSpot confirmed of each."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from hubspot_singer.http import (
    Conflict,
    InvalidRequest,
    MissingScopes,
    NotFound,
    Refused,
    TooLarge,
    TooSlow,
    parsed,
)
from target_hubspot_lists.hubspot.batching import MAX_INPUTS_PER_CALL
from target_hubspot_lists.hubspot.list_objects import gone, list_refused
from target_hubspot_lists.hubspot.refusals import CallHistory, Doubt, RefusedCall, adds_or_removals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hubspot_singer.http import HubSpotClient
    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.hubspot.refusals import Kind

logger = logging.getLogger(__name__)

# HubSpot names no limit for add-and-remove; calls of this size have been seen to work many times over.
# https://developers.hubspot.com/docs/api-reference/latest/crm/lists/memberships
MAX_RECORD_IDS_PER_CALL = 10_000

NOBODY = 2**63 - 1  # the largest record id that can be: HubSpot answers that it is missing

# A call that times out twice at one size will do so again: it is halved instead.
SLOW_TRIES = 2

FORBIDDEN = 403  # and no scope lacks: it is about this list


@dataclass(frozen=True)
class Change:
    """Record ids to add to one list and to remove from it; no id twice."""

    add: tuple[int, ...]
    remove: tuple[int, ...]

    @classmethod
    def of_one_kind(cls, record_ids: Iterable[int], *, is_add: bool) -> Change:
        """A change that only adds these ids, or only removes them."""
        return cls(tuple(record_ids), ()) if is_add else cls((), tuple(record_ids))

    def __len__(self) -> int:
        return len(self.add) + len(self.remove)

    @property
    def ids(self) -> tuple[int, ...]:
        """All of them."""
        return self.add + self.remove

    def kinds(self) -> Iterator[tuple[bool, tuple[int, ...]]]:
        """Yield True with the ids to add and False with those to remove, where there are any."""
        if self.add:
            yield True, self.add
        if self.remove:
            yield False, self.remove

    def split(self, size: int) -> Iterator[Change]:
        """Yield the change in pieces of at most `size` ids that together are the whole."""
        adds, removes = self.add, self.remove
        for start in range(0, len(self), size):
            end = start + size
            yield Change(adds[start:end], removes[max(0, start - len(adds)) : max(0, end - len(adds))])

    def halves(self) -> Iterator[Change]:
        """Yield the two halves; of an odd number the first is the larger."""
        return self.split((len(self) + 1) // 2)

    def parts(self) -> list[Change]:
        """The adds and the removals apart; of one kind alone its two halves."""
        if self.add and self.remove:
            return [Change.of_one_kind(ids, is_add=is_add) for is_add, ids in self.kinds()]
        return list(self.halves())


@dataclass
class Confirmation:
    """What HubSpot said of one change: every id asked is in one of these, or HubSpot left it open.

    The `refused` are refused for their own sake. Of the `doubtful` it is not known whether they or the list are to
    blame.
    """

    change: Change
    added: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    missing: set[int] = field(default_factory=set)
    refused: dict[int, Refused] = field(default_factory=dict)
    doubtful: dict[int, Doubt] = field(default_factory=dict)
    # Of those of the missing who were read as contacts, the record id that they have now; None if they are nobody's.
    read: dict[int, int | None] = field(default_factory=dict)
    calls: int = 0
    seconds: float = 0.0

    @classmethod
    def from_body(cls, change: Change, body: Mapping[str, Any]) -> Confirmation:
        """Parse an answer (MembershipsUpdateResponse): absent arrays are empty, both spellings are read."""
        # Specs and live portals say recordsIdsAdded, beside recordIdsRemoved; one page says recordIdsAdded.
        added = _record_ids(body, "recordsIdsAdded", "recordIdsAdded")
        removed = _record_ids(body, "recordIdsRemoved", "recordsIdsRemoved")
        missing = _record_ids(body, "recordIdsMissing", "recordsIdsMissing")
        to_add, to_remove = set(change.add), set(change.remove)
        if strange := (added - to_add) | (removed - to_remove) | (missing - to_add - to_remove):
            logger.warning(
                "HubSpot's answer names %d record ids that were not asked for; not counted.", len(strange)
            )
            added, removed, missing = added & to_add, removed & to_remove, missing & (to_add | to_remove)
        return cls(change, added, removed, missing)

    @property
    def open(self) -> set[int]:
        """Those of whom HubSpot said nothing: they were as asked already, or it has yet to show."""
        if len(self.added) + len(self.removed) == len(self.change):
            return set()  # no id is in both
        ids = set(self.change.ids)
        ids.difference_update(self.added, self.removed, self.missing, self.refused, self.doubtful)
        return ids

    @property
    def is_taken(self) -> bool:
        """Whether HubSpot took all of the change, whatever became of it."""
        return not (self.refused or self.doubtful)

    def taken(self, *, is_add: bool) -> int | None:
        """An id of that kind in a call that HubSpot took; None if it took none."""
        asked = self.change.add if is_add else self.change.remove
        return next((each for each in asked if each not in self.refused and each not in self.doubtful), None)

    def include(self, part: Confirmation) -> None:
        """Take in what HubSpot said of a part of this change."""
        self.added |= part.added
        self.removed |= part.removed
        self.missing |= part.missing
        self.refused |= part.refused
        self.doubtful |= part.doubtful
        self.read |= part.read
        self.calls += part.calls
        self.seconds += part.seconds


def _record_ids(body: Mapping[str, Any], *names: str) -> set[int]:
    """The record ids of the arrays of these names, of which mostly one is there."""
    named = [each for name in names for each in body.get(name) or ()]
    try:
        if "".join(named).isdecimal():  # all of them, at once
            return set(map(int, named))
    except (TypeError, ValueError):  # a number, or nothing
        pass
    return {int(each) for each in named if str(each).isdecimal()}


class Doubts:
    """The ids of one list that are in doubt after a flush, and of each kind an id that HubSpot took, if it took any."""

    def __init__(self) -> None:
        self.by_kind: dict[bool, dict[int, Doubt]] = {True: {}, False: {}}
        self.taken: dict[bool, int] = {}

    def note(self, confirmation: Confirmation) -> None:
        """Take in what became of a part of the flush."""
        for is_add, ids in confirmation.change.kinds():
            doubtful = confirmation.doubtful
            self.by_kind[is_add] |= {each: doubtful[each] for each in ids if each in doubtful}
            if is_add not in self.taken and (taken := confirmation.taken(is_add=is_add)) is not None:
                self.taken[is_add] = taken

    def __bool__(self) -> bool:
        return any(self.by_kind.values())


class ChangeWriter:
    """Sends changes, several at once; keeps for the run the size of call that HubSpot takes."""

    def __init__(self, client: HubSpotClient, lists: Lists, contacts: Contacts) -> None:
        self._client = client
        self._lists = lists
        self._contacts = contacts
        self._lock = threading.Lock()
        self.size = MAX_RECORD_IDS_PER_CALL
        self._history = CallHistory()

    def write(self, hubspot_list: HubSpotList, change: Change) -> Confirmation:
        """Apply a change to a list; ids that HubSpot refuses are isolated by halving.

        Afterwards they are `refused`, or `doubtful` until `ask_again` has judged all that a flush leaves in doubt.
        """
        return self._write(hubspot_list, change, alone={})

    def ask_again(self, hubspot_list: HubSpotList, doubts: Doubts) -> Confirmation:
        """Say of every id in doubt whether it is refused, missing or taken; ListError if it is the list that refuses.

        They are sent again once HubSpot has taken another call on the list. If it takes none, the contacts are read:
        whom HubSpot does not know is missing, and if it knows any, it refuses the list.
        """
        adds, removals = doubts.by_kind[True], doubts.by_kind[False]
        whole = Confirmation(Change(tuple(adds), tuple(removals)))
        for is_add, doubtful in doubts.by_kind.items():
            # Where HubSpot took ids of the other kind alone, one of nobody tells whether it takes this kind, too.
            taken = doubts.taken.get(is_add, NOBODY if doubts.taken else None)
            self._judge(whole, hubspot_list, doubtful, taken, is_add=is_add)
        return whole

    def _judge(
        self,
        whole: Confirmation,
        hubspot_list: HubSpotList,
        doubtful: Mapping[int, Doubt],
        taken: int | None,
        *,
        is_add: bool,
    ) -> None:
        """Ask for ids of one kind until none is in doubt; each round settles at least those refused alone before."""
        kind = adds_or_removals(hubspot_list.list_id, is_add=is_add)
        while doubtful:
            alone = {each: doubt.alone for each, doubt in doubtful.items() if doubt.alone is not None}
            if not self._history.has_taken_since([kind], max(alone.values(), default=0)):
                if taken is not None:
                    self._check_takes(hubspot_list, Change.of_one_kind([taken], is_add=is_add))
                    whole.calls += 1
                else:
                    current = self._contacts.known_ids(alone)
                    if any(asked == now for asked, now in current.items()):
                        raise list_refused(hubspot_list, next(iter(doubtful.values())).problem)
                    whole.missing |= alone.keys()
                    whole.read |= {each: current.get(each) for each in alone}
                    doubtful = {each: doubt for each, doubt in doubtful.items() if each not in alone}
            self._history.count_anew([kind])
            # Those refused alone come first: they are settled even if the rest proves hopeless again.
            in_order = sorted(doubtful, key=lambda each: each not in alone)
            again = self._write(hubspot_list, Change.of_one_kind(in_order, is_add=is_add), alone=alone)
            taken = again.taken(is_add=is_add) if taken is None else taken
            doubtful, again.doubtful = again.doubtful, {}
            whole.include(again)

    def _check_takes(self, hubspot_list: HubSpotList, change: Change) -> None:
        """Send what HubSpot takes, if it takes anything, and what changes nothing; ListError if it refuses that."""
        sent = self._history.now()
        try:
            _put(self._client, hubspot_list, change)
        except (Conflict, InvalidRequest, TooLarge) as problem:
            raise list_refused(hubspot_list, problem) from problem
        self._history.took(_kinds(hubspot_list, change), sent)

    def _write(self, hubspot_list: HubSpotList, change: Change, *, alone: Mapping[int, int]) -> Confirmation:
        """Write a change; `alone` says when ids in it were refused on their own before."""
        if len(change) <= self.size:
            return self._write_or_divide(hubspot_list, change, within=None, alone=alone)
        whole = Confirmation(change)
        for part in change.split(self.size):
            whole.include(self._write_or_divide(hubspot_list, part, within=None, alone=alone))
        return whole

    def _write_or_divide(
        self,
        hubspot_list: HubSpotList,
        change: Change,
        *,
        within: RefusedCall | None,
        alone: Mapping[int, int],
    ) -> Confirmation:
        """Send a change, and in parts if HubSpot refuses it; `within` is the call that it was a part of."""
        if within and self._history.is_hopeless(_kinds(hubspot_list, change)):
            return Confirmation(change, doubtful=dict.fromkeys(change.ids, Doubt(within.problem, None)))
        started, sent = time.monotonic(), self._history.now()
        try:
            confirmation = _put(self._client, hubspot_list, change)
        except TooSlow as problem:
            if len(change) == 1:
                raise
            _warn(hubspot_list, change, problem)
            confirmation = self._divide(hubspot_list, change, within=within, alone=alone, is_size=True)
        except (Conflict, InvalidRequest, TooLarge) as problem:
            refused = RefusedCall(problem, self._history.now())
            is_size = isinstance(problem, TooLarge)
            if within is None:
                _warn(hubspot_list, change, problem)
                if not is_size:
                    # A list that became active refuses everything: say that, and search for no guilty id.
                    self._lists.check(hubspot_list)
            if len(change) == 1:
                confirmation = self._blame(hubspot_list, change, refused, within=within, alone=alone)
            else:
                confirmation = self._divide(
                    hubspot_list, change, within=refused, alone=alone, is_size=is_size
                )
        else:
            self._history.took(_kinds(hubspot_list, change), sent)
        confirmation.calls += 1
        confirmation.seconds = time.monotonic() - started
        return confirmation

    def _divide(
        self,
        hubspot_list: HubSpotList,
        change: Change,
        *,
        within: RefusedCall | None,
        alone: Mapping[int, int],
        is_size: bool,
    ) -> Confirmation:
        """Write a change in parts; `is_size` says that its size is at fault, and not perhaps an id in it."""
        parts = list(change.halves()) if is_size else change.parts()
        size = max(map(len, parts))
        if is_size:
            self._learn(size)
        whole = Confirmation(change)
        confirmations = [
            self._write_or_divide(hubspot_list, piece, within=within, alone=alone)
            for part in parts
            for piece in part.split(self.size)  # the part before may have taught a smaller size
        ]
        for each in confirmations:
            whole.include(each)
        went_through = all(each.calls == 1 and each.is_taken for each in confirmations)
        if not is_size and went_through and size >= MAX_INPUTS_PER_CALL:
            # It was the size, not an id; of fewer it would be a smaller limit than any of HubSpot's: a passing refusal.
            self._learn(size)
        return whole

    def _learn(self, size: int) -> None:
        with self._lock:
            self.size = min(self.size, size)

    def _blame(
        self,
        hubspot_list: HubSpotList,
        change: Change,
        refused: RefusedCall,
        *,
        within: RefusedCall | None,
        alone: Mapping[int, int],
    ) -> Confirmation:
        """Judge an id that HubSpot refused on its own: for its own sake, or in doubt."""
        (record_id,), kinds = change.ids, _kinds(hubspot_list, change)
        earlier = within.moment if within else None, alone.get(record_id)
        if self._history.blames(kinds, record_id, refused.problem, *earlier):
            return Confirmation(change, refused={record_id: refused.problem})
        self._history.doubted(kinds)
        return Confirmation(change, doubtful={record_id: Doubt(refused.problem, refused.moment)})


def _put(client: HubSpotClient, hubspot_list: HubSpotList, change: Change) -> Confirmation:
    # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/memberships
    try:
        answer = client.put(
            f"{client.base('crm/lists')}/{hubspot_list.list_id}/memberships/add-and-remove",
            {
                "recordIdsToAdd": list(map(str, change.add)),
                "recordIdsToRemove": list(map(str, change.remove)),
            },
            slow_tries=SLOW_TRIES,
        )
    except NotFound as not_found:
        raise gone(hubspot_list) from not_found
    except MissingScopes:
        raise
    except Refused as refused:
        if refused.status == FORBIDDEN:
            raise list_refused(hubspot_list, refused) from refused
        raise
    return parsed(answer, partial(Confirmation.from_body, change))


def _warn(hubspot_list: HubSpotList, change: Change, problem: Refused | TooSlow) -> None:
    logger.warning("%s: a call with %d record ids failed. %s", hubspot_list, len(change), problem)


def _kinds(hubspot_list: HubSpotList, change: Change) -> list[Kind]:
    return [adds_or_removals(hubspot_list.list_id, is_add=is_add) for is_add, _ in change.kinds()]
