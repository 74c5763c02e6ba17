"""Runs a plugin as a process of its own against a local HubSpot, and measures it from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

MEGABYTE = 1_000_000


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
        source.write_text("".join(f"{line}\n" for line in lines))
        settings = Path(folder, "config.json")
        settings.write_text(json.dumps(config))
        command = [sys.executable, "-m", "target_hubspot_lists", "--config", str(settings)]
        with source.open() as standard_input, Path(folder, "log").open("w+") as log:
            return _measured(command, standard_input, log)


def _measured(command: list[str], standard_input: Any, log: Any) -> Measured:  # noqa: ANN401 - open files
    started = time.monotonic()
    process = subprocess.Popen(command, stdin=standard_input, stdout=subprocess.DEVNULL, stderr=log)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    log.seek(0)
    peak_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Measured(process.returncode, seconds, peak_bytes / MEGABYTE, log.read())


def promise(what: str, *, kept: bool) -> bool:
    """Print whether a promise is kept."""
    print(f"{'kept  ' if kept else 'BROKEN'}  {what}")
    return kept
