"""What the benchmarks print and write: rows with their floors, points of curves, the machine and the commit."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FROM_HERE_WHOLE = 100  # smaller figures have three digits
CHECKOUT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Row:
    """One figure beside the least that is possible, or the most that is allowed."""

    what: str
    measured: float
    unit: str
    floor: float | None = None
    floor_is: str = ""

    @property
    def ratio(self) -> float | None:
        """The figure divided by its floor."""
        return None if not self.floor else self.measured / self.floor

    def as_json(self) -> dict[str, Any]:
        """Return the row as a JSON object."""
        return {**asdict(self), "ratio": self.ratio}

    def cells(self) -> tuple[str, ...]:
        """Return the row as text."""
        floor = "" if self.floor is None else f"{figure(self.floor)} {self.unit}: {self.floor_is}"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return (self.what, f"{figure(self.measured)} {self.unit}", floor, ratio)


@dataclass(frozen=True)
class Compared:
    """One program on one input: what it did, and what it cost."""

    input: str
    program: str
    calls: int | None
    lost: int | None
    doubled: int | None
    user_seconds: float
    seconds: float
    peak_mb: float
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return the row as text."""
        counts = ("" if each is None else f"{each:,}" for each in (self.calls, self.lost, self.doubled))
        figures = (f"{self.user_seconds:.1f}", f"{self.seconds:.0f}", f"{self.peak_mb:.0f}")
        return (self.input, self.program, *counts, *figures, self.note)


@dataclass(frozen=True)
class Point:
    """What so many records cost; the curve's name says which."""

    curve: str
    records: int
    user_seconds: float
    peak_mb: float

    def cells(self, smaller: Point | None = None) -> tuple[str, ...]:
        """Return the point as text; beside the next smaller point of its curve, what each further record costs."""
        micro = ""
        if smaller is not None:
            further = self.user_seconds - smaller.user_seconds
            micro = f"{further / (self.records - smaller.records) * 1e6:.1f}"
        return (self.curve, f"{self.records:,}", f"{self.user_seconds:.1f}", micro, f"{self.peak_mb:.0f}")


def point_rows(points: Iterable[Point]) -> Iterator[tuple[str, ...]]:
    """Yield the points of curves as text, each beside the one before it."""
    smaller: Point | None = None
    for point in points:
        yield point.cells(smaller if smaller and smaller.curve == point.curve else None)
        smaller = point


ROWS = ("what", "measured", "floor, or limit", "ratio")
COMPARED = ("input", "program", "calls", "lost", "doubled", "user CPU s", "s", "peak MB", "note")
POINTS = ("curve", "records", "user CPU s", "µs for each further record", "peak MB")


def figure(value: float) -> str:
    """Return a figure with as many digits as say something."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= FROM_HERE_WHOLE else f"{value:.3g}"


def as_text(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows under a heading, in columns."""
    lines = [heading, *rows]
    widths = [max(len(line[number]) for line in lines) for number in range(len(heading))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def circumstances() -> dict[str, Any]:
    """Return where and of what the figures were taken."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _git("rev-parse", "--short=10", "HEAD")
        + ("+" if _git("status", "--porcelain", "-uno") else ""),
        "machine": f"{os.cpu_count()} cores, {_processor()}, {platform.system()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),  # of the minute before: other work makes seconds longer
    }


def _git(*arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False)  # noqa: S607
    return ran.stdout.strip()


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
