"""Email events as HubSpot documents them, or as they were seen to be."""

from __future__ import annotations

import json
from array import array
from itertools import chain
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.emulator_caller import EVENTS, NOW, calling
from tests.hubspot_emulator import ALL_SCOPES, HubSpotEmulator, Portal, StoppedClock
from tests.hubspot_emulator.events import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulator_caller import Caller, QueryValue

START = 1_790_000_000_000


@pytest.fixture
def call() -> Iterator[Caller]:
    with calling() as caller:
        yield caller


def times(page: dict[str, list[dict[str, int]]]) -> list[int]:
    return [event["created"] - START for event in page["events"]]


def read_all(call: Caller, **query: QueryValue) -> list[dict[str, object]]:
    events: list[dict[str, object]] = []
    page = call.ok("GET", EVENTS, **query)
    while page["hasMore"]:
        events += page["events"]
        page = call.ok("GET", EVENTS, **query, offset=page["offset"])
    return events + list(page["events"])


def test_events_come_newest_first_and_both_bounds_are_inclusive(call: Caller) -> None:
    for created in (3, 1, 4, 2, 5):
        call.portal.add_event("OPEN", START + created)

    page = call.ok("GET", EVENTS, startTimestamp=START + 2, endTimestamp=START + 4)

    assert times(page) == [4, 3, 2]
    assert page["hasMore"] is False
    assert isinstance(page["offset"], str)


def test_an_event_is_known_by_its_id_and_time(call: Caller) -> None:
    sent = call.portal.add_event("SENT", START)
    call.portal.add_event("OPEN", START, sentBy=sent)
    call.portal.add_events("OPEN", [START])

    opened, alike = call.ok("GET", EVENTS, eventType="OPEN")["events"]

    assert {opened["id"], alike["id"]} != {sent["id"]}
    assert alike["sentBy"] == sent
    assert call.ok("GET", f"{EVENTS}/{START}/{sent['id']}")["type"] == "SENT"
    assert call.ok("GET", f"{EVENTS}/{START}/{opened['id']}") == opened
    assert call("GET", f"{EVENTS}/{START + 1}/{sent['id']}").status_code == 404


def test_the_default_page_holds_ten_and_the_largest_a_thousand(call: Caller) -> None:
    call.portal.add_events("OPEN", range(START, START + 1_500))

    assert len(call.ok("GET", EVENTS)["events"]) == 10
    assert len(call.ok("GET", EVENTS, limit=1000)["events"]) == 1_000
    assert call("GET", EVENTS, limit=1001).status_code == 400


def test_pages_neither_repeat_nor_miss_an_event_even_within_one_millisecond(call: Caller) -> None:
    call.portal.add_events("OPEN", [START] * 25)
    call.portal.add_events("OPEN", array("q", [START] * 5 + [START + 1] * 5))
    for created in (0, 0, 1):
        call.portal.add_event("OPEN", START + created)

    events = read_all(call, eventType="OPEN", limit=7)

    assert len(events) == len({str(event["id"]) for event in events}) == 38


@given(
    st.lists(st.lists(st.integers(0, 20)), max_size=4),
    st.lists(st.integers(0, 20)),
    st.integers(1, 7),
    st.integers(0, 20),
)
def test_paging_gives_each_event_of_the_span_once_in_order(
    series: list[list[int]], singles: list[int], limit: int, start: int
) -> None:
    portal = Portal(clock=lambda: NOW)
    for created in series:
        portal.add_events("OPEN", sorted(created))
    for created_ms in singles:
        portal.add_event("CLICK", created_ms)

    texts, position = portal.events.page(Wanted(start, 18), None, limit)
    while position is not None:
        page, position = portal.events.page(Wanted(start, 18), position, limit)
        texts += page

    events = [json.loads(text) for text in texts]
    expected = sorted((each for each in [*chain(*series), *singles] if start <= each <= 18), reverse=True)
    assert [event["created"] for event in events] == expected
    assert len({event["id"] for event in events}) == len(events)


def test_one_type_may_be_asked_for_but_not_a_list_of_them(call: Caller) -> None:
    call.portal.add_event("OPEN", START)
    call.portal.add_event("CLICK", START + 1)
    call.portal.add_events("BOUNCE", range(START + 2, START + 4))

    refused = call("GET", EVENTS, eventType="OPEN,CLICK")

    assert times(call.ok("GET", EVENTS)) == [3, 2, 1, 0]
    assert times(call.ok("GET", EVENTS, eventType="CLICK")) == [1]
    assert call("GET", EVENTS, eventType="open").status_code == 400
    assert refused.status_code == 400
    assert "not one of [DROPPED, UNBOUNCE," in refused.json()["message"]


def test_events_are_filtered_by_recipient_campaign_app_and_bots(call: Caller) -> None:
    call.portal.add_event("OPEN", START, recipient="bob@example.com")
    call.portal.add_event("OPEN", START + 1, emailCampaignId=7, appId=8)
    call.portal.add_event("OPEN", START + 2, filteredEvent=True)
    call.portal.add_events("OPEN", [START + 3], lambda _: {"recipient": "bob@example.com"})

    assert times(call.ok("GET", EVENTS, recipient="bob@example.com")) == [3, 0]
    assert times(call.ok("GET", EVENTS, campaignId=7, appId=8)) == [1]
    assert times(call.ok("GET", EVENTS, excludeFilteredEvents="true")) == [3, 1, 0]


def test_an_offset_goes_on_with_its_own_query_only(call: Caller) -> None:
    call.portal.add_events("OPEN", range(START, START + 30))
    offset = call.ok("GET", EVENTS, eventType="OPEN")["offset"]

    assert times(call.ok("GET", EVENTS, eventType="OPEN", limit=2, offset=offset)) == [19, 18]
    assert call("GET", EVENTS, offset=offset).status_code == 400
    assert call("GET", EVENTS, eventType="OPEN", offset="abc").status_code == 400


def test_an_offset_does_not_live_for_ever(call: Caller) -> None:
    call.portal.add_events("OPEN", range(START, START + 30))
    first, second = (call.ok("GET", EVENTS)["offset"] for _ in range(2))

    call.portal.expire_offsets()
    expired = call("GET", EVENTS, offset=first)
    third = call.ok("GET", EVENTS)["offset"]
    assert isinstance(call.portal.clock, StoppedClock)
    call.portal.clock.advance(3601)

    assert expired.status_code == 400
    assert call("GET", EVENTS, offset=second).status_code == 400
    assert call("GET", EVENTS, offset=third).status_code == 400


def test_a_page_may_say_more_and_give_no_offset(call: Caller) -> None:
    call.portal.add_events("OPEN", range(START, START + 30))
    call.portal.quirks.pages_without_offset = 1

    first, second = (call.ok("GET", EVENTS) for _ in range(2))

    assert (first["hasMore"], "offset" in first) == (True, False)
    assert "offset" in second


def test_late_events_turn_up_after_some_requests_or_at_a_time(call: Caller) -> None:
    call.portal.add_event("OPEN", START, visible_after_requests=2)
    call.portal.add_event("OPEN", START + 1, visible_from=NOW + 60)

    seen = [times(call.ok("GET", EVENTS)) for _ in range(3)]
    assert isinstance(call.portal.clock, StoppedClock)
    call.portal.clock.advance(60)

    assert seen == [[], [], [0]]
    assert times(call.ok("GET", EVENTS)) == [1, 0]


def test_an_event_may_change_after_it_was_read(call: Caller) -> None:
    opened = call.portal.add_event("OPEN", START)
    before = call.ok("GET", EVENTS)["events"][0]

    call.portal.update_event(str(opened["id"]), obsoletedBy=opened)

    assert call.ok("GET", EVENTS)["events"][0] == before | {"obsoletedBy": opened}


def test_an_unbounce_says_no_type(call: Caller) -> None:
    call.portal.add_event("UNBOUNCE", START)

    assert "type" not in call.ok("GET", EVENTS, eventType="UNBOUNCE")["events"][0]


def test_the_start_of_time_is_a_500(call: Caller) -> None:
    assert call("GET", EVENTS, startTimestamp=0).status_code == 500
    assert call("GET", EVENTS, startTimestamp=1000).status_code == 200
    assert call("GET", EVENTS, startTimestamp=-1).status_code == 400


def test_events_need_the_scope_content() -> None:
    with HubSpotEmulator(tokens={"pat-test": ALL_SCOPES - {"content"}}) as hubspot, calling() as call:
        call.hubspot = hubspot
        call.use("pat-test")

        assert call("GET", EVENTS).status_code == 403


def test_a_million_events_are_read_a_page_at_a_time(call: Caller) -> None:
    call.portal.add_events("OPEN", range(START, START + 1_000_000), lambda index: {"linkId": index})

    window = call.ok("GET", EVENTS, startTimestamp=START + 500_000, endTimestamp=START + 500_999, limit=1000)

    assert [event["linkId"] for event in window["events"]] == list(range(500_999, 499_999, -1))
    assert window["hasMore"] is False
