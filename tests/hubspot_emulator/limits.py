"""HubSpot's request budgets: what is left is told in headers, what is over is a 429 that names its policy.

https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from threading import Lock
from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import HubSpotError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hubspot_emulator.credentials import Grant

SEARCHES_PER_SECOND = 5  # https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm
UNLIMITED = 1_000_000  # a budget that no test spends within ten seconds
DAILY_LIMIT = 1_000_000  # Enterprise
SECONDS_PER_DAY = 86_400


class Rolling:
    """At most `limit` requests within any `interval` seconds."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def remaining(self, limit: int, interval: float, now: float) -> int:
        while self._times and self._times[0] <= now - interval:
            self._times.popleft()
        return max(0, limit - len(self._times))

    def spend(self, now: float, requests: int = 1) -> None:
        self._times.extend([now] * requests)


class Limits:
    """The budgets of all apps; the sizes may be changed at any time."""

    def __init__(
        self,
        clock: Callable[[], float],
        burst_limit: int | None = None,
        daily_limit: int | None = None,
        utc_offset: int = 0,
    ) -> None:
        self.burst_limit = UNLIMITED if burst_limit is None else burst_limit
        self.daily_limit = DAILY_LIMIT if daily_limit is None else daily_limit
        self.searches_per_second = SEARCHES_PER_SECOND
        self.interval = 10.0  # seconds
        self.retry_after: int | None = None  # HubSpot does not document the header on a 429
        self.announced = True  # whether answers carry the headers
        self.refused: Counter[str] = Counter()  # 429s by policy
        self.daily_used = 0
        self._clock = clock
        self._utc_offset = utc_offset
        self._day = 0
        self._bursts: defaultdict[str, Rolling] = defaultdict(Rolling)
        self._searches = Rolling()
        self._lock = Lock()

    def spend(self, app: str, requests: int) -> None:
        """Use up budget as another process with the same token would."""
        with self._lock:
            self._bursts[app].spend(self._clock(), requests)
            self.daily_used += requests

    def admit(self, grant: Grant, *, search: bool) -> dict[str, str]:
        """Count the request and give the headers, or raise the 429."""
        now = self._clock()
        with self._lock:
            self._turn_the_day(now)
            if grant.is_static and self.daily_used >= self.daily_limit:
                raise self._refusal("DAILY", self._headers(grant, now))
            if search:
                return self._admit_search(now, grant)
            if not self._bursts[grant.app].remaining(self.burst_limit, self.interval, now):
                raise self._refusal("TEN_SECONDLY_ROLLING", self._headers(grant, now))
            self._bursts[grant.app].spend(now)
            self.daily_used += grant.is_static
            return self._headers(grant, now)

    def _admit_search(self, now: float, grant: Grant) -> dict[str, str]:
        """Searches have a bucket of their own, and their answers none of the headers."""
        if not self._searches.remaining(self.searches_per_second, 1.0, now):
            raise self._refusal("SECONDLY", {})
        self._searches.spend(now)
        self.daily_used += grant.is_static
        return {}

    def _headers(self, grant: Grant, now: float) -> dict[str, str]:
        if not self.announced:
            return {}
        left = self._bursts[grant.app].remaining(self.burst_limit, self.interval, now)
        headers = {
            "X-HubSpot-RateLimit-Max": str(self.burst_limit),
            "X-HubSpot-RateLimit-Remaining": str(left),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(self.interval * 1000)),
        }
        if grant.is_static:  # OAuth apps have no daily limit and get no daily headers
            headers["X-HubSpot-RateLimit-Daily"] = str(self.daily_limit)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(0, self.daily_limit - self.daily_used))
        return headers

    def _refusal(self, policy: str, headers: dict[str, str]) -> HubSpotError:
        self.refused[policy] += 1
        return rate_limited(policy, headers, self.retry_after)

    def _turn_the_day(self, now: float) -> None:
        """The daily count starts anew at midnight in the account's time zone."""
        day = int((now + self._utc_offset) // SECONDS_PER_DAY)
        if day != self._day:
            self._day, self.daily_used = day, self.daily_used if self._day == 0 else 0


def rate_limited(
    policy: str | None, headers: dict[str, str] | None = None, retry_after: int | None = None
) -> HubSpotError:
    """Give HubSpot's 429; without a policy it is one that names none."""
    named = {} if policy is None else {"policyName": policy}
    limit = "rate" if policy is None else policy.lower()
    waits = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return HubSpotError(
        429,
        "RATE_LIMITS",
        f"You have reached your {limit} limit.",
        more={"errorType": "RATE_LIMIT", **named},
        headers={**(headers or {}), **waits},
    )
