"""Works out when the next request may be sent so that HubSpot need not refuse one. Nothing here waits.

HubSpot counts the requests of the last ten seconds, ours and those of others with the same token, and tells
with most answers how many are left. It counts a request at some moment between our sending it and our having
its answer. So a request is taken to count from when it is sent until an interval after its answer: then it
cannot count any more, whatever its latency was.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

# The smallest limit HubSpot has, until an answer tells:
# https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
ASSUMED_REQUESTS = 100
ASSUMED_INTERVAL_SECONDS = 10.0
# The figures below are chosen by simulation (tests/hubspot_singer/http/test_limits.py).
RESERVE_SHARE = 0.03  # of the limit is left free, so that others who begin are noticed before a 429
BURST_SHARE = 0.5  # of the limit may go at once: a short run need not be slow
SPREAD = 0.8  # what follows keeps this share of the even distance; the rest lets it catch up after a pause
NEWEST_SHARE = 0.3  # how much the newest answer says about what others use; the older ones say the rest


@dataclass(frozen=True)
class RateLimit:
    """What an answer's headers say of the limit."""

    requests: int
    interval: float  # seconds
    remaining: int
    daily: int | None = None
    daily_remaining: int | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Self | None:
        """Read the headers; answers of the search and of the token endpoint have none."""
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
    """How the portal's limit stands, for a progress line."""

    requests: int  # so many of ours are allowed per interval
    interval: float  # seconds
    used: int  # so many of ours count now
    remaining: int | None = None  # of the portal's, as HubSpot said last
    daily: int | None = None
    daily_remaining: int | None = None

    @property
    def share_used(self) -> float:
        """How much of what is allowed we use, from 0 to 1."""
        return min(1.0, self.used / self.requests)


@dataclass(frozen=True)
class Sent:
    """A request under way."""

    ours: int  # so many of ours, itself included, had been sent within the interval then


class Budget:
    """How many requests may be sent, and when."""

    def __init__(self, *, cap: int | None, concurrency: int) -> None:
        self._cap = cap
        self._concurrency = concurrency
        self._told: RateLimit | None = None
        self._others: float | None = None  # how many requests others have in the interval
        self._under_way = 0
        self._answered_at: deque[float] = deque()
        self._sent_at: deque[float] = deque()
        self._next_at = 0.0
        self._paused_until = 0.0

    def wait(self, now: float) -> float | None:
        """Return the seconds until a request may be sent, or None if that depends on an answer under way."""
        self._forget(now)
        if now < self._paused_until:
            return self._paused_until - now
        if self._under_way >= self._concurrency:
            return None
        used, allowed = self._used, self._allowed
        if used >= allowed:
            return self._answered_at[0] + self._interval - now if self._answered_at else None
        if used >= BURST_SHARE * allowed:
            return max(0.0, self._next_at - now)
        return 0.0

    def send(self, now: float) -> Sent:
        """Note that a request is sent."""
        self._forget(now)
        self._under_way += 1
        self._sent_at.append(now)
        self._next_at = now + SPREAD * self._interval / self._allowed
        return Sent(ours=len(self._sent_at))

    def answer(self, sent: Sent, now: float, told: RateLimit | None) -> None:
        """Note that its answer came, or that none will."""
        self._under_way -= 1
        self._answered_at.append(now)
        if told is None:
            return
        self._told = told
        # Requests arrive in about the order they were sent in. What HubSpot counts beyond ours is others'.
        others = told.requests - told.remaining - sent.ours
        before = others if self._others is None else self._others
        self._others = before + NEWEST_SHARE * (others - before)

    def pause(self, until: float) -> None:
        """Let nothing be sent until then."""
        self._paused_until = max(self._paused_until, until)

    def limits(self, now: float) -> Limits:
        """Return how things stand."""
        self._forget(now)
        allowed, interval, used = self._allowed, self._interval, self._used
        if self._told is None:
            return Limits(allowed, interval, used)
        told = self._told
        return Limits(allowed, interval, used, told.remaining, told.daily, told.daily_remaining)

    @property
    def _used(self) -> int:
        return self._under_way + len(self._answered_at)

    @property
    def _interval(self) -> float:
        return self._told.interval if self._told else ASSUMED_INTERVAL_SECONDS

    @property
    def _allowed(self) -> int:
        """How many of our requests may count at once; one always may, or nothing would ever be learnt."""
        requests = self._told.requests if self._told else ASSUMED_REQUESTS
        others = max(0.0, self._others or 0.0)
        # Who sends at random varies by about the root of the mean.
        allowed = requests - others - max(int(requests * RESERVE_SHARE), sqrt(others))
        if self._cap is not None:
            allowed = min(allowed, self._cap * self._interval / ASSUMED_INTERVAL_SECONDS)
        return max(1, int(allowed))

    def _forget(self, now: float) -> None:
        """Drop what HubSpot cannot count any more."""
        for times in (self._answered_at, self._sent_at):
            while times and times[0] + self._interval <= now:
                times.popleft()


def _count(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() else None
