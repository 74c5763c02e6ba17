"""Runs a plugin as its own process, as a Singer runner does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from queue import Queue
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

TIMEOUT = 120  # seconds after which a plugin that hangs fails its test


class Plugin:
    """A plugin's process: write to it, signal it, and see what it said."""

    def __init__(
        self,
        module: str,
        *arguments: str,
        stdout: IO[bytes] | int = subprocess.PIPE,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self._log: list[str] = []
        self._written: list[str] = []
        self._came: Queue[str | None] = Queue()
        self._told: Queue[str | None] = Queue()
        self._threads = [
            threading.Thread(target=self._collect_log),
            threading.Thread(target=self._collect_lines),
        ]
        for thread in self._threads:
            thread.start()

    def write(self, *messages: str) -> None:
        """Write messages to the plugin's standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{message}\n" for message in messages))
        self.process.stdin.flush()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait_for(self, is_it: Callable[[Any], bool]) -> Any:
        """Wait for a line of standard output that is this one, and return it parsed."""
        while (line := self._came.get(timeout=TIMEOUT)) is not None:
            if is_it(message := json.loads(line)):
                return message
        raise AssertionError("the process ended before it wrote this")

    def wait_for_log(self, text: str) -> str:
        """Wait for a line of the log with this text, and return it."""
        while (line := self._told.get(timeout=TIMEOUT)) is not None:
            if text in line:
                return line
        raise AssertionError(f"the process ended without this in its log:\n{self.log}")

    def wait(self) -> int:
        """Wait for the process to end by itself, its input still open; return its exit code."""
        exit_code = self.process.wait(TIMEOUT)
        for thread in self._threads:
            thread.join()
        return exit_code

    def finish(self) -> int:
        """End the input and wait; return the exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.wait()

    @property
    def lines(self) -> list[Any]:
        """What it wrote to standard output, parsed; a line that was cut off in the middle is none."""
        return [json.loads(line) for line in self._written if line.endswith("\n")]

    @property
    def printed(self) -> str:
        """What it wrote to standard output."""
        return "".join(self._written)

    @property
    def log(self) -> str:
        """What it wrote to standard error."""
        return "".join(self._log)

    def _collect_log(self) -> None:
        for line in self.process.stderr or ():
            self._log.append(line)
            self._told.put(line)
        self._told.put(None)

    def _collect_lines(self) -> None:
        for line in self.process.stdout or ():
            self._written.append(line)
            self._came.put(line)
        self._came.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


class OnTerminal:
    """A plugin's process whose standard error is a terminal of so many columns."""

    def __init__(self, module: str, *arguments: str, columns: int) -> None:
        self._terminal, stderr = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env={**os.environ, "COLUMNS": str(columns)},
        )
        os.close(stderr)
        self.screen = ""

    def wait_for(self, text: str) -> None:
        """Wait until the terminal was sent this text."""
        while text not in self.screen:
            if not self._read():
                raise AssertionError(f"the process ended without this on its terminal:\n{self.screen}")

    def wait(self) -> int:
        """Wait for the process to end; return its exit code."""
        while self._read():
            pass
        return self.process.wait(TIMEOUT)

    def _read(self) -> bool:
        """Read what was written; return False once the process has ended."""
        try:
            came = os.read(self._terminal, 65_536)
        except OSError:  # what a terminal says once nobody can write to it any more
            return False
        self.screen += came.decode()
        return bool(came)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait(TIMEOUT)
        os.close(self._terminal)


def config_file(folder: Path, config: dict[str, Any]) -> str:
    """Write a config into a file and return its name."""
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return str(path)
