"""The running emulator: its address, tokens, limits and faults, and a record of every request."""

from __future__ import annotations

from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit
from uuid import uuid4

from tests.hubspot_emulator import (
    routes_account,
    routes_campaigns,
    routes_consent,
    routes_contact_batches,
    routes_contacts,
    routes_events,
    routes_lists,
    routes_memberships,
    routes_oauth,
    routes_portal,
    routes_properties,
)
from tests.hubspot_emulator.answers import Answer, HubSpotError
from tests.hubspot_emulator.bodies import Query
from tests.hubspot_emulator.credentials import ALL_SCOPES, Credentials, OAuthApp, check_scopes
from tests.hubspot_emulator.faults import Faults
from tests.hubspot_emulator.limits import Limits
from tests.hubspot_emulator.portal import Portal
from tests.hubspot_emulator.routing import Call, Table
from tests.hubspot_emulator.server import Server
from tests.hubspot_emulator.traffic import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from tests.hubspot_emulator.routing import Route
    from tests.hubspot_emulator.traffic import Incoming

DEFAULT_TOKEN = "pat-na1-emulated-0123456789"
TABLE = Table(
    api.routes
    for api in (
        routes_account,
        routes_campaigns,
        routes_consent,
        routes_contact_batches,
        routes_contacts,
        routes_events,
        routes_lists,
        routes_memberships,
        routes_oauth,
        routes_portal,
        routes_properties,
    )
)


class HubSpotEmulator:
    """Serves a portal on a loopback socket for as long as the `with` block runs."""

    def __init__(
        self,
        portal: Portal | None = None,
        *,
        tokens: Mapping[str, Iterable[str]] | None = None,
        burst_limit: int | None = None,
        daily_limit: int | None = None,
        latency: float = 0.0,
        clock: Callable[[], float] | None = None,
        port: int = 0,
    ) -> None:
        self.portal = portal or Portal()
        self.portal.clock = clock or self.portal.clock
        static = {DEFAULT_TOKEN: ALL_SCOPES} if tokens is None else tokens
        self.token = next(iter(static), "")
        self.oauth = OAuthApp(self.portal.portal_id, self._now)
        self.credentials = Credentials(static, self.oauth)
        self.limits = Limits(self._now, burst_limit, daily_limit, self.portal.utc_offset)
        self.latency = latency  # seconds before every answer
        self.tells_scopes = True  # as for a legacy private app; a service key's scopes are not told
        self.faults = Faults()
        self.requests: list[Request] = []
        self.crashes: list[
            BaseException
        ] = []  # mistakes of the emulator's own; the `with` block ends with the first
        self.stopping = Event()
        self.most_in_flight = 0  # requests that were being handled at the same time
        self._in_flight = 0
        self._lock = Lock()
        self._port = port
        self._server: Server | None = None
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        if self._server is None:
            raise RuntimeError("the emulator is not running")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        return self if self._server is not None else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self.crashes and error is None:
            raise self.crashes[0]

    def start(self) -> Self:
        """Listen; an OSError says that the port cannot be had."""
        self._server = Server(self._port, self)
        self._thread = Thread(target=self._server.serve_forever, args=(0.005,), name="hubspot-emulator")
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close every connection and end every thread; harmless when stopped already."""
        if self._server is None or self._thread is None:
            return
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()
        self._server = None

    def calls(self, method: str | None = None, path_contains: str = "", *, status: int | None = None) -> int:
        """Count the requests so far."""
        return sum(
            method in {None, request.method}
            and path_contains in request.target
            and status in {None, request.status}
            for request in list(self.requests)
        )

    @property
    def in_flight(self) -> int:
        """Return how many requests are being handled."""
        with self._lock:
            return self._in_flight

    def record(self, incoming: Incoming) -> Request:
        path, _, query = incoming.target.partition("?")
        request = Request(
            incoming.method,
            path,
            query,
            len(incoming.content),
            self._now(),
            user_agent=incoming.headers.get("User-Agent", ""),
        )
        with self._lock:
            self.requests.append(request)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        return request

    def done(self) -> None:
        with self._lock:
            self._in_flight -= 1

    def answer(self, incoming: Incoming, request: Request) -> Answer:
        """Handle a request: route, token, budget, scopes, and then the portal's rules."""
        if self.latency:
            self.stopping.wait(self.latency)
        correlation_id = str(uuid4())
        headers = {"x-hubspot-correlation-id": correlation_id}
        try:
            answer = self._handled(incoming, request, headers)
        except HubSpotError as error:
            answer = error.answer(correlation_id)
        return Answer(answer.status, answer.body, {**headers, **answer.headers}, answer.content)

    def _handled(self, incoming: Incoming, request: Request, headers: dict[str, str]) -> Answer:
        if len(incoming.target) > self.portal.quirks.longest_target:
            raise HubSpotError(414, "URI_TOO_LONG", "The request URI is too long.")
        split = urlsplit(incoming.target)
        route, parameters = TABLE.find(incoming.method, split.path)
        grant = None
        if route.needs_token:
            grant = self.credentials.grant(incoming.headers.get("Authorization"), self._now())
            headers |= self.limits.admit(grant, search=route.search)
            check_scopes(grant, route.scopes)
        _check_content_type(route, incoming)
        call = Call(
            portal=self.portal,
            oauth=self.oauth,
            static_tokens=self.credentials.static if self.tells_scopes else {},
            limits=self.limits,
            grant=grant,
            version=parameters.get("version", ""),
            parameters=parameters,
            query=Query(split.query, route.query),
            content=incoming.content,
            request=request,
        )
        return route.function(call)

    def _now(self) -> float:
        return self.portal.clock()


def _check_content_type(route: Route, incoming: Incoming) -> None:
    expected = "application/x-www-form-urlencoded" if route.form else "application/json"
    sent = incoming.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if incoming.content and sent != expected:
        raise HubSpotError(415, "UNSUPPORTED_MEDIA_TYPE", f"Unsupported content type; send {expected}")
