from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from hubspot_singer.http import (
    Connection,
    DailyLimitReached,
    HubSpotClient,
    InvalidCredentials,
    InvalidRequest,
    MissingScopes,
    NotFound,
    Refused,
    RetryTooFar,
    ServerError,
    SettingsError,
    Stopped,
    TooSlow,
    Unavailable,
)
from tests.hubspot_singer.http.server import hang_up, reply, reset, silence, stalled, truncated

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clocks import FakeClock
    from tests.hubspot_singer.http.conftest import Connect
    from tests.hubspot_singer.http.server import Handler, ScriptedServer, Step

PATH = "/crm/lists/2026-03/42"
READ_SECONDS = 0.25  # a busy machine may take some of it for an answer that does come


def test_the_answer_carries_body_date_and_correlation_id(
    server: ScriptedServer, client: HubSpotClient
) -> None:
    server.will(reply(200, {"list": {"listId": "42"}}, X_HubSpot_Correlation_Id="abc"))

    answer = client.get(PATH)

    assert (answer.status, answer.body, answer.tries) == (200, {"list": {"listId": "42"}}, 1)
    assert answer.correlation_id == "abc"
    assert answer.date is not None
    assert abs((answer.date - datetime.now(UTC)).total_seconds()) < 60


def test_an_answer_that_has_nothing_to_say_is_an_empty_object(
    server: ScriptedServer, client: HubSpotClient
) -> None:
    server.will(reply(204, b""))

    assert client.put(PATH).body == {}


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_a_body_is_sent_as_json_with_the_token(
    server: ScriptedServer, client: HubSpotClient, method: str
) -> None:
    getattr(client, method)(PATH, {"name": "Zoë"})

    [seen] = server.seen
    assert (seen.method, seen.path, seen.body) == (method.upper(), PATH, {"name": "Zoë"})
    assert seen.headers["Content-Type"] == "application/json"
    assert seen.token == "Bearer pat-na1-secret-token"


def test_a_put_without_a_body_sends_none(server: ScriptedServer, client: HubSpotClient) -> None:
    client.put(f"{PATH}/restore")

    [seen] = server.seen
    assert seen.content == b""
    assert "Content-Type" not in seen.headers


def test_parameters_are_spelt_as_hubspot_reads_them(server: ScriptedServer, client: HubSpotClient) -> None:
    client.get(
        PATH,
        params={"includeFilters": True, "archived": False, "limit": 250, "id": ["1", "2"], "after": None},
    )

    assert server.seen[0].query == {
        "includeFilters": ["true"],
        "archived": ["false"],
        "limit": ["250"],
        "id": ["1", "2"],
    }


def test_the_version_of_the_settings_is_in_the_path(connect: Connect) -> None:
    assert connect(api_version="v3").base("crm/lists") == "/crm/v3/lists"


def test_a_netrc_entry_does_not_replace_our_token(
    server: ScriptedServer, client: HubSpotClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    client.get(PATH)

    assert server.seen[0].token == "Bearer pat-na1-secret-token"


def test_plain_http_goes_to_no_proxy(
    server: ScriptedServer, client: HubSpotClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    client.get(PATH)

    assert len(server.seen) == 1


def test_one_connection_serves_one_call_after_another(server: ScriptedServer, client: HubSpotClient) -> None:
    for _ in range(3):
        client.get(PATH)

    assert len({seen.connection for seen in server.seen}) == 1


def test_threads_that_come_and_go_share_few_connections(
    server: ScriptedServer, client: HubSpotClient
) -> None:
    for _ in range(5):
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(client.get, [PATH] * 4))

    assert len(server.seen) == 20
    assert len({seen.connection for seen in server.seen}) <= 2


@pytest.mark.parametrize(
    "trouble",
    [
        reply(408),
        reply(423),
        reply(477),
        reply(502, b"<html>Bad gateway</html>"),
        reply(503),
        reply(504),
        reply(521),
        reply(522),
        reply(523),
        reply(524),
        reply(429, {"policyName": "TEN_SECONDLY_ROLLING"}),
        reset,
        hang_up,
        truncated(),
        truncated(status=400),
        reply(200, b"<html>Hello</html>"),
        reply(200, b""),
        reply(200, b'{"results": ['),
        reply(200, b"\x1f\x8bnot gzip", Content_Encoding="gzip"),
    ],
)
def test_what_may_pass_is_tried_again(
    server: ScriptedServer, client: HubSpotClient, clock: FakeClock, trouble: Step
) -> None:
    server.will(trouble, trouble, reply(200, {"ok": True}))

    answer = client.get(PATH)

    assert (answer.body, answer.tries, client.calls) == ({"ok": True}, 3, 3)
    assert 0 < clock.elapsed < 60
    assert clock.longest_sleep <= 0.2


@pytest.mark.parametrize("trouble", [silence, stalled])
def test_a_time_out_is_tried_again(server: ScriptedServer, connect: Connect, trouble: Step) -> None:
    server.will(trouble, reply(200, {"ok": True}))

    assert connect(read_seconds=READ_SECONDS).get(PATH).tries == 2


@pytest.mark.parametrize("trouble", [silence, stalled, reply(524)])
def test_a_caller_may_bear_only_so_many_time_outs(
    server: ScriptedServer, connect: Connect, trouble: Step
) -> None:
    server.will(reply(503), trouble, trouble)

    with pytest.raises(TooSlow, match=r"given up after 3 tries .* Ask for less at once\.") as caught:
        connect(read_seconds=READ_SECONDS).put(PATH, {}, slow_tries=2)

    assert caught.value.tries == 3


def test_only_time_outs_count_as_such(server: ScriptedServer, client: HubSpotClient) -> None:
    server.will(reset, reply(503), reset, reply(200, {"ok": True}))

    assert client.put(PATH, {}, slow_tries=1).tries == 4


def test_retry_after_is_honoured(server: ScriptedServer, client: HubSpotClient, clock: FakeClock) -> None:
    server.will(reply(503, retry_after="77"))

    client.get(PATH)

    assert clock.elapsed == pytest.approx(77)


def test_retry_after_may_be_a_date(server: ScriptedServer, client: HubSpotClient, clock: FakeClock) -> None:
    def later(handler: Handler) -> None:
        handler.date = "Fri, 20 Mar 2026 09:00:00 GMT"
        reply(503, retry_after="Fri, 20 Mar 2026 09:01:30 GMT")(handler)

    server.will(later)

    client.get(PATH)

    assert clock.elapsed == pytest.approx(90)


def test_a_retry_after_beyond_ten_minutes_ends_at_once(
    server: ScriptedServer, client: HubSpotClient, clock: FakeClock
) -> None:
    server.will(reply(477, retry_after="86400"))

    with pytest.raises(
        RetryTooFar, match=r"GET /crm/lists/2026-03/42: answered 477.* Run again after 2026-03-21"
    ) as caught:
        client.get(PATH)

    assert caught.value.until == datetime(2026, 3, 21, 9, 46, 40, tzinfo=UTC)
    assert (clock.elapsed, client.calls) == (0, 1)


def test_short_waits_that_hubspot_asks_for_again_and_again_are_given_up_after_ten_minutes(
    server: ScriptedServer, client: HubSpotClient, clock: FakeClock
) -> None:
    server.then = reply(429, retry_after="3")

    with pytest.raises(Unavailable, match=r"was given up after 201 tries in 600 s: answered 429"):
        client.get(PATH)

    assert clock.elapsed == pytest.approx(600)


def test_after_ten_minutes_retrying_is_given_up(
    server: ScriptedServer, client: HubSpotClient, clock: FakeClock
) -> None:
    server.then = reply(503, X_HubSpot_Correlation_Id="abc")

    with pytest.raises(Unavailable, match=r"answered 503 \(correlation id abc\)\. Run again later") as caught:
        client.get(PATH)

    assert 500 < clock.elapsed <= 600
    assert caught.value.tries == client.calls
    assert caught.value.status == 503


def test_a_host_that_resets_every_connection_is_tried_for_ten_minutes_too(
    server: ScriptedServer, client: HubSpotClient, clock: FakeClock
) -> None:
    server.then = reset

    with pytest.raises(Unavailable):
        client.get(PATH)

    assert 500 < clock.elapsed <= 600


def test_a_host_that_does_not_answer_is_named_as_such(clock: FakeClock, server: ScriptedServer) -> None:
    url = server.url
    server.__exit__()
    settings = {"access_token": "x", "api_url": url}

    with (
        HubSpotClient(Connection.from_settings(settings), clock=clock) as client,
        pytest.raises(Unavailable, match=r"connection failed \(Connection refused\)\. Check the network"),
    ):
        client.get(PATH)


def test_the_daily_limit_ends_the_run_at_once(
    server: ScriptedServer, client: HubSpotClient, clock: FakeClock
) -> None:
    server.will(reply(429, {"message": "You have reached your daily limit.", "policyName": "DAILY"}))

    with pytest.raises(DailyLimitReached, match="reset at midnight in the portal's time zone"):
        client.get(PATH)

    assert (clock.elapsed, client.calls) == (0, 1)


def test_the_daily_limits_reset_is_named_if_hubspot_tells_it(
    server: ScriptedServer, client: HubSpotClient
) -> None:
    server.will(reply(429, {"policyName": "DAILY"}, retry_after="3600"))

    with pytest.raises(
        DailyLimitReached, match=r"It is reset at \d{4}-\d\d-\d\d \d\d:\d\d UTC; run again then\."
    ):
        client.get(PATH)


def test_after_a_429_no_thread_sends_for_the_policys_interval(
    server: ScriptedServer, client: HubSpotClient, clock: FakeClock
) -> None:
    server.will(reply(429, {"policyName": "SECONDLY"}), reply(429))

    client.get(PATH)

    assert clock.elapsed == pytest.approx(11)


@pytest.mark.parametrize(
    "status", [300, 301, 302, 307, 400, 401, 403, 404, 405, 409, 413, 414, 418, 500, 501, 505, 530]
)
def test_any_other_status_is_final(server: ScriptedServer, client: HubSpotClient, status: int) -> None:
    server.will(reply(status, b"<html>no</html>", Location="/elsewhere"))

    with pytest.raises(Refused, match=f"GET {PATH} was answered {status}") as caught:
        client.get(PATH)

    assert caught.value.status == status
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("status", "asked_for", "tries"), [(500, None, 1), (500, 4, 4), (520, None, 4), (520, 2, 2)]
)
def test_a_server_error_is_final_after_so_many_tries(
    server: ScriptedServer, client: HubSpotClient, status: int, asked_for: int | None, tries: int
) -> None:
    server.then = reply(status, {"message": "oops"}, X_HubSpot_Correlation_Id="abc")

    with pytest.raises(
        ServerError, match=rf"was answered {status}: oops \(correlation id abc\)\. HubSpot failed on"
    ):
        client.get(PATH, server_error_tries=asked_for)

    assert len(server.seen) == tries


@pytest.mark.parametrize("status", [500, 520])
def test_a_server_error_that_passes_is_tried_again_where_the_caller_asks_for_it(
    server: ScriptedServer, client: HubSpotClient, clock: FakeClock, status: int
) -> None:
    server.will(reply(status), reply(503), reply(status), reply(status), reply(200, {"ok": True}))

    answer = client.get(PATH, server_error_tries=4)

    assert (answer.body, answer.tries) == ({"ok": True}, 5)
    assert clock.elapsed < 60


@pytest.mark.parametrize(("status", "sent"), [(500, 1), (520, 2)])
def test_a_write_is_sent_again_after_a_520_and_not_after_a_500(
    server: ScriptedServer, client: HubSpotClient, status: int, sent: int
) -> None:
    server.will(reply(status), reply(200, {"ok": True}))

    with contextlib.suppress(ServerError):
        client.put(PATH, {})

    assert len(server.seen) == sent


def test_a_refused_static_token_is_not_tried_again(server: ScriptedServer, client: HubSpotClient) -> None:
    server.then = reply(401, {"category": "INVALID_AUTHENTICATION"})

    with pytest.raises(InvalidCredentials, match=r"401 INVALID_AUTHENTICATION\. Check that the credentials"):
        client.get(PATH)

    assert client.calls == 1


def test_retries_are_logged_without_people_queries_or_tokens(
    server: ScriptedServer, client: HubSpotClient, caplog: pytest.LogCaptureFixture
) -> None:
    server.will(reply(503), reset)

    client.get("/crm/objects/2026-03/contacts/ada%40example.com", params={"idProperty": "ada@example.com"})

    assert [record.name for record in caplog.records] == ["hubspot_singer.http"] * 2
    assert caplog.messages[0].startswith("GET /crm/objects/2026-03/contacts/<email>: answered 503; try 2 in ")
    assert "example.com" not in caplog.text
    assert "idProperty" not in caplog.text


def test_a_deprecated_api_is_warned_of_once(
    server: ScriptedServer, client: HubSpotClient, caplog: pytest.LogCaptureFixture
) -> None:
    server.then = reply(200, {}, X_HubSpot_API_Deprecated="true")

    client.get(PATH)
    client.get(PATH)

    assert [message for message in caplog.messages if "deprecated" in message] == [
        f"HubSpot says that the API behind GET {PATH} is deprecated: look for an update."
    ]


def test_a_stopped_client_sends_nothing(server: ScriptedServer, client: HubSpotClient) -> None:
    client.stop()

    with pytest.raises(Stopped):
        client.get(PATH)

    assert server.seen == []


def test_a_call_already_sent_returns_after_a_stop(server: ScriptedServer, client: HubSpotClient) -> None:
    def stop_then_reply(handler: Handler) -> None:
        client.stop()
        reply(200, {"ok": True})(handler)

    server.will(stop_then_reply)

    assert client.get(PATH).body == {"ok": True}


@pytest.mark.parametrize("step", [reply(503, retry_after="60"), reply(429)])
def test_a_stop_ends_the_wait_for_a_retry(
    server: ScriptedServer, connect: Connect, clock: FakeClock, step: Step
) -> None:
    client = connect()
    server.will(step)
    clock.after(5, client.stop)

    with pytest.raises(Stopped):
        client.get(PATH)

    assert clock.elapsed == pytest.approx(5, abs=0.3)
    assert len(server.seen) == 1


def test_a_stop_during_a_call_forgoes_its_retry(server: ScriptedServer, client: HubSpotClient) -> None:
    def stop_then_fail(handler: Handler) -> None:
        client.stop()
        reply(503)(handler)

    server.will(stop_then_fail)

    with pytest.raises(Stopped):
        client.get(PATH)


def test_no_more_than_max_concurrency_requests_are_under_way(
    server: ScriptedServer, connect: Connect
) -> None:
    client = connect(max_concurrency=2)
    most = Most()
    server.then = most.step

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(client.get, [PATH] * 12))

    assert most.at_once == 2


class Most:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self.at_once = 0

    def step(self, handler: Handler) -> None:
        with self._lock:
            self._now += 1
            self.at_once = max(self.at_once, self._now)
        handler.server.script.closing.wait(0.01)
        with self._lock:
            self._now -= 1
        reply()(handler)


def test_missing_scopes_are_named(server: ScriptedServer, client: HubSpotClient) -> None:
    server.will(
        reply(
            403,
            {
                "status": "error",
                "message": "This app hasn't been granted all required scopes to make this call.",
                "correlationId": "abc",
                "errors": [{"message": "…", "context": {"requiredGranularScopes": ["crm.lists.write"]}}],
                "category": "MISSING_SCOPES",
            },
        )
    )

    with pytest.raises(MissingScopes, match=r"Grant the app the scopes crm\.lists\.write, and") as caught:
        client.put(PATH, {})

    assert caught.value.scopes == ("crm.lists.write",)


@pytest.mark.parametrize(("status", "kind"), [(400, InvalidRequest), (404, NotFound)])
def test_no_error_shows_what_was_sent(
    server: ScriptedServer, client: HubSpotClient, status: int, kind: type[Refused]
) -> None:
    server.will(reply(status, {"message": "ada@example.com and pat-na1-secret-token\nare wrong"}))

    with pytest.raises(kind) as caught:
        client.post(PATH, {"inputs": ["bob@example.com"]}, params={"email": "eve@example.com"})

    assert str(caught.value).startswith(
        f"POST {PATH} was answered {status}: <email> and <secret> are wrong. "
    )
    assert "@" not in str(caught.value)


def test_a_proxy_that_cannot_be_one_is_named(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://")

    with (
        HubSpotClient(Connection.from_settings({"access_token": "x"}), clock=clock) as client,
        pytest.raises(
            SettingsError, match=r"No request can be sent \(InvalidProxyURL\)\. Check api_url and the"
        ),
    ):
        client.get(PATH)


def test_a_static_token_is_given_no_code(client: HubSpotClient) -> None:
    with pytest.raises(TypeError, match="only an OAuth app"):
        client.redeem("code", "http://localhost:1/")
