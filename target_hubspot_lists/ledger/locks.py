"""Locks on lists: no two runs write to one list at a time. A run holds a list until it releases it or its process ends.

A list is held by name, since a list that is to be created has no id yet, and by id, since it can be renamed meanwhile.

A row in the database says which run holds a list. It counts only while the run's own lock is held, which ends with the
process, however that ends: with SQLite a locked file beside the ledger, with Postgres a lock on the run's connection.
The next run that wants the list deletes the row of a run that died.
"""

from __future__ import annotations

import os
import socket
import sqlite3
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sqlalchemy import delete, func, insert, select

from target_hubspot_lists.errors import LedgerError, ListHeld
from target_hubspot_lists.ledger.database import OWNER_ONLY
from target_hubspot_lists.ledger.statements import serialize
from target_hubspot_lists.ledger.tables import locks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from target_hubspot_lists.ledger.database import Database

ID = "\t"  # in front of what is an id: no name of a list begins with it
POLL_SECONDS = 0.5  # between tries: a run that waits asks the database sixty times


class RunLock(Protocol):
    """The lock that a run holds as long as its process lives."""

    def begin(self, connection: Connection) -> None:
        """Take this run's lock, until its process ends or `end` is called."""

    def is_alive(self, connection: Connection, run_id: str) -> bool:
        """Return whether another run holds its lock; in doubt it does."""

    def end(self) -> None:
        """Release this run's lock."""


class Holder(NamedTuple):
    """The run that holds a list; `list_name` is its name, or ID and its id."""

    list_name: str
    run_id: str
    host: str
    process_id: int
    since: int

    @property
    def label(self) -> str:
        """The list in messages, by its name or id."""
        return f"List {self.list_name[1:]}" if self.list_name.startswith(ID) else f'List "{self.list_name}"'

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.since, UTC).isoformat()
        return f"run {self.run_id} on {self.host} (process {self.process_id}) since {since}"


class Locks:
    """The locks of one run on one portal's lists."""

    def __init__(
        self, database: Database, portal_id: int, *, run_id: str, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._portal_id = portal_id
        self._run_id = run_id
        self._now = now
        self._held: set[str] = set()
        self._run_lock: RunLock | None = None

    @contextmanager
    def hold(
        self,
        names: Collection[str],
        *,
        list_ids: Collection[str] = (),
        wait_seconds: float,
        sleep: Callable[[float], None],
    ) -> Iterator[None]:
        """Hold lists by name and id, all or none; after `wait_seconds` ListHeld names the run that has one."""
        wanted = {name.casefold() for name in names} | {ID + list_id for list_id in list_ids}
        wanted -= self._held
        if not wanted:
            yield
            return
        waited = 0.0
        while (holder := self._take(wanted)) is not None:
            if waited >= wait_seconds:
                raise ListHeld(
                    f"{holder.label} is held by {holder}: wait until that run has ended, then run again. If it hangs, "
                    "end that process."
                )
            sleep(POLL_SECONDS)
            waited += POLL_SECONDS
        self._held |= wanted
        try:
            yield
        finally:
            self._held -= wanted
            # Rows that cannot be deleted now do not count once this run is over.
            with suppress(LedgerError):
                self._release(wanted)

    def close(self) -> None:
        """Release the run's lock, and with it every list."""
        if self._run_lock:
            self._run_lock.end()

    def _take(self, names: Collection[str]) -> Holder | None:
        """Take all of these names and return None, or none of them and return who has one."""
        with self._database.writing() as connection:
            serialize(connection)
            if self._run_lock is None:
                self._run_lock = self._begin_run_lock(connection)
            for holder in self._holders(connection, names):
                if self._run_lock.is_alive(connection, holder.run_id):
                    return holder
                connection.execute(delete(locks).where(locks.c.run_id == holder.run_id))
            connection.execute(insert(locks), [self._row(name) for name in sorted(names)])
        return None

    def _holders(self, connection: Connection, names: Collection[str]) -> list[Holder]:
        columns = (locks.c.list_name, locks.c.run_id, locks.c.host, locks.c.process_id, locks.c.since)
        rows = connection.execute(
            select(*columns).where(locks.c.portal_id == self._portal_id).order_by(locks.c.list_name)
        )
        holders = [Holder(*row) for row in rows if row.list_name in names]
        return sorted(holders, key=lambda each: each.list_name.startswith(ID))  # names first, for the message

    def _row(self, name: str) -> dict[str, str | int]:
        return {
            "portal_id": self._portal_id,
            "list_name": name,
            "run_id": self._run_id,
            "host": socket.gethostname(),
            "process_id": os.getpid(),
            "since": int(self._now().timestamp()),
        }

    def _release(self, names: Collection[str]) -> None:
        with self._database.writing() as connection:
            connection.execute(
                delete(locks).where(
                    locks.c.portal_id == self._portal_id,
                    locks.c.run_id == self._run_id,
                    locks.c.list_name.in_(names),
                )
            )

    def _begin_run_lock(self, connection: Connection) -> RunLock:
        path = self._database.path
        run_lock = PostgresRunLock(self._run_id) if path is None else SQLiteRunLock(path, self._run_id)
        run_lock.begin(connection)
        return run_lock


class SQLiteRunLock:
    """A file beside the ledger that SQLite keeps locked as long as the run's process lives.

    SQLite's own locks serve on every system; no transaction in such a file is ever committed.
    """

    def __init__(self, ledger: Path, run_id: str) -> None:
        self._ledger = ledger
        self._path = self._path_of(run_id)
        self._file: sqlite3.Connection  # locked, once the lock has begun

    def begin(self, connection: Connection) -> None:  # noqa: ARG002 - it needs no database
        """Make the run's file, and lock it."""
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, OWNER_ONLY))
            self._file = self._lock(self._path)
        except (OSError, sqlite3.OperationalError):
            raise LedgerError(
                f'The file "{self._path}" cannot be made or locked: let this user write to the folder of the '
                "ledger, and use each run id once."
            ) from None

    def is_alive(self, connection: Connection, run_id: str) -> bool:  # noqa: ARG002
        """Return whether the run's file exists and is locked; the file of a dead run is deleted."""
        path = self._path_of(run_id)
        if not path.exists():
            return False
        try:
            self._lock(path).close()
        except sqlite3.OperationalError:
            return True
        path.unlink(missing_ok=True)
        return False

    def end(self) -> None:
        """Unlock and delete the file."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _path_of(self, run_id: str) -> Path:
        return self._ledger.with_name(f"{self._ledger.name}-run-{_number(run_id):016x}")

    @staticmethod
    def _lock(path: Path) -> sqlite3.Connection:
        file = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            file.execute("PRAGMA journal_mode = MEMORY")  # no second file
            file.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            file.close()
            raise
        return file


class PostgresRunLock:
    """A lock of the run's session, which the server drops when the connection ends.

    The ledger has this one connection: a run that lost the lock can no longer write to the ledger.
    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    """

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id

    def begin(self, connection: Connection) -> None:
        """Lock the run's number for the session."""
        connection.execute(select(func.pg_advisory_lock(_signed(self._run_id))))

    def is_alive(self, connection: Connection, run_id: str) -> bool:
        """Return whether the run's number is locked; a try that succeeds is undone with this transaction."""
        return not connection.scalar(select(func.pg_try_advisory_xact_lock(_signed(run_id))))

    def end(self) -> None:
        """Nothing: the lock goes with the connection, which is about to be closed."""


def _number(run_id: str) -> int:
    return int.from_bytes(blake2b(run_id.encode(), digest_size=8).digest(), "big")


def _signed(run_id: str) -> int:
    """The number in Postgres's range of 64 bits."""
    return _number(run_id) - 2**63
