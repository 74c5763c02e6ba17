"""`python -m tests.random_kills`: kill so many runs, and print what was wrong and how to repeat it."""

from __future__ import annotations

import sys
from functools import partial

from tests.new_ledgers import NewLedgers
from tests.random_kills.trials import Moment, moments_of_seed, try_moment
from tests.trying import try_cases


def main() -> int:
    """Try the moments that the command line asks for; return 1 if anything was wrong."""
    with NewLedgers() as ledgers:
        return try_cases(
            __doc__,
            cases=partial(moments_of_seed, ledgers=ledgers),
            parse=Moment.parse,
            attempt=partial(try_moment, ledgers=ledgers),
            most=400,
        )


if __name__ == "__main__":
    sys.exit(main())
