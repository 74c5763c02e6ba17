"""190 calls per 10 s that take 100 ms each: at least 95 % of the limit is used after 10 s, and no 429 drawn.

Run it with `python -m benchmarks.email_event_pace`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from benchmarks.email_events import DAY, SETTLED, served, table, tap_run
from benchmarks.harness import promise, promise_of_exit

if TYPE_CHECKING:
    from tests.hubspot_emulator import Portal

LIMIT = 190  # calls
INTERVAL = 10.0  # seconds
LATENCY = 0.1  # seconds
EVENTS = 150_000
MIN_SHARE = 0.95
# HubSpot may send fewer events than a page may hold. Small pages make many calls of little work, so that it
# is the waiting that is measured, and not how fast this machine reads JSON.
PAGE_EVENTS = 200


def fill(portal: Portal) -> None:
    """Put the events at equal distances over thirty days, and let pages be small."""
    portal.add_events("PROCESSED", range(SETTLED - 30 * DAY, SETTLED, 30 * DAY // EVENTS))
    page = portal.events.page

    def small_page(wanted: Any, before: Any, limit: int) -> Any:  # noqa: ANN401 - passed on as they come
        return page(wanted, before, min(limit, PAGE_EVENTS))

    portal.events.page = small_page  # type: ignore[method-assign]


def shares(times: list[float]) -> list[float]:
    """The share of the limit that was used in each whole interval from the first call on."""
    whole = int((times[-1] - times[0]) // INTERVAL)
    begins = [times[0] + number * INTERVAL for number in range(whole)]
    return [sum(begin <= time < begin + INTERVAL for time in times) / LIMIT for begin in begins]


def main() -> int:
    """Run the scenario; the exit code says whether the promises are kept."""
    with (
        served(fill, burst_limit=LIMIT, latency=LATENCY) as server,
        tap_run(server, "email_event_processed") as run,
    ):
        times, refused = server.times(), server.refused()
        records = sum(1 for _ in run.records())
        print(table(run.log))
    # The first interval is left out: a window at a time is read until the density of the events is known.
    first, *used = shares(times)
    share = sum(used) / len(used)
    print(
        f"{len(times)} calls in {times[-1] - times[0]:.1f} s; of the limit {first:.0%} at first, then "
        + ", ".join(f"{each:.0%}" for each in used)
    )
    kept = [
        promise_of_exit(run),
        promise(f"all {EVENTS:,} events: {records:,}", kept=records == EVENTS),
        promise(f"at least {MIN_SHARE:.0%} of the limit: {share:.1%}", kept=share >= MIN_SHARE),
        promise(f"no 429: {refused}", kept=refused == 0),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
