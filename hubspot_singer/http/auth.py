"""Keeps a token at hand that HubSpot accepts, one for all threads."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from hubspot_singer.http.answers import ErrorBody, positive_id
from hubspot_singer.http.clocks import SLICE_SECONDS
from hubspot_singer.http.errors import HubSpotError, RefreshTokenRejected, Refused
from hubspot_singer.http.transport import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hubspot_singer.http.answers import Answer
    from hubspot_singer.http.calls import Call
    from hubspot_singer.http.clocks import Clock, Stop
    from hubspot_singer.http.connection import AccessToken, OAuthApp
    from hubspot_singer.http.redaction import Redactor

# A request may have to wait its turn between being given the token and being read by HubSpot.
MARGIN_SECONDS = 60.0
REJECTIONS = frozenset({400, 401, 403})


class StaticToken:
    """A token that stays as it is."""

    def __init__(self, credentials: AccessToken) -> None:
        self._token = credentials.token

    # HubSpot hands a static token out without them.
    scopes: None = None
    portal_id: None = None

    def token(self) -> str:
        """Return it."""
        return self._token

    def renew(self, rejected: str | None) -> bool:  # noqa: ARG002 - the protocol's
        """Nobody gives us another."""
        return False


@dataclass(frozen=True)
class Grant:
    """An access token and what came with it."""

    access_token: str = field(repr=False)
    seconds: float
    refresh_token: str | None = field(repr=False)
    scopes: frozenset[str] | None = None  # None: not known
    portal_id: int | None = None

    @classmethod
    def parse(cls, body: object) -> Self:
        """Read the token endpoint's answer, or raise `ValueError`, saying what it lacks.

        `scopes` and `hub_id` are optional there. An empty list of scopes says as little as none: every token
        has at least one.
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
    """Tell whether a header can carry the text."""
    return bool(text) and text.isascii() and text.isprintable()


@dataclass(frozen=True)
class Held:
    """A token and when it should be replaced, by the monotonic clock."""

    token: str = field(repr=False)
    until: float


class OAuthTokens:
    """Access tokens of an OAuth app: renewed before they expire, by one thread while the others wait."""

    def __init__(  # noqa: PLR0913 - what a client lends to it
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
        self._held: Held | None = None
        self._failure: HubSpotError | None = None
        # As HubSpot told with the last token.
        self.scopes: frozenset[str] | None = None
        self.portal_id: int | None = None

    def token(self) -> str:
        """Return a token that HubSpot should still accept."""
        held = self._held
        if held is not None and self._clock.monotonic() < held.until:
            return held.token
        with self._alone():
            held = self._held
            if held is None or self._clock.monotonic() >= held.until:
                held = self._refresh()
            return held.token

    def renew(self, rejected: str | None) -> bool:
        """Replace the token that HubSpot rejected, unless another thread already did."""
        with self._alone():
            if self._held is not None and self._held.token == rejected:
                self._refresh()
            return True

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one thread in at a time; waiting ends when the run is told to stop."""
        while not self._lock.acquire(timeout=SLICE_SECONDS):
            self._stop.check()
        try:
            yield
        finally:
            self._lock.release()

    def _refresh(self) -> Held:
        """Fetch a token; what failed once for good is not tried again by each thread."""
        if self._failure is not None:
            raise self._failure
        try:
            self._held = self._fetch()
        except HubSpotError as error:
            self._failure = error
            raise
        return self._held

    def _fetch(self) -> Held:
        asked_at = self._clock.monotonic()
        try:
            answer = self._send(Request.form(self._call, self._fields()))
            grant = Grant.parse(answer.body)
        except Refused as refused:
            if refused.status in REJECTIONS:
                raise RefreshTokenRejected(refused) from refused
            raise
        except ValueError as error:
            raise Refused(self._call, answer.status, ErrorBody(message=str(error))) from error
        self._keep(grant)
        return Held(grant.access_token, asked_at + grant.seconds - min(MARGIN_SECONDS, grant.seconds / 2))

    def _fields(self) -> dict[str, str]:
        return {
            "grant_type": "refresh_token",
            "client_id": self._app.client_id,
            "client_secret": self._app.client_secret,
            "refresh_token": self._app.refresh_token,
        }

    def _keep(self, grant: Grant) -> None:
        """Use a rotated refresh token from now on, and let no text show either token."""
        self.scopes = grant.scopes
        self.portal_id = grant.portal_id
        self._redactor.add(grant.access_token)
        if grant.refresh_token:
            self._redactor.add(grant.refresh_token)
            self._app = replace(self._app, refresh_token=grant.refresh_token)
