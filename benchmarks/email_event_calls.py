"""90,000 events of ten types over thirty days, evenly and in bursts, and none: calls close to the pages, none lost.

Run it with `python -m benchmarks.email_event_calls`.
"""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING

from benchmarks.email_events import DAY, SETTLED, served, table, tap_run
from benchmarks.harness import promise, promise_of_exit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hubspot_emulator import Portal

# As a portal's funnel goes; 90,000 in all.
COUNTS = {
    "SENT": 25_000,
    "PROCESSED": 24_000,
    "DELIVERED": 23_500,
    "OPEN": 11_000,
    "CLICK": 3_000,
    "DROPPED": 1_200,
    "DEFERRED": 1_000,
    "BOUNCE": 900,
    "STATUSCHANGE": 300,
    "SPAMREPORT": 100,
}
TOTAL = sum(COUNTS.values())
PAGES = sum(-(-count // 1_000) for count in COUNTS.values())
MAX_CALLS_EVEN = 105
MAX_CALLS_BURSTY = int(1.3 * PAGES)
SEED = 30
BURSTS = 6  # mailings; 80 % of the events happen in 2 % of the time
SHARE_IN_BURSTS, SHARE_OF_TIME = 0.8, 0.02
SPAN = 30 * DAY - DAY // 100


def fill_evenly(portal: Portal) -> None:
    """Put the events at random moments of the thirty days, always the same ones."""
    moments = random.Random(SEED)
    for event_type, count in COUNTS.items():
        portal.add_events(
            event_type, sorted(SETTLED - moments.randrange(DAY // 100, SPAN) for _ in range(count))
        )


def fill_in_bursts(portal: Portal) -> None:
    """Put most of the events into the time after a few mailings, always the same ones."""
    moments = random.Random(SEED)
    width = int(SPAN * SHARE_OF_TIME / BURSTS)
    begins = [SETTLED - moments.randrange(DAY, SPAN) for _ in range(BURSTS)]
    for event_type, count in COUNTS.items():
        times = [
            moments.choice(begins) + moments.randrange(width)
            if moments.random() < SHARE_IN_BURSTS
            else SETTLED - moments.randrange(DAY // 100, SPAN)
            for _ in range(count)
        ]
        portal.add_events(event_type, sorted(times))


def no_events(portal: Portal) -> None:
    """Leave the portal without events."""


def run(name: str, fill: Callable[[Portal], None], total: int, max_calls: int) -> bool:
    """Run one scenario; says whether its promises are kept."""
    print(name)
    with served(fill, burst_limit=190) as server, tap_run(server) as measured:
        calls = len(server.times())
        keys = [(record["stream"], record["id"], record["created"]) for record in measured.records()]
        print(table(measured.log))
    kept = [
        promise_of_exit(measured),
        promise(f"all {total:,} events: {len(set(keys)):,}", kept=len(set(keys)) == total),
        promise(f"none twice: {len(keys) - len(set(keys))}", kept=len(keys) == len(set(keys))),
        promise(f"at most {max_calls} calls: {calls}", kept=calls <= max_calls),
    ]
    return all(kept)


def main() -> int:
    """Run the scenarios; the exit code says whether the promises are kept."""
    print(f"{TOTAL:,} events fill {PAGES} pages.")
    kept = [
        run("Spread evenly", fill_evenly, TOTAL, MAX_CALLS_EVEN),
        run("In bursts", fill_in_bursts, TOTAL, MAX_CALLS_BURSTY),
        run("No events", no_events, 0, len(COUNTS)),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
