"""One HubSpot email event: taken apart at the door, and written as the record of its stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events import moments
from tap_hubspot_email_events.errors import UnexpectedAnswer
from tap_hubspot_email_events.kinds import Oddities, fitting

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tap_hubspot_email_events.columns import Column
    from tap_hubspot_email_events.kinds import Convert

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


@dataclass(frozen=True, slots=True)
class Step:
    """How one column is filled."""

    name: str
    outer: str
    inner: str
    path: str
    convert: Convert


@dataclass(slots=True)
class RecordWriter:
    """Writes events of one type as records that hold the wanted columns, all of them, and nothing else."""

    event_type: str
    event_name: str
    columns: Sequence[Column]
    wanted: Collection[str]
    oddities: Oddities = field(default_factory=Oddities)
    _steps: tuple[Step, ...] = ()
    _known: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._known = frozenset(column.outer for column in self.columns)
        self._steps = tuple(
            Step(column.name, column.outer, column.inner, column.path, column.kind.convert)
            for column in self.columns
            if column.name in self.wanted
        )

    def record(self, event: Event) -> Record:
        """The event's record; a missing field is null, and so is one that does not fit its column."""
        content = event.content
        if not content.keys() <= self._known:
            self.oddities.unknown.update(content.keys() - self._known)
        record = {step.name: self._value(content, step) for step in self._steps}
        if "event_name" in self.wanted:
            record["event_name"] = self.event_name
        # Some events come without a type; HubSpot was asked for this one and no other.
        if "type" in self.wanted and record["type"] is None:
            record["type"] = self.event_type
        return record

    def _value(self, content: Mapping[str, Any], step: Step) -> Any:  # noqa: ANN401 - a column's value is JSON
        value = content.get(step.outer)
        if value is None:
            return None
        if step.inner:
            if not isinstance(value, Mapping):
                self.oddities.misfits.add(step.path)
                return None
            value = value.get(step.inner)
        return fitting(value, step.convert, step.path, self.oddities)
