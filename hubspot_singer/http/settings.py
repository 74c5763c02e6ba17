"""Declares the settings that both plugins share, so that both declare them alike."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from hubspot_singer.http.versions import DEFAULT_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_API_URL = "https://api.hubapi.com"
DEFAULT_MAX_CONCURRENCY = 8

CONNECTION_SETTINGS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "access_token": {
            "type": "string",
            "title": "Access token",
            "description": "Token of a legacy private app, a service key or a project app with static"
            " authentication. Give either this or client_id, client_secret and refresh_token.",
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
            "description": "Send at most so many requests in ten seconds, so that other tools can share the"
            " portal. Without it the portal's own limit, which HubSpot tells with each answer, is used.",
        },
        "max_concurrency": {
            "type": "integer",
            "title": "Concurrent requests",
            "description": "At most so many requests are under way at once.",
            "default": DEFAULT_MAX_CONCURRENCY,
        },
    }
)
