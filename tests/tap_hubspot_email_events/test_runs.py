"""Runs of the tap as its parts see them: blasts of events, signals, and what happens before the first request."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from hubspot_singer.http.errors import Stopped
from hubspot_singer.plugin.errors import RunEnded
from tap_hubspot_email_events.runs import Run, SelectedStream
from tap_hubspot_email_events.settings import EventSettings
from tap_hubspot_email_events.tap import TapHubSpotEmailEvents
from tests.clocks import FakeClock
from tests.tap_hubspot_email_events.fakes import FakeHubSpot, events_at, parser
from tests.tap_hubspot_email_events.singer import DAY, NOW, SETTLED

if TYPE_CHECKING:
    from tests.hubspot_emulator import HubSpotEmulator, Portal

BLAST = 12_000
SETTINGS = EventSettings.from_settings({"start_date": "2026-10-20"})


def begun(hubspot: FakeHubSpot, state: dict[str, Any]) -> Run:
    selected = [SelectedStream("opens", "OPEN", parser(), state)]
    return Run.begin(hubspot, SETTINGS, selected, workers=2, machine_time=lambda: SETTLED / 1000)


def ids(run: Run) -> list[str]:
    batches = run.batches("opens", window_done=lambda: None)
    return [orjson.loads(record)["id"] for records in batches for record in records]


def test_a_blast_within_a_millisecond_comes_whole_and_once() -> None:
    hubspot = FakeHubSpot(events_at([SETTLED - 2 * DAY, *[SETTLED - DAY] * BLAST, SETTLED - 1]))
    state: dict[str, Any] = {}
    run = begun(hubspot, state)

    came = ids(run)

    run.end()
    assert came == sorted(each["id"] for each in hubspot.events)
    assert state["replication_key_value"] == "2026-11-18T11:01:40.000Z"


def test_a_blast_within_the_lookback_does_not_come_again() -> None:
    hubspot = FakeHubSpot(events_at([*[SETTLED - 60_000] * BLAST, SETTLED - 1]))
    state: dict[str, Any] = {}
    counts = []
    for _ in range(2):
        run = begun(hubspot, state)
        counts.append(len(ids(run)))
        run.end()

    assert counts == [BLAST + 1, 0]


def test_a_signal_is_heeded_in_the_middle_of_a_blast_and_its_window_does_not_count() -> None:
    hubspot = FakeHubSpot(events_at([SETTLED - DAY] * BLAST))
    state: dict[str, Any] = {}
    run = begun(hubspot, state)
    batches = run.batches("opens", window_done=lambda: None)
    next(batches)

    run.reads.is_stopped = True
    with pytest.raises(Stopped):
        next(batches)

    run.end()
    assert state["replication_key_value"] == "2026-11-17T11:01:40.000Z"  # where the blast begins


# Before anything was asked


@pytest.fixture
def tap(hubspot: HubSpotEmulator) -> TapHubSpotEmailEvents:
    config = {"api_url": hubspot.url, "access_token": hubspot.token, "start_date": "2026-10-20"}
    return TapHubSpotEmailEvents(config=config, clock=FakeClock(now=NOW))


def test_a_signal_before_the_first_request_sends_none(
    hubspot: HubSpotEmulator, tap: TapHubSpotEmailEvents
) -> None:
    tap.session.stop(signal.SIGTERM)

    with pytest.raises(RunEnded) as ended:
        tap.sync_all()

    assert ended.value.code == 143
    assert ended.value.last_words.startswith("Stopped by SIGTERM.")
    assert hubspot.calls() == 0


def test_a_check_that_is_given_up_before_it_began_asks_for_nothing(
    hubspot: HubSpotEmulator, tap: TapHubSpotEmailEvents
) -> None:
    tap.stop_check()

    with pytest.raises(Stopped):
        list(tap.check_connection())
    assert hubspot.calls() == 0


def test_records_can_be_had_from_a_stream_as_the_sdk_has_it(
    portal: Portal, tap: TapHubSpotEmailEvents
) -> None:
    portal.add_events("OPEN", [SETTLED - 2, SETTLED - 1])

    records = list(tap.streams["email_event_open"].get_records(None))

    assert [record["created"] for record in records if isinstance(record, dict)] == [
        "2026-11-18T11:01:39.998Z",
        "2026-11-18T11:01:39.999Z",
    ]
