"""A clock that does not wait: sleeping moves it on."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

START = 1_774_000_000.0  # 2026-03-20T09:46:40Z


class FakeClock:
    """Time that passes only while somebody sleeps; any thread may."""

    def __init__(self, *, now: float = START) -> None:
        self._lock = threading.Lock()
        self._start = now
        self._alarms: list[tuple[float, Callable[[], None]]] = []
        self.elapsed = 0.0
        self.longest_sleep = 0.0

    def monotonic(self) -> float:
        return self.elapsed

    def time(self) -> float:
        return self._start + self.elapsed

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.elapsed += seconds
            self.longest_sleep = max(self.longest_sleep, seconds)
            due = [alarm for alarm in self._alarms if alarm[0] <= self.elapsed]
            self._alarms = [alarm for alarm in self._alarms if alarm[0] > self.elapsed]
        for _, action in due:
            action()

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do this once so many seconds have passed."""
        self._alarms.append((self.elapsed + seconds, action))


class HurriedClock:
    """The machine's clock, but a sleep takes a hundredth of its time: for a process of its own."""

    def __init__(self, *, now: float | None = None) -> None:
        """Begin at this time, in epoch seconds, or at the machine's."""
        self._saved = 0.0
        self._ahead = 0.0 if now is None else now - time.time()

    def monotonic(self) -> float:
        return time.monotonic() + self._saved

    def time(self) -> float:
        return time.time() + self._ahead

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 100)
        self._saved += seconds * 99 / 100
