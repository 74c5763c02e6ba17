"""A client for HubSpot's API: credentials, rate limit, retries, errors. It knows no endpoint and no Singer."""

from __future__ import annotations

from hubspot_singer.http.answers import Answer, ErrorBody, ErrorDetail, positive_id, required_id
from hubspot_singer.http.calls import reference
from hubspot_singer.http.client import HubSpotClient, parsed
from hubspot_singer.http.clocks import Clock, SystemClock
from hubspot_singer.http.concurrency import concurrently
from hubspot_singer.http.connection import CONNECTION_SETTINGS, AccessToken, Connection, OAuthApp
from hubspot_singer.http.errors import (
    Conflict,
    ConsentRejected,
    DailyLimitReached,
    HubSpotError,
    InvalidCredentials,
    InvalidRequest,
    MissingScopes,
    NotFound,
    RefreshTokenRejected,
    Refused,
    RetryTooFar,
    ServerError,
    SettingsError,
    Stopped,
    TooLarge,
    TooSlow,
    Unavailable,
    UnexpectedAnswer,
)
from hubspot_singer.http.limits import Limits
from hubspot_singer.http.redaction import redact
from hubspot_singer.http.transport import Timeouts

__all__ = [
    "CONNECTION_SETTINGS",
    "AccessToken",
    "Answer",
    "Clock",
    "Conflict",
    "Connection",
    "ConsentRejected",
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
    "ServerError",
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
    "positive_id",
    "redact",
    "reference",
    "required_id",
]
