"""Runs a plugin's command in this process, as a shell would: arguments in, exit code and printed lines out."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hubspot_singer.plugin.plugins import HubSpotPlugin


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it printed."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def errors(self) -> list[str]:
        """The log's lines that tell of errors."""
        return self._lines_of("ERROR")

    @property
    def error(self) -> str:
        """The one sentence that says what went wrong."""
        (line,) = self.errors
        return line.split("|", 3)[3].strip()

    @property
    def warnings(self) -> list[str]:
        """The log's lines that warn."""
        return self._lines_of("WARNING")

    def _lines_of(self, level: str) -> list[str]:
        lines = self.stderr.splitlines()
        return [line for line in lines if [*line.split("|"), ""][1].strip() == level]


@dataclass
class Commands:
    """Runs commands, and leaves no log handler and no hook behind."""

    capsys: pytest.CaptureFixture[str]

    def run(self, plugin: type[HubSpotPlugin], *arguments: str) -> Ended:
        """Run the plugin's command to its end."""
        self.capsys.readouterr()
        with _restored(), pytest.raises(SystemExit) as exited:
            plugin.cli(list(arguments))
        printed = self.capsys.readouterr()
        return Ended(int(exited.value.code or 0), printed.out, printed.err)


@contextmanager
def _restored() -> Iterator[None]:
    """Undo what a command does to the process: a handler of the root logger, a hook for what nobody caught."""
    handlers, level, hook = list(logging.root.handlers), logging.root.level, sys.excepthook
    factory = logging.getLogRecordFactory()
    try:
        yield
    finally:
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
        logging.captureWarnings(capture=False)
        logging.setLogRecordFactory(factory)
        sys.excepthook = hook
