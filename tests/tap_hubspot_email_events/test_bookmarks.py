from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_hubspot_email_events.bookmarks import (
    MOST_REMEMBERED,
    Bookmark,
    StreamProgress,
    check_state,
    without_memory,
)
from tap_hubspot_email_events.errors import UnreadableState
from tap_hubspot_email_events.events import Event
from tap_hubspot_email_events.moments import LAST_MOMENT_MS, from_text, to_text
from tap_hubspot_email_events.windows import Window
from tests.tap_hubspot_email_events.fakes import event, parsed
from tests.tap_hubspot_email_events.singer import HOUR, MINUTE, SETTLED, START

if TYPE_CHECKING:
    from collections.abc import Sequence

STATES = Path(__file__).parent / "states"


def progress(state: dict[str, Any], *, start: int = START, lookback: int = HOUR) -> StreamProgress:
    return StreamProgress.of(Bookmark.from_state(state), start=start, lookback=lookback)


def pass_on(run: StreamProgress, state: dict[str, Any], window: Window, *events: Event) -> list[str]:
    """Pass a window on and give the ids of the new events in it."""
    ids = [each.id for each in run.new(events)]
    run.remember(events, window)
    run.finish(window, state)
    return ids


def whole_run(state: dict[str, Any], end: int, *events: Event, lookback: int = HOUR) -> list[str]:
    """Read up to `end` in one window, and give the ids of the new events."""
    run = progress(state, lookback=lookback)
    ids = pass_on(run, state, Window(run.start, end), *[each for each in events if each.created >= run.start])
    run.write_memory(state)
    return ids


def an_event(created: int, number: int = 0, **fields: Any) -> Event:
    return parsed(event(created, number, **fields))


def plain_events(*numbers: int) -> list[Event]:
    """Events so many milliseconds before the end, made by thousands in no time."""
    return [Event(SETTLED - number, f"e{number}", number.to_bytes(8), b"") for number in numbers]


def test_without_a_state_reading_starts_at_the_start_date() -> None:
    assert progress({}).start == START


def test_reading_never_starts_where_hubspot_fails() -> None:
    assert progress({}, start=0).start == 1_000


def test_a_finished_window_is_where_the_next_run_goes_on() -> None:
    state: dict[str, Any] = {}
    whole_run(state, START + 9 * HOUR, an_event(START + 5))

    assert state == {
        "version": 2,
        "replication_key": "created",
        "replication_key_value": "2026-10-20T09:00:00.000Z",
        "read_from": "2026-10-20T00:00:00.000Z",
    }
    assert progress(state).start == START + 8 * HOUR


def test_an_empty_window_moves_the_bookmark() -> None:
    state: dict[str, Any] = {}
    whole_run(state, SETTLED)

    assert state["replication_key_value"] == to_text(SETTLED)


def test_the_bookmark_never_moves_back() -> None:
    state: dict[str, Any] = {}
    run = progress(state)
    pass_on(run, state, Window(START, SETTLED))
    pass_on(run, state, Window(SETTLED - HOUR, SETTLED - MINUTE))

    assert state["replication_key_value"] == to_text(SETTLED)


@pytest.mark.parametrize("lookback", [0, MINUTE, HOUR, 100 * HOUR])
def test_the_whole_lookback_is_read_again_counted_from_the_bookmark(lookback: int) -> None:
    state: dict[str, Any] = {}
    whole_run(state, SETTLED)

    assert progress(state, lookback=lookback).start == SETTLED - lookback


def test_the_lookback_ends_at_the_start_date() -> None:
    state: dict[str, Any] = {}
    whole_run(state, START + HOUR)

    assert progress(state, lookback=100 * HOUR).start == START


def test_events_of_the_lookback_are_remembered_and_do_not_come_again() -> None:
    state: dict[str, Any] = {}
    known = [an_event(SETTLED - HOUR), an_event(SETTLED - MINUTE)]

    assert whole_run(state, SETTLED, *known) == [each.id for each in known]
    assert whole_run(state, SETTLED + HOUR, *known) == []
    assert whole_run(state, SETTLED + HOUR, *known) == []


def test_an_event_that_turned_up_late_comes_once_however_many_came_after_it() -> None:
    state: dict[str, Any] = {}
    on_time = plain_events(*range(1, MOST_REMEMBERED + 5_000))
    late = an_event(SETTLED - HOUR + 1)
    whole_run(state, SETTLED, *on_time)

    assert late.id in whole_run(state, SETTLED + MINUTE, late, *on_time)
    assert late.id not in whole_run(state, SETTLED + MINUTE, late, *on_time[:100])


def test_an_event_that_was_changed_comes_again_once() -> None:
    state: dict[str, Any] = {}
    whole_run(state, SETTLED, an_event(SETTLED - MINUTE))
    changed = an_event(SETTLED - MINUTE, obsoletedBy={"id": "e9", "created": SETTLED})

    assert whole_run(state, SETTLED + MINUTE, changed) == [changed.id]
    assert whole_run(state, SETTLED + 2 * MINUTE, changed) == []


def test_what_an_event_was_before_a_change_is_not_remembered() -> None:
    state: dict[str, Any] = {}
    whole_run(state, SETTLED, an_event(SETTLED - MINUTE))
    changed = an_event(SETTLED - MINUTE, obsoletedBy={"id": "e9", "created": SETTLED})

    whole_run(state, SETTLED, changed)

    assert Bookmark.from_state(state).remembered == {changed.digest}


def test_a_run_cut_short_while_it_looks_back_forgets_nothing() -> None:
    state: dict[str, Any] = {}
    known = [an_event(SETTLED - minutes * MINUTE) for minutes in (50, 40, 30, 20)]
    whole_run(state, SETTLED, *known)
    late = an_event(SETTLED - 35 * MINUTE, 7)
    run = progress(state)
    middle = SETTLED - 25 * MINUTE

    assert pass_on(run, state, Window(run.start, middle), *known[:3], late) == [late.id]
    run.write_memory(state)

    assert progress(state).start == run.start
    assert whole_run(state, SETTLED + HOUR, *known, late) == []


def test_a_run_cut_short_before_its_first_window_forgets_nothing() -> None:
    state: dict[str, Any] = {}
    known = an_event(SETTLED - MINUTE)
    whole_run(state, SETTLED, known)
    before = dict(state)

    progress(state).write_memory(state)

    assert state == before
    assert whole_run(state, SETTLED + HOUR, known) == []


def test_the_memory_reaches_back_over_several_windows() -> None:
    state: dict[str, Any] = {}
    run = progress(state)
    events = [an_event(SETTLED - minutes * MINUTE) for minutes in range(120, 0, -1)]
    for index in range(0, 120, 7):
        part = events[index : index + 7]
        pass_on(run, state, Window(part[0].created, part[-1].created + MINUTE), *part)
        assert "remembered" not in state
    run.write_memory(state)

    assert whole_run(state, SETTLED + MINUTE, *events) == []


def test_a_longer_lookback_than_last_time_brings_again_what_was_not_remembered() -> None:
    state: dict[str, Any] = {}
    old = an_event(SETTLED - 3 * HOUR)
    whole_run(state, SETTLED, old)

    assert whole_run(state, SETTLED, old, lookback=24 * HOUR) == [old.id]
    assert whole_run(state, SETTLED, old, lookback=24 * HOUR) == []


def test_without_a_lookback_nothing_is_remembered_and_nothing_read_again() -> None:
    state: dict[str, Any] = {}
    whole_run(state, SETTLED, an_event(SETTLED - 1), lookback=0)

    assert "remembered" not in state
    assert progress(state, lookback=0).start == SETTLED


def test_a_later_start_date_goes_before_an_earlier_bookmark() -> None:
    state: dict[str, Any] = {}
    whole_run(state, START + HOUR)
    run = progress(state, start=START + 5 * HOUR)
    run.finish(Window(run.start, START + 6 * HOUR), state)

    assert run.start == START + 5 * HOUR
    assert state["read_from"] == to_text(START + 5 * HOUR)  # what lies before was read in part


def test_a_state_knows_since_when_everything_was_read() -> None:
    state: dict[str, Any] = {}
    whole_run(state, START + 9 * HOUR)
    whole_run(state, START + 10 * HOUR)

    assert state["read_from"] == to_text(START)
    assert progress(state, start=START - HOUR).read_from == START
    # A start date at the bookmark leaves no gap; one behind it does.
    assert progress(state, start=START + 10 * HOUR).read_from == START
    assert progress(state, start=START + 10 * HOUR + 1).read_from == START + 10 * HOUR + 1


def test_an_event_before_its_window_comes_with_it() -> None:
    state: dict[str, Any] = {}
    stray = an_event(START + 5)

    assert pass_on(progress(state), state, Window(START + HOUR, START + 2 * HOUR), stray) == [stray.id]


def test_what_a_state_remembers_is_the_newest_and_bounded() -> None:
    state: dict[str, Any] = {}
    events = plain_events(*range(1, MOST_REMEMBERED + 1_000))
    whole_run(state, SETTLED, *reversed(events))

    again = progress(state)

    assert len(json.dumps(state)) < 250_000
    assert again.new(events[:MOST_REMEMBERED]) == []
    assert len(again.new(events[MOST_REMEMBERED:])) == len(events) - MOST_REMEMBERED


def test_what_a_run_remembers_is_bounded_while_it_grows() -> None:
    run = progress({})
    window = Window(SETTLED - HOUR, SETTLED)
    for number in range(5 * MOST_REMEMBERED):
        run.remember([Event(window.start + number, "e", number.to_bytes(8), b"")], window)
        assert len(run.remembered) <= 2 * MOST_REMEMBERED

    assert (5 * MOST_REMEMBERED - 1).to_bytes(8) in run.remembered


def test_a_run_that_is_cut_short_remembers_no_more_than_another() -> None:
    state: dict[str, Any] = {}
    known = plain_events(*range(1, MOST_REMEMBERED + 1))
    whole_run(state, SETTLED, *reversed(known))
    run = progress(state)
    late = an_event(run.start + 1, 7)

    assert pass_on(run, state, Window(run.start, run.start + 2), late) == [late.id]
    run.write_memory(state)

    again = Bookmark.from_state(state).remembered
    assert len(again) == MOST_REMEMBERED
    assert late.digest in again


def test_between_windows_a_state_holds_bookmarks_alone() -> None:
    state = {"bookmarks": {"a": {"replication_key_value": "x", "remembered": "y"}, "b": {}}, "other": 1}

    assert without_memory(state) == {"bookmarks": {"a": {"replication_key_value": "x"}, "b": {}}, "other": 1}
    assert state["bookmarks"]["a"]["remembered"] == "y"  # type: ignore[index]


@pytest.mark.parametrize("path", sorted(STATES.glob("*.json")), ids=lambda path: path.stem)
def test_a_state_that_an_earlier_version_wrote_is_read(path: Path) -> None:
    """One file for each version of the state that was ever released: none may be changed, or taken away."""
    story = json.loads(path.read_text())
    run = progress(story["state"])
    passed_on = [parsed(each) for each in story["passed_on"]]

    assert run.start == from_text(story["state"]["replication_key_value"]) - HOUR
    assert run.new(passed_on) == []
    assert len(passed_on) > 1


def test_the_state_of_this_version_is_among_those_of_earlier_ones() -> None:
    """A change to the format shows here: give it the next version, and its own file beside the others."""
    state: dict[str, Any] = {}
    whole_run(state, SETTLED, *[an_event(SETTLED - MINUTE, number) for number in range(3)])

    assert state == json.loads((STATES / "version_2.json").read_text())["state"]


def test_what_version_1_wrote_and_is_of_no_use_any_more_goes() -> None:
    state = json.loads((STATES / "version_1.json").read_text())["state"]
    whole_run(state, SETTLED + HOUR)

    assert state.keys() == {"version", "replication_key", "replication_key_value", "read_from"}


def test_of_a_state_of_a_later_version_only_the_bookmark_is_read() -> None:
    state = {
        "version": 3,
        "replication_key_value": to_text(SETTLED),
        "read_from": {"a": "b"},
        "remembered": 7,
        "something": "new",
    }

    assert progress(state).start == SETTLED - HOUR
    whole_run(state, SETTLED + HOUR)
    assert state["something"] == "new"


def test_a_bookmark_that_was_moved_back_by_hand_brings_everything_from_there_on_again() -> None:
    state: dict[str, Any] = {}
    known = [an_event(SETTLED - 90 * MINUTE), an_event(SETTLED - MINUTE)]
    whole_run(state, SETTLED, *known)
    state["replication_key_value"] = to_text(SETTLED - 2 * HOUR)

    assert progress(state).start == SETTLED - 3 * HOUR
    assert whole_run(state, SETTLED, *known) == [each.id for each in known]


@pytest.mark.parametrize("value", ["2026-10-20", "2026-10-20T00:00:00Z", START])
def test_a_bookmark_written_by_hand_is_read(value: object) -> None:
    assert progress({"replication_key_value": value}, start=0, lookback=0).start == START


@pytest.mark.parametrize("value", [0, LAST_MOMENT_MS])
def test_a_bookmark_may_be_any_moment_that_can_be_written(value: int) -> None:
    assert Bookmark.from_state({"replication_key_value": value}).until == value


@pytest.mark.parametrize(
    "state",
    [
        {"replication_key_value": "yesterday"},
        {"replication_key_value": ["2026-10-20"]},
        {"replication_key_value": True},
        {"replication_key_value": -1},
        {"replication_key_value": 10**18},
        {"replication_key_value": "9999-12-31T23:59:59-12:00"},
        {"version": 2, "replication_key_value": "2026-10-20", "read_from": "x"},
        {"version": 2, "replication_key_value": "2026-10-20", "remembered": 5},
        {"version": 1, "replication_key_value": "2026-10-20", "remembered": "?"},
    ],
)
def test_a_state_that_cannot_be_read_is_an_error_and_never_a_new_start(state: dict[str, Any]) -> None:
    with pytest.raises(UnreadableState):
        progress(state)


@pytest.mark.parametrize("state", [None, {}, [], {"bookmarks": {}}, {"bookmarks": {"email_event_open": {}}}])
def test_states_are_known_by_their_shape(state: object) -> None:
    check_state(state)


@pytest.mark.parametrize(
    "state",
    ["now", [1], {"bookmarks": [1]}, {"bookmarks": {"email_event_open": "now"}}, {"email_event_open": {}}],
)
def test_what_has_another_shape_is_no_state(state: object) -> None:
    with pytest.raises(UnreadableState):
        check_state(state)


@settings(deadline=None)
@given(
    arrivals=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 60)), max_size=40),
    changes=st.dictionaries(st.integers(0, 39), st.integers(1, 60), max_size=5),
    runs=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=12),
)
def test_events_that_arrive_or_change_within_the_lookback_always_come(
    arrivals: list[tuple[int, int]],
    changes: dict[int, int],
    runs: list[int],
    cuts: list[tuple[float, bool]],
) -> None:
    """Runs at any distance, some cut short after any share of what they read (by a kill or a signal), in minutes.

    An event is created up to an hour before it arrives, and may change up to an hour after it was created.
    """
    lookback, settle = 90 * MINUTE, 5 * MINUTE
    versions = list(_versions(arrivals, changes))
    state: dict[str, Any] = {}
    came: list[bytes] = []
    now = START
    was_killed = False
    ends = [*cuts[: len(runs)], *[(1.0, False)] * len(runs)][: len(runs)]
    for minutes, (share, kill) in zip([*runs, 1_000, 30], [*ends, (1.0, False), (1.0, False)], strict=True):
        now += minutes * MINUTE
        run = StreamProgress.of(Bookmark.from_state(state), start=START, lookback=lookback)
        end = run.start + int((now - settle - run.start) * share)
        for left in range(run.start, end, 20 * MINUTE):
            window = Window(left, min(left + 20 * MINUTE, end))
            seen = sorted(_seen(versions, window, now))
            came += [each.digest for each in run.new(seen)]
            run.remember(seen, window)
            run.finish(window, state)
        if kill:
            was_killed = True
        else:
            run.write_memory(state)

    if not was_killed:
        assert len(came) == len(set(came))
    if all(share == 1.0 for share, _ in ends) and max(runs) <= 30:
        assert set(came) >= {
            version.digest for _, version, _ in versions if version.id not in _changed(versions)
        }
        assert {version.id for _, version, _ in versions} == {
            version.id for _, version, _ in versions if version.digest in set(came)
        }


def _versions(
    arrivals: Sequence[tuple[int, int]], changes: dict[int, int]
) -> list[tuple[int, Event, int | None]]:
    """When each version of an event can be seen from, the event, and until when."""
    versions: list[tuple[int, Event, int | None]] = []
    for index, (arrival, late) in enumerate(arrivals):
        created = START + (arrival - min(late, arrival)) * MINUTE
        changed = created + changes[index] * MINUTE if index in changes else None
        seen_from = START + arrival * MINUTE
        if changed is not None and changed > seen_from:
            versions.append((seen_from, an_event(created, index), changed))
            seen_from = changed
        fields = {} if changed is None else {"obsoletedBy": {"id": "x", "created": 5}}
        versions.append((seen_from, an_event(created, index, **fields), None))
    return versions


def _seen(versions: list[tuple[int, Event, int | None]], window: Window, now: int) -> list[Event]:
    return [
        each
        for seen_from, each, until in versions
        if seen_from <= now and (until is None or now < until) and window.start <= each.created < window.end
    ]


def _changed(versions: list[tuple[int, Event, int | None]]) -> set[str]:
    return {each.id for _, each, until in versions if until is not None}
