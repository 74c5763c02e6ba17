"""A sample of cases in which a call of a run meets a fault; `python -m tests.random_faults` tries them at length."""

from __future__ import annotations

import os
from itertools import islice
from random import Random

import pytest

from tests.new_ledgers import NewLedgers
from tests.random_faults.cases import Case
from tests.random_faults.generating import cases_of, cases_of_seed
from tests.random_faults.kinds import Call
from tests.random_faults.trials import KINDS, try_case
from tests.random_faults.variants import DIMENSIONS, variants

# The same sample each time: a failure belongs to the change that made it.
SEED = int(os.environ.get("RANDOM_SEED", "20260320"))
CASES = int(os.environ.get("RANDOM_FAULTS", "160"))
PARTS = 2  # which are tried side by side


@pytest.mark.parametrize("part", range(PARTS))
def test_what_is_promised_of_a_fault_holds_at_any_call(part: int) -> None:
    wrong = []
    with NewLedgers() as ledgers:
        for case in islice(cases_of_seed(SEED, ledgers), part, CASES, PARTS):
            trial = try_case(case, ledgers)
            wrong += [f"{each}\n    python -m tests.random_faults --case '{case}'" for each in trial.problems]

    assert not wrong, "\n".join([f"seed {SEED}", *wrong])


def some_cases(seed: int) -> list[Case]:
    random = Random(seed)
    call = Call("PUT", "/crm/lists/2026-03/1/memberships/add-and-remove", 0)
    return list(cases_of({each: [call] for each in variants(random)}, random))


def test_every_two_values_of_two_dimensions_meet() -> None:
    met = {
        (name, str(getattr(each, name)), other, str(getattr(each, other)))
        for each in variants(Random(SEED))
        for name in DIMENSIONS
        for other in DIMENSIONS
    }

    assert met >= {
        (name, value, other, another)
        for name, values in DIMENSIONS.items()
        for value in values
        for other, others in DIMENSIONS.items()
        for another in others
        if name != other
    }


def test_every_fault_comes_once_before_any_comes_twice() -> None:
    first = some_cases(SEED)[: len(KINDS)]

    assert {each.kind for each in first} == set(KINDS)


def test_a_case_is_told_as_text_and_read_again() -> None:
    cases = some_cases(SEED)

    assert [Case.parse(str(each)) for each in cases] == cases


def test_a_seed_gives_the_same_cases_again() -> None:
    assert some_cases(SEED) == some_cases(SEED)
    assert some_cases(SEED) != some_cases(SEED + 1)
