from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubspot_singer.http.errors import InvalidRequest
from tap_hubspot_email_events.errors import DiskTrouble, UnexpectedAnswer
from tap_hubspot_email_events.events import event_from
from tap_hubspot_email_events.pages import Pages
from tap_hubspot_email_events.plans import Plan
from tap_hubspot_email_events.readers import TRIES, read_window
from tap_hubspot_email_events.spools import Spool
from tap_hubspot_email_events.widths import MOST_EVENTS
from tap_hubspot_email_events.windows import Window
from tests.tap_hubspot_email_events.fakes import FakeHubSpot, event, events_at, no_trouble

if TYPE_CHECKING:
    from tests.tap_hubspot_email_events.fakes import Trouble

START = 1_792_454_400_000


def pages_of(hubspot: FakeHubSpot) -> Pages:
    return Pages(hubspot, "OPEN")


def read_all(hubspot: FakeHubSpot, plan: Plan, room: int = MOST_EVENTS) -> list[str]:
    """Read a plan to its end, one window at a time, and give the ids in the order they are passed on."""
    ids: list[str] = []
    at = START
    while not plan.is_done:
        if (window := plan.next_window()) is not None:
            plan.came_back(read_window(pages_of(hubspot), window, room))
        while (read := plan.take_oldest()) is not None:
            assert read.kept.start == at
            assert len(read.events or ()) <= room or isinstance(read.events, Spool)
            ids += [event.id for event in read.events or ()]
            at = read.kept.end
    return ids


def expected(events: list[dict[str, Any]], start: int, end: int) -> list[str]:
    inside = [(each["created"], each["id"]) for each in events if start <= each["created"] < end]
    return [event_id for _, event_id in sorted(inside)]


def test_a_window_asks_for_its_type_and_its_milliseconds_both_inclusive() -> None:
    hubspot = FakeHubSpot([])

    read_window(pages_of(hubspot), Window(START, START + 10))

    assert hubspot.asked == [
        {"eventType": "OPEN", "startTimestamp": START, "endTimestamp": START + 9, "limit": 1_000}
    ]


def test_filtered_events_are_left_out_on_demand() -> None:
    hubspot = FakeHubSpot([])

    read_window(Pages(hubspot, "OPEN", exclude_filtered=True), Window(START, START + 10))

    assert hubspot.asked[0]["excludeFilteredEvents"] is True


def test_a_window_of_several_pages_is_read_to_its_end() -> None:
    hubspot = FakeHubSpot(events_at(range(START, START + 2_500)))

    read = read_window(pages_of(hubspot), Window(START, START + 2_500))

    assert read.is_whole
    assert [event.created for event in read.events or ()] == list(range(START, START + 2_500))
    assert read.calls == 3


def test_of_a_window_that_is_far_too_wide_the_first_page_is_kept_and_no_other_read() -> None:
    hubspot = FakeHubSpot(events_at(range(START, START + 20_000)))

    read = read_window(pages_of(hubspot), Window(START, START + 20_000))

    assert read.calls == 1
    assert read.kept == Window(START + 19_001, START + 20_000)
    assert read.held == 999  # of the oldest millisecond there might be more


def test_a_window_never_holds_more_than_its_room() -> None:
    hubspot = FakeHubSpot(events_at(range(START, START + 6_000)))

    read = read_window(pages_of(hubspot), Window(START, START + 6_000))

    assert [asked["limit"] for asked in hubspot.asked] == [1_000] * 4 + [499]
    assert read.held == MOST_EVENTS - 1


def test_a_millisecond_is_never_cut_but_goes_to_disk() -> None:
    hubspot = FakeHubSpot(events_at([START] * 12_000))

    read = read_window(pages_of(hubspot), Window(START, START + 1))

    assert isinstance(read.events, Spool)
    assert read.held == 0
    assert [event.id for event in read.events] == expected(hubspot.events, START, START + 1)
    read.events.close()


def test_a_disk_that_takes_no_more_is_told() -> None:
    spool = Spool()
    spool._database.execute("PRAGMA max_page_count = 3")  # noqa: SLF001 - as full as a disk can be

    with pytest.raises(DiskTrouble, match=r"cannot be kept on disk \(database or disk is full\)"):
        spool.add(event_from(event(START, number)) for number in range(1_000))


def test_a_millisecond_of_few_events_stays_in_memory() -> None:
    hubspot = FakeHubSpot(events_at([START] * 1_500))

    read = read_window(pages_of(hubspot), Window(START, START + 1))

    assert isinstance(read.events, list)
    assert read.held == 1_500


def test_an_event_that_two_pages_show_comes_once() -> None:
    events = events_at(range(START, START + 1_500))
    hubspot = FakeHubSpot([*events, events[500]])

    read = read_window(pages_of(hubspot), Window(START, START + 1_500))

    assert [event.id for event in read.events or ()] == [each["id"] for each in events]


@pytest.mark.parametrize("trouble", ["no offset", "same offset", "offset refused", "too slow", "disorder"])
def test_whatever_happens_to_offsets_each_event_comes_once(trouble: str) -> None:
    struck = random.Random(7)
    hubspot = FakeHubSpot(
        events_at(sorted(struck.choices(range(START, START + 9_000), k=9_000))),
        lambda _: trouble if struck.random() < 0.3 else None,
    )

    ids = read_all(hubspot, Plan.of(START, START + 9_000))

    assert ids == expected(hubspot.events, START, START + 9_000)


def test_pages_that_never_lead_on_still_bring_a_window_to_its_end() -> None:
    hubspot = FakeHubSpot(events_at(range(START, START + 3_000)), lambda _: "no offset")

    assert read_all(hubspot, Plan.of(START, START + 3_000)) == expected(hubspot.events, START, START + 3_000)


def test_more_events_in_a_millisecond_than_a_page_and_no_way_to_them_is_an_error_that_says_when() -> None:
    hubspot = FakeHubSpot(events_at([START] * 1_001), lambda _: "no offset")

    with pytest.raises(UnexpectedAnswer, match=r"2026-10-20T00:00:00\.000Z.* no way to them, 3 times"):
        read_window(pages_of(hubspot), Window(START, START + 1))


def test_pages_without_events_that_claim_there_are_more_are_an_error_in_the_end() -> None:
    class Barren(FakeHubSpot):
        def _page(self, asked: Any, trouble: str | None) -> dict[str, Any]:  # noqa: ARG002
            return {"hasMore": True, "offset": str(len(self.asked)), "events": []}

    with pytest.raises(UnexpectedAnswer, match="no way to them"):
        read_window(pages_of(Barren([])), Window(START, START + 100))


@pytest.mark.parametrize("count", [5, MOST_EVENTS + 5])
def test_pages_that_show_the_same_events_for_ever_are_an_error_in_the_end(count: int) -> None:
    class Circling(FakeHubSpot):
        def _page(self, asked: Any, trouble: str | None) -> dict[str, Any]:
            rounds, at = divmod(int(asked.get("offset", 0)), count)
            page = super()._page({**asked, "offset": at}, trouble)
            return {**page, "hasMore": True, "offset": str(rounds * count + at + len(page["events"]))}

    hubspot = Circling(events_at([START] * count))

    with pytest.raises(UnexpectedAnswer, match="no way to them, 3 times"):
        read_window(pages_of(hubspot), Window(START, START + 1))
    assert len(hubspot.asked) < 100


def test_a_page_without_events_in_the_middle_is_passed() -> None:
    class Gapped(FakeHubSpot):
        def _page(self, asked: Any, trouble: str | None) -> dict[str, Any]:
            page = super()._page(asked, trouble)
            return {"hasMore": True, "offset": "0", "events": []} if "offset" not in asked else page

    hubspot = Gapped(events_at(range(START, START + 5)))

    assert read_window(pages_of(hubspot), Window(START, START + 5)).held == 5


def test_a_request_that_is_refused_for_another_reason_than_its_offset_is_an_error() -> None:
    def refused(_: Any) -> str:
        return "offset refused"

    class Refusing(FakeHubSpot):
        def get(self, path: str, *, params: Any = None, **tries: int | None) -> Any:
            return super().get(path, params={**params, "offset": "x"}, **tries)

    with pytest.raises(InvalidRequest):
        read_window(pages_of(Refusing([], refused)), Window(START, START + 5))


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"hasMore": False},
        {"hasMore": False, "events": None},
        {"hasMore": False, "events": {}},
        {"events": []},
        {"hasMore": "no", "events": []},
        {"hasMore": False, "events": [{"id": "e1"}]},
    ],
)
def test_an_answer_that_is_no_page_is_an_error_and_never_an_empty_window(body: Any) -> None:
    class Strange(FakeHubSpot):
        def _page(self, asked: Any, trouble: str | None) -> Any:  # noqa: ARG002
            return body

    with pytest.raises(
        UnexpectedAnswer, match=r"OPEN events from 2026-10-20.* cannot be read: [^(]*\. Nothing of them"
    ):
        read_window(pages_of(Strange([])), Window(START, START + 5))


@st.composite
def bursts(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Events in quiet times and in bursts, some of them within one millisecond."""
    spans = draw(
        st.lists(st.tuples(st.integers(0, 999), st.integers(1, 300), st.integers(1, 60)), max_size=8)
    )
    times = [START + at + (index * width) // count for at, width, count in spans for index in range(count)]
    return events_at([time for time in times if time < START + 1_000])


@settings(deadline=None, max_examples=150)
@given(
    events=bursts(),
    page_size=st.integers(1, 50),
    room=st.integers(5, 100),
    troubles=st.lists(
        st.sampled_from(["", "no offset", "same offset", "offset refused", "too slow"]), max_size=9
    ),
)
def test_windows_cover_their_span_and_pass_on_each_event_once_and_in_order(
    events: list[dict[str, Any]], page_size: int, room: int, troubles: list[str]
) -> None:
    left = list(troubles)
    trouble: Trouble = (lambda _: left.pop() if left else None) if troubles else no_trouble
    hubspot = FakeHubSpot(events, trouble, page_size)

    try:
        ids = read_all(hubspot, Plan.of(START, START + 1_000), room)
    except UnexpectedAnswer:
        assert len(troubles) >= TRIES  # so often was there no way on from one millisecond
    else:
        assert ids == expected(events, START, START + 1_000)
