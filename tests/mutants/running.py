"""Runs tests against a changed source: in a copy of the checkout, each file in a fork of a warm process."""

from __future__ import annotations

import importlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

CHECKOUT = Path(__file__).parent.parent.parent
COPIED = (
    "hubspot_singer",
    "tap_hubspot_email_events",
    "target_hubspot_lists",
    "tests",
    "examples",
)
# What the tests import and what is not changed: it is imported once.
WARM = (
    "email_validator",
    "hypothesis",
    "jsonschema",
    "orjson",
    "psycopg",
    "requests",
    "requests_mock",
    "singer_sdk",
    "sqlalchemy.dialects.sqlite",
    "ua_parser",
)
SECONDS_BETWEEN_LOOKS = 0.01
PATIENCE = 4  # times as long as without a change, before the change counts as noticed


@dataclass(frozen=True)
class Times:
    """Seconds by the clock, and of the processor, which a busy machine does not make longer."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Self:
        """Return the time, and what the processes have used that ended."""
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return cls(time.monotonic(), used.ru_utime + used.ru_stime)

    def __sub__(self, other: Self) -> Times:
        return Times(self.wall - other.wall, self.cpu - other.cpu)

    def most(self) -> Times:
        """Return the times after which tests that usually take this long are ended."""
        return Times(max(20.0, PATIENCE * self.wall), max(3.0, PATIENCE * self.cpu))


FOREVER = Times(float("inf"), float("inf"))


class Copy:
    """A copy of the checkout in which one module is changed and tests run; deleted with the `with` block."""

    def __init__(self, module: str, tests: Sequence[str]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="mutants-"))
        self._module = self._folder / module
        self._tests = [f"tests/{each}" for each in tests]
        for name in WARM:
            importlib.import_module(name)

    def __enter__(self) -> Self:
        shutil.copy(CHECKOUT / "pyproject.toml", self._folder)
        for name in COPIED:
            ignored = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(CHECKOUT / name, self._folder / name, ignore=ignored)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._folder)

    def original(self) -> str:
        """Return the module as it is."""
        return self._module.read_text("utf-8")

    def usual_times(self) -> list[Times]:
        """Return how long each file of tests takes without a change; they must pass."""
        return [self._usual_time(tests) for tests in self._tests]

    def _usual_time(self, tests: str) -> Times:
        self._run(tests, FOREVER, writes_bytecode=True)
        began = Times.now()
        if not self._run(tests, FOREVER):
            raise SystemExit(f"Without a change {tests} fails.")
        return Times.now() - began

    def passes(self, source: str, usual: Sequence[Times]) -> bool:
        """Tell whether the tests pass with another source of the module: then they do not notice the change.

        A file is not even read if the one before it notices the change.
        """
        original = self.original()
        self._module.write_text(source, "utf-8")
        try:
            return all(
                self._run(tests, times.most()) for tests, times in zip(self._tests, usual, strict=True)
            )
        finally:
            self._module.write_text(original, "utf-8")

    def _run(self, tests: str, most: Times, *, writes_bytecode: bool = False) -> bool:
        # Python tells by the second and by the size whether bytecode is of a source.
        for stale in self._module.parent.glob(f"__pycache__/{self._module.stem}.*"):
            stale.unlink()
        process = os.fork()
        if not process:
            if most is not FOREVER:  # the system ends what goes round for ever
                resource.setrlimit(resource.RLIMIT_CPU, (ceil(most.cpu), ceil(most.cpu) + 1))
            self._test(tests, writes_bytecode=writes_bytecode)
        until = time.monotonic() + most.wall
        while time.monotonic() < until:
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status) == 0
            time.sleep(SECONDS_BETWEEN_LOOKS)
        os.killpg(process, signal.SIGKILL)
        os.waitpid(process, 0)
        return False

    def _test(self, tests: str, *, writes_bytecode: bool) -> None:
        """Run a file of tests in this process, which is a fork, and end it."""
        exit_code = 1
        try:
            os.setsid()  # so that what the tests start can be ended with them
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            os.chdir(self._folder)
            sys.dont_write_bytecode = not writes_bytecode
            sys.path.insert(0, str(self._folder))
            for name in [each for each in sys.modules if each.partition(".")[0] in {*COPIED}]:
                del sys.modules[name]
            # What is warm was imported before pytest could rewrite its assertions, which it warns of.
            warm = "ignore::pytest.PytestAssertRewriteWarning"
            options = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", warm)
            exit_code = int(pytest.main([*options, tests]))
        finally:
            os._exit(exit_code)
