"""The client for HubSpot's API that both plugins use; safe to use from many threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar

from hubspot_singer.http.auth import OAuthTokens, StaticToken
from hubspot_singer.http.calls import Call
from hubspot_singer.http.clocks import Stop, SystemClock, sleep
from hubspot_singer.http.connection import AccessToken
from hubspot_singer.http.errors import UnexpectedAnswer
from hubspot_singer.http.limits import RequestBudget
from hubspot_singer.http.rate_limiter import RateLimiter
from hubspot_singer.http.redaction import Redactor
from hubspot_singer.http.retries import TryLimits
from hubspot_singer.http.sending import ClientState, RetriedRequest
from hubspot_singer.http.transport import Request, Timeouts, Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from hubspot_singer.http.answers import Answer
    from hubspot_singer.http.auth import Credentials
    from hubspot_singer.http.clocks import Clock
    from hubspot_singer.http.connection import Connection
    from hubspot_singer.http.limits import Limits
    from hubspot_singer.http.transport import Params

T = TypeVar("T")

USER_AGENT = "hubspot-singer"


class HubSpotClient:
    """Sends requests within the portal's rate limit, with a valid token, and again where HubSpot advises it.

    A request method returns HubSpot's 2xx answer, its body parsed as JSON, or raises one of the errors in
    `hubspot_singer.http.errors`. After `slow_tries` time-outs (or 524) it raises `TooSlow`; by default time-outs
    are retried for ten minutes. `params` is the query: None is left out, a sequence is repeated.

    How HubSpot answers: https://developers.hubspot.com/docs/api-reference/error-handling
    """

    def __init__(
        self,
        connection: Connection,
        *,
        clock: Clock | None = None,
        user_agent: str = USER_AGENT,
        timeouts: Timeouts | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self._clock = clock
        self._connection = connection
        self._redactor = Redactor(connection.secrets)
        self._stop = Stop()
        self._transport = Transport(
            connection.api_url, user_agent=user_agent, timeouts=timeouts or Timeouts()
        )
        budget = RequestBudget(cap=connection.requests_per_10_seconds, concurrency=connection.max_concurrency)
        self._rate_limiter = RateLimiter(budget, clock, self._stop)
        self._state = ClientState(self._transport, self._rate_limiter, clock, self._stop)
        self._credentials = self._create_credentials(clock)

    def get(
        self,
        path: str,
        *,
        params: Params | None = None,
        slow_tries: int | None = None,
        server_error_tries: int | None = None,
    ) -> Answer:
        """Send a GET request.

        It is tried `server_error_tries` times before a 500 or 520 raises `ServerError`; by default once for a 500
        and four times for a 520.
        """
        return self._request("GET", path, None, params, TryLimits(slow_tries, server_error_tries))

    def post(
        self, path: str, body: object, *, params: Params | None = None, slow_tries: int | None = None
    ) -> Answer:
        """Send a POST request with a JSON body."""
        return self._request("POST", path, body, params, TryLimits(slow_tries))

    def put(
        self, path: str, body: object = None, *, params: Params | None = None, slow_tries: int | None = None
    ) -> Answer:
        """Send a PUT request with a JSON body, or without a body."""
        return self._request("PUT", path, body, params, TryLimits(slow_tries))

    def patch(
        self, path: str, body: object, *, params: Params | None = None, slow_tries: int | None = None
    ) -> Answer:
        """Send a PATCH request with a JSON body."""
        return self._request("PATCH", path, body, params, TryLimits(slow_tries))

    def base(self, area: str) -> str:
        """Return the path of an area of the API, such as `crm/lists`, in the version that the settings name."""
        return self._connection.path(area)

    def redact(self, text: str) -> str:
        """Return the text with placeholders for this connection's secrets, tokens, and email addresses."""
        return self._redactor(text)

    def stop(self) -> None:
        """Let requests in flight return; any other request or wait raises `Stopped`. Safe in a signal handler."""
        self._stop.requested = True

    def wait(self, seconds: float) -> None:
        """Wait so many seconds; raise `Stopped` within 0.2 s of a stop request."""
        sleep(seconds, self._clock, self._stop)

    def give_up_after(self, seconds: float) -> None:
        """From now on, retry each request for at most so many seconds instead of ten minutes."""
        self._state.retry_for = seconds

    def redeem(self, code: str, redirect_url: str) -> str:
        """Exchange the code of a consent for the first tokens of the OAuth app; return its refresh token.

        https://developers.hubspot.com/docs/api-reference/auth-oauth/tokens
        """
        if not isinstance(self._credentials, OAuthTokens):
            raise TypeError("only an OAuth app is given a code")
        return self._credentials.redeem(code, redirect_url)

    @property
    def calls(self) -> int:
        """The number of requests sent so far, each try counted."""
        return self._rate_limiter.calls

    @property
    def scopes(self) -> frozenset[str] | None:
        """The token's scopes, or None where HubSpot did not return them with the token."""
        return self._credentials.scopes

    @property
    def portal_id(self) -> int | None:
        """The id of the token's portal, or None where HubSpot did not return it with the token."""
        return self._credentials.portal_id

    @property
    def limits(self) -> Limits:
        """A snapshot of the rate limit."""
        return self._rate_limiter.limits()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _create_credentials(self, clock: Clock) -> Credentials:
        credentials = self._connection.credentials
        if isinstance(credentials, AccessToken):
            return StaticToken(credentials)
        return OAuthTokens(
            credentials,
            self._call("POST", f"{self.base('oauth')}/token"),
            send=self._send_without_token,
            clock=clock,
            stop=self._stop,
            redactor=self._redactor,
        )

    def _call(self, method: str, path: str) -> Call:
        return Call(method, path, self._redactor, self._connection.untried_version)

    def _send_without_token(self, request: Request) -> Answer:
        return RetriedRequest(self._state, request, None, TryLimits()).answer()

    def _request(
        self, method: str, path: str, body: object, params: Params | None, limits: TryLimits
    ) -> Answer:
        request = Request.json(self._call(method, path), body, params=params)
        return RetriedRequest(self._state, request, self._credentials, limits).answer()


def parsed(answer: Answer, parse: Callable[[Any], T]) -> T:
    """Return `parse(answer.body)`; raise `UnexpectedAnswer` if a field is missing or of a wrong type."""
    try:
        return parse(answer.body)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise UnexpectedAnswer(answer) from error
