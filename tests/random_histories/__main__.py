"""`python -m tests.random_histories`: perform so many histories, and print those that go wrong, cut down."""

from __future__ import annotations

import secrets
import sys
import time
from argparse import ArgumentParser
from typing import TYPE_CHECKING

from tests.new_ledgers import NewLedgers
from tests.random_histories.histories import History, random_history, shrunk

if TYPE_CHECKING:
    from argparse import Namespace


def main() -> int:
    """Perform the histories that the command line asks for; return 1 if any went wrong."""
    asked = _asked()
    with NewLedgers() as ledgers:
        if asked.history:
            problem = History.parse(asked.history).problem(ledgers)
            print(problem or "nothing is wrong")
            return int(problem is not None)
        print(f"seed {asked.seed}", flush=True)
        began, performed, failed = time.monotonic(), 0, 0
        for seed in range(asked.seed, asked.seed + asked.cases):
            if time.monotonic() - began > asked.seconds:
                break
            performed += 1
            failed += _goes_wrong(seed, ledgers)
    print(f"\n{performed} histories in {time.monotonic() - began:.0f} s, {failed} of them wrong")
    return int(failed > 0)


def _goes_wrong(seed: int, ledgers: NewLedgers) -> bool:
    history = random_history(seed, ledgers.kinds)
    problem = history.problem(ledgers)
    if problem is None:
        return False
    print(f"\nhistory {seed}: {problem}\n    --history '{history}'", flush=True)
    short = shrunk(history, lambda each: each.problem(ledgers))
    print(f"  cut down: {short.problem(ledgers)}\n    --history '{short}'", flush=True)
    return True


def _asked() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.random_histories", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(1_000_000_000), help="number of the first history"
    )
    parser.add_argument("--cases", type=int, default=100, help="how many histories")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many seconds")
    parser.add_argument("--history", help="one history, as a failure prints it")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
