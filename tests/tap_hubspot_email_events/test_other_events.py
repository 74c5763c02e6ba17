"""The stream of all other types of events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.tap_hubspot_email_events.catalogs import selecting
from tests.tap_hubspot_email_events.singer import DAY, OTHER, SETTLED, STREAMS

if TYPE_CHECKING:
    from tests.hubspot_emulator import HubSpotEmulator, Portal, StoppedClock
    from tests.tap_hubspot_email_events.conftest import TapRunner

EVENTS = "/email/public/v1/events"


def test_events_of_other_types_are_passed_on_with_their_fields_in_extra(
    portal: Portal, run_tap: TapRunner
) -> None:
    portal.add_event("SUPPRESSED", SETTLED - 2, id="e1")
    portal.add_event("REPLY", SETTLED - 1, id="e2", planet="Earth")

    suppressed, reply = run_tap(catalog=selecting(OTHER)).records(OTHER)

    assert (suppressed["id"], suppressed["type"], suppressed["event_name"]) == (
        "e1",
        "SUPPRESSED",
        "[HubSpot] EMAIL_SUPPRESSED",
    )
    assert suppressed["extra"] == {
        "suppressedReason": "GRAYMAIL_SUPPRESSED",
        "suppressedMessage": "Not engaged",
    }
    assert (reply["user_id"], reply["extra"]) == ("ada@example.com", {"planet": "Earth"})


def test_an_event_without_a_type_comes_without_one(portal: Portal, run_tap: TapRunner) -> None:
    portal.add_event("UNBOUNCE", SETTLED - 1, id="e1")

    (record,) = run_tap(catalog=selecting(OTHER)).records(OTHER)

    assert (record["id"], record["type"], record["event_name"]) == ("e1", None, None)


@pytest.mark.parametrize("odd", [["OPEN"], {"name": "OPEN"}, 5, True])
def test_a_type_that_is_no_text_costs_no_event(
    hubspot: HubSpotEmulator, run_tap: TapRunner, odd: object
) -> None:
    events = [
        {"id": "e2", "created": SETTLED - 1, "type": odd},
        {"id": "e1", "created": SETTLED - 2, "type": "REPLY"},
    ]
    hubspot.faults.next("GET", EVENTS, status=200, body={"hasMore": False, "events": events})

    output = run_tap(catalog=selecting(OTHER))

    assert (output.exit_code, output.ids(OTHER)) == (0, ["e1", "e2"])
    assert json.loads(output.records(OTHER)[1]["type"]) == odd


def test_each_event_comes_in_one_stream_however_many_there_are(portal: Portal, run_tap: TapRunner) -> None:
    times = range(SETTLED - DAY, SETTLED, DAY // 3_000)
    for event_type in ("OPEN", "CLICK", "FORWARD", "PRINT"):
        portal.add_events(event_type, times)

    output = run_tap(catalog=selecting(*STREAMS, OTHER))

    ids = [each["id"] for stream in (*STREAMS, OTHER) for each in output.records(stream)]
    assert len(ids) == len(set(ids)) == 4 * len(times)
    assert {each["type"] for each in output.records(OTHER)} == {"FORWARD", "PRINT"}
    assert output.exit_code == 0


def test_the_table_counts_the_events_that_were_passed_over(portal: Portal, run_tap: TapRunner) -> None:
    portal.add_events("OPEN", range(SETTLED - 70, SETTLED))
    portal.add_event("REPLY", SETTLED - 1)

    log = run_tap(catalog=selecting(OTHER)).log

    assert "stream             windows  calls  events  passed over  span" in log
    assert "email_event_other        1      1       1           70  2026-10-20" in log


def test_fields_in_extra_are_as_expected_here_and_not_warned_of(portal: Portal, run_tap: TapRunner) -> None:
    portal.add_event("FORWARD", SETTLED - 1)

    assert "has no column for" not in run_tap(catalog=selecting(OTHER)).log


def test_unless_selected_no_event_is_read_once_more(hubspot: HubSpotEmulator, run_tap: TapRunner) -> None:
    output = run_tap()

    assert OTHER not in output.state["bookmarks"]
    assert hubspot.calls(path_contains="/events?") == hubspot.calls(path_contains="/events?eventType=")


def test_the_next_run_goes_on_where_the_last_one_ended(
    portal: Portal, clock: StoppedClock, run_tap: TapRunner
) -> None:
    portal.add_event("REPLY", SETTLED - 1, id="e1")
    portal.add_event("REPLY", SETTLED + 1, id="e2")
    first = run_tap(catalog=selecting(OTHER))
    clock.advance(600)
    second = run_tap(catalog=selecting(OTHER), state=first.state)

    assert (first.ids(OTHER), second.ids(OTHER)) == (["e1"], ["e2"])


def test_a_page_of_nothing_but_events_of_other_streams_ends_nothing(
    portal: Portal, run_tap: TapRunner
) -> None:
    portal.add_event("REPLY", SETTLED - DAY, id="old")
    portal.add_events("OPEN", range(SETTLED - 5_000, SETTLED))

    assert run_tap(catalog=selecting(OTHER)).ids(OTHER) == ["old"]
