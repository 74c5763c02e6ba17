"""The portal's email events: newest first, paged by an opaque offset, a million without a million objects.

https://developers.hubspot.com/docs/api-reference/legacy/email-analytics-v1/guide
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING
from uuid import UUID

from tests.hubspot_emulator.event_fields import EVENT_TYPES, TYPICAL_FIELDS
from tests.hubspot_emulator.event_sources import Series, Singles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.hubspot_emulator.event_sources import Position, Single

APP_ID = 113
APP_NAME = "Batch"
CAMPAIGN_ID = 310_000_001


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a page is asked to hold."""

    start_ms: int
    end_ms: int
    event_type: str | None = None
    recipient: str | None = None
    campaign_id: int | None = None
    app_id: int | None = None
    excludes_filtered: bool = False

    @property
    def is_all(self) -> bool:
        """Whether it is asked for by time and type alone."""
        return (self.recipient, self.campaign_id, self.app_id) == (None,) * 3 and not self.excludes_filtered

    def holds(self, event: Mapping[str, object]) -> bool:
        """Whether the event passes what is not a matter of time and type."""
        return (
            self.recipient in {None, event.get("recipient")}
            and self.campaign_id in {None, event.get("emailCampaignId")}
            and self.app_id in {None, event.get("appId")}
            and not (self.excludes_filtered and event.get("filteredEvent") is True)
        )


class Events:
    """All events. Not locked: the portal does that."""

    def __init__(self, portal_id: int, clock: Callable[[], float]) -> None:
        self._portal_id = portal_id
        self._clock = clock
        self._singles = {name: Singles(number) for number, name in enumerate(EVENT_TYPES)}
        self._series: defaultdict[str, list[Series]] = defaultdict(list)
        self._sources: dict[int, Series | Singles] = {each.number: each for each in self._singles.values()}
        self._late: list[Single] = []
        self._by_id: dict[str, Single] = {}

    def __len__(self) -> int:
        return sum(map(len, self._sources.values()))

    def add(self, event_type: str, created_ms: int, single: Single, *, typical: bool) -> dict[str, object]:
        """Add one event and give its identity, as other events refer to it."""
        number = len(self._by_id) + 1
        event_id = str(single.fields.pop("id", None) or UUID(int=(0xE << 124) | number, version=4))
        identity = {"id": event_id, "created": created_ms}
        single.fields = {**self._base(event_type, typical=typical), **single.fields, **identity}
        self._singles[event_type].add(created_ms, number, single)
        self._by_id[event_id] = single
        if single.unseen_requests:
            self._late.append(single)
        return identity

    def add_series(
        self, event_type: str, times: Sequence[int], fields: Callable[[int], Mapping[str, object]]
    ) -> None:
        series = Series(len(self._sources), self._base(event_type, typical=True), times, fields)
        self._series[event_type].append(series)
        self._sources[series.number] = series

    def update(self, event_id: str, fields: Mapping[str, object]) -> None:
        """Change an event that was added one by one, as HubSpot does when another makes it obsolete."""
        self._by_id[event_id].change(fields)

    def page(self, wanted: Wanted, before: Position | None, limit: int) -> tuple[list[str], Position | None]:
        """Give the newest events before a position as JSON, and the last one's position if there are more."""
        found = list(islice(self._matching(wanted, before), limit + 1))
        for single in self._late:
            single.unseen_requests -= 1
        self._late = [single for single in self._late if single.unseen_requests > 0]
        texts = [self._sources[position.source].text(position) for position in found[:limit]]
        return texts, found[limit - 1] if len(found) > limit else None

    def get(self, created_ms: int, event_id: str) -> Mapping[str, object] | None:
        events = map(self._event, self._matching(Wanted(created_ms, created_ms), None))
        return next((event for event in events if event["id"] == event_id), None)

    def _matching(self, wanted: Wanted, before: Position | None) -> Iterator[Position]:
        types = EVENT_TYPES if wanted.event_type is None else (wanted.event_type,)
        sources = [source for name in types for source in self._of_type(name) if len(source)]
        span, now = (wanted.start_ms, wanted.end_ms), self._clock()
        streams = [source.descending(*span, before, now) for source in sources]
        positions = streams[0] if len(streams) == 1 else merge(*streams, reverse=True)
        if wanted.is_all:
            return iter(positions)
        return (position for position in positions if wanted.holds(self._event(position)))

    def _of_type(self, name: str) -> list[Series | Singles]:
        return [self._singles[name], *self._series[name]]

    def _event(self, position: Position) -> Mapping[str, object]:
        return self._sources[position.source].event(position)

    def _base(self, event_type: str, *, typical: bool) -> dict[str, object]:
        named = {} if event_type == "UNBOUNCE" else {"type": event_type}  # the one type that says no type
        return {
            **named,
            "recipient": "ada@example.com",
            "portalId": self._portal_id,
            "appId": APP_ID,
            "appName": APP_NAME,
            "emailCampaignId": CAMPAIGN_ID,
            **(TYPICAL_FIELDS[event_type] if typical else {}),
        }
