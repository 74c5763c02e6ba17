"""The command that starts the emulator, and the portal that it serves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tests.emulator_caller import NOW
from tests.hubspot_emulator import HubSpotEmulator, StoppedClock
from tests.hubspot_emulator.events import Wanted
from tests.hubspot_emulator.seed import seeded_portal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hubspot_emulator import Portal

ROOT = Path(__file__).parent.parent
TWO_WEEKS_MS = 14 * 86_400_000


@pytest.fixture(scope="module")
def portal() -> Portal:
    return seeded_portal(StoppedClock(NOW))


def events(portal: Portal) -> list[dict[str, object]]:
    texts, more = portal.events.page(Wanted(0, 2**62), None, 1_000_000)
    assert more is None
    return [json.loads(text) for text in texts]


def started(tmp_path: Path, *arguments: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
    ready = tmp_path / "ready.json"
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "tests.hubspot_emulator",
        "--ready-file",
        str(ready),
        *arguments,
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not ready.exists() and process.poll() is None:
        time.sleep(0.005)
    return process, json.loads(ready.read_text())


@pytest.fixture
def taken_port() -> Iterator[int]:
    with HubSpotEmulator() as hubspot:
        yield int(hubspot.url.rpartition(":")[2])


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_where_it_listens_and_stops_cleanly(tmp_path: Path, end: signal.Signals) -> None:
    process, told = started(tmp_path)
    headers = {"Authorization": f"Bearer {told['token']}"}
    details = requests.get(f"{told['url']}/account-info/2026-03/details", headers=headers, timeout=5)
    os.kill(int(told["pid"]), end)
    output, errors = process.communicate(timeout=60)

    assert details.status_code == 200
    assert (process.returncode, errors) == (0, "")
    assert f"URL:    {told['url']}\nToken:  {told['token']}\n" in output
    assert f"curl {told['url']}/__portal__/lists" in output
    assert not (tmp_path / "ready.json").exists()


def test_many_signals_at_once_stop_it_as_one_does(tmp_path: Path) -> None:
    process, _ = started(tmp_path)
    for _ in range(2_000):
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (0, "")
    assert output.endswith("Stopped.\n")


def test_a_taken_port_is_said_and_another_one_used(tmp_path: Path, taken_port: int) -> None:
    process, told = started(tmp_path, "--port", str(taken_port), "--burst", "7", "--latency", "1")
    headers = {"Authorization": f"Bearer {told['token']}"}
    details = requests.get(f"{told['url']}/account-info/2026-03/details", headers=headers, timeout=5)
    process.terminate()
    _, errors = process.communicate(timeout=60)

    assert not told["url"].endswith(f":{taken_port}")
    assert errors.startswith(f"Port {taken_port} cannot be had")
    assert details.headers["X-HubSpot-RateLimit-Max"] == "7"


def test_the_seeded_portal_is_the_same_each_time(portal: Portal) -> None:
    again = seeded_portal(StoppedClock(NOW))

    assert portal.emails() == again.emails()
    assert events(portal) == events(again)


def test_its_people_are_invented_and_on_two_lists(portal: Portal) -> None:
    assert len(portal.contacts) == 500
    assert {email.rpartition("@")[2] for email in portal.emails()} == {
        "example.com",
        "example.org",
        "example.net",
    }
    assert {each.name: each.processing_type for each in portal.lists} == {
        "Beta testers": "MANUAL",
        "Customers": "DYNAMIC",
    }


def test_its_events_end_now_and_follow_from_one_another(portal: Portal) -> None:
    found = events(portal)
    identities = {(event["id"], event["created"]) for event in found if event["type"] == "SENT"}
    created = [int(str(event["created"])) for event in found]
    followers = [event for event in found if isinstance(event.get("sentBy"), dict)]

    assert max(created) <= NOW * 1000
    assert NOW * 1000 - TWO_WEEKS_MS <= min(created) <= NOW * 1000 - TWO_WEEKS_MS + 86_400_000
    for event in followers:
        sent = event["sentBy"]
        assert isinstance(sent, dict)
        assert (sent["id"], sent["created"]) in identities
        assert sent["created"] < event["created"]
    counts = Counter(str(event["type"]) for event in found)
    assert counts["SENT"] > counts["DELIVERED"] > counts["OPEN"] / 2 > counts["CLICK"] > 0
    wanted = {"DROPPED", "PROCESSED", "DEFERRED", "BOUNCE", "STATUSCHANGE", "SPAMREPORT"}
    assert wanted <= counts.keys()
