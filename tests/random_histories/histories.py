"""Histories as values: made from a number, written as text, performed, and cut down."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from tests.random_histories.disturbances import DISTURBANCES
from tests.random_histories.expectations import Wrong
from tests.random_histories.simulation import Simulation
from tests.random_histories.steps import (
    STEPS,
    AddByHand,
    AddContact,
    CreateContact,
    DaysPass,
    DeleteContact,
    DeleteList,
    Merge,
    MoveAddress,
    OptOut,
    RemoveByHand,
    RenameCohort,
    RenameList,
    Run,
    RunBesideUnusableList,
    SourceChanges,
    TwoRuns,
    UnprovenRun,
    simpler_steps,
)
from tests.random_histories.unusable_lists import PROBLEMS
from tests.random_histories.variants import Variant, combinations, random_variant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.new_ledgers import NewLedgers
    from tests.random_histories.steps import Step

DISTURBED_CALLS = 16  # the number of a run's first calls in which it may be disturbed
MOST_STEPS = 12  # without the runs between them
PEOPLE = 8  # more than there are identifiers at first, since some are added
TRIES = 300  # at cutting one history down


@dataclass(frozen=True)
class History:
    """A variant and steps in order."""

    variant: Variant
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        steps = [[type(each).__name__, *astuple(each)] for each in self.steps]  # type: ignore[call-overload]
        return json.dumps({"variant": self.variant.as_json(), "steps": steps}, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> History:
        """Return the history that was written as this text."""
        parsed = json.loads(text)
        steps = tuple(STEPS[name](*map(_frozen, values)) for name, *values in parsed["steps"])
        return cls(Variant(**parsed["variant"]), steps)

    def problem(self, ledgers: NewLedgers) -> str | None:
        """Perform the steps, and then runs that nothing disturbs; return what was wrong, or None."""
        last = (Run(), Run(reconcile=True), Run())
        with Simulation(self.variant, ledgers.new_url(self.variant.ledger)) as simulation:
            for number, step in enumerate((*self.steps, *last), start=1):
                try:
                    step.perform(simulation)
                except Wrong as wrong:
                    return f"step {number}: {wrong}"
        return None


def random_history(seed: int, ledgers: Sequence[str]) -> History:
    """Return the history of a number; the combinations of settings take turns."""
    random, combined = Random(seed), combinations(ledgers)
    variant = random_variant(random, combined[seed % len(combined)])
    steps: list[Step] = [_source_changes(random)]
    for _ in range(random.randrange(2, MOST_STEPS)):
        steps.append(_step(random))
        if random.random() < 0.5:
            steps.append(_run(random))
    return History(variant, tuple(steps))


def shrunk(history: History, problem: Callable[[History], str | None]) -> History:
    """Return a simpler history that has a problem too; the simpler ones are tried for as long as that is so."""
    tries = 0
    candidates = _simpler(history)
    while tries < TRIES and (candidate := next(candidates, None)) is not None:
        tries += 1
        if problem(candidate):
            history = candidate
            candidates = _simpler(history)
    return history


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _step(random: Random) -> Step:
    person, other, cohort = random.randrange(PEOPLE), random.randrange(PEOPLE), random.randrange(2)
    weighted: tuple[tuple[int, Callable[[], Step]], ...] = (
        (6, lambda: _source_changes(random)),
        (5, lambda: _run(random)),
        (3, lambda: Merge(person, other, random.choice(("new", "first", "second")))),
        (2, lambda: DeleteContact(person)),
        (2, lambda: MoveAddress(person, has_heir=random.random() < 0.5)),
        (1, AddContact),
        (2, lambda: CreateContact(person)),
        (1, lambda: AddByHand(cohort, person)),
        (1, lambda: RemoveByHand(cohort, person)),
        (1, lambda: RenameList(cohort)),
        (1, lambda: DeleteList(cohort)),
        (1, lambda: RenameCohort(cohort)),
        (1, lambda: DaysPass(random.choice((1, 8, 100)))),
        (1, UnprovenRun),
        (1, lambda: TwoRuns(same_input=random.random() < 0.5)),
        (2, lambda: RunBesideUnusableList(cohort, random.choice(list(PROBLEMS)))),
        (1, lambda: OptOut(person)),
    )
    (make,) = random.choices([make for _, make in weighted], [weight for weight, _ in weighted])
    return make()


def _source_changes(random: Random) -> SourceChanges:
    count = random.randrange(1, 6)
    return SourceChanges(
        tuple((random.randrange(2), random.randrange(PEOPLE), random.random() < 0.65) for _ in range(count))
    )


def _run(random: Random) -> Run:
    disturbance = "none" if random.random() < 0.35 else random.choice(list(DISTURBANCES))
    return Run(disturbance, random.randrange(DISTURBED_CALLS), random.random() < 0.2)


def _simpler(history: History) -> Iterator[History]:
    """Yield histories with fewer steps, then those with simpler steps, then those of a plainer variant."""
    steps, variant = history.steps, history.variant
    size = len(steps) // 2
    while size:
        for start in range(0, len(steps), size):
            yield replace(history, steps=steps[:start] + steps[start + size :])
        size //= 2
    for index, step in enumerate(steps):
        for simpler in simpler_steps(step):
            yield replace(history, steps=(*steps[:index], simpler, *steps[index + 1 :]))
    yield from (replace(history, variant=plainer) for plainer in variant.plainer())
