"""Write CSV that a spreadsheet opens as text: no field is a formula, and names in any script are readable."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# With it Excel reads UTF-8 as UTF-8; other readers pass over it.
BYTE_ORDER_MARK = "\ufeff"

# The first characters that make a spreadsheet compute a field, also the full-width ones of East Asian
# keyboards: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = frozenset("=+-@＝＋－＠")  # noqa: RUF001 - those are meant


def csv_heading(columns: Iterable[str]) -> bytes:
    """The first line of a CSV file, with a byte-order mark before it."""
    return (BYTE_ORDER_MARK + csv_line(columns)).encode()


def csv_line(values: Iterable[object]) -> str:
    """One line of CSV (RFC 4180), with its line end; None is an empty field, a bool is true or false."""
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
    """Whether a spreadsheet could take a field for a formula, also behind blanks and invisible characters."""
    if text[:1].isalnum():
        return False
    seen = (each for each in text if each.isprintable() and not each.isspace())
    return next(seen, "") in FORMULA_STARTS
