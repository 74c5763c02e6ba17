"""90,000 events of ten types over thirty days: at most 130 calls, and no event lost or twice.

Run it with `python -m benchmarks.email_event_calls`.
"""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING

from benchmarks.email_events import DAY, SETTLED, served, table, tap_run
from benchmarks.harness import promise

if TYPE_CHECKING:
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
MAX_CALLS = 130


def fill(portal: Portal) -> None:
    """Put the events at random moments of the thirty days, always the same ones."""
    moments = random.Random(30)
    for event_type, count in COUNTS.items():
        times = [moments.randrange(SETTLED - 30 * DAY, SETTLED - DAY // 100) for _ in range(count)]
        portal.add_events(event_type, sorted(times))


def main() -> int:
    """Run the scenario; the exit code says whether the promises are kept."""
    with served(fill, burst_limit=190) as server, tap_run(server) as run:
        calls = len(server.times())
        keys = [(record["stream"], record["id"], record["created"]) for record in run.records()]
        print(table(run.log))
    total = sum(COUNTS.values())
    kept = [
        promise(f"exit code 0: {run.exit_code}", kept=run.exit_code == 0),
        promise(f"all {total:,} events: {len(set(keys)):,}", kept=len(set(keys)) == total),
        promise(f"none twice: {len(keys) - len(set(keys))}", kept=len(keys) == len(set(keys))),
        promise(f"at most {MAX_CALLS} calls: {calls}", kept=calls <= MAX_CALLS),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
