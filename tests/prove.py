"""`make prove`: show at length what the documents promise, part by part, each with its seed and its number of cases.

Each part is a command of its own, which also repeats a case that went wrong.
"""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
from argparse import ArgumentParser
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


RESULT = re.compile(r"\d+ cases in ")  # as each part ends


@dataclass(frozen=True)
class Result:
    """How many cases a part tried, and whether all were right."""

    cases: str
    is_kept: bool


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

    def run(self, seed: int, seconds: float) -> Result:
        """Try cases for so many seconds, and show what comes of them meanwhile."""
        print(f"\n== {self.module}: {self.shows}", flush=True)
        cases = "ended without a result"
        with subprocess.Popen(self.command(seed, seconds), stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                cases = line.strip() if RESULT.match(line) else cases
        return Result(cases, is_kept=process.returncode == 0)


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
    whole = sum(each.share for each in parts)
    results = [(each, each.run(asked.seed, asked.minutes * 60 * each.share / whole)) for each in parts]
    print(f"\nseed {asked.seed}")
    for part, result in results:
        print(f"{'kept  ' if result.is_kept else 'BROKEN'}  {part.module}: {result.cases}; {part.shows}")
    return int(not all(result.is_kept for _, result in results))


if __name__ == "__main__":
    sys.exit(main())
