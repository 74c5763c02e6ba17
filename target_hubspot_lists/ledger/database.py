"""Opens the database that `ledger_url` names, and lends its one connection; no error shows a password."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from hubspot_singer.http.redaction import redact
from target_hubspot_lists.errors import LedgerError
from target_hubspot_lists.ledger.records import Period

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlalchemy import URL, Connection, Engine

OWNER_ONLY = 0o600  # a ledger is about people

# Runs and commands that share a file wait so long for one another's transactions; the longest, a million
# memberships, takes some seconds.
BUSY_SECONDS = 30

CONNECT_SECONDS = 10
SECONDS_PER_DAY = 86_400
# A lost network shows after a minute or two instead of two hours, on either side: until then the locks are held.
KEEPALIVE_SECONDS = 60
KEEPALIVE_INTERVAL_SECONDS = 10
KEEPALIVES = 3

# https://www.sqlite.org/pragma.html
_WRITING = (
    "journal_mode = WAL",  # readers and a writer side by side; survives kill -9
    "synchronous = FULL",  # a commit survives a power failure: it is the promise of a mark
    "secure_delete = ON",  # who is forgotten is not left in a free page
)
_READING = ("query_only = ON",)

_DETAIL_CHARACTERS = 200
_SQLITE = frozenset({"sqlite", "sqlite+pysqlite"})
_POSTGRES = frozenset({"postgres", "postgresql", "postgresql+psycopg"})
_FORMS = "sqlite:///path/to/ledger.db or postgresql://user:password@host/database"


class NoLedgerThere(LedgerError):
    """The URL names a file that does not exist, or is empty, and no ledger is to be made."""


class Database:
    """One connection to a ledger's database; several threads may share it, one transaction at a time.

    `read_only` lets the database refuse every write.
    """

    def __init__(self, url: str, *, create: bool, read_only: bool = False) -> None:
        self._url = parse_url(url)
        self._read_only = read_only
        self._secrets = _secrets(self._url)
        # An unescaped @ or / in a password makes parts of it look like host and database.
        self._may_quote = url.count("@") <= 1
        # Reentrant: values that are read from the ledger while it writes end in an error, not in a silent wait.
        self._guard = threading.RLock()
        self.path = _sqlite_path(self._url, create=create) if self.is_sqlite else None
        if self.path:
            self._url = self._url.set(database=str(self.path))
        self._connection = self._connect()

    @property
    def is_sqlite(self) -> bool:
        """Return whether the database is SQLite; else it is Postgres."""
        return self._url.get_backend_name() == "sqlite"

    def __repr__(self) -> str:
        return f"Database({self._url.get_backend_name()})"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend the connection for a transaction that reads."""
        with self._transaction(writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Lend the connection for a transaction that writes; it is committed at the end, or not at all."""
        with self._transaction(writes=True) as connection:
            yield connection

    @contextmanager
    def rehearsing(self) -> Iterator[Connection]:
        """Lend the connection for a transaction that may write, and undo it at the end."""
        with self._guard, self._errors():
            self._connection.execution_options(ledger_writes=True)
            transaction = self._connection.begin()
            try:
                yield self._connection
            finally:
                transaction.rollback()

    @contextmanager
    def copying(self, statement: str) -> Iterator[Callable[[str], None]]:
        """Lend what writes the rows of a COPY … FROM STDIN, in Postgres's own text format."""
        with self._transaction(writes=False) as connection:
            driver: Any = connection.dialect.loaded_dbapi
            try:
                with connection.connection.cursor().copy(statement) as copy:
                    yield copy.write
            except driver.Error as error:
                raise DBAPIError(None, None, error) from error

    def empty_log(self) -> None:
        """Remove what was deleted from SQLite's log file too, unless another process is reading it."""
        if self.is_sqlite:
            with self._guard:
                # Past SQLAlchemy, which would begin a transaction, and in one there is no checkpoint.
                self._connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the connection, which releases its locks."""
        with self._guard:
            self._connection.close()

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        with self._guard, self._errors():
            if self._connection.closed or self._connection.invalidated:
                # Never connect again: the locks of this run were lost with the connection.
                raise LedgerError(
                    "The connection to the ledger's database was lost: run again when the database is back."
                )
            self._connection.execution_options(ledger_writes=writes)
            with self._connection.begin():
                yield self._connection

    def _connect(self) -> Connection:
        try:
            make = _sqlite_engine if self.is_sqlite else _postgres_engine
            engine = make(self._url, read_only=self._read_only)
        except ImportError:  # also where psycopg is there, and the library that it needs is not
            raise LedgerError(
                "ledger_url names a Postgres database, and its driver is not installed: "
                "pip install 'target-hubspot-lists[postgres]'."
            ) from None
        except (SQLAlchemyError, ValueError):
            raise LedgerError(f"ledger_url cannot be understood: give it as {_FORMS}.") from None
        try:
            return engine.connect()
        except DBAPIError as error:
            raise LedgerError(
                f"The ledger {self._name}cannot be opened{self._detail(error)}: check ledger_url, and that this "
                "user may read and write what it names."
            ) from None

    @contextmanager
    def _errors(self) -> Iterator[None]:
        # `from None`: what the driver says can quote a row, and so a person.
        try:
            yield
        except DBAPIError as error:
            raise LedgerError(
                f"The ledger {self._name}cannot be read or written{self._detail(error)}: see to the database "
                "that ledger_url names, then run again."
            ) from None

    @property
    def _name(self) -> str:
        return f'"{self.path}" ' if self.path else ""

    def _detail(self, error: DBAPIError) -> str:
        """Return the driver's message without passwords and addresses; nothing if they cannot be told apart."""
        first_line = str(error.orig).strip().partition("\n")[0]
        if not self._may_quote or not first_line:
            return ""
        return f" ({redact(first_line, secrets=self._secrets)[:_DETAIL_CHARACTERS].rstrip('.')})"


@dataclass(frozen=True)
class PortalView:
    """One portal's part of a ledger's database, as one run sees it: what the stores of a ledger share."""

    database: Database
    portal_id: int
    run_id: str
    now: Callable[[], datetime]

    def seconds(self) -> int:
        """Return the time in seconds since 1970."""
        return int(self.now().timestamp())

    def period(self, since: datetime) -> Period:
        """Return the time from that moment to now: what is dated later was dated by a clock that was ahead."""
        return Period(int(since.timestamp()), self.seconds())

    def day(self) -> int:
        """Return the day in days since 1970."""
        return self.seconds() // SECONDS_PER_DAY


def parse_url(url: str) -> URL:
    """Parse `ledger_url`; raise LedgerError, which shows nothing of it, unless it is SQLite or Postgres."""
    try:
        parsed = make_url(url.strip())
    except (ArgumentError, ValueError):
        raise LedgerError(f"ledger_url cannot be understood: give it as {_FORMS}.") from None
    if parsed.drivername in _POSTGRES:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in _SQLITE:
        raise LedgerError(
            f"ledger_url names neither SQLite nor Postgres with the driver psycopg: give it as {_FORMS}."
        )
    database = parsed.database or ""
    if database in {"", ":memory:"} or database.startswith("file:"):
        raise LedgerError(
            "ledger_url names no file in which a ledger could last from run to run: "
            "give it as sqlite:///path/to/ledger.db."
        )
    return parsed.set(drivername="sqlite+pysqlite")


def check_can_be_made(url: str, absent: NoLedgerThere) -> None:
    """Raise LedgerError where this user may not make the file that `url` names, or write to it while it is empty."""
    path = Path(parse_url(url).database or "")
    # As SQLite is judged when it opens the file: by the effective user.
    is_effective = os.access in os.supports_effective_ids
    if not os.access(path if path.exists() else path.parent, os.W_OK, effective_ids=is_effective):
        raise LedgerError(
            f'The ledger "{path}" cannot be made: name a file in ledger_url that this user may write.'
        ) from absent


def _secrets(url: URL) -> list[str]:
    values = [url.password, *url.query.values()]
    return [str(value) for value in values if value and isinstance(value, str)]


def _sqlite_path(url: URL, *, create: bool) -> Path:
    """The path of the file, the same by whatever links; it is made, for its owner alone, where there is none yet."""
    try:
        path = Path(url.database or "").resolve()  # the files beside it show which runs are alive
        is_there = path.exists()
    except (OSError, RuntimeError):  # a link that leads to itself, or a name that no file can have
        raise LedgerError(
            "The path in ledger_url leads nowhere: correct its symbolic links, or shorten its names."
        ) from None
    if not path.parent.is_dir():
        raise LedgerError(
            f'There is no folder "{path.parent}" for the ledger: make it, or correct ledger_url.'
        )
    if not create and not (is_there and path.stat().st_size):
        raise NoLedgerThere(f'There is no ledger "{path}": check ledger_url.')
    if is_there:
        return path
    try:
        # SQLite gives its -wal and -shm files the mode of the database file.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, OWNER_ONLY))
    except OSError as error:
        raise LedgerError(
            f'The ledger "{path}" cannot be made ({error.strerror}): name a file in ledger_url that this user '
            "may write."
        ) from None
    return path


def _sqlite_engine(url: URL, *, read_only: bool) -> Engine:
    engine = create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:  # noqa: ANN401 - the driver's, and the pool's
        # Transactions begin as written below, not where the driver guesses.
        connection.isolation_level = None
        for pragma in _READING if read_only else _WRITING:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE waits its turn to write; a transaction that read first would fail instead of waiting.
        writes = connection.get_execution_options().get("ledger_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres_engine(url: URL, *, read_only: bool) -> Engine:
    defaults: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "target-hubspot-lists",
        "keepalives_idle": KEEPALIVE_SECONDS,
        "keepalives_interval": KEEPALIVE_INTERVAL_SECONDS,
        "keepalives_count": KEEPALIVES,
    }
    arguments = {name: value for name, value in defaults.items() if name not in url.query}
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=arguments)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:  # noqa: ANN401 - the driver's, and the pool's
        # A machine that vanished gives its locks back as soon as the server notices.
        connection.execute(f"SET tcp_keepalives_idle = {KEEPALIVE_SECONDS}")
        connection.execute(f"SET tcp_keepalives_interval = {KEEPALIVE_INTERVAL_SECONDS}")
        connection.execute(f"SET tcp_keepalives_count = {KEEPALIVES}")
        if read_only:
            connection.execute("SET default_transaction_read_only = on")
        connection.commit()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Each statement that reads is a transaction of its own, as it would be anyway for what it sees: so the server
        # is asked once, and not three times.
        writes = connection.get_execution_options().get("ledger_writes")
        driver_connection: Any = connection.connection.driver_connection
        driver_connection.autocommit = not writes

    return engine
