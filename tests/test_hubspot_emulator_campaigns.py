"""Email campaigns as HubSpot documents them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.emulator_caller import calling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulator_caller import Caller

CAMPAIGNS = "/email/public/v1/campaigns"


@pytest.fixture
def call() -> Iterator[Caller]:
    with calling() as caller:
        yield caller


def test_all_campaigns_are_listed_page_by_page_each_once_and_in_no_order(call: Caller) -> None:
    for number in range(25):
        call.portal.add_campaign(number)

    pages = [call.ok("GET", f"{CAMPAIGNS}/by-id")]
    while pages[-1]["hasMore"]:
        pages.append(call.ok("GET", f"{CAMPAIGNS}/by-id", offset=pages[-1]["offset"]))

    ids = [campaign["id"] for page in pages for campaign in page["campaigns"]]
    assert [len(page["campaigns"]) for page in pages] == [10, 10, 5]
    assert sorted(ids) == list(range(25))
    assert ids != sorted(ids)


def test_a_time_is_told_of_recent_campaigns_and_they_have_a_list_of_their_own(call: Caller) -> None:
    call.portal.add_campaign(1, updated_ms=1_795_000_000_000)
    call.portal.add_campaign(2)

    everything = call.ok("GET", f"{CAMPAIGNS}/by-id")["campaigns"]

    recent = {"id": 1, "appId": 113, "appName": "Batch", "lastUpdatedTime": 1_795_000_000_000}
    assert sorted(everything, key=lambda each: int(each["id"])) == [
        recent,
        {"id": 2, "appId": 113, "appName": "Batch"},
    ]
    assert call.ok("GET", CAMPAIGNS)["campaigns"] == [recent]


def test_details_are_asked_for_by_id_and_app(call: Caller) -> None:
    call.portal.add_campaign(1, name="News")
    call.portal.add_campaign(1, app_id=7, name="Else")

    assert call.ok("GET", f"{CAMPAIGNS}/1", appId=113)["name"] == "News"
    assert call.ok("GET", f"{CAMPAIGNS}/1", appId=7)["name"] == "Else"
    assert call("GET", f"{CAMPAIGNS}/1", appId=8).status_code == 404
    assert call("GET", f"{CAMPAIGNS}/1").status_code == 400
    assert call("GET", f"{CAMPAIGNS}/x", appId=7).status_code == 400


def test_a_deleted_campaign_is_listed_and_not_found(call: Caller) -> None:
    call.portal.add_campaign(1)
    call.portal.delete_campaign(1)

    assert len(call.ok("GET", f"{CAMPAIGNS}/by-id")["campaigns"]) == 1
    assert call("GET", f"{CAMPAIGNS}/1", appId=113).status_code == 404


@pytest.mark.parametrize("offset", ["x", "eA=="])
def test_an_offset_of_no_page_is_refused(call: Caller, offset: str) -> None:
    assert call("GET", f"{CAMPAIGNS}/by-id", offset=offset).status_code == 400


def test_limits_and_scopes_are_as_for_events(call: Caller) -> None:
    assert call("GET", f"{CAMPAIGNS}/by-id", limit=1_001).status_code == 400
    assert call("GET", CAMPAIGNS, limit=0).status_code == 400


def test_a_campaign_changes(call: Caller) -> None:
    call.portal.add_campaign(1, updated_ms=5)
    call.portal.update_campaign(1, updated_ms=6, name="New")

    assert call.ok("GET", CAMPAIGNS)["campaigns"][0]["lastUpdatedTime"] == 6
    assert call.ok("GET", f"{CAMPAIGNS}/1", appId=113)["name"] == "New"
    with pytest.raises(KeyError):
        call.portal.update_campaign(2, updated_ms=6)
