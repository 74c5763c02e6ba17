"""The target in processes of its own that start at once, to be killed: forked off one that has imported it."""

from __future__ import annotations

import io
import json
import logging
import multiprocessing
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_hubspot_lists.target import TargetHubSpotLists
from tests.clocks import HurriedClock
from tests.in_process import Ended

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess
    from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


def start(config: dict[str, Any], *messages: str) -> ForkServerProcess:
    """Start a run on these messages; its exit code is the run's."""
    process = _CONTEXT.Process(target=_run, args=(config, _lines(messages)))
    process.start()
    return process


@dataclass(frozen=True)
class Forked:
    """A run in a process of its own, whose clock hurries, and whose output goes into files."""

    process: ForkServerProcess
    path: Path

    @classmethod
    def start(cls, config: dict[str, Any], messages: list[str], *, now: float, path: Path) -> Forked:
        process = _CONTEXT.Process(target=_run_and_tell, args=(config, _lines(messages), now, path))
        process.start()
        return cls(process, path)

    def ended(self, seconds: float) -> Ended:
        """Wait for the end of the process, and return how the run ended; a STATE that was cut off is left out."""
        self.process.join(seconds)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
            raise TimeoutError
        output = self.path.read_text("utf-8") if self.path.exists() else ""
        log = _log(self.path).read_text("utf-8") if _log(self.path).exists() else ""
        states = [json.loads(line) for line in output.splitlines(keepends=True) if line.endswith("\n")]
        return Ended(self.process.exitcode, states, log, f"{log}\n{output}")


def _lines(messages: tuple[str, ...] | list[str]) -> str:
    return "".join(f"{each}\n" for each in messages)


def _run(config: dict[str, Any], source: str) -> None:
    sys.exit(TargetHubSpotLists(config=config).run(io.BytesIO(source.encode())))


def _run_and_tell(config: dict[str, Any], source: str, now: float, path: Path) -> None:
    logging.basicConfig(
        filename=_log(path), format="%(levelname)s %(message)s", level=logging.INFO, force=True
    )
    with path.open("w", encoding="utf-8") as sys.stdout:
        target = TargetHubSpotLists(config=config, clock=HurriedClock(now=now))
        sys.exit(target.run(io.BytesIO(source.encode())))


def _log(path: Path) -> Path:
    return path.with_suffix(".log")
