"""What the target spends on its input, as a multiple of a bare loop that parses the same lines.

Run it with `python -m benchmarks.target_speed [SCENARIO ...] [--runs 5]`; without a name all scenarios run.

Each run of the target is followed by a run of the loop on the same file. Both figures are user CPU seconds of the
process, without start-up (the same command on an input that has a SCHEMA and no record). The ratio of a scenario is
the median over its runs. HubSpot and PostgreSQL run in other processes or in this one, so their time does not count.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness import measured, plugin_command, promise, schema_message
from benchmarks.ledger_runs import new_ledger
from tests.hubspot_emulator import HubSpotEmulator, Portal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from benchmarks.harness import Measured

LOOP = """
import sys
import orjson
for line in sys.stdin.buffer:
    orjson.loads(line)
"""
SECONDS_PER_CALL = 0.0015  # user CPU that one call may take beside the input, where calls are many
# 30 % of one core at 190 calls per 10 s; in and outside the kernel, since most of a call is sending and receiving.
MOST_MS_PER_CALL = 0.3 * 10_000 / 190
MOST_CONTACTS = 1_000_000  # of the local HubSpot: more memberships are of the same contacts on more lists
TIME_EXTRACTED = "2026-11-01T00:00:00.000000+00:00"  # as taps of the SDK write it on each RECORD
NO_LIMIT = 10_000_000  # requests per 10 s


@dataclass(frozen=True)
class Scenario:
    """One input and configuration, and the most that a run over it may cost."""

    name: str
    members: int
    most: float | None  # times the loop; None: only told, for what grows with the input
    config: dict[str, Any] = field(default_factory=dict)
    cohorts: int = 1
    columns: tuple[str, ...] = ()  # more columns in the stream, which nothing reads
    database: str | None = None  # of the ledger
    counts_calls: bool = False  # SECONDS_PER_CALL is allowed for each call
    most_ms_per_call: float | None = None
    most_mb: int = 200

    @property
    def match_by(self) -> str:
        """What names the members."""
        return str(self.config["match_by"])

    @property
    def is_mirror(self) -> bool:
        """Whether the measured runs find the list as it should be: a first run, which is not measured, fills it."""
        return self.config.get("sync_mode") == "mirror"


BY_ID: dict[str, Any] = {"match_by": "contact_id"}
BY_EMAIL: dict[str, Any] = {"match_by": "email"}
MIRROR: dict[str, Any] = {"match_by": "email", "sync_mode": "mirror"}
SCENARIOS = [
    Scenario("record_ids_10k", 10_000, None, BY_ID),
    Scenario("record_ids_100k", 100_000, None, BY_ID),
    Scenario("record_ids", 500_000, 5, BY_ID),
    Scenario("record_ids_wide", 500_000, 6, BY_ID, columns=("first_name", "city", "plan")),
    Scenario("record_ids_1m", 1_000_000, 5, BY_ID),
    Scenario("record_ids_10m", 10_000_000, None, BY_ID, cohorts=10, most_mb=300),
    Scenario("first_load_email", 100_000, None, BY_EMAIL, most_ms_per_call=MOST_MS_PER_CALL),
    Scenario("mirror_10k_sqlite", 10_000, None, MIRROR, database="sqlite"),
    Scenario("mirror_100k_sqlite", 100_000, None, MIRROR, database="sqlite"),
    Scenario("mirror_200k_sqlite", 200_000, 12, MIRROR, database="sqlite"),
    Scenario("mirror_1m_sqlite", 1_000_000, 12, MIRROR, database="sqlite"),
    Scenario("mirror_200k_postgres", 200_000, 16, MIRROR, database="postgresql"),
    Scenario("mirror_1m_postgres", 1_000_000, 16, MIRROR, database="postgresql"),
    Scenario(
        "cohorts_3000",
        30_000,
        15,
        {**BY_ID, "max_new_lists": 3_000},
        cohorts=3_000,
        counts_calls=True,
    ),
]


def schema_line(scenario: Scenario) -> str:
    """The SCHEMA of the input."""
    properties: dict[str, Any] = {scenario.match_by: {}, "cohort_name": {"type": "string"}}
    properties |= {"cohort_size": {"type": "integer"}} if scenario.is_mirror else {}
    properties |= {name: {"type": "string"} for name in scenario.columns}
    return schema_message(properties)


def record_lines(scenario: Scenario, member: Callable[[int], object]) -> Iterator[str]:
    """Yield the RECORD lines of the input."""
    size = scenario.members // scenario.cohorts
    for number in range(scenario.members):
        record: dict[str, Any] = {
            scenario.match_by: member(number % MOST_CONTACTS),
            "cohort_name": f"Cohort {number // size}",
        }
        if scenario.is_mirror:
            record["cohort_size"] = size
        record.update((name, f"{name} {number % 1000}") for name in scenario.columns)
        message = {"type": "RECORD", "stream": "members", "record": record, "time_extracted": TIME_EXTRACTED}
        yield json.dumps(message)


@dataclass(frozen=True)
class Figures:
    """One run of the target beside one of the loop, start-up taken off both; seconds of user CPU."""

    target: float
    loop: float
    target_with_kernel: float  # also what the kernel did for it
    calls: int
    peak_mb: float

    @property
    def ratio(self) -> float:
        """How many times the loop's time the target took."""
        return self.target / self.loop

    def most_seconds(self, scenario: Scenario) -> float:
        """How many seconds the scenario allows: so many times the loop's, and SECONDS_PER_CALL where calls are many."""
        calls = self.calls * SECONDS_PER_CALL if scenario.counts_calls else 0.0
        return (scenario.most or 0) * self.loop + calls

    @property
    def ms_per_call(self) -> float:
        """How many milliseconds of CPU a call took, with all that belongs to it."""
        return self.target_with_kernel / self.calls * 1000


@dataclass(frozen=True)
class Bench:
    """Where a scenario's files lie, and how its processes are run."""

    folder: Path
    config: dict[str, Any]
    empty: Path
    source: Path

    def target(self, source: Path) -> Measured:
        """Run the target on a file."""
        with source.open("rb") as standard_input:
            ran = measured(
                plugin_command("target_hubspot_lists", self.config, self.folder), self.folder, standard_input
            )
        if ran.exit_code:
            raise SystemExit(ran.log)
        return ran

    def loop(self, source: Path) -> Measured:
        """Run the bare loop on a file."""
        with source.open("rb") as standard_input:
            return measured([sys.executable, "-c", LOOP], self.folder, standard_input)


def write_lines(path: Path, lines: Iterable[str]) -> Path:
    """Write lines into a file."""
    with path.open("w") as file:
        file.writelines(f"{line}\n" for line in lines)
    return path


@contextmanager
def bench(scenario: Scenario, portal: Portal) -> Iterator[tuple[Bench, HubSpotEmulator]]:
    """Start a HubSpot that has the contacts, and write the input."""
    record_ids = portal.add_contacts(min(scenario.members, MOST_CONTACTS))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        hubspot = stack.enter_context(HubSpotEmulator(portal, burst_limit=NO_LIMIT))
        config = {"api_url": hubspot.url, "access_token": hubspot.token, **scenario.config}
        if scenario.database is not None:
            config["ledger_url"] = stack.enter_context(new_ledger(scenario.database))
        schema = schema_line(scenario)

        def member(number: int) -> object:
            by_email = scenario.match_by == "email"
            return f"contact{number}@example.com" if by_email else int(record_ids[number])

        empty = write_lines(folder / "empty.singer", [schema])
        source = write_lines(folder / "input.singer", [schema, *record_lines(scenario, member)])
        yield Bench(folder, config, empty, source), hubspot


def measure(scenario: Scenario, runs: int) -> list[Figures]:
    """Run a scenario so many times."""
    portal = Portal()
    portal.lists.limits["MANUAL"] = scenario.cohorts + 1
    figures = []
    with bench(scenario, portal) as (at, hubspot):
        if scenario.is_mirror:
            at.target(at.source)
        for run in range(runs):
            if not scenario.is_mirror:
                for name in portal.list_names():
                    portal.rename_list(name, f"{run} {name}")  # the name of a deleted list stays taken
                    portal.delete_list(f"{run} {name}")
            startup = at.target(at.empty)
            before = hubspot.calls()
            ran = at.target(at.source)
            calls = hubspot.calls() - before
            loop = at.loop(at.source).user_seconds - at.loop(at.empty).user_seconds
            with_kernel = ran.processor_seconds - startup.processor_seconds
            figures.append(
                Figures(ran.user_seconds - startup.user_seconds, loop, with_kernel, calls, ran.peak_mb)
            )
    return figures


def report(scenario: Scenario, figures: list[Figures]) -> bool:
    """Print a scenario's medians, and say whether they keep the promise."""
    ratio = statistics.median(each.ratio for each in figures)
    spread = [each.ratio for each in figures]
    peak = max(each.peak_mb for each in figures)
    micro = statistics.median(each.target for each in figures) / scenario.members * 1e6
    loop_micro = statistics.median(each.loop for each in figures) / scenario.members * 1e6
    print(
        f"\n{scenario.name}: {scenario.members:,} records, {figures[0].calls:,} calls; {micro:.1f} µs a record, "
        f"loop {loop_micro:.1f} µs; ratios {min(spread):.1f} to {max(spread):.1f}"
    )
    kept = [promise(f"below {scenario.most_mb} MB resident: {peak:.0f}", kept=peak < scenario.most_mb)]
    if scenario.most is None:
        print(f"        {ratio:.1f} times the loop")
    elif scenario.counts_calls:
        share = statistics.median(each.target / each.most_seconds(scenario) for each in figures)
        limit = f"{scenario.most:g} times the loop and {SECONDS_PER_CALL * 1000:g} ms a call"
        kept.append(promise(f"at most 100 % of {limit}: {share:.0%}", kept=share <= 1))
    else:
        kept.append(
            promise(f"at most {scenario.most:g} times the loop: {ratio:.1f}", kept=ratio <= scenario.most)
        )
    if most := scenario.most_ms_per_call:
        median = statistics.median(each.ms_per_call for each in figures)
        kept.append(promise(f"at most {most:.1f} ms of CPU a call: {median:.1f}", kept=median <= most))
    return all(kept)


def main() -> int:
    """Run what the command line names; the exit code is 1 where a promise is broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "scenarios", nargs="*", metavar="SCENARIO", help=", ".join(each.name for each in SCENARIOS)
    )
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if strange := set(options.scenarios) - {each.name for each in SCENARIOS}:
        parser.error(f"there is no scenario {', '.join(sorted(strange))}")
    chosen = [each for each in SCENARIOS if not options.scenarios or each.name in options.scenarios]
    kept = [report(each, measure(each, options.runs)) for each in chosen]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
