"""Sends a request until HubSpot has answered it for good, within the portal's limits and ten minutes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

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

    from hubspot_singer.http.clocks import Clock, Stop
    from hubspot_singer.http.pace import Pace
    from hubspot_singer.http.retries import Tries
    from hubspot_singer.http.transport import Request, Transport

logger = logging.getLogger("hubspot_singer.http")

NO_CONTENT = 204
UNAUTHORIZED = 401


class Credentials(Protocol):
    """Where a request's token comes from."""

    @property
    def scopes(self) -> frozenset[str] | None:
        """What the token may do, as far as HubSpot told."""

    @property
    def portal_id(self) -> int | None:
        """Which portal the token is of, as far as HubSpot told with it."""

    def token(self) -> str | None:
        """Return the token to send, or None to send none."""

    def renew(self, rejected: str | None) -> bool:
        """Get another token for the one HubSpot rejected; False if there can be none."""


class NoCredentials:
    """For the request that asks for a token."""

    scopes: None = None
    portal_id: None = None

    def token(self) -> None:
        """Send none."""

    def renew(self, rejected: str | None) -> bool:  # noqa: ARG002 - the protocol's
        """There is none."""
        return False


@dataclass
class Wire:
    """What all requests of a client share."""

    transport: Transport
    pace: Pace
    clock: Clock
    stop: Stop
    retry_for: float = RETRY_FOR_SECONDS  # how long a request is tried for
    has_answered: bool = False  # so api_url is right
    is_deprecation_logged: bool = False

    def now(self) -> datetime:
        """Return our own time."""
        return datetime.fromtimestamp(self.clock.time(), UTC)

    def retry_for_seconds(self, problem: Problem) -> float:
        """Return how long a request is tried for that meets this problem."""
        if problem.is_unreachable and not self.has_answered:
            return min(self.retry_for, RETRY_UNREACHABLE_FOR_SECONDS)
        return self.retry_for

    def note_deprecation(self, request: Request, headers: Mapping[str, str]) -> None:
        """Warn once a run: https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines."""
        if "X-HubSpot-API-Deprecated" in headers and not self.is_deprecation_logged:
            self.is_deprecation_logged = True
            logger.warning(
                "HubSpot says that the API behind %s is deprecated: look for an update.", request.call
            )


class Exchange:
    """One request and its tries."""

    def __init__(self, wire: Wire, request: Request, credentials: Credentials, tries: Tries) -> None:
        self._wire = wire
        self._request = request
        self._call = request.call
        self._credentials = credentials
        self._most_tries = tries
        self._slow = 0
        self._server_errors = 0
        self._tries = 0
        self._first_sent = 0.0
        self._is_renewed = False

    def answer(self) -> Answer:
        """Return HubSpot's answer, however many tries it takes, or raise what ends them."""
        longest = longest_waits()
        while not isinstance(outcome := self._try(), Answer):
            self._wait(outcome, next(longest))
        return outcome

    def _try(self) -> Answer | Problem:
        token = self._credentials.token()
        reply = self._send(token)
        if isinstance(reply, Problem):
            return reply
        self._wire.has_answered = True
        self._wire.note_deprecation(self._request, reply.headers)
        if reply.status == UNAUTHORIZED and not self._is_renewed and self._credentials.renew(token):
            self._is_renewed = True
            return self._try()
        return self._judge(reply)

    def _send(self, token: str | None) -> Reply | Problem:
        with self._wire.pace.turn() as turn:
            if self._tries == 0:
                self._first_sent = self._wire.clock.monotonic()
            self._tries += 1
            reply = self._wire.transport.send(self._request, token)
            if isinstance(reply, Reply):
                turn.headers = reply.headers
            return reply

    def _judge(self, reply: Reply) -> Answer | Problem:
        if reply.status in OK_STATUSES:
            return self._answer(reply)
        body = ErrorBody.of(reply)
        if reply.status == TOO_MANY_REQUESTS and policy(body) == DAILY_POLICY:
            raise self._daily_limit(reply, body)
        problem = problem_of(reply, body, now=self._wire.now())
        if problem is None or (problem.is_server_error and self._is_last_server_error(reply.status)):
            raise refusal(self._call, reply.status, body, tries=self._tries)
        return problem

    def _is_last_server_error(self, status: int) -> bool:
        self._server_errors += 1
        return self._server_errors >= (self._most_tries.server_error or SERVER_ERROR_TRIES[status])

    def _answer(self, reply: Reply) -> Answer | Problem:
        try:
            body = {} if reply.status == NO_CONTENT else json_body(reply.content)
        except ValueError:
            return Problem(
                f"answered {reply.status} without JSON", reply.status, correlation_id=reply.correlation_id
            )
        return Answer(
            reply.status, body, reply.headers, self._tries, reply.correlation_id, reply.date, str(self._call)
        )

    def _daily_limit(self, reply: Reply, body: ErrorBody) -> DailyLimitReached:
        wait = retry_after(reply, now=self._wire.now())
        resets_at = (reply.date or self._wire.now()) + timedelta(seconds=wait) if wait else None
        return DailyLimitReached(self._call, body, resets_at=resets_at)

    def _wait(self, problem: Problem, longest: float) -> None:
        """Wait for the next try, unless this was the last."""
        self._wire.stop.check()
        elapsed = self._wire.clock.monotonic() - self._first_sent
        self._give_up_if_slow(problem, elapsed)
        wait = wait_before_retry(problem, longest=longest)
        retry_for = self._wire.retry_for_seconds(problem)
        if is_too_far(wait, elapsed=elapsed, retry_for=retry_for):
            raise self._given_up(problem, wait, elapsed, retry_for)
        said = self._call.shortened(str(problem))
        logger.warning("%s: %s; try %d in %.1f s.", self._call, said, self._tries + 1, wait)
        if problem.is_limit:
            self._wire.pace.pause(wait)
        sleep(wait, self._wire.clock, self._wire.stop)

    def _give_up_if_slow(self, problem: Problem, elapsed: float) -> None:
        self._slow += problem.is_slow
        if problem.is_slow and self._most_tries.slow is not None and self._slow >= self._most_tries.slow:
            raise TooSlow(
                self._call, problem, tries=self._tries, seconds=elapsed, next_step="Ask for less at once."
            )

    def _given_up(
        self, problem: Problem, wait: float, elapsed: float, retry_for: float
    ) -> RetryTooFar | Unavailable:
        if problem.asked_wait:
            until = self._wire.now() + timedelta(seconds=wait)
            return RetryTooFar(self._call, problem, seconds=wait, until=until, retry_for=retry_for)
        return Unavailable(self._call, problem, tries=self._tries, seconds=elapsed)
