"""The settings of the tap: declared for Meltano, and parsed once into typed values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from hubspot_singer.http.connection import CONNECTION_SETTINGS
from hubspot_singer.http.errors import SettingsError
from tap_hubspot_email_events import moments

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_LOOKBACK_SECONDS = (
    3_600  # other taps found events turning up within the hour; HubSpot gives no figure
)
DEFAULT_SETTLE_SECONDS = 300

EVENT_SETTINGS: Mapping[str, Mapping[str, object]] = {
    "start_date": {
        "type": "string",
        "title": "Start date",
        "description": "Events created from this moment on are read: a date such as 2026-01-31, or a"
        " date-time. What names no time zone is UTC. A stream that was read before goes on at its bookmark, if that"
        " is later.",
    },
    "end_date": {
        "type": ["string", "null"],
        "title": "End date",
        "description": "Events created before this moment are read, the moment itself left out. Without it"
        " all settled events are read.",
    },
    "exclude_filtered_events": {
        "type": "boolean",
        "title": "Exclude filtered events",
        "description": "Leave out the events that the portal's own filters match: bots, its own addresses.",
        "default": False,
    },
    "lookback_seconds": {
        "type": "integer",
        "minimum": 0,
        "title": "Lookback seconds",
        "description": "How far before its bookmark a stream is read again in each run, for events that turned"
        " up late or were changed. Of the newest 20,000 events there only those come again that were changed.",
        "default": DEFAULT_LOOKBACK_SECONDS,
    },
    "settle_seconds": {
        "type": "integer",
        "minimum": 0,
        "title": "Settle seconds",
        "description": "How long to leave new events alone, as HubSpot still adds some in between.",
        "default": DEFAULT_SETTLE_SECONDS,
    },
}

CONFIG_JSONSCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        name: dict(declared) for name, declared in {**CONNECTION_SETTINGS, **EVENT_SETTINGS}.items()
    },
    "required": ["start_date"],
}


@dataclass(frozen=True, slots=True)
class EventSettings:
    """Which events are wanted; all times in milliseconds."""

    start: int
    end: int | None
    lookback: int
    settle: int
    exclude_filtered: bool

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """Parse the settings, of which start_date is known to be set; raises SettingsError."""
        start = _moment("start_date", str(settings["start_date"]))
        end_date = str(settings.get("end_date") or "").strip()
        end = _moment("end_date", end_date) if end_date else None
        if end is not None and end <= start:
            raise SettingsError("end_date is not after start_date. Set a later end_date, or leave it out.")
        return cls(
            start=start,
            end=end,
            lookback=_seconds(settings, "lookback_seconds", DEFAULT_LOOKBACK_SECONDS),
            settle=_seconds(settings, "settle_seconds", DEFAULT_SETTLE_SECONDS),
            exclude_filtered=bool(settings.get("exclude_filtered_events")),
        )


def _moment(name: str, text: str) -> int:
    try:
        return moments.from_text(text)
    except ValueError:
        raise SettingsError(
            f"{name} is neither a date nor a date-time. Write it like 2026-01-31 or 2026-01-31T08:00:00Z."
        ) from None


def _seconds(settings: Mapping[str, Any], name: str, default: int) -> int:
    seconds = settings.get(name)
    return (default if seconds is None else int(seconds)) * moments.SECOND_MS
