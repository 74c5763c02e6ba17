"""Finds the value of an answer that stands for one that was asked for and is spelt in another way. Pure."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def answered_as(asked: Collection[str], *answered: Collection[str]) -> dict[str, str]:
    """Return how the answer spells each value that was asked for; values that it does not contain are left out.

    Values that are spelt alike match first. Each of the others matches the only remaining value that is equal without
    regard to case, or as a number; if there are several, none matches.
    """
    spelt = {value: value for value in asked if any(value in values for values in answered)}
    for values in answered:
        remaining = _by_meaning(value for value in values if value not in spelt)
        for value in asked:
            alike = remaining.get(_meaning(value), [])
            if value not in spelt and len(alike) == 1:
                spelt[value] = alike[0]
    return spelt


def _by_meaning(values: Iterable[str]) -> dict[str | Decimal, list[str]]:
    by_meaning: dict[str | Decimal, list[str]] = {}
    for value in values:
        by_meaning.setdefault(_meaning(value), []).append(value)
    return by_meaning


def _meaning(value: str) -> str | Decimal:
    """Return what all spellings of one value have in common: the number, or the text without regard to case."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value.casefold()
    return number if number.is_finite() else value.casefold()
