"""Kills a run of the tap at one of its calls, runs it again on what it wrote, and says what is wrong afterwards."""

from __future__ import annotations

import json
import logging
import multiprocessing
import signal
import sys
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.tap import TapHubSpotEmailEvents
from tests.clocks import HurriedClock
from tests.held_calls import HeldCall, wait_until_handled
from tests.random_tap_faults.trials import (
    CAMPAIGNS,
    CATALOG,
    CREDENTIALS,
    HISTORIES,
    WORKERS,
    World,
    calls_of_a_run,
)
from tests.tap_hubspot_email_events.tap_runs import Ended

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Moment:
    """A call of a run, and whether HubSpot handles it though the process is gone."""

    history: str
    workers: int
    credential: str
    call: int
    takes_effect: bool

    def __str__(self) -> str:
        effect = "handled" if self.takes_effect else "lost"
        return f"{self.history}|{self.workers}|{self.credential}|{self.call}|{effect}"

    @classmethod
    def parse(cls, text: str) -> Moment:
        history, workers, credential, call, effect = text.split("|")
        return cls(history, int(workers), credential, int(call), effect == "handled")


def moments_of_seed(seed: int) -> Iterator[Moment]:
    """Yield every moment of every kind of run, in the seed's order."""
    random = Random(seed)
    moments = [
        Moment(history, workers, credential, call, takes_effect)
        for history, workers, credential in product(HISTORIES, WORKERS, CREDENTIALS)
        for call in range(len(calls_of_a_run(history, workers, credential)))
        for takes_effect in (False, True)
    ]
    random.shuffle(moments)
    return iter(moments)


def try_moment(moment: Moment) -> list[str]:
    """Kill a run at this moment, run it again, and return what is wrong with what both wrote."""
    world = World(moment.history, moment.workers, moment.credential)
    with world.hubspot:
        world.prepare()
        killed = _killed(world, moment)
        world.warehouse.load(killed)
        again = world.run()
        problems = [] if again.exit_code == 0 else [f"the rerun exits {again.exit_code}: {again.errors}"]
        if missing := world.missing():
            problems.append(f"the warehouse lacks {len(missing)}, such as {min(missing, key=repr)}")
        third = [each for each in world.run().messages if each["type"] == "RECORD"]
        if events := [each for each in third if each["stream"] != CAMPAIGNS]:
            problems.append(f"a third run, with nothing new, writes {len(events)} events")
        return problems + [f"the log holds {each}" for each in world.secrets if each in killed.log]


def _killed(world: World, moment: Moment) -> Ended:
    """Run in a process of its own until HubSpot has the call, and kill the process there."""
    held = HeldCall(world.hubspot, after=moment.call, takes_effect=moment.takes_effect)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        arguments = (world.config, world.warehouse.state, world.clock.time(), path)
        process = _CONTEXT.Process(target=_run, args=arguments)
        process.start()
        held.kill(process)
        log = _log(path).read_text("utf-8") if _log(path).exists() else ""
        output = path.read_text("utf-8") if path.exists() else ""
    wait_until_handled(world.hubspot)
    world.hubspot.faults.clear()
    lines = (line for line in output.splitlines(keepends=True) if line.endswith("\n"))
    return Ended(128 + signal.SIGKILL, [json.loads(line) for line in lines], log, [])


def _run(config: dict[str, Any], state: dict[str, Any] | None, now: float, path: Path) -> None:
    logging.basicConfig(filename=_log(path), level=logging.DEBUG, force=True)
    with path.open("w", encoding="utf-8") as sys.stdout:
        clock = HurriedClock(now=now)
        TapHubSpotEmailEvents(config=config, state=state, catalog=CATALOG, clock=clock).sync_all()


def _log(path: Path) -> Path:
    return path.with_suffix(".log")
