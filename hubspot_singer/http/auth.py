"""Access tokens: a static one, or those of an OAuth app, refreshed before they expire and shared by all threads."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from hubspot_singer.http.answers import ErrorBody, positive_id
from hubspot_singer.http.clocks import STOP_CHECK_SECONDS
from hubspot_singer.http.errors import ConsentRejected, HubSpotError, RefreshTokenRejected, Refused
from hubspot_singer.http.transport import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hubspot_singer.http.answers import Answer
    from hubspot_singer.http.calls import Call
    from hubspot_singer.http.clocks import Clock, Stop
    from hubspot_singer.http.connection import AccessToken, OAuthApp
    from hubspot_singer.http.redaction import Redactor

# A token is refreshed this long before it expires: a request may wait for the rate limit after it was given its token.
REFRESH_EARLY_SECONDS = 60.0
# Answers of the token endpoint that say that the client or its refresh token is wrong.
REJECTED_STATUSES = frozenset({400, 401, 403})


class StaticToken:
    """A token that does not change during a run."""

    def __init__(self, credentials: AccessToken) -> None:
        self._token = credentials.token

    # Not known: HubSpot returns them only with OAuth tokens.
    scopes: None = None
    portal_id: None = None

    def token(self) -> str:
        """Return the token."""
        return self._token

    def renew(self, rejected: str | None) -> bool:  # noqa: ARG002 - as OAuthTokens.renew
        """Return False: a static token cannot be refreshed."""
        return False


@dataclass(frozen=True)
class Grant:
    """The token endpoint's answer: an access token and what belongs to it."""

    access_token: str = field(repr=False)
    seconds: float  # until it expires
    refresh_token: str | None = field(repr=False)
    scopes: frozenset[str] | None = None  # None: not known
    portal_id: int | None = None

    @classmethod
    def parse(cls, body: object) -> Self:
        """Parse the body of the answer; raise `ValueError` that says what it lacks.

        `scopes` and `hub_id` are optional. An empty list of scopes means "not known", since every token has at
        least one: https://developers.hubspot.com/docs/api-reference/auth-oauth/tokens
        """
        fields = body if isinstance(body, Mapping) else {}
        access_token, seconds = fields.get("access_token"), fields.get("expires_in")
        if not isinstance(access_token, str) or not is_header_text(access_token):
            raise ValueError("its answer holds no access_token")
        if not isinstance(seconds, int | float) or seconds <= 0:
            raise ValueError("its answer does not say how long the access_token lasts")
        refresh_token = fields.get("refresh_token")
        scopes = fields.get("scopes")
        return cls(
            access_token,
            seconds,
            refresh_token if isinstance(refresh_token, str) else None,
            frozenset(map(str, scopes)) if isinstance(scopes, list) and scopes else None,
            positive_id(fields.get("hub_id")),
        )


def is_header_text(text: str) -> bool:
    """Tell whether the text can be part of a header."""
    return bool(text) and text.isascii() and text.isprintable()


@dataclass(frozen=True)
class CurrentToken:
    """An access token in use."""

    token: str = field(repr=False)
    refresh_at: float  # by the monotonic clock


class OAuthTokens:
    """The access tokens of an OAuth app. One thread refreshes them while the others wait."""

    def __init__(  # noqa: PLR0913 - what it takes from the client
        self,
        app: OAuthApp,
        call: Call,
        *,
        send: Callable[[Request], Answer],
        clock: Clock,
        stop: Stop,
        redactor: Redactor,
    ) -> None:
        self._app = app
        self._call = call
        self._send = send
        self._clock = clock
        self._stop = stop
        self._redactor = redactor
        self._lock = threading.Lock()
        self._current: CurrentToken | None = None
        self._failure: HubSpotError | None = None
        # As HubSpot returned them with the last token.
        self.scopes: frozenset[str] | None = None
        self.portal_id: int | None = None

    def token(self) -> str:
        """Return an access token that has not expired, fetched from HubSpot if need be.

        Raises `RefreshTokenRejected`, or what else the call to the token endpoint ends in.
        """
        current = self._current
        if current is not None and self._clock.monotonic() < current.refresh_at:
            return current.token
        with self._locked():
            current = self._current
            if current is None or self._clock.monotonic() >= current.refresh_at:
                current = self._refresh()
            return current.token

    def renew(self, rejected: str | None) -> bool:
        """Replace the token that HubSpot rejected with 401, unless another thread has done so; return True."""
        with self._locked():
            if self._current is not None and self._current.token == rejected:
                self._refresh()
            return True

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one thread in at a time; raise `Stopped` in a thread that waits when a stop is requested."""
        while not self._lock.acquire(timeout=STOP_CHECK_SECONDS):
            self._stop.check()
        try:
            yield
        finally:
            self._lock.release()

    def _refresh(self) -> CurrentToken:
        """Fetch a token. After a failure each thread gets the same error, and HubSpot is not asked again."""
        if self._failure is not None:
            raise self._failure
        try:
            fields = {"grant_type": "refresh_token", "refresh_token": self._app.refresh_token}
            self._current = self._fetch(fields, RefreshTokenRejected)
        except HubSpotError as error:
            self._failure = error
            raise
        return self._current

    def redeem(self, code: str, redirect_url: str) -> str:
        """Exchange the code of a consent for the app's first tokens; return the refresh token.

        Raises `ConsentRejected`, or what else the call to the token endpoint ends in.
        """
        self._redactor.add(code)
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_url}
        with self._locked():
            before = self._app
            self._current = self._fetch(fields, ConsentRejected)
            if self._app is before:
                raise Refused(self._call, 200, ErrorBody(message="its answer holds no refresh_token"))
            return self._app.refresh_token

    def _fetch(self, fields: Mapping[str, str], rejected: Callable[[Refused], HubSpotError]) -> CurrentToken:
        asked_at = self._clock.monotonic()
        app = {"client_id": self._app.client_id, "client_secret": self._app.client_secret}
        try:
            answer = self._send(Request.form(self._call, {**fields, **app}))
            grant = Grant.parse(answer.body)
        except Refused as refused:
            if refused.status in REJECTED_STATUSES:
                raise rejected(refused) from refused
            raise
        except ValueError as error:
            raise Refused(self._call, answer.status, ErrorBody(message=str(error))) from error
        self._keep(grant)
        early = min(REFRESH_EARLY_SECONDS, grant.seconds / 2)
        return CurrentToken(grant.access_token, asked_at + grant.seconds - early)

    def _keep(self, grant: Grant) -> None:
        """Use a rotated refresh token from now on, and redact both tokens in logs and errors."""
        self.scopes = grant.scopes
        self.portal_id = grant.portal_id
        self._redactor.add(grant.access_token)
        if grant.refresh_token:
            self._redactor.add(grant.refresh_token)
            self._app = replace(self._app, refresh_token=grant.refresh_token)


Credentials = StaticToken | OAuthTokens
