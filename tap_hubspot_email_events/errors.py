"""What ends a run of the tap, each with the sentence its user reads.

TapError
├── DiskTrouble        the disk does not take what memory should not hold
├── UnexpectedAnswer   HubSpot answered something that cannot be read as email events
├── UnreadableState    the state does not say where to go on
├── UnusableCatalog    the catalog asks for what this tap does not have
└── UnusableMap        an expression of stream_maps fails over a record
"""

from __future__ import annotations

from hubspot_singer.http.errors import HubSpotError


class TapError(HubSpotError):
    """Whatever ends a run of the tap apart from HubSpot's own refusals."""


class DiskTrouble(TapError):
    """The disk does not take what memory should not hold."""


class UnexpectedAnswer(TapError):
    """HubSpot answered something that cannot be read as email events."""


class UnreadableState(TapError):
    """The state does not say where to go on."""


class UnusableCatalog(TapError):
    """The catalog asks for what this tap does not have."""


class UnusableMap(TapError):
    """An expression of stream_maps fails over a record."""
