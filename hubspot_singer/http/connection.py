"""The settings of the connection to HubSpot: credentials, address, API version, and how many requests to send.

Both plugins declare them alike. Nothing else in the code spells an API version.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from hubspot_singer.http.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

DEFAULT_API_URL = "https://api.hubapi.com"
DEFAULT_MAX_CONCURRENCY = 8
# HubSpot's smallest limit is 100 requests in ten seconds; more than that under way only waits in threads:
# https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
MAX_CONCURRENCY = 100

DEFAULT_VERSION = "2026-03"
LEGACY_VERSION = "v3"
# HubSpot publishes a version each March and September: https://developers.hubspot.com/docs/developer-tooling/platform/versioning
_DATED_VERSION = re.compile(r"\d{4}-(03|09)", re.ASCII)
_OAUTH_SETTINGS = ("client_id", "client_secret", "refresh_token")

CONNECTION_SETTINGS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "access_token": {
            "type": "string",
            "title": "Access token",
            "description": "Token of a service key, a project app with static authentication, or a legacy private"
            " app. Give either this or client_id, client_secret and refresh_token.",
            "secret": True,
        },
        "client_id": {
            "type": "string",
            "title": "OAuth client id",
            "description": "Client id of the OAuth app.",
        },
        "client_secret": {
            "type": "string",
            "title": "OAuth client secret",
            "description": "Client secret of the OAuth app.",
            "secret": True,
        },
        "refresh_token": {
            "type": "string",
            "title": "OAuth refresh token",
            "description": "Refresh token that the portal gave the OAuth app when it was installed.",
            "secret": True,
        },
        "api_url": {
            "type": "string",
            "title": "API URL",
            "description": "Where HubSpot's API is. Plain http is accepted for a loopback host only.",
            "default": DEFAULT_API_URL,
        },
        "api_version": {
            "type": "string",
            "title": "API version",
            "description": "HubSpot's API version: 2026-03, a later March or September like 2026-09, or v3.",
            "default": DEFAULT_VERSION,
        },
        "requests_per_10_seconds": {
            "type": "integer",
            "title": "Requests per 10 seconds",
            "minimum": 1,
            "description": "Send at most so many requests in ten seconds, so that other tools can share the"
            " portal. Without it the portal's own limit, which HubSpot reports with each answer, is used.",
        },
        "max_concurrency": {
            "type": "integer",
            "title": "Concurrent requests",
            "minimum": 1,
            "maximum": MAX_CONCURRENCY,
            "description": f"At most so many requests are under way at once, up to {MAX_CONCURRENCY}.",
            "default": DEFAULT_MAX_CONCURRENCY,
        },
    }
)


@dataclass(frozen=True)
class AccessToken:
    """A bearer token that does not change: of a service key, or of an app with static authentication."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class OAuthApp:
    """An OAuth app that is installed in a portal: what the token endpoint asks for."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True)
class Connection:
    """The parsed settings of a connection. Its repr shows no secret."""

    credentials: AccessToken | OAuthApp
    api_url: str = DEFAULT_API_URL
    api_version: str = DEFAULT_VERSION
    requests_per_10_seconds: int | None = None
    max_concurrency: int = DEFAULT_MAX_CONCURRENCY

    @classmethod
    def from_settings(cls, settings: Mapping[str, object]) -> Self:
        """Parse the settings; raise `SettingsError` with a sentence that names the wrong one and says what to do."""
        return cls(
            credentials=_credentials(settings),
            api_url=_api_url(_text(settings, "api_url") or DEFAULT_API_URL),
            api_version=_api_version(_text(settings, "api_version") or DEFAULT_VERSION),
            requests_per_10_seconds=_positive(settings, "requests_per_10_seconds"),
            max_concurrency=_positive(settings, "max_concurrency") or DEFAULT_MAX_CONCURRENCY,
        )

    def path(self, area: str) -> str:
        """Return the path of an area of HubSpot's API, such as `crm/lists`, in this connection's version.

        A dated version stands behind the whole area (`/crm/lists/2026-03`), v3 behind its first word
        (`/crm/v3/lists`).
        """
        family, _, path = area.partition("/")
        if self.api_version != LEGACY_VERSION:
            return f"/{area}/{self.api_version}"
        return f"/{family}/{self.api_version}/{path}" if path else f"/{family}/{self.api_version}"

    @property
    def untried_version(self) -> str | None:
        """The API version if it is later than the default one: HubSpot may not have it yet."""
        is_later = self.api_version != LEGACY_VERSION and self.api_version > DEFAULT_VERSION
        return self.api_version if is_later else None

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets, which no log and no error may show."""
        if isinstance(self.credentials, AccessToken):
            return (self.credentials.token,)
        return (self.credentials.client_secret, self.credentials.refresh_token)


def consent_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of an OAuth app that has no refresh token yet, with a placeholder for it.

    Raises `SettingsError` where client_id or client_secret is absent or wrong. An access_token is left out.
    """
    app = {name: _secret(settings, name) for name in ("client_id", "client_secret")}
    if missing := [name for name, value in app.items() if not value]:
        raise SettingsError(
            f"--authorize needs {' and '.join(missing)}. Set what the OAuth app's page in HubSpot shows."
        )
    others = {name: value for name, value in settings.items() if name != "access_token"}
    return {**others, **app, "refresh_token": "none-yet"}


def _credentials(settings: Mapping[str, object]) -> AccessToken | OAuthApp:
    access_token = _secret(settings, "access_token")
    oauth = {name: _secret(settings, name) for name in _OAUTH_SETTINGS}
    given = [name for name, value in oauth.items() if value]
    missing = [name for name, value in oauth.items() if not value]
    if access_token and given:
        raise SettingsError(
            f"Both access_token and {' and '.join(given)} are set. Keep access_token, or the three settings "
            "client_id, client_secret and refresh_token."
        )
    if access_token:
        return AccessToken(access_token)
    if not given:
        raise SettingsError(
            "No credentials are set. Set access_token, or client_id, client_secret and refresh_token."
        )
    if missing:
        raise SettingsError(
            f"OAuth needs {' and '.join(missing)} beside {' and '.join(given)}. Set what is missing."
        )
    return OAuthApp(**oauth)


def _text(settings: Mapping[str, object], name: str) -> str:
    """Return the setting without surrounding blanks; "" if it is absent, null or blank."""
    value = settings.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise SettingsError(f"{name} is not text. Put it in quotes.")
    return value.strip()


def _secret(settings: Mapping[str, object], name: str) -> str:
    """Return a setting that is sent in a header or a form. An error does not show its value."""
    value = _text(settings, name)
    if not value.isascii() or not value.isprintable() or " " in value:
        raise SettingsError(
            f"{name} holds a blank, or a character that such values of HubSpot's never have. Copy it again,"
            ' without a word such as "Bearer" before it.'
        )
    return value


def _api_url(url: str) -> str:
    parts, port = _split(url)
    if not parts.hostname or parts.scheme not in {"http", "https"}:
        raise SettingsError(f"api_url is not a web address. Write it like {DEFAULT_API_URL}.")
    if parts.username is not None or parts.password is not None:
        raise SettingsError(
            "api_url holds a user name or password. Take it out: requests carry a token instead."
        )
    if parts.path.strip("/") or parts.query or parts.fragment or "?" in url or "#" in url:
        raise SettingsError(
            f"api_url has a path or a query after the host. Leave it out, as in {DEFAULT_API_URL}."
        )
    host = parts.hostname
    if parts.scheme == "http" and not is_loopback(host):
        raise SettingsError(
            f"api_url would send the token to {host} unencrypted. Use https, or http with a loopback host."
        )
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"


def _split(url: str) -> tuple[SplitResult, int | None]:
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise SettingsError(
            f"api_url holds a character that a web address cannot have. Write it like {DEFAULT_API_URL}."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsError(f"api_url cannot be read. Write it like {DEFAULT_API_URL}.") from error
    return parts, port


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its name or address alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _api_version(version: str) -> str:
    is_dated = _DATED_VERSION.fullmatch(version) is not None and version >= DEFAULT_VERSION
    if version != LEGACY_VERSION and not is_dated:
        raise SettingsError(
            f"api_version {version[:20]!r} is none of HubSpot's. Set {DEFAULT_VERSION}, a later March or"
            " September such as 2026-09, or v3."
        )
    return version


def _positive(settings: Mapping[str, object], name: str) -> int | None:
    value = settings.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise SettingsError(f"{name} is not a whole number above zero. Set one, or leave the setting out.")
    return value
