"""Tells which value of an answer stands for one that was asked for, where HubSpot spells it another way. Pure."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def answered_as(asked: Collection[str], *answered: Collection[str]) -> dict[str, str]:
    """Return how the answer spells each of the values; those of which it does not speak are left out.

    First those that are spelt alike. Each of the others is the one value that nobody else asked for, and that is equal
    without regard to case, or as a number: where there are several, nothing is said.
    """
    said = {each: each for each in asked if any(each in some for some in answered)}
    for some in answered:
        left = _by_meaning(each for each in some if each not in said)
        for each in asked:
            meant = left.get(_meaning(each), [])
            if each not in said and len(meant) == 1:
                said[each] = meant[0]
    return said


def _by_meaning(values: Iterable[str]) -> dict[str | Decimal, list[str]]:
    by_meaning: dict[str | Decimal, list[str]] = {}
    for each in values:
        by_meaning.setdefault(_meaning(each), []).append(each)
    return by_meaning


def _meaning(value: str) -> str | Decimal:
    """What two spellings of one value have in common."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value.casefold()
    return number if number.is_finite() else value.casefold()
