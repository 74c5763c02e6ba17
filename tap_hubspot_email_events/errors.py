"""The errors that end a run of the tap, or the reading of one stream. The text of each is a sentence for the user.

TapError
├── DiskError          events that are too many for memory cannot be kept on disk
├── UnexpectedAnswer   HubSpot answered something that cannot be read as email events
├── UnknownTime        HubSpot's answers do not say the time
├── UnreadableState    the state cannot be read
├── UnusableCatalog    the catalog selects what this tap does not have
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
    """The base class of the tap's own errors; what HubSpot refuses is another error of hubspot_singer.http."""


class DiskError(TapError):
    """Events that are too many for memory cannot be kept on disk."""


class UnexpectedAnswer(TapError):
    """HubSpot answered something that cannot be read as email events."""


class UnknownTime(TapError):
    """HubSpot's answers do not say the time."""


class UnreadableState(TapError):
    """The state cannot be read: the whole of it, or what it says of one stream."""


class UnusableCatalog(TapError):
    """The catalog selects what this tap does not have."""


class UnusableMap(TapError):
    """An expression of stream_maps fails over a record."""


# Errors that every other stream would meet as well. Any other error ends one stream, and the others are read on.
ENDS_THE_RUN = (
    DailyLimitReached,
    InvalidCredentials,
    RefreshTokenRejected,
    RetryTooFar,
    SettingsError,
    Stopped,
    UnknownTime,
    UnusableCatalog,
)
