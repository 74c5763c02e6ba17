"""Paces requests so that a steady run stays inside the portal's limit, which each answer tells."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from hubspot_http.clocks import SLICE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hubspot_http.clocks import Clock, Stop

# The smallest limit HubSpot gives: https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
ASSUMED_REQUESTS = 100
ASSUMED_INTERVAL_SECONDS = 10.0


@dataclass(frozen=True)
class RateLimit:
    """What HubSpot's headers say of the limit."""

    requests: int
    interval: float  # seconds
    remaining: int
    daily: int | None = None
    daily_remaining: int | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Self | None:
        """Read the headers; search and token answers have none."""
        requests = _count(headers, "X-HubSpot-RateLimit-Max")
        remaining = _count(headers, "X-HubSpot-RateLimit-Remaining")
        interval = _count(headers, "X-HubSpot-RateLimit-Interval-Milliseconds")
        if not requests or not interval or remaining is None:
            return None
        return cls(
            requests=requests,
            interval=interval / 1000,
            remaining=remaining,
            daily=_count(headers, "X-HubSpot-RateLimit-Daily"),
            daily_remaining=_count(headers, "X-HubSpot-RateLimit-Daily-Remaining"),
        )


def _count(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() else None


@dataclass(frozen=True)
class Limits:
    """How the portal's limit stands, for a progress line."""

    requests: int  # so many per interval
    interval: float  # seconds
    remaining: int | None  # as HubSpot said last
    daily: int | None
    daily_remaining: int | None
    used: int  # our own requests that count now

    @property
    def share_used(self) -> float:
        """How much of the limit our own requests take up, from 0 to 1."""
        return min(1.0, self.used / self.requests)


@dataclass(eq=False)
class Sent:
    """A request that HubSpot counts at some moment between its start and its answer."""

    at: float
    answered: float | None = None


class Budget:
    """How many requests may be sent now: pure bookkeeping, told the time by its caller."""

    def __init__(self, *, cap: int | None, concurrency: int) -> None:
        self._cap = cap
        self._concurrency = concurrency
        self._told: RateLimit | None = None
        self._under_way = 0
        self._answered: deque[Sent] = deque()  # those that HubSpot may still count, oldest answer first
        self._paused_until = 0.0

    def wait(self, now: float) -> float | None:
        """Return the seconds until a request may be sent, or None if that depends on an answer under way."""
        self._forget(now)
        if now < self._paused_until:
            return self._paused_until - now
        if self._under_way >= self._concurrency:
            return None
        if self._under_way + len(self._answered) < self._allowed():
            return 0.0
        oldest = self._answered[0].answered if self._answered else None
        return None if oldest is None else oldest + self._interval() - now

    def send(self, now: float) -> Sent:
        """Note that a request starts."""
        self._under_way += 1
        return Sent(now)

    def answer(self, sent: Sent, now: float, told: RateLimit | None) -> None:
        """Note that its answer came, or that none will."""
        self._under_way -= 1
        sent.answered = now
        self._answered.append(sent)
        self._told = told or self._told

    def pause(self, until: float) -> None:
        """Let nothing be sent until then."""
        self._paused_until = max(self._paused_until, until)

    def limits(self, now: float) -> Limits:
        """Return how things stand."""
        self._forget(now)
        told = self._told
        return Limits(
            requests=self._allowed(),
            interval=self._interval(),
            remaining=told.remaining if told else None,
            daily=told.daily if told else None,
            daily_remaining=told.daily_remaining if told else None,
            used=self._under_way + len(self._answered),
        )

    def _forget(self, now: float) -> None:
        while self._answered and (self._answered[0].answered or 0.0) + self._interval() <= now:
            self._answered.popleft()

    def _interval(self) -> float:
        return self._told.interval if self._told else ASSUMED_INTERVAL_SECONDS

    def _allowed(self) -> int:
        requests = self._told.requests if self._told else ASSUMED_REQUESTS
        if self._cap is None:
            return requests
        return max(1, min(requests, int(self._cap * self._interval() / ASSUMED_INTERVAL_SECONDS)))


class Pace:
    """One budget for all threads."""

    def __init__(self, budget: Budget, clock: Clock, stop: Stop) -> None:
        self._budget = budget
        self._clock = clock
        self._stop = stop
        self._changed = threading.Condition()
        self.calls = 0

    @contextmanager
    def turn(self) -> Iterator[list[Mapping[str, str]]]:
        """Wait until a request may be sent; the body sends it and puts the answer's headers into the list."""
        sent = self._begin()
        headers: list[Mapping[str, str]] = []
        try:
            yield headers
        finally:
            self._end(sent, RateLimit.from_headers(headers[0]) if headers else None)

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
                wait = self._budget.wait(self._clock.monotonic())
                if wait == 0:
                    self.calls += 1
                    return self._budget.send(self._clock.monotonic())
                if wait is None:
                    self._changed.wait(SLICE_SECONDS)
            if wait is not None:
                self._clock.sleep(min(wait, SLICE_SECONDS))

    def _end(self, sent: Sent, told: RateLimit | None) -> None:
        with self._changed:
            self._budget.answer(sent, self._clock.monotonic(), told)
            self._changed.notify_all()
