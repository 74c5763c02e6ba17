"""A portal's consent to an OAuth app: the user gives it in a browser, which brings the answer to a local port.

https://developers.hubspot.com/docs/api-reference/legacy/authentication/manage-oauth-tokens
"""

from __future__ import annotations

import hmac
import secrets
import socket
import sys
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from hubspot_singer.http import SettingsError
from hubspot_singer.http.connection import is_loopback
from hubspot_singer.plugin.errors import NoConsent

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hubspot_singer.http import Clock, Connection
    from hubspot_singer.plugin.redirect_urls import RedirectUrl

CONSENT_HOST = "https://app.hubspot.com"  # it sends the browser on to a portal of another region
# Long enough to log in and to choose a portal.
CONSENT_SECONDS = 600.0
# The longest wait for a browser that has connected and sends nothing.
_REQUEST_SECONDS = 10.0

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{text}</p></body>
</html>
"""


@dataclass(frozen=True)
class ConsentRequest:
    """The address to open in the browser, and the state that identifies the answer."""

    redirect_url: RedirectUrl
    address: str
    state: str

    @classmethod
    def create(
        cls, connection: Connection, client_id: str, scopes: Iterable[str], redirect_url: RedirectUrl
    ) -> Self:
        """Return a request with a random state (https://www.rfc-editor.org/rfc/rfc6749#section-10.12)."""
        state = secrets.token_urlsafe(32)
        is_local = is_loopback(urlsplit(connection.api_url).hostname or "")
        query = {
            "client_id": client_id,
            "redirect_uri": redirect_url.text,
            # Each app has the scope `oauth`: https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/scopes
            "scope": " ".join(dict.fromkeys(["oauth", *scopes])),
            "state": state,
        }
        host = connection.api_url if is_local else CONSENT_HOST
        return cls(redirect_url, f"{host}/oauth/authorize?{urlencode(query)}", state)

    def code_of(self, query: str) -> str | None:
        """Return the code in the query of the browser's answer; None if the state is not of this request.

        Raises `NoConsent` where HubSpot or its user refused.
        """
        answer = {name: values[0] for name, values in parse_qs(query).items()}
        if not hmac.compare_digest(answer.get("state", "").encode(), self.state.encode()):
            return None
        if code := answer.get("code"):
            return code
        raise NoConsent.refused(answer.get("error", ""))


class ConsentListener(HTTPServer):
    """Waits on the redirect URL's port for the browser's answer, for so many seconds from its creation."""

    # Else another program could answer on the same port beside this one (Windows).
    allow_reuse_address = sys.platform != "win32"

    def __init__(self, request: ConsentRequest, clock: Clock, seconds: float) -> None:
        self.request = request
        self._clock = clock
        self._seconds = seconds
        self._until = clock.monotonic() + seconds
        self.code: str | None = None
        self.refusal: NoConsent | None = None
        url = request.redirect_url
        self.address_family = socket.AF_INET6 if ":" in url.host else socket.AF_INET
        try:
            super().__init__((url.host, url.port), _Handler)
        except OSError as error:
            raise SettingsError(
                f"Nothing can listen at {url.text} ({error.strerror}): another program may use port {url.port}. End"
                " it, or declare another redirect URL in the app and give it with --redirect-url."
            ) from None

    def wait(self) -> str:
        """Return the code that the browser brings in time; raise `NoConsent` without one."""
        while self.code is None:
            if self.refusal:
                raise self.refusal
            self.timeout = self._until - self._clock.monotonic()
            if self.timeout <= 0:
                raise NoConsent.timed_out(self._seconds, self.request.redirect_url.text)
            self.handle_request()
        return self.code

    def answer(self, path: str) -> tuple[int, str, str]:
        """Take the answer that a browser brings; return the page's status, title and text."""
        parts = urlsplit(path)
        if parts.path != self.request.redirect_url.path:
            return 404, "Not found", "This address is none that HubSpot sends a browser to."
        try:
            code = self.request.code_of(parts.query)
        except NoConsent as refusal:
            self.refusal = refusal
            return (
                200,
                "No access",
                "HubSpot gave no access. The terminal says more; this page can be closed.",
            )
        if code is None:
            return (
                400,
                "Not asked for",
                "This answer belongs to no consent that is waited for. Open the newest address.",
            )
        self.code = code
        return 200, "HubSpot has answered", "The terminal says how it goes on; this page can be closed."

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a connection that broke off: the browser opens another one."""


class _Handler(BaseHTTPRequestHandler):
    server: ConsentListener
    timeout = _REQUEST_SECONDS

    def do_GET(self) -> None:
        status, title, text = self.server.answer(self.path)
        page = _PAGE.format(title=title, text=text).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")  # the address holds the code
        self.end_headers()
        self.wfile.write(page)

    @override
    def version_string(self) -> str:
        return "hubspot-singer"

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the request's line holds the code."""
