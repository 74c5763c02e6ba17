"""Makes all threads of a client share one request budget; each waits until its request may be sent."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hubspot_singer.http.clocks import STOP_CHECK_SECONDS
from hubspot_singer.http.limits import RateLimit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hubspot_singer.http.clocks import Clock, Stop
    from hubspot_singer.http.limits import Limits, RequestBudget, SentRequest


class RequestSlot:
    """A slot for one request. Set `headers` to those of the answer, so that the rate limit is updated."""

    def __init__(self) -> None:
        self.headers: Mapping[str, str] = {}


class RateLimiter:
    """One request budget for all threads."""

    def __init__(self, budget: RequestBudget, clock: Clock, stop: Stop) -> None:
        self._budget = budget
        self._clock = clock
        self._stop = stop
        self._changed = threading.Condition()
        self.calls = 0

    @contextmanager
    def slot(self) -> Iterator[RequestSlot]:
        """Wait until a request may be sent; the request counts as in flight until the `with` block ends.

        Raises `Stopped` within 0.2 s of a stop request.
        """
        sent = self._wait_and_send()
        slot = RequestSlot()
        try:
            yield slot
        finally:
            self._note_answer(sent, RateLimit.from_headers(slot.headers))

    def pause(self, seconds: float) -> None:
        """Let no thread send a request for so many seconds."""
        with self._changed:
            self._budget.pause(self._clock.monotonic() + seconds)

    def limits(self) -> Limits:
        """Return a snapshot of the rate limit."""
        with self._changed:
            return self._budget.limits(self._clock.monotonic())

    def _wait_and_send(self) -> SentRequest:
        while True:
            self._stop.check()
            with self._changed:
                now = self._clock.monotonic()
                wait = self._budget.seconds_to_wait(now)
                if wait == 0:
                    self.calls += 1
                    return self._budget.note_sent(now)
                if wait is None:
                    self._changed.wait(STOP_CHECK_SECONDS)
            if wait is not None:
                self._clock.sleep(min(wait, STOP_CHECK_SECONDS))

    def _note_answer(self, sent: SentRequest, reported: RateLimit | None) -> None:
        with self._changed:
            self._budget.note_answer(sent, self._clock.monotonic(), reported)
            self._changed.notify_all()
