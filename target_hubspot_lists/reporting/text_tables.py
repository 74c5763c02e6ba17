"""Tables as text: columns aligned for a terminal, and CSV that a spreadsheet opens without computing anything."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# With it Excel reads UTF-8 as UTF-8; other readers skip it.
BYTE_ORDER_MARK = "\ufeff"

# The first characters that make a spreadsheet compute a field, also the full-width ones of East Asian
# keyboards: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = frozenset("=+-@＝＋－＠")  # noqa: RUF001 - those are meant


def aligned(columns: Sequence[Sequence[str]], *, text_columns: int = 1) -> Iterator[str]:
    """Yield a line for each row; the first `text_columns` columns are flush left, the others flush right.

    Each column has its heading first, and all have the same length.
    """
    widths = [max(map(len, column)) for column in columns]
    for row in zip(*columns, strict=True):
        cells = (
            cell.ljust(width) if number < text_columns else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def csv_heading(columns: Iterable[str]) -> bytes:
    """Return the first line of a CSV file, after a byte-order mark."""
    return (BYTE_ORDER_MARK + csv_line(columns)).encode()


def csv_line(values: Iterable[object]) -> str:
    """Return a line of CSV (RFC 4180) with its line end; None is an empty field, a bool is true or false."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([_field(value) for value in values])
    return line.getvalue()


def _field(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return f"'{text}" if is_formula(text) else text


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet could compute the field, also where blanks or invisible characters come first."""
    if text[:1].isalnum():
        return False
    visible = (character for character in text if character.isprintable() and not character.isspace())
    return next(visible, "") in FORMULA_STARTS
