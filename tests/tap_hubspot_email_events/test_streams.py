"""From the portal to standard output: what a user would say of the tap."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from tests.tap_hubspot_email_events.catalogs import deselect, selecting
from tests.tap_hubspot_email_events.examples import EXAMPLES
from tests.tap_hubspot_email_events.singer import (
    CAMPAIGNS,
    DAY,
    HOUR,
    MINUTE,
    NOW_MS,
    SETTLED,
    START,
    STREAMS,
)

if TYPE_CHECKING:
    from tests.hubspot_emulator import HubSpotEmulator, Portal, StoppedClock
    from tests.tap_hubspot_email_events.conftest import TapRunner

OPEN = "email_event_open"


def ids_of(count: int) -> list[str]:
    return [f"e{number:04}" for number in range(count)]


def add_opens(portal: Portal, ids: list[str], *, until: int = SETTLED, every: int = HOUR) -> None:
    """Opens with these ids, at equal distances, the last one just before `until`."""
    for number, event_id in enumerate(reversed(ids)):
        portal.add_event("OPEN", until - 1 - number * every, id=event_id)


@pytest.mark.parametrize(("stream", "event_type"), STREAMS.items())
def test_events_of_a_type_become_the_records_of_its_stream(
    portal: Portal, run_tap: TapRunner, stream: str, event_type: str
) -> None:
    example = {**EXAMPLES[event_type], "created": SETTLED - HOUR}
    fields = {name: value for name, value in example.items() if name not in {"created", "type"}}
    portal.add_event(event_type, SETTLED - HOUR, typical=False, **fields)

    output = run_tap()

    (record,) = output.records(stream)
    assert record["id"] == example["id"]
    assert record["created"] == "2026-11-18T10:01:40.000Z"
    assert record["type"] == event_type
    assert record["user_id"] == "ada@example.com"
    assert record["portal_id"] == 1_234_567
    assert [name for name, value in record.items() if value is None] == ["extra"]
    assert all(not output.records(other) for other in STREAMS if other != stream)


def test_each_stream_says_its_schema_key_and_replication_key_first(run_tap: TapRunner) -> None:
    output = run_tap()

    schemas = [message for message in output.messages if message["type"] == "SCHEMA"]
    *of_events, of_campaigns = schemas
    assert [message["stream"] for message in of_events] == sorted(STREAMS)
    assert {tuple(message["key_properties"]) for message in of_events} == {("id", "created")}
    assert {tuple(message["bookmark_properties"]) for message in of_events} == {("created",)}
    assert of_campaigns["stream"] == CAMPAIGNS
    assert of_campaigns["key_properties"] == ["id", "app_id"]
    assert of_campaigns["bookmark_properties"] == ["last_updated_time"]


def test_records_come_oldest_first_whatever_the_order_of_pages(portal: Portal, run_tap: TapRunner) -> None:
    add_opens(portal, ids_of(2_500), every=MINUTE)

    assert run_tap().ids() == ids_of(2_500)


def test_an_empty_window_in_the_middle_ends_nothing(portal: Portal, run_tap: TapRunner) -> None:
    add_opens(portal, ["new"])
    portal.add_events("OPEN", range(START, START + 2_000))

    output = run_tap()

    assert len(output.ids()) == 2_001
    assert output.ids()[-1] == "new"


def test_the_span_reaches_from_the_start_date_to_the_last_settled_millisecond(
    portal: Portal, run_tap: TapRunner
) -> None:
    for name, created in {
        "too early": START - 1,
        "first": START,
        "last": SETTLED - 1,
        "not settled": SETTLED,
    }.items():
        portal.add_event("OPEN", created, id=name)

    assert run_tap().ids() == ["first", "last"]


def test_a_portal_without_events_costs_a_call_a_stream(hubspot: HubSpotEmulator, run_tap: TapRunner) -> None:
    output = run_tap()

    assert hubspot.calls(path_contains="/email/public/v1/events") == len(STREAMS)
    assert output.records(OPEN) == []
    assert {output.bookmark(stream)["replication_key_value"] for stream in STREAMS} == {
        "2026-11-18T11:01:40.000Z"
    }


def test_the_counts_of_each_stream_are_fields_of_the_log(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner, caplog: pytest.LogCaptureFixture
) -> None:
    add_opens(portal, ["first", "second"])
    hubspot.faults.next("GET", "eventType=CLICK", status=400)

    run_tap()

    told = [
        record.__dict__["hubspot_stream"] for record in caplog.records if hasattr(record, "hubspot_stream")
    ]
    by_name = {each["stream"]: each for each in told}
    assert by_name.keys() == set(STREAMS)
    assert (by_name[OPEN]["events"], by_name[OPEN]["is_complete"]) == (2, True)
    assert by_name[OPEN]["end"] == "2026-11-18T11:01:40.000Z"
    assert [each["stream"] for each in told if not each["is_complete"]] == ["email_event_click"]


def test_time_is_hubspots_and_not_this_machines(
    portal: Portal, clock: StoppedClock, run_tap: TapRunner
) -> None:
    clock.advance(86_400)
    add_opens(portal, ["of tomorrow"], until=SETTLED + DAY)

    assert run_tap().ids() == ["of tomorrow"]


@pytest.mark.parametrize(
    ("settings", "ids"),
    [
        ({"start_date": "2026-11-17"}, ["b", "c", "d"]),
        ({"start_date": "2026-11-17T12:00:00Z"}, ["c", "d"]),
        ({"start_date": "2026-11-17T13:00:00.000+01:00"}, ["c", "d"]),
        ({"end_date": "2026-11-17"}, ["a"]),
        ({"end_date": "2026-11-17T12:00:00.001"}, ["a", "b", "c"]),
        ({"end_date": "2027-01-01"}, ["a", "b", "c", "d"]),
        ({"settle_seconds": 0}, ["a", "b", "c", "d", "e"]),
        ({"settle_seconds": 34 * 3_600}, ["a", "b"]),
    ],
)
def test_settings_say_from_when_until_when(
    portal: Portal, run_tap: TapRunner, settings: dict[str, Any], ids: list[str]
) -> None:
    midnight = 1_794_873_600_000  # of 2026-11-17
    for event_id, created in zip(
        "abcde", (midnight - 1, midnight, midnight + 12 * HOUR, SETTLED - 1, NOW_MS - 1), strict=True
    ):
        portal.add_event("OPEN", created, id=event_id)

    assert run_tap(**settings).ids() == ids


def test_filtered_events_come_unless_they_are_excluded(portal: Portal, run_tap: TapRunner) -> None:
    portal.add_event("OPEN", SETTLED - 2, id="person", filteredEvent=False)
    portal.add_event("OPEN", SETTLED - 1, id="bot", filteredEvent=True)

    assert run_tap().ids() == ["person", "bot"]
    assert run_tap(exclude_filtered_events=True).ids() == ["person"]


def test_only_selected_streams_are_asked_for(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    add_opens(portal, ["e1"])

    output = run_tap(catalog=selecting(OPEN, "email_event_click"))

    assert {message["stream"] for message in output.messages if message["type"] == "SCHEMA"} == {
        OPEN,
        "email_event_click",
    }
    assert output.ids() == ["e1"]
    assert hubspot.calls() == 2
    assert set(output.state["bookmarks"]) == {OPEN, "email_event_click"}


def test_only_selected_columns_come_and_the_key_always(portal: Portal, run_tap: TapRunner) -> None:
    add_opens(portal, ["e1"])
    catalog = selecting(OPEN)
    for column in ("recipient", "user_id", "browser"):
        deselect(catalog, OPEN, column)
    deselect(catalog, OPEN, "id")
    deselect(catalog, OPEN, "location", "zipcode")

    output = run_tap(catalog=catalog)

    (record,) = output.records(OPEN)
    (schema,) = [message["schema"] for message in output.messages if message["type"] == "SCHEMA"]
    assert record.keys() == schema["properties"].keys()
    assert record.keys() & {"recipient", "user_id", "browser", "id"} == {"id"}
    assert "zipcode" not in record["location"]
    assert record["city"] == "Lyon"


def test_a_catalog_of_an_older_version_gets_the_columns_it_knows(portal: Portal, run_tap: TapRunner) -> None:
    add_opens(portal, ["e1"])
    catalog = selecting(OPEN)
    for entry in catalog["streams"]:
        entry["schema"]["properties"].pop("event_name", None)

    assert "event_name" not in run_tap(catalog=catalog).records(OPEN)[0]


def test_stream_maps_and_flattening_work(portal: Portal, run_tap: TapRunner) -> None:
    add_opens(portal, ["e1"])

    output = run_tap(
        stream_maps={OPEN: {"__alias__": "opens", "shouted": "record['city'].upper()"}},
        flattening_enabled=True,
        flattening_max_depth=1,
    )

    (record,) = output.records("opens")
    assert record["shouted"] == "LYON"
    assert record["location__city"] == "Lyon"


def test_a_stream_map_can_leave_events_out_and_the_bookmark_moves_on(
    portal: Portal, run_tap: TapRunner
) -> None:
    add_opens(portal, ["e1", "e2"])

    output = run_tap(catalog=selecting(OPEN), stream_maps={OPEN: {"__filter__": "id == 'e2'"}})

    assert output.exit_code == 0
    assert [record["id"] for record in output.records(OPEN)] == ["e2"]
    unfiltered = run_tap(catalog=selecting(OPEN))
    assert (
        output.state["bookmarks"][OPEN]["replication_key_value"]
        == (unfiltered.state["bookmarks"][OPEN]["replication_key_value"])
    )


@pytest.mark.parametrize("depth", [1, 2])
def test_flattened_a_null_object_is_a_null_in_each_of_its_columns(
    portal: Portal, run_tap: TapRunner, depth: int
) -> None:
    portal.add_event("OPEN", SETTLED - 1, id="e1", browser=None, location=None, planet={"name": ["Earth"]})
    catalog = selecting(OPEN)
    deselect(catalog, OPEN, "location", "zipcode")

    output = run_tap(catalog=catalog, flattening_enabled=True, flattening_max_depth=depth)

    (record,) = output.records(OPEN)
    (declared,) = [message["schema"] for message in output.messages if message["type"] == "SCHEMA"]
    Draft202012Validator({**declared, "additionalProperties": False}).validate(record)
    assert record.keys() == declared["properties"].keys()
    assert (record["browser__name"], record["location__city"]) == (None, None)
    assert json.loads(record["extra"]) == {"planet": {"name": ["Earth"]}}


def test_the_run_ends_with_a_table(portal: Portal, run_tap: TapRunner) -> None:
    add_opens(portal, ids_of(3))

    lines = run_tap(catalog=selecting(OPEN)).log.splitlines()

    table = lines[lines.index("INFO Email events read:") + 1 :]
    assert table[:3] == [
        "INFO stream            windows  calls  events  span",
        "INFO email_event_open        1      1       3  2026-10-20T00:00:00.000Z to 2026-11-18T11:01:40.000Z",
        "INFO total                   1      1       3",
    ]


def test_oauth_works_as_well_as_a_token(portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner) -> None:
    add_opens(portal, ["e1"])
    oauth = hubspot.oauth

    output = run_tap(
        access_token=None,
        client_id=oauth.client_id,
        client_secret=oauth.client_secret,
        refresh_token=oauth.refresh_token,
    )

    assert output.ids() == ["e1"]
