"""Parses HubSpot's email events: what identifies an event, its digest, and its record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_hubspot_email_events import moments
from tap_hubspot_email_events.digests import digest
from tap_hubspot_email_events.kinds import as_boolean, as_integer, as_moment_ms, converted_or_none, to_json

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tap_hubspot_email_events.records import RecordBuilder

EventKey = tuple[int, str]
EVENT_NAME = "[HubSpot] EMAIL_"  # with HubSpot's type behind it: the event as analytics tools name it
IDENTITY = ("id", "created")  # the columns that the parser fills


class Event(NamedTuple):
    """One event; events sort from the oldest on.

    `created` is in epoch milliseconds. `record` is the Singer record as JSON. It is None where the event has no
    id or no time of its own: such an event can be counted and not be passed on; `created` is then that of the event
    before it, and `id` is made up. `campaign` has the ids of the campaign that the event is part of and of its app.
    """

    created: int
    id: str
    digest: bytes
    record: bytes | None
    campaign: tuple[int, int] | None = None

    @property
    def key(self) -> EventKey:
        """The pair that HubSpot calls the EventId."""
        return self[:2]


@dataclass(frozen=True, slots=True)
class EventParser:
    """Parses the entries of HubSpot's `events` for one stream; `records` leaves the columns of `IDENTITY` alone."""

    records: RecordBuilder
    passed_over: Collection[str] = ()  # types of events that are not for this stream
    exclude_filtered: bool = False
    is_named_by_type: bool = False  # whether the column event_name follows the event's own type
    _campaigns: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)

    def parse(self, content: object, nearest: int) -> tuple[int, Event | None]:
        """Return when an event was created, and the event if the stream wants it.

        `nearest` is taken for the time of an event without one.
        """
        if not isinstance(content, dict):
            return nearest, _without_identity(content, nearest)
        created, event_id = content.get("created"), content.get("id")
        if type(created) is not int or not 0 <= created <= moments.LAST_MOMENT_MS:
            created = converted_or_none(as_moment_ms, created)
        if (self.exclude_filtered or self.passed_over) and self._is_unwanted(content):
            return nearest if created is None else created, None
        if type(event_id) is not str or not event_id.strip():
            event_id = _event_id(event_id)
        if created is None or event_id is None:
            moment = nearest if created is None else created
            return moment, _without_identity(content, moment)
        record = self._record(content, event_id, created)
        return created, Event(created, event_id, digest(content), record, self._campaign(content))

    def _is_unwanted(self, content: Mapping[str, Any]) -> bool:
        if self.exclude_filtered and converted_or_none(as_boolean, content.get("filteredEvent")):
            return True
        event_type = content.get("type")
        return isinstance(event_type, str) and event_type in self.passed_over

    def _campaign(self, content: Mapping[str, Any]) -> tuple[int, int] | None:
        """Return what names the event's campaign; many events share one object."""
        campaign_id, app_id = content.get("emailCampaignId"), content.get("appId")
        if type(campaign_id) is not int or type(app_id) is not int:
            campaign_id, app_id = (converted_or_none(as_integer, each) for each in (campaign_id, app_id))
        if campaign_id is None or app_id is None:
            return None
        campaign = campaign_id, app_id
        return self._campaigns.setdefault(campaign, campaign)

    def _record(self, content: Mapping[str, Any], event_id: str, created: int) -> bytes:
        record = self.records.build(content)
        record["id"] = event_id
        record["created"] = moments.to_text(created)
        if self.is_named_by_type and "event_name" in record and isinstance(content.get("type"), str):
            record["event_name"] = f"{EVENT_NAME}{content['type']}"
        # A copy: what orjson returns takes up many times its length in memory.
        return memoryview(to_json(record)).tobytes()


def _without_identity(content: object, moment: int) -> Event:
    event_digest = digest(content)
    return Event(moment, event_digest.hex(), event_digest, None)


def _event_id(value: object) -> str | None:
    """Return the id as text; HubSpot's are UUIDs, and a number is an id as well."""
    if isinstance(value, str):
        return value if value.strip() else None
    number = converted_or_none(as_integer, value)
    return None if number is None else str(number)
