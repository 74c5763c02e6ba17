from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from hubspot_singer.http import (
    HubSpotClient,
    InvalidCredentials,
    RefreshTokenRejected,
    Refused,
    Stopped,
    Unavailable,
)
from tests.hubspot_singer.http.server import reply, silence

if TYPE_CHECKING:
    from hubspot_singer.http import HubSpotClient
    from tests.clocks import FakeClock
    from tests.hubspot_singer.http.conftest import Connect
    from tests.hubspot_singer.http.server import Handler, ScriptedServer, Step

PATH = "/account-info/2026-03/details"
TOKEN_PATH = "/oauth/2026-03/token"


class Portal:
    """A HubSpot that gives tokens for half an hour and accepts the newest alone."""

    def __init__(self, server: ScriptedServer) -> None:
        self._server = server
        self._lock = threading.Lock()
        self.given = 0
        self.expires_in = 1800
        self.is_rotating = False
        self.token_steps: list[Step] = []
        server.then = self.step

    def step(self, handler: Handler) -> None:
        if handler.path == TOKEN_PATH:
            self._give(handler)
        elif handler.headers["Authorization"] == f"Bearer access-{self.given}":
            reply(200, {"portalId": 1})(handler)
        else:
            reply(401, {"category": "INVALID_AUTHENTICATION"})(handler)

    def _give(self, handler: Handler) -> None:
        if self.token_steps:
            self.token_steps.pop(0)(handler)
            return
        with self._lock:
            self.given += 1
            rotated = {"refresh_token": f"refresh-{self.given}"} if self.is_rotating else {}
            grant = {"access_token": f"access-{self.given}", "expires_in": self.expires_in, **rotated}
        reply(200, grant)(handler)

    @property
    def forms(self) -> list[dict[str, list[str]]]:
        return [parse_qs(seen.content.decode()) for seen in self._server.seen if seen.path == TOKEN_PATH]


@pytest.fixture
def portal(server: ScriptedServer) -> Portal:
    return Portal(server)


@pytest.fixture
def app(connect: Connect, portal: Portal) -> HubSpotClient:  # noqa: ARG001 - the portal must be there first
    return connect(client_id="id", client_secret="sesame", refresh_token="refresh-0")


@pytest.mark.parametrize(
    ("version", "path"), [("2026-09", "/oauth/2026-09/token"), ("v3", "/oauth/v3/token")]
)
def test_a_token_is_asked_for_in_the_version_that_the_settings_name(
    server: ScriptedServer, connect: Connect, version: str, path: str
) -> None:
    server.will(reply(200, {"access_token": "access", "expires_in": 1800}), reply(200, {}))
    client = connect(client_id="id", client_secret="sesame", refresh_token="refresh-0", api_version=version)

    client.get(PATH)

    assert [seen.path for seen in server.seen] == [path, PATH]


def test_the_token_is_asked_for_once_with_a_form(
    app: HubSpotClient, portal: Portal, server: ScriptedServer
) -> None:
    app.get(PATH)
    app.get(PATH)

    assert portal.forms == [
        {
            "grant_type": ["refresh_token"],
            "client_id": ["id"],
            "client_secret": ["sesame"],
            "refresh_token": ["refresh-0"],
        }
    ]
    assert server.seen[0].headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert [seen.token for seen in server.seen] == [None, "Bearer access-1", "Bearer access-1"]


def test_the_token_is_renewed_before_it_expires(app: HubSpotClient, portal: Portal, clock: FakeClock) -> None:
    app.get(PATH)
    clock.sleep(1735)
    app.get(PATH)
    assert portal.given == 1

    clock.sleep(10)
    app.get(PATH)

    assert portal.given == 2


def test_a_short_lived_token_is_used_for_half_its_life(
    app: HubSpotClient, portal: Portal, clock: FakeClock
) -> None:
    portal.expires_in = 40

    app.get(PATH)
    clock.sleep(19)
    app.get(PATH)
    assert portal.given == 1
    clock.sleep(2)
    app.get(PATH)

    assert portal.given == 2


def test_a_rotated_refresh_token_is_used_from_then_on(
    app: HubSpotClient, portal: Portal, clock: FakeClock
) -> None:
    portal.is_rotating = True

    for _ in range(3):
        app.get(PATH)
        clock.sleep(1800)

    assert [form["refresh_token"] for form in portal.forms] == [["refresh-0"], ["refresh-1"], ["refresh-2"]]


def test_threads_that_start_together_share_one_token(app: HubSpotClient, portal: Portal) -> None:
    def give_late(handler: Handler) -> None:
        handler.server.script.closing.wait(0.05)
        portal.step(handler)

    portal.token_steps = [give_late]

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(app.get, [PATH] * 16))

    assert portal.given == 1


def test_a_401_is_answered_by_one_refresh_and_one_retry(app: HubSpotClient, portal: Portal) -> None:
    app.get(PATH)
    portal.given = 5  # access-1 is no longer the newest

    answer = app.get(PATH)

    assert (answer.status, answer.tries) == (200, 2)
    assert len(portal.forms) == 2


def test_threads_that_draw_a_401_together_share_one_refresh(app: HubSpotClient, portal: Portal) -> None:
    app.get(PATH)
    portal.given = 5

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(app.get, [PATH] * 8))

    assert {answer.status for answer in answers} == {200}
    assert len(portal.forms) == 2


def test_a_401_on_a_fresh_token_ends_the_run(
    app: HubSpotClient, portal: Portal, server: ScriptedServer
) -> None:
    def refuse(handler: Handler) -> None:
        portal.given += 1
        portal.step(handler)

    def give(handler: Handler) -> None:
        portal.step(handler)

    server.will(give, refuse, give, refuse)

    with pytest.raises(InvalidCredentials):
        app.get(PATH)

    assert len(server.seen) == 4


DEAD = {
    "status": "BAD_REFRESH_TOKEN",
    "message": "missing or invalid refresh token",
    "error": "invalid_grant",
    "error_description": "refresh token is invalid, expired or revoked",
}


@pytest.mark.parametrize(
    ("status", "body", "step"),
    [
        (400, DEAD, "Connect the app to the portal again and set the refresh_token that it is given."),
        (400, {"error": "invalid_grant"}, "Connect the app to the portal again"),
        (400, {"status": "BAD_CLIENT_SECRET"}, "Check client_secret"),
        (401, {"error": "invalid_client"}, "Check client_id and client_secret."),
    ],
)
def test_a_dead_refresh_token_ends_the_run_for_all_threads(
    app: HubSpotClient, portal: Portal, status: int, body: object, step: str
) -> None:
    portal.token_steps = [reply(status, body)]

    for _ in range(2):
        with pytest.raises(RefreshTokenRejected, match=step):
            app.get(PATH)

    assert len(portal.forms) == 1


def test_trouble_at_the_token_endpoint_is_tried_again(app: HubSpotClient, portal: Portal) -> None:
    portal.token_steps = [reply(503), reply(429), reply(200, b"<html>")]

    assert app.get(PATH).body == {"portalId": 1}

    assert len(portal.forms) == 4


def test_a_token_endpoint_that_stays_away_is_given_up_once_for_all(
    app: HubSpotClient, server: ScriptedServer
) -> None:
    server.then = reply(503)
    with pytest.raises(Unavailable, match=f"POST {TOKEN_PATH} was given up"):
        app.get(PATH)
    calls = app.calls

    with pytest.raises(Unavailable):
        app.get(PATH)

    assert app.calls == calls


@pytest.mark.parametrize(
    ("grant", "lack"),
    [
        ({"expires_in": 1800}, "its answer holds no access_token"),
        ({"access_token": "é", "expires_in": 1800}, "its answer holds no access_token"),
        ({"access_token": "x\n", "expires_in": 1800}, "its answer holds no access_token"),
        ({"access_token": ""}, "its answer holds no access_token"),
        ({"access_token": "x"}, "its answer does not say how long the access_token lasts"),
        ({"access_token": "x", "expires_in": 0}, "its answer does not say how long the access_token lasts"),
        (["x"], "its answer holds no access_token"),
    ],
)
def test_a_token_answer_that_holds_none_is_named(
    app: HubSpotClient, portal: Portal, grant: object, lack: str
) -> None:
    portal.token_steps = [reply(200, grant)]

    with pytest.raises(Refused, match=f"POST {TOKEN_PATH} was answered 200: {lack}"):
        app.get(PATH)


def test_another_refusal_of_the_token_endpoint_is_told_as_it_is(app: HubSpotClient, portal: Portal) -> None:
    portal.token_steps = [reply(500)]

    with pytest.raises(Refused, match=f"POST {TOKEN_PATH} was answered 500"):
        app.get(PATH)


def test_no_error_shows_a_token_or_a_secret(app: HubSpotClient, portal: Portal, clock: FakeClock) -> None:
    portal.is_rotating = True
    app.get(PATH)
    clock.sleep(1800)
    portal.token_steps = [reply(400, {"message": "sesame refresh-0 refresh-1 access-1"})]

    with pytest.raises(RefreshTokenRejected, match="400: <secret> <secret> <secret> <secret>"):
        app.get(PATH)


def test_a_stop_ends_the_wait_for_another_threads_refresh(connect: Connect, portal: Portal) -> None:
    app = connect(client_id="id", client_secret="sesame", refresh_token="refresh-0", read_seconds=0.3)
    is_asking = threading.Event()

    def ask(handler: Handler) -> None:
        is_asking.set()
        silence(handler)

    portal.token_steps = [ask]
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(app.get, PATH)
        is_asking.wait(5)
        app.stop()

        with pytest.raises(Stopped):
            app.get(PATH)
        with pytest.raises(Stopped):
            first.result()
