"""The OAuth consent page: a browser comes back with a code, which gives tokens once."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.emulator_caller import LISTS, calling
from tests.forms import Form
from tests.hubspot_emulator import StoppedClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from tests.emulator_caller import Caller

BACK = "http://localhost:8123/callback"
SCOPES = "oauth crm.lists.read crm.lists.write"


@pytest.fixture
def call() -> Iterator[Caller]:
    with calling() as caller:
        yield caller


def asked(call: Caller, **changed: str) -> dict[str, str]:
    return {"client_id": call.hubspot.oauth.client_id, "redirect_uri": BACK, "scope": SCOPES, **changed}


def choose(call: Caller, choice: str = "connect", **changed: str) -> dict[str, list[str]]:
    """Open the page, press a button, and return what the browser brings back to the app."""
    form = Form(call("GET", "/oauth/authorize", **asked(call, **changed)).text)
    answer = call.press(form.action, choice=choice, **form.fields)
    assert answer.headers["Location"].startswith(f"{BACK}?")
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def exchange(call: Caller, code: str, /, **changed: str) -> requests.Response:
    app = call.hubspot.oauth
    fields = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": BACK,
        "code": code,
    }
    return call.form("/oauth/2026-03/token", grant_type="authorization_code", **fields | changed)


def test_a_code_gives_tokens_with_the_scopes_that_were_consented_to(call: Caller) -> None:
    brought = choose(call, state="a&b <c>")

    tokens: dict[str, Any] = exchange(call, *brought["code"]).json()

    assert brought["state"] == ["a&b <c>"]
    assert tokens["scopes"] == sorted(SCOPES.split())
    assert tokens["refresh_token"] == call.hubspot.oauth.refresh_token
    call.use(tokens["access_token"])
    assert call("GET", LISTS, listIds="1").status_code == 200
    assert call("GET", "/crm/properties/2026-03/contacts").status_code == 403


def test_a_refreshed_token_has_the_scopes_that_were_consented_to(call: Caller) -> None:
    exchange(call, *choose(call)["code"])
    app = call.hubspot.oauth

    mine = {"client_id": app.client_id, "client_secret": app.client_secret}
    tokens = call.form(
        "/oauth/2026-03/token", grant_type="refresh_token", refresh_token=app.refresh_token, **mine
    ).json()

    assert tokens["scopes"] == sorted(SCOPES.split())


def test_a_code_is_taken_once(call: Caller) -> None:
    (code,) = choose(call)["code"]

    first, second = (exchange(call, code) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 400)
    assert second.json()["status"] == "BAD_AUTH_CODE"


def test_a_code_is_good_for_a_short_time(call: Caller) -> None:
    (code,) = choose(call)["code"]
    assert isinstance(call.portal.clock, StoppedClock)
    call.portal.clock.advance(60)

    assert exchange(call, code).json()["status"] == "BAD_AUTH_CODE"


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"redirect_uri": "http://localhost:8123/other"}, "MISMATCH_REDIRECT_URI_AUTH_CODE"),
        ({"code": "na1-made-up"}, "BAD_AUTH_CODE"),
        ({"client_secret": "wrong"}, "BAD_CLIENT_SECRET"),
    ],
)
def test_an_exchange_that_does_not_fit_the_consent_is_refused(
    call: Caller, changed: dict[str, str], status: str
) -> None:
    (code,) = choose(call)["code"]

    answer = exchange(call, code, **changed)

    assert (answer.status_code, answer.json()["status"]) == (400, status)


def test_a_code_with_a_challenge_needs_its_verifier(call: Caller) -> None:
    challenge = urlsafe_b64encode(sha256(b"verifier").digest()).rstrip(b"=").decode()
    pkce = {"code_challenge": challenge, "code_challenge_method": "S256"}

    refused = exchange(call, *choose(call, **pkce)["code"], code_verifier="other")
    taken = exchange(call, *choose(call, **pkce)["code"], code_verifier="verifier")

    assert (refused.status_code, taken.status_code) == (400, 200)


def test_a_user_may_refuse(call: Caller) -> None:
    brought = choose(call, "cancel", state="s")

    assert (brought["error"], brought["state"]) == (["access_denied"], ["s"])
    assert "code" not in brought


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "somebody-elses"},
        {"redirect_uri": "http://example.com/callback"},
        {"redirect_uri": ""},
        {"scope": "crm.lists.read"},
        {"scope": f"{SCOPES} crm.objects.deals.read"},
        {"optional_scope": "crm.objects.deals.read"},
        {"code_challenge": "x", "code_challenge_method": "plain"},
    ],
)
def test_a_request_that_does_not_fit_the_app_is_told_on_the_page(
    call: Caller, changed: dict[str, str]
) -> None:
    page = call("GET", "/oauth/authorize", **asked(call, **changed))
    pressed = call.press("/oauth/authorize/choice", choice="connect", **asked(call, **changed))

    assert (page.status_code, pressed.status_code) == (400, 400)
    assert "Authorization failed" in page.text
    assert "<form" not in page.text


def test_an_app_may_name_its_redirect_addresses(call: Caller) -> None:
    call.hubspot.oauth.redirect_uris = frozenset({BACK})

    other = call("GET", "/oauth/authorize", **asked(call, redirect_uri="http://localhost:9/callback"))

    assert call("GET", "/oauth/authorize", **asked(call)).status_code == 200
    assert other.status_code == 400


def test_what_the_app_asked_for_is_escaped_on_the_page(call: Caller) -> None:
    page = call("GET", "/oauth/authorize", **asked(call, state='"><script>alert(1)</script>')).text

    assert "<script>" not in page
    assert Form(page).fields["state"] == '"><script>alert(1)</script>'
