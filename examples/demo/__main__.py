"""`make demo`: Meltano brings cohorts from a file onto lists of a local HubSpot; then a look at them."""

from __future__ import annotations

import json
import re
import signal
import sys
from itertools import dropwhile, takewhile
from typing import TYPE_CHECKING

from examples.demo.commands import CommandFailed
from examples.demo.hubspot import HubSpot
from examples.demo.pipeline import ROOT, Pipeline, parsed
from tests.hubspot_emulator import HubSpotEmulator
from tests.hubspot_emulator.seed import seeded_portal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from examples.demo.hubspot import ListWithMembers

FOLDER = ROOT / ".demo"
COHORTS = ROOT / "examples" / "cohorts.jsonl"
LISTS = ("amplitude_Trial ends soon", "amplitude_Reads every newsletter", "Beta testers")
MEMBERS_SHOWN = 4
LAST_LINES = 15  # of a log, when a step failed


def main() -> int:
    """Run the demo; return the exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda signum, _: sys.exit(128 + signum))
    try:
        with HubSpotEmulator(seeded_portal()) as hubspot:
            demonstrate(hubspot)
    except CommandFailed as failure:
        explain(failure)
        return 1
    except KeyboardInterrupt:
        print("\nStopped, and everything that was started with it.")
        return 130
    return 0


def demonstrate(emulator: HubSpotEmulator) -> None:
    """Install, run, and show what became of it."""
    pipeline = Pipeline(FOLDER, emulator.url, emulator.token)
    print(
        f"A HubSpot on this machine, with {len(emulator.portal.contacts)} invented contacts: {emulator.url}"
    )
    print("Nothing here talks to the real one.\n")
    pipeline.forget()
    pipeline.install()
    said = pipeline.meltano("run", "tap-jsonl", "target-hubspot-lists")
    records = [json.loads(line) for line in COHORTS.read_text("utf-8").splitlines()]
    cohorts = {record["cohort_name"] for record in records}
    print(f"\n{COHORTS.relative_to(ROOT)} has {len(records)} changes of {len(cohorts)} cohorts.")
    print("The target says:\n")
    for line in summary(said):
        print(f"  {line}")
    print("\nWho is on the lists, as HubSpot's own API tells:\n")
    with HubSpot(emulator.url, emulator.token) as hubspot:
        for name in LISTS:
            print(f"  {shown(hubspot.list_named(name))}")
    print(f"\nHubSpot was called {len(emulator.requests)} times.")
    print(f"The logs are in {pipeline.commands.logs.relative_to(ROOT)}.")


def summary(lines: Iterable[str]) -> Iterator[str]:
    """Yield the target's summary; its table without the columns in which nothing happened."""
    said = list(dropwhile(lambda line: not line.startswith("list "), lines))
    table = list(takewhile(lambda row: len(row) == len(cells(said[0])), map(cells, said)))
    columns = [column for column in zip(*table, strict=True) if set(column[1:]) != {"0"}]
    widths = [max(map(len, column)) for column in columns]
    for row in zip(*columns, strict=True):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield from said[len(table) :]


def cells(row: str) -> list[str]:
    """Return the cells of a row of the target's table."""
    return re.split(r" {2,}", row.strip())


def shown(found: ListWithMembers) -> str:
    """Return a list with some of its members, one in a line."""
    heading = f"{found.name} (list {found.list_id}): {len(found.members)} contacts"
    more = len(found.members) - MEMBERS_SHOWN
    rest = [f"and {more} more"] if more > 0 else []
    return "\n    ".join([heading, *found.members[:MEMBERS_SHOWN], *rest])


def explain(failure: CommandFailed) -> None:
    """Say which step failed, and the end of its log."""
    lines = failure.log.read_text("utf-8", errors="replace").splitlines()[-LAST_LINES:]
    print(f"\nThis failed: {' '.join(failure.command)}\nThe end of {failure.log}:\n", file=sys.stderr)
    for line in lines:
        print(f"  {parsed(line).get('event', line)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
