"""How to ask HubSpot something, and what the answer's status means. No list, no event, no Singer."""

from __future__ import annotations

from hubspot_http.answers import Answer, ErrorBody, ErrorDetail
from hubspot_http.client import HubSpotClient
from hubspot_http.clocks import Clock, SystemClock
from hubspot_http.concurrency import concurrently
from hubspot_http.connection import AccessToken, Connection, OAuthApp
from hubspot_http.errors import (
    Conflict,
    DailyLimitReached,
    HubSpotError,
    InvalidCredentials,
    InvalidRequest,
    MissingScopes,
    NotFound,
    RefreshTokenRejected,
    Refused,
    RetryTooFar,
    SettingsError,
    Stopped,
    TooLarge,
    TooSlow,
    Unavailable,
    UnexpectedAnswer,
)
from hubspot_http.limits import Limits
from hubspot_http.parsing import parsed
from hubspot_http.redaction import redact
from hubspot_http.settings import CONNECTION_SETTINGS
from hubspot_http.transport import Timeouts
from hubspot_http.versions import versioned

__all__ = [
    "CONNECTION_SETTINGS",
    "AccessToken",
    "Answer",
    "Clock",
    "Conflict",
    "Connection",
    "DailyLimitReached",
    "ErrorBody",
    "ErrorDetail",
    "HubSpotClient",
    "HubSpotError",
    "InvalidCredentials",
    "InvalidRequest",
    "Limits",
    "MissingScopes",
    "NotFound",
    "OAuthApp",
    "RefreshTokenRejected",
    "Refused",
    "RetryTooFar",
    "SettingsError",
    "Stopped",
    "SystemClock",
    "Timeouts",
    "TooLarge",
    "TooSlow",
    "Unavailable",
    "UnexpectedAnswer",
    "concurrently",
    "parsed",
    "redact",
    "versioned",
]
