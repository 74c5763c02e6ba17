"""Reads a window page by page, from its newest event down, as far as it fits into memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hubspot_singer.http.errors import InvalidRequest, TooSlow
from tap_hubspot_email_events import moments
from tap_hubspot_email_events.errors import UnexpectedAnswer
from tap_hubspot_email_events.events import oldest_first
from tap_hubspot_email_events.reads import WindowRead
from tap_hubspot_email_events.spools import Spool
from tap_hubspot_email_events.widths import MOST_EVENTS, PAGE_EVENTS, is_far_too_wide

if TYPE_CHECKING:
    from tap_hubspot_email_events.events import Event, EventKey
    from tap_hubspot_email_events.pages import Page, Pages
    from tap_hubspot_email_events.windows import Window

TRIES = 3  # how often a window is begun anew whose pages lead nowhere
BARREN_PAGES = 10  # so many pages without a new event, one after another, lead nowhere


def read_window(pages: Pages, window: Window, room: int = MOST_EVENTS) -> WindowRead:
    """Read the window, or as much of its newest part as `room` events; the rest is to be asked for anew."""
    if window.is_one_millisecond:
        return _read_millisecond(pages, window, room)
    calls = 0
    for _ in range(TRIES):
        reading = Reading(window)
        reading.read_on(pages, room)
        calls += reading.calls
        if reading.is_at_end or reading.seen or reading.is_too_slow:
            return reading.result(calls)
    raise _leads_nowhere(pages, window)


def _read_millisecond(pages: Pages, window: Window, room: int) -> WindowRead:
    """Read a window that cannot be cut; what memory should not hold goes to disk."""
    calls = 0
    for _ in range(TRIES):
        reading = Reading(window)
        reading.read_on(pages, room)
        spool = _spooled(reading, pages, room) if reading.can_go_on else None
        calls += reading.calls
        if reading.is_at_end:
            if spool is None:
                return reading.result(calls)
            return WindowRead(window, window.start, spool, len(spool), window.start, calls)
    raise _leads_nowhere(pages, window)


def _spooled(reading: Reading, pages: Pages, room: int) -> Spool:
    """Read on to the end with all events on disk, or to where no new ones come."""
    spool = Spool()
    while spool.add(reading.drain()) and reading.can_go_on:
        reading.read_on(pages, room)
    return spool


def _leads_nowhere(pages: Pages, window: Window) -> UnexpectedAnswer:
    return UnexpectedAnswer(
        f"HubSpot says that there are more {pages.event_type} events between"
        f" {moments.to_text(window.start)} and {moments.to_text(window.end)}, but gave no way to them,"
        f" {TRIES} times. What came before is passed on: run again later to go on from there."
    )


@dataclass(slots=True)
class Reading:
    """One way through a window's pages, and the events met on it, each once."""

    window: Window
    events: dict[EventKey, Event] = field(default_factory=dict)
    offset: str | None = None
    oldest: int = 0
    calls: int = 0
    seen: int = 0
    is_at_end: bool = False
    is_in_order: bool = True
    is_too_slow: bool = False
    is_stuck: bool = False
    _offsets: set[str] = field(default_factory=set)
    _barren: int = 0

    def __post_init__(self) -> None:
        self.oldest = self.window.last

    @property
    def can_go_on(self) -> bool:
        """Whether there is another page, and a way to it."""
        return not self.is_at_end and not self.is_stuck

    def read_on(self, pages: Pages, room: int) -> None:
        """Read pages until the end, or until no other one fits, or none can be had."""
        while self.can_go_on and len(self.events) < room and not self._is_far_too_wide():
            page = self._next(pages, min(PAGE_EVENTS, room - len(self.events)))
            if page is not None:
                self._take(page)

    def _is_far_too_wide(self) -> bool:
        if self.window.is_one_millisecond:
            return False
        return is_far_too_wide(self.seen, self.window.end - self.oldest, self.window.width)

    def _next(self, pages: Pages, limit: int) -> Page | None:
        self.calls += 1
        try:
            return pages.page(self.window, offset=self.offset, limit=limit)
        except InvalidRequest:
            # Offsets live short. Whether anything else is wrong with the request is told by one without.
            if self.offset is None:
                raise
            self.is_stuck = True
        except TooSlow:
            self.is_stuck = self.is_too_slow = True
        return None

    def _take(self, page: Page) -> None:
        known = len(self.events)
        for event in page.events:
            moment = self.window.nearest(event.created)
            self.is_in_order = self.is_in_order and moment <= self.oldest
            self.oldest = min(self.oldest, moment)
            self.events.setdefault(event.key, event)
        self.seen += len(page.events)
        self._barren = 0 if len(self.events) > known else self._barren + 1
        self.is_at_end = not page.has_more
        self.is_stuck = page.offset is None or page.offset in self._offsets or self._barren >= BARREN_PAGES
        self.offset = page.offset
        self._offsets.update(() if page.offset is None else (page.offset,))

    def drain(self) -> list[Event]:
        """Hand over the events met since, to be kept elsewhere."""
        drained = list(self.events.values())
        self.events.clear()
        return drained

    def result(self, calls: int) -> WindowRead:
        """What is known of the window: as the newest events come first, its newer part may be whole."""
        if self.is_at_end:
            return self._whole_from(self.window.start, calls)
        if not self.seen or not self.is_in_order:
            return self._nothing_kept(self.window.start + self.window.width // 2, calls)
        if self.oldest == self.window.last:
            return self._nothing_kept(self.oldest, calls)
        # Of the oldest millisecond met there may be more on the next page.
        return self._whole_from(self.oldest + 1, calls)

    def _whole_from(self, moment_ms: int, calls: int) -> WindowRead:
        kept = [event for event in self.events.values() if self.window.nearest(event.created) >= moment_ms]
        kept.sort(key=oldest_first)
        return WindowRead(self.window, moment_ms, kept, self.seen, self.oldest, calls)

    def _nothing_kept(self, cut_at: int, calls: int) -> WindowRead:
        return WindowRead(self.window, cut_at, None, self.seen, self.oldest, calls, in_order=self.is_in_order)
