"""A million events in a day, 60,000 of 5 kB, and 200,000 in one millisecond: peak memory below 250 MB.

Run it with `python -m benchmarks.email_event_memory`; a number after it takes the place of the million.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.email_events import DAY, SETTLED, served, table, tap_run
from benchmarks.harness import promise, promise_of_exit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.harness import Measured
    from tests.hubspot_emulator import Portal

MILLION = 1_000_000
IN_A_MILLISECOND = 200_000
LARGE = 60_000
URL_CHARACTERS = 5_000
MAX_MB = 250


def a_day(portal: Portal, count: int) -> None:
    """Put opens, which have the most columns, at equal distances into a day."""
    times = range(SETTLED - DAY, SETTLED, max(DAY // count, 1))
    portal.add_events("OPEN", times[:count])


def opens_of_a_day(count: int) -> Measured:
    """Run the tap once on so many opens of a day; its output is gone afterwards."""
    fill = partial(a_day, count=count)
    with served(fill, burst_limit=1_000_000) as server, tap_run(server, "email_event_open") as run:
        return run


def large_events(portal: Portal, count: int) -> None:
    """Put clicks with long addresses of pages into thirty days."""
    times = range(SETTLED - 30 * DAY, SETTLED, 30 * DAY // count)
    portal.add_events("CLICK", times[:count], _long_url)


def _long_url(index: int) -> Mapping[str, object]:
    url = f"https://www.example.org/{index}?utm_source=news&q="
    return {"url": url.ljust(URL_CHARACTERS, "x")}


def a_millisecond(portal: Portal, count: int) -> None:
    """Put the events into one millisecond."""
    portal.add_events("OPEN", [SETTLED - DAY] * count)


def run(name: str, fill: Callable[[Portal], None], count: int, stream: str = "email_event_open") -> bool:
    """Run one scenario; says whether its promises are kept."""
    print(f"{count:,} events in {name}")
    with served(fill, burst_limit=1_000_000) as server, tap_run(server, stream) as measured:
        records = sum(1 for _ in measured.records())
    print(table(measured.log))
    kept = [
        promise_of_exit(measured),
        promise(f"all {count:,} events: {records:,}", kept=records == count),
        promise(f"below {MAX_MB} MB resident: {measured.peak_mb:.0f}", kept=measured.peak_mb < MAX_MB),
    ]
    return all(kept)


def main() -> int:
    """Run the scenarios; the exit code says whether the promises are kept."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else MILLION
    kept = [
        run("a day", partial(a_day, count=count), count),
        run("events of 5 kB", partial(large_events, count=LARGE), LARGE, "email_event_click"),
        run("a millisecond", partial(a_millisecond, count=IN_A_MILLISECOND), IN_A_MILLISECOND),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
