"""The command of a generator: try cases of a seed, and print what was wrong and how to repeat it."""

from __future__ import annotations

import secrets
import sys
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
    most: int,
) -> int:
    """Try as many cases as the command line asks for, by default `most`; return 1 if anything was wrong.

    `cases` makes those of a seed, `parse` the one that a failure printed, `attempt` returns what was wrong with it.
    """
    parser = ArgumentParser(description=description)
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(1_000_000_000), help="which cases, in which order"
    )
    parser.add_argument("--cases", type=int, default=most, help="how many")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many seconds")
    parser.add_argument("--case", type=parse, help="one case, as a failure prints it")
    asked = parser.parse_args()
    if asked.case is None:
        sys.stdout.write(f"seed {asked.seed}\n")
    began, tried, wrong = time.monotonic(), 0, 0
    for case in cases(asked.seed) if asked.case is None else [asked.case]:
        if tried == asked.cases or time.monotonic() - began > asked.seconds:
            break
        tried += 1
        if problems := attempt(case):
            wrong += 1
            told = "".join(f"    {each}\n" for each in problems)
            sys.stdout.write(f"\n--case '{case}'\n{told}")
        sys.stdout.flush()
    sys.stdout.write(f"\n{tried} cases in {time.monotonic() - began:.0f} s, {wrong} of them wrong\n")
    return int(wrong > 0)
