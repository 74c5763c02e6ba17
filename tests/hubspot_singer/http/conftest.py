from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

from hubspot_singer.http import Connection, HubSpotClient, Timeouts
from tests.clocks import FakeClock
from tests.hubspot_singer.http.server import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "pat-na1-secret-token"


class Connect(Protocol):
    def __call__(self, *, read_seconds: float = ..., **settings: object) -> HubSpotClient: ...


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def connect(server: ScriptedServer, clock: FakeClock) -> Iterator[Connect]:
    """Return a way to make clients of the server; all are closed in the end."""
    with ExitStack() as clients:

        def connect(*, read_seconds: float = 5.0, **settings: object) -> HubSpotClient:
            if "client_id" not in settings:
                settings.setdefault("access_token", TOKEN)
            connection = Connection.from_settings({"api_url": server.url, **settings})
            timeouts = Timeouts(connect=5.0, read=read_seconds)
            return clients.enter_context(HubSpotClient(connection, clock=clock, timeouts=timeouts))

        yield connect


@pytest.fixture
def client(connect: Connect) -> HubSpotClient:
    return connect()
