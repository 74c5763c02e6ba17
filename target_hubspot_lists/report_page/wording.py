"""Formats numbers, shares, times and durations for the page."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

    from target_hubspot_lists.report_page.lines import RunLine

UNKNOWN = "unknown"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONGEST_NAME = 200
# https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
_REMOVED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def number(value: int) -> str:
    """Return `1,234`."""
    return f"{value:,}"


def ratio(part: int, whole: int) -> float | str:
    """Return a share from 0 to 1 for sorting; "" of nothing."""
    return round(part / whole, 6) if whole else ""


def share(part: int, whole: int) -> str:
    """Return `66.7 %`; 100 % and 0 % only where that is exact."""
    return percent(part / whole) if whole else "-"


def percent(value: float | None) -> str:
    """Return `66.7 %`; a dash for None."""
    if value is None:
        return "-"
    rounded = round(value * 100, 1)
    if rounded in {0.0, 100.0} and value not in {0, 1}:
        return "below 0.1 %" if value < 1 / 2 else "above 99.9 %"
    return f"{rounded:g} %"


def day(moment: date | None) -> str:
    """Return `22 Nov 2026`."""
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}" if moment else UNKNOWN


def at(moment: datetime | None) -> str:
    """Return `22 Nov 2026, 03:15 UTC`."""
    return f"{day(moment)}, {moment:%H:%M} UTC" if moment else UNKNOWN


def at_briefly(moment: datetime | None) -> str:
    """Return the same without the zone, for a table whose heading has it."""
    return at(moment).removesuffix(" UTC")


def seconds(moment: datetime | None) -> int | str:
    """Return seconds since 1970, for sorting."""
    return int(moment.timestamp()) if moment else ""


def span(value: timedelta) -> str:
    """Return `3 days`, `2 hours`, `40 minutes` or `30 seconds`, rounded."""
    total = value.total_seconds()
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if total >= 2 * length or (total >= length and total % length == 0):
            count = round(total / length)
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    count = max(round(total), 1)
    return f"{count} second" if count == 1 else f"{count} seconds"


def every(value: timedelta) -> str:
    """Return `every day` or `every 6 hours`."""
    return f"every {span(value).removeprefix('1 ')}"


def took(run: RunLine) -> str:
    """Return how long a run took."""
    if run.seconds is not None:
        return span(timedelta(seconds=run.seconds))
    return span(run.time - run.started) if run.time and run.started else UNKNOWN


def one_line(text: str, longest: int = _LONGEST_NAME) -> str:
    """Return text of a record on one line, cut to `longest` characters.

    Control characters are removed, and those that change the direction of text; joiners within words stay.
    """
    line = " ".join(_REMOVED.sub(" ", text).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
