"""Sends a request once, and returns the response or the problem that prevented it."""

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
    """Time-outs in seconds: for the connection, and for the next bytes of an answer."""

    connect: float = CONNECT_SECONDS
    read: float = READ_SECONDS


@dataclass(frozen=True)
class Request:
    """A request to send. Its repr leaves out query and body, which may hold addresses or secrets."""

    call: Call
    params: Params | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    content_type: str | None = None

    @classmethod
    def json(cls, call: Call, body: object = None, *, params: Params | None = None) -> Request:
        """Return a request with a JSON body, or without a body; raise ValueError for NaN and Infinity."""
        if body is None:
            return cls(call, params)
        return cls(call, params, json.dumps(body, allow_nan=False).encode(), "application/json")

    @classmethod
    def form(cls, call: Call, fields: Mapping[str, str]) -> Request:
        """Return a request with a form as its body."""
        return cls(call, None, urlencode(fields).encode(), "application/x-www-form-urlencoded")


class Bearer(AuthBase):
    """Sets the Authorization header, or none. Without an `auth`, requests would take one from `.netrc`."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Set the header."""
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Transport:
    """Connections to one host, by a pool of sessions; two threads never use one session at the same time."""

    def __init__(self, api_url: str, *, user_agent: str, timeouts: Timeouts) -> None:
        self._api_url = api_url
        self._user_agent = user_agent
        self._timeouts = timeouts
        self._lock = threading.Lock()
        self._idle: list[requests.Session] = []

    def send(self, request: Request, token: str | None) -> Reply | Problem:
        """Send the request once; return the response, or the problem if there is none.

        Raises `SettingsError` where a retry is pointless: an untrusted certificate, or an unusable address or proxy.
        """
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
        """Close the connections that are not in use."""
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()

    @contextmanager
    def _session(self) -> Iterator[requests.Session]:
        """Lend a session. One that failed, or was interrupted, is closed and not lent again."""
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
        # Plain http is for this machine alone. A proxy would read the token.
        session.trust_env = self._api_url.startswith("https:")
        return session


def _query(params: Params | None) -> dict[str, str | Sequence[str | int] | int]:
    """Return the query without parameters that are None, with booleans as HubSpot writes them."""
    return {
        name: ("true" if value else "false") if isinstance(value, bool) else value
        for name, value in (params or {}).items()
        if value is not None
    }


def _problem(error: requests.RequestException, timeouts: Timeouts) -> Problem:
    """Return the problem that an exception stands for. Its own text is not used: it may show the query."""
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        raise SettingsError(
            "The certificate of api_url's host is not trusted. Check api_url, or name the certificates to"
            " trust in the environment variable REQUESTS_CA_BUNDLE."
        ) from None
    if isinstance(error, ValueError):  # requests raises these for addresses and proxies that it cannot use
        raise SettingsError(
            f"No request can be sent ({type(error).__name__}). Check api_url and the environment's proxies."
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
    """Yield the exception, its cause or context, and so on down to the first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
