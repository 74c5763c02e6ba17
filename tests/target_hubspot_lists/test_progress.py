"""Progress of a long run: honest figures, in lines or as a bar."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

from hubspot_singer.plugin.logs import ERASE_LINE
from target_hubspot_lists.reporting.progress import ProgressLog, RunProgress
from tests.factories import by_email, email_schema
from tests.processes import TIMEOUT, OnTerminal, config_file

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.hubspot_emulator import HubSpotEmulator, Portal

HALF = RunProgress(read=1000, done=500, calls=12, limit_share=0.93)
RESOLVING = replace(HALF, done=0, addresses_to_send=1400, addresses_sent=1200, looked_up=1000, created=200)


def test_the_line_tells_what_is_done_of_what_was_read_so_far() -> None:
    assert HALF.line(None) == "500 of 1,000 memberships done; 12 calls, 93% of the portal's limit in use."
    assert HALF.line(200.0).endswith("; about 3 min for those read so far.")
    assert RESOLVING.line(None) == (
        "0 of 1,000 memberships done; 1,000 addresses looked up; 200 contacts created; "
        "12 calls, 93% of the portal's limit in use."
    )


def test_the_bar_moves_with_look_ups_and_creates_before_any_membership_is_done() -> None:
    assert RESOLVING.bar() == "[############............]"
    assert replace(RESOLVING, done=1000, addresses_sent=1400).bar() == "[########################]"
    assert RunProgress(read=0, done=0, calls=0, limit_share=0.0).bar() == "[........................]"


def test_a_line_is_told_only_where_calls_were_made(caplog: pytest.LogCaptureFixture) -> None:
    standings = [HALF, HALF, replace(HALF, calls=13)]
    progress = ProgressLog(lambda: standings.pop(0), stream=io.StringIO())

    with caplog.at_level("INFO"):
        for _ in range(3):
            progress.log()

    assert [record.getMessage().count("13 calls") for record in caplog.records] == [0, 1]
    assert [record.__dict__["hubspot_progress"]["calls"] for record in caplog.records] == [12, 13]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_that_is_gone_in_the_end() -> None:
    terminal = Terminal()

    with ProgressLog(lambda: HALF, stream=terminal) as progress:
        progress.draw()

    assert terminal.getvalue().startswith(f"{ERASE_LINE}[############............] 500 of 1,000")
    assert terminal.getvalue().endswith(ERASE_LINE)


def test_on_a_terminal_the_bar_moves_while_contacts_are_created_and_lines_of_the_log_stand_alone(
    hubspot: HubSpotEmulator, portal: Portal, tmp_path: Path
) -> None:
    portal.add_contact("known@example.com")
    addresses = ["known@example.com", *(f"new{number}@example.com" for number in range(250))]
    messages = [email_schema(), *(by_email("VIP", each) for each in addresses)]
    (tmp_path / "input.jsonl").write_text("\n".join(messages))
    seen = Event()
    hubspot.faults.call("POST", "/contacts/batch/create", lambda: seen.wait(TIMEOUT), after=1)
    settings = {"api_url": hubspot.url, "access_token": hubspot.token, "max_concurrency": 1}
    config = config_file(tmp_path, settings)

    arguments = ["target_hubspot_lists", "--config", config, "--input", str(tmp_path / "input.jsonl")]
    with OnTerminal(*arguments, columns=110) as terminal:
        terminal.wait_for("0 of 251 memberships done; 251 addresses looked up; 100 contacts created")
        seen.set()
        assert terminal.wait() == 0

    bar = next(line for line in terminal.screen.split(ERASE_LINE) if "100 contacts created" in line)
    assert bar.startswith("[##")
    shown = [line.rpartition(ERASE_LINE)[-1] for line in terminal.screen.split("\r\n")]
    assert "list           id  asked  added  match rate" in shown
    assert "11 calls to HubSpot, " in shown[-2]


def test_before_anything_is_read_no_bar_is_drawn() -> None:
    terminal = Terminal()

    with ProgressLog(lambda: replace(HALF, read=0), stream=terminal) as progress:
        progress.draw()

    assert terminal.getvalue() == ERASE_LINE


def test_a_log_whose_form_the_user_chose_keeps_it_on_a_terminal(
    hubspot: HubSpotEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers = {"console": {"class": "logging.StreamHandler", "formatter": "own"}}
    form = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"own": {"format": "MINE %(levelname)s %(message)s"}},
        "handlers": handlers,
        "root": {"level": "INFO", "handlers": ["console"]},
    }
    logging_file = tmp_path / "logging.yaml"
    logging_file.write_text(json.dumps(form), "utf-8")
    monkeypatch.setenv("SINGER_SDK_LOG_CONFIG", str(logging_file))
    config = config_file(tmp_path, {"api_url": hubspot.url, "access_token": hubspot.token})

    with OnTerminal("target_hubspot_lists", "--config", config, "--check", columns=80) as terminal:
        assert terminal.wait() == 0

    assert "MINE INFO The connection works." in terminal.screen


def test_a_bar_fits_into_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    terminal = Terminal()

    with ProgressLog(lambda: HALF, stream=terminal) as progress:
        progress.draw()

    bar = terminal.getvalue().removeprefix(ERASE_LINE).removesuffix(ERASE_LINE)
    assert len(bar) == 59
