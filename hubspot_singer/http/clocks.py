"""Tells the time and waits, in slices so short that a run told to stop does not linger."""

from __future__ import annotations

import time
from typing import Protocol

from hubspot_singer.http.errors import Stopped

SLICE_SECONDS = 0.2  # the longest that anybody waits without looking whether to stop


class Clock(Protocol):
    """The time as this package sees it; a test passes one that does not wait."""

    def monotonic(self) -> float:
        """Return seconds that only ever grow."""

    def time(self) -> float:
        """Return seconds since 1970."""

    def sleep(self, seconds: float) -> None:
        """Return so many seconds later."""


class SystemClock:
    """The machine's clock."""

    def monotonic(self) -> float:
        """Return seconds that only ever grow."""
        return time.monotonic()

    def time(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Return so many seconds later."""
        time.sleep(seconds)


class Stop:
    """Whether the run was told to stop: one plain attribute, so that a signal handler may set it."""

    def __init__(self) -> None:
        self.requested = False

    def check(self) -> None:
        """Raise `Stopped` once the run was told to stop."""
        if self.requested:
            raise Stopped


def sleep(seconds: float, clock: Clock, stop: Stop) -> None:
    """Wait so long, or raise `Stopped` within a slice of being told to stop."""
    until = clock.monotonic() + seconds
    stop.check()
    while (left := until - clock.monotonic()) > 0:
        clock.sleep(min(left, SLICE_SECONDS))
        stop.check()
