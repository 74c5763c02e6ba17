"""HubSpot counts time in milliseconds; records and state write it as UTC text of fixed width."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
SECOND_MS = 1_000
LAST_MOMENT_MS = 253_402_300_799_999  # the end of the year 9999, the last that RFC 3339 can write


def to_text(moment_ms: int) -> str:
    """Write milliseconds as `YYYY-MM-DDTHH:MM:SS.mmmZ`; text sorts as the moments do."""
    seconds, milliseconds = divmod(moment_ms, SECOND_MS)
    return f"{_second(seconds)}.{milliseconds:03d}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S").zfill(19)


def from_text(text: str) -> int:
    """Read a date or a date-time as milliseconds; what names no zone is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text.strip())
    moment_ms = from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if moment_ms > LAST_MOMENT_MS:
        raise ValueError("after the year 9999")
    return moment_ms


def from_datetime(moment: datetime) -> int:
    """Milliseconds of an aware date-time, what is finer cut off."""
    return (moment - EPOCH) // MILLISECOND
