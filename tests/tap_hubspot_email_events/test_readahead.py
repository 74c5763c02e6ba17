from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from hubspot_singer.http.errors import MissingScopes, Stopped, Unavailable
from hubspot_singer.http.retries import Problem
from tap_hubspot_email_events.plans import Plan
from tap_hubspot_email_events.readahead import MOST_BYTES_HELD, MOST_EVENTS_HELD, ReadAhead, StreamReads
from tap_hubspot_email_events.widths import MOST_BYTES, MOST_EVENTS
from tests.tap_hubspot_email_events.fakes import (
    CALL,
    EveryMillisecond,
    FakeHubSpot,
    a_read,
    event,
    events_at,
    pages_of,
)
from tests.tap_hubspot_email_events.singer import START

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hubspot_singer.http.answers import Answer

END = START + 100_000


def reads_of(*hubspots: FakeHubSpot, end: int = END) -> dict[str, StreamReads]:
    return {
        f"stream {number}": StreamReads(pages_of(hubspot), Plan.of(START, end))
        for number, hubspot in enumerate(hubspots)
    }


@pytest.fixture
def ahead() -> Iterator[Any]:
    made: list[ReadAhead] = []

    def make(streams: Mapping[str, StreamReads], *, workers: int = 8) -> ReadAhead:
        made.append(ReadAhead(streams, workers=workers))
        return made[-1]

    yield make
    for each in made:
        each.close()


def wait_until(condition: Callable[[], bool]) -> None:
    """Give the threads the moment that they need to begin; what does not come about is left to the assertion."""
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.001)


def times(reads: ReadAhead, name: str = "stream 0") -> list[int]:
    return [event.created for read in reads.windows(name) for event in read.events or ()]


def test_windows_come_in_order_and_each_event_once(ahead: Any) -> None:
    reads = ahead(reads_of(EveryMillisecond(start=START, end=END)))

    assert times(reads) == list(range(START, END))


def test_eight_windows_are_read_side_by_side(ahead: Any) -> None:
    hubspot = EveryMillisecond(start=START, end=END, expected=8)

    assert len(times(ahead(reads_of(hubspot)))) == END - START
    assert hubspot.most_under_way == 8


def test_no_more_requests_are_under_way_than_allowed(ahead: Any) -> None:
    hubspot = EveryMillisecond(start=START, end=START + 30_000, expected=2)

    times(ahead(reads_of(hubspot, end=START + 30_000), workers=2))

    assert hubspot.most_under_way == 2


def test_what_is_held_stays_bounded_however_many_streams_are_dense(ahead: Any) -> None:
    end = START + 20_000
    reads = ahead(reads_of(*(EveryMillisecond(start=START, end=end) for _ in range(10)), end=end))

    for number in range(10):
        for read in reads.windows(f"stream {number}"):
            assert read.held <= MOST_EVENTS
            assert reads.events_held < MOST_EVENTS_HELD


def test_reading_ahead_costs_few_calls_more_than_there_are_pages(ahead: Any) -> None:
    hubspots = [EveryMillisecond(start=START, end=START + 9_000) for _ in range(10)]
    reads = ahead(reads_of(*hubspots, end=START + 9_000))

    for number in range(10):
        times(reads, f"stream {number}")

    assert sum(len(hubspot.asked) for hubspot in hubspots) <= 110


def test_streams_with_few_events_are_read_while_others_wait_for_their_turn(ahead: Any) -> None:
    hubspots = [FakeHubSpot(events_at([START + number])) for number in range(8)]
    reads = ahead(reads_of(*hubspots))

    next(reads.windows("stream 0"))

    wait_until(lambda: all(hubspot.asked for hubspot in hubspots))
    assert [len(hubspot.asked) for hubspot in hubspots] == [1] * 8


def test_the_first_page_of_a_stream_to_come_is_all_that_is_held_of_it(ahead: Any) -> None:
    now, later = EveryMillisecond(start=START, end=END, expected=8), EveryMillisecond(start=START, end=END)
    reads = ahead(reads_of(now, later))

    windows = reads.windows("stream 0")
    next(windows)

    wait_until(lambda: bool(later.asked))
    assert len(later.asked) == 1
    windows.close()


def test_a_window_further_on_that_fails_does_not_keep_those_before_it(ahead: Any) -> None:
    class Failing(EveryMillisecond):
        def _page(self, asked: Mapping[str, Any], trouble: str | None) -> dict[str, Any]:
            if asked["startTimestamp"] <= START + 60_000 <= asked["endTimestamp"] and len(self.asked) > 2:
                raise Unavailable(CALL, Problem("answered 503", 503), tries=9, seconds=600)
            return super()._page(asked, trouble)

    reads = ahead(reads_of(Failing(start=START, end=END)))
    came: list[int] = []

    with pytest.raises(Unavailable):
        came.extend(event.created for read in reads.windows("stream 0") for event in read.events or ())

    assert came == list(range(START, START + len(came)))


def test_everything_before_a_window_that_fails_is_passed_on(ahead: Any) -> None:
    class Failing(EveryMillisecond):
        def get(self, path: str, *, params: Any = None, **tries: int | None) -> Answer:
            if params["startTimestamp"] > START + 50_000:
                raise Unavailable(CALL, Problem("answered 503", 503), tries=9, seconds=600)
            return super().get(path, params=params, **tries)

    reads = ahead(reads_of(Failing(start=START, end=END)))
    came: list[int] = []

    with pytest.raises(Unavailable):
        came.extend(event.created for read in reads.windows("stream 0") for event in read.events or ())

    assert came == list(range(START, START + len(came)))
    assert len(came) > 40_000


def test_a_stream_that_fails_does_not_keep_those_before_it(ahead: Any) -> None:
    class Refusing(FakeHubSpot):
        def get(self, path: str, *, params: Any = None, **tries: int | None) -> Answer:
            super().get(path, params=params, **tries)
            raise MissingScopes(CALL, 403)

    hubspots = [EveryMillisecond(start=START, end=END), Refusing([]), FakeHubSpot([])]
    reads = ahead(reads_of(*hubspots))

    assert len(times(reads)) == END - START
    with pytest.raises(MissingScopes):
        times(reads, "stream 1")
    assert len(hubspots[1].asked) == 1


def test_a_mistake_of_ours_in_a_thread_ends_the_run(ahead: Any) -> None:
    class Mistaken(FakeHubSpot):
        def _page(self, asked: Mapping[str, Any], trouble: str | None) -> dict[str, Any]:  # noqa: ARG002
            raise KeyError("x")

    with pytest.raises(KeyError):
        times(ahead(reads_of(Mistaken([]))))


def test_once_stopped_no_window_is_begun_and_the_one_passed_on_is_finished(ahead: Any) -> None:
    hubspot = EveryMillisecond(start=START, end=END)
    reads = ahead(reads_of(hubspot))
    windows = reads.windows("stream 0")
    came = [event.created for event in next(windows).events or ()]
    reads.is_stopped = True

    with pytest.raises(Stopped):
        next(windows)
    assert came == list(range(START, START + len(came)))
    assert came


def test_a_stream_that_nobody_reads_on_frees_what_it_held(ahead: Any) -> None:
    streams = reads_of(EveryMillisecond(start=START, end=END), FakeHubSpot([]))
    reads = ahead(streams)
    windows = reads.windows("stream 0")
    next(windows)

    windows.close()

    assert times(reads, "stream 1") == []
    assert streams["stream 0"].plan.events_held == 0


def test_what_is_held_for_later_makes_room_for_what_is_needed_next(ahead: Any) -> None:
    streams = reads_of(EveryMillisecond(start=START, end=END), FakeHubSpot(events_at([START])))
    hoard = streams["stream 1"].plan
    reads = ahead(streams)
    request = hoard.next_window()
    assert request is not None
    hoard.add_read(a_read(request.window, held=MOST_EVENTS_HELD - 1))

    assert len(times(reads)) == END - START
    assert hoard.events_held == 1  # read again


def test_what_is_held_of_large_events_stays_bounded_and_costs_few_calls(ahead: Any) -> None:
    large = [event(START + number, userAgent="x" * 20_000) for number in range(10_000)]
    hubspots = [FakeHubSpot(large), FakeHubSpot(large)]
    streams = reads_of(*hubspots, end=START + 10_000)
    reads = ahead(streams)

    for name in streams:
        came = 0
        for read in reads.windows(name):
            assert read.size <= 3 * MOST_BYTES  # a first page holds a thousand events, however large they are
            assert reads.bytes_held < MOST_BYTES_HELD + 3 * MOST_BYTES
            came += read.held
        assert came == 10_000
    assert sum(len(hubspot.asked) for hubspot in hubspots) < 90
