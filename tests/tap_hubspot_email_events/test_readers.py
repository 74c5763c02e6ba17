from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubspot_singer.http.errors import InvalidRequest, ServerError
from tap_hubspot_email_events.errors import DiskError, UnexpectedAnswer
from tap_hubspot_email_events.paging import MAX_PAGES_WITHOUT_NEW
from tap_hubspot_email_events.plans import Plan
from tap_hubspot_email_events.readers import TRIES, Room, read_window
from tap_hubspot_email_events.spools import Spool
from tap_hubspot_email_events.widths import FAR_TOO_WIDE, MOST_EVENTS
from tap_hubspot_email_events.windows import Window
from tests.tap_hubspot_email_events.fakes import (
    FakeHubSpot,
    event,
    events_at,
    no_trouble,
    pages_of,
    parsed,
    parser,
)

if TYPE_CHECKING:
    from tap_hubspot_email_events.windows import WindowRead
    from tests.tap_hubspot_email_events.fakes import Trouble

START = 1_792_454_400_000


def read(hubspot: FakeHubSpot, window: Window, room: Room | None = None, **options: Any) -> WindowRead:
    return read_window(pages_of(hubspot, **options), window, room or Room())


def read_all(hubspot: FakeHubSpot, plan: Plan, room: int = MOST_EVENTS) -> list[str]:
    """Read a plan to its end, one window at a time, and give the ids in the order they are passed on."""
    ids: list[str] = []
    at = START
    while not plan.is_done:
        if (request := plan.next_window()) is not None:
            window, events = request
            plan.add_read(read(hubspot, window, Room(min(events, room))))
        while (window_read := plan.take_oldest()) is not None:
            assert window_read.kept.start == at
            assert window_read.held <= room
            ids += [event.id for event in window_read.events or ()]
            at = window_read.kept.end
    return ids


def expected(events: list[dict[str, Any]], start: int, end: int) -> list[str]:
    inside = [(each["created"], each["id"]) for each in events if start <= each["created"] < end]
    return [event_id for _, event_id in sorted(inside)]


def ids(window_read: WindowRead) -> list[str]:
    return [event.id for event in window_read.events or ()]


def test_a_window_asks_for_its_type_and_up_to_its_exclusive_end() -> None:
    hubspot = FakeHubSpot([])

    read(hubspot, Window(START, START + 10))

    assert hubspot.asked == [
        {"eventType": "OPEN", "startTimestamp": START, "endTimestamp": START + 10, "limit": 1_000}
    ]


@pytest.mark.parametrize("is_inclusive", [True, False])
@pytest.mark.parametrize("width", [1, 10])
def test_whether_hubspots_end_is_inclusive_does_not_matter(is_inclusive: bool, width: int) -> None:  # noqa: FBT001
    hubspot = FakeHubSpot(events_at(range(START - 20, START + 20)), end_is_inclusive=is_inclusive)

    first, second = (read(hubspot, Window(start, start + width)) for start in (START, START + width))

    assert ids(first) + ids(second) == expected(hubspot.events, START, START + 2 * width)


def test_filtered_events_are_left_out_on_demand_also_where_hubspot_sends_them() -> None:
    hubspot = FakeHubSpot(
        [event(START, 1, filteredEvent=True), event(START, 2, filteredEvent=False), event(START, 3)]
    )

    window_read = read(hubspot, Window(START, START + 10), exclude_filtered=True)

    assert hubspot.asked[0]["excludeFilteredEvents"] is True
    assert ids(window_read) == [f"{START}-000002", f"{START}-000003"]


def test_events_of_other_types_are_passed_over_and_counted() -> None:
    hubspot = FakeHubSpot([event(START + 1, type="OPEN"), event(START + 2, type="PRINT"), event(START + 30)])

    window_read = read(hubspot, Window(START, START + 10), passed_over={"OPEN"})

    assert [orjson.loads(each.record or b"")["type"] for each in window_read.events or ()] == ["PRINT"]
    assert (window_read.seen, window_read.passed_over) == (2, 1)


def test_a_window_of_several_pages_is_read_to_its_end() -> None:
    hubspot = FakeHubSpot(events_at(range(START, START + 2_500)))

    window_read = read(hubspot, Window(START, START + 2_500))

    assert window_read.is_whole
    assert [event.created for event in window_read.events or ()] == list(range(START, START + 2_500))
    assert window_read.calls == 3


def test_of_a_window_of_unknown_density_that_is_far_too_wide_one_page_is_read() -> None:
    count = (FAR_TOO_WIDE + 1) * MOST_EVENTS
    hubspot = FakeHubSpot(events_at(range(START, START + count)))

    window_read = read(hubspot, Window(START, START + count), Room(is_probe=True))

    assert window_read.calls == 1
    assert window_read.kept == Window(START + count - 999, START + count)
    assert window_read.held == 999  # of the oldest millisecond there might be more


def test_a_window_never_holds_more_events_than_its_room() -> None:
    hubspot = FakeHubSpot(events_at(range(START, START + 6_000)))

    window_read = read(hubspot, Window(START, START + 6_000))

    assert [asked["limit"] for asked in hubspot.asked] == [1_000] * 3 + [999]
    assert window_read.held == MOST_EVENTS - 1


def test_a_window_of_large_events_holds_few_of_them() -> None:
    hubspot = FakeHubSpot([event(START + number, userAgent="x" * 20_000) for number in range(3_000)])

    window_read = read(hubspot, Window(START, START + 3_000), Room(MOST_EVENTS, 30_000_000))

    assert next(asked["limit"] for asked in hubspot.asked) == 1_000
    assert 1_000 < window_read.held < 1_500
    assert window_read.size < 30_000_000


def test_a_millisecond_is_never_cut_but_goes_to_disk() -> None:
    hubspot = FakeHubSpot(events_at([START] * 12_000))

    window_read = read(hubspot, Window(START, START + 1))

    assert isinstance(window_read.events, Spool)
    assert window_read.held == 0
    assert ids(window_read) == expected(hubspot.events, START, START + 1)
    window_read.events.close()


def test_a_disk_that_takes_no_more_is_told() -> None:
    spool = Spool()
    spool._database.execute("PRAGMA max_page_count = 3")  # noqa: SLF001 - as full as a disk can be

    with pytest.raises(DiskError, match=r"cannot be kept on disk \(database or disk is full\)"):
        spool.add(parsed(event(START, number)) for number in range(1_000))


def test_a_millisecond_of_few_events_stays_in_memory() -> None:
    hubspot = FakeHubSpot(events_at([START] * 1_500))

    window_read = read(hubspot, Window(START, START + 1))

    assert isinstance(window_read.events, list)
    assert window_read.held == 1_500


def test_an_event_that_two_pages_show_comes_once() -> None:
    events = events_at(range(START, START + 1_500))
    hubspot = FakeHubSpot([*events, events[500]])

    assert ids(read(hubspot, Window(START, START + 1_500))) == [each["id"] for each in events]


@pytest.mark.parametrize(
    "trouble", ["no offset", "same offset", "offset refused", "too slow", "server error", "disorder"]
)
def test_whatever_happens_to_pages_each_event_comes_once(trouble: str) -> None:
    struck = random.Random(7)
    hubspot = FakeHubSpot(
        events_at(sorted(struck.choices(range(START, START + 9_000), k=9_000))),
        lambda asked: trouble if struck.random() < 0.3 and is_wide(asked) else None,
    )

    assert read_all(hubspot, Plan.of(START, START + 9_000)) == expected(hubspot.events, START, START + 9_000)


def is_wide(asked: Any) -> bool:
    return bool(asked["endTimestamp"] - asked["startTimestamp"] > 1)


def test_a_window_that_is_too_wide_for_hubspot_is_cut_until_it_fits() -> None:
    def too_wide(asked: Any) -> str | None:
        return "server error" if asked["endTimestamp"] - asked["startTimestamp"] > 300 else None

    hubspot = FakeHubSpot(events_at(range(START, START + 3_000, 7)), too_wide)

    assert read_all(hubspot, Plan.of(START, START + 3_000)) == expected(hubspot.events, START, START + 3_000)


def test_a_server_error_to_a_single_millisecond_is_an_error() -> None:
    hubspot = FakeHubSpot(events_at([START]), lambda _: "server error")

    with pytest.raises(ServerError):
        read(hubspot, Window(START, START + 1))


def test_pages_that_never_lead_on_still_bring_a_window_to_its_end() -> None:
    hubspot = FakeHubSpot(events_at(range(START, START + 3_000)), lambda _: "no offset")

    assert read_all(hubspot, Plan.of(START, START + 3_000)) == expected(hubspot.events, START, START + 3_000)


@pytest.mark.parametrize("trouble", ["no offset", "same offset"])
def test_of_more_events_in_a_millisecond_than_can_be_had_those_received_are_passed_on(trouble: str) -> None:
    hubspot = FakeHubSpot(events_at([START] * 3_001), lambda _: trouble)

    window_read = read(hubspot, Window(START, START + 1))

    assert window_read.is_incomplete
    assert window_read.warning == (
        "HubSpot says that there are more events between 2026-10-20T00:00:00.000Z and 2026-10-20T00:00:00.001Z, but"
        f" not where they are. The {window_read.held} received are passed on."
    )
    assert window_read.held in {1_000, 2_000}
    assert len([each for each in hubspot.asked if "offset" not in each]) == TRIES


class Endless(FakeHubSpot):
    """Says for ever that there is more, on pages without events."""

    def _page(self, asked: Any, trouble: str | None) -> dict[str, Any]:
        page = super()._page(asked, trouble)
        offset = page["offset"] if page["events"] else str(1_000_000 + len(self.asked))
        return {**page, "hasMore": True, "offset": offset}


@pytest.mark.parametrize("times", [range(0), range(START, START + 9_000), [START + 5_000] * 2_000])
def test_pages_that_say_more_for_ever_bring_what_they_hold_and_a_warning(times: Any) -> None:
    hubspot = Endless(events_at(times))
    plan = Plan.of(START, START + 9_000)
    warnings: list[str] = []
    came: list[str] = []

    while not plan.is_done:
        if (request := plan.next_window()) is not None:
            plan.add_read(read(hubspot, request.window))
        while (window_read := plan.take_oldest()) is not None:
            assert not window_read.is_incomplete
            warnings += [window_read.warning] if window_read.warning else []
            came += ids(window_read)

    assert came == expected(hubspot.events, START, START + 9_000)
    assert all("but its pages bring nothing new" in each for each in warnings)
    assert warnings
    assert len(hubspot.asked) < 20 * MAX_PAGES_WITHOUT_NEW


@pytest.mark.parametrize("count", [5, MOST_EVENTS + 5])
def test_pages_that_show_the_same_events_for_ever_are_read_once(count: int) -> None:
    class Circling(FakeHubSpot):
        def _page(self, asked: Any, trouble: str | None) -> dict[str, Any]:
            rounds, at = divmod(int(asked.get("offset", 0)), count)
            page = super()._page({**asked, "offset": at}, trouble)
            return {**page, "hasMore": True, "offset": str(rounds * count + at + len(page["events"]))}

    hubspot = Circling(events_at([START] * count))

    window_read = read(hubspot, Window(START, START + 1))

    assert ids(window_read) == expected(hubspot.events, START, START + 1)
    assert "but its pages bring nothing new" in str(window_read.warning)
    assert len(hubspot.asked) < 100


def test_a_page_without_events_in_the_middle_is_passed() -> None:
    class Gapped(FakeHubSpot):
        def _page(self, asked: Any, trouble: str | None) -> dict[str, Any]:
            page = super()._page(asked, trouble)
            return {"hasMore": True, "offset": "0", "events": []} if "offset" not in asked else page

    hubspot = Gapped(events_at(range(START, START + 5)))

    assert read(hubspot, Window(START, START + 5)).held == 5


def test_a_request_that_is_refused_for_another_reason_than_its_offset_is_an_error() -> None:
    class Refusing(FakeHubSpot):
        def get(self, path: str, *, params: Any = None, **tries: int | None) -> Any:
            return super().get(path, params={**params, "offset": "x"}, **tries)

    with pytest.raises(InvalidRequest):
        read(Refusing([], lambda _: "offset refused"), Window(START, START + 5))


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
        {"hasMore": 0, "events": []},
    ],
)
def test_an_answer_that_is_no_page_is_an_error_and_never_an_empty_window(body: Any) -> None:
    class Strange(FakeHubSpot):
        def _page(self, asked: Any, trouble: str | None) -> Any:  # noqa: ARG002
            return body

    with pytest.raises(
        UnexpectedAnswer, match=r"OPEN events from 2026-10-20.* cannot be read: [^(]*\. Nothing of them"
    ):
        read(Strange([]), Window(START, START + 5))


def test_offsets_may_be_numbers_and_has_more_a_word() -> None:
    class Loose(FakeHubSpot):
        def _page(self, asked: Any, trouble: str | None) -> Any:
            page = super()._page(asked, trouble)
            return {**page, "offset": int(page["offset"]), "hasMore": str(page["hasMore"]).lower()}

    hubspot = Loose(events_at(range(START, START + 2_500)))

    assert read(hubspot, Window(START, START + 2_500)).held == 2_500


@pytest.mark.parametrize(
    "content", ["text", None, [], {"created": START + 2}, {"id": "", "created": START + 2}]
)
def test_an_entry_without_identity_is_held_apart_and_loses_no_other(content: Any) -> None:
    hubspot = FakeHubSpot(events_at(range(START, START + 5)))
    page = {"hasMore": False, "events": [*hubspot.events[:1:-1], content, *hubspot.events[1::-1]]}
    hubspot._page = lambda *_: page  # type: ignore[method-assign] # noqa: SLF001

    window_read = read(hubspot, Window(START, START + 5))

    events = list(window_read.events or ())
    assert [each.id for each in events if each.record] == [each["id"] for each in hubspot.events]
    assert [each.created for each in events if each.record is None] == [START + 2]


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
    is_inclusive=st.booleans(),
    troubles=st.lists(
        st.sampled_from(["", "no offset", "same offset", "offset refused", "too slow", "server error"]),
        max_size=9,
    ),
)
def test_windows_cover_their_span_and_pass_on_each_event_once_and_in_order(
    events: list[dict[str, Any]],
    page_size: int,
    room: int,
    is_inclusive: bool,  # noqa: FBT001
    troubles: list[str],
) -> None:
    left = list(troubles)

    def trouble(asked: Any) -> str | None:
        return left.pop() if left and is_wide(asked) else None

    strike: Trouble = trouble if troubles else no_trouble
    hubspot = FakeHubSpot(events, strike, page_size, end_is_inclusive=is_inclusive)

    came = read_all(hubspot, Plan.of(START, START + 1_000), room)

    assert came == expected(events, START, START + 1_000)


def test_a_page_is_parsed_by_the_parser_of_its_stream() -> None:
    assert parser(exclude_filtered=True).parse(event(START, filteredEvent="true"), 0) == (START, None)
