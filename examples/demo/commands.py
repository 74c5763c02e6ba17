"""Runs commands one after another: a line for each, a log of its own, and none is left behind."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from subprocess import DEVNULL, STDOUT, Popen, TimeoutExpired
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# A command that is told to end gets so long for it.
SECONDS_TO_END = 10
# Settings of the caller's own projects, and of the Python that runs the demo, are not the pipeline's.
NOT_INHERITED = ("MELTANO_", "TARGET_", "TAP_", "SINGER_", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
WIDTH = 72  # of a line that says what is done and how long it took


class CommandFailed(Exception):
    """A command ended with an error, or did not start."""

    def __init__(self, title: str, command: Sequence[str], log: Path) -> None:
        super().__init__(f"{title}: failed")
        self.command = command
        self.log = log


@dataclass(frozen=True)
class Commands:
    """Runs commands in one folder, with logs in another."""

    folder: Path
    logs: Path

    def run(self, title: str, *command: str, environment: Mapping[str, str] | None = None) -> Path:
        """Run a command to its end and return its log; raise CommandFailed unless it went well."""
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{'-'.join(title.lower().split())}.log"
        print(f"  {title} ".ljust(WIDTH, "."), end=" ", flush=True)
        started = time.monotonic()
        try:
            exit_code = self._wait(command, log, inherited() | dict(environment or {}))
        except OSError as error:
            log.write_text(f"{error}\n", "utf-8")
            exit_code = 1
        finally:
            print(f"{time.monotonic() - started:.0f} s", flush=True)
        if exit_code:
            raise CommandFailed(title, command, log)
        return log

    def _wait(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> int:
        # In a session of its own: Ctrl-C reaches the demo, which then ends all that the command started.
        with (
            log.open("wb") as output,
            Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
                start_new_session=True,
            ) as process,
        ):
            try:
                return process.wait()
            finally:
                _end(process)


def inherited() -> dict[str, str]:
    """Return the environment for a command: the caller's, without settings that are not the demo's."""
    return {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}


def _end(process: Popen[bytes]) -> None:
    """End a command that still runs, and everything that it started."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(SECONDS_TO_END)
    except TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
