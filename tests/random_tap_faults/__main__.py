"""`python -m tests.random_tap_faults`: try so many cases, and print what was wrong and how to repeat it."""

from __future__ import annotations

import secrets
import sys
from argparse import ArgumentParser
from itertools import islice

from tests.random_tap_faults.trials import cases_of_seed, try_case


def main() -> int:
    """Try the cases that the command line asks for; return 1 if anything was wrong."""
    parser = ArgumentParser(prog="python -m tests.random_tap_faults", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(1_000_000_000), help="the order of the cases"
    )
    parser.add_argument("--cases", type=int, default=200, help="how many")
    parser.add_argument("--case", help="one case, as a failure prints it")
    asked = parser.parse_args()
    cases = (each for each in cases_of_seed(asked.seed) if asked.case in {None, str(each)})
    tried, wrong = 0, 0
    for case in islice(cases, asked.cases):
        tried += 1
        if problems := try_case(case):
            wrong += 1
            print(f"\n--case '{case}'", *(f"    {each}" for each in problems), sep="\n", flush=True)
    print(f"\nseed {asked.seed}: {tried} cases, {wrong} of them wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
