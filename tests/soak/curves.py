"""Figures of runs one after another, and whether they grow: the last quarter against the middle one."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True)
class Bound:
    """How much larger than in the middle a figure may be at the end: times so much, and so much more."""

    figure: str
    times: float = 1.0
    more: float = 0.0
    # A ledger keeps some things for 90 days: their number is flat in a time that is much longer.
    is_of_retention: bool = False

    def most(self, middle: float) -> float:
        """Return the most that the end may be."""
        return middle * self.times + self.more


BOUNDS = (
    Bound("open files"),
    Bound("threads"),
    Bound("live objects", times=1.01),
    Bound("memory, MB", times=1.05),
    Bound("calls of the target", times=1.1, more=2),
    Bound("calls of the tap", times=1.1, more=2),
    Bound("records of the tap", times=1.25, more=2),
    Bound("STATE of the tap, bytes", times=1.25),
    Bound("ledger rows, without lines of runs", times=1.15, more=2),
    Bound("ledger lines of runs", times=1.25, more=10, is_of_retention=True),
    Bound("ledger bytes", times=1.1, is_of_retention=True),
)


@dataclass(frozen=True)
class Curve:
    """The figures of one kind, one of each run."""

    bound: Bound
    figures: Sequence[float]

    @property
    def middle(self) -> float:
        """The median of the quarter of the runs around the middle one."""
        count = len(self.figures)
        return median(self.figures[count * 3 // 8 : count * 5 // 8])

    @property
    def end(self) -> float:
        """The median of the last quarter of the runs."""
        return median(self.figures[len(self.figures) * 3 // 4 :])

    @property
    def is_flat(self) -> bool:
        """Whether the end is within the bound."""
        return self.end <= self.bound.most(self.middle)

    def __str__(self) -> str:
        most = self.bound.most(self.middle)
        return f"{self.bound.figure}: {self.middle:,.6g} in the middle, {self.end:,.6g} at the end, at most {most:,.6g}"


def curves(samples: Sequence[Mapping[str, float]], *, past_retention: bool) -> Iterator[Curve]:
    """Yield a curve for each bound that there are figures for."""
    for bound in BOUNDS:
        figures = [each[bound.figure] for each in samples if bound.figure in each]
        if figures and (past_retention or not bound.is_of_retention):
            yield Curve(bound, figures)
