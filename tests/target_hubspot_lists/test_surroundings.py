"""What surrounds the process, its pipes and its disk, may fail: that is said in a sentence, and nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from target_hubspot_lists.ledger import Ledger
from target_hubspot_lists.sync.delivery import Delivery
from tests.factories import membership, schema_message, state_message
from tests.processes import TIMEOUT

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

FULL = Path("/dev/full")  # a file that never has room
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@pytest.fixture
def config(hubspot: HubSpotEmulator, tmp_path: Path) -> str:
    path = tmp_path / "config.json"
    settings = {"api_url": hubspot.url, "access_token": hubspot.token, "match_by": "contact_id"}
    path.write_text(json.dumps({**settings, "list_name_prefix": ""}))
    return str(path)


def shell(line: str, config: str, *messages: str) -> subprocess.CompletedProcess[str]:
    """Run the target from a shell line, in which `target` stands for the command."""
    command = f"{sys.executable} -m target_hubspot_lists --config {config}"
    source = "".join(f"{message}\n" for message in messages)
    return subprocess.run(
        ["sh", "-c", line.replace("target", command)],  # noqa: S607 - a shell, wherever it is
        input=source,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


@needs_full
@pytest.mark.parametrize("option", ["--properties", "--properties=json", "--about", "--help", "--version"])
def test_what_cannot_be_shown_is_told_in_one_sentence_and_called_no_bug(config: str, option: str) -> None:
    run = shell(f"target {option} > {FULL}", config)

    assert run.returncode == 1
    assert "Standard output takes no more (No space left on device)" in run.stderr
    assert len(run.stderr.splitlines()) == 1


@needs_full
@pytest.mark.parametrize("module", ["ledger.command", "report_page.command"])
@pytest.mark.parametrize("arguments", ["--help", "{lists}"])
def test_a_command_beside_the_target_tells_so_as_well(tmp_path: Path, module: str, arguments: str) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    Ledger.open(url, 1, run_id="run", now=lambda: datetime.now(UTC)).close()
    shows = {
        "ledger.command": f"lists --ledger-url {url}",
        "report_page.command": f"--ledger {url} --output {tmp_path}/page.html",
    }
    line = [sys.executable, "-c", f"from target_hubspot_lists.{module} import main; main()"]
    line += arguments.format(lists=shows[module]).split()
    with FULL.open("wb") as full:
        run = subprocess.run(
            line, stdout=full, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT, check=False
        )

    assert run.returncode == 1
    assert run.stderr.startswith("Error: Standard output takes no more (No space left on device)")
    assert len(run.stderr.splitlines()) == 1


@needs_full
def test_state_that_cannot_be_written_ends_the_run_with_a_sentence(portal: Portal, config: str) -> None:
    (ada,) = portal.add_contacts(1)

    run = shell(f"target > {FULL}", config, schema_message(), membership("VIP", ada), state_message({"n": 1}))

    assert run.returncode == 1
    assert portal.members("VIP") == {ada}
    assert "STATE cannot be written to standard output (No space left on device)" in run.stderr
    assert "bug" not in run.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_signal_while_state_leaves_does_not_cut_it_short(config: str, unbuffered: str) -> None:
    """Unbuffered, as container images often have it, a write that a signal interrupts takes a part alone."""
    state = state_message({"long": "x" * 1_000_000})  # more than a pipe holds
    with subprocess.Popen(
        [sys.executable, "-m", "target_hubspot_lists", "--config", config],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{state}\n".encode())
        process.stdin.close()
        begin = process.stdout.read(1)
        process.terminate()
        written = begin + process.stdout.read()

    assert written.endswith(b"\n")
    assert json.loads(written) == json.loads(state)["value"]


def test_a_process_without_standard_input_has_nothing_to_read(config: str) -> None:
    run = shell("target <&-", config)

    assert run.returncode == 0
    assert "No memberships were read." in run.stderr


def test_a_process_without_standard_error_does_its_work(portal: Portal, config: str) -> None:
    (ada,) = portal.add_contacts(1)

    run = shell("target 2>&-", config, schema_message(), membership("VIP", ada), state_message({"n": 1}))

    assert (run.returncode, run.stdout) == (0, '{"n":1}\n')
    assert portal.members("VIP") == {ada}


def test_a_process_without_standard_output_does_its_work(portal: Portal, config: str) -> None:
    (ada,) = portal.add_contacts(1)

    run = shell("target >&-", config, schema_message(), membership("VIP", ada), state_message({"n": 1}))

    assert run.returncode == 0
    assert portal.members("VIP") == {ada}


def test_a_report_for_which_there_is_no_room_is_named(portal: Portal, config: str, tmp_path: Path) -> None:
    (ada,) = portal.add_contacts(1)
    path = tmp_path / "report.jsonl"
    settings = json.loads(Path(config).read_text()) | {"report_path": str(path), "report_members": "all"}
    Path(config).write_text(json.dumps(settings))

    run = shell(
        "ulimit -f 1; target",  # blocks of 512 bytes, or of 1024
        config,
        schema_message(),
        *(membership("VIP", number) for number in range(1, 9)),
        membership("VIP", ada),
    )

    assert run.returncode == 1
    assert f'report_path "{path}" cannot be written (File too large)' in run.stderr
    assert portal.members("VIP") == {ada}


def test_a_process_without_standard_streams_writes_its_report(config: str, tmp_path: Path) -> None:
    path = tmp_path / "report.jsonl"
    Path(config).write_text(json.dumps(json.loads(Path(config).read_text()) | {"report_path": str(path)}))

    run = shell("target <&- 2>&-", config)

    assert run.returncode == 0
    assert json.loads(path.read_text())["kind"] == "run"


def test_the_report_is_written_even_where_an_error_was_not_foreseen(
    portal: Portal, run_target: TargetRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ada,) = portal.add_contacts(1)
    path = tmp_path / "report.jsonl"

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Delivery, "deliver", fail)  # there is no seam for a bug
    with pytest.raises(ZeroDivisionError):
        run_target(schema_message(), membership("VIP", ada), report_path=str(path))

    line = json.loads(path.read_text().splitlines()[-1])
    assert (line["kind"], line["exit_code"], line["not_settled"]) == ("run", 1, 1)


def test_a_pipe_that_does_not_block_has_not_ended_when_it_is_empty(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    later = f"{schema_message()}\n{membership('VIP', ada)}\n".encode()

    def write() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(later)

    with os.fdopen(reading, "rb") as source:
        timer = threading.Timer(0.1, write)
        timer.start()
        run = run_target.on(source)
        timer.join()

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}
