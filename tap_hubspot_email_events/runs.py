"""One run of the event streams: up to when it reads, what is new, how far each comes, and the table at its end."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from hubspot_singer.http.errors import HubSpotError, ServerError, Stopped, TooSlow, Unavailable
from tap_hubspot_email_events import moments
from tap_hubspot_email_events.bookmarks import FIRST_MOMENT_MS, Bookmark, StreamProgress
from tap_hubspot_email_events.errors import ENDS_THE_RUN, UnreadableState
from tap_hubspot_email_events.pages import EventPages
from tap_hubspot_email_events.plans import Plan
from tap_hubspot_email_events.readahead import ReadAhead, StreamReads
from tap_hubspot_email_events.readers import WindowReading
from tap_hubspot_email_events.report import StreamReport, table
from tap_hubspot_email_events.spools import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_hubspot_email_events.events import Event, EventParser
    from tap_hubspot_email_events.pages import Page
    from tap_hubspot_email_events.paging import HubSpot
    from tap_hubspot_email_events.records import Notes
    from tap_hubspot_email_events.settings import EventSettings
    from tap_hubspot_email_events.windows import WindowRead

BATCH_EVENTS = 500  # passed on before looking whether other windows were read meanwhile
# A time this far ahead of the machine's is asked for once more: a bookmark ahead of the events would lose them.
MOST_AHEAD_MS = moments.HOUR_MS

logger = logging.getLogger("tap-hubspot-email-events")

State = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class SelectedStream:
    """A stream of events to be read: its name, HubSpot's type (None for all types), its parser, and its state."""

    name: str
    event_type: str | None
    parser: EventParser
    state: State


@dataclass(slots=True)
class StreamOutput:
    """What a stream passes on: which events are new, its state, and its report."""

    state: State
    progress: StreamProgress
    report: StreamReport
    campaigns: set[tuple[Any, Any]] = field(default_factory=set)

    def records(self, events: Sequence[Event], read: WindowRead) -> list[bytes]:
        """Return the records of the new events among these, which are part of a window."""
        new = self.progress.new(events)
        self.progress.remember(events, read.kept)
        records = [event.record for event in new if event.record is not None]
        self.campaigns.update(event.campaign for event in new if event.campaign is not None)
        self.report.events += len(records)
        self.report.unidentified += len(new) - len(records)
        return records

    def finish(self, read: WindowRead) -> None:
        """Note that a window was passed on."""
        self.progress.finish(read.kept, self.state)
        self.report.add_window(read.kept)
        self.report.passed_over += read.passed_over
        if read.is_incomplete:
            self.report.incomplete.append(read.kept)
        if read.warning is not None:
            logger.warning("%s: %s", self.report.name, read.warning)


@dataclass(slots=True)
class Run:
    """The streams of one run."""

    reads: ReadAhead
    streams: Mapping[str, StreamReads]
    outputs: Mapping[str, StreamOutput]

    @classmethod
    def begin(
        cls,
        hubspot: HubSpot,
        settings: EventSettings,
        selected: Sequence[SelectedStream],
        *,
        workers: int,
        machine_time: Callable[[], float],
    ) -> Run:
        """Take HubSpot's time from the first answer, and plan each stream up to it; `machine_time`: epoch seconds."""
        outputs: dict[str, StreamOutput] = {}
        streams: dict[str, StreamReads] = {}
        for each in selected:
            streams[each.name] = StreamReads(EventPages(hubspot, each.event_type, each.parser), Plan())
            try:
                bookmark = _bookmark(each)
            except UnreadableState as error:
                streams[each.name].failure, bookmark = error, Bookmark()
            outputs[each.name] = _output(each, bookmark, settings)
        first = _first_answer(streams, outputs, machine_time)
        if first is not None:
            _plan(streams, outputs, first, settings)
        return cls(ReadAhead(streams, workers=workers), streams, outputs)

    def batches(self, name: str, *, window_done: Callable[[], None]) -> Iterator[list[bytes]]:
        """Yield the records of a stream's new events, some at a time, oldest first.

        After each window the stream's state covers it, and `window_done` is called. Raises HubSpotError where the
        stream cannot be read on.
        """
        output = self.outputs[name]
        for read in self.reads.windows(name):
            for events in _batches(read.events or ()):
                self._read_ahead(read)
                if records := output.records(events, read):
                    yield records
            output.finish(read)
            if isinstance(read.events, Spool):
                read.events.close()
            window_done()

    def _read_ahead(self, read: WindowRead) -> None:
        self.reads.advance()
        # A window in memory is soon passed on; one on disk can take too long after a signal.
        if self.reads.is_stopped and isinstance(read.events, Spool):
            raise Stopped

    def fail(self, name: str, error: HubSpotError) -> None:
        """Note that a stream cannot be read to its end; raise the error if that is true of every stream."""
        if isinstance(error, ENDS_THE_RUN) or (isinstance(error, Unavailable) and self._is_unavailable(name)):
            raise error
        report = self.outputs[name].report
        if isinstance(error, UnreadableState):
            report.unreadable_state = str(error)
        else:
            report.failure = str(error)

    def _is_unavailable(self, name: str) -> bool:
        """Whether another stream could not be had either: then it is HubSpot, and not the stream."""
        return any(
            isinstance(stream.failure, Unavailable) for each, stream in self.streams.items() if each != name
        )

    def end(self) -> None:
        """Start no other request, write into the states which events are remembered, and log the table."""
        self.reads.close()
        for name, output in self.outputs.items():
            output.progress.write_memory(output.state)
            output.report.calls = self.streams[name].calls
        reports = [each.report for each in self.outputs.values()]
        heading, *rows, total = table(reports).splitlines()
        logger.info("Email events read:")
        logger.info("%s", heading)
        for row, report in zip(rows, reports, strict=True):
            logger.info("%s", row, extra={"hubspot_stream": report.figures})
        logger.info("%s", total)

    def notes(self, name: str) -> Notes:
        """Return the notes on fields and values of a stream that have no column."""
        return self.streams[name].pages.parser.records.notes

    @property
    def campaigns_seen(self) -> set[tuple[Any, Any]]:
        """The ids and app ids of the campaigns that the events passed on so far are part of."""
        return set().union(*(output.campaigns for output in self.outputs.values()))

    @property
    def problems(self) -> list[str]:
        """What the run exits 1 for, one sentence each."""
        return [problem for output in self.outputs.values() for problem in output.report.problems]


def _batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    left = iter(events)
    while batch := list(islice(left, BATCH_EVENTS)):
        yield batch


def _bookmark(selected: SelectedStream) -> Bookmark:
    """Parse the state of a stream; raises UnreadableState, which names the stream."""
    try:
        return Bookmark.from_state(selected.state)
    except UnreadableState as error:
        raise UnreadableState(
            f"The state of {selected.name} cannot be read: {error}. Correct it, or take the stream"
            " out of the state to read it from start_date on."
        ) from error


def _output(selected: SelectedStream, bookmark: Bookmark, settings: EventSettings) -> StreamOutput:
    progress = StreamProgress.of(bookmark, start=settings.start, lookback=settings.lookback)
    _warn_of_earlier_start(selected.name, progress, settings)
    return StreamOutput(selected.state, progress, StreamReport(selected.name))


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """HubSpot's time in epoch milliseconds, and the newest page of the stream that was asked, if it could be had."""

    now: int
    name: str
    page: Page | None


def _first_answer(
    streams: Mapping[str, StreamReads],
    outputs: Mapping[str, StreamOutput],
    machine_time: Callable[[], float],
) -> FirstAnswer | None:
    """Ask for the newest events of one stream after another until HubSpot answers; None if it refuses them all.

    Only HubSpot's clock says which of its events are settled.
    """
    tries = 0
    for name, stream in streams.items():
        if stream.failure is not None:  # it is not read
            continue
        try:
            return _ask(name, stream, outputs[name].progress.start, machine_time)
        except ENDS_THE_RUN:
            raise
        except HubSpotError as error:
            stream.failure = error
            tries += isinstance(error, Unavailable)
            if tries > 1:  # it is HubSpot, and not the stream
                raise
    return None


def _ask(name: str, stream: StreamReads, start: int, machine_time: Callable[[], float]) -> FirstAnswer:
    stream.calls += 1
    page: Page | None = None
    try:
        page, time = stream.pages.newest(start)
    except (ServerError, TooSlow):  # that was too much at once
        stream.calls += 1
        time = stream.pages.time(start)
    first_ms = moments.from_datetime(time)
    machine_ms = int(machine_time() * 1000)
    if first_ms - machine_ms <= MOST_AHEAD_MS:
        return FirstAnswer(first_ms, name, page)
    # Either clock may be wrong. If it is the machine's, another answer shows the same time.
    stream.calls += 1
    second_ms = moments.from_datetime(stream.pages.time(start))
    logger.warning(
        "HubSpot's answers are dated %s and %s (header Date), but the clock of this machine shows %s. Events are read"
        " up to the earlier time of HubSpot's. If that is wrong, events are lost: look at the clock, and at the proxy"
        " between here and HubSpot.",
        *map(moments.to_text, (first_ms, second_ms, machine_ms)),
    )
    return FirstAnswer(min(first_ms, second_ms), name, page)


def _plan(
    streams: Mapping[str, StreamReads],
    outputs: Mapping[str, StreamOutput],
    first: FirstAnswer,
    settings: EventSettings,
) -> None:
    end = min(first.now - settings.settle, settings.end or first.now)
    _warn_of_nothing_to_read(settings, end)
    for name, stream in streams.items():
        progress = outputs[name].progress
        _warn_of_future_bookmark(name, progress.until or 0, first.now)
        stream.plan = Plan.of(progress.start, end)
    if first.page is not None:
        _take_newest(streams[first.name], first.page)


def _take_newest(stream: StreamReads, page: Page) -> None:
    """Put the page that came with the time into the stream's plan: what is settled on it was read."""
    request = stream.plan.next_window()
    if request is None:
        return
    window = request.window
    reading = WindowReading(window)
    reading.take(page)
    if reading.is_at_end or (reading.seen and not window.is_one_millisecond):
        read = reading.result()
        stream.note(read)
        stream.plan.add_read(read)
    else:
        stream.plan.mark_unread(window)


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


def _warn_of_earlier_start(stream: str, progress: StreamProgress, settings: EventSettings) -> None:
    if progress.until is not None and max(settings.start, FIRST_MOMENT_MS) < progress.read_from:
        logger.warning(
            "start_date %s lies before %s, since when %s was read: the events between are not read. To read them, run"
            " once without a state (in Meltano with --state-id-suffix) and with end_date %s.",
            moments.to_text(settings.start),
            moments.to_text(progress.read_from),
            stream,
            moments.to_text(progress.read_from),
        )
