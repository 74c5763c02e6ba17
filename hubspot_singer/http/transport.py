"""Sends a request over the wire once and returns the reply, or the problem on the way."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import requests
from requests.auth import AuthBase
from urllib3.exceptions import ReadTimeoutError

from hubspot_singer.http.answers import Reply
from hubspot_singer.http.errors import SettingsError
from hubspot_singer.http.retries import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hubspot_singer.http.calls import Call

Param = str | int | bool | Sequence[str | int] | None
Params = Mapping[str, Param]

# OpenSSL's names, old and new, for an answer that is not TLS.
NO_TLS_REASONS = frozenset({"WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"})
CONNECT_SECONDS = 10.0
# HubSpot gives a request 100 s and then answers 524: https://developers.hubspot.com/docs/api-reference/error-handling
READ_SECONDS = 120.0


@dataclass(frozen=True)
class Timeouts:
    """How long to wait for a connection, and for the next bytes of an answer, in seconds."""

    connect: float = CONNECT_SECONDS
    read: float = READ_SECONDS


@dataclass(frozen=True)
class Request:
    """What to send; its repr leaves out what may hold people or secrets."""

    call: Call
    params: Params | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    content_type: str | None = None

    @classmethod
    def json(cls, call: Call, body: object = None, *, params: Params | None = None) -> Request:
        """Return a request with a JSON body, or with none."""
        if body is None:
            return cls(call, params)
        return cls(call, params, json.dumps(body, allow_nan=False).encode(), "application/json")

    @classmethod
    def form(cls, call: Call, fields: Mapping[str, str]) -> Request:
        """Return a request with a form as its body."""
        return cls(call, None, urlencode(fields).encode(), "application/x-www-form-urlencoded")


class Bearer(AuthBase):
    """Our own Authorization header, or none; without an `auth`, requests would take one from `.netrc`."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the header on."""
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Transport:
    """Connections to one host; no two threads ever share a session."""

    def __init__(self, api_url: str, *, user_agent: str, timeouts: Timeouts) -> None:
        self._api_url = api_url
        self._user_agent = user_agent
        self._timeouts = timeouts
        self._lock = threading.Lock()
        self._idle: list[requests.Session] = []

    def send(self, request: Request, token: str | None) -> Reply | Problem:
        """Send it once."""
        try:
            with self._session() as session:
                response = session.request(
                    request.call.method,
                    self._api_url + request.call.path,
                    params=_query(request.params),
                    data=request.content,
                    headers={"Content-Type": request.content_type} if request.content_type else None,
                    auth=Bearer(token),
                    timeout=(self._timeouts.connect, self._timeouts.read),
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            return _problem(error, self._timeouts)
        return Reply(response.status_code, response.headers, response.content)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()

    @contextmanager
    def _session(self) -> Iterator[requests.Session]:
        """Lend a session; one that failed, or was interrupted, is not lent again."""
        with self._lock:
            session = self._idle.pop() if self._idle else self._new_session()
        try:
            yield session
        except BaseException:
            session.close()
            raise
        with self._lock:
            self._idle.append(session)

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.headers.update({"Accept": "application/json", "User-Agent": self._user_agent})
        # Plain http goes to this machine alone, so to no proxy either: it would read the token.
        session.trust_env = self._api_url.startswith("https:")
        return session


def _query(params: Params | None) -> dict[str, str | Sequence[str | int] | int]:
    """Leave out what is None, and spell booleans as HubSpot does."""
    return {
        name: ("true" if value else "false") if isinstance(value, bool) else value
        for name, value in (params or {}).items()
        if value is not None
    }


def _problem(error: requests.RequestException, timeouts: Timeouts) -> Problem:
    """Name what happened; the exception's own text could show the address with its query."""
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        raise SettingsError(
            "The certificate of api_url's host is not trusted. Check api_url, or name the certificates to"
            " trust in the environment variable REQUESTS_CA_BUNDLE."
        ) from None
    if isinstance(error, ValueError):  # requests' own way to say that there is nothing to try again
        raise SettingsError(
            f"Nothing can be sent ({type(error).__name__}). Check api_url and the environment's proxies."
        ) from None
    if isinstance(error, requests.ConnectTimeout):
        return Problem(f"no connection within {timeouts.connect:g} s")
    if isinstance(error, requests.ReadTimeout) or any(
        isinstance(cause, ReadTimeoutError) for cause in causes
    ):
        return Problem(f"no answer within {timeouts.read:g} s", is_slow=True)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Problem("the host's name cannot be resolved to an address", is_unreachable=True)
    if any(isinstance(cause, ssl.SSLError) and cause.reason in NO_TLS_REASONS for cause in causes):
        return Problem("the host does not speak TLS on this port", is_unreachable=True)
    reasons = [cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror]
    kind = "connection failed" if isinstance(error, requests.ConnectionError) else "answer broken off"
    return Problem(f"{kind} ({reasons[-1]})" if reasons else kind)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception, what it was raised from, and so on down to the first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
