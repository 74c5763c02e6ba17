"""`python -m tests.random_inputs`: run on so many hostile inputs, and print what was wrong and how to repeat it."""

from __future__ import annotations

import resource
import secrets
import sys
import time
from argparse import ArgumentParser

from tests.new_ledgers import NewLedgers
from tests.random_inputs.trials import RECORDS, Case, cases_of_seed, try_case

MOST_MB = 600  # of this process, in which the local HubSpot and every run are


def main() -> int:
    """Try the inputs that the command line asks for; return 1 if anything was wrong."""
    parser = ArgumentParser(prog="python -m tests.random_inputs", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(1_000_000_000), help="number of the first"
    )
    parser.add_argument("--cases", type=int, default=200, help=f"how many, of {RECORDS} records each")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many seconds")
    parser.add_argument("--case", type=int, help="one input, as a failure prints it")
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    began, tried, wrong = time.monotonic(), 0, 0
    with NewLedgers() as ledgers:
        for case in [Case(asked.case)] if asked.case is not None else cases_of_seed(asked.seed):
            if tried == asked.cases or time.monotonic() - began > asked.seconds:
                break
            tried += 1
            if problems := try_case(case, ledgers):
                wrong += 1
                print(f"\n--case {case}", *(f"    {each}" for each in problems), sep="\n", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    took = time.monotonic() - began
    print(f"\n{tried} cases of {RECORDS} records in {took:.0f} s, {wrong} of them wrong; peak {peak:.0f} MB")
    return int(wrong > 0 or peak > MOST_MB)


if __name__ == "__main__":
    sys.exit(main())
