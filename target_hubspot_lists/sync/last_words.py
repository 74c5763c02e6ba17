"""Holds what is asked of one list: one integer a member, in which the last record of the input stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from target_hubspot_lists.reporting.accounts import Asked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.reporting.accounts import Account


class LastWords(Mapping["Member", Asked]):
    """By member the last word on it, on one account; an `Asked` is made only where somebody looks at it.

    A word is twice the position of its record in the input, plus one if the member is to be on the list.
    """

    __slots__ = ("account", "words")

    def __init__(self, account: Account) -> None:
        self.account = account
        self.words: dict[Member, int] = {}

    def __getitem__(self, member: Member) -> Asked:
        word = self.words[member]
        return Asked(member, bool(word & 1), word >> 1, self.account)

    def __iter__(self) -> Iterator[Member]:
        return iter(self.words)

    def __len__(self) -> int:
        return len(self.words)

    @property
    def adds_anybody(self) -> bool:
        """Whether any member is to be on the list."""
        return any(word & 1 for word in self.words.values())


def record_ids_asked(asked: Mapping[int, Asked], *, is_member: bool) -> tuple[int, ...]:
    """Return the record ids that are to be on a list, or those that are to be off it."""
    if isinstance(asked, LastWords):
        of_kind = [each for each, word in asked.words.items() if word & 1 == is_member]
        return tuple(cast("list[int]", of_kind))
    return tuple([record_id for record_id, each in asked.items() if each.is_member == is_member])
