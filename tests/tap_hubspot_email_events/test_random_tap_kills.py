"""A sample of runs of the tap that are killed at a call; `python -m tests.random_tap_kills` kills them at length."""

from __future__ import annotations

import os
from itertools import islice

from tests.random_tap_kills.trials import Moment, moments_of_seed, try_moment

SEED = int(os.environ.get("RANDOM_SEED", "20260320"))
CASES = int(os.environ.get("RANDOM_KILLS", "8"))


def test_a_rerun_brings_what_a_killed_run_did_not() -> None:
    wrong = []
    for moment in islice(moments_of_seed(SEED), CASES):
        problems = try_moment(moment)
        wrong += [f"{each}\n    python -m tests.random_tap_kills --case '{moment}'" for each in problems]

    assert not wrong, "\n".join([f"seed {SEED}", *wrong])


def test_a_moment_is_repeated_by_its_text() -> None:
    moment = next(moments_of_seed(SEED))

    assert Moment.parse(str(moment)) == moment
