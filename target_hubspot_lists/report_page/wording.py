"""Puts numbers, shares, moments and spans into words for the page."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

    from target_hubspot_lists.report_page.lines import RunLine

NOT_TOLD = "not told"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONGEST_NAME = 200
# https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def number(value: int) -> str:
    """`1,234`."""
    return f"{value:,}"


def ratio(part: int, whole: int) -> float | str:
    """A share from 0 to 1; empty where there is nothing to take it of."""
    return round(part / whole, 6) if whole else ""


def share(part: int, whole: int) -> str:
    """`66.7 %`; never 100 % while some are missing, and never 0 % while there are some."""
    return percent(part / whole) if whole else "-"


def percent(value: float | None) -> str:
    """`66.7 %`; a dash where there is none."""
    if value is None:
        return "-"
    rounded = round(value * 100, 1)
    if rounded in {0.0, 100.0} and value not in {0, 1}:
        return "below 0.1 %" if value < 1 / 2 else "above 99.9 %"
    return f"{rounded:g} %"


def day(moment: date | None) -> str:
    """`22 Nov 2026`."""
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}" if moment else NOT_TOLD


def at(moment: datetime | None) -> str:
    """`22 Nov 2026, 03:15 UTC`."""
    return f"{day(moment)}, {moment:%H:%M} UTC" if moment else NOT_TOLD


def at_briefly(moment: datetime | None) -> str:
    """The same for a table whose heading says that it is UTC."""
    return at(moment).removesuffix(" UTC")


def seconds(moment: datetime | None) -> int | str:
    """Seconds since 1970, for sorting."""
    return int(moment.timestamp()) if moment else ""


def span(value: timedelta) -> str:
    """`3 days`, `2 hours`, `40 minutes`, `30 seconds`: two figures are enough."""
    total = value.total_seconds()
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if total >= 2 * length or (total >= length and total % length == 0):
            count = round(total / length)
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    count = max(round(total), 1)
    return f"{count} second" if count == 1 else f"{count} seconds"


def every(value: timedelta) -> str:
    """`every day`, `every 6 hours`."""
    return f"every {span(value).removeprefix('1 ')}"


def took(run: RunLine) -> str:
    """How long a run took."""
    if run.seconds is not None:
        return span(timedelta(seconds=run.seconds))
    return span(run.time - run.started) if run.time and run.started else NOT_TOLD


def one_line(text: str, longest: int = _LONGEST_NAME) -> str:
    """Text of a record on one line, without what is not to be seen, and not longer than that.

    Control characters go, and those that turn the direction of what follows them; joiners within words stay.
    """
    line = " ".join(_UNSEEN.sub(" ", text).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
