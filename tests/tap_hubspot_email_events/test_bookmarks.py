from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_hubspot_email_events.bookmarks import RECENT_EVENTS, Bookmark, Progress
from tap_hubspot_email_events.errors import UnreadableState
from tap_hubspot_email_events.events import event_from
from tap_hubspot_email_events.moments import to_text
from tap_hubspot_email_events.windows import Window
from tests.tap_hubspot_email_events.fakes import event
from tests.tap_hubspot_email_events.singer import HOUR, MINUTE, NOW_MS, SETTLED, START

if TYPE_CHECKING:
    from tap_hubspot_email_events.events import Event

STATES = Path(__file__).parent / "states"


def progress(
    state: dict[str, Any], *, start: int = START, now: int = NOW_MS, lookback: int = HOUR
) -> Progress:
    return Progress(Bookmark.from_state(state), start=start, now=now, lookback=lookback)


def pass_on(run: Progress, state: dict[str, Any], window: Window, *events: Event) -> list[str]:
    """Pass a window on and give the ids of the new events in it."""
    ids = [each.id for each in events if run.is_new(each, window)]
    run.finish(window, state)
    return ids


def an_event(created: int, number: int = 0, **fields: Any) -> Event:
    return event_from(event(created, number, **fields))


def test_without_a_state_reading_starts_at_the_start_date() -> None:
    assert progress({}).start == START


def test_reading_never_starts_where_hubspot_fails() -> None:
    assert progress({}, start=0).start == 1_000


def test_a_finished_window_is_where_the_next_run_goes_on() -> None:
    state: dict[str, Any] = {}
    pass_on(progress(state), state, Window(START, START + HOUR), an_event(START + 5))

    assert state == {
        "version": 1,
        "replication_key": "created",
        "replication_key_value": "2026-10-20T01:00:00.000Z",
    }
    assert progress(state).start == START + HOUR


def test_an_empty_window_moves_the_bookmark() -> None:
    state: dict[str, Any] = {}
    pass_on(progress(state), state, Window(START, SETTLED))

    assert state["replication_key_value"] == to_text(SETTLED)


def test_the_bookmark_never_moves_back() -> None:
    state: dict[str, Any] = {}
    pass_on(progress(state), state, Window(START, SETTLED))
    pass_on(progress(state), state, Window(SETTLED - HOUR, SETTLED - MINUTE))

    assert state["replication_key_value"] == to_text(SETTLED)


def test_events_of_the_lookback_are_remembered_and_do_not_come_again() -> None:
    state: dict[str, Any] = {}
    first = an_event(SETTLED - MINUTE)
    pass_on(progress(state), state, Window(START, SETTLED), first)
    later = progress(state, now=NOW_MS + HOUR)

    assert later.start == NOW_MS - HOUR
    assert pass_on(later, state, Window(later.start, SETTLED + HOUR), first) == []


def test_an_event_that_turned_up_late_comes_once() -> None:
    state: dict[str, Any] = {}
    pass_on(progress(state), state, Window(START, SETTLED), an_event(SETTLED - MINUTE))
    late = an_event(SETTLED - MINUTE, 1)
    for hours, new in [(1, [late.id]), (1, [])]:
        run = progress(state, now=NOW_MS + hours * MINUTE)
        assert pass_on(run, state, Window(run.start, SETTLED + hours * MINUTE), late) == new


def test_an_event_that_was_changed_comes_again_once() -> None:
    state: dict[str, Any] = {}
    pass_on(progress(state), state, Window(START, SETTLED), an_event(SETTLED - MINUTE))
    changed = an_event(SETTLED - MINUTE, obsoletedBy={"id": "e9", "created": SETTLED})
    for minutes, new in [(1, [changed.id]), (2, [])]:
        run = progress(state, now=NOW_MS + minutes * MINUTE)
        assert pass_on(run, state, Window(run.start, SETTLED + minutes * MINUTE), changed) == new


def test_a_run_cut_short_while_it_looks_back_forgets_nothing() -> None:
    state: dict[str, Any] = {}
    known = [an_event(SETTLED - minutes * MINUTE) for minutes in (50, 40, 30, 20)]
    pass_on(progress(state), state, Window(START, SETTLED), *known)
    days_later = NOW_MS + 240 * HOUR
    late = an_event(SETTLED - 35 * MINUTE, 7)
    run = progress(state, now=days_later)
    middle = SETTLED - 25 * MINUTE

    assert pass_on(run, state, Window(run.start, middle), *known[:3], late) == [late.id]

    again = progress(state, now=days_later + MINUTE)
    assert again.start == run.start
    assert pass_on(again, state, Window(again.start, SETTLED + HOUR), *known, late) == []


def test_a_longer_lookback_than_last_time_does_not_bring_again_what_was_not_remembered() -> None:
    state: dict[str, Any] = {}
    old = an_event(SETTLED - 3 * HOUR)
    pass_on(progress(state), state, Window(START, SETTLED), old)

    assert progress(state, lookback=24 * HOUR).start == NOW_MS - HOUR


def test_without_a_lookback_nothing_is_remembered_and_nothing_read_again() -> None:
    state: dict[str, Any] = {}
    pass_on(progress(state, lookback=0), state, Window(START, SETTLED), an_event(SETTLED - 1))

    assert "remembered" not in state
    assert progress(state, lookback=0).start == SETTLED


def test_a_later_start_date_goes_before_an_earlier_bookmark() -> None:
    state: dict[str, Any] = {}
    pass_on(progress(state), state, Window(START, START + HOUR))

    assert progress(state, start=START + 5 * HOUR).start == START + 5 * HOUR


def test_an_event_outside_its_window_comes_with_it_and_not_again_with_its_own() -> None:
    state: dict[str, Any] = {}
    run = progress(state)
    stray = an_event(START + HOUR + 5)

    assert pass_on(run, state, Window(START, START + HOUR), stray) == [stray.id]
    assert pass_on(run, state, Window(START + HOUR, START + 2 * HOUR), stray) == []


def test_an_event_that_a_later_window_shows_again_does_not_come_again() -> None:
    state: dict[str, Any] = {}
    run = progress(state)
    own = an_event(START + HOUR - 5)

    assert pass_on(run, state, Window(START, START + HOUR), own) == [own.id]
    assert pass_on(run, state, Window(START + HOUR, START + 2 * HOUR), own) == []


def test_what_is_held_against_repetition_is_bounded() -> None:
    run = progress({})
    window = Window(START, START + HOUR)

    for index in range(5 * RECENT_EVENTS):
        run.is_new(an_event(START, index), window)

    assert len(run._recent) + len(run._less_recent) <= 2 * RECENT_EVENTS  # noqa: SLF001 - memory is the promise


@pytest.mark.parametrize("path", sorted(STATES.glob("*.json")), ids=lambda path: path.stem)
def test_a_state_that_an_earlier_version_wrote_is_read(path: Path) -> None:
    """One file for each version of the state that was ever released: none may be changed, or taken away."""
    story = json.loads(path.read_text())
    run = progress(story["state"], now=story["now"])
    passed_on = [event_from(each) for each in story["passed_on"]]

    assert run.start == story["start"]
    assert pass_on(run, story["state"], Window(run.start, story["now"]), *passed_on) == []


def test_the_state_of_this_version_is_among_those_of_earlier_ones() -> None:
    """A change to the format shows here: give it the next version, and its own file beside the others."""
    state: dict[str, Any] = {}
    events = [an_event(SETTLED - MINUTE, number) for number in range(3)]
    pass_on(progress(state), state, Window(START, SETTLED), *events)

    assert state == json.loads((STATES / "version_1.json").read_text())["state"]


def test_of_a_state_of_a_later_version_only_the_bookmark_is_read() -> None:
    state = {
        "version": 2,
        "replication_key_value": to_text(SETTLED),
        "remembered_from": {"a": "b"},
        "remembered": 7,
        "something": "new",
    }

    run = progress(state)
    pass_on(run, state, Window(run.start, SETTLED + HOUR))

    assert run.start == SETTLED
    assert state["something"] == "new"


def test_a_bookmark_that_was_moved_back_by_hand_brings_everything_from_there_on_again() -> None:
    state: dict[str, Any] = {}
    known = [an_event(SETTLED - 90 * MINUTE), an_event(SETTLED - MINUTE)]
    pass_on(progress(state), state, Window(START, SETTLED), *known)
    state["replication_key_value"] = to_text(SETTLED - 2 * HOUR)

    run = progress(state)

    assert run.start == SETTLED - 2 * HOUR
    assert pass_on(run, state, Window(run.start, SETTLED), *known) == [each.id for each in known]


@pytest.mark.parametrize("value", ["2026-10-20", "2026-10-20T00:00:00Z", START])
def test_a_bookmark_written_by_hand_is_read(value: object) -> None:
    assert progress({"replication_key_value": value}, start=0).start == START


@pytest.mark.parametrize(
    "state",
    [
        {"replication_key_value": "yesterday"},
        {"replication_key_value": ["2026-10-20"]},
        {"replication_key_value": True},
        {"replication_key_value": -1},
        {"replication_key_value": 10**18},
        {"replication_key_value": "9999-12-31T23:59:59-12:00"},
        {"version": 1, "replication_key_value": "2026-10-20", "remembered_from": "x", "remembered": ""},
        {
            "version": 1,
            "replication_key_value": "2026-10-20",
            "remembered_from": "2026-10-19",
            "remembered": 5,
        },
        {
            "version": 1,
            "replication_key_value": "2026-10-20",
            "remembered_from": "2026-10-19",
            "remembered": "?",
        },
    ],
)
def test_a_state_that_cannot_be_read_is_an_error_and_never_a_new_start(state: dict[str, Any]) -> None:
    with pytest.raises(UnreadableState):
        progress(state)


@settings(deadline=None)
@given(
    arrivals=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 60)), max_size=40),
    runs=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    cuts=st.lists(st.floats(0, 1), max_size=12),
)
def test_events_that_arrive_within_the_lookback_come_exactly_once(
    arrivals: list[tuple[int, int]], runs: list[int], cuts: list[float]
) -> None:
    """Runs at any distance, some of them cut short after any share of what they read, in minutes."""
    lookback, settle = 90 * MINUTE, 5 * MINUTE
    events = [
        (START + arrival * MINUTE, an_event(START + (arrival - min(late, arrival)) * MINUTE, index))
        for index, (arrival, late) in enumerate(arrivals)
    ]
    state: dict[str, Any] = {}
    came: list[str] = []
    now = START
    shares = [*cuts, *[1.0] * len(runs)]
    for minutes, share in zip([*runs, 1_000, 30], [*shares[: len(runs)], 1.0, 1.0], strict=True):
        now += minutes * MINUTE
        run = Progress(Bookmark.from_state(state), start=START, now=now, lookback=lookback)
        end = run.start + int((now - settle - run.start) * share)
        for left in range(run.start, end, 20 * MINUTE):
            window = Window(left, min(left + 20 * MINUTE, end))
            seen = [each for arrived, each in events if arrived <= now and left <= each.created < window.end]
            came += pass_on(run, state, window, *sorted(seen, key=lambda each: (each.created, each.id)))

    assert sorted(came) == sorted(set(came))
    if all(share == 1.0 for share in shares[: len(runs)]) and max(runs) <= 30:
        assert sorted(came) == sorted(each.id for _, each in events)
