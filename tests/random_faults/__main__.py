"""`python -m tests.random_faults`: try so many cases, and print what was wrong and how to repeat it."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from tests.new_ledgers import NewLedgers
from tests.random_faults.cases import Case
from tests.random_faults.generating import cases_of_seed
from tests.random_faults.trials import try_case
from tests.trying import try_cases

if TYPE_CHECKING:
    from collections.abc import Sequence


def main() -> int:
    """Try the cases that the command line asks for; return 1 if anything was wrong."""
    with NewLedgers() as ledgers:

        def alone(case: Case) -> Sequence[str]:
            trial = try_case(case, ledgers)
            print(trial.log)
            return trial.problems

        return try_cases(
            __doc__,
            cases=partial(cases_of_seed, ledgers=ledgers),
            parse=Case.parse,
            attempt=lambda case: try_case(case, ledgers).problems,
            alone=alone,
            most=1000,
        )


if __name__ == "__main__":
    sys.exit(main())
