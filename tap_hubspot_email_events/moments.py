"""Conversion between HubSpot's epoch milliseconds and the UTC text that records and state hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
LAST_MOMENT_MS = 253_402_300_799_999  # the end of the year 9999, the last moment that RFC 3339 can express


def to_text(moment_ms: int) -> str:
    """Format epoch milliseconds as `YYYY-MM-DDTHH:MM:SS.mmmZ`; the texts sort as the moments do."""
    hours, remaining = divmod(moment_ms, HOUR_MS)
    minutes, remaining = divmod(remaining, MINUTE_MS)
    seconds, milliseconds = divmod(remaining, SECOND_MS)
    return f"{_hour(hours)}:{minutes:02d}:{seconds:02d}.{milliseconds:03d}Z"


@lru_cache(maxsize=4096)  # most records of a run share few hours
def _hour(hours: int) -> str:
    return (EPOCH + timedelta(hours=hours)).strftime("%Y-%m-%dT%H").zfill(13)


def from_text(text: str) -> int:
    """Parse an ISO 8601 date or date-time (UTC if no zone is given) as epoch milliseconds; raises ValueError."""
    moment = datetime.fromisoformat(text.strip())
    moment_ms = from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if moment_ms > LAST_MOMENT_MS:
        raise ValueError("after the year 9999")
    return moment_ms


def from_datetime(moment: datetime) -> int:
    """Return the epoch milliseconds of an aware date-time, finer digits cut off."""
    return (moment - EPOCH) // MILLISECOND
