"""`python -m tests.mutants`: change the pure modules, and print what no test notices."""

from __future__ import annotations

import sys
import time
import tomllib
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path

from tests.mutants.making import mutants
from tests.mutants.modules import TESTS
from tests.mutants.running import Copy

ARGUED = Path(__file__).with_name("argued.toml")


def main() -> int:
    """Try the changes of the modules that the command line names; return 1 if one is not noticed."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="only modules whose path has one of these")
    parser.add_argument("--argued-too", action="store_true", help="print those that are argued, too")
    asked = parser.parse_args()
    chosen = [each for each in TESTS if not asked.only or any(part in each for part in asked.only)]
    if not chosen:
        parser.error(f"no module's path has any of {asked.only}")
    survivors = [_survivors(module, argued_too=asked.argued_too) for module in chosen]
    return int(any(survivors))


def _survivors(module: str, *, argued_too: bool) -> int:
    """Print and count the changes of a module that no test notices and that are not argued."""
    argued = _argued(module)
    began, made, found = time.monotonic(), 0, 0
    with Copy(module, TESTS[module]) as copy:
        usual = copy.usual_times()
        for mutant in mutants(copy.original()):
            made += 1
            if not copy.passes(mutant.source, usual):
                continue
            change = (mutant.before, mutant.after)
            if argued[change] > 0:
                argued[change] -= 1
                if not argued_too:
                    continue
            else:
                found += 1
            print(f"{module}, {mutant}", flush=True)
    known = _argued(module).total() - argued.total()
    seconds, noticed = time.monotonic() - began, made - found - known
    print(
        f"{module}: {made} changes in {seconds:.0f} s; {noticed} noticed, {known} argued, {found} neither",
        flush=True,
    )
    for before, after in argued.elements():
        print(f"    argued, but it is noticed or gone: {before} -> {after}", flush=True)
    return found


def _argued(module: str) -> Counter[tuple[str, str]]:
    """Return the changes of a module that are argued: the lines before and after."""
    lists = tomllib.loads(ARGUED.read_text("utf-8"))
    return Counter((each["before"], each["after"]) for each in lists.get(module, []))


if __name__ == "__main__":
    sys.exit(main())
