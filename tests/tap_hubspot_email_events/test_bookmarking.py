"""From one run to the next: what is late or changed comes once, and nothing else comes again."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.tap_hubspot_email_events.catalogs import selecting
from tests.tap_hubspot_email_events.singer import DAY, HOUR, MINUTE, NOW, SETTLED

if TYPE_CHECKING:
    from tests.hubspot_emulator import HubSpotEmulator, Portal, StoppedClock
    from tests.tap_hubspot_email_events.conftest import TapRunner

OPEN = "email_event_open"
EVENTS = "/email/public/v1/events"


def test_the_next_run_goes_on_where_the_last_one_ended(
    portal: Portal, clock: StoppedClock, run_tap: TapRunner
) -> None:
    portal.add_event("OPEN", SETTLED - 1, id="before")
    portal.add_event("OPEN", SETTLED, id="on the edge")
    first = run_tap()
    clock.advance(3_600)
    second = run_tap(state=first.state)

    assert first.ids() == ["before"]
    assert second.ids() == ["on the edge"]


def test_an_hourly_run_costs_a_call_a_stream(
    portal: Portal, hubspot: HubSpotEmulator, clock: StoppedClock, run_tap: TapRunner
) -> None:
    for number in range(100):
        portal.add_event("OPEN", SETTLED - number * MINUTE)
    first = run_tap()
    before = hubspot.calls(path_contains=EVENTS)
    clock.advance(3_600)

    run_tap(state=first.state)

    assert hubspot.calls(path_contains=EVENTS) - before == 10


def test_a_late_event_comes_once_and_known_ones_do_not_come_again(
    portal: Portal, clock: StoppedClock, run_tap: TapRunner
) -> None:
    portal.add_event("OPEN", SETTLED - 2 * MINUTE, id="known")
    portal.add_event("OPEN", SETTLED - MINUTE, id="late", visible_from=NOW + 60)
    outputs = [run_tap()]
    for _ in range(3):
        clock.advance(600)
        outputs.append(run_tap(state=outputs[-1].state))

    assert [output.ids() for output in outputs] == [["known"], ["late"], [], []]


def test_a_changed_event_comes_again_once(portal: Portal, clock: StoppedClock, run_tap: TapRunner) -> None:
    portal.add_event("OPEN", SETTLED - MINUTE, id="e1")
    outputs = [run_tap()]
    portal.update_event("e1", obsoletedBy={"id": "e9", "created": SETTLED})
    for _ in range(2):
        clock.advance(60)
        outputs.append(run_tap(state=outputs[-1].state))

    assert [output.ids() for output in outputs] == [["e1"], ["e1"], []]
    assert outputs[1].records(OPEN)[0]["obsoleted_by_id"] == "e9"


def test_an_event_later_than_the_lookback_is_what_the_lookback_is_for(
    portal: Portal, clock: StoppedClock, run_tap: TapRunner
) -> None:
    portal.add_event("OPEN", SETTLED - 2 * HOUR, id="late", visible_from=NOW + 60)
    missed = run_tap()
    found = run_tap(lookback_seconds=3 * 3_600)
    clock.advance(600)

    assert run_tap(state=missed.state).ids() == []
    assert run_tap(state=found.state, lookback_seconds=3 * 3_600).ids() == ["late"]


def test_state_comes_after_each_window_and_only_moves_on(portal: Portal, run_tap: TapRunner) -> None:
    portal.add_events("OPEN", range(SETTLED - 10 * DAY, SETTLED, DAY // 900))

    output = run_tap(catalog=selecting(OPEN))

    bookmarks = [state["bookmarks"][OPEN]["replication_key_value"] for state in output.states]
    assert len(bookmarks) > 2
    assert all(earlier < later for earlier, later in pairwise(bookmarks[:-1]))
    assert bookmarks[-1] == bookmarks[-2]  # the last one only adds what is remembered


def test_a_state_never_confirms_a_record_that_comes_after_it(portal: Portal, run_tap: TapRunner) -> None:
    portal.add_events("OPEN", range(SETTLED - 10 * DAY, SETTLED, DAY // 900))

    bookmark = ""
    for message in run_tap(catalog=selecting(OPEN)).messages:
        if message["type"] == "STATE":
            bookmark = message["value"]["bookmarks"][OPEN]["replication_key_value"]
        if message["type"] == "RECORD":
            assert message["record"]["created"] >= bookmark


def test_going_on_from_any_state_of_a_run_brings_the_rest(portal: Portal, run_tap: TapRunner) -> None:
    portal.add_events("OPEN", range(SETTLED - 10 * DAY, SETTLED, DAY // 500))
    output = run_tap(catalog=selecting(OPEN))
    so_far: list[str] = []

    for message in output.messages:
        if message["type"] == "RECORD":
            so_far.append(message["record"]["id"])
        if message["type"] == "STATE":
            rest = run_tap(catalog=selecting(OPEN), state=message["value"]).ids()
            again = set(so_far) & set(rest)
            assert rest == output.ids()[len(so_far) - len(again) :]
            assert len(again) <= 21  # events of the hour that is looked back

    assert not again  # the last STATE remembers them


def test_what_is_remembered_is_in_the_last_state_alone(
    portal: Portal, clock: StoppedClock, run_tap: TapRunner
) -> None:
    portal.add_events("OPEN", range(SETTLED - 6_000_000, SETTLED, 1_000))
    portal.add_events("CLICK", range(SETTLED - 3_600_000, SETTLED, 3_000))
    clicks = "email_event_click"
    first = run_tap(catalog=selecting(OPEN, clicks))
    clock.advance(600)
    *earlier, last = run_tap(catalog=selecting(OPEN, clicks), state=first.state).states[1:]

    assert all("remembered" not in state["bookmarks"].get(OPEN, {}) for state in earlier)
    assert max(len(json.dumps(state)) for state in earlier) < 1_000
    assert len(last["bookmarks"][OPEN]["remembered"]) > 30_000
    assert len(last["bookmarks"][clicks]["remembered"]) > 8_000


@pytest.mark.parametrize("lookback", [3_600, 86_400])
def test_however_many_events_the_lookback_holds_late_ones_come(
    portal: Portal, clock: StoppedClock, run_tap: TapRunner, lookback: int
) -> None:
    portal.add_events("OPEN", range(SETTLED - 3_600_000, SETTLED, 600))
    late = SETTLED - 59 * MINUTE
    for number in range(11):
        portal.add_event("OPEN", late + number, id=f"late {number}", visible_from=NOW + 60)
    first = run_tap(catalog=selecting(OPEN), lookback_seconds=lookback)
    clock.advance(600)
    second = run_tap(catalog=selecting(OPEN), lookback_seconds=lookback, state=first.state)

    assert len(first.ids()) == 6_000
    assert sorted(each for each in second.ids() if each.startswith("late")) == sorted(
        f"late {number}" for number in range(11)
    )
    assert len(second.ids()) == 11


def test_a_settling_time_as_long_as_the_lookback_takes_nothing_from_it(
    portal: Portal, clock: StoppedClock, run_tap: TapRunner
) -> None:
    settings: dict[str, Any] = {"settle_seconds": 3_600, "lookback_seconds": 3_600}
    portal.add_event("OPEN", SETTLED - 90 * MINUTE, id="late", visible_from=NOW + 60)
    first = run_tap(catalog=selecting(OPEN), **settings)
    clock.advance(600)

    assert first.ids() == []
    assert run_tap(catalog=selecting(OPEN), state=first.state, **settings).ids() == ["late"]


def test_a_start_date_moved_before_what_was_read_is_told(portal: Portal, run_tap: TapRunner) -> None:
    portal.add_event("OPEN", SETTLED - 20 * DAY, id="earlier")
    first = run_tap(catalog=selecting(OPEN), start_date="2026-11-01")
    second = run_tap(catalog=selecting(OPEN), start_date="2026-10-20", state=first.state)
    same = run_tap(catalog=selecting(OPEN), start_date="2026-11-01", state=first.state)

    assert second.ids() == []
    assert (
        "WARNING start_date 2026-10-20T00:00:00.000Z lies before 2026-11-01T00:00:00.000Z, since when"
        " email_event_open was read: the events between are not read. To read them, run once without a state (in"
        " Meltano with --state-id-suffix) and with end_date 2026-11-01T00:00:00.000Z."
    ) in second.log
    assert "lies before" not in same.log


def test_a_run_with_nothing_to_read_keeps_the_state(run_tap: TapRunner) -> None:
    first = run_tap()

    assert run_tap(state=first.state).state == first.state


def test_what_others_wrote_into_the_state_is_kept(run_tap: TapRunner) -> None:
    foreign: dict[str, Any] = {
        "contacts": {"vidOffset": 7},
        OPEN: {"replication_key_value": "2026-11-01T00:00:00.000Z", "something": "new"},
    }

    bookmarks = run_tap(state={"bookmarks": foreign}).state["bookmarks"]

    assert bookmarks["contacts"] == {"vidOffset": 7}
    assert bookmarks[OPEN]["something"] == "new"


def test_a_stream_that_is_not_selected_keeps_its_bookmark(run_tap: TapRunner) -> None:
    first = run_tap()

    second = run_tap(state=first.state, catalog=selecting("email_event_sent"))

    assert second.bookmark() == first.bookmark()


def test_with_an_end_date_a_second_run_reads_nothing_and_is_no_error(
    portal: Portal, run_tap: TapRunner
) -> None:
    portal.add_event("OPEN", SETTLED - 2 * DAY, id="e1")
    first = run_tap(end_date="2026-11-17")
    second = run_tap(end_date="2026-11-17", state=first.state)

    assert first.ids() == ["e1"]
    assert (second.ids(), second.exit_code) == ([], 0)


def test_a_dense_lookback_repeats_nothing(
    portal: Portal, clock: StoppedClock, run_tap: TapRunner, caplog: pytest.LogCaptureFixture
) -> None:
    portal.add_events("OPEN", range(SETTLED - HOUR, SETTLED + HOUR, HOUR // 2_000))
    first = run_tap(catalog=selecting(OPEN))
    clock.advance(1_800)
    second = run_tap(catalog=selecting(OPEN), state=first.state)

    assert len(first.ids()) == 2_000
    assert len(second.ids()) == 1_000
    assert not set(first.ids()) & set(second.ids())
    assert len(caplog.text) < 100_000
