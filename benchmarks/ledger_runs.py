"""A mirror of a million members with a ledger: the first load, the same again, and with 1 % changed.

Run it with `python -m benchmarks.ledger_runs [record_id|email] [sqlite|postgresql]`; without words both kinds of
members on SQLite, which takes some fifteen minutes. Told are the calls, what they take at least at 190 per 10 s, the
seconds (no limit and no latency, so it is this machine's work), the peak of resident memory, and the ledger on disk.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.harness import messages, promise, promise_of_exit, run_target
from benchmarks.ledger_bulk import megabytes
from tests.hubspot_emulator import HubSpotEmulator, Portal
from tests.postgres import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.harness import Measured

MEMBERS = 1_000_000
CHANGED = 10_000  # 1 %: half of them leave, as many others enter
BURST_LIMIT = 190  # requests per 10 s, as a portal of HubSpot's larger plans has it
INPUTS_PER_LOOKUP, IDS_PER_CHANGE = 100, 10_000
MAX_UNCHANGED_CALLS = 3  # the account, its lists, and the scopes of the token
MAX_MB = 300
MAX_LEDGER_MB = {"sqlite": 100, "postgresql": 400}

MATCH_BY = ("record_id", "email")
DATABASES = ("sqlite", "postgresql")

Member = Callable[[int], object]


@dataclass(frozen=True)
class Run:
    """One run of the target: what it is called, whom it names, and the most calls it may take."""

    name: str
    numbers: range
    most_calls: int


def runs(match_by: str) -> Iterator[Run]:
    """Yield the runs, each over the same ledger."""
    changes = math.ceil(MEMBERS / IDS_PER_CHANGE)
    lookups = math.ceil(MEMBERS / INPUTS_PER_LOOKUP) if match_by == "email" else 0
    half = CHANGED // 2
    some_changes = 2 * math.ceil(half / IDS_PER_CHANGE)
    # New addresses are looked up; of new record ids, and of those who leave, it is asked whether they were merged.
    some_lookups = 2 * math.ceil(half / INPUTS_PER_LOOKUP)
    yield Run("first load", range(MEMBERS), 2 + MAX_UNCHANGED_CALLS + lookups + changes)
    yield Run("unchanged", range(MEMBERS), MAX_UNCHANGED_CALLS)
    yield Run("1 % changed", range(half, MEMBERS + half), MAX_UNCHANGED_CALLS + some_lookups + some_changes)


def lines(column: str, numbers: range, member: Member) -> Iterator[str]:
    """The tap's messages: a whole cohort that says how large it is."""
    properties = {column: {}, "cohort_name": {"type": "string"}, "cohort_size": {"type": "integer"}}
    records = (
        {column: member(number), "cohort_name": "Everybody", "cohort_size": len(numbers)}
        for number in numbers
    )
    return messages(properties, records)


@contextmanager
def new_ledger(database: str) -> Iterator[str]:
    """Give the URL of an empty ledger that is gone afterwards."""
    if database == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/ledger.db"
    else:
        with PostgresServer() as server:
            yield server.new_url()


def measure(match_by: str, database: str) -> bool:
    """Run the three runs, print what they cost, and say whether the promises are kept."""
    portal = Portal()
    record_ids = portal.add_contacts(MEMBERS + CHANGED)
    member: dict[str, tuple[str, Member]] = {
        "record_id": ("contact_id", record_ids.__getitem__),
        "email": ("email", lambda number: f"contact{number}@example.com"),
    }
    column, name_of = member[match_by]
    kept = True
    print(f"\nBy {match_by}: {MEMBERS:,} members, {database}")
    print("run          calls  at 190/10 s  seconds  peak MB  ledger MB")
    with new_ledger(database) as ledger_url, HubSpotEmulator(portal) as hubspot:
        config: dict[str, Any] = {
            "api_url": hubspot.url,
            "access_token": hubspot.token,
            "match_by": "email" if match_by == "email" else "contact_id",
            "sync_mode": "mirror",
            "ledger_url": ledger_url,
        }
        for run in runs(match_by):
            before = hubspot.calls()
            measured = run_target(config, lines(column, run.numbers, name_of))
            calls = hubspot.calls() - before
            ledger_mb = megabytes(ledger_url)
            print(
                f"{run.name:<12}{calls:>6,}{calls / BURST_LIMIT * 10:>11,.0f} s{measured.seconds:>9.0f}"
                f"{measured.peak_mb:>9.0f}{ledger_mb:>11.0f}"
            )
            kept &= _kept(run, measured, calls)
            expected = {record_ids[each] for each in run.numbers}
            kept &= promise(
                "exactly these on the list", kept=portal.members("amplitude_Everybody") == expected
            )
        most_mb = MAX_LEDGER_MB[database]
        kept &= promise(f"at most {most_mb} MB of ledger: {ledger_mb:.0f}", kept=ledger_mb <= most_mb)
    return kept


def _kept(run: Run, measured: Measured, calls: int) -> bool:
    if measured.exit_code:
        print(measured.log)
    return all(
        [
            promise_of_exit(measured),
            promise(f"at most {run.most_calls:,} calls: {calls:,}", kept=calls <= run.most_calls),
            promise(f"below {MAX_MB} MB resident: {measured.peak_mb:.0f}", kept=measured.peak_mb < MAX_MB),
        ]
    )


def main(words: list[str]) -> int:
    """Measure what the words say; the exit code says whether all promises are kept."""
    databases = [word for word in words if word in DATABASES] or DATABASES[:1]
    kinds = [word for word in words if word in MATCH_BY] or MATCH_BY
    kept = [measure(match_by, database) for database in databases for match_by in kinds]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
