"""`python -m tests.random_kills`: kill so many runs, and print what was wrong and how to repeat it."""

from __future__ import annotations

import secrets
import sys
import time
from argparse import ArgumentParser

from tests.new_ledgers import NewLedgers
from tests.random_kills.trials import Moment, moments_of_seed, try_moment


def main() -> int:
    """Try the moments that the command line asks for; return 1 if anything was wrong."""
    parser = ArgumentParser(prog="python -m tests.random_kills", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(1_000_000_000), help="which moments, in which order"
    )
    parser.add_argument("--cases", type=int, default=400, help="how many")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many seconds")
    parser.add_argument("--case", help="one moment, as a failure prints it")
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    began, tried, wrong = time.monotonic(), 0, 0
    with NewLedgers() as ledgers:
        moments = [Moment.parse(asked.case)] if asked.case else moments_of_seed(asked.seed, ledgers)
        for moment in moments:
            if tried == asked.cases or time.monotonic() - began > asked.seconds:
                break
            tried += 1
            if problems := try_moment(moment, ledgers):
                wrong += 1
                print(f"\n--case '{moment}'", *(f"    {each}" for each in problems), sep="\n", flush=True)
    print(f"\n{tried} cases in {time.monotonic() - began:.0f} s, {wrong} of them wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
