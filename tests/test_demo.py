"""The demo leaves nothing behind, says what failed, and shows what was said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples.demo import telling
from examples.demo.commands import CommandFailed, Commands, inherited
from examples.demo.hubspot import HubSpot
from examples.demo.pipeline import Said

if TYPE_CHECKING:
    from tests.hubspot_emulator import HubSpotEmulator, Portal

ROOT = Path(__file__).parent.parent
PATIENCE = 60  # seconds for what takes milliseconds, but on a machine that is busy
INTERRUPTED = """
import sys
from pathlib import Path
from examples.demo.commands import Commands
folder = Path(sys.argv[1])
Commands(folder, folder).run("wait", "/bin/sh", "-c", "sleep 60 & echo $! > pid; wait")
"""


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    return Commands(tmp_path, tmp_path / "logs")


def said(folder: Path, *entries: dict[str, str]) -> Said:
    log = folder / "meltano.log"
    log.write_text("not JSON\n" + "".join(f"{json.dumps(entry)}\n" for entry in entries))
    return Said(log)


def test_a_step_that_failed_is_told_with_the_end_of_its_log(commands: Commands) -> None:
    with pytest.raises(CommandFailed) as raised:
        commands.run("Break", "/bin/sh", "-c", "seq 100; echo no such package; exit 3")

    lines = list(telling.failure(raised.value))
    assert lines[0] == "This failed: /bin/sh -c seq 100; echo no such package; exit 3"
    assert lines[-1].strip() == "no such package"
    assert len(lines) < 20


def test_a_step_that_cannot_start_is_told_like_one_that_failed(commands: Commands) -> None:
    with pytest.raises(CommandFailed) as raised:
        commands.run("Start", "/no/such/command")

    assert "No such file" in "\n".join(telling.failure(raised.value))


def test_settings_of_the_callers_own_projects_are_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARGET_HUBSPOT_LISTS_ACCESS_TOKEN", "of-the-real-portal")
    monkeypatch.setenv("MELTANO_ENVIRONMENT", "production")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com")

    assert {"TARGET_HUBSPOT_LISTS_ACCESS_TOKEN", "MELTANO_ENVIRONMENT"}.isdisjoint(inherited())
    assert inherited()["HTTPS_PROXY"] == "http://proxy.example.com"


def test_an_interrupt_ends_what_a_step_has_started(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED, str(tmp_path)], cwd=ROOT, stderr=-3) as demo:
        started = tmp_path / "pid"
        wait_for(lambda: started.is_file() and started.read_text().endswith("\n"))
        demo.send_signal(signal.SIGINT)

        assert demo.wait(PATIENCE) != 0
    wait_for(lambda: not is_running(int(started.read_text())))


def wait_for(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether it runs; one that has ended and waits to be collected does not."""
    status = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").is_file():
        return status.is_file() and status.read_text().rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_summary_is_told_from_its_table_on() -> None:
    lines = ["target-hubspot-lists v0.2.0", "list  id  asked", "VIP   22      1", "1 list made."]

    assert list(telling.summary(lines)) == lines[1:]


def test_a_plugins_lines_are_found_in_meltanos_log(tmp_path: Path) -> None:
    table = "Email events read:\nstream  windows  calls  events  span\ntotal         2      2       7"
    log = said(
        tmp_path,
        {"event": "Run completed"},
        {"string_id": "tap-hubspot-email-events", "name": "tap-hubspot-email-events", "event": table},
        {"name": "duckdb", "event": "campaign  sent"},
    )

    assert list(log.by("duckdb")) == ["campaign  sent"]
    assert telling.events_read(log) == 7


def test_a_list_is_shown_with_all_pages_of_its_members(portal: Portal, hubspot: HubSpotEmulator) -> None:
    members = [portal.add_contact(f"contact{number:03}@example.com") for number in range(251)]
    portal.add_list("Big: 100%", members=[*members, portal.add_contact(None)])

    with HubSpot(hubspot.url, hubspot.token) as looker:
        found = looker.list_named("Big: 100%")

    assert len(found.members) == 252
    assert next(iter(telling.shown(found))) == f"Big: 100% (list {found.list_id}): 252 contacts"
    assert list(telling.shown(found))[-1] == "  and 248 more"
