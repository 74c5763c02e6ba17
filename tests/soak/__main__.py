"""`python -m tests.soak`: let months of runs pass, print their curves, and what was wrong and how to repeat it."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from tests.new_ledgers import NewLedgers
from tests.soak.months import Soak, lasting_problems, soak, soaks_of_seed
from tests.trying import try_cases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.soak.months import Result


def main() -> int:
    """Let the months pass that the command line asks for; return 1 if anything was wrong."""
    with NewLedgers() as ledgers:

        def shown(asked: Soak) -> Result:
            result = soak(asked, ledgers)
            print(f"\n{asked}", result, sep="\n", flush=True)
            return result

        def attempt(asked: Soak) -> Sequence[str]:
            return lasting_problems(asked, shown)

        cases = partial(soaks_of_seed, ledgers=ledgers.kinds)
        return try_cases(__doc__, cases=cases, parse=Soak.parse, attempt=attempt, most=3)


if __name__ == "__main__":
    sys.exit(main())
