"""Decides whether to ask HubSpot again, and when. Nothing here sends, sleeps or reads a clock."""

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

# What HubSpot itself advises to send again, and 408, which says the request was not read at all:
# https://developers.hubspot.com/docs/api-reference/error-handling
RETRIED_STATUSES = frozenset({408, 423, 477, 502, 503, 504, 521, 522, 523, 524})
# HubSpot (500) or its CDN (520) failed over a request, which may fail over it each time. So these are tried a fixed
# number of times, and then they are a refusal. A 500 is final, as HubSpot documents it; a caller may ask for more.
SERVER_ERROR_TRIES = {500: 1, 520: 4}  # tries
TOO_MANY_REQUESTS = 429
LOCKED = 423
NO_ANSWER = 524
# A lock that HubSpot answers 423 for lasts two seconds (same page).
LOCK_SECONDS = 2.0
# How long to wait after a 429 by its policy's name: https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
POLICY_SECONDS = {"TEN_SECONDLY_ROLLING": 10.0, "SECONDLY": 1.0}
DEFAULT_POLICY = "TEN_SECONDLY_ROLLING"
DAILY_POLICY = "DAILY"
# Long enough for HubSpot to restart what fell over, short enough for a schedule to notice that a run hangs.
RETRY_FOR_SECONDS = 600.0
# Where the host is unknown or speaks no TLS, rather api_url or the network is wrong than HubSpot down.
RETRY_UNREACHABLE_FOR_SECONDS = 20.0
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 366 * 86_400.0  # a Retry-After beyond it is as good as never
_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True)
class Tries:
    """How many tries may end in a failure that the request itself may cause; None for the usual number."""

    slow: int | None = None  # time-outs and 524; usually as many as ten minutes allow
    server_error: int | None = None  # 500 and 520; usually SERVER_ERROR_TRIES


@dataclass(frozen=True)
class Problem:
    """Why a request that may yet succeed did not; its text is part of log lines and errors."""

    what: str
    status: int | None = None
    correlation_id: str | None = None
    asked_wait: float | None = None  # seconds, as HubSpot's Retry-After says
    usual_wait: float | None = None  # seconds, where HubSpot did not ask for any
    least_wait: float = 0.0
    is_slow: bool = False
    is_limit: bool = False
    is_unreachable: bool = False  # the host is unknown, or speaks no TLS
    is_server_error: bool = False

    def __str__(self) -> str:
        """Return what happened."""
        return f"{self.what}{reference(self.correlation_id)}"


def problem_of(reply: Reply, body: ErrorBody, *, now: datetime) -> Problem | None:
    """Return why this reply is worth another try, or None if it is not. A daily limit is not for here."""
    is_limit = reply.status == TOO_MANY_REQUESTS
    is_server_error = reply.status in SERVER_ERROR_TRIES
    if not is_limit and not is_server_error and reply.status not in RETRIED_STATUSES:
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
        is_server_error=is_server_error,
    )


def policy(body: ErrorBody) -> str:
    """Return which limit a 429 means; where none is named, its message may still say "daily"."""
    if body.policy_name:
        return body.policy_name.upper()
    return DAILY_POLICY if "daily limit" in (body.message or "").lower() else DEFAULT_POLICY


def retry_after(reply: Reply, *, now: datetime) -> float | None:
    """Return the seconds that HubSpot asks to wait; it may say so as a date, by its own clock."""
    text = reply.headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_PAUSE_SECONDS)
    until = parse_date(text)
    return max(0.0, (until - (reply.date or now)).total_seconds()) if until else None


def longest_waits() -> Iterator[float]:
    """Yield how long to wait at most before the second try, the third, and so on."""
    # The generator's first value only starts it.
    return islice(backoff.expo(factor=FIRST_WAIT_SECONDS, max_value=LONGEST_WAIT_SECONDS), 1, None)


def wait_before_retry(problem: Problem, *, longest: float) -> float:
    """Return the seconds to wait: what HubSpot asks, else anything up to `longest` (full jitter)."""
    wait = problem.asked_wait or problem.usual_wait or backoff.full_jitter(longest)
    return max(wait, problem.least_wait)


def is_too_far(wait: float, *, elapsed: float, retry_for: float = RETRY_FOR_SECONDS) -> bool:
    """Tell whether a retry after this wait would come later than a request is tried for."""
    return elapsed + wait > retry_for
