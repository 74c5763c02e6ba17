"""What the documents show of benchmarks/results.json: its tables and the chart of the growth curves."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.chart import chart
from benchmarks.rows import COMPARED, POINTS, ROWS, Compared, Point, Row, point_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RESULTS = Path(__file__).with_name("results.json")
TAKEN = ("part", "date", "commit", "machine", "Python", "load")


def _results() -> dict[str, dict[str, Any]]:
    results: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text("utf-8"))
    return results


def _rows_of(part: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = _results().get(part, {}).get("rows", [])
    return rows


def rows() -> tuple[Sequence[str], Iterable[Sequence[str]]]:
    """Return the heading and the rows of figures beside their floors."""
    found = [each for part in _results().values() for each in part["rows"] if "floor" in each]
    fields = ("what", "measured", "unit", "floor", "floor_is")
    return ROWS, [Row(**{name: each[name] for name in fields}).cells() for each in found]


def others() -> tuple[Sequence[str], Iterable[Sequence[str]]]:
    """Return the heading and the rows of programs side by side."""
    return COMPARED, [Compared(**each).cells() for each in _rows_of("others")]


def growth() -> tuple[Sequence[str], Iterable[Sequence[str]]]:
    """Return the heading and the rows of the growth curves."""
    return POINTS, list(point_rows(_points()))


def taken() -> tuple[Sequence[str], Iterable[Sequence[str]]]:
    """Return where, when and of what each part was measured."""
    keys = ("date", "commit", "machine", "python", "load")
    return TAKEN, [(part, *(str(each[key]) for key in keys)) for part, each in _results().items()]


def drawing() -> str:
    """Return the chart of the growth curves as SVG."""
    curves: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for each in _points():
        curves[each.curve].append((each.records, each.user_seconds))
    return chart(curves, "User CPU seconds of a run over its records, both axes by powers of ten")


def _points() -> list[Point]:
    return [Point(**each) for each in _rows_of("growth")]
