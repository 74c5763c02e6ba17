"""A clock, and a sleep that checks for a stop request every 0.2 s."""

from __future__ import annotations

import time
from typing import Protocol

from hubspot_singer.http.errors import Stopped

STOP_CHECK_SECONDS = 0.2  # the longest wait between two checks for a stop request


class Clock(Protocol):
    """A source of time; tests pass one that does not wait."""

    def monotonic(self) -> float:
        """Return seconds that never decrease; only differences have a meaning."""

    def time(self) -> float:
        """Return seconds since 1970-01-01 UTC."""

    def sleep(self, seconds: float) -> None:
        """Block this thread for so many seconds."""


class SystemClock:
    """The machine's clock."""

    def monotonic(self) -> float:
        """Return seconds that never decrease; only differences have a meaning."""
        return time.monotonic()

    def time(self) -> float:
        """Return seconds since 1970-01-01 UTC."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Block this thread for so many seconds."""
        time.sleep(seconds)


class Stop:
    """A stop request: one plain attribute, so that a signal handler may set it."""

    def __init__(self) -> None:
        self.requested = False

    def check(self) -> None:
        """Raise `Stopped` once a stop was requested."""
        if self.requested:
            raise Stopped


def sleep(seconds: float, clock: Clock, stop: Stop) -> None:
    """Wait so many seconds, or raise `Stopped` within 0.2 s of a stop request."""
    until = clock.monotonic() + seconds
    stop.check()
    while (left := until - clock.monotonic()) > 0:
        clock.sleep(min(left, STOP_CHECK_SECONDS))
        stop.check()
