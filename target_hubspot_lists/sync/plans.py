"""What is to be changed on one list: the last change asked for each contact, of all routes to the list. Pure."""

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


class Resend(NamedTuple):
    """A change to send again: HubSpot no longer knows the record id that it was sent for."""

    hubspot_list: HubSpotList
    record_id: int
    asked: RequestedChange
    current_id: int | None  # of the contact into which the old one was merged; None if it was not merged


@dataclass(frozen=True)
class Plan:
    """The changes asked for one list, one part an account: several routes can lead to the list.

    No contact is in two parts. `created` are the contacts that were created for the plan.
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
        """Return the plan of a few changes, by record id."""
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
        """The account on which the plan's calls are counted."""
        return self.parts[0].account

    @property
    def record_ids(self) -> set[int]:
        """The record ids of all its contacts."""
        return set().union(*(part.words for part in self.parts))

    def asked(self, record_id: int) -> RequestedChange | None:
        """Return the change asked for one contact; None if there is none."""
        return next((part.asked(record_id) for part in self.parts if record_id in part.words), None)

    def members(self) -> Iterator[Member]:
        """Yield the identifiers by which records name its contacts."""
        for part in self.parts:
            yield from part.words if part.members is None else part.members.values()

    def all_asked(self) -> dict[int, RequestedChange]:
        """Return the change asked for each of its contacts, in the order of the input."""
        return {record_id: part.asked(record_id) for part in self.parts for record_id in part.words}

    def asked_of(self, record_ids: Iterable[int]) -> dict[int, RequestedChange]:
        """Return the changes asked for some of its contacts."""
        return {each: asked for each in record_ids if (asked := self.asked(each)) is not None}

    def wanted(self, record_ids: AbstractSet[int]) -> dict[int, bool]:
        """Return by record id, for some of its contacts, whether each is to be a member."""
        return {
            each: bool(part.words[each] & 1) for part in self.parts for each in part.words.keys() & record_ids
        }

    def change(self, record_ids: AbstractSet[int]) -> Change:
        """Return the change to send for some of its contacts, in the order of the input."""
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

    def with_current_ids(self, merged: Mapping[int, int]) -> Plan:
        """Return the plan with the record ids that contacts have since they were merged; the latest change stands."""
        if merged.keys().isdisjoint(self.record_ids):
            return self
        parts: list[RequestedChanges] = []
        for part in self.parts:
            fold = Fold(part.account, part.found_by)
            for record_id, word in part.words.items():
                member = record_id if part.members is None else part.members[record_id]
                fold.take(merged.get(record_id, record_id), word, member)
            parts.append(fold.words)
        return replace(self, parts=tuple(last_words(parts)))


class Fold:
    """The last change of each contact that one account asks for: two members can be one contact."""

    def __init__(self, account: Account, found_by: Mapping[Member, int] = EMPTY) -> None:
        self._members: dict[int, Member] = {}
        self.words = RequestedChanges(account, {}, self._members, found_by)

    def take(self, record_id: int, word: int, member: Member) -> None:
        """Take a word, see `packed`; of two on one contact the later stands, and the other is superseded."""
        words = self.words.words
        other = words.get(record_id)
        if other is not None:
            self.words.account.superseded += 1
            if other > word:
                return
        words[record_id] = word
        self._members[record_id] = member


def to_add(plans: Iterable[Plan]) -> Iterator[int]:
    """Yield the record ids that plans add to lists; a contact on several lists as often."""
    words = (part.words.items() for plan in plans for part in plan.parts)
    return (record_id for of_part in words for record_id, word in of_part if word & 1)


def last_words(parts: Iterable[RequestedChanges]) -> Iterator[RequestedChanges]:
    """Yield parts for the same list without the words that are superseded by a later one of another part."""
    parts = list(parts)
    for part in parts:
        others = [each.words for each in parts if each is not part]
        superseded = {
            record_id
            for other in others
            for record_id in part.words.keys() & other.keys()
            if other[record_id] > part.words[record_id]
        }
        part.account.superseded += len(superseded)
        if superseded:
            remaining = {each: word for each, word in part.words.items() if each not in superseded}
            yield replace(part, words=remaining)
        else:
            yield part
