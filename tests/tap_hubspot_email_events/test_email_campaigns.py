"""The stream of email campaigns, from the portal to standard output."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from hubspot_singer.http import Connection, HubSpotClient
from tap_hubspot_email_events.campaign_pages import read_listing
from tests.tap_hubspot_email_events.catalogs import selecting
from tests.tap_hubspot_email_events.singer import (
    CAMPAIGNS,
    DAY,
    HOUR,
    MINUTE,
    NOW_MS,
    SETTLED,
    STREAMS,
)

if TYPE_CHECKING:
    from tests.hubspot_emulator import HubSpotEmulator, Portal, StoppedClock
    from tests.tap_hubspot_email_events.conftest import TapRunner
    from tests.tap_hubspot_email_events.singer import (
        Output,
    )

PATH = "/email/public/v1/campaigns"
ONLY = selecting(CAMPAIGNS)


def ids(output: Output) -> list[int]:
    return sorted(record["id"] for record in output.records(CAMPAIGNS))


def details_read(hubspot: HubSpotEmulator) -> int:
    return hubspot.calls(path_contains="?appId=")


def test_a_campaign_comes_by_name_with_hubspots_counters(portal: Portal, run_tap: TapRunner) -> None:
    portal.add_campaign(
        7, updated_ms=NOW_MS - DAY, typical=False, name="News", counters={"open": 3}, mood="good"
    )

    (record,) = run_tap().records(CAMPAIGNS)

    counters = record.pop("counters")
    assert {name: value for name, value in counters.items() if value is not None} == {"open": 3}
    assert record == {
        "id": 7,
        "app_id": 113,
        "portal_id": portal.portal_id,
        "app_name": "Batch",
        "name": "News",
        "subject": None,
        "type": None,
        "sub_type": None,
        "content_id": None,
        "num_included": None,
        "num_queued": None,
        "last_updated_time": "2026-11-17T11:06:40.000Z",
        "extra": {"mood": "good"},
    }


def test_campaigns_are_read_after_the_events_that_are_part_of_them(
    portal: Portal, run_tap: TapRunner
) -> None:
    portal.add_campaign(7)
    portal.add_event("STATUSCHANGE", SETTLED - 1)

    streams = [each["stream"] for each in run_tap().messages if each["type"] == "RECORD"]

    assert streams == ["email_event_status_change", CAMPAIGNS]


def test_what_has_not_changed_is_not_read_again(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    portal.add_campaign(1, updated_ms=NOW_MS - MINUTE)
    portal.add_campaign(2)
    first = run_tap()
    before = hubspot.calls(path_contains=PATH)

    second = run_tap(state=first.state)

    assert (ids(first), ids(second)) == ([1, 2], [])
    assert hubspot.calls(path_contains=PATH) - before == 2
    assert second.state["bookmarks"][CAMPAIGNS] == first.state["bookmarks"][CAMPAIGNS]


def test_a_campaign_that_was_updated_comes_again(
    portal: Portal, clock: StoppedClock, run_tap: TapRunner
) -> None:
    portal.add_campaign(1, updated_ms=NOW_MS - DAY)
    portal.add_campaign(2, updated_ms=NOW_MS - DAY)
    first = run_tap(catalog=ONLY)
    clock.advance(600)
    portal.update_campaign(2, updated_ms=NOW_MS + MINUTE, name="New name")

    second = run_tap(catalog=ONLY, state=first.state)

    assert [record["name"] for record in second.records(CAMPAIGNS)] == ["New name"]
    assert second.bookmark(CAMPAIGNS)["replication_key_value"] == "2026-11-18T11:07:40.000Z"


def test_an_update_that_hubspot_lists_late_comes_within_the_lookback(
    portal: Portal, run_tap: TapRunner
) -> None:
    portal.add_campaign(1, updated_ms=NOW_MS - MINUTE)
    portal.add_campaign(2, updated_ms=NOW_MS - DAY)
    first = run_tap(catalog=ONLY)
    portal.update_campaign(2, updated_ms=NOW_MS - HOUR)

    second = run_tap(catalog=ONLY, state=first.state)
    third = run_tap(catalog=ONLY, state=second.state)

    assert (ids(second), ids(third)) == ([2], [])


def test_of_campaigns_without_a_time_those_of_new_events_and_young_ones_are_read_again(
    portal: Portal, clock: StoppedClock, run_tap: TapRunner
) -> None:
    portal.add_campaign(1)
    portal.add_campaign(2)
    state = run_tap().state
    portal.add_event("OPEN", SETTLED + 1, emailCampaignId=2)
    portal.add_campaign(3)
    clock.advance(600)
    second = run_tap(state=state)
    clock.advance(20 * DAY / 1000)
    third = run_tap(state=second.state)
    clock.advance(20 * DAY / 1000)
    fourth = run_tap(state=third.state)

    assert [ids(each) for each in (second, third, fourth)] == [[2, 3], [3], []]


def test_events_that_name_their_campaign_in_text_have_it_read_again(
    portal: Portal, hubspot: HubSpotEmulator, clock: StoppedClock, run_tap: TapRunner
) -> None:
    portal.add_campaign(7)
    state = run_tap().state
    event = {"id": "e1", "created": SETTLED + 1, "emailCampaignId": "7", "appId": "113"}
    hubspot.faults.next("GET", "eventType=OPEN", status=200, body={"hasMore": False, "events": [event]})
    clock.advance(600)

    second = run_tap(state=state)

    assert (second.ids("email_event_open"), ids(second)) == (["e1"], [7])


def test_a_thousand_are_read_in_a_run_and_the_rest_in_the_next_ones(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    for number in range(1_100):
        portal.add_campaign(number, updated_ms=NOW_MS - number * MINUTE if number % 2 else None)
    portal.add_event("OPEN", SETTLED - 1, emailCampaignId=4)

    first = run_tap()
    read = details_read(hubspot)
    second = run_tap(state=first.state)
    third = run_tap(state=second.state)

    assert (read, len(ids(first)), len(ids(second)), len(ids(third))) == (1_000, 1_000, 100, 0)
    assert first.records(CAMPAIGNS)[0]["id"] == 4
    assert set(ids(first)) | set(ids(second)) == set(range(1_100))
    assert "100 left for the next run" in first.log


def test_the_bookmark_stays_before_updates_that_were_left(portal: Portal, run_tap: TapRunner) -> None:
    for number in range(1_002):
        portal.add_campaign(number, updated_ms=NOW_MS - (number + 1) * HOUR)

    first = run_tap(catalog=ONLY)
    second = run_tap(catalog=ONLY, state=first.state)

    assert first.bookmark(CAMPAIGNS)["replication_key_value"] < "2026-10-08"
    assert second.bookmark(CAMPAIGNS)["replication_key_value"] == "2026-11-18T10:06:40.000Z"
    assert set(ids(first)) | set(ids(second)) == set(range(1_002))


def test_a_campaign_that_is_gone_is_passed_over_and_not_asked_for_again(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    portal.add_campaign(1)
    portal.add_campaign(2)
    portal.delete_campaign(1)
    first = run_tap(catalog=ONLY)
    before = details_read(hubspot)

    second = run_tap(catalog=ONLY, state=first.state)

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert ids(first) == [2]
    assert details_read(hubspot) == before


def test_where_every_campaign_is_gone_it_is_not_believed(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    for number in range(30):
        portal.add_campaign(number)
    hubspot.faults.next("GET", "?appId=", status=404, times=30)

    first = run_tap(catalog=ONLY)
    second = run_tap(catalog=ONLY, state=first.state)

    assert (first.exit_code, second.exit_code) == (1, 0)
    assert ids(second) == list(range(30))


def test_the_same_id_of_two_apps_is_two_campaigns(portal: Portal, run_tap: TapRunner) -> None:
    portal.add_campaign(1, name="One")
    portal.add_campaign(1, app_id=7, name="Other")

    records = run_tap(catalog=ONLY).records(CAMPAIGNS)

    assert {(each["id"], each["app_id"], each["name"]) for each in records} == {
        (1, 113, "One"),
        (1, 7, "Other"),
    }


def test_lists_of_several_pages_are_read_to_their_end(portal: Portal, run_tap: TapRunner) -> None:
    for number in range(1_300):
        portal.add_campaign(number, updated_ms=number if number % 2 else None)

    assert "Email campaigns: 1300 listed" in run_tap(catalog=ONLY).log


def test_one_campaign_that_cannot_be_read_costs_one_campaign(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    for number in range(3):
        portal.add_campaign(number, updated_ms=NOW_MS - number * DAY)
    hubspot.faults.next("GET", "/campaigns/1?", status=400, times=1)

    first = run_tap(catalog=ONLY)
    second = run_tap(catalog=ONLY, state=first.state)

    assert (first.exit_code, ids(first)) == (1, [0, 2])
    assert (
        "email_campaigns: 1 campaign could not be read, and the next run asks for them again"
        in first.last_words
    )
    assert (second.exit_code, ids(second)) == (0, [1])


def test_campaigns_that_hubspot_refuses_cost_one_stream(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    portal.add_event("OPEN", SETTLED - 1, id="e1")
    hubspot.faults.next("GET", PATH, status=403, times=None)

    output = run_tap()

    assert output.exit_code == 1
    assert output.ids() == ["e1"]
    assert output.last_words.startswith(
        "email_campaigns: GET /email/public/v1/campaigns/by-id was answered 403"
    )
    assert output.bookmark()["replication_key_value"] == "2026-11-18T11:01:40.000Z"


def test_what_was_read_before_a_failure_is_kept(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    for number in range(30):
        portal.add_campaign(number)
    hubspot.faults.next("GET", "?appId=", status=403, after=12, times=None)

    first = run_tap(catalog=ONLY)
    hubspot.faults.clear()
    second = run_tap(catalog=ONLY, state=first.state)

    assert (first.exit_code, second.exit_code) == (1, 0)
    assert len(ids(first)) >= 1
    assert sorted([*ids(first), *ids(second)]) == list(range(30))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/by-id", {"hasMore": True, "campaigns": [{"id": 1, "appId": 113}]}),
        ("/by-id", {"hasMore": True, "offset": "same", "campaigns": [{"id": "1.0", "appId": "113"}]}),
    ],
)
def test_pages_that_give_no_way_on_bring_what_they_hold_and_a_warning(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner, path: str, body: dict[str, Any]
) -> None:
    portal.add_campaign(1)
    hubspot.faults.next("GET", f"{PATH}{path}", status=200, body=body, times=None)

    output = run_tap(catalog=ONLY)

    assert (output.exit_code, ids(output)) == (0, [1])
    assert (
        "there are more email campaigns (/email/public/v1/campaigns/by-id), but not where they are"
        in output.log
    )


def test_a_list_that_breaks_off_leaves_no_update_behind_the_bookmark(
    portal: Portal, hubspot: HubSpotEmulator, clock: StoppedClock, run_tap: TapRunner
) -> None:
    portal.add_campaign(1, updated_ms=SETTLED - 2 * DAY)
    first = run_tap(catalog=ONLY)
    clock.advance(DAY / 1000)
    portal.update_campaign(1, updated_ms=SETTLED + 1)
    recent = {"id": 2, "appId": 113, "lastUpdatedTime": SETTLED + DAY}
    portal.add_campaign(2, updated_ms=SETTLED + DAY)
    hubspot.faults.next("GET", "/campaigns?", status=200, body={"hasMore": True, "campaigns": [recent]})
    hubspot.faults.next("GET", "/campaigns/by-id", status=200, body={"hasMore": True, "campaigns": [recent]})
    second = run_tap(state=first.state, catalog=ONLY)
    third = run_tap(state=second.state, catalog=ONLY)

    assert [ids(each) for each in (first, second, third)] == [[1], [2], [1]]


def test_an_offset_that_expired_begins_the_list_anew(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    for number in range(700):
        portal.add_campaign(number)
    hubspot.faults.next("GET", "by-id?limit=500&offset", status=400)

    output = run_tap(catalog=ONLY)

    assert (output.exit_code, len(ids(output))) == (0, 700)


def test_a_list_whose_offsets_are_always_refused_costs_one_stream(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    for number in range(700):
        portal.add_campaign(number)
    portal.add_events("OPEN", [SETTLED - 1])
    hubspot.faults.next("GET", "by-id?limit=500&offset", status=400, times=None)

    output = run_tap()

    assert output.exit_code == 1
    assert output.last_words.startswith(
        "email_campaigns: GET /email/public/v1/campaigns/by-id was answered 400"
    )
    assert ids(output) == []
    assert len(output.records("email_event_open")) == 1
    assert hubspot.calls("GET", "by-id?limit=500&offset") == 3


def test_an_offset_that_expired_behind_many_pages_loses_none_of_them(
    portal: Portal, hubspot: HubSpotEmulator
) -> None:
    for number in range(6_000):
        portal.add_campaign(number)
    hubspot.faults.next("GET", "by-id?limit=500&offset", status=400, after=10)
    connection = Connection.from_settings({"api_url": hubspot.url, "access_token": hubspot.token})

    with HubSpotClient(connection) as client:
        listing = read_listing(client)

    assert len(listing.campaigns) == 6_000


@pytest.mark.parametrize("body", [{}, {"campaigns": None, "hasMore": False}, {"campaigns": []}, [], 5])
def test_what_is_no_list_of_campaigns_is_an_error_and_never_an_empty_one(
    hubspot: HubSpotEmulator, run_tap: TapRunner, body: Any
) -> None:
    hubspot.faults.next("GET", PATH, status=200, body=body)

    output = run_tap(catalog=ONLY)

    assert output.exit_code == 1
    assert "email_campaigns: HubSpot's email campaigns (/email/public/v1/campaigns/by-id) cannot be read" in (
        output.last_words
    )


def test_an_entry_that_names_no_campaign_costs_one_campaign(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    portal.add_campaign(1)
    entries = [{"id": 1, "appId": 113}, {"id": 2}, {"appId": 3}, None, {"id": "x", "appId": 1}]
    body = {"hasMore": False, "campaigns": entries}
    hubspot.faults.next("GET", f"{PATH}/by-id", status=200, body=body)

    output = run_tap(catalog=ONLY)

    assert (output.exit_code, ids(output)) == (1, [1])
    assert (
        "email_campaigns: 4 campaigns without an id or an app id could not be passed on" in output.last_words
    )


@pytest.mark.parametrize(
    "state",
    [
        {"version": 1, "read": {"113": "?"}},
        {"version": 1, "read": "x"},
        {"version": 1, "replication_key_value": "yesterday"},
        {"version": 1, "remembered": "?"},
        {"version": 1, "young": {"2026-11-18": 3}},
    ],
)
def test_a_state_that_cannot_be_read_is_an_error_and_never_a_new_start(
    portal: Portal, run_tap: TapRunner, state: dict[str, Any]
) -> None:
    portal.add_campaign(1)

    output = run_tap(catalog=ONLY, state={"bookmarks": {CAMPAIGNS: state}})

    assert (output.exit_code, ids(output)) == (1, [])
    assert output.last_words.startswith("The state of email_campaigns cannot be read")


def test_a_state_of_events_alone_as_versions_before_wrote_it_reads_all_campaigns(
    portal: Portal, run_tap: TapRunner
) -> None:
    portal.add_campaign(1)
    state = run_tap(catalog=selecting(*STREAMS)).state

    assert ids(run_tap(state=state)) == [1]


def test_ten_thousand_campaigns_take_little_room_in_the_state(portal: Portal, run_tap: TapRunner) -> None:
    for number in range(900):
        portal.add_campaign(310_000_000 + number * 80_021)

    packed = run_tap(catalog=ONLY).bookmark(CAMPAIGNS)["read"]["113"]

    assert len(packed) < 900 * 5


def test_nul_in_a_name_is_replaced(portal: Portal, run_tap: TapRunner) -> None:
    portal.add_campaign(1, name="a\0b")

    assert run_tap(catalog=ONLY).records(CAMPAIGNS)[0]["name"] == "a\ufffdb"


def test_a_portal_that_hubspot_does_not_tell_is_null(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    portal.add_campaign(1)
    hubspot.faults.next("GET", "/account-info", status=403, times=None)

    output = run_tap(catalog=ONLY)

    assert (output.exit_code, output.records(CAMPAIGNS)[0]["portal_id"]) == (0, None)


def test_odd_values_of_a_campaign_cost_that_value_and_are_in_extra(
    portal: Portal, run_tap: TapRunner
) -> None:
    portal.add_campaign(2**63 - 1, counters="many", subject=5, type=["a"], contentId="x")

    (record,) = run_tap(catalog=ONLY).records(CAMPAIGNS)

    assert (record["counters"], record["subject"], record["type"], record["content_id"]) == (
        None,
        "5",
        '["a"]',
        None,
    )
    assert record["extra"] == {"counters": "many", "contentId": "x"}


def test_numbers_written_in_other_ways_name_a_campaign_too(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    portal.add_campaign(310)
    entry = {"id": "310.0", "appId": 113.0, "lastUpdatedTime": "1.7E12"}
    hubspot.faults.next("GET", "/by-id", status=200, body={"hasMore": "false", "campaigns": [entry]})

    (record,) = run_tap(catalog=ONLY).records(CAMPAIGNS)

    assert (record["id"], record["last_updated_time"]) == (310, "2023-11-14T22:13:20.000Z")


def test_maps_and_flattening_work_for_campaigns(portal: Portal, run_tap: TapRunner) -> None:
    portal.add_campaign(1, counters=None)
    maps = {CAMPAIGNS: {"title": "name.upper()"}}

    (record,) = run_tap(stream_maps=maps, flattening_enabled=True, flattening_max_depth=1).records(CAMPAIGNS)

    assert (record["title"], record["counters__open"]) == ("NOVEMBER NOTES", None)


def test_without_events_selected_the_state_has_the_campaigns_alone(
    portal: Portal, run_tap: TapRunner
) -> None:
    portal.add_campaign(1)
    selected = [{"breadcrumb": [], "metadata": {"selected": True}}]

    output = run_tap(catalog={"streams": [{"stream": CAMPAIGNS, "metadata": selected}]})

    assert ids(output) == [1]
    assert list(output.state["bookmarks"]) == [CAMPAIGNS]


def test_a_signal_ends_the_reading_and_the_next_run_brings_the_rest(
    portal: Portal, hubspot: HubSpotEmulator, run_tap: TapRunner
) -> None:
    for number in range(40):
        portal.add_campaign(number)
    hubspot.faults.call("GET", "?appId=", after=12, function=lambda: os.kill(os.getpid(), signal.SIGTERM))

    first = run_tap(catalog=ONLY)
    second = run_tap(catalog=ONLY, state=first.state)

    assert first.exit_code == 128 + signal.SIGTERM
    assert len(ids(first)) < 40
    assert sorted({*ids(first), *ids(second)}) == list(range(40))
    assert second.exit_code == 0
