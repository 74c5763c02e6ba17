"""Reads a window page by page, from its newest event down, as far as it fits into memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hubspot_singer.http.errors import InvalidRequest, ServerError, TooSlow
from tap_hubspot_email_events import moments
from tap_hubspot_email_events.paging import PagePosition
from tap_hubspot_email_events.spools import Spool
from tap_hubspot_email_events.widths import MOST_BYTES, MOST_EVENTS, PAGE_EVENTS, is_far_too_wide
from tap_hubspot_email_events.windows import WindowRead

if TYPE_CHECKING:
    from tap_hubspot_email_events.events import Event, EventKey
    from tap_hubspot_email_events.pages import EventPages, Page
    from tap_hubspot_email_events.windows import Window

TRIES = 3  # how often a window is begun anew whose pages give no way to the next one
SMALLEST_PAGE = 100  # events; for less room a page is not asked for


@dataclass(frozen=True, slots=True)
class Room:
    """How much of a window may be held in memory; `is_probe` says that its density is not known."""

    events: int = MOST_EVENTS
    bytes: int = MOST_BYTES
    is_probe: bool = False


def read_window(pages: EventPages, window: Window, room: Room) -> WindowRead:
    """Read the window, or as much of its newest part as there is room for; the remainder is to be asked for again.

    Raises HubSpotError where HubSpot refuses the window, or part of it that cannot be cut.
    """
    calls = tries = 0
    while True:
        reading = WindowReading(window, calls=calls, asks_beyond_end=not pages.end_is_inclusive)
        reading.read_on(pages, room)
        events = reading.spooled(pages, room) if window.is_one_millisecond else None
        calls, tries = reading.calls, tries + 1
        if reading.is_at_end or reading.can_be_cut or tries == TRIES:
            return reading.result(events)


@dataclass(slots=True)
class EventPagePosition(PagePosition):
    """The position in pages of events, some of which are passed over and not kept."""

    _first_entries: set[bytes | None] = field(default_factory=set)

    def advance_past(self, page: Page, *, is_new: bool) -> None:
        """Go on behind a page that brought a new event or none; one of events passed over is new by its first entry."""
        is_new = is_new or (bool(page.passed_over) and page.first not in self._first_entries)
        self._first_entries.add(page.first)
        self.follow(page.offset, has_more=page.has_more, is_new=is_new)


@dataclass(slots=True)
class WindowReading:
    """One pass through a window's pages, and the events found, each once."""

    window: Window
    calls: int = 0
    asks_beyond_end: bool = True  # whether HubSpot is asked for the millisecond after the window too
    events: dict[EventKey, Event] = field(default_factory=dict)
    size: int = 0
    seen: int = 0
    oldest: int = 0
    passed_over: list[int] = field(
        default_factory=list
    )  # when the events were created that are not for the stream
    is_in_order: bool = True
    is_too_wide: bool = False
    is_page_full: bool = False  # whether the last page held as many events as were asked for
    is_incomplete: bool = False
    problem: str | None = None
    position: EventPagePosition = field(default_factory=EventPagePosition)

    def __post_init__(self) -> None:
        self.oldest = self.window.last

    @property
    def is_at_end(self) -> bool:
        """Whether all pages were read."""
        return self.position.is_at_end

    @property
    def can_be_cut(self) -> bool:
        """Whether what is missing can be asked for in a narrower window."""
        return not self.window.is_one_millisecond and (self.seen > 0 or self.is_too_wide)

    def read_on(self, pages: EventPages, room: Room) -> None:
        """Read pages until the end, or until no other one fits or can be had."""
        while self.position.can_go_on and (limit := self._limit(room)) and not self._is_far_too_wide(room):
            page = self._next(pages, limit)
            if page is None:
                continue
            if self._is_beyond(page):
                pages.end_is_inclusive, self.asks_beyond_end, self.position.offset = True, False, None
                continue
            self.is_page_full = len(page.created) >= limit
            self.take(page)

    def spooled(self, pages: EventPages, room: Room) -> Spool | None:
        """Read a millisecond that does not fit into memory on to its end, all of its events on disk."""
        if not self.position.can_go_on:
            return None
        spool = Spool()
        while spool.add(self._drain()) and self.position.can_go_on:
            self.read_on(pages, room)
        if self.position.can_go_on:
            self._end_here()
        return spool

    def take(self, page: Page) -> None:
        """Take in the next page."""
        end, created, events = self.window.end, page.created, page.events
        if created and max(created) >= end:
            created = tuple(moment for moment in created if moment < end)
            events = tuple(event for event in events if event.created < end)
        self.passed_over += [moment for moment in page.passed_over if moment < end]
        if created:
            newest_first = sorted(created, reverse=True)
            self.is_in_order = (
                self.is_in_order and newest_first[0] <= self.oldest and newest_first == list(created)
            )
            self.oldest = max(min(self.oldest, newest_first[-1]), self.window.start)
        self.seen += len(created)
        self.position.advance_past(page, is_new=self._add(events))
        # What lies before the oldest event met is asked for once more. If that brings nothing either, it is the end.
        if self.position.brings_nothing_new and self.oldest == self.window.last:
            self._end_here()

    def _add(self, events: tuple[Event, ...]) -> bool:
        known = len(self.events)
        for event in events:
            key = event.key
            if key not in self.events:
                self.events[key] = event
                self.size += len(event.record or b"")
        return len(self.events) > known

    def _end_here(self) -> None:
        """End here, since HubSpot's pages bring nothing new any more, although they say that there are more."""
        self.position.is_at_end = True
        self.problem = "its pages bring nothing new"

    def _limit(self, room: Room) -> int:
        """Return how many events the next page may hold; 0 if no other page fits."""
        free = room.events - len(self.events)
        if self.size:
            free = min(free, (room.bytes - self.size) * len(self.events) // self.size)
        is_worth_it = free >= min(SMALLEST_PAGE, room.events) or not self.seen
        return max(min(PAGE_EVENTS, free), 1) if is_worth_it else 0

    def _is_far_too_wide(self, room: Room) -> bool:
        if self.window.is_one_millisecond or not room.is_probe:
            return False
        return is_far_too_wide(self.seen, self.window.end - self.oldest, self.window.width)

    def _next(self, pages: EventPages, limit: int) -> Page | None:
        self.calls += 1
        try:
            end = self.window.end if self.asks_beyond_end else self.window.last
            return pages.page(self.window, end=end, offset=self.position.offset, limit=limit)
        except InvalidRequest:
            # Offsets expire soon. A request without one shows whether anything else is wrong with the request.
            if self.position.offset is None:
                raise
            self.position.is_stuck = True
        except (ServerError, TooSlow):
            if self.window.is_one_millisecond:
                raise
            self.position.is_stuck = self.is_too_wide = True
        return None

    def _is_beyond(self, page: Page) -> bool:
        """Whether a first page shows nothing but the millisecond after the window, of which there is more."""
        return (
            self.asks_beyond_end
            and page.has_more
            and not self.seen
            and min(page.created, default=0) >= self.window.end
        )

    def _drain(self) -> list[Event]:
        """Return the events found since the last call, and forget them."""
        drained = list(self.events.values())
        self.events.clear()
        self.size = 0
        return drained

    def result(self, spool: Spool | None = None) -> WindowRead:
        """Return what is known of the window: as the newest events come first, its newer part may be complete."""
        if self.is_at_end:
            return self._whole_from(self.window.start, spool)
        if not self.can_be_cut:
            self.problem = "not where they are"
            self.is_incomplete = self.is_page_full
            return self._whole_from(self.window.start, spool)
        if not self.seen or not self.is_in_order:
            return self._nothing_kept(self.window.start + self.window.width // 2)
        if self.oldest == self.window.last:
            return self._nothing_kept(self.oldest)
        # Of the oldest millisecond met there may be more on the next page.
        return self._whole_from(self.oldest + 1)

    def _whole_from(self, moment: int, spool: Spool | None = None) -> WindowRead:
        kept = sorted(self.events.values())
        if moment > self.window.start:
            kept = [event for event in kept if event.created >= moment]
        events = kept if spool is None else spool
        return WindowRead(
            self.window,
            moment,
            events,
            self.seen,
            self.oldest,
            self.calls,
            size=sum(len(event.record or b"") for event in kept),
            passed_over=sum(each >= moment for each in self.passed_over),
            warning=self._warning(len(events)),
            is_incomplete=self.is_incomplete,
        )

    def _warning(self, received: int) -> str | None:
        if self.problem is None:
            return None
        return (
            f"HubSpot says that there are more events between {moments.to_text(self.window.start)} and"
            f" {moments.to_text(self.window.end)}, but {self.problem}. The {received} received are passed on."
        )

    def _nothing_kept(self, cut_at: int) -> WindowRead:
        return WindowRead(
            self.window, cut_at, None, self.seen, self.oldest, self.calls, in_order=self.is_in_order
        )
