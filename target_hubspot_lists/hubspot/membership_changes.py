"""A change of the members of one list, and the answer of HubSpot to it. Pure."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hubspot_singer.http import Refused
    from target_hubspot_lists.hubspot.refusals import Doubt

logger = logging.getLogger(__name__)


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
    """The answer to one change: each id is in one of these sets, or HubSpot left it `open`.

    The `refused` ids are at fault themselves. Of the `doubtful` it is not known whether they or the list are at fault.
    """

    change: Change
    added: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    missing: set[int] = field(default_factory=set)
    refused: dict[int, Refused] = field(default_factory=dict)
    doubtful: dict[int, Doubt] = field(default_factory=dict)
    # Missing ids that were read as contacts, with their current record id; None if there is no contact.
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
        """The ids that the answer does not name: they were as asked before, or HubSpot has not applied them yet."""
        if len(self.added) + len(self.removed) == len(self.change):
            return set()  # no id is in both
        ids = set(self.change.ids)
        ids.difference_update(self.added, self.removed, self.missing, self.refused, self.doubtful)
        return ids

    @property
    def is_accepted(self) -> bool:
        """Whether HubSpot accepted the call for all ids of the change."""
        return not (self.refused or self.doubtful)

    def accepted_id(self, *, is_add: bool) -> int | None:
        """An id of that kind in a call that HubSpot accepted; None if it accepted none."""
        asked = self.change.add if is_add else self.change.remove
        return next((each for each in asked if each not in self.refused and each not in self.doubtful), None)

    def include(self, part: Confirmation) -> None:
        """Add the answer to a part of this change."""
        self.added |= part.added
        self.removed |= part.removed
        self.missing |= part.missing
        self.refused |= part.refused
        self.doubtful |= part.doubtful
        self.read |= part.read
        self.calls += part.calls
        self.seconds += part.seconds


def _record_ids(body: Mapping[str, Any], *names: str) -> set[int]:
    """Return the record ids in the arrays of these names; usually the answer has one of the arrays."""
    named = [record_id for name in names for record_id in body.get(name) or ()]
    try:
        if "".join(named).isdecimal():  # faster than one by one
            return set(map(int, named))
    except (TypeError, ValueError):  # a number, or nothing
        pass
    return {int(record_id) for record_id in named if str(record_id).isdecimal()}


class Doubts:
    """The ids of one list in doubt after a flush, and for adds and for removals an id that HubSpot accepted, if any."""

    def __init__(self) -> None:
        self.by_kind: dict[bool, dict[int, Doubt]] = {True: {}, False: {}}
        self.accepted: dict[bool, int] = {}

    def note(self, confirmation: Confirmation) -> None:
        """Add the result of a part of the flush."""
        for is_add, ids in confirmation.change.kinds():
            doubtful = confirmation.doubtful
            self.by_kind[is_add] |= {
                record_id: doubtful[record_id] for record_id in ids if record_id in doubtful
            }
            if is_add not in self.accepted and (taken := confirmation.accepted_id(is_add=is_add)) is not None:
                self.accepted[is_add] = taken

    def __bool__(self) -> bool:
        return any(self.by_kind.values())
