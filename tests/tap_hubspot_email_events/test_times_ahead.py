"""No bookmark runs ahead of what was read, whatever an answer, a clock or a campaign says of the time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from tests.clocks import FakeClock
from tests.hubspot_emulator import HubSpotEmulator, Portal
from tests.tap_hubspot_email_events.catalogs import selecting
from tests.tap_hubspot_email_events.tap_runs import Warehouse, run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot_email_events.tap_runs import Ended

MINUTE, HOUR, DAY = 60, 3_600, 86_400  # seconds


@dataclass
class World:
    """HubSpot, its clock, and a machine whose clock may show something else."""

    clock: FakeClock = field(default_factory=FakeClock)  # 2026-03-20T09:46:40Z
    warehouse: Warehouse = field(default_factory=Warehouse)

    def __post_init__(self) -> None:
        self.portal = Portal(clock=self.clock.time)
        self.hubspot = HubSpotEmulator(self.portal)

    def run(self, stream: str, *, machine_behind: float = 0) -> Ended:
        """Run the tap on one stream, and load what it wrote."""
        config = {
            "api_url": self.hubspot.url,
            "access_token": self.hubspot.token,
            "start_date": "2026-03-18",
        }
        machine = FakeClock(now=self.clock.time() - machine_behind)
        ended = run_tap(config, machine, state=self.warehouse.state, catalog=selecting(stream))
        self.warehouse.load(ended)
        return ended

    def add_opens(self, *hours_from_now: float) -> None:
        for hours in hours_from_now:
            self.portal.add_event("OPEN", self.portal.now_ms() + int(hours * HOUR) * 1_000)

    def name_read_after_an_update(self, campaign_id: int) -> str:
        """Update a campaign a day later, run, and return its name in the warehouse; the update's name is "after"."""
        self.clock.sleep(DAY)
        self.portal.update_campaign(campaign_id, updated_ms=self.portal.now_ms() - HOUR * 1_000, name="after")
        self.run("email_campaigns")
        names = {row["id"]: row["name"] for row in self.warehouse.rows.values()}
        return str(names[campaign_id])


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    with made.hubspot:
        yield made


def test_an_answer_with_a_date_of_tomorrow_loses_no_event(world: World) -> None:
    world.add_opens(-4, -3, -2, -1)
    world.hubspot.faults.change(
        "GET",
        "/email/public/v1/events",
        lambda answer: replace(answer, headers={**answer.headers, "Date": "Sat, 21 Mar 2026 09:46:40 GMT"}),
    )

    first = world.run("email_event_open")
    world.clock.sleep(2 * DAY)
    world.add_opens(*range(-47, -36))
    world.run("email_event_open")

    assert len(world.warehouse.rows) == 15
    assert "dated 2026-03-21T09:46:40.000Z and 2026-03-20T09:46:40.000Z (header Date)" in first.log


def test_a_machine_whose_clock_is_some_minutes_behind_reads_up_to_hubspots_time(world: World) -> None:
    world.add_opens(-2, -0.2)

    ended = world.run("email_event_open", machine_behind=30 * MINUTE)

    assert len(world.warehouse.rows) == 2
    assert "header Date" not in ended.log


def test_a_machine_whose_clock_is_days_behind_reads_up_to_hubspots_time_and_is_told(world: World) -> None:
    world.add_opens(-30, -2)

    ended = world.run("email_event_open", machine_behind=DAY)

    assert len(world.warehouse.rows) == 2
    assert "the clock of this machine shows 2026-03-19T09:46:40.000Z" in ended.log


def test_a_campaign_with_an_update_in_the_far_future_hides_no_update_of_another(world: World) -> None:
    now = world.portal.now_ms()
    world.portal.add_campaign(1, updated_ms=now + 10 * 365 * DAY * 1_000)
    world.portal.add_campaign(2, updated_ms=now - 5 * HOUR * 1_000, name="before")
    world.run("email_campaigns")

    assert world.name_read_after_an_update(2) == "after"


def test_a_state_that_believed_an_update_in_the_future_does_no_more(world: World) -> None:
    now = world.portal.now_ms()
    world.portal.add_campaign(2, updated_ms=now - 5 * HOUR * 1_000, name="before")
    world.run("email_campaigns")
    assert world.warehouse.state is not None
    world.warehouse.state["bookmarks"]["email_campaigns"]["replication_key_value"] = (
        "2036-01-01T00:00:00.000Z"
    )
    world.run("email_campaigns")

    assert world.name_read_after_an_update(2) == "after"
