"""Makes the cases of a seed."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tests.random_faults.cases import Case, in_turn
from tests.random_faults.trials import KINDS, calls_of_a_run
from tests.random_faults.variants import variants

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.new_ledgers import NewLedgers
    from tests.random_faults.kinds import Call
    from tests.random_faults.variants import Variant


def cases_of_seed(seed: int, ledgers: NewLedgers) -> Iterator[Case]:
    """Yield every case of a seed's variants, in the seed's order; the calls are those of runs without a fault."""
    random = Random(seed)
    calls = {variant: calls_of_a_run(variant, ledgers) for variant in variants(random, ledgers.kinds)}
    return cases_of(calls, random)


def cases_of(calls: Mapping[Variant, Sequence[Call]], random: Random) -> Iterator[Case]:
    """Yield the cases of these calls, each with every fault, once and always, in a random order."""
    cases = [
        Case(variant, call, kind, always)
        for variant, called in calls.items()
        for call in called
        for kind in KINDS
        for always in (False, True)
    ]
    return in_turn(cases, random)
