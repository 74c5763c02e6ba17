"""From one run to the next: what is late or changed comes once, and nothing else comes again."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.tap_hubspot_email_events.catalogs import selecting
from tests.tap_hubspot_email_events.singer import DAY, HOUR, MINUTE, NOW, SETTLED

if TYPE_CHECKING:
    import pytest

    from tests.hubspot_emulator import HubSpotEmulator, Portal, StoppedClock
    from tests.tap_hubspot_email_events.conftest import TapRunner

OPEN = "email_event_open"


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


def test_an_hourly_run_costs_a_call_a_stream_and_one_for_the_time(
    portal: Portal, hubspot: HubSpotEmulator, clock: StoppedClock, run_tap: TapRunner
) -> None:
    for number in range(100):
        portal.add_event("OPEN", SETTLED - number * MINUTE)
    first = run_tap()
    before = hubspot.calls()
    clock.advance(3_600)

    run_tap(state=first.state)

    assert hubspot.calls() - before == 11


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
    assert all(earlier < later for earlier, later in pairwise(bookmarks))


def test_a_state_never_confirms_a_record_that_comes_after_it(portal: Portal, run_tap: TapRunner) -> None:
    portal.add_events("OPEN", range(SETTLED - 10 * DAY, SETTLED, DAY // 900))

    bookmark = ""
    for message in run_tap(catalog=selecting(OPEN)).messages:
        if message["type"] == "STATE":
            bookmark = message["value"]["bookmarks"][OPEN]["replication_key_value"]
        if message["type"] == "RECORD":
            assert message["record"]["created"] >= bookmark


def test_going_on_from_any_state_of_a_run_brings_the_rest_and_nothing_twice(
    portal: Portal, run_tap: TapRunner
) -> None:
    portal.add_events("OPEN", range(SETTLED - 10 * DAY, SETTLED, DAY // 500))
    output = run_tap(catalog=selecting(OPEN))
    so_far: list[str] = []

    for message in output.messages:
        if message["type"] == "RECORD":
            so_far.append(message["record"]["id"])
        if message["type"] == "STATE":
            rest = run_tap(catalog=selecting(OPEN), state=message["value"]).ids()
            assert so_far + rest == output.ids()


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
