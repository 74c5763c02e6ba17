"""Runs of the target that something disturbs: HubSpot refuses or loses calls, or the process is ended by a signal."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.forked_target import Forked
from tests.held_calls import PATIENCE, HeldCall, wait_until_handled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_hubspot_lists.target import TargetHubSpotLists
    from tests.in_process import Ended
    from tests.random_histories.simulation import Simulation

LOCK_SECONDS = 60  # of the simulated clock: after a run in a process of its own, which has a clock of its own


@dataclass(frozen=True)
class Disturbance:
    """What happens to a run from its call of a number on; and the exit codes that it may end with."""

    run: Callable[[Simulation, list[str], dict[str, Any], int], Ended]
    exit_codes: frozenset[int]


def _undisturbed(simulation: Simulation, messages: list[str], config: dict[str, Any], call: int) -> Ended:
    del call
    return simulation.run(messages, config)


def _answered(**answer: Any) -> Callable[[Simulation, list[str], dict[str, Any], int], Ended]:
    """From this call on, HubSpot gives this answer."""

    def disturbed(simulation: Simulation, messages: list[str], config: dict[str, Any], call: int) -> Ended:
        simulation.hubspot.faults.next("*", "", after=call, times=None, **answer)
        return simulation.run(messages, config)

    return disturbed


def _last_answer_lost(
    simulation: Simulation, messages: list[str], config: dict[str, Any], call: int
) -> Ended:
    """HubSpot handles this call, its answer is lost, and every later call is refused."""
    simulation.hubspot.faults.accept_then_drop("*", "", after=call)
    simulation.hubspot.faults.next("*", "", after=call, times=None, status=500)
    return simulation.run(messages, config)


def _answers_lost(simulation: Simulation, messages: list[str], config: dict[str, Any], call: int) -> Ended:
    """From this call on, every second answer is lost."""
    for number in range(call, call + 60, 2):
        simulation.hubspot.faults.accept_then_drop("*", "", after=number)
    return simulation.run(messages, config)


def _terminated(simulation: Simulation, messages: list[str], config: dict[str, Any], call: int) -> Ended:
    """The process gets a SIGTERM while HubSpot has this call."""
    targets: list[TargetHubSpotLists] = []

    def terminate() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        while not targets[0].has_to_stop():
            time.sleep(0.0005)

    simulation.hubspot.faults.call("*", "", terminate, after=call)
    return simulation.run(messages, config, starting=targets.append)


def _killed(*, takes_effect: bool) -> Callable[[Simulation, list[str], dict[str, Any], int], Ended]:
    """The process gets a SIGKILL while HubSpot has this call, which takes effect or does not."""

    def disturbed(simulation: Simulation, messages: list[str], config: dict[str, Any], call: int) -> Ended:
        held = HeldCall(simulation.hubspot, after=call, takes_effect=takes_effect)
        with forked_runs(simulation, [messages], config) as (forked,):
            held.kill(forked.process)
            return forked.ended(PATIENCE)

    return disturbed


@contextmanager
def forked_runs(
    simulation: Simulation, inputs: list[list[str]], config: dict[str, Any]
) -> Iterator[list[Forked]]:
    """Start runs in processes of their own; at the end of the `with` block HubSpot has handled all their calls.

    The emulator's clock stands still meanwhile, so its reads must not lag.
    """
    quirks, now = simulation.portal.quirks, simulation.clock.time()
    quirks.contact_lag = quirks.new_contact_lag = quirks.membership_lag_seconds = 0.0
    with tempfile.TemporaryDirectory() as folder:
        paths = (Path(folder) / f"run{number}.jsonl" for number in range(len(inputs)))
        yield [
            Forked.start(config, messages, now=now, path=path)
            for messages, path in zip(inputs, paths, strict=False)
        ]
    wait_until_handled(simulation.hubspot)
    lag = simulation.variant.lag
    quirks.contact_lag = quirks.new_contact_lag = quirks.membership_lag_seconds = lag
    simulation.clock.sleep(LOCK_SECONDS)


# A signal, or a refusal, may come after a run's last call: then the run exits 0.
DISTURBANCES = {
    "none": Disturbance(_undisturbed, frozenset({0})),
    "answers lost": Disturbance(_answers_lost, frozenset({0})),
    "500": Disturbance(_answered(status=500), frozenset({0, 1})),
    "503": Disturbance(_answered(status=503), frozenset({0, 1})),
    "daily limit": Disturbance(_answered(status=429, policy="DAILY"), frozenset({0, 1})),
    "last answer lost": Disturbance(_last_answer_lost, frozenset({0, 1})),
    "SIGTERM": Disturbance(_terminated, frozenset({0, 128 + signal.SIGTERM})),
    "SIGKILL": Disturbance(_killed(takes_effect=False), frozenset({0, -signal.SIGKILL})),
    "SIGKILL after the call": Disturbance(_killed(takes_effect=True), frozenset({0, -signal.SIGKILL})),
}
