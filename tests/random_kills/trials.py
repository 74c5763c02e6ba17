"""Kills a run at one of its calls, runs it again, and says what is wrong afterwards."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from tests.forked_target import Forked
from tests.held_calls import PATIENCE, HeldCall, wait_until_handled
from tests.in_process import run
from tests.random_faults.trials import calls_of_a_run, prepare
from tests.random_faults.variants import Variant, variants
from tests.random_faults.worlds import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.in_process import Ended
    from tests.new_ledgers import NewLedgers

LOCK_SECONDS = 60  # of the simulated clock: the killed process had a clock of its own


@dataclass(frozen=True)
class Moment:
    """A call of a run, and whether HubSpot handles it though the process is gone."""

    variant: Variant
    call: int
    takes_effect: bool

    def __str__(self) -> str:
        return f"{self.variant}|{self.call}|{'handled' if self.takes_effect else 'lost'}"

    @classmethod
    def parse(cls, text: str) -> Moment:
        variant, call, effect = text.split("|")
        return cls(Variant.parse(variant), int(call), effect == "handled")


def moments_of_seed(seed: int, ledgers: NewLedgers) -> Iterator[Moment]:
    """Yield every moment of a seed's variants in a random order; of each variant one comes before a second one."""
    random = Random(seed)
    left = [_moments_of(variant, random, ledgers) for variant in variants(random, ledgers.kinds)]
    while left:
        for of_variant in list(left):
            moment = next(of_variant, None)
            if moment is None:
                left.remove(of_variant)
            else:
                yield moment


def _moments_of(variant: Variant, random: Random, ledgers: NewLedgers) -> Iterator[Moment]:
    """Yield the moments of one variant in a random order; a run without a kill tells how many there are."""
    calls = range(len(calls_of_a_run(variant, ledgers)))
    moments = [Moment(variant, call, effect) for call in calls for effect in (False, True)]
    random.shuffle(moments)
    yield from moments


def try_moment(moment: Moment, ledgers: NewLedgers) -> list[str]:
    """Kill a run at this moment, run it again, and return what is wrong with the lists and contacts."""
    with World(moment.variant, ledgers.new_url(moment.variant.ledger)) as world:
        prepare(world)
        killed = _killed(world, moment)
        problems = [
            f"a STATE left that covers what HubSpot does not have: {state}"
            for state in killed.states
            if not world.covers(state)
        ]
        if killed.exit_code == 0 and world.problems():
            problems.append(f"exit 0, but {'; '.join(world.problems())}")
        world.clock.sleep(LOCK_SECONDS)
        again = run(world.messages(), world.config, world.clock)
        if again.exit_code:
            problems.append(f"the rerun exits {again.exit_code}: {again.errors}")
        return problems + [f"after the rerun {each}" for each in world.problems()]


def _killed(world: World, moment: Moment) -> Ended:
    """Run in a process of its own until HubSpot has the call, and kill the process there."""
    held = HeldCall(world.hubspot, after=moment.call, takes_effect=moment.takes_effect)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        forked = Forked.start(world.config, [*world.messages()], now=world.clock.time(), path=path)
        held.kill(forked.process)
        ended = forked.ended(PATIENCE)
    wait_until_handled(world.hubspot)
    world.hubspot.faults.clear()
    return ended
