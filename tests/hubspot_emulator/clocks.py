"""Time as the emulator tells it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from threading import Lock


class StoppedClock:
    """Stands still until told to move; called, it gives epoch seconds."""

    def __init__(self, now: float) -> None:
        self._now = now
        self._lock = Lock()

    def __call__(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds


@lru_cache(maxsize=4096)  # most times in an answer are the same few
def to_text(epoch_ms: int) -> str:
    """Give a time as HubSpot writes it: RFC 3339, UTC, milliseconds."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
