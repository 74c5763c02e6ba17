"""`python -m tests.random_faults`: try so many cases, and print what was wrong and how to repeat it."""

from __future__ import annotations

import secrets
import sys
import time
from argparse import ArgumentParser
from typing import TYPE_CHECKING

from tests.new_ledgers import NewLedgers
from tests.random_faults.cases import Case
from tests.random_faults.generating import cases_of_seed
from tests.random_faults.trials import try_case

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator


def main() -> int:
    """Try the cases that the command line asks for; return 1 if anything was wrong."""
    asked = _asked()
    with NewLedgers() as ledgers:
        if asked.case:
            trial = try_case(Case.parse(asked.case), ledgers)
            print(*trial.problems or ["nothing is wrong"], trial.log, sep="\n")
            return int(bool(trial.problems))
        print(f"seed {asked.seed}", flush=True)
        return _try(cases_of_seed(asked.seed, ledgers), asked, ledgers)


def _try(cases: Iterator[Case], asked: Namespace, ledgers: NewLedgers) -> int:
    began, tried, failed = time.monotonic(), 0, 0
    for case in cases:
        if tried == asked.cases or time.monotonic() - began > asked.seconds:
            break
        tried += 1
        if problems := try_case(case, ledgers).problems:
            failed += 1
            told = "\n".join(f"    {each}" for each in problems)
            print(f"\n--case '{case}'\n{told}", flush=True)
    print(f"\n{tried} cases in {time.monotonic() - began:.0f} s, {failed} of them wrong")
    return int(failed > 0)


def _asked() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.random_faults", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(1_000_000_000), help="which cases, in which order"
    )
    parser.add_argument("--cases", type=int, default=1000, help="how many")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many seconds")
    parser.add_argument("--case", help="one case, as a failure prints it")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
