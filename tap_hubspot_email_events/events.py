"""One HubSpot email event: taken apart at the door, and written as the record of its stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events import moments
from tap_hubspot_email_events.errors import UnexpectedAnswer
from tap_hubspot_email_events.kinds import Oddities
from tap_hubspot_email_events.objects import ObjectWriter, Step, within

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tap_hubspot_email_events.columns import Column

Record = dict[str, Any]
EventKey = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Event:
    """An event as HubSpot sent it, with what identifies it: the pair of its id and when it was created."""

    id: str
    created: int
    content: Mapping[str, Any]

    @property
    def key(self) -> EventKey:
        """What HubSpot calls the EventId."""
        return self.id, self.created


oldest_first = attrgetter("created", "id")


def event_from(content: object) -> Event:
    """The event in one entry of HubSpot's `events`; one without identity cannot be passed on."""
    if not isinstance(content, Mapping):
        raise UnexpectedAnswer("an entry of events is not an object")
    event_id, created = content.get("id"), content.get("created")
    if not isinstance(event_id, str) or not event_id:
        raise UnexpectedAnswer("an event came without its id")
    if type(created) is not int or not 0 <= created <= moments.LAST_MOMENT_MS:
        raise UnexpectedAnswer("an event came without the time it was created")
    return Event(event_id, created, content)


class RecordWriter:
    """Writes events of one type as records that hold the wanted columns, all of them, and nothing else."""

    def __init__(
        self, event_type: str, event_name: str, columns: Sequence[Column], wanted: Collection[str]
    ) -> None:
        self.oddities = Oddities()
        chosen = [column for column in columns if column.name in wanted]
        # Some events come without a type; HubSpot was asked for this one and no other.
        said_by_us = {"type": event_type, "event_name": event_name}
        empty = {column.name: said_by_us.get(column.name) for column in chosen}
        steps: dict[str, tuple[Step, ...]] = {column.outer: () for column in columns}
        for column in chosen:
            steps[column.outer] += (_step(column),)
        self._writer = ObjectWriter(empty, steps)

    def record(self, event: Event) -> Record:
        """The event's record; a missing field is null, and so is one that does not fit its column."""
        return self._writer.write(event.content, self.oddities)


def _step(column: Column) -> Step:
    convert = within(column.inner, column.kind.convert) if column.inner else column.kind.convert
    return Step(column.name, column.path, convert)
