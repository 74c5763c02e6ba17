"""A million events in one window, and 200,000 in one millisecond: peak memory below 250 MB.

Run it with `python -m benchmarks.email_event_memory`; a number after it takes the place of the million.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.email_events import DAY, SETTLED, served, table, tap_run
from benchmarks.harness import promise

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hubspot_emulator import Portal

MILLION = 1_000_000
IN_A_MILLISECOND = 200_000
MAX_MB = 250


def a_window(portal: Portal, count: int) -> None:
    """Put the events, of the largest type, at equal distances into thirty days."""
    portal.add_events("OPEN", range(SETTLED - 30 * DAY, SETTLED, 30 * DAY // count))


def a_millisecond(portal: Portal, count: int) -> None:
    """Put the events into one millisecond."""
    portal.add_events("OPEN", [SETTLED - DAY] * count)


def run(name: str, fill: Callable[[Portal], None], count: int) -> bool:
    """Run one scenario; says whether its promises are kept."""
    print(f"{count:,} events in {name}")
    with served(fill, burst_limit=1_000_000) as server, tap_run(server, "email_event_open") as measured:
        records = sum(1 for _ in measured.records())
    print(table(measured.log))
    kept = [
        promise(f"exit code 0: {measured.exit_code}", kept=measured.exit_code == 0),
        promise(f"all {count:,} events: {records:,}", kept=records == count),
        promise(f"below {MAX_MB} MB resident: {measured.peak_mb:.0f}", kept=measured.peak_mb < MAX_MB),
    ]
    return all(kept)


def main() -> int:
    """Run the scenarios; the exit code says whether the promises are kept."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else MILLION
    kept = [
        run("a window", partial(a_window, count=count), count),
        run("a millisecond", partial(a_millisecond, count=IN_A_MILLISECOND), IN_A_MILLISECOND),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
