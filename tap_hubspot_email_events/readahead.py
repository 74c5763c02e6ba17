"""Reads the windows of all streams ahead of their turn, side by side, and hands them over in order.

Streams are passed on one after another, the windows of each from the oldest on. Meanwhile the next windows of
the same stream are read, and the first page of each stream to come: where there are few events that is all
there is to read. What is held stays below `MOST_HELD` events.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING

from hubspot_singer.http.errors import HubSpotError, Stopped
from tap_hubspot_email_events.readers import read_window
from tap_hubspot_email_events.widths import MOST_EVENTS, PAGE_EVENTS
from tap_hubspot_email_events.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Future

    from tap_hubspot_email_events.pages import Pages
    from tap_hubspot_email_events.plans import Plan
    from tap_hubspot_email_events.reads import WindowRead
    from tap_hubspot_email_events.windows import Window

MOST_HELD = 40_000  # events; as parsed objects they take about 150 MB
LISTEN_SECONDS = 0.2  # how long a signal may go unheard


@dataclass(slots=True)
class StreamReads:
    """How a stream is read, and how much of it is."""

    pages: Pages
    plan: Plan
    calls: int = 0
    failure: HubSpotError | None = None


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A window being read, and the room kept for its events."""

    stream: StreamReads
    window: Window
    room: int


class ReadAhead:
    """The windows of several streams; used by one thread, which reads with the help of others."""

    def __init__(self, streams: Mapping[str, StreamReads], *, workers: int) -> None:
        self._streams = streams
        self._workers = workers
        self._threads: Workers[WindowRead] = Workers(workers)
        self._under_way: dict[Future[WindowRead], UnderWay] = {}
        self._passing_on = 0
        self.is_stopped = False

    def windows(self, name: str) -> Iterator[WindowRead]:
        """Yield the stream's windows, oldest first; raises what stands in the way of the next one."""
        stream = self._streams[name]
        plan = stream.plan
        try:
            self._heed_signal()
            while not plan.is_done:
                self.go_on()
                read = plan.take_oldest()
                if read is None:
                    self._wait(stream)
                    continue
                self._passing_on = read.held
                yield read
                self._passing_on = 0
                self._heed_signal()
        finally:
            self._passing_on = 0
            plan.abandon()

    def go_on(self) -> None:
        """Take in what was read and start reading what there is room for; to be called now and then."""
        for future in [each for each in self._under_way if each.done()]:
            self._take_in(future)
        while not self.is_stopped and self._start():
            pass

    def close(self) -> None:
        """Start nothing else."""
        self.is_stopped = True
        self._threads.close()

    @property
    def held(self) -> int:
        """How many events are held, or may come to be before anything else is asked."""
        waiting = sum(stream.plan.events_held for stream in self._streams.values())
        return waiting + self._passing_on + sum(each.room for each in self._under_way.values())

    def _heed_signal(self) -> None:
        if self.is_stopped:
            raise Stopped

    def _wait(self, stream: StreamReads) -> None:
        self._heed_signal()
        if stream.failure is not None and not any(each.stream is stream for each in self._under_way.values()):
            raise stream.failure
        if self._under_way:
            wait(self._under_way, timeout=LISTEN_SECONDS, return_when=FIRST_COMPLETED)
        else:
            self._make_room()

    def _make_room(self) -> None:
        """Give up what is held for later, so that what is needed next can be read."""
        for stream in reversed(list(self._streams.values())):
            if stream.plan.forget_newest():
                return

    def _take_in(self, future: Future[WindowRead]) -> None:
        under_way = self._under_way.pop(future)
        try:
            read = future.result()
        except HubSpotError as failure:
            under_way.stream.failure = under_way.stream.failure or failure
            under_way.stream.plan.failed(under_way.window)
        else:
            under_way.stream.calls += read.calls
            under_way.stream.plan.came_back(read)

    def _start(self) -> bool:
        if len(self._under_way) >= self._workers:
            return False
        left = [stream for stream in self._streams.values() if not stream.plan.is_done]
        # Where a stream failed the run ends when its turn comes; what comes before it is read all the same.
        left = list(takewhile(lambda stream: stream.failure is None, left))
        is_first = True
        for stream in left:
            room = MOST_EVENTS if is_first else PAGE_EVENTS
            reserve = 0 if stream is left[0] else MOST_EVENTS  # for what turns out to be needed before it
            if (is_first or not stream.plan.is_begun) and self._start_window_of(stream, room, reserve):
                return True
            is_first = is_first and stream.plan.is_asked_for
        return False

    def _start_window_of(self, stream: StreamReads, room: int, reserve: int) -> bool:
        if self.held + room + reserve >= MOST_HELD:
            return False
        window = stream.plan.next_window()
        if window is None:
            return False
        future = self._threads.start(partial(read_window, stream.pages, window, room))
        self._under_way[future] = UnderWay(stream, window, room)
        return True
