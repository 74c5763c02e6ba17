"""Decides when the next request may be sent without a 429. Nothing here waits or reads a clock.

HubSpot counts the requests of the last ten seconds, this client's and those of others with the same token, and
says with most answers how many are left. It counts a request at some moment between the client's sending it and
the client's receiving the answer. So a request is taken to count from when it is sent until one interval after
its answer: after that HubSpot cannot count it, whatever the latency was.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

# HubSpot's smallest limit, assumed until an answer reports the portal's:
# https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
ASSUMED_REQUESTS = 100
ASSUMED_INTERVAL_SECONDS = 10.0
# The figures below are chosen by simulation (tests/hubspot_singer/http/test_limits.py).
RESERVE_SHARE = 0.03  # share of the limit that is left unused, so that another client is noticed before a 429
BURST_SHARE = 0.5  # share of the limit that may be sent at once, so that a short run is not slowed down
SPREAD = (
    0.8  # later requests keep this share of an even distance, so that the client catches up after a pause
)
NEWEST_SHARE = (
    0.3  # weight of the newest answer in the estimate of what others use; earlier ones have the rest
)


@dataclass(frozen=True)
class RateLimit:
    """The rate limit as the headers of one answer report it."""

    requests: int  # allowed per interval
    interval: float  # seconds
    remaining: int  # requests left in the current interval
    daily: int | None = None
    daily_remaining: int | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Self | None:
        """Parse the headers; return None where they are absent, as with the search and the token endpoint."""
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


@dataclass(frozen=True)
class Limits:
    """A snapshot of the rate limit, for a progress line or a connection check."""

    requests: int  # that this client may have in the interval
    interval: float  # seconds
    used: int  # requests of this client that count now
    remaining: int | None = None  # of the portal's limit, as the last answer said; None before the first
    daily: int | None = None
    daily_remaining: int | None = None

    @property
    def share_used(self) -> float:
        """Return the used share of this client's limit, from 0 to 1."""
        return min(1.0, self.used / self.requests)


@dataclass(frozen=True)
class SentRequest:
    """A request in flight."""

    own_requests: int  # requests of this client within the interval when it was sent, itself included


class RequestBudget:
    """How many requests may be sent, and when. All times are seconds of one monotonic clock."""

    def __init__(self, *, cap: int | None, concurrency: int) -> None:
        self._cap = cap  # per 10 seconds
        self._concurrency = concurrency
        self._reported: RateLimit | None = None
        self._used_by_others: float | None = None  # requests of other clients in the interval, estimated
        self._in_flight = 0
        self._answered_at: deque[float] = deque()
        self._sent_at: deque[float] = deque()
        self._next_at = 0.0
        self._paused_until = 0.0

    def seconds_to_wait(self, now: float) -> float | None:
        """Return the seconds until a request may be sent, or None if that depends on an answer in flight."""
        self._forget(now)
        if now < self._paused_until:
            return self._paused_until - now
        if self._in_flight >= self._concurrency:
            return None
        used, allowed = self._used, self._allowed
        if used >= allowed:
            return self._answered_at[0] + self._interval - now if self._answered_at else None
        if used >= BURST_SHARE * allowed:
            return max(0.0, self._next_at - now)
        return 0.0

    def note_sent(self, now: float) -> SentRequest:
        """Count a request that is sent now."""
        self._forget(now)
        self._in_flight += 1
        self._sent_at.append(now)
        self._next_at = now + SPREAD * self._interval / self._allowed
        return SentRequest(own_requests=len(self._sent_at))

    def note_answer(self, sent: SentRequest, now: float, reported: RateLimit | None) -> None:
        """Count a request as answered, or as failed; `reported` is the limit in the answer's headers."""
        self._in_flight -= 1
        self._answered_at.append(now)
        if reported is None:
            return
        self._reported = reported
        # Requests arrive in about the order they were sent in. What HubSpot counts beyond ours is others'.
        others = reported.requests - reported.remaining - sent.own_requests
        before = others if self._used_by_others is None else self._used_by_others
        self._used_by_others = before + NEWEST_SHARE * (others - before)

    def pause(self, until: float) -> None:
        """Allow no request before this time."""
        self._paused_until = max(self._paused_until, until)

    def limits(self, now: float) -> Limits:
        """Return a snapshot of the rate limit."""
        self._forget(now)
        allowed, interval, used = self._allowed, self._interval, self._used
        if self._reported is None:
            return Limits(allowed, interval, used)
        reported = self._reported
        return Limits(allowed, interval, used, reported.remaining, reported.daily, reported.daily_remaining)

    @property
    def _used(self) -> int:
        return self._in_flight + len(self._answered_at)

    @property
    def _interval(self) -> float:
        return self._reported.interval if self._reported else ASSUMED_INTERVAL_SECONDS

    @property
    def _allowed(self) -> int:
        """How many requests of this client may count at once. At least one: its answer reports the limit."""
        requests = self._reported.requests if self._reported else ASSUMED_REQUESTS
        others = max(0.0, self._used_by_others or 0.0)
        # Requests sent at random vary by about the square root of their mean.
        allowed = requests - others - max(int(requests * RESERVE_SHARE), sqrt(others))
        if self._cap is not None:
            allowed = min(allowed, self._cap * self._interval / ASSUMED_INTERVAL_SECONDS)
        return max(1, int(allowed))

    def _forget(self, now: float) -> None:
        """Drop the requests that HubSpot cannot count any more."""
        for times in (self._answered_at, self._sent_at):
            while times and times[0] + self._interval <= now:
                times.popleft()


def _count(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() else None
