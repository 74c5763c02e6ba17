"""The emulator's sockets: tokens, budgets, scripted faults and the end of it all."""

from __future__ import annotations

import re
import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import requests

from tests.hubspot_emulator import ALL_SCOPES, HubSpotEmulator, Portal, StoppedClock

if TYPE_CHECKING:
    from collections.abc import Iterator

DETAILS = "/account-info/2026-03/details"
ADD = "/crm/lists/2026-03/1/memberships/add"


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(1_795_000_000.0)


@pytest.fixture
def hubspot(clock: StoppedClock) -> Iterator[HubSpotEmulator]:
    with HubSpotEmulator(Portal(clock=clock)) as running:
        yield running


def call(
    hubspot: HubSpotEmulator, method: str, path: str, json: object = None, *, token: str | None = None
) -> requests.Response:
    headers = {"Authorization": f"Bearer {token or hubspot.token}"}
    return requests.request(method, hubspot.url + path, json=json, headers=headers, timeout=5)


def call_in_vain(hubspot: HubSpotEmulator) -> None:
    with pytest.raises(requests.ConnectionError):
        call(hubspot, "GET", DETAILS)


def test_a_call_without_a_known_token_is_refused_with_401(hubspot: HubSpotEmulator) -> None:
    without = requests.get(hubspot.url + DETAILS, timeout=5)
    wrong = call(hubspot, "GET", DETAILS, token="pat-unknown")

    assert (without.status_code, wrong.status_code) == (401, 401)
    assert wrong.json()["category"] == "INVALID_AUTHENTICATION"
    assert wrong.json()["correlationId"] == wrong.headers["x-hubspot-correlation-id"]


def test_a_token_that_may_write_lists_but_not_read_them_cannot_change_memberships() -> None:
    with HubSpotEmulator(tokens={"pat-writes": ALL_SCOPES - {"crm.lists.read"}}) as hubspot:
        refused = call(hubspot, "PUT", ADD, [])

    assert refused.status_code == 403
    assert refused.json()["category"] == "MISSING_SCOPES"
    assert refused.json()["errors"][0]["context"] == {"requiredGranularScopes": ["crm.lists.read"]}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/account-info/2026-09/details", 200),
        ("GET", "/account-info/2031-03/details", 200),
        ("GET", "/account-info/v3/details", 200),
        ("GET", "/account-info/2025-09/details", 404),
        ("GET", "/account-info/2026-06/details", 404),
        ("GET", "/account-info/2026-09-beta/details", 404),
        ("GET", "/crm/v3/lists", 200),
        ("GET", "/crm/lists/v3", 404),
        ("GET", "/crm/lists/2026-03/unknown/route", 404),
        ("PATCH", "/account-info/2026-03/details", 405),
        ("GET", "/account-info/2026-03/details?verbose=true", 400),
    ],
)
def test_paths_and_versions_are_hubspots_own(
    hubspot: HubSpotEmulator, method: str, path: str, status: int
) -> None:
    assert call(hubspot, method, path).status_code == status


def test_a_body_that_is_not_declared_as_json_is_refused(hubspot: HubSpotEmulator) -> None:
    answer = requests.put(
        hubspot.url + ADD, data="[]", headers={"Authorization": f"Bearer {hubspot.token}"}, timeout=5
    )

    assert answer.status_code == 415


def test_the_burst_budget_is_told_in_headers_and_its_end_by_a_429(clock: StoppedClock) -> None:
    with HubSpotEmulator(Portal(clock=clock), burst_limit=2) as hubspot:
        first, second, third = (call(hubspot, "GET", DETAILS) for _ in range(3))
        clock.advance(10)
        fourth = call(hubspot, "GET", DETAILS)

    assert [each.status_code for each in (first, second, third, fourth)] == [200, 200, 429, 200]
    assert first.headers["X-HubSpot-RateLimit-Max"] == "2"
    assert first.headers["X-HubSpot-RateLimit-Remaining"] == "1"
    assert first.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert third.json()["policyName"] == "TEN_SECONDLY_ROLLING"
    assert "Retry-After" not in third.headers
    assert hubspot.limits.refused == {"TEN_SECONDLY_ROLLING": 1}
    assert hubspot.calls(status=429) == 1


def test_another_process_with_the_same_token_uses_up_the_budget(clock: StoppedClock) -> None:
    with HubSpotEmulator(Portal(clock=clock), burst_limit=100) as hubspot:
        hubspot.limits.spend(hubspot.token, 100)

        assert call(hubspot, "GET", DETAILS).status_code == 429


def test_the_daily_limit_lasts_until_midnight(clock: StoppedClock) -> None:
    with HubSpotEmulator(Portal(clock=clock), daily_limit=1) as hubspot:
        first, second = (call(hubspot, "GET", DETAILS) for _ in range(2))
        clock.advance(86_400)
        third = call(hubspot, "GET", DETAILS)

    assert first.headers["X-HubSpot-RateLimit-Daily-Remaining"] == "0"
    assert second.json()["policyName"] == "DAILY"
    assert third.status_code == 200


def test_a_scripted_answer_is_given_as_often_as_told(hubspot: HubSpotEmulator) -> None:
    hubspot.faults.next("GET", "/details", times=2, after=1, status=429, policy="DAILY")

    statuses = [call(hubspot, "GET", DETAILS).status_code for _ in range(4)]

    assert statuses == [200, 429, 429, 200]
    assert hubspot.faults.pending == []


def test_scripted_answers_are_recorded_with_the_size_of_what_they_refused(hubspot: HubSpotEmulator) -> None:
    hubspot.faults.next("PUT", "/memberships/add", status=413)

    call(hubspot, "PUT", ADD, ["1", "2", "3"])

    assert [(each.status, each.inputs) for each in hubspot.requests] == [(413, 3)]


def test_a_target_that_is_too_long_is_414(hubspot: HubSpotEmulator) -> None:
    ids = "&".join(f"listIds={number}" for number in range(1000))

    assert call(hubspot, "GET", f"/crm/lists/2026-03?{ids}").status_code == 414


def test_a_page_of_a_proxys_is_not_json(hubspot: HubSpotEmulator) -> None:
    hubspot.faults.not_json("GET", "/details")

    answer = call(hubspot, "GET", DETAILS)

    assert answer.headers["Content-Type"] == "text/html"
    assert answer.text.startswith("<html>")


def test_a_reset_applies_nothing(hubspot: HubSpotEmulator) -> None:
    hubspot.portal.add_list("VIP")
    hubspot.faults.reset("PUT", "/memberships/add")

    with pytest.raises(requests.ConnectionError):
        call(hubspot, "PUT", ADD, [hubspot.portal.add_contact("ada@example.com")])

    assert hubspot.portal.members("VIP") == set()
    assert hubspot.requests[-1].status is None


def test_accept_then_drop_applies_the_write_and_loses_the_answer(hubspot: HubSpotEmulator) -> None:
    hubspot.portal.add_list("VIP")
    hubspot.faults.accept_then_drop("PUT", "/memberships/add")

    with pytest.raises(requests.ConnectionError):
        call(hubspot, "PUT", ADD, [hubspot.portal.add_contact("ada@example.com")])

    assert hubspot.portal.member_emails("VIP") == {"ada@example.com"}
    assert hubspot.requests[-1].inputs == 1


def test_a_truncated_answer_breaks_off_within_its_body(hubspot: HubSpotEmulator) -> None:
    hubspot.faults.truncate("GET", "/details")

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        call(hubspot, "GET", DETAILS)


def test_a_scripted_answer_may_hide_that_the_write_took_effect(hubspot: HubSpotEmulator) -> None:
    ada = hubspot.portal.add_contact("ada@example.com")
    hubspot.portal.add_list("VIP")
    hubspot.faults.next("PUT", "/memberships/add", status=504, takes_effect=True)
    hubspot.faults.not_json("PUT", "/memberships/remove", takes_effect=True)

    added = call(hubspot, "PUT", ADD, [ada])
    after_the_first = hubspot.portal.members("VIP")
    removed = call(hubspot, "PUT", ADD.replace("/add", "/remove"), [ada])

    assert (added.status_code, after_the_first) == (504, {ada})
    assert (removed.text[:6], hubspot.portal.members("VIP")) == ("<html>", set())
    assert [each.status for each in hubspot.requests] == [504, 200]


def test_a_pattern_means_the_whole_of_path_and_query(hubspot: HubSpotEmulator) -> None:
    hubspot.faults.next("GET", re.compile("/crm/lists/2026-03"), times=None, status=502)

    paths = ("/crm/lists/2026-03/1", "/crm/lists/2026-03?listIds=1", "/crm/lists/2026-03")
    statuses = [call(hubspot, "GET", path).status_code for path in paths]

    assert statuses == [404, 200, 502]


def test_an_answer_may_arrive_in_pieces(hubspot: HubSpotEmulator) -> None:
    hubspot.faults.drip("GET", "/details", 0.001)

    with socket.create_connection(
        ("127.0.0.1", int(hubspot.url.rpartition(":")[2])), timeout=5
    ) as connection:
        head = f"GET {DETAILS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {hubspot.token}\r\n\r\n"
        connection.sendall(head.encode())
        pieces = [connection.recv(65_536)]
        while not pieces[-1].endswith(b"}"):
            pieces.append(connection.recv(65_536))

    assert len(pieces) > 3
    assert b'"portalId"' in b"".join(pieces)
    assert call(hubspot, "GET", DETAILS).status_code == 200


def test_an_answer_may_be_changed_on_its_way(hubspot: HubSpotEmulator) -> None:
    ada = hubspot.portal.add_contact("ada@example.com")
    hubspot.portal.add_list("VIP")
    hubspot.faults.change("PUT", "/memberships/add", lambda answer: replace(answer, body=[answer.body]))

    assert call(hubspot, "PUT", ADD, [ada]).json() == [{"recordsIdsAdded": [ada]}]
    assert hubspot.portal.members("VIP") == {ada}


def test_a_call_may_take_effect_and_hang(hubspot: HubSpotEmulator) -> None:
    ada = hubspot.portal.add_contact("ada@example.com")
    hubspot.portal.add_list("VIP")
    hubspot.faults.hang("PUT", "/memberships/add", takes_effect=True)

    headers = {"Authorization": f"Bearer {hubspot.token}"}
    with pytest.raises(requests.ReadTimeout):
        requests.put(hubspot.url + ADD, json=[ada], headers=headers, timeout=0.2)

    assert hubspot.portal.members("VIP") == {ada}


def test_a_hanging_call_ends_with_the_clients_patience(hubspot: HubSpotEmulator) -> None:
    hubspot.faults.hang("GET", "/details")

    with pytest.raises(requests.ReadTimeout):
        requests.get(hubspot.url + DETAILS, timeout=0.05)


def test_a_delayed_write_takes_effect_after_the_client_gave_up_but_not_after_the_end() -> None:
    with HubSpotEmulator() as hubspot:
        ada = hubspot.portal.add_contact("ada@example.com")
        hubspot.portal.add_list("Late")
        hubspot.portal.add_list("Never")
        hubspot.faults.delay("PUT", "/1/memberships/add", 0.06)
        hubspot.faults.delay("PUT", "/2/memberships/add", 60)
        for path in (ADD, ADD.replace("/1/", "/2/")):
            with pytest.raises(requests.ReadTimeout):
                requests.put(
                    hubspot.url + path,
                    json=[ada],
                    headers={"Authorization": f"Bearer {hubspot.token}"},
                    timeout=0.05,
                )
        while not hubspot.portal.members("Late"):
            pass

    assert hubspot.portal.members("Never") == set()


def test_a_hook_runs_before_the_request_and_a_delay_before_a_fault(hubspot: HubSpotEmulator) -> None:
    hubspot.portal.add_list("VIP")
    hubspot.faults.call("PUT", "/memberships/add", lambda: hubspot.portal.delete_list("VIP"))
    hubspot.faults.delay("PUT", "/memberships/add", 0.001, times=2)
    hubspot.faults.next("PUT", "/memberships/add", after=1, status=502)

    statuses = [call(hubspot, "PUT", ADD, []).status_code for _ in range(2)]

    assert statuses == [404, 502]


def test_the_date_header_tells_the_emulators_time(hubspot: HubSpotEmulator) -> None:
    assert call(hubspot, "GET", DETAILS).headers["Date"] == "Wed, 18 Nov 2026 11:06:40 GMT"


def test_stopping_ends_idle_and_hanging_connections_and_every_thread() -> None:
    before = threading.active_count()
    with HubSpotEmulator() as hubspot, requests.Session() as session:
        session.get(hubspot.url + DETAILS, timeout=5)
        hubspot.faults.hang("GET", "/details")
        hanging = threading.Thread(target=call_in_vain, args=(hubspot,))
        hanging.start()
        while hanging.is_alive() and hubspot.calls() < 2:
            pass
        hubspot.stop()
        hanging.join()

    assert threading.active_count() == before


def test_a_mistake_of_the_emulators_own_ends_the_with_block() -> None:
    hubspot = HubSpotEmulator()
    hubspot.faults.call("GET", "/details", lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError), hubspot:
        call_in_vain(hubspot)
