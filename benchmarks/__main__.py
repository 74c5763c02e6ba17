"""`make bench`: all figures in one table, each beside its floor, and beside what a user would pick instead.

    python -m benchmarks                                     all parts, for about half an hour
    python -m benchmarks target tap --runs 1                 some parts, one run each
    python -m benchmarks --json benchmarks/results.json      write the figures as JSON, too

Of parts that are not run the file keeps the figures that it has, with where they were taken. The documents' page
docs/explanation/speed.md and its chart are made of this file, by `make definitions`.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import floors, growth, others
from benchmarks.rows import COMPARED, POINTS, ROWS, as_text, circumstances, point_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from benchmarks.rows import Row

FLOORS: dict[str, Callable[[int], Iterator[Row]]] = {
    "start": floors.start_rows,
    "target": floors.target_rows,
    "tap": floors.tap_rows,
    "pace": floors.pace_rows,
}
PARTS = (*FLOORS, "others", "growth")


def main() -> int:
    """Measure the parts that the command line names, print them, and write them."""
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--runs", type=int, default=3, help="of what is measured in CPU seconds")
    parser.add_argument("--most", type=int, default=growth.SIZES[-1], help="records of the growth curves")
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    if strange := set(asked.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(strange))}")
    results: dict[str, Any] = {}
    for part in asked.parts or PARTS:
        where = circumstances()
        print(f"\n{part}: commit {where['commit']}, {where['machine']}, Python {where['python']}", flush=True)
        results[part] = {**where, "rows": _measured(part, asked)}
        if asked.json:  # at once: what was measured is kept if a later part fails
            _write(asked.json, results)
    return 0


def _measured(part: str, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure one part and print its table."""
    if part == "growth":
        points = list(_told(growth.points(asked.most)))
        print(as_text(POINTS, point_rows(points)), flush=True)
        return [asdict(each) for each in points]
    if part == "others":
        programs = list(_told(others.compared()))
        print(as_text(COMPARED, (each.cells() for each in programs)), flush=True)
        return [asdict(each) for each in programs]
    rows = list(_told(FLOORS[part](asked.runs)))
    print(as_text(ROWS, (each.cells() for each in rows)), flush=True)
    return [each.as_json() for each in rows]


def _told(measured: Iterable[Any]) -> Iterator[Any]:
    """Yield what is measured, and say on standard error that there is more to wait for."""
    for each in measured:
        print(".", end="", file=sys.stderr, flush=True)
        yield each
    print(file=sys.stderr)


def _write(path: Path, results: dict[str, Any]) -> None:
    known = json.loads(path.read_text()) if path.exists() else {}
    known |= results
    path.write_text(json.dumps({part: known[part] for part in PARTS if part in known}, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
