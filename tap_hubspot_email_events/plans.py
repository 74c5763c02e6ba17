"""The plan of one stream: which windows are to be read, are being read, and are read but not yet passed on.

Whatever happens to a window, the spans of a plan lie side by side from its start to its end, so that each
millisecond is passed on once, in order.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from tap_hubspot_email_events.widths import MOST_EVENTS, PAGE_EVENTS, Width
from tap_hubspot_email_events.windows import Window

if TYPE_CHECKING:
    from tap_hubspot_email_events.windows import WindowRead


BURST_WINDOWS = 4  # fitting windows, from which on the beginning of a burst is looked for


class Stage(Enum):
    """How far a span has come."""

    UNREAD = auto()
    IN_FLIGHT = auto()
    READ = auto()


@dataclass(slots=True)
class Span:
    """A window and how far it has come.

    A burst is the older part of a window that held more than fits: its newer end is dense, and what lies before it
    may be quiet.
    """

    window: Window
    stage: Stage = Stage.UNREAD
    read: WindowRead | None = None
    is_burst: bool = False

    @property
    def events_held(self) -> int:
        """How many events wait here."""
        return self.read.held if self.read is not None else 0


class WindowRequest(NamedTuple):
    """A window to be read, and how many of its events may be held."""

    window: Window
    events: int


@dataclass(slots=True)
class Plan:
    """A stream's spans, oldest first, and the width its next window should have."""

    spans: deque[Span] = field(default_factory=deque)
    width: Width = field(default_factory=Width)

    @classmethod
    def of(cls, start: int, end: int) -> Plan:
        """Return a plan for the time from `start` to `end`; it is done if that is no time at all."""
        return cls(deque([Span(Window(start, end))] if start < end else ()))

    @property
    def is_done(self) -> bool:
        """Whether everything was passed on."""
        return not self.spans

    @property
    def is_begun(self) -> bool:
        """Whether anything was read or is being read."""
        return any(span.stage is not Stage.UNREAD for span in self.spans)

    @property
    def is_read(self) -> bool:
        """Whether nothing is left to be read."""
        return all(span.stage is Stage.READ for span in self.spans)

    @property
    def events_held(self) -> int:
        """How many events wait to be passed on."""
        return sum(span.events_held for span in self.spans)

    @property
    def bytes_held(self) -> int:
        """How many bytes of records wait to be passed on."""
        return sum(span.read.size for span in self.spans if span.read is not None)

    def next_window(self, *, is_short: bool = False) -> WindowRequest | None:
        """Take the oldest unread window, unless its width depends on windows in flight.

        `is_short` says that memory is short: then the beginning of a burst is looked for, a page at a time.
        """
        if sum(each.stage is Stage.IN_FLIGHT for each in self.spans) >= self.width.side_by_side:
            return None
        for index, span in enumerate(self.spans):
            if span.stage is Stage.UNREAD:
                return self._take(index, span, is_short=is_short)
        return None

    def _take(self, index: int, span: Span, *, is_short: bool) -> WindowRequest:
        unread, events, is_burst = span.window, MOST_EVENTS, span.is_burst
        width = unread.width
        if is_burst and is_short:
            is_burst = width > BURST_WINDOWS * (self.width.milliseconds or width)
            events = PAGE_EVENTS if is_burst else events
            width = ceil(width / 2)
        if not is_burst:
            width = self.width.of_next(unread.width)
        taken, remaining = unread.cut(unread.start + width)
        self._replace(
            index, Span(taken, Stage.IN_FLIGHT, is_burst=is_burst), Span(remaining, is_burst=is_burst)
        )
        return WindowRequest(taken, events)

    def add_read(self, read: WindowRead) -> None:
        """Take a window that was in flight: as read, or in part to be read again."""
        if not self.spans:  # abandoned meanwhile
            return
        index = self._index_of(read.window)
        was_burst = self.spans[index].is_burst
        is_burst = was_burst or self.width.is_burst(read, self.events_held)
        older, newer = read.window.cut(read.whole_from)
        nothing_kept = Span(newer, is_burst=was_burst)
        kept = nothing_kept if read.events is None else Span(newer, Stage.READ, read)
        self._replace(index, Span(older, is_burst=is_burst), kept)
        if not was_burst:  # the time behind a burst is not like it
            self.width = self.width.after(read)

    def mark_unread(self, window: Window) -> None:
        """Mark a window that could not be read as unread."""
        if self.spans:
            self.spans[self._index_of(window)].stage = Stage.UNREAD

    def take_oldest(self) -> WindowRead | None:
        """Remove and return the oldest window, if it is read."""
        if not self.spans or self.spans[0].stage is not Stage.READ:
            return None
        return self.spans.popleft().read

    def drop_newest(self) -> int:
        """Drop the newest events held, to be read again later; return how many."""
        for span in reversed(self.spans):
            if span.events_held:
                forgotten = span.events_held
                span.stage, span.read = Stage.UNREAD, None
                return forgotten
        return 0

    def abandon(self) -> None:
        """Drop the plan."""
        self.spans.clear()

    def _index_of(self, window: Window) -> int:
        return next(index for index, each in enumerate(self.spans) if each.window == window)

    def _replace(self, index: int, *spans: Span) -> None:
        del self.spans[index]
        for span in reversed(spans):
            if span.window.width:
                self.spans.insert(index, span)
