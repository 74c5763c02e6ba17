"""Settings, states, catalogs and answers that are not as they should be: one line, and no event lost."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.tap_hubspot_email_events.catalogs import selecting
from tests.tap_hubspot_email_events.singer import DAY, SETTLED, STREAMS

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
        ({"start_date": "  "}, "start_date must be set"),
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


def test_a_state_that_cannot_be_read_names_its_stream(run_tap: TapRunner) -> None:
    output = run_tap(state={"bookmarks": {OPEN: {"replication_key_value": "yesterday"}}})

    assert output.exit_code == 1
    assert output.last_words.startswith(
        "The state of email_event_open cannot be read: replication_key_value is not a date-time. Correct it"
    )


@pytest.mark.parametrize(
    "broken",
    [
        {"replication_key_value": "yesterday"},
        {"replication_key_value": [5]},
        {"version": 2, "replication_key_value": "2026-11-01", "remembered": "%"},
    ],
)
@pytest.mark.parametrize("stream", ["email_event_bounce", OPEN])
def test_a_stream_whose_state_cannot_be_read_costs_one_stream(
    portal: Portal, run_tap: TapRunner, stream: str, broken: dict[str, Any]
) -> None:
    """The first stream is otherwise the one that is asked for HubSpot's time."""
    for event_type in STREAMS.values():
        portal.add_event(event_type, SETTLED - 1)

    output = run_tap(state={"bookmarks": {stream: broken}})

    assert output.exit_code == 1
    assert output.last_words.startswith(f"The state of {stream} cannot be read: ")
    assert {name for name in STREAMS if output.records(name)} == STREAMS.keys() - {stream}
    assert output.bookmark(stream) == broken
    assert "replication_key_value" in output.bookmark("email_event_click")


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


def test_an_event_without_a_type_comes_as_what_was_asked_for(
    hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    untyped = {"hasMore": False, "offset": "x", "events": [{"id": "e1", "created": SETTLED - 1}]}
    hubspot.faults.next("GET", EVENTS, status=200, body=untyped)

    output = run_tap(catalog=selecting(OPEN))

    assert [(record["id"], record["type"]) for record in output.records(OPEN)] == [("e1", "OPEN")]


def test_fields_that_hubspot_adds_are_named_once(portal: Portal, run_tap: TapRunner) -> None:
    for number in range(3):
        portal.add_event("OPEN", SETTLED - 1 - number, mood="ada@example.com", planet="Earth")

    output = run_tap(catalog=selecting(OPEN))

    assert len(output.ids()) == 3
    assert (
        output.log.count("email_event_open has no column for: mood, planet. They are in the column extra.")
        == 1
    )
    assert [record["extra"] for record in output.records(OPEN)] == [
        {"mood": "ada@example.com", "planet": "Earth"}
    ] * 3


def test_a_field_that_is_nested_deeply_loses_no_event(portal: Portal, run_tap: TapRunner) -> None:
    deep: dict[str, Any] = {}
    for _ in range(300):  # more than fast JSON takes
        deep = {"inner": deep}
    portal.add_event("OPEN", SETTLED - 1, id="e1", deep=deep)

    output = run_tap(catalog=selecting(OPEN))

    assert (output.exit_code, output.ids()) == (0, ["e1"])


def test_values_that_do_not_fit_are_null_and_their_fields_named_once(
    portal: Portal, run_tap: TapRunner
) -> None:
    for number in range(3):
        portal.add_event("OPEN", SETTLED - 1 - number, duration="ada@example.com", recipient=None)

    output = run_tap(catalog=selecting(OPEN))

    assert [record["duration"] for record in output.records(OPEN)] == [None] * 3
    assert output.records(OPEN)[0]["extra"] == {"duration": "ada@example.com"}
    assert len(re.findall("do not fit their column in email_event_open, .*: duration", output.log)) == 1
    assert "ada@example.com" not in output.log


@pytest.mark.parametrize("is_first_stream", [True, False])
def test_an_event_after_its_window_comes_with_the_next_one(
    portal: Portal,
    hubspot: HubSpotEmulator,
    run_tap: TapRunner,
    clock: Any,
    is_first_stream: bool,  # noqa: FBT001
) -> None:
    for number, created in enumerate((SETTLED - 1, SETTLED, SETTLED + 5)):
        portal.add_event("OPEN", created, id=f"e{number}")
    streams = [OPEN] if is_first_stream else [OPEN, "email_event_bounce"]
    streams = [OPEN] if is_first_stream else [OPEN, "email_event_bounce"]
    events = [portal.events.get(SETTLED + at, f"e{n}") for n, at in ((2, 5), (1, 0), (0, -1))]
    page = {"hasMore": False, "events": events}
    hubspot.faults.next("GET", "eventType=OPEN", status=200, body=page)
    first = run_tap(catalog=selecting(*streams))
    clock.advance(600)

    assert first.ids() == ["e0"]
    assert first.bookmark()["replication_key_value"] == "2026-11-18T11:01:40.000Z"
    assert run_tap(catalog=selecting(*streams), state=first.state).ids() == ["e1", "e2"]


def test_an_event_before_its_window_is_passed_on(hubspot: HubSpotEmulator, run_tap: TapRunner) -> None:
    page = {
        "hasMore": False,
        "events": [{"id": "own", "created": SETTLED - 1}, {"id": "early", "created": 5}],
    }
    hubspot.faults.next("GET", EVENTS, status=200, body=page)

    assert run_tap(catalog=selecting(OPEN)).ids() == ["early", "own"]


@pytest.mark.parametrize(
    "body", [{"hasMore": False}, ["ada@example.com"], {"events": []}, {"hasMore": False, "events": "none"}]
)
def test_an_answer_that_cannot_be_read_costs_one_stream_and_its_window_does_not_count(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner, body: Any
) -> None:
    portal.add_event("SENT", SETTLED - 1, id="sent")
    hubspot.faults.next("GET", "eventType=OPEN", status=200, body=body)

    output = run_tap(catalog=selecting(OPEN, "email_event_sent"))

    assert output.exit_code == 1
    assert re.match(
        r"email_event_open: HubSpot's OPEN events from 2026-10-20T00:00:00.000Z until .* cannot be read",
        output.last_words,
    )
    assert "ada@example.com" not in output.last_words + output.log
    assert output.ids() == []
    assert output.ids("email_event_sent") == ["sent"]
    assert not [state for state in output.states if "replication_key_value" in state["bookmarks"][OPEN]]


BAD_EVENTS = [
    {"created": SETTLED - 2, "recipient": "ada@example.com"},
    {"id": "e9", "recipient": "ada@example.com"},
    {"id": None, "created": None},
    "ada@example.com",
]


@pytest.mark.parametrize("bad", BAD_EVENTS)
def test_a_bad_event_costs_one_event_and_the_bookmark_moves_on(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner, clock: Any, bad: Any
) -> None:
    """Also in the next run, which sees the event again."""
    portal.add_event("CLICK", SETTLED - 1, id="click")
    good = [{"id": "late", "created": SETTLED - 1}, {"id": "early", "created": SETTLED - 5}]
    page = {"hasMore": False, "events": [good[0], bad, good[1]]}
    hubspot.faults.next("GET", "eventType=BOUNCE", status=200, body=page, times=2)
    first = run_tap()
    clock.advance(600)
    second = run_tap(state=first.state)

    assert first.exit_code == 1
    assert first.last_words.startswith(
        "email_event_bounce: 1 event without an id or a time could not be passed on."
    )
    assert first.ids("email_event_bounce") == ["early", "late"]
    assert first.ids("email_event_click") == ["click"]
    assert first.bookmark("email_event_bounce")["replication_key_value"] == "2026-11-18T11:01:40.000Z"
    assert "ada@example.com" not in first.last_words + first.log
    assert (second.exit_code, second.ids("email_event_bounce")) == (0, [])


@pytest.mark.parametrize("bad", BAD_EVENTS)
def test_a_bad_event_that_is_the_newest_is_counted_too(
    hubspot: HubSpotEmulator, run_tap: TapRunner, bad: Any
) -> None:
    """The first page comes with HubSpot's time and has no end: an event without a time is in no window there."""
    good = {"id": "early", "created": SETTLED - 5}
    hubspot.faults.next("GET", EVENTS, status=200, body={"hasMore": False, "events": [bad, good]}, times=None)

    output = run_tap(catalog=selecting(OPEN))

    assert output.exit_code == 1
    assert output.last_words.startswith(
        "email_event_open: 1 event without an id or a time could not be passed on."
    )
    assert output.ids() == ["early"]


def test_bad_events_are_counted_each_once(hubspot: HubSpotEmulator, run_tap: TapRunner) -> None:
    page = {"hasMore": False, "events": [*BAD_EVENTS, BAD_EVENTS[0]]}
    hubspot.faults.next("GET", EVENTS, status=200, body=page)

    assert run_tap(catalog=selecting(OPEN)).last_words.startswith("email_event_open: 4 events without")


def test_numbers_written_in_other_ways_lose_nothing(hubspot: HubSpotEmulator, run_tap: TapRunner) -> None:
    moment = SETTLED - 1_000
    ways = [moment, str(moment), float(moment), f"{moment}.0", f"{moment / 1e12}E12"]
    events = [{"id": number, "created": way, "portalId": "7.0"} for number, way in enumerate(ways)]
    hubspot.faults.next("GET", EVENTS, status=200, body={"hasMore": "false", "offset": 17, "events": events})

    output = run_tap(catalog=selecting(OPEN))

    assert output.ids() == ["0", "1", "2", "3", "4"]
    assert {record["created"] for record in output.records(OPEN)} == {"2026-11-18T11:01:39.000Z"}
    assert output.records(OPEN)[0]["portal_id"] == 7
    assert output.exit_code == 0


@pytest.mark.parametrize("text", ["nul \x00 in text", "half a pair \ud83d"])
def test_text_that_no_database_holds_is_replaced_everywhere(
    portal: Portal, run_tap: TapRunner, text: str
) -> None:
    portal.add_event(
        "CLICK",
        SETTLED - 1,
        id=text,
        browser={"name": text},
        url=f"https://x.org/?utm_term={text}",
        new={text: [text]},
    )

    output = run_tap(catalog=selecting("email_event_click"))

    (record,) = output.records("email_event_click")
    clean = text.replace("\x00", "\ufffd").replace("\ud83d", "?")
    assert (record["id"], record["browser"]["name"]) == (clean, clean)
    assert (record["utm_term"], record["extra"]) == (clean, {"new": {clean: [clean]}})
    assert "\x00" not in json.dumps(output.messages, ensure_ascii=False)


def test_what_is_no_number_in_json_is_null(hubspot: HubSpotEmulator, run_tap: TapRunner) -> None:
    page = b'{"hasMore": false, "events": [{"id": "e1", "created": %d, "duration": NaN}]}' % (SETTLED - 1)
    hubspot.faults.next("GET", EVENTS, status=200, body=page)

    output = run_tap(catalog=selecting(OPEN))

    assert output.records(OPEN)[0]["duration"] is None
    assert hubspot.calls() == 1


def test_a_filtered_event_that_comes_although_excluded_is_left_out(
    hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    events = [{"id": f"e{n}", "created": SETTLED - 1 - n, "filteredEvent": n == 1} for n in range(3)]
    hubspot.faults.next("GET", EVENTS, status=200, body={"hasMore": False, "events": events})

    assert run_tap(catalog=selecting(OPEN), exclude_filtered_events=True).ids() == ["e2", "e0"]


@pytest.mark.parametrize("is_standing_still", [True, False])
def test_pages_that_say_more_for_ever_bring_what_they_hold(
    portal: Portal,
    hubspot: HubSpotEmulator,
    run_tap: TapRunner,
    clock: Any,
    is_standing_still: bool,  # noqa: FBT001 - else each offset is another one
) -> None:
    if not is_standing_still:
        hubspot.faults.call("GET", EVENTS, lambda: clock.advance(0.001), times=None)
    portal.add_events("OPEN", range(SETTLED - 9_000, SETTLED))
    portal.quirks.event_pages_never_end = True

    output = run_tap(catalog=selecting(OPEN))

    assert len(set(output.ids())) == len(output.ids()) == 9_000
    assert output.exit_code == 0
    assert (
        "WARNING email_event_open: HubSpot says that there are more events between 2026-10-20T00:00:00.000Z and"
        in output.log
    )


def test_a_token_that_hubspot_refuses_ends_the_run(run_tap: TapRunner) -> None:
    output = run_tap(access_token="pat-na1-not-the-one")

    assert output.exit_code == 1
    assert "was answered 401" in output.last_words
    assert "pat-na1-not-the-one" not in output.last_words + output.log


@pytest.mark.parametrize("expression", ["record['city'].nonsense()", "1 / 0", "record['nothing']"])
def test_a_stream_map_that_fails_is_told_as_the_users(
    portal: Portal, run_tap: TapRunner, expression: str
) -> None:
    portal.add_event("OPEN", SETTLED - 1, recipient="ada@example.com")

    portal.add_event("SENT", SETTLED - 1, id="sent")
    output = run_tap(catalog=selecting(OPEN, "email_event_sent"), stream_maps={OPEN: {"odd": expression}})

    assert output.exit_code == 1
    assert output.ids("email_event_sent") == ["sent"]
    assert re.match(
        f"{OPEN}: A record of {OPEN} cannot be mapped as stream_maps says .*Correct the expression",
        output.last_words,
    )
    assert "ada@example.com" not in output.last_words + output.log
    assert "ERROR" not in output.log


@pytest.mark.parametrize("status", [400, 403, 404, 500, 520])
def test_a_stream_that_hubspot_refuses_costs_one_stream(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner, status: int
) -> None:
    """Whether it is the first stream, which is asked for the time, or any other."""
    for event_type in STREAMS.values():
        portal.add_events(event_type, range(SETTLED - 1_500, SETTLED))
    refused = ["email_event_bounce", "email_event_click"]
    for stream in refused:
        hubspot.faults.next("GET", f"eventType={STREAMS[stream]}", status=status, times=None)

    failed = run_tap()
    hubspot.faults.clear()
    rest = run_tap(state=failed.state)

    assert failed.exit_code == 1
    for stream in refused:
        assert f"{stream}: GET /email/public/v1/events was answered {status}" in failed.last_words
        assert failed.ids(stream) == []
        assert len(set(rest.ids(stream))) == 1_500
    for stream in set(STREAMS) - set(refused):
        assert len(set(failed.ids(stream))) == 1_500
        assert rest.ids(stream) == []
    assert rest.exit_code == 0


def test_a_stream_that_fails_in_the_middle_keeps_what_was_read_before(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    portal.add_events("OPEN", range(SETTLED - 2_400_000_000, SETTLED, 60_000))
    portal.add_event("SENT", SETTLED - 1, id="sent")
    streams = selecting(OPEN, "email_event_sent")
    hubspot.faults.next("GET", "eventType=OPEN", after=20, status=404, times=None)

    failed = run_tap(catalog=streams, lookback_seconds=0, max_concurrency=2)
    hubspot.faults.clear()
    rest = run_tap(catalog=streams, lookback_seconds=0, state=failed.state)

    assert failed.exit_code == 1
    assert failed.ids("email_event_sent") == ["sent"]
    assert 0 < len(failed.ids()) < 40_000
    assert len(failed.ids()) + len(rest.ids()) == len({*failed.ids(), *rest.ids()}) == 40_000


@pytest.mark.parametrize("status", [500, 520])
def test_windows_that_are_too_wide_for_hubspot_are_cut(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner, status: int
) -> None:
    portal.add_events("OPEN", range(SETTLED - 20 * 86_400_000, SETTLED, 3_600_000))
    portal.quirks.widest_event_window = 2 * 86_400_000
    portal.quirks.widest_event_window_status = status

    output = run_tap(catalog=selecting(OPEN))

    assert output.exit_code == 0
    assert len(set(output.ids())) == len(output.ids()) == 480
    assert hubspot.calls() < 80


@pytest.mark.parametrize("times", [1, 3, 5])
def test_server_errors_that_pass_are_not_even_noticed(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner, times: int
) -> None:
    portal.add_events("OPEN", range(SETTLED - 3_000, SETTLED))
    hubspot.faults.next("GET", EVENTS, status=500, times=times)

    output = run_tap(catalog=selecting(OPEN))

    assert (output.exit_code, len(set(output.ids()))) == (0, 3_000)


def test_an_outage_ends_the_run_and_not_each_stream_for_itself(
    hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    hubspot.faults.next("GET", EVENTS, status=503, times=None)

    output = run_tap(max_concurrency=1)

    assert output.exit_code == 1
    assert "given up after" in output.last_words
    # How often each is tried is left to chance: the waits between tries are.
    asked = [each for each in STREAMS.values() if hubspot.calls(path_contains=f"eventType={each}")]
    assert len(asked) == 2


def test_whatever_hubspot_says_of_its_end_each_event_comes_once(portal: Portal, run_tap: TapRunner) -> None:
    portal.quirks.event_end_is_inclusive = False
    portal.add_events("OPEN", range(SETTLED - 30_000, SETTLED))

    output = run_tap(catalog=selecting(OPEN))

    assert len(set(output.ids())) == len(output.ids()) == 30_000


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


def test_a_full_millisecond_of_which_hubspot_gives_no_second_page_is_told_and_ends_with_1(
    portal: Portal, run_tap: TapRunner
) -> None:
    portal.add_events("OPEN", [SETTLED - DAY] * 1_500)
    portal.add_events("OPEN", [SETTLED - 1])
    portal.quirks.pages_without_offset = 1_000

    output = run_tap(catalog=selecting(OPEN))

    assert output.exit_code == 1
    assert "email_event_open" in output.last_words
    assert len(output.ids()) == 1_001
    assert "HubSpot says that there are more events" in output.log
    portal.quirks.pages_without_offset = 0
    again = run_tap(catalog=selecting(OPEN))
    assert (again.exit_code, len(again.ids())) == (0, 1_501)
