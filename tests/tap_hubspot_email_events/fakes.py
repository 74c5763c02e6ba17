"""HubSpot's email events without a socket: its order, its pages, its offsets, and what may go wrong."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hubspot_singer.http.answers import Answer, ErrorBody
from hubspot_singer.http.calls import Call
from hubspot_singer.http.errors import InvalidRequest, ServerError, TooSlow
from hubspot_singer.http.redaction import Redactor
from hubspot_singer.http.retries import Problem
from tap_hubspot_email_events.events import IDENTITY, EventParser
from tap_hubspot_email_events.pages import EventPages
from tap_hubspot_email_events.records import RecordBuilder
from tap_hubspot_email_events.streams import EmailEventOpen
from tap_hubspot_email_events.windows import WindowRead
from tests.tap_hubspot_email_events.singer import NOW, START

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_hubspot_email_events.events import Event
    from tap_hubspot_email_events.windows import Window

CALL = Call("GET", "/email/public/v1/events", Redactor())
Params = Mapping[str, Any]
Trouble = Callable[[Params], str | None]


def no_trouble(_: Params) -> None:
    return None


def event(created: int, number: int = 0, **fields: Any) -> dict[str, Any]:
    """An event as HubSpot sends it, its id made of its time and a number."""
    return {"id": f"{created}-{number:06}", "created": created, "type": "OPEN", **fields}


def events_at(times: Sequence[int]) -> list[dict[str, Any]]:
    """An event at each of these times, as many at one time as it comes."""
    seen: Counter[int] = Counter()
    events = []
    for created in times:
        events.append(event(created, seen[created]))
        seen[created] += 1
    return events


def parser(**options: Any) -> EventParser:
    """What makes opens of HubSpot's events."""
    return EventParser(RecordBuilder(EmailEventOpen.columns, reserved=IDENTITY), **options)


def parsed(content: dict[str, Any], by: EventParser | None = None) -> Event:
    """The event that HubSpot sends."""
    _, found = (by or parser()).parse(content, content["created"])
    assert found is not None
    return found


def a_read(
    window: Window, whole_from: int | None = None, *, held: int = 0, seen: int | None = None
) -> WindowRead:
    """A window that was read from `whole_from` on, by default all of it, with so many events."""
    start = window.start if whole_from is None else whole_from
    opens = parser()
    events = [parsed(event(start, number), opens) for number in range(held)]
    seen_from = window.start if whole_from is None else whole_from - 1
    return WindowRead(window, start, events, held if seen is None else seen, seen_from, 1)


def pages_of(hubspot: FakeHubSpot, **options: Any) -> EventPages:
    """The pages of opens."""
    return EventPages(hubspot, "OPEN", parser(**options))


@dataclass
class FakeHubSpot:
    """Answers a page of events; `trouble` names what happens to a request instead."""

    events: list[dict[str, Any]]
    trouble: Trouble = no_trouble
    page_size: int = 1_000
    end_is_inclusive: bool = True
    asked: list[Params] = field(default_factory=list)

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        slow_tries: int | None = None,
        server_error_tries: int | None = None,
    ) -> Answer:
        assert path == CALL.path
        asked = {name: value for name, value in (params or {}).items() if value is not None}
        self.asked.append(asked)
        trouble = self.trouble(asked)
        if trouble == "too slow" and slow_tries is not None:
            raise TooSlow(CALL, Problem("no answer"), tries=slow_tries, seconds=60)
        if trouble == "server error" and server_error_tries is not None:
            raise ServerError(CALL, 500)
        if trouble == "offset refused" and "offset" in asked:
            raise InvalidRequest(CALL, 400, ErrorBody(message="offset expired"))
        return Answer(200, self._page(asked, trouble), date=datetime.fromtimestamp(NOW, UTC))

    def _page(self, asked: Params, trouble: str | None) -> dict[str, Any]:
        start, end = asked.get("startTimestamp", 0), asked.get("endTimestamp", 2**62)
        end -= not self.end_is_inclusive
        found = [each for each in self.events if start <= each["created"] <= end]
        found.sort(key=lambda each: each["created"], reverse=True)
        first = int(asked.get("offset", 0))
        last = first + min(asked.get("limit", 10), self.page_size)
        page = {"hasMore": last < len(found), "offset": str(last), "events": found[first:last]}
        if trouble == "no offset":
            del page["offset"]
        if trouble == "same offset":
            page["offset"] = asked.get("offset", "0")
        if trouble == "disorder":
            page["events"] = page["events"][::-1]
        return page


LONGEST_WAIT = 0.2  # seconds; the first windows are asked for one by one


@dataclass
class EveryMillisecond(FakeHubSpot):
    """An event in each millisecond of a span, made when asked for; counts how many requests are under way."""

    events: list[dict[str, Any]] = field(default_factory=list)
    start: int = START
    end: int = START
    expected: int = 0  # requests wait for one another until so many are under way, or for a moment
    under_way: int = 0
    most_under_way: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        slow_tries: int | None = None,
        server_error_tries: int | None = None,
    ) -> Answer:
        with self.changed:
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.most_under_way >= self.expected, LONGEST_WAIT)
        try:
            return super().get(
                path, params=params, slow_tries=slow_tries, server_error_tries=server_error_tries
            )
        finally:
            with self.changed:
                self.under_way -= 1

    def _page(self, asked: Params, trouble: str | None) -> dict[str, Any]:
        assert trouble is None
        first = max(self.start, asked["startTimestamp"])
        last = min(self.end - 1, asked.get("endTimestamp", self.end))
        newest = int(asked.get("offset", last))
        oldest = max(first, newest - asked["limit"] + 1)
        events = [event(created) for created in range(newest, oldest - 1, -1)]
        return {"hasMore": oldest > first, "offset": str(oldest - 1), "events": events}
