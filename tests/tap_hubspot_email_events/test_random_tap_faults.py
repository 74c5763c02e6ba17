"""Cases in which a call of the tap meets a fault, a sample; `python -m tests.random_tap_faults` tries more."""

from __future__ import annotations

import os
from itertools import islice

import pytest

from tests.random_tap_faults.trials import KINDS, cases_of_seed, try_case

# The same sample each time: a failure belongs to the change that made it.
SEED = int(os.environ.get("RANDOM_SEED", "20260320"))
CASES = int(os.environ.get("RANDOM_FAULTS", "140"))
PARTS = 2  # which are tried side by side


@pytest.mark.parametrize("part", range(PARTS))
def test_what_is_promised_of_a_fault_holds_at_any_call_of_the_tap(part: int) -> None:
    wrong = []
    for case in islice(cases_of_seed(SEED), part, CASES, PARTS):
        wrong += [f"{case}\n    {problem}" for problem in try_case(case)]

    assert not wrong, "\n".join([f"seed {SEED}", *wrong])


def test_every_fault_comes_once_before_any_comes_twice() -> None:
    first = list(islice(cases_of_seed(SEED), len(KINDS)))

    assert {each.kind for each in first} == set(KINDS)
