"""What is to be done to one list: the last word on each contact, whoever asked for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.hubspot.membership_changes import Change
from target_hubspot_lists.reporting.account import EMPTY, RequestedChanges

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.reporting.account import Account, RequestedChange


class Stale(NamedTuple):
    """A membership whose record id HubSpot no longer knows, with the one that its contact has now, if it was merged."""

    hubspot_list: HubSpotList
    record_id: int
    asked: RequestedChange
    record_id_now: int | None


@dataclass(frozen=True)
class Plan:
    """What is asked of one list, account by account: several routes can lead to it, and no contact is in two parts.

    `created` are the contacts that were made for it.
    """

    hubspot_list: HubSpotList
    parts: tuple[RequestedChanges, ...]
    created: AbstractSet[int] = frozenset()

    @classmethod
    def of(
        cls,
        hubspot_list: HubSpotList,
        asked: Mapping[int, RequestedChange],
        created: AbstractSet[int] = frozenset(),
    ) -> Plan:
        """Return the plan for a few members, by record id."""
        accounts = {id(each.account): each.account for each in asked.values()}
        found_by = {each.member: each.found_by for each in asked.values() if each.found_by is not None}
        folds = {number: Fold(account, found_by) for number, account in accounts.items()}
        for record_id, each in asked.items():
            folds[id(each.account)].take(record_id, each.word, each.member)
        return cls(hubspot_list, tuple(fold.words for fold in folds.values()), created)

    def __len__(self) -> int:
        return sum(len(part.words) for part in self.parts)

    @property
    def account(self) -> Account:
        """On whose account the calls are."""
        return self.parts[0].account

    @property
    def record_ids(self) -> set[int]:
        """The contacts that it is about."""
        return set().union(*(part.words for part in self.parts))

    def asked(self, record_id: int) -> RequestedChange | None:
        """Return what is asked of one contact; None if nothing is."""
        return next((part.asked(record_id) for part in self.parts if record_id in part.words), None)

    def members(self) -> Iterator[Member]:
        """Yield by what its contacts are asked for."""
        for part in self.parts:
            yield from part.words if part.members is None else part.members.values()

    def all_asked(self) -> dict[int, RequestedChange]:
        """Return what is asked of each of its contacts, in the order of the input."""
        return {each: part.asked(each) for part in self.parts for each in part.words}

    def of_these(self, record_ids: Iterable[int]) -> dict[int, RequestedChange]:
        """Return what is asked of some of its contacts."""
        return {each: asked for each in record_ids if (asked := self.asked(each)) is not None}

    def wanted(self, record_ids: AbstractSet[int]) -> dict[int, bool]:
        """Return which of some of its contacts are to be on the list, and which off it."""
        return {
            each: bool(part.words[each] & 1) for part in self.parts for each in part.words.keys() & record_ids
        }

    def change(self, record_ids: AbstractSet[int]) -> Change:
        """Return which of some of its contacts to add and which to remove, in the order of the input."""
        add: list[int] = []
        remove: list[int] = []
        for part in self.parts:
            to_add = [each for each, word in part.words.items() if word & 1]
            add += to_add
            if len(to_add) < len(part.words):
                remove += [each for each, word in part.words.items() if not word & 1]
        if len(record_ids) < len(add) + len(remove):
            add = [each for each in add if each in record_ids]
            remove = [each for each in remove if each in record_ids]
        return Change(add=tuple(add), remove=tuple(remove))

    def followed(self, merged: Mapping[int, int]) -> Plan:
        """Return the same about the contacts that records became; of several words on one the latest."""
        if merged.keys().isdisjoint(self.record_ids):
            return self
        return replace(self, parts=tuple(last_words(_followed(part, merged) for part in self.parts)))


def _followed(part: RequestedChanges, merged: Mapping[int, int]) -> RequestedChanges:
    fold = Fold(part.account, part.found_by)
    for record_id, word in part.words.items():
        member = record_id if part.members is None else part.members[record_id]
        fold.take(merged.get(record_id, record_id), word, member)
    return fold.words


class Fold:
    """The last word on each contact that one account asks for: two members can be one contact."""

    def __init__(self, account: Account, found_by: Mapping[Member, int] = EMPTY) -> None:
        self._members: dict[int, Member] = {}
        self.words = RequestedChanges(account, {}, self._members, found_by)

    def take(self, record_id: int, word: int, member: Member) -> None:
        """Take a word; of two on one contact the later stands, and the other is superseded."""
        words = self.words.words
        other = words.get(record_id)
        if other is not None:
            self.words.account.superseded += 1
            if other > word:
                return
        words[record_id] = word
        self._members[record_id] = member


def to_add(plans: Iterable[Plan]) -> Iterator[int]:
    """Yield the contacts that plans put onto lists; one on several lists as often."""
    words = (part.words.items() for plan in plans for part in plan.parts)
    return (each for of_part in words for each, word in of_part if word & 1)


def last_words(parts: Iterable[RequestedChanges]) -> Iterator[RequestedChanges]:
    """Yield parts that ask the same list without the words that another part outdoes; those are superseded."""
    parts = list(parts)
    for part in parts:
        others = [each.words for each in parts if each is not part]
        outdone = {
            each
            for other in others
            for each in part.words.keys() & other.keys()
            if other[each] > part.words[each]
        }
        part.account.superseded += len(outdone)
        if outdone:
            left = {each: word for each, word in part.words.items() if each not in outdone}
            yield replace(part, words=left)
        else:
            yield part
