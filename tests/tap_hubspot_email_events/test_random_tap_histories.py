"""Random histories: events that come late or change, runs that are killed or disturbed, and windows that are cut.

After each history and a run that nothing disturbs, a warehouse has every event as HubSpot has it. Each history is made
from the choices of hypothesis, which cuts down what goes wrong. RANDOM_HISTORIES=2000 tries that many, other ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.clocks import FakeClock
from tests.hubspot_emulator import HubSpotEmulator, Portal
from tests.tap_hubspot_email_events.catalogs import selecting
from tests.tap_hubspot_email_events.tap_runs import Warehouse, run_tap

if TYPE_CHECKING:
    from tests.tap_hubspot_email_events.tap_runs import Ended

HISTORIES = int(os.environ.get("RANDOM_HISTORIES", "40"))
LOOKBACK, SETTLE = 600, 60  # seconds
STREAMS = {
    "email_event_open": "OPEN",
    "email_event_bounce": "BOUNCE",
    "email_event_other": "REPLY",
}
CAMPAIGNS = "email_campaigns"
CATALOG = selecting(*STREAMS, CAMPAIGNS)
PATHS = {
    "events": "/email/public/v1/events",
    "opens": "eventType=OPEN",
    "campaigns": "/email/public/v1/campaigns",
    "details": "?appId=",
    "account": "/account-info",
}
FAULTS = ("reset", "truncate", "500", "502", "400", "403", "429", "garbled")


@dataclass
class World:
    """A portal, a warehouse that the tap fills, and what it must come to hold."""

    clock: FakeClock = field(default_factory=FakeClock)
    warehouse: Warehouse = field(default_factory=Warehouse)
    wanted: dict[tuple[str, object], str] = field(default_factory=dict)
    moments: dict[str, int] = field(default_factory=dict)
    count: int = 0
    last: Ended = field(init=False)

    def __post_init__(self) -> None:
        self.portal = Portal(clock=self.clock.time)
        self.hubspot = HubSpotEmulator(self.portal)

    @property
    def now_ms(self) -> int:
        return int(self.clock.time() * 1000)

    def add(self, stream: str, created: int, count: int, apart: int) -> None:
        for number in range(count):
            self.count += 1
            moment = min(created + number * apart, self.now_ms)
            event_id = f"e{self.count:05}"
            self.portal.add_event(STREAMS[stream], moment, id=event_id, smtpId="first")
            self.wanted[stream, event_id] = "first"
            self.moments[event_id] = moment

    def change(self, number: int) -> None:
        """Change an event that is still in the lookback."""
        since = self.now_ms - 1000 * (LOOKBACK + SETTLE)
        recent = [key for key in self.wanted if self.moments.get(str(key[1]), 0) >= since]
        if recent:
            self.count += 1
            key = recent[number % len(recent)]
            self.portal.update_event(str(key[1]), smtpId=f"changed{self.count}")
            self.wanted[key] = f"changed{self.count}"

    def campaign(self, number: int, *, timed: bool) -> None:
        self.count += 1
        # No two updates within a millisecond: HubSpot tells them apart by their time alone.
        updated = self.now_ms + self.count if timed else None
        name = f"name{self.count}"
        if self.portal.campaigns.get((number, 113)) is None:
            self.portal.add_campaign(number, updated_ms=updated, name=name)
            self.wanted[CAMPAIGNS, number] = name
        elif timed:  # of a change without a time nobody knows
            self.portal.update_campaign(number, updated_ms=updated, name=name)
            self.wanted[CAMPAIGNS, number] = name

    def run(self, *, kill_after: float | None = None, workers: int = 8) -> None:
        """Run the tap; killed, if at all, after this share of its messages."""
        config = {
            "api_url": self.hubspot.url,
            "access_token": self.hubspot.token,
            "start_date": "2026-03-19",
            "lookback_seconds": LOOKBACK,
            "settle_seconds": SETTLE,
            "max_concurrency": workers,
        }
        ended = run_tap(config, self.clock, state=self.warehouse.state, catalog=CATALOG)
        assert ended.crash is None, ended.crash
        assert ended.exit_code in {0, 1}
        if kill_after is not None:
            ended = ended.cut(int(len(ended.messages) * kill_after))
        self.warehouse.load(ended)
        self.last = ended

    def differences(self) -> dict[tuple[str, object], tuple[str, object]]:
        """Return what the warehouse does not have, or has otherwise."""
        rows = {
            (stream, record["id"]): record["name" if stream == CAMPAIGNS else "smtp_id"]
            for (stream, *_), record in self.warehouse.rows.items()
        }
        return {key: (value, rows.get(key)) for key, value in self.wanted.items() if rows.get(key) != value}

    def events_of_last_run(self) -> list[dict[str, Any]]:
        records = [each for each in self.last.messages if each["type"] == "RECORD"]
        return [each["record"] for each in records if each["stream"] != CAMPAIGNS]


Step = Callable[[World], None]


def _strike(world: World, fault: str, path: str, times: int | None, after: int) -> None:
    faults, where = world.hubspot.faults, PATHS[path]
    if fault == "reset":
        faults.reset("GET", where, times=times, after=after)
    elif fault == "truncate":
        faults.truncate("GET", where, times=times, after=after)
    elif fault == "garbled":
        faults.next("GET", where, status=200, body={"hasMore": "perhaps"}, times=times, after=after)
    else:
        faults.next("GET", where, status=int(fault), times=times, after=after)


def added(stream: str, many: tuple[int, int]) -> Step:
    return lambda world: world.add(stream, world.now_ms - 40_000, *many)


def late(stream: str, seconds: int, count: int) -> Step:
    return lambda world: world.add(stream, world.now_ms - seconds * 1000, count, 1)


def changed(number: int) -> Step:
    return lambda world: world.change(number)


def campaign(number: int, timed: bool) -> Step:  # noqa: FBT001
    return lambda world: world.campaign(number, timed=timed)


def time_passed(seconds: int) -> Step:
    return lambda world: world.clock.sleep(seconds)


def run(workers: int) -> Step:
    return lambda world: world.run(workers=workers)


def killed(share: float) -> Step:
    return lambda world: world.run(kill_after=share)


def disturbed(fault: str, path: str, times: int | None, after: int, workers: int) -> Step:
    def step(world: World) -> None:
        _strike(world, fault, path, times, after)
        world.run(workers=workers)
        world.hubspot.faults.clear()

    return step


def switched(quirk: tuple[str, object]) -> Step:
    def step(world: World) -> None:
        setattr(world.portal.quirks, *quirk)
        world.portal.expire_offsets()

    return step


OF_EVENTS = st.sampled_from(list(STREAMS))
WORKERS = st.sampled_from([1, 8])
QUIRKS = (
    ("event_end_is_inclusive", False),
    ("event_end_is_inclusive", True),
    ("widest_event_window", 3_600_000),
    ("widest_event_window", None),
    ("pages_without_offset", 2),
)
CHANGES = st.one_of(
    st.builds(added, OF_EVENTS, st.sampled_from([(1, 0), (3, 7), (40, 100), (1_200, 0), (2_500, 20)])),
    st.builds(
        late, OF_EVENTS, st.sampled_from([1, SETTLE, 300, LOOKBACK, LOOKBACK + SETTLE]), st.integers(1, 40)
    ),
    st.builds(changed, st.integers(0, 20)),
    st.builds(campaign, st.integers(0, 20), st.booleans()),
    st.builds(time_passed, st.sampled_from([1, 30, SETTLE, LOOKBACK, 7_200])),
    st.builds(switched, st.sampled_from(QUIRKS)),
)
RUNS = st.one_of(
    st.builds(run, WORKERS),
    st.builds(killed, st.floats(0, 1)),
    st.builds(
        disturbed,
        st.sampled_from(FAULTS),
        st.sampled_from(list(PATHS)),
        st.sampled_from([1, 3, None]),
        st.integers(0, 6),
        WORKERS,
    ),
)
ROUNDS = st.tuples(st.lists(CHANGES, min_size=1, max_size=4), RUNS)


@settings(
    max_examples=HISTORIES,
    derandomize="RANDOM_HISTORIES" not in os.environ,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(ROUNDS, min_size=2, max_size=6))
def test_whatever_happens_the_warehouse_comes_to_have_every_event(
    history: list[tuple[list[Step], Step]],
) -> None:
    world = World()
    with world.hubspot:
        for changes, perform in history:
            for change in changes:
                change(world)
            perform(world)
        world.clock.sleep(SETTLE + 1)
        world.run()

        assert world.last.exit_code == 0, world.last.log
        assert world.differences() == {}
        world.run()
        assert world.last.exit_code == 0
        assert world.events_of_last_run() == []
