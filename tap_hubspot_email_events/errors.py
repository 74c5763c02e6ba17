"""What ends a run of the tap or the reading of a stream, each with the sentence its user reads.

TapError
├── DiskTrouble        the disk does not take what memory should not hold
├── UnexpectedAnswer   HubSpot answered something that cannot be read as email events
├── UnknownTime        HubSpot's answers do not say the time
├── UnreadableState    the state does not say where to go on
├── UnusableCatalog    the catalog asks for what this tap does not have
└── UnusableMap        an expression of stream_maps fails over a record
"""

from __future__ import annotations

from hubspot_singer.http.errors import (
    DailyLimitReached,
    HubSpotError,
    InvalidCredentials,
    RefreshTokenRejected,
    RetryTooFar,
    SettingsError,
    Stopped,
)


class TapError(HubSpotError):
    """Whatever ends a run of the tap, or a stream, apart from HubSpot's own refusals."""


class DiskTrouble(TapError):
    """The disk does not take what memory should not hold."""


class UnexpectedAnswer(TapError):
    """HubSpot answered something that cannot be read as email events."""


class UnknownTime(TapError):
    """HubSpot's answers do not say the time."""


class UnreadableState(TapError):
    """The state does not say where to go on."""


class UnusableCatalog(TapError):
    """The catalog asks for what this tap does not have."""


class UnusableMap(TapError):
    """An expression of stream_maps fails over a record."""


# What is as true of every other stream. Anything else ends one stream, and the others are read to their end.
ENDS_THE_RUN = (
    DailyLimitReached,
    InvalidCredentials,
    RefreshTokenRejected,
    RetryTooFar,
    SettingsError,
    Stopped,
    UnknownTime,
    UnreadableState,
    UnusableCatalog,
)
