"""Runs the tap as a process of its own, as a Singer runner does, and reads what it writes as it comes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from queue import Queue
from typing import IO, TYPE_CHECKING, Any, Self

from tests.tap_hubspot_email_events.singer import Output

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from tests.hubspot_emulator import HubSpotEmulator

TIMEOUT = 120  # seconds after which a tap that hangs fails its test


class TapProcess:
    """A running tap."""

    def __init__(self, *arguments: str, stdout: IO[bytes] | int = subprocess.PIPE) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tap_hubspot_email_events", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )
        self._log: list[bytes] = []
        self._lines: list[bytes] = []
        self._came: Queue[bytes | None] = Queue()
        self._threads = [
            threading.Thread(target=self._collect_log),
            threading.Thread(target=self._collect_lines),
        ]
        for thread in self._threads:
            thread.start()

    def wait_for(self, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a message, and give it."""
        while (line := self._came.get(timeout=TIMEOUT)) is not None:
            message: dict[str, Any] = json.loads(line)
            if is_it(message):
                return message
        raise AssertionError("the tap ended before it wrote this message")

    def wait(self) -> Output:
        """Wait for the end; a line that was cut off in the middle is none."""
        exit_code = self.process.wait(TIMEOUT)
        for thread in self._threads:
            thread.join()
        messages = [json.loads(line) for line in self._lines if line.endswith(b"\n")]
        return Output(messages, exit_code, log=b"".join(self._log).decode())

    def _collect_log(self) -> None:
        assert self.process.stderr is not None
        self._log.extend(self.process.stderr)

    def _collect_lines(self) -> None:
        for line in self.process.stdout or ():
            self._lines.append(line)
            self._came.put(line)
        self._came.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def arguments(folder: Path, hubspot: HubSpotEmulator | None = None, **files: Any) -> list[str]:
    """Write config, state and catalog into files and give the arguments that name them."""
    if hubspot is not None:
        connection = {"api_url": hubspot.url, "access_token": hubspot.token, "start_date": "2026-10-20"}
        files["config"] = connection | files.get("config", {})
    given: list[str] = []
    for name, content in files.items():
        path = folder / f"{name}.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        given += [f"--{name}", str(path)]
    return given
