"""Combines choices so that every two values of two dimensions meet at least once."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    Pair = tuple[str, object, str, object]

CANDIDATES = 50  # rows tried for each that is taken


def all_pairs(dimensions: Mapping[str, Sequence[object]], random: Random) -> list[dict[str, object]]:
    """Return rows with a value for each dimension; together they hold every pair of values."""
    left = {
        (one, first, other, second)
        for one, other in combinations(dimensions, 2)
        for first in dimensions[one]
        for second in dimensions[other]
    }
    rows = []
    while left:
        # Each candidate holds one of the pairs that are left, so that every row takes some away.
        candidates = [
            _row(dimensions, pair, random) for pair in random.choices(sorted(left, key=repr), k=CANDIDATES)
        ]
        best = max(candidates, key=lambda row: len(_pairs(row) & left))
        left -= _pairs(best)
        rows.append(best)
    return rows


def _row(dimensions: Mapping[str, Sequence[object]], pair: Pair, random: Random) -> dict[str, object]:
    one, first, other, second = pair
    fixed = {one: first, other: second}
    return {
        name: fixed[name] if name in fixed else random.choice(values) for name, values in dimensions.items()
    }


def _pairs(row: Mapping[str, object]) -> set[Pair]:
    return {(one, row[one], other, row[other]) for one, other in combinations(row, 2)}
