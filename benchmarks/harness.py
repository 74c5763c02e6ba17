"""Runs a plugin as a process of its own against a local HubSpot, and measures it from outside."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

MEGABYTE = 1_000_000
SECONDS_BETWEEN_LOOKS = 0.05


@dataclass(frozen=True)
class Measured:
    """One run: its exit code, wall seconds, peak resident memory in MB, and where its output is."""

    exit_code: int
    seconds: float
    peak_mb: float
    log: str


def run_target(config: dict[str, Any], lines: Iterable[str]) -> Measured:
    """Run target-hubspot-lists on these lines."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "input.singer")
        with source.open("w") as standard_input:
            standard_input.writelines(f"{line}\n" for line in lines)
        settings = Path(folder, "config.json")
        settings.write_text(json.dumps(config))
        command = [sys.executable, "-m", "target_hubspot_lists", "--config", str(settings)]
        with source.open() as standard_input, Path(folder, "log").open("w+") as log:
            return _measured(command, standard_input, log)


def _measured(command: list[str], standard_input: IO[str], log: IO[str]) -> Measured:
    started = time.monotonic()
    process = subprocess.Popen(command, stdin=standard_input, stdout=subprocess.DEVNULL, stderr=log)
    peak_bytes = 0
    while process.poll() is None:
        peak_bytes = max(peak_bytes, _peak_bytes(process.pid))
        time.sleep(SECONDS_BETWEEN_LOOKS)
    log.seek(0)
    return Measured(process.returncode, time.monotonic() - started, peak_bytes / MEGABYTE, log.read())


def _peak_bytes(pid: int) -> int:
    """The peak of resident memory so far; what wait4 tells would include this process's own at the fork."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError as error:
        raise SystemExit("Memory is measured on Linux only.") from error
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(peak[1]) * 1024 if peak else 0


def promise(what: str, *, kept: bool) -> bool:
    """Print whether a promise is kept."""
    print(f"{'kept  ' if kept else 'BROKEN'}  {what}")
    return kept
