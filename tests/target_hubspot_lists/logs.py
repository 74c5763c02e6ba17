"""Reads the summary out of a run's log."""

from __future__ import annotations

from collections import defaultdict


def row(log: str, name: str) -> dict[str, str]:
    """The summary's row of a list, by heading; a column that was left out is 0 throughout."""
    lines = [line.removeprefix("INFO ") for line in log.splitlines()]
    headings = next(line for line in lines if line.startswith("list "))
    cells = next(line for line in lines if line.startswith(f"{name} "))
    return defaultdict(lambda: "0", zip(_cells(headings), _cells(cells), strict=True))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("  ") if cell.strip()]
