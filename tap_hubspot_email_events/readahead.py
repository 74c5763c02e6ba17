"""Reads the windows of all streams ahead of their turn, side by side, and hands them over in order.

Streams are passed on one after another, the windows of each from the oldest on. Meanwhile the next windows of the
same stream are read, and the first page of each stream to come: where there are few events that is all there is to
read. What is held in memory stays below `MOST_EVENTS_HELD` and `MOST_BYTES_HELD`.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hubspot_singer.http.errors import HubSpotError, Stopped
from tap_hubspot_email_events.readers import Room, read_window
from tap_hubspot_email_events.widths import MOST_BYTES, MOST_EVENTS, PAGE_EVENTS
from tap_hubspot_email_events.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Future

    from tap_hubspot_email_events.pages import EventPages
    from tap_hubspot_email_events.plans import Plan
    from tap_hubspot_email_events.windows import Window, WindowRead

MOST_EVENTS_HELD = 40_000
MOST_BYTES_HELD = 64_000_000  # of records
SIGNAL_SECONDS = 0.2  # how long a signal may go unnoticed


@dataclass(slots=True)
class StreamReads:
    """How a stream is read, and how far that has come; `event_size` is the bytes of a record, as those read so far."""

    pages: EventPages
    plan: Plan
    calls: int = 0
    event_size: int = 0
    failure: HubSpotError | None = None

    def room(self, events: int) -> Room:
        """Return the room for a window of so many events, or of fewer if they are large."""
        most = MOST_BYTES // self.event_size if self.event_size else events
        return Room(max(min(events, most), 1), MOST_BYTES, not self.plan.width.is_known)

    def note(self, read: WindowRead) -> None:
        """Count what reading a window took."""
        self.calls += read.calls
        if read.held:
            self.event_size = read.size // read.held


@dataclass(frozen=True, slots=True)
class InFlight:
    """A window being read, and the room reserved for its events."""

    stream: StreamReads
    window: Window
    room: Room


class ReadAhead:
    """The windows of several streams; used by one thread, which reads with the help of others."""

    def __init__(self, streams: Mapping[str, StreamReads], *, workers: int) -> None:
        self._streams = streams
        self._workers = workers
        self._threads: Workers[WindowRead] = Workers(workers)
        self._in_flight: dict[Future[WindowRead], InFlight] = {}
        self._passing_on: WindowRead | None = None
        self.is_stopped = False

    def windows(self, name: str) -> Iterator[WindowRead]:
        """Yield the stream's windows, oldest first; raises the error that the next one failed with."""
        stream = self._streams[name]
        plan = stream.plan
        try:
            self._check_signal()
            if stream.failure is not None and not plan.is_begun:
                raise stream.failure
            while not plan.is_done:
                self.advance()
                read = plan.take_oldest()
                if read is None:
                    self._wait(stream)
                    continue
                self._passing_on = read
                yield read
                self._passing_on = None
                self._check_signal()
        finally:
            self._passing_on = None
            plan.abandon()

    def advance(self) -> None:
        """Take windows that were read, and start reading others if there is room; to be called between batches."""
        for future in [each for each in self._in_flight if each.done()]:
            self._take_in(future)
        while not self.is_stopped and self._start():
            pass

    def close(self) -> None:
        """Start nothing else."""
        self.is_stopped = True
        self._threads.close()

    @property
    def events_held(self) -> int:
        """How many events are held, or may come to be before anything else is asked for."""
        waiting = sum(stream.plan.events_held for stream in self._streams.values())
        passing_on = self._passing_on.held if self._passing_on else 0
        return waiting + passing_on + sum(each.room.events for each in self._in_flight.values())

    @property
    def bytes_held(self) -> int:
        """How many bytes of records are held, or may come to be before anything else is asked for."""
        waiting = sum(stream.plan.bytes_held for stream in self._streams.values())
        passing_on = self._passing_on.size if self._passing_on else 0
        return waiting + passing_on + sum(each.room.bytes for each in self._in_flight.values())

    def _check_signal(self) -> None:
        if self.is_stopped:
            raise Stopped

    def _wait(self, stream: StreamReads) -> None:
        self._check_signal()
        if stream.failure is not None and not any(each.stream is stream for each in self._in_flight.values()):
            raise stream.failure
        if self._in_flight:
            wait(self._in_flight, timeout=SIGNAL_SECONDS, return_when=FIRST_COMPLETED)
        else:
            self._make_room()

    def _make_room(self) -> None:
        """Drop events held for later, so that those needed next can be read."""
        for stream in reversed(list(self._streams.values())):
            if stream.plan.drop_newest():
                return

    def _take_in(self, future: Future[WindowRead]) -> None:
        in_flight = self._in_flight.pop(future)
        stream = in_flight.stream
        try:
            read = future.result()
        except HubSpotError as failure:
            stream.failure = stream.failure or failure
            stream.plan.mark_unread(in_flight.window)
        else:
            stream.note(read)
            stream.plan.add_read(read)

    def _start(self) -> bool:
        if len(self._in_flight) >= self._workers:
            return False
        # No other window of a stream that failed is read.
        unfinished = [
            stream for stream in self._streams.values() if not stream.plan.is_done and stream.failure is None
        ]
        is_first = True
        for stream in unfinished:
            is_next = stream is unfinished[0]
            if (is_first or not stream.plan.is_begun) and self._start_window(
                stream, MOST_EVENTS if is_first else PAGE_EVENTS, is_next=is_next
            ):
                return True
            is_first = is_first and stream.plan.is_read
        return False

    def _start_window(self, stream: StreamReads, events: int, *, is_next: bool) -> bool:
        """Start the stream's next window, if there is one and room for it.

        Unless the stream is the next to be passed on, room for another window is left free: for what turns out to
        be needed before it.
        """
        room = stream.room(events)
        reserved = Room(0, 0) if is_next else Room()
        events_held, bytes_held = self.events_held + room.events, self.bytes_held + room.bytes
        if (
            events_held + reserved.events >= MOST_EVENTS_HELD
            or bytes_held + reserved.bytes >= MOST_BYTES_HELD
        ):
            return False
        is_short = (
            events_held + 2 * MOST_EVENTS >= MOST_EVENTS_HELD
            or bytes_held + 2 * MOST_BYTES >= MOST_BYTES_HELD
        )
        request = stream.plan.next_window(is_short=is_short)
        if request is None:
            return False
        window, room = request.window, stream.room(min(events, request.events))
        future = self._threads.start(partial(read_window, stream.pages, window, room))
        self._in_flight[future] = InFlight(stream, window, room)
        return True
