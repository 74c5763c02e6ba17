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
SHORTEST_HABIT = timedelta(minutes=10)  # runs by hand, one after another, are no schedule


class Overdue(NamedTuple):
    """For how long a list has not run, and how often it should."""

    silent: timedelta
    every: timedelta
    is_expected: bool  # the interval was given; else it is the habit of the runs before


def overdue(starts: Sequence[datetime], now: datetime, expected: timedelta | None) -> Overdue | None:
    """Whether a list with runs at these moments, the oldest first, should have run again by now."""
    if not starts:
        return None
    silent = now - starts[-1]
    if expected is not None:
        return Overdue(silent, expected, is_expected=True) if silent > expected else None
    usual = habit(starts)
    if usual is None or silent <= usual * PATIENCE:
        return None
    return Overdue(silent, usual, is_expected=False)


def habit(starts: Sequence[datetime]) -> timedelta | None:
    """How often a list usually ran: the median of the latest pauses; None where it is too early to tell."""
    latest = starts[-LATEST_RUNS:]
    if len(latest) < RUNS_FOR_A_HABIT:
        return None
    pauses = [later - earlier for earlier, later in pairwise(latest)]
    usual = timedelta(seconds=median(pause.total_seconds() for pause in pauses))
    return usual if usual >= SHORTEST_HABIT else None
