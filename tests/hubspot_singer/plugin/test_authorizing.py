"""`--authorize`: a person allows an OAuth app in a browser, and the command gives the settings to use it with."""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import stat
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from hubspot_singer.http import Connection, ConsentRejected, Refused, SettingsError
from hubspot_singer.plugin.authorizing import Authorizing
from hubspot_singer.plugin.consent import CONSENT_SECONDS, ConsentRequest
from hubspot_singer.plugin.errors import NoConsent, UnwritableFile
from hubspot_singer.plugin.private_files import new_private_file
from hubspot_singer.plugin.redirect_urls import RedirectUrl
from tests.clocks import FakeClock
from tests.forms import Form
from tests.processes import Plugin, config_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.hubspot_emulator import HubSpotEmulator

PLUGINS = ("target_hubspot_lists", "tap_hubspot_email_events")
OWN: dict[str, dict[str, Any]] = {
    "target_hubspot_lists": {"match_by": "contact_id", "dry_run": True},
    "tap_hubspot_email_events": {"start_date": "2026-10-20"},
}
SCOPES = {
    "target_hubspot_lists": "oauth crm.lists.read",
    "tap_hubspot_email_events": "oauth content",
}


class Browser:
    """A person in front of a browser, who presses one button of HubSpot's page."""

    def __init__(self, button: str = "connect") -> None:
        self.button = button
        self.seen: list[requests.Response] = []

    def open(self, address: str) -> requests.Response:
        """Open the address, press the button, and return the page on which it ends."""
        page = requests.get(address, timeout=10)
        self.seen.append(page)
        form = Form(page.text)
        if not form.action:
            return page
        parts = urlsplit(address)
        action = f"{parts.scheme}://{parts.netloc}{form.action}"
        query = urlencode({**form.fields, "choice": self.button})
        self.seen.append(requests.get(f"{action}?{query}", timeout=10))
        return self.seen[-1]


def free_url(path: str = "/") -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://localhost:{probe.getsockname()[1]}{path}"


def app_of(hubspot: HubSpotEmulator) -> dict[str, str]:
    return {
        "api_url": hubspot.url,
        "client_id": hubspot.oauth.client_id,
        "client_secret": hubspot.oauth.client_secret,
    }


def address_in(log: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+/oauth/authorize\?\S+", log)
    return found[0] if found else ""


@pytest.fixture(params=PLUGINS)
def module(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def start(module: str, tmp_path: Path, hubspot: HubSpotEmulator, *options: str, **settings: Any) -> Plugin:
    config = config_file(tmp_path, {**app_of(hubspot), **OWN[module], **settings})
    return Plugin(module, f"--config={config}", "--authorize", *options)


# The command


def test_the_settings_of_a_consent_are_printed_and_can_be_used(
    module: str, tmp_path: Path, hubspot: HubSpotEmulator
) -> None:
    hubspot.oauth.scopes = frozenset(SCOPES[module].split())
    with start(module, tmp_path, hubspot, f"--redirect-url={free_url()}") as command:
        address = address_in(command.wait_for_log("/oauth/authorize"))
        page = Browser().open(address)

        assert command.wait() == 0
    settings = json.loads(command.printed)

    assert parse_qs(urlsplit(address).query)["scope"] == [SCOPES[module]]
    assert "HubSpot has answered" in page.text
    assert settings == {
        "client_id": hubspot.oauth.client_id,
        "client_secret": hubspot.oauth.client_secret,
        "refresh_token": hubspot.oauth.refresh_token,
    }
    assert f"The portal {hubspot.portal.portal_id} allowed the access" in command.log
    for secret in (hubspot.oauth.client_secret, hubspot.oauth.refresh_token, "code="):
        assert secret not in command.log


def test_a_file_takes_the_settings_which_only_its_owner_can_read(
    module: str, tmp_path: Path, hubspot: HubSpotEmulator
) -> None:
    path = tmp_path / "oauth.json"
    with start(
        module, tmp_path, hubspot, f"--redirect-url={free_url()}", f"--authorize-file={path}"
    ) as command:
        Browser().open(address_in(command.wait_for_log("/oauth/authorize")))

        assert command.wait() == 0
    used = config_file(tmp_path, {**OWN[module], "api_url": hubspot.url})
    with Plugin(module, f"--config={used}", f"--config={path}", "--check") as check:
        assert check.wait() == 0

    assert command.printed == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "The connection works." in check.log


def test_a_scope_that_was_not_given_is_told_with_the_settings(
    module: str, tmp_path: Path, hubspot: HubSpotEmulator
) -> None:
    hubspot.oauth.scopes = frozenset(SCOPES[module].split())
    lacking = SCOPES[module].split()[-1]
    with start(module, tmp_path, hubspot, f"--redirect-url={free_url()}") as command:
        address = address_in(command.wait_for_log("/oauth/authorize"))
        query = parse_qs(urlsplit(address).query)
        others = [each for each in query["scope"][0].split() if each != lacking]
        shortened = urlencode({**query, "scope": " ".join([*others, "oauth"])}, doseq=True)
        Browser().open(f"{address.partition('?')[0]}?{shortened}")

        assert command.wait() == 0

    assert f"The access lacks {lacking}, which the settings need." in command.log
    assert json.loads(command.printed)["refresh_token"] == hubspot.oauth.refresh_token


def test_a_token_of_before_does_not_stand_in_the_way(
    module: str, tmp_path: Path, hubspot: HubSpotEmulator
) -> None:
    with start(
        module, tmp_path, hubspot, f"--redirect-url={free_url()}", access_token="pat-na1-before"
    ) as command:
        Browser().open(address_in(command.wait_for_log("/oauth/authorize")))

        assert command.wait() == 0


@pytest.mark.parametrize(
    ("settings", "options", "error"),
    [
        (
            {"client_secret": ""},
            [],
            "--authorize needs client_secret. Set what the OAuth app's page in HubSpot shows.",
        ),
        ({"max_concurrency": 0}, [], "max_concurrency must be at least 1, not '0'."),
        (
            {},
            ["--redirect-url=https://example.com/back"],
            "The redirect URL must be http and lead to this machine.",
        ),
        ({}, ["--redirect-url=http://localhost/back"], "The redirect URL lacks a port."),
        ({}, ["--authorize-file={path}"], "exists already and is not overwritten"),
        (
            {},
            ["--authorize-file={path}/oauth.json"],
            "cannot be written (Not a directory): name another one.",
        ),
    ],
)
def test_what_is_wrong_is_said_before_a_consent_is_asked_for(
    tmp_path: Path, hubspot: HubSpotEmulator, settings: dict[str, Any], options: list[str], error: str
) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text("what was there", "utf-8")
    given = [option.format(path=kept) for option in options]
    with start("tap_hubspot_email_events", tmp_path, hubspot, *given, **settings) as command:
        assert command.wait() == 1

    assert error in command.log
    assert "/oauth/authorize" not in command.log
    assert kept.read_text("utf-8") == "what was there"


def test_a_file_for_which_there_is_no_room_is_told_and_deleted(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"

    def fill_the_disk() -> None:
        with new_private_file(str(path)) as file:
            file.write("{")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(UnwritableFile, match=r"cannot be written \(No space left on device\)"):
        fill_the_disk()

    assert not path.exists()


def test_a_consent_that_is_denied_leaves_no_file(tmp_path: Path, hubspot: HubSpotEmulator) -> None:
    path = tmp_path / "oauth.json"
    options = (f"--redirect-url={free_url()}", f"--authorize-file={path}")
    with start("tap_hubspot_email_events", tmp_path, hubspot, *options) as command:
        page = Browser("cancel").open(address_in(command.wait_for_log("/oauth/authorize")))

        assert command.wait() == 1

    assert "The access was denied in the browser" in command.log
    assert "HubSpot gave no access" in page.text
    assert not path.exists()


# One consent


@pytest.fixture
def authorized(hubspot: HubSpotEmulator) -> Iterator[Callable[..., Any]]:
    """Perform a consent in this process: `act` is what the browser does with the address."""

    def run(act: Callable[[str], object], *, clock: FakeClock | None = None, path: str = "/") -> Any:
        def tell(line: str) -> None:
            if address := address_in(line):
                threads.append(threading.Thread(target=act, args=(address,)))
                threads[-1].start()

        connection = Connection.from_settings({**app_of(hubspot), "refresh_token": "none-yet"})
        return Authorizing(
            connection,
            hubspot.oauth.client_id,
            hubspot.oauth.client_secret,
            scopes=["crm.lists.read"],
            redirect_url=RedirectUrl.parse(free_url(path)),
            clock=clock or FakeClock(),
            show=tell,
        ).run()

    threads: list[threading.Thread] = []
    yield run
    for thread in threads:
        thread.join()


def test_an_answer_with_another_state_is_none_and_the_right_one_is_still_taken(
    authorized: Callable[..., Any], hubspot: HubSpotEmulator
) -> None:
    strange: list[requests.Response] = []

    def act(address: str) -> None:
        back = parse_qs(urlsplit(address).query)["redirect_uri"][0]
        strange.extend(
            requests.get(url, timeout=10)
            for url in (f"{back}?code=stolen", f"{back}?code=stolen&state=x", f"{back}?error=access_denied")
        )
        strange.append(requests.get(back.replace("/back", "/favicon.ico"), timeout=10))
        Browser().open(address)

    result = authorized(act, path="/back")

    assert [page.status_code for page in strange] == [400, 400, 400, 404]
    assert result.settings["refresh_token"] == hubspot.oauth.refresh_token
    assert result.missing == ()


def test_a_connection_that_says_nothing_or_nonsense_does_not_end_the_wait(
    authorized: Callable[..., Any],
) -> None:
    def act(address: str) -> None:
        back = urlsplit(parse_qs(urlsplit(address).query)["redirect_uri"][0])
        for nonsense in (b"", b"\x00\xff\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", back.port or 0)) as connection:
                connection.sendall(nonsense)
        Browser().open(address)

    assert authorized(act).settings["refresh_token"]


def test_without_an_answer_the_wait_ends_and_says_what_may_be_wrong(authorized: Callable[..., Any]) -> None:
    clock = FakeClock()

    def act(address: str) -> None:
        clock.sleep(CONSENT_SECONDS)
        back = parse_qs(urlsplit(address).query)["redirect_uri"][0]
        with suppress(requests.ConnectionError):  # where the wait is over already
            requests.get(f"{back}favicon.ico", timeout=10)

    with pytest.raises(NoConsent, match=r"within 10 minutes.*exactly this redirect URL"):
        authorized(act, clock=clock)


def test_an_app_that_declares_other_redirect_urls_is_told_on_hubspots_page(
    authorized: Callable[..., Any], hubspot: HubSpotEmulator
) -> None:
    hubspot.oauth.redirect_uris = frozenset({"http://localhost:1/"})
    browser, clock = Browser(), FakeClock()

    def act(address: str) -> None:
        browser.open(address)
        clock.sleep(CONSENT_SECONDS)
        with suppress(requests.ConnectionError):
            requests.get(parse_qs(urlsplit(address).query)["redirect_uri"][0], timeout=10)

    with pytest.raises(NoConsent, match="give its redirect URL with --redirect-url"):
        authorized(act, clock=clock)
    assert "redirect_uri does not match" in browser.seen[0].text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"error": "access_denied"}, "was denied in the browser"),
        ({"error": "invalid_scope"}, r"\(invalid_scope\): check in the app's settings"),
        ({"error": "<b>\nx@example.com"}, r"\(an unknown error\)"),
        ({}, r"\(an unknown error\)"),
    ],
)
def test_an_answer_without_a_code_says_why(query: dict[str, str], words: str) -> None:
    connection = Connection.from_settings({"access_token": "x"})
    request = ConsentRequest.create(
        connection, "client", ["content"], RedirectUrl.parse("http://localhost:8976/")
    )

    with pytest.raises(NoConsent, match=words):
        request.code_of(urlencode({**query, "state": request.state}))


def test_hubspots_page_is_asked_where_the_api_is_hubspots() -> None:
    connection = Connection.from_settings({"access_token": "x"})
    url = RedirectUrl.parse("http://[::1]:8976/back")

    first, second = (ConsentRequest.create(connection, "a&b", ["content"], url) for _ in range(2))

    assert first.address.startswith("https://app.hubspot.com/oauth/authorize?client_id=a%26b&")
    assert first.state != second.state


def test_a_code_that_hubspot_does_not_take_ends_in_its_words(
    authorized: Callable[..., Any],
) -> None:
    def act(address: str) -> None:
        query = parse_qs(urlsplit(address).query)
        answer = urlencode({"code": "na1-used-before", "state": query["state"][0]})
        requests.get(f"{query['redirect_uri'][0]}?{answer}", timeout=10)

    with pytest.raises(
        ConsentRejected, match=r"missing or unknown auth code.*Run --authorize again"
    ) as raised:
        authorized(act)
    assert "na1-used-before" not in str(raised.value)


def test_a_wrong_client_secret_is_named(authorized: Callable[..., Any], hubspot: HubSpotEmulator) -> None:
    def act(address: str) -> None:
        hubspot.oauth.client_secret = "another"
        Browser().open(address)

    with pytest.raises(ConsentRejected, match="Check client_secret"):
        authorized(act)


def test_an_answer_without_a_refresh_token_is_no_success(
    authorized: Callable[..., Any], hubspot: HubSpotEmulator
) -> None:
    def act(address: str) -> None:
        hubspot.oauth.refresh_token = ""
        Browser().open(address)

    with pytest.raises(Refused, match="holds no refresh_token"):
        authorized(act)


def test_scopes_that_the_consent_did_not_give_are_named(
    authorized: Callable[..., Any],
) -> None:
    def act(address: str) -> None:
        Browser().open(address.replace("+crm.lists.read", ""))

    assert authorized(act).missing == ("crm.lists.read",)


def test_a_scope_under_hubspots_newer_name_is_not_missing(
    authorized: Callable[..., Any], hubspot: HubSpotEmulator
) -> None:
    hubspot.oauth.scopes |= {"crm.segments.read"}

    def act(address: str) -> None:
        Browser().open(address.replace("crm.lists.read", "crm.segments.read"))

    assert authorized(act).missing == ()


def test_a_port_that_another_program_uses_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        url = RedirectUrl.parse(f"http://localhost:{other.getsockname()[1]}/")
        connection = Connection.from_settings({"client_id": "a", "client_secret": "b", "refresh_token": "c"})
        authorizing = Authorizing(
            connection, "a", "b", scopes=(), redirect_url=url, clock=FakeClock(), show=lambda _: None
        )

        with pytest.raises(SettingsError, match=f"another program may use port {url.port}"):
            authorizing.run()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost:8976",
        "http://localhost:99999/",
        "http://[::1",
        "http://user@localhost:8976/",
        "http://localhost:8976/?a=b",
        "http://192.0.2.1:8976/",
    ],
)
def test_a_redirect_url_to_which_nothing_can_listen_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"Write it like http://localhost:8976/"):
        RedirectUrl.parse(text)
