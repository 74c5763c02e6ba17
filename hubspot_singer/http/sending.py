"""Sends a request until HubSpot's answer is final, within the rate limit and for at most ten minutes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hubspot_singer.http.answers import OK_STATUSES, Answer, ErrorBody, Reply, json_body
from hubspot_singer.http.clocks import sleep
from hubspot_singer.http.errors import DailyLimitReached, RetryTooFar, TooSlow, Unavailable, refusal
from hubspot_singer.http.retries import (
    DAILY_POLICY,
    RETRY_FOR_SECONDS,
    RETRY_UNREACHABLE_FOR_SECONDS,
    SERVER_ERROR_TRIES,
    TOO_MANY_REQUESTS,
    Problem,
    is_too_far,
    longest_waits,
    policy,
    problem_of,
    retry_after,
    wait_before_retry,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hubspot_singer.http.auth import Credentials
    from hubspot_singer.http.clocks import Clock, Stop
    from hubspot_singer.http.rate_limiter import RateLimiter
    from hubspot_singer.http.retries import TryLimits
    from hubspot_singer.http.transport import Request, Transport

logger = logging.getLogger("hubspot_singer.http")

NO_CONTENT = 204
UNAUTHORIZED = 401


@dataclass
class ClientState:
    """What the requests of one client share."""

    transport: Transport
    rate_limiter: RateLimiter
    clock: Clock
    stop: Stop
    retry_for: float = RETRY_FOR_SECONDS
    has_answered: bool = False  # once true, api_url is known to be right
    is_deprecation_logged: bool = False

    def now(self) -> datetime:
        """Return this machine's time in UTC."""
        return datetime.fromtimestamp(self.clock.time(), UTC)

    def retry_for_seconds(self, problem: Problem) -> float:
        """Return for how many seconds a request with this problem is sent again."""
        if problem.is_unreachable and not self.has_answered:
            return min(self.retry_for, RETRY_UNREACHABLE_FOR_SECONDS)
        return self.retry_for

    def note_deprecation(self, request: Request, headers: Mapping[str, str]) -> None:
        """Log a warning once for each client: https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines."""
        if "X-HubSpot-API-Deprecated" in headers and not self.is_deprecation_logged:
            self.is_deprecation_logged = True
            logger.warning(
                "HubSpot says that the API behind %s is deprecated: look for an update.", request.call
            )


class RetriedRequest:
    """One request and its tries; without `credentials` it is sent without a token."""

    def __init__(
        self, state: ClientState, request: Request, credentials: Credentials | None, limits: TryLimits
    ) -> None:
        self._state = state
        self._request = request
        self._call = request.call
        self._credentials = credentials
        self._limits = limits
        self._slow_tries = 0
        self._server_errors = 0
        self._tries = 0
        self._first_sent_at = 0.0
        self._is_token_renewed = False

    def answer(self) -> Answer:
        """Send the request, again if need be, and return HubSpot's 2xx answer.

        Raises `Refused` for a status that is not retried, `DailyLimitReached`, `Unavailable` or `RetryTooFar` when
        retrying is given up, `SettingsError` if nothing can be sent, and `Stopped` after a stop request.
        """
        longest = longest_waits()
        while not isinstance(outcome := self._try(), Answer):
            self._wait(outcome, next(longest))
        return outcome

    def _try(self) -> Answer | Problem:
        credentials = self._credentials
        token = credentials.token() if credentials else None
        reply = self._send(token)
        if isinstance(reply, Problem):
            return reply
        self._state.has_answered = True
        self._state.note_deprecation(self._request, reply.headers)
        may_renew = reply.status == UNAUTHORIZED and not self._is_token_renewed
        if may_renew and credentials and credentials.renew(token):
            self._is_token_renewed = True
            return self._try()
        return self._judge(reply)

    def _send(self, token: str | None) -> Reply | Problem:
        with self._state.rate_limiter.slot() as slot:
            if self._tries == 0:
                self._first_sent_at = self._state.clock.monotonic()
            self._tries += 1
            reply = self._state.transport.send(self._request, token)
            if isinstance(reply, Reply):
                slot.headers = reply.headers
            return reply

    def _judge(self, reply: Reply) -> Answer | Problem:
        if reply.status in OK_STATUSES:
            return self._answer(reply)
        body = ErrorBody.from_reply(reply)
        if reply.status == TOO_MANY_REQUESTS and policy(body) == DAILY_POLICY:
            raise self._daily_limit(reply, body)
        problem = problem_of(reply, body, now=self._state.now())
        is_last = False
        if reply.status in SERVER_ERROR_TRIES:
            self._server_errors += 1
            is_last = self._server_errors >= (self._limits.server_error or SERVER_ERROR_TRIES[reply.status])
        if problem is None or is_last:
            raise refusal(self._call, reply.status, body, tries=self._tries)
        return problem

    def _answer(self, reply: Reply) -> Answer | Problem:
        try:
            body = {} if reply.status == NO_CONTENT else json_body(reply.content)
        except ValueError:
            return Problem(
                f"answered {reply.status} without JSON", reply.status, correlation_id=reply.correlation_id
            )
        return Answer(
            reply.status,
            body,
            reply.headers,
            self._tries,
            reply.correlation_id,
            reply.date,
            str(self._call),
            reply.content,
        )

    def _daily_limit(self, reply: Reply, body: ErrorBody) -> DailyLimitReached:
        wait = retry_after(reply, now=self._state.now())
        resets_at = (reply.date or self._state.now()) + timedelta(seconds=wait) if wait else None
        return DailyLimitReached(self._call, body, resets_at=resets_at)

    def _wait(self, problem: Problem, longest: float) -> None:
        """Wait until the next try; raise the error that ends the request if there is none."""
        self._state.stop.check()
        elapsed = self._state.clock.monotonic() - self._first_sent_at
        self._slow_tries += problem.is_slow
        if problem.is_slow and self._limits.slow is not None and self._slow_tries >= self._limits.slow:
            raise TooSlow(
                self._call, problem, tries=self._tries, seconds=elapsed, next_step="Ask for less at once."
            )
        wait = wait_before_retry(problem, longest=longest)
        retry_for = self._state.retry_for_seconds(problem)
        if is_too_far(wait, elapsed=elapsed, retry_for=retry_for):
            raise self._given_up(problem, wait, elapsed, retry_for)
        what = self._call.safe_text(str(problem))
        logger.warning("%s: %s; try %d in %.1f s.", self._call, what, self._tries + 1, wait)
        if problem.is_limit:
            self._state.rate_limiter.pause(wait)
        sleep(wait, self._state.clock, self._state.stop)

    def _given_up(
        self, problem: Problem, wait: float, elapsed: float, retry_for: float
    ) -> RetryTooFar | Unavailable:
        # After a short wait that HubSpot asks for again and again, no time for the next run is known.
        if problem.asked_wait and wait > retry_for:
            until = self._state.now() + timedelta(seconds=wait)
            return RetryTooFar(self._call, problem, seconds=wait, until=until, retry_for=retry_for)
        return Unavailable(self._call, problem, tries=self._tries, seconds=elapsed)
