"""The redirect URL of an OAuth app, to which HubSpot sends the browser after a consent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from hubspot_singer.http import SettingsError
from hubspot_singer.http.connection import is_loopback

DEFAULT_REDIRECT_URL = "http://localhost:8976/"


@dataclass(frozen=True)
class RedirectUrl:
    """Where HubSpot sends the browser after the consent: a port of this machine."""

    text: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the URL; raise `SettingsError` where no plugin on this machine could listen."""
        advice = f"Write it like {DEFAULT_REDIRECT_URL}, exactly as the app declares it."
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise SettingsError(f"The redirect URL cannot be read. {advice}") from None
        if parts.scheme != "http" or not parts.hostname or not is_loopback(parts.hostname):
            raise SettingsError(f"The redirect URL must be http and lead to this machine. {advice}")
        if not port:
            raise SettingsError(f"The redirect URL lacks a port. {advice}")
        if parts.query or parts.fragment or parts.username is not None:
            raise SettingsError(f"The redirect URL holds more than a host, a port and a path. {advice}")
        return cls(text, parts.hostname, port, parts.path or "/")
