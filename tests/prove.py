"""`make prove`: show at length what the documents promise, part by part, each with its seed and its number of cases.

Each part is a command of its own, which also repeats a case that went wrong.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from argparse import ArgumentParser
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Part:
    """One generator of cases: what it shows, and its share of the time."""

    module: str
    shows: str
    share: int

    def command(self, seed: int, seconds: float) -> list[str]:
        """Return the command that tries cases of this seed for so many seconds."""
        limits = ("--cases", "1000000", "--seconds", str(round(seconds)))
        return [sys.executable, "-m", self.module, "--seed", str(seed), *limits]


PARTS = (
    Part(
        "tests.random_faults",
        "any fault at any call of the target: exact lists after a rerun, honest STATE",
        4,
    ),
    Part(
        "tests.random_histories",
        "random histories of source, portal and runs, against a model of the truth",
        5,
    ),
    Part(
        "tests.random_kills",
        "the target killed at any call: a rerun heals the lists, and nothing is made twice",
        3,
    ),
    Part("tests.random_inputs", "hostile input: no crash, no address in any output, nobody else suffers", 2),
    Part(
        "tests.random_tap_faults",
        "any fault at any call of the tap: every event after a rerun, honest STATE",
        2,
    ),
    Part(
        "tests.random_tap_kills",
        "the tap killed at any call: a rerun brings every event, and no STATE was ahead of them",
        2,
    ),
    Part(
        "tests.soak",
        "months of runs one after another: exact lists, every late event, and nothing grows",
        3,
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts one after another; return 1 if a part found something wrong."""
    parser = ArgumentParser(prog="make prove", description=__doc__)
    names = [each.module.rpartition(".")[2] for each in PARTS]
    parser.add_argument("part", nargs="*", help=f"only these of {', '.join(names)}")
    parser.add_argument("--minutes", type=float, default=55.0, help="for all parts together")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000_000), help="of every part")
    asked = parser.parse_args(arguments)
    if strange := set(asked.part) - set(names):
        parser.error(f"there is no {', '.join(sorted(strange))}")
    parts = [each for each, name in zip(PARTS, names, strict=True) if not asked.part or name in asked.part]
    whole, results = sum(each.share for each in parts), []
    for part in parts:
        print(f"\n== {part.module}: {part.shows}", flush=True)
        began = time.monotonic()
        seconds = asked.minutes * 60 * part.share / whole
        ended = subprocess.run(part.command(asked.seed, seconds), check=False)
        results.append((part, ended.returncode, time.monotonic() - began))
    print(f"\nseed {asked.seed}")
    for part, exit_code, seconds in results:
        print(f"{'BROKEN' if exit_code else 'kept  '}  {seconds:6.0f} s  {part.module}: {part.shows}")
    return int(any(exit_code for _, exit_code, _ in results))


if __name__ == "__main__":
    sys.exit(main())
