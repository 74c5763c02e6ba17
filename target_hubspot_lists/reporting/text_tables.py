"""Lay out a table as lines of text, its columns aligned."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def aligned(columns: Sequence[Sequence[str]], *, text_columns: int = 1) -> Iterator[str]:
    """Yield a line for each row; the first columns, of text, are flush left, those of numbers flush right.

    Each column has its heading first, and all are of the same length.
    """
    widths = [max(map(len, column)) for column in columns]
    for row in zip(*columns, strict=True):
        cells = (
            cell.ljust(width) if number < text_columns else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
