"""However a run is cut short, the next one goes on after the last finished window and loses nothing."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.tap_hubspot_email_events.catalogs import selecting
from tests.tap_hubspot_email_events.processes import TapProcess, arguments
from tests.tap_hubspot_email_events.singer import SECOND, SETTLED

if TYPE_CHECKING:
    from tests.hubspot_emulator import HubSpotEmulator, Portal
    from tests.tap_hubspot_email_events.conftest import TapRunner
    from tests.tap_hubspot_email_events.singer import Output

OPEN = "email_event_open"
EVENTS = "/email/public/v1/events"
COUNT = 12_000
LOOKBACK_EVENTS = 18  # in an hour, one each 200 seconds
DAILY = {"status": "error", "message": "You have reached your daily limit.", "policyName": "DAILY"}
FULL = Path("/dev/full")


@pytest.fixture(autouse=True)
def _events(portal: Portal) -> None:
    portal.add_events("OPEN", range(SETTLED - COUNT * 200 * SECOND, SETTLED, 200 * SECOND))


def is_bookmark(message: dict[str, Any]) -> bool:
    return message["type"] == "STATE" and bool(message["value"]["bookmarks"].get(OPEN))


def confirmed(output: Output) -> list[str]:
    """The ids of the records that came before the last STATE: what a target keeps for sure."""
    last = max(index for index, message in enumerate(output.messages) if message["type"] == "STATE")
    return [message["record"]["id"] for message in output.messages[:last] if message["type"] == "RECORD"]


@pytest.mark.parametrize(
    ("number", "exit_code", "unbuffered"),
    [(signal.SIGTERM, 143, ""), (signal.SIGINT, 130, ""), (signal.SIGTERM, 143, "1")],
)
def test_a_signal_ends_the_run_after_the_window_that_is_passed_on(
    hubspot: HubSpotEmulator,
    run_tap: TapRunner,
    tmp_path: Path,
    number: int,
    exit_code: int,
    unbuffered: str,
) -> None:
    """Unbuffered, as container images often have it, a write is cut short by a signal."""
    given = arguments(tmp_path, hubspot, catalog=selecting(OPEN))
    with TapProcess(*given, environment={"PYTHONUNBUFFERED": unbuffered}) as tap:
        tap.wait_for(is_bookmark)
        tap.process.send_signal(number)
        cut_short = tap.output()

    rest = run_tap(catalog=selecting(OPEN), state=cut_short.state)
    assert cut_short.exit_code == exit_code
    assert cut_short.messages[-1]["type"] == "STATE"
    assert len(confirmed(cut_short)) < COUNT
    assert cut_short.ids() == confirmed(cut_short)  # nothing comes again
    assert len(set(cut_short.ids() + rest.ids())) == len(cut_short.ids() + rest.ids()) == COUNT
    assert f"Stopped by {signal.Signals(number).name}" in cut_short.log
    assert "Traceback" not in cut_short.log


def test_a_signal_while_hubspot_says_nothing_ends_the_run_at_once(
    hubspot: HubSpotEmulator, run_tap: TapRunner, tmp_path: Path
) -> None:
    silent = threading.Event()
    with TapProcess(*arguments(tmp_path, hubspot, catalog=selecting(OPEN))) as tap:
        hubspot.faults.call("GET", EVENTS, silent.set, after=6)
        hubspot.faults.hang("GET", EVENTS, times=None, after=6)
        assert silent.wait(60)
        tap.process.terminate()
        cut_short = tap.output()

    hubspot.faults.clear()
    assert cut_short.exit_code == 143
    state = cut_short.states[-1] if cut_short.states else None
    assert len(set(cut_short.ids() + run_tap(catalog=selecting(OPEN), state=state).ids())) == COUNT


def test_a_kill_loses_nothing(hubspot: HubSpotEmulator, run_tap: TapRunner, tmp_path: Path) -> None:
    with TapProcess(*arguments(tmp_path, hubspot, catalog=selecting(OPEN))) as tap:
        tap.wait_for(is_bookmark)
        tap.process.kill()
        killed = tap.output()

    rest = run_tap(catalog=selecting(OPEN), state=killed.state)
    assert killed.exit_code == -signal.SIGKILL
    assert len(confirmed(killed)) < COUNT
    assert len({*confirmed(killed), *rest.ids()}) == COUNT
    # What the lookback brings again comes under the same key.
    assert len(set(confirmed(killed)) & set(rest.ids())) <= LOOKBACK_EVENTS


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 500}, "email_event_open: GET /email/public/v1/events was answered 500"),
        (
            {"status": 429, "body": DAILY, "headers": {"Retry-After": "7200"}},
            "It is reset at 2026-11-18 13:06 UTC",
        ),
    ],
)
def test_hubspot_failing_for_good_in_the_middle_loses_nothing(
    hubspot: HubSpotEmulator, run_tap: TapRunner, fault: dict[str, Any], words: str
) -> None:
    run_tap(catalog=selecting(OPEN), max_concurrency=1)
    hubspot.faults.next("GET", EVENTS, after=hubspot.calls() - 3, times=None, **fault)
    failed = run_tap(catalog=selecting(OPEN), max_concurrency=1)
    hubspot.faults.clear()

    rest = run_tap(catalog=selecting(OPEN), state=failed.state)

    assert failed.exit_code == 1
    assert words in failed.last_words
    assert failed.ids() == confirmed(failed)
    assert 0 < len(failed.ids()) < COUNT
    assert len(failed.ids()) + len(rest.ids()) == COUNT
    assert not set(failed.ids()) & set(rest.ids())


@pytest.mark.parametrize("fault", ["reset", "truncate", "not_json", "status 500", "status 502", "status 520"])
def test_what_passes_is_not_even_noticed(hubspot: HubSpotEmulator, run_tap: TapRunner, fault: str) -> None:
    if fault.startswith("status"):
        hubspot.faults.next(
            "GET", EVENTS, after=4, status=int(fault.split()[1]), headers={"Retry-After": "0"}
        )
    else:
        getattr(hubspot.faults, fault)("GET", EVENTS, after=4)

    output = run_tap(catalog=selecting(OPEN), end_date="2026-10-29")

    assert output.exit_code == 0
    assert len(set(output.ids())) == len(output.ids()) == 3_162
    assert not hubspot.faults.pending


def test_a_reader_that_goes_away_ends_the_run_without_a_trace(
    hubspot: HubSpotEmulator, tmp_path: Path
) -> None:
    given = arguments(tmp_path, hubspot, catalog=selecting(OPEN))
    reader, writer = os.pipe()
    os.close(reader)
    with (
        os.fdopen(writer, "wb") as nobody,
        TapProcess(*given, stdout=nobody) as tap,
    ):
        output = tap.output()

    assert output.exit_code == 1
    assert "ERROR    | tap-hubspot-email-events       | Standard output takes no more" in output.log
    assert output.log.count("ERROR") == 1
    assert not re.search("Traceback|Exception ignored|is a bug", output.log)


def test_a_reader_that_goes_away_in_the_middle_is_told_as_such(
    hubspot: HubSpotEmulator, tmp_path: Path
) -> None:
    given = arguments(tmp_path, hubspot, catalog=selecting(OPEN))
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as kept_open, TapProcess(*given, stdout=kept_open) as tap:
        with os.fdopen(reader, "rb") as lines:
            assert any(b'"type":"STATE"' in line for line in lines)
        output = tap.output()

    assert output.exit_code == 1
    assert "Standard output takes no more messages (Broken pipe)" in output.log


def test_a_process_without_standard_output_is_told(hubspot: HubSpotEmulator, tmp_path: Path) -> None:
    given = arguments(tmp_path, hubspot, catalog=selecting(OPEN))
    command = shlex.join([sys.executable, "-m", "tap_hubspot_email_events", *given])

    ended = subprocess.run(
        ["sh", "-c", f"{command} >&-"],  # noqa: S607 - a shell, wherever it is
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == 1
    assert "Standard output takes no more messages (Bad file descriptor)" in ended.stderr
    assert "bug" not in ended.stderr


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_full_disk_behind_standard_output_is_told(hubspot: HubSpotEmulator, tmp_path: Path) -> None:
    given = arguments(tmp_path, hubspot, catalog=selecting(OPEN))
    with FULL.open("wb") as full, TapProcess(*given, stdout=full) as tap:
        output = tap.output()

    assert output.exit_code == 1
    assert "Standard output takes no more messages (No space left on device)" in output.log
