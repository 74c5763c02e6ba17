"""A million people of one list through the ledger: a minute on SQLite, a few on Postgres.

Run it with `python -m benchmarks.ledger_bulk`: on SQLite, and on a PostgreSQL server of its own where one is
installed; with a URL as argument, on that database.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import create_engine, text

from benchmarks.harness import MEGABYTE, promise
from target_hubspot_lists.ledger import KnownList, Ledger
from target_hubspot_lists.ledger.database import parse_url
from target_hubspot_lists.ledger.tables import metadata
from tests.postgres import NoServer, PostgresServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Batch = TypeVar("Batch")
MEMBERS = 1_000_000
BATCH = 100_000  # the target's default batch_size_rows
FIRST_ID, STEP = 50_000_000_000, 7  # as large as HubSpot's record ids are today, and not without gaps
MAX_SECONDS = {"sqlite": 60, "postgresql": 240}  # for mark, settle and read back
MAX_FILE_MB = 100
PORTAL = 1234567
LIST = KnownList("42", "Everybody", "everybody", "members", created_by_us=True, was_read=False)


def main() -> int:
    """Run on the database given, or on SQLite and Postgres; the exit code says whether the promises are kept."""
    if len(sys.argv) > 1:
        return int(not measure(sys.argv[1]))
    with tempfile.TemporaryDirectory() as folder:
        kept = measure(f"sqlite:///{folder}/ledger.db")
    try:
        server = PostgresServer()
    except NoServer as reason:
        print(reason)
        return int(not kept)
    with server:
        return int(not (measure(server.new_url()) and kept))


def measure(url: str) -> bool:
    """Measure one database, and say whether it keeps the promises."""
    backend = parse_url(url).get_backend_name()
    print(f"{MEMBERS:,} members, {backend}")
    with Ledger.open(url, PORTAL, run_id="benchmark", now=lambda: datetime.now(UTC)) as ledger:
        ledger.lists.remember_list(LIST)
        seconds = sum(timed(what, action) for what, action in memberships(ledger))
        pairs_mb = megabytes(url)
        for what, action in contacts(ledger):
            timed(what, action)
    total_mb = megabytes(url)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE
    print(f"{pairs_mb:8.0f} MB on disk for the memberships, {total_mb:.0f} MB with the addresses")
    print(f"{peak_mb:8.0f} MB resident at most, so far")
    limit = MAX_SECONDS[backend]
    kept = promise(f"marked, settled and read back in {limit} s: {seconds:.1f}", kept=seconds <= limit)
    if backend == "sqlite":
        kept &= promise(f"at most {MAX_FILE_MB} MB on disk: {total_mb:.0f}", kept=total_mb <= MAX_FILE_MB)
    return kept


def memberships(ledger: Ledger) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what a first run does with a list, and what the next one asks."""
    ids = range(FIRST_ID, FIRST_ID + MEMBERS * STEP, STEP)
    batches = [ids[start : start + BATCH] for start in range(0, MEMBERS, BATCH)]
    yield "mark unsettled", for_each(batches, lambda batch: ledger.members.mark_unsettled("42", batch))
    yield "settle", for_each(batches, lambda batch: ledger.members.settle("42", on=batch, off=()))
    yield "states, by batch", for_each(batches, lambda batch: ledger.members.states("42", batch))
    yield "members, one by one", lambda: sum(1 for _ in ledger.members.iter_members("42"))
    yield "take over", lambda: ledger.members.take_over("42", ids)


def contacts(ledger: Ledger) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what a run by address does besides."""
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    starts = range(0, MEMBERS, BATCH)
    yield "remember contacts", for_each(starts, lambda start: ledger.people.remember_contacts(people(start)))
    yield (
        "record ids",
        for_each(starts, lambda start: ledger.people.record_ids(people(start), since=long_ago)),
    )
    yield (
        "forget 1,000 records",
        lambda: ledger.people.forget_record_ids(range(FIRST_ID, FIRST_ID + 1000 * STEP, STEP)),
    )
    yield "prune", ledger.people.prune


def for_each(batches: Iterable[Batch], action: Callable[[Batch], object]) -> Callable[[], None]:
    """Return what does this to one batch after another."""

    def act() -> None:
        for batch in batches:
            action(batch)

    return act


def people(start: int) -> dict[str, int]:
    """A batch of addresses, in an order that has nothing to do with the alphabet."""
    return {
        f"person{number * 7919 % MEMBERS}@example{number % 1000}.com": FIRST_ID + number * STEP
        for number in range(start, start + BATCH)
    }


def timed(what: str, action: Callable[[], object]) -> float:
    """Do it, print how long it took, and return that."""
    started = time.monotonic()
    action()
    seconds = time.monotonic() - started
    print(f"{seconds:8.1f} s  {what}")
    return seconds


def megabytes(url: str) -> float:
    """How much the ledger takes on disk."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        path = Path(parsed.database or "")
        return sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*")) / MEGABYTE
    engine = create_engine(parsed)
    with engine.connect() as connection:
        sizes = [
            connection.scalar(text("SELECT pg_total_relation_size(CAST(:name AS regclass))"), {"name": name})
            for name in metadata.tables
        ]
    engine.dispose()
    return sum(size or 0 for size in sizes) / MEGABYTE


if __name__ == "__main__":
    sys.exit(main())
