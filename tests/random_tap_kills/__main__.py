"""`python -m tests.random_tap_kills`: kill so many runs, and print what was wrong and how to repeat it."""

from __future__ import annotations

import sys

from tests.random_tap_kills.trials import Moment, moments_of_seed, try_moment
from tests.trying import try_cases


def main() -> int:
    """Try the moments that the command line asks for; return 1 if anything was wrong."""
    return try_cases(__doc__, cases=moments_of_seed, parse=Moment.parse, attempt=try_moment, most=200)


if __name__ == "__main__":
    sys.exit(main())
