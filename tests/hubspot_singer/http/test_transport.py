from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import pytest
import requests

from hubspot_singer.http import Connection, HubSpotClient, SettingsError, Unavailable
from hubspot_singer.http.calls import Call
from hubspot_singer.http.transport import Request

if TYPE_CHECKING:
    from pathlib import Path

    from requests_mock import Mocker

    from tests.clocks import FakeClock
    from tests.hubspot_singer.http.conftest import Connect
    from tests.hubspot_singer.http.server import ScriptedServer

URL = "https://api.hubapi.com/crm/lists/2026-03"
PATH = "/crm/lists/2026-03"


@pytest.fixture
def hubspot(clock: FakeClock) -> HubSpotClient:
    return HubSpotClient(Connection.from_settings({"access_token": "token"}), clock=clock)


def test_hubspots_own_host_is_asked_over_verified_tls(hubspot: HubSpotClient, requests_mock: Mocker) -> None:
    requests_mock.get(URL, json={})

    hubspot.get(PATH)

    sent = requests_mock.last_request
    assert sent is not None
    assert sent.verify is True
    timeout: object = sent.timeout
    assert timeout == (10.0, 120.0)


def test_netrc_is_ignored_where_the_environment_is_not(
    hubspot: HubSpotClient, requests_mock: Mocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(netrc))
    requests_mock.get(URL, json={})

    hubspot.get(PATH)

    sent = requests_mock.last_request
    assert sent is not None
    assert sent.headers["Authorization"] == "Bearer token"
    assert sent.verify == str(netrc)


def test_a_certificate_that_is_not_trusted_ends_the_run_at_once(
    hubspot: HubSpotClient, requests_mock: Mocker
) -> None:
    error = requests.exceptions.SSLError("…")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    requests_mock.get(URL, exc=error)

    with pytest.raises(SettingsError, match="The certificate of api_url's host is not trusted"):
        hubspot.get(PATH)

    assert hubspot.calls == 1


def test_a_connection_that_takes_too_long_is_named(hubspot: HubSpotClient, requests_mock: Mocker) -> None:
    requests_mock.get(URL, exc=requests.ConnectTimeout)

    with pytest.raises(Unavailable, match="no connection within 10 s"):
        hubspot.get(PATH, slow_tries=1)

    assert hubspot.calls > 10


def unknown_host() -> requests.ConnectionError:
    error = requests.ConnectionError("…")
    error.__cause__ = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return error


def test_a_host_that_is_unknown_is_given_up_after_20_seconds(
    hubspot: HubSpotClient, requests_mock: Mocker, clock: FakeClock
) -> None:
    requests_mock.get(URL, exc=unknown_host())

    with pytest.raises(
        Unavailable, match=r"the host's name cannot be resolved to an address\. Check the network"
    ):
        hubspot.get(PATH)

    assert hubspot.calls > 1
    assert clock.elapsed <= 20


def test_a_host_that_speaks_no_tls_is_given_up_after_20_seconds(
    server: ScriptedServer, connect: Connect, clock: FakeClock
) -> None:
    hubspot = connect(api_url=server.url.replace("http:", "https:"))

    with pytest.raises(Unavailable, match=r"the host does not speak TLS on this port\. Check the network"):
        hubspot.get(PATH)

    assert hubspot.calls > 1
    assert clock.elapsed <= 20


def test_a_host_that_answered_before_is_asked_for_ten_minutes(
    hubspot: HubSpotClient, requests_mock: Mocker, clock: FakeClock
) -> None:
    requests_mock.get(URL, [{"json": {}}, *[{"exc": unknown_host()}] * 1000])
    hubspot.get(PATH)

    with pytest.raises(Unavailable):
        hubspot.get(PATH)

    assert 300 <= clock.elapsed <= 600


def test_a_client_can_be_told_to_give_up_sooner(
    hubspot: HubSpotClient, requests_mock: Mocker, clock: FakeClock
) -> None:
    requests_mock.get(URL, status_code=503)
    hubspot.give_up_after(20)

    with pytest.raises(Unavailable):
        hubspot.get(PATH)

    assert hubspot.calls > 1
    assert clock.elapsed <= 20


def test_the_text_of_a_network_error_is_not_shown(
    hubspot: HubSpotClient, requests_mock: Mocker, caplog: pytest.LogCaptureFixture
) -> None:
    requests_mock.get(URL, exc=requests.ConnectionError(f"no route to {URL}?email=ada@example.com"))

    with pytest.raises(Unavailable, match=r"s: connection failed\. Check the network"):
        hubspot.get(PATH)

    assert "example.com" not in caplog.text


def test_the_repr_of_a_request_shows_neither_query_nor_body() -> None:
    request = Request.json(Call("POST", PATH), {"email": "ada@example.com"}, params={"q": "bob@example.com"})

    assert "example.com" not in repr(request)


def test_a_body_that_is_no_json_is_not_sent() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Request.json(Call("POST", PATH), {"score": float("nan")})


def test_the_client_redacts_for_others_too(hubspot: HubSpotClient) -> None:
    assert hubspot.redact("token of ada@example.com") == "<secret> of <email>"
