"""Settings, states, catalogs and answers that are not as they should be: one line, and no event lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.tap_hubspot_email_events.catalogs import selecting
from tests.tap_hubspot_email_events.singer import SETTLED

if TYPE_CHECKING:
    from tests.hubspot_emulator import HubSpotEmulator, Portal
    from tests.tap_hubspot_email_events.conftest import TapRunner

OPEN = "email_event_open"
EVENTS = "/email/public/v1/events"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"start_date": None}, "start_date must be set"),
        ({"start_date": ""}, "start_date must be set"),
        ({"start_date": "last week"}, "start_date is neither a date nor a date-time. Write it like"),
        ({"start_date": "2026-13-01"}, "start_date is neither a date nor a date-time. Write it like"),
        ({"start_date": 20260101}, "start_date must be text, not '20260101'"),
        ({"end_date": "soon"}, "end_date is neither a date nor a date-time"),
        ({"end_date": "2026-10-19"}, "end_date is not after start_date"),
        ({"end_date": "2026-10-20"}, "end_date is not after start_date"),
        ({"lookback_seconds": -1}, "lookback_seconds must be at least 0, not '-1'"),
        ({"settle_seconds": "five"}, "settle_seconds must be a whole number"),
        ({"exclude_filtered_events": "ja"}, "exclude_filtered_events must be true or false"),
        ({"start_date": "9999-12-31T23:59:59-12:00"}, "start_date is neither a date"),
        ({"access_token": 123_456_789}, "access_token must be text."),
    ],
)
def test_a_wrong_setting_is_named_and_no_secret_is_shown(
    hubspot: HubSpotEmulator, run_tap: TapRunner, settings: dict[str, Any], words: str
) -> None:
    output = run_tap(**settings)

    assert output.exit_code == 1
    assert words in output.last_words
    assert "123456789" not in output.last_words
    assert hubspot.calls() == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"access_token": None}, "No credentials are set"),
        ({"access_token": None, "client_id": "x"}, "OAuth needs client_secret and refresh_token"),
        ({"api_url": "http://example.com"}, "api_url would send the token"),
        ({"max_concurrency": 0}, "max_concurrency must be at least 1"),
    ],
)
def test_a_wrong_connection_is_told_before_anything_is_asked(
    hubspot: HubSpotEmulator, run_tap: TapRunner, settings: dict[str, Any], words: str
) -> None:
    output = run_tap(**settings)

    assert output.exit_code == 1
    assert words in output.last_words
    assert hubspot.calls() == 0


def test_a_misspelt_setting_is_told(run_tap: TapRunner) -> None:
    output = run_tap(lookback_second=5)

    assert (
        'There is no setting "lookback_second"; it is ignored. Did you mean "lookback_seconds"?' in output.log
    )


def test_a_start_in_the_future_reads_nothing_yet_and_says_so(run_tap: TapRunner) -> None:
    output = run_tap(start_date="2026-12-24")

    assert output.exit_code == 0
    assert "start_date 2026-12-24T00:00:00.000Z lies after the last settled moment" in output.log
    assert [message["type"] for message in output.messages if message["type"] == "RECORD"] == []


def test_settling_for_longer_than_there_are_events_reads_nothing_and_says_so(run_tap: TapRunner) -> None:
    output = run_tap(settle_seconds=10**12)

    assert output.exit_code == 0
    assert "lies after the last settled moment" in output.log


def test_a_start_at_the_beginning_of_time_does_not_ask_for_it(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    portal.add_event("OPEN", SETTLED - 1, id="e1")

    assert run_tap(start_date="1970-01-01").ids() == ["e1"]
    assert not [request for request in hubspot.requests if "startTimestamp=0" in request.target]


def test_a_selected_stream_that_there_is_not_ends_the_run(
    hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    catalog = selecting(OPEN)
    (entry,) = [each for each in catalog["streams"] if each["tap_stream_id"] == OPEN]
    entry["tap_stream_id"] = entry["stream"] = "email_event_opened"

    output = run_tap(catalog=catalog)

    assert output.exit_code == 1
    assert output.last_words == (
        'The catalog selects "email_event_opened", which is no stream of this tap; the nearest is'
        " email_event_open. Make the catalog anew with --discover, or correct the name."
    )
    assert hubspot.calls() == 0


def test_an_unknown_stream_that_is_not_selected_does_no_harm(portal: Portal, run_tap: TapRunner) -> None:
    portal.add_event("OPEN", SETTLED - 1, id="e1")
    catalog = selecting(OPEN)
    (entry,) = [each for each in catalog["streams"] if each["tap_stream_id"] == "email_event_sent"]
    entry["tap_stream_id"] = entry["stream"] = "contacts"

    assert run_tap(catalog=catalog).ids() == ["e1"]


def test_a_catalog_that_wants_full_tables_is_refused(run_tap: TapRunner) -> None:
    catalog = selecting(OPEN)
    (entry,) = [each for each in catalog["streams"] if each["tap_stream_id"] == OPEN]
    entry["replication_method"] = "FULL_TABLE"

    assert "email_event_open to FULL_TABLE" in run_tap(catalog=catalog).last_words


def test_a_state_that_cannot_be_read_names_its_stream(run_tap: TapRunner) -> None:
    output = run_tap(state={"bookmarks": {OPEN: {"replication_key_value": "yesterday"}}})

    assert output.exit_code == 1
    assert output.last_words.startswith(
        "The state of email_event_open cannot be read: replication_key_value is not a date-time. Correct it"
    )


@pytest.mark.parametrize(
    "state",
    [
        [1],
        {"bookmarks": [1]},
        {"bookmarks": {OPEN: "2026-11-01"}},
        {"type": "STATE", "value": {"bookmarks": {OPEN: {"replication_key_value": "2026-11-01"}}}},
        {OPEN: {"replication_key_value": "2026-11-01"}},
    ],
)
def test_what_is_no_state_is_not_taken_for_none(run_tap: TapRunner, state: Any) -> None:
    assert run_tap(state=state).last_words.startswith("The state is not an object with")


def test_an_empty_state_is_none_and_everything_is_read(portal: Portal, run_tap: TapRunner) -> None:
    portal.add_event("OPEN", SETTLED - 1, id="e1")

    assert run_tap(state={}).ids() == ["e1"]


@pytest.mark.parametrize("value", ["2026-11-19", "2027-03-01T00:00:00.000Z"])
def test_a_bookmark_that_lies_in_the_future_is_told(run_tap: TapRunner, value: str) -> None:
    state = {"bookmarks": {OPEN: {"replication_key_value": value}}}

    output = run_tap(catalog=selecting(OPEN), state=state)

    assert (
        f"The state of {OPEN} says that everything before {value[:10]}T00:00:00.000Z was read" in output.log
    )
    assert output.bookmark()["replication_key_value"] == value


def test_a_bookmark_beyond_the_end_date_is_nothing_to_tell(run_tap: TapRunner) -> None:
    state = {"bookmarks": {OPEN: {"replication_key_value": "2026-11-17"}}}

    output = run_tap(catalog=selecting(OPEN), state=state, end_date="2026-11-10")

    assert output.exit_code == 0
    assert "WARNING" not in output.log


def test_an_answer_that_does_not_say_the_time_ends_the_run(
    hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    """This machine's clock, if it is ahead, would move bookmarks past events that are still to come."""
    page = {"hasMore": False, "offset": "x", "events": []}
    hubspot.faults.next("GET", EVENTS, status=200, body=page, headers={"Date": "today"})

    output = run_tap()

    assert output.exit_code == 1
    assert "does not say the time (header Date)" in output.last_words
    assert output.states == []


@pytest.mark.parametrize("catalog", [{}, {"streams": {}}, [1]])
def test_what_is_no_catalog_is_refused(run_tap: TapRunner, catalog: Any) -> None:
    assert run_tap(catalog=catalog).last_words.endswith("Make it anew with --discover.")


def test_an_event_without_a_type_comes_as_what_was_asked_for(
    hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    untyped = {"hasMore": False, "offset": "x", "events": [{"id": "e1", "created": SETTLED - 1}]}
    hubspot.faults.next("GET", EVENTS, after=1, status=200, body=untyped)

    output = run_tap(catalog=selecting(OPEN))

    assert [(record["id"], record["type"]) for record in output.records(OPEN)] == [("e1", "OPEN")]


def test_fields_that_hubspot_adds_are_named_once(portal: Portal, run_tap: TapRunner) -> None:
    for number in range(3):
        portal.add_event("OPEN", SETTLED - 1 - number, mood="ada@example.com", planet="Earth")

    output = run_tap(catalog=selecting(OPEN))

    assert len(output.ids()) == 3
    assert output.log.count("email_event_open has no column for: mood, planet.") == 1


def test_values_that_do_not_fit_are_null_and_their_fields_named_once(
    portal: Portal, run_tap: TapRunner
) -> None:
    for number in range(3):
        portal.add_event("OPEN", SETTLED - 1 - number, duration="ada@example.com", recipient=None)

    output = run_tap(catalog=selecting(OPEN))

    assert [record["duration"] for record in output.records(OPEN)] == [None] * 3
    assert len(re.findall("do not fit their column in email_event_open, .*: duration", output.log)) == 1
    assert "ada@example.com" not in output.log


def test_an_event_outside_its_window_comes_once(hubspot: HubSpotEmulator, run_tap: TapRunner) -> None:
    stray = {"id": "stray", "created": SETTLED + 5}
    page = {"hasMore": False, "offset": "x", "events": [stray, {"id": "own", "created": SETTLED - 1}]}
    hubspot.faults.next("GET", EVENTS, after=1, status=200, body=page)

    output = run_tap(catalog=selecting(OPEN))

    assert output.ids() == ["own", "stray"]
    assert output.bookmark()["replication_key_value"] == "2026-11-18T11:01:40.000Z"


def test_an_event_outside_its_window_does_not_come_again_when_its_own_is_read(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner, clock: Any
) -> None:
    portal.add_event("OPEN", SETTLED + 5, id="stray", typical=False, visible_from=0.0)
    stray = portal.events.get(SETTLED + 5, "stray")
    page = {"hasMore": False, "offset": "x", "events": [stray]}
    hubspot.faults.next("GET", EVENTS, after=1, status=200, body=page)
    first = run_tap(catalog=selecting(OPEN))
    clock.advance(600)

    assert first.ids() == ["stray"]
    assert run_tap(catalog=selecting(OPEN), state=first.state).ids() == []


@pytest.mark.parametrize(
    "body",
    [
        {"hasMore": False},
        {"hasMore": False, "offset": "x", "events": [{"id": "e1"}]},
        {"hasMore": False, "offset": "x", "events": [{"created": 5, "recipient": "ada@example.com"}]},
        ["ada@example.com"],
    ],
)
def test_an_answer_that_cannot_be_read_ends_the_run_before_its_window_counts(
    hubspot: HubSpotEmulator, run_tap: TapRunner, body: Any
) -> None:
    hubspot.faults.next("GET", EVENTS, after=1, status=200, body=body)

    output = run_tap(catalog=selecting(OPEN))

    assert output.exit_code == 1
    assert re.match(
        r"HubSpot's OPEN events from 2026-10-20T00:00:00.000Z until .* cannot be read", output.last_words
    )
    assert "ada@example.com" not in output.last_words + output.log
    assert output.ids() == []
    assert not [state for state in output.states if "replication_key_value" in state["bookmarks"][OPEN]]


def test_a_token_that_hubspot_refuses_ends_the_run(run_tap: TapRunner) -> None:
    output = run_tap(access_token="pat-na1-not-the-one")

    assert output.exit_code == 1
    assert "was answered 401" in output.last_words
    assert "pat-na1-not-the-one" not in output.last_words + output.log


@pytest.mark.parametrize("expression", ["record['city'].nonsense()", "1 / 0", "2 ** 70"])
def test_a_stream_map_that_fails_is_told_as_the_users(
    portal: Portal, run_tap: TapRunner, expression: str
) -> None:
    portal.add_event("OPEN", SETTLED - 1, recipient="ada@example.com")

    output = run_tap(catalog=selecting(OPEN), stream_maps={OPEN: {"odd": expression}})

    assert output.exit_code == 1
    assert re.match(
        f"A record of {OPEN} cannot be mapped as stream_maps says .*Correct the expression", output.last_words
    )
    assert "ada@example.com" not in output.last_words + output.log
    assert "ERROR" not in output.log


def test_what_hubspot_refuses_for_one_stream_names_it_and_leaves_those_before_it(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    portal.add_events("OPEN", range(SETTLED - 20_000, SETTLED))
    hubspot.faults.next("GET", "eventType=SENT", status=403)

    output = run_tap(catalog=selecting(OPEN, "email_event_sent"))

    assert output.exit_code == 1
    assert output.last_words.startswith("email_event_sent: GET /email/public/v1/events was answered 403")
    assert len(set(output.ids())) == 20_000
    assert output.bookmark()["replication_key_value"] == "2026-11-18T11:01:40.000Z"


def test_offsets_that_expire_lose_and_repeat_nothing(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    portal.add_events("OPEN", range(SETTLED - 4_000, SETTLED))
    hubspot.faults.call("GET", EVENTS, portal.expire_offsets, times=3, after=2)

    assert len(set(run_tap(catalog=selecting(OPEN)).ids())) == 4_000


def test_pages_without_an_offset_lose_and_repeat_nothing(portal: Portal, run_tap: TapRunner) -> None:
    portal.add_events("OPEN", range(SETTLED - 4_000, SETTLED))
    portal.quirks.pages_without_offset = 3

    ids = run_tap(catalog=selecting(OPEN)).ids()

    assert len(ids) == len(set(ids)) == 4_000
