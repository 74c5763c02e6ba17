"""The consent page of OAuth, which HubSpot serves on app.hubspot.com, and what its two buttons do.

https://developers.hubspot.com/docs/api-reference/legacy/authentication/manage-oauth-tokens
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from tests.hubspot_emulator.answers import Answer
from tests.hubspot_emulator.consents import CODE_LIFE, Consent
from tests.hubspot_emulator.routing import Routes

if TYPE_CHECKING:
    from tests.hubspot_emulator.routing import Call

DOCS = "https://developers.hubspot.com/docs/api-reference/legacy/authentication/manage-oauth-tokens"
ASKED = (
    "client_id",
    "redirect_uri",
    "scope",
    "optional_scope",
    "state",
    "response_type",
    "code_challenge",
    "code_challenge_method",
)
# An app's redirect address is https, or http on the developer's own machine.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})

routes = Routes()


class RefusedConsent(Exception):
    """An app that HubSpot does not ask its users about; the text is what its page says."""


@routes("GET", "/oauth/authorize", docs=DOCS, needs_token=False, query=ASKED)
def authorize(call: Call) -> Answer:
    """Ask the user; what is wrong with the app's request is told on the page, and nobody is sent on."""
    try:
        scopes = _scopes(call)
    except RefusedConsent as refusal:
        return _page(400, f"<h1>Authorization failed</h1><p>{escape(str(refusal))}</p>")
    kept = {name: value for name in ASKED if (value := call.query.text(name)) is not None}
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in kept.items()
    )
    listed = "".join(f"<li>{escape(scope)}</li>" for scope in sorted(scopes))
    buttons = "".join(
        f'<button name="choice" value="{choice}">{label}</button>'
        for choice, label in (("connect", "Connect app"), ("cancel", "Cancel"))
    )
    form = f'<form action="/oauth/authorize/choice" method="get">{hidden}{buttons}</form>'
    return _page(200, f"<h1>Connect app to portal {call.portal.portal_id}</h1><ul>{listed}</ul>{form}")


@routes("GET", "/oauth/authorize/choice", docs=DOCS, needs_token=False, query=(*ASKED, "choice"))
def choose(call: Call) -> Answer:
    """Send the browser back to the app: with a code where the user agreed, else with an error."""
    try:
        scopes = _scopes(call)
    except RefusedConsent as refusal:
        return _page(400, f"<h1>Authorization failed</h1><p>{escape(str(refusal))}</p>")
    redirect_uri = call.query.text("redirect_uri") or ""
    if call.query.text("choice") == "connect":
        expires_at = call.portal.clock() + CODE_LIFE
        consent = Consent(redirect_uri, scopes, expires_at, call.query.text("code_challenge"))
        told = {"code": call.oauth.consents.add(consent)}
    else:
        told = {"error": "access_denied", "error_description": "The user denied access to the app."}
    state = call.query.text("state")
    told |= {} if state is None else {"state": state}
    separator = "&" if urlsplit(redirect_uri).query else "?"
    return Answer(302, headers={"Location": f"{redirect_uri}{separator}{urlencode(told)}"})


def _scopes(call: Call) -> frozenset[str]:
    """Return the scopes that the user is asked for, or say why HubSpot does not ask."""
    app, asked = call.oauth, call.query
    if asked.text("client_id") != app.client_id:
        raise RefusedConsent("We couldn't find an app with this client_id.")
    address = urlsplit(asked.text("redirect_uri") or "")
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname in LOOPBACK):
        raise RefusedConsent("The redirect_uri must use https, or http on localhost.")
    if app.redirect_uris is not None and asked.text("redirect_uri") not in app.redirect_uris:
        raise RefusedConsent("The redirect_uri does not match one that is configured for the app.")
    if asked.text("code_challenge") is not None and asked.text("code_challenge_method") != "S256":
        raise RefusedConsent("The code_challenge_method must be S256.")
    required = frozenset((asked.text("scope") or "").split())
    optional = frozenset((asked.text("optional_scope") or "").split())
    # "The requested scopes must match those configured on the app."
    if not app.required_scopes <= required or not (required | optional) <= app.scopes:
        raise RefusedConsent("The scopes do not match those that are configured for the app.")
    return required | optional


def _page(status: int, body: str) -> Answer:
    page = f"<!doctype html><html><head><title>HubSpot</title></head><body>{body}</body></html>"
    return Answer(status, headers={"Content-Type": "text/html;charset=utf-8"}, content=page.encode())
