"""A sample of hostile inputs; `python -m tests.random_inputs` makes them at length."""

from __future__ import annotations

import os
from itertools import islice

from tests.new_ledgers import NewLedgers
from tests.random_inputs.trials import cases_of_seed, try_case

SEED = int(os.environ.get("RANDOM_SEED", "20260320"))
CASES = int(os.environ.get("RANDOM_INPUTS", "8"))


def test_a_run_bears_any_input_and_gives_nobody_away() -> None:
    wrong = []
    with NewLedgers() as ledgers:
        for case in islice(cases_of_seed(SEED), CASES):
            problems = try_case(case, ledgers)
            wrong += [f"{each}\n    python -m tests.random_inputs --case {case}" for each in problems]

    assert not wrong, "\n".join(wrong)
