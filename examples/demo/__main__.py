"""`make demo`: email events into a warehouse, a cohort out of it by SQL, and the cohort onto a HubSpot list."""

from __future__ import annotations

import signal
import sys
import time

from examples.demo import telling
from examples.demo.commands import CommandFailed
from examples.demo.hubspot import HubSpot
from examples.demo.pipeline import ROOT, Pipeline
from tests.hubspot_emulator import HubSpotEmulator, StoppedClock
from tests.hubspot_emulator.seed import seeded_portal

FOLDER = ROOT / ".demo"
DAY = 86_400  # seconds
COHORT_LIST = "amplitude_Opened November notes, did not click"
FILE_LISTS = ("amplitude_Trial ends soon", "amplitude_Reads every newsletter", "Beta testers")
TARGET = "target-hubspot-lists"


class RowsLost(Exception):
    """The warehouse does not hold what the tap read."""


class Demo:
    """A local HubSpot, the pipeline over it, and what has been seen so far."""

    def __init__(self, emulator: HubSpotEmulator, hubspot: HubSpot) -> None:
        self._hubspot = hubspot
        self._pipeline = Pipeline(FOLDER, emulator.url, emulator.token)
        self._events = 0
        self._members: set[str] = set()

    def install(self) -> None:
        """Install Meltano and the plugins, and begin with an empty warehouse."""
        self._pipeline.forget()
        self._pipeline.install()

    def loop(self) -> None:
        """Run the whole loop, and say what it moved."""
        said = self._pipeline.meltano("run", "email-loop", "duckdb:funnel")
        read, rows = telling.events_read(said), self._pipeline.events()
        tell(
            f"The tap read {read:,} events; the warehouse had {self._events:,} and now has {rows:,}.",
            "What became of the campaigns' mails, in people (examples/funnel.sql):",
        )
        tell(*said.by("duckdb"))
        if rows != self._events + read:
            raise RowsLost(
                f"The tap read {read:,} events, but {rows - self._events:,} rows came to the warehouse."
            )
        self._events = rows
        self._look_at_list()

    def _look_at_list(self) -> None:
        found = self._hubspot.list_named(COHORT_LIST)
        members = set(found.members)
        joined, left = len(members - self._members), len(self._members - members)
        tell(
            "Who opened the last one and did not click (examples/cohorts.sql) is on a list of HubSpot's now.",
            f"By its own API {joined} contacts joined that list and {left} left it:",
        )
        tell(*telling.shown(found))
        self._members = members

    def file(self) -> None:
        """Bring the cohorts of a file to HubSpot, and show what the target says of them."""
        said = self._pipeline.meltano("run", "tap-jsonl", TARGET)
        tell("The target says:")
        tell(*telling.summary(said.by(TARGET)))
        tell("and in its report, of those who are not where the file wants them, and those it made:")
        tell(*telling.members_told_of(self._pipeline.newest_report()))
        tell("By HubSpot's own API:")
        for name in FILE_LISTS:
            tell(*telling.shown(self._hubspot.list_named(name)))

    def outcomes(self) -> None:
        """Load the target's reports into the warehouse, say who is not in place, and make the page."""
        said = self._pipeline.meltano("run", "outcomes-to-warehouse", "duckdb:outcomes", "duckdb:campaigns")
        tell("Who is not on the list they should be on, since when, and why (examples/outcomes.sql):")
        tell(*said.by("duckdb"))
        print()
        self._pipeline.make_page()


def main() -> int:
    """Run the demo; return the exit code."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background job does not have
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda signum, _: sys.exit(128 + signum))
    clock = StoppedClock(time.time())
    portal = seeded_portal(clock)
    clock.advance(-DAY)  # what happens today is there already, and HubSpot tells of it tomorrow
    try:
        with (
            HubSpotEmulator(portal, clock=clock) as emulator,
            HubSpot(emulator.url, emulator.token) as hubspot,
        ):
            demonstrate(emulator, hubspot, clock)
    except CommandFailed as failed:
        print("", *telling.failure(failed), sep="\n", file=sys.stderr)
        return 1
    except RowsLost as lost:
        print(lost, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped, and all that was started with it.")
        return 130
    return 0


def demonstrate(emulator: HubSpotEmulator, hubspot: HubSpot, clock: StoppedClock) -> None:
    """Tell the story."""
    people = len(emulator.portal.contacts)
    print(f"A HubSpot on this machine: {people} invented people, two weeks of emails, {emulator.url}.")
    print("Nothing here talks to the real one.")
    demo = Demo(emulator, hubspot)
    head("Installing")
    demo.install()
    head("Yesterday: email events into a warehouse, a cohort by SQL, the cohort onto a list")
    demo.loop()
    head("Today: the same again, and only what is new moves")
    clock.advance(DAY)
    demo.loop()
    head("Cohorts from elsewhere: examples/cohorts.jsonl")
    demo.file()
    head("What became of whom: in the warehouse, and on a page")
    demo.outcomes()
    print(f"\nHubSpot was called {len(emulator.requests)} times. The logs are in {FOLDER.name}/logs.")
    print(
        f"Open {FOLDER.name}/page.html in a browser: which lists to look at and what to do, what became of whom on"
    )
    print(
        "each list, who was rejected and why, and the campaigns from sent to clicked. Addresses are masked."
    )


def head(text: str) -> None:
    """Print the heading of a part."""
    print(f"\n{text}\n")


def tell(*lines: str) -> None:
    """Print lines that belong together."""
    print()
    print(*(f"  {line}" for line in lines), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
