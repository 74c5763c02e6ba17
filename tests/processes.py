"""Runs a plugin as its own process, as a Singer runner does."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

TIMEOUT = 120  # seconds after which a plugin that hangs fails its test


class Plugin:
    """A plugin's process: write to it, signal it, and see what it said."""

    def __init__(self, module: str, config: dict[str, Any], folder: Path, *arguments: str) -> None:
        path = folder / f"{module}.json"
        path.write_text(json.dumps(config))
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, "--config", str(path), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._log: list[str] = []
        self._written: list[str] = []
        self._threads = [
            threading.Thread(target=_collect, args=(self.process.stderr, self._log)),
            threading.Thread(target=_collect, args=(self.process.stdout, self._written)),
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
        """What it wrote to standard output, parsed."""
        return [json.loads(line) for line in self._written]

    @property
    def log(self) -> str:
        """What it wrote to standard error."""
        return "".join(self._log)

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


def _collect(stream: IO[str] | None, lines: list[str]) -> None:
    assert stream is not None
    lines.extend(iter(stream.readline, ""))
