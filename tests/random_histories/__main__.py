"""`python -m tests.random_histories`: perform so many histories, and print those that go wrong, cut down."""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING

from tests.new_ledgers import NewLedgers
from tests.random_histories.histories import History, random_history, shrunk
from tests.trying import try_cases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def main() -> int:
    """Perform the histories that the command line asks for; return 1 if any went wrong."""
    with NewLedgers() as ledgers:

        def histories(seed: int) -> Iterator[History]:
            return (random_history(each, ledgers.kinds) for each in itertools.count(seed))

        def problem(history: History) -> Sequence[str]:
            found = history.problem(ledgers)
            return [] if found is None else [found]

        def problem_cut_down(history: History) -> Sequence[str]:
            found = problem(history)
            if not found:
                return []
            short = shrunk(history, lambda each: each.problem(ledgers))
            return [*found, f"cut down: {short.problem(ledgers)}", f"--case '{short}'"]

        return try_cases(
            __doc__, cases=histories, parse=History.parse, attempt=problem_cut_down, alone=problem, most=100
        )


if __name__ == "__main__":
    sys.exit(main())
