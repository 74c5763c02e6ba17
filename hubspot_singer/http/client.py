"""Asks HubSpot: the one object that target and tap hold, safe to use from many threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from hubspot_singer.http.auth import OAuthTokens, StaticToken
from hubspot_singer.http.calls import Call
from hubspot_singer.http.clocks import Stop, SystemClock, sleep
from hubspot_singer.http.connection import AccessToken
from hubspot_singer.http.limits import Budget
from hubspot_singer.http.pace import Pace
from hubspot_singer.http.redaction import Redactor
from hubspot_singer.http.retries import Tries
from hubspot_singer.http.sending import Exchange, NoCredentials, Wire
from hubspot_singer.http.transport import Request, Timeouts, Transport

if TYPE_CHECKING:
    from hubspot_singer.http.answers import Answer
    from hubspot_singer.http.clocks import Clock
    from hubspot_singer.http.connection import Connection
    from hubspot_singer.http.limits import Limits
    from hubspot_singer.http.sending import Credentials
    from hubspot_singer.http.transport import Params

USER_AGENT = "hubspot-singer"


class HubSpotClient:
    """HubSpot, within its limits and with its tokens; every method may be called from any thread."""

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
        budget = Budget(cap=connection.requests_per_10_seconds, concurrency=connection.max_concurrency)
        self._pace = Pace(budget, clock, self._stop)
        self._wire = Wire(self._transport, self._pace, clock, self._stop)
        self._credentials = self._log_in(clock)

    def get(
        self,
        path: str,
        *,
        params: Params | None = None,
        slow_tries: int | None = None,
        server_error_tries: int | None = None,
    ) -> Answer:
        """Read; after `slow_tries` time-outs `TooSlow` is raised instead of trying on.

        A 500 or 520 is answered to `server_error_tries` tries before `ServerError` is raised; by default to one
        try for a 500, to four for a 520.
        """
        return self._ask("GET", path, None, params, Tries(slow_tries, server_error_tries))

    def post(
        self, path: str, body: object, *, params: Params | None = None, slow_tries: int | None = None
    ) -> Answer:
        """Post a JSON body."""
        return self._ask("POST", path, body, params, Tries(slow_tries))

    def put(
        self, path: str, body: object = None, *, params: Params | None = None, slow_tries: int | None = None
    ) -> Answer:
        """Put a JSON body, or none."""
        return self._ask("PUT", path, body, params, Tries(slow_tries))

    def patch(
        self, path: str, body: object, *, params: Params | None = None, slow_tries: int | None = None
    ) -> Answer:
        """Patch with a JSON body."""
        return self._ask("PATCH", path, body, params, Tries(slow_tries))

    def base(self, area: str) -> str:
        """Return the path of an area such as `crm/lists` in the version that the settings name."""
        return self._connection.path(area)

    def redact(self, text: str) -> str:
        """Return the text without this connection's secrets, tokens and email addresses."""
        return self._redactor(text)

    def stop(self) -> None:
        """Let calls already sent return, any other call or wait raise `Stopped`; for signal handlers too."""
        self._stop.requested = True

    def wait(self, seconds: float) -> None:
        """Wait so long; raise `Stopped` soon after the run was told to stop."""
        sleep(seconds, self._clock, self._stop)

    def give_up_after(self, seconds: float) -> None:
        """Try each request for at most so long from now on, instead of ten minutes."""
        self._wire.retry_for = seconds

    @property
    def calls(self) -> int:
        """How many requests were sent, each try counted."""
        return self._pace.calls

    @property
    def scopes(self) -> frozenset[str] | None:
        """What the token may do, or None where HubSpot has not told it with the token."""
        return self._credentials.scopes

    @property
    def portal_id(self) -> int | None:
        """Which portal the token is of, or None where HubSpot has not told it with the token."""
        return self._credentials.portal_id

    @property
    def limits(self) -> Limits:
        """How the portal's limit stands, for a progress line."""
        return self._pace.limits()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _log_in(self, clock: Clock) -> Credentials:
        credentials = self._connection.credentials
        if isinstance(credentials, AccessToken):
            return StaticToken(credentials)
        return OAuthTokens(
            credentials,
            self._call("POST", f"{self.base('oauth')}/token"),
            send=self._send_openly,
            clock=clock,
            stop=self._stop,
            redactor=self._redactor,
        )

    def _call(self, method: str, path: str) -> Call:
        return Call(method, path, self._redactor, self._connection.untried_version)

    def _send_openly(self, request: Request) -> Answer:
        return Exchange(self._wire, request, NoCredentials(), Tries()).answer()

    def _ask(self, method: str, path: str, body: object, params: Params | None, tries: Tries) -> Answer:
        request = Request.json(self._call(method, path), body, params=params)
        return Exchange(self._wire, request, self._credentials, tries).answer()
