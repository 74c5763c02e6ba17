"""One run: what is to be read of each stream, how far it came, and the table at its end."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hubspot_singer.http.errors import Stopped
from tap_hubspot_email_events import moments
from tap_hubspot_email_events.bookmarks import Bookmark, Progress
from tap_hubspot_email_events.errors import UnreadableState
from tap_hubspot_email_events.pages import Pages, hubspot_time
from tap_hubspot_email_events.plans import Plan
from tap_hubspot_email_events.readahead import ReadAhead, StreamReads
from tap_hubspot_email_events.report import StreamReport, table
from tap_hubspot_email_events.spools import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_hubspot_email_events.events import Event
    from tap_hubspot_email_events.pages import HubSpot
    from tap_hubspot_email_events.reads import WindowRead
    from tap_hubspot_email_events.settings import EventSettings

EVENTS_BETWEEN_LOOKS = 500  # passed on before looking whether other windows were read meanwhile

logger = logging.getLogger("tap-hubspot-email-events")

State = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A stream that is to be read, and its state."""

    name: str
    event_type: str
    state: State


@dataclass(slots=True)
class Passage:
    """How a stream is passed on."""

    state: State
    progress: Progress
    report: StreamReport


@dataclass(slots=True)
class Run:
    """The streams of one run."""

    reads: ReadAhead
    streams: Mapping[str, StreamReads]
    passages: Mapping[str, Passage]
    is_reported: bool = field(default=False)

    @classmethod
    def begin(
        cls, hubspot: HubSpot, settings: EventSettings, wanted: Sequence[Wanted], *, workers: int
    ) -> Run:
        """Ask HubSpot for the time and plan from there."""
        now = hubspot_time(hubspot, wanted[0].event_type)
        end = min(now - settings.settle, settings.end or now)
        _warn_of_nothing_to_read(settings, end)
        streams, passages = {}, {}
        for each in wanted:
            progress = _progress(each, settings, now)
            pages = Pages(hubspot, each.event_type, exclude_filtered=settings.exclude_filtered)
            streams[each.name] = StreamReads(pages, Plan.of(progress.start, end))
            passages[each.name] = Passage(each.state, progress, StreamReport(each.name))
        return cls(ReadAhead(streams, workers=workers), streams, passages)

    def events(self, name: str, *, window_done: Callable[[], None]) -> Iterator[Event]:
        """Yield a stream's new events; after each window its state says so, and `window_done` is called."""
        passage = self.passages[name]
        for read in self.reads.windows(name):
            yield from self._new_events(read, passage)
            passage.progress.finish(read.kept, passage.state)
            passage.report.add_window(read.kept)
            if isinstance(read.events, Spool):
                read.events.close()
            window_done()

    def _new_events(self, read: WindowRead, passage: Passage) -> Iterator[Event]:
        for index, event in enumerate(read.events or ()):
            if index % EVENTS_BETWEEN_LOOKS == 0:
                self._look_around(read)
            if passage.progress.is_new(event, read.kept):
                passage.report.events += 1
                yield event

    def _look_around(self, read: WindowRead) -> None:
        self.reads.go_on()
        # A window in memory is soon passed on; one on disk can take longer than anybody waits after a signal.
        if self.reads.is_stopped and isinstance(read.events, Spool):
            raise Stopped

    def end(self) -> None:
        """Start nothing else, and say once what was done."""
        self.reads.close()
        if not self.is_reported:
            self.is_reported = True
            for name, passage in self.passages.items():
                passage.report.calls = self.streams[name].calls
            logger.info("Email events read:")
            for line in table([each.report for each in self.passages.values()]).splitlines():
                logger.info("%s", line)


def _progress(wanted: Wanted, settings: EventSettings, now: int) -> Progress:
    try:
        bookmark = Bookmark.from_state(wanted.state)
        _warn_of_future_bookmark(wanted.name, bookmark.until or 0, now)
        return Progress(bookmark, start=settings.start, now=now, lookback=settings.lookback)
    except UnreadableState as error:
        raise UnreadableState(
            f"The state of {wanted.name} cannot be read: {error}. Correct it, or take the stream"
            " out of the state to read it from start_date on."
        ) from error


def _warn_of_nothing_to_read(settings: EventSettings, end: int) -> None:
    if settings.start >= end:
        logger.warning(
            "start_date %s lies after the last settled moment, %s: there is nothing to read yet.",
            moments.to_text(settings.start),
            moments.to_text(max(end, 0)),
        )


def _warn_of_future_bookmark(stream: str, until: int, now: int) -> None:
    if until > now:
        logger.warning(
            "The state of %s says that everything before %s was read, but HubSpot's clock shows %s: what is"
            " created until then is not read. Correct the state if it should be.",
            stream,
            moments.to_text(until),
            moments.to_text(now),
        )
