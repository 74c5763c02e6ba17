"""The command of a generator: try cases of a seed, and print what was wrong and how to repeat it."""

from __future__ import annotations

import secrets
import time
from argparse import ArgumentParser
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Case = TypeVar("Case")


def try_cases(
    description: str | None,
    *,
    cases: Callable[[int], Iterable[Case]],
    parse: Callable[[str], Case],
    attempt: Callable[[Case], Sequence[str]],
    alone: Callable[[Case], Sequence[str]] | None = None,
    most: int,
) -> int:
    """Try as many cases as the command line asks for, by default `most`; return 1 if anything was wrong.

    `cases` makes those of a seed, `parse` the one that a failure printed, `attempt` returns what was wrong with it, and
    `alone` the same of a case that is repeated, of which it may print more.
    """
    parser = ArgumentParser(description=description)
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(1_000_000_000), help="which cases, in which order"
    )
    parser.add_argument("--cases", type=int, default=most, help="how many")
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="begin no other after so many seconds"
    )
    parser.add_argument("--case", type=parse, help="one case, as a failure prints it")
    asked = parser.parse_args()
    if asked.case is not None:
        problems = (alone or attempt)(asked.case)
        print(*problems or ["nothing is wrong"], sep="\n")
        return int(bool(problems))
    print(f"seed {asked.seed}", flush=True)
    began, tried, wrong = time.monotonic(), 0, 0
    for case in cases(asked.seed):
        # At least one is tried: to make the first may take all the time, and none shows nothing.
        if tried == asked.cases or (tried and time.monotonic() - began > asked.seconds):
            break
        tried += 1
        if problems := attempt(case):
            wrong += 1
            print(f"\n--case '{case}'", *(f"    {each}" for each in problems), sep="\n", flush=True)
    print(f"\n{tried} cases in {time.monotonic() - began:.0f} s, {wrong} of them wrong")
    return int(wrong > 0)
