"""`python -m tests.random_tap_faults`: try so many cases, and print what was wrong and how to repeat it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.random_tap_faults.trials import cases_of_seed, try_case
from tests.trying import try_cases

if TYPE_CHECKING:
    from tests.random_tap_faults.trials import Case


def main() -> int:
    """Try the cases that the command line asks for; return 1 if anything was wrong."""
    return try_cases(__doc__, cases=cases_of_seed, parse=parse, attempt=try_case, most=200)


def parse(text: str) -> Case:
    """Return the case of this text; a seed says only in which order all of them come."""
    return next(case for case in cases_of_seed(0) if str(case) == text)


if __name__ == "__main__":
    sys.exit(main())
