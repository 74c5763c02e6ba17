"""`python -m tests.random_inputs`: run on so many hostile inputs of 500 records, and print what was wrong."""

from __future__ import annotations

import resource
import sys
from functools import partial

from tests.new_ledgers import NewLedgers
from tests.random_inputs.trials import Case, cases_of_seed, try_case
from tests.trying import try_cases

MOST_MB = 600  # of this process, in which the local HubSpot and every run are


def main() -> int:
    """Try the inputs that the command line asks for; return 1 if anything was wrong, or memory grew."""
    with NewLedgers() as ledgers:
        exit_code = try_cases(
            __doc__,
            cases=cases_of_seed,
            parse=Case.parse,
            attempt=partial(try_case, ledgers=ledgers),
            most=200,
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"peak memory {peak:.0f} MB")
    return int(exit_code > 0 or peak > MOST_MB)


if __name__ == "__main__":
    sys.exit(main())
