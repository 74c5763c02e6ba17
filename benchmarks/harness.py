"""Runs a plugin as a process of its own against a local HubSpot, and measures it from outside."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MEGABYTE = 1_000_000
SECONDS_BETWEEN_LOOKS = 0.05


@dataclass(frozen=True)
class Measured:
    """One run: its exit code, its time, its peak resident memory in MB, and what it wrote."""

    exit_code: int
    seconds: float
    processor_seconds: float
    user_seconds: float  # of `processor_seconds`, those outside the kernel
    peak_mb: float
    output: Path
    log: str

    def records(self) -> Iterator[dict[str, Any]]:
        """The records it wrote, one after another, while their folder is there."""
        with self.output.open() as lines:
            for line in lines:
                message = json.loads(line)
                if message["type"] == "RECORD":
                    yield {"stream": message["stream"], **message["record"]}


def schema_message(properties: Mapping[str, object]) -> str:
    """A SCHEMA of the stream `members`, whose columns have these JSON schemas."""
    message = {
        "type": "SCHEMA",
        "stream": "members",
        "schema": {"properties": properties},
        "key_properties": [],
    }
    return json.dumps(message)


def messages(properties: Mapping[str, object], records: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """Yield the messages of a tap: the SCHEMA, then a RECORD for each of these."""
    yield schema_message(properties)
    for record in records:
        yield json.dumps({"type": "RECORD", "stream": "members", "record": record})


def run_target(config: dict[str, Any], lines: Iterable[str]) -> Measured:
    """Run target-hubspot-lists on these lines."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "input.singer"
        with source.open("w") as standard_input:
            standard_input.writelines(f"{line}\n" for line in lines)
        with source.open("rb") as standard_input:
            return measured(plugin_command("target_hubspot_lists", config, folder), folder, standard_input)


def plugin_command(module: str, config: dict[str, Any], folder: Path) -> list[str]:
    """The command that runs a plugin with this config."""
    settings = folder / "config.json"
    settings.write_text(json.dumps(config))
    return [sys.executable, "-m", module, "--config", str(settings)]


def measured(
    command: list[str], folder: Path, standard_input: IO[bytes] | int = subprocess.DEVNULL
) -> Measured:
    """Run a command, its output and its log in files of the folder."""
    output, log = folder / "output.jsonl", folder / "log"
    began = time.monotonic()
    with output.open("wb") as written, log.open("wb") as logged:
        process = subprocess.Popen(command, stdin=standard_input, stdout=written, stderr=logged)
    peak_bytes = 0
    while not (waited := os.wait4(process.pid, os.WNOHANG))[0]:
        peak_bytes = max(peak_bytes, _peak_bytes(process.pid))
        time.sleep(SECONDS_BETWEEN_LOOKS)
    seconds = time.monotonic() - began
    _, status, usage = waited
    process.returncode = os.waitstatus_to_exitcode(status)
    return Measured(
        process.returncode,
        seconds,
        usage.ru_utime + usage.ru_stime,
        usage.ru_utime,
        peak_bytes / MEGABYTE,
        output,
        log.read_text(),
    )


def _peak_bytes(pid: int) -> int:
    """The peak of resident memory so far; what wait4 tells would include this process's own at the fork."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError as error:
        raise SystemExit("Memory is measured on Linux only.") from error
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(peak[1]) * 1024 if peak else 0


def promise_of_exit(run: Measured) -> bool:
    """Print whether a run ended with exit code 0."""
    return promise(f"exit code 0: {run.exit_code}", kept=run.exit_code == 0)


def promise(what: str, *, kept: bool) -> bool:
    """Print whether a promise is kept."""
    print(f"{'kept  ' if kept else 'BROKEN'}  {what}")
    return kept
