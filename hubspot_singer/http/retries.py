"""Decides whether a request is sent again, and when. Nothing here sends, sleeps or reads a clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import backoff

from hubspot_singer.http.answers import parse_date
from hubspot_singer.http.calls import reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from hubspot_singer.http.answers import ErrorBody, Reply

# The statuses that HubSpot advises to retry, and 408, which says that the request was not read:
# https://developers.hubspot.com/docs/api-reference/error-handling
RETRIED_STATUSES = frozenset({408, 423, 477, 502, 503, 504, 521, 522, 523, 524})
# A request on which HubSpot (500) or its CDN (520) failed may fail each time, so it is tried a fixed number of times.
# A 500 is final, as HubSpot documents it; a caller may ask for more tries.
SERVER_ERROR_TRIES = {500: 1, 520: 4}
TOO_MANY_REQUESTS = 429
LOCKED = 423
NO_ANSWER = 524
# A 423 says that the resource is locked, for two seconds (same page).
LOCK_SECONDS = 2.0
# The wait after a 429, by the name of its policy: https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
POLICY_SECONDS = {"TEN_SECONDLY_ROLLING": 10.0, "SECONDLY": 1.0}
DEFAULT_POLICY = "TEN_SECONDLY_ROLLING"
DAILY_POLICY = "DAILY"
# Long enough for a restart on HubSpot's side, short enough for a schedule to notice that a run makes no progress.
RETRY_FOR_SECONDS = 600.0
# Where the host is unknown or does not speak TLS, api_url or the network is wrong, rather than HubSpot down.
RETRY_UNREACHABLE_FOR_SECONDS = 20.0
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 366 * 86_400.0  # a longer Retry-After is cut to this, so that dates can be computed
_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True)
class TryLimits:
    """How many tries may fail in a way that the request itself may cause; None for the default."""

    slow: int | None = None  # time-outs and 524; by default as many as ten minutes allow
    server_error: int | None = None  # 500 and 520; by default SERVER_ERROR_TRIES


@dataclass(frozen=True)
class Problem:
    """Why a request failed that may succeed when it is sent again. `str()` is text for log lines and errors."""

    what: str
    status: int | None = None
    correlation_id: str | None = None
    asked_wait: float | None = None  # seconds, from Retry-After
    usual_wait: float | None = None  # seconds, where there is no Retry-After
    least_wait: float = 0.0  # seconds
    is_slow: bool = False  # a time-out or a 524
    is_limit: bool = False  # a 429
    is_unreachable: bool = False  # the host is unknown, or does not speak TLS

    def __str__(self) -> str:
        """Return what happened, with the correlation id if there is one."""
        return f"{self.what}{reference(self.correlation_id)}"


def problem_of(reply: Reply, body: ErrorBody, *, now: datetime) -> Problem | None:
    """Return the problem of a reply that is worth another try, or None. Call it for no 429 of the daily limit."""
    is_limit = reply.status == TOO_MANY_REQUESTS
    if not is_limit and reply.status not in RETRIED_STATUSES | SERVER_ERROR_TRIES.keys():
        return None
    name = policy(body)
    return Problem(
        f"answered 429 {name}" if is_limit else f"answered {reply.status}",
        reply.status,
        correlation_id=body.correlation_id,
        asked_wait=retry_after(reply, now=now),
        usual_wait=POLICY_SECONDS.get(name, POLICY_SECONDS[DEFAULT_POLICY]) if is_limit else None,
        least_wait=LOCK_SECONDS if reply.status == LOCKED else 0.0,
        is_slow=reply.status == NO_ANSWER,
        is_limit=is_limit,
    )


def policy(body: ErrorBody) -> str:
    """Return the policy of a 429: `policyName`, else DAILY if the message says so, else TEN_SECONDLY_ROLLING."""
    if body.policy_name:
        return body.policy_name.upper()
    return DAILY_POLICY if "daily limit" in (body.message or "").lower() else DEFAULT_POLICY


def retry_after(reply: Reply, *, now: datetime) -> float | None:
    """Return the seconds that Retry-After asks for, or None. A date is compared with HubSpot's own `Date` header."""
    text = reply.headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_PAUSE_SECONDS)
    until = parse_date(text)
    return max(0.0, (until - (reply.date or now)).total_seconds()) if until else None


def longest_waits() -> Iterator[float]:
    """Yield the upper bound of the wait before the second try, the third, and so on, in seconds."""
    # backoff's generators yield None first.
    return islice(backoff.expo(factor=FIRST_WAIT_SECONDS, max_value=LONGEST_WAIT_SECONDS), 1, None)


def wait_before_retry(problem: Problem, *, longest: float) -> float:
    """Return the seconds to wait: what HubSpot asks for, else a random time up to `longest` (full jitter)."""
    wait = problem.asked_wait or problem.usual_wait or backoff.full_jitter(longest)
    return max(wait, problem.least_wait)


def is_too_far(wait: float, *, elapsed: float, retry_for: float = RETRY_FOR_SECONDS) -> bool:
    """Tell whether a retry after this wait would be later than `retry_for` seconds after the first try."""
    return elapsed + wait > retry_for
