"""Reads one page of email events, newest first.

https://developers.hubspot.com/docs/api-reference/legacy/email-analytics-v1/guide
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubspot_singer.http.calls import reference
from tap_hubspot_email_events import moments
from tap_hubspot_email_events.digests import digest
from tap_hubspot_email_events.errors import UnexpectedAnswer
from tap_hubspot_email_events.paging import SERVER_ERROR_TRIES, body_of, has_more, offset_of, time_of
from tap_hubspot_email_events.widths import PAGE_EVENTS
from tap_hubspot_email_events.windows import Window

if TYPE_CHECKING:
    from datetime import datetime

    from hubspot_singer.http.answers import Answer
    from tap_hubspot_email_events.events import Event, EventParser
    from tap_hubspot_email_events.paging import HubSpot, Param

PATH = "/email/public/v1/events"  # the one version there is
SLOW_TRIES = 2  # after so many time-outs a window is cut rather than asked for again
# HubSpot answers 500 to windows that are too wide as well: after two tries a window that can be cut is cut.
WIDE_SERVER_ERROR_TRIES = 2


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    `created` has the time of each event on the page, in HubSpot's order and in epoch milliseconds; `events` has those
    events that the stream wants, and `passed_over` the times of the others. `first` is the digest of the first entry,
    whatever it is. `offset` is where the next page begins, None if HubSpot gave none.
    """

    created: tuple[int, ...]
    events: tuple[Event, ...]
    passed_over: tuple[int, ...]
    first: bytes | None
    has_more: bool
    offset: str | None


@dataclass(slots=True)
class EventPages:
    """The pages of one stream; without an `event_type` HubSpot sends events of all types.

    `end_is_inclusive` is set once HubSpot sent an event that was created at the `endTimestamp` asked for.
    """

    hubspot: HubSpot
    event_type: str | None
    parser: EventParser
    end_is_inclusive: bool = False

    def page(self, window: Window, *, end: int, offset: str | None, limit: int) -> Page:
        """Return the page of the window's events up to `end`, at the offset.

        Raises HubSpotError, and UnexpectedAnswer for what is no page.
        """
        is_wide = not window.is_one_millisecond
        params = {
            "eventType": self.event_type,
            "startTimestamp": window.start,
            "endTimestamp": end,
            "excludeFilteredEvents": self.parser.exclude_filtered or None,
            "limit": limit,
            "offset": offset,
        }
        tries = WIDE_SERVER_ERROR_TRIES if is_wide else SERVER_ERROR_TRIES
        slow_tries = SLOW_TRIES if is_wide else None
        # The answer has no name here: `_parsed` frees it as soon as its body was read.
        return self._parsed(
            self.hubspot.get(PATH, params=params, slow_tries=slow_tries, server_error_tries=tries), window
        )

    def newest(self, start: int) -> tuple[Page | None, datetime]:
        """Return the newest page of all events since `start`, and HubSpot's time.

        There is no page if its first event has no time: then nothing says in which window the event is to be counted.
        """
        window = Window(start, moments.LAST_MOMENT_MS)
        params = {
            "eventType": self.event_type,
            "startTimestamp": start,
            "excludeFilteredEvents": self.parser.exclude_filtered or None,
            "limit": PAGE_EVENTS,
        }
        answer = self.hubspot.get(
            PATH, params=params, slow_tries=SLOW_TRIES, server_error_tries=WIDE_SERVER_ERROR_TRIES
        )
        page = self._parsed(answer, window)
        return None if window.last in page.created else page, time_of(answer)

    def time(self, near: int) -> datetime:
        """Return HubSpot's time, from the answer to the smallest possible request."""
        params: dict[str, Param] = {
            "eventType": self.event_type,
            "startTimestamp": near,
            "endTimestamp": near,
            "limit": 1,
        }
        return time_of(self.hubspot.get(PATH, params=params, server_error_tries=SERVER_ERROR_TRIES))

    def _parsed(self, answer: Answer, window: Window) -> Page:
        body, correlation_id = body_of(answer), answer.correlation_id
        del answer  # of eight large pages at once it is the bytes that fill the memory
        try:
            return self._page(body, window.last)
        except UnexpectedAnswer as error:
            raise UnexpectedAnswer(
                f"HubSpot's {self.event_type or 'email'} events from {moments.to_text(window.start)} until"
                f" {moments.to_text(window.end)} cannot be read: {error}"
                f"{reference(correlation_id)}. Nothing of them was passed on: run again, and if it stays so,"
                " show HubSpot's support the correlation id."
            ) from None

    def _page(self, body: object, newest: int) -> Page:
        """Parse a body, and empty it; anything but a page is an error and never an empty page."""
        if not isinstance(body, Mapping) or not isinstance(body.get("events"), list):
            raise UnexpectedAnswer("the answer holds no events")
        is_more = has_more(body.get("hasMore"))
        contents = body["events"]
        first = digest(contents[0]) if contents else None
        created, events, passed_over, nearest = [], [], [], newest
        contents.reverse()
        while contents:  # each of them is freed once it is parsed
            nearest, event = self.parser.parse(contents.pop(), nearest)
            created.append(nearest)
            if event is None:
                passed_over.append(nearest)
            else:
                events.append(event)
        # An offset may come with the last page too, and means nothing there.
        offset = offset_of(body.get("offset")) if is_more else None
        return Page(tuple(created), tuple(events), tuple(passed_over), first, is_more, offset)
