"""Tells which lists did not run when they should have: by the interval given, else by how often they ran before."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

# Runs from which a habit can be told, and how many of the latest are asked for it.
RUNS_FOR_A_HABIT = 4
LATEST_RUNS = 20
# A run may be late for once: only after twice the usual time is it overdue.
PATIENCE = 2
# A list that runs only when there is a change has no habit: most pauses must be about as long as the usual one.
REGULAR_SHARE = 0.75
REGULAR = (0.5, 1.5)
SHORTEST_HABIT = timedelta(minutes=10)  # runs by hand, one after another, are no schedule


class Overdue(NamedTuple):
    """For how long a list has not run, and how often it should."""

    silent: timedelta
    every: timedelta
    is_expected: bool  # the interval was given; else it is the habit of the runs before


def overdue(
    starts: Sequence[datetime],
    now: datetime,
    expected: timedelta | None = None,
    *,
    last_chance: datetime | None = None,
) -> Overdue | None:
    """Whether a list with runs at these moments, the oldest first, should have run again by now.

    `last_chance` is when its input was last read without anything for this list in it.
    """
    if not starts:
        return None
    silent = now - max(starts[-1], last_chance or starts[-1])
    if expected is not None:
        return Overdue(silent, expected, is_expected=True) if silent > expected else None
    usual = habit(starts)
    if usual is None or silent <= usual * PATIENCE:
        return None
    return Overdue(silent, usual, is_expected=False)


def habit(starts: Sequence[datetime]) -> timedelta | None:
    """How often a list usually ran: the median of the latest pauses; None where they are too few, or uneven."""
    latest = starts[-LATEST_RUNS:]
    if len(latest) < RUNS_FOR_A_HABIT:
        return None
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(latest)]
    usual = median(pauses)
    shortest, longest = (usual * factor for factor in REGULAR)
    regular = sum(shortest <= pause <= longest for pause in pauses)
    is_habit = regular >= len(pauses) * REGULAR_SHARE and usual >= SHORTEST_HABIT.total_seconds()
    return timedelta(seconds=usual) if is_habit else None
