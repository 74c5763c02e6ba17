"""Makes every thread wait for its turn in one budget; waiting ends at once when the run is told to stop."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hubspot_singer.http.clocks import SLICE_SECONDS
from hubspot_singer.http.limits import RateLimit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hubspot_singer.http.clocks import Clock, Stop
    from hubspot_singer.http.limits import Budget, Limits, Sent


class Turn:
    """One request's permission; whoever has it says what the answer's headers were."""

    def __init__(self) -> None:
        self.headers: Mapping[str, str] = {}


class Pace:
    """One budget for all threads."""

    def __init__(self, budget: Budget, clock: Clock, stop: Stop) -> None:
        self._budget = budget
        self._clock = clock
        self._stop = stop
        self._changed = threading.Condition()
        self.calls = 0

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Wait until a request may be sent, and count it until the body has its answer."""
        sent = self._begin()
        turn = Turn()
        try:
            yield turn
        finally:
            self._end(sent, RateLimit.from_headers(turn.headers))

    def pause(self, seconds: float) -> None:
        """Let no thread send anything for so long."""
        with self._changed:
            self._budget.pause(self._clock.monotonic() + seconds)

    def limits(self) -> Limits:
        """Return how things stand."""
        with self._changed:
            return self._budget.limits(self._clock.monotonic())

    def _begin(self) -> Sent:
        while True:
            self._stop.check()
            with self._changed:
                now = self._clock.monotonic()
                wait = self._budget.wait(now)
                if wait == 0:
                    self.calls += 1
                    return self._budget.send(now)
                if wait is None:
                    self._changed.wait(SLICE_SECONDS)
            if wait is not None:
                self._clock.sleep(min(wait, SLICE_SECONDS))

    def _end(self, sent: Sent, told: RateLimit | None) -> None:
        with self._changed:
            self._budget.answer(sent, self._clock.monotonic(), told)
            self._changed.notify_all()
