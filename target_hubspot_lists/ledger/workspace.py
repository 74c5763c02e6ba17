"""A workspace holds tables of one run: in a private file without a ledger, else as temporary tables of the ledger.

On the ledger's connection (`ledger_workspace.py`) they can be joined with the ledger's tables. A private file has the
ledger's tables too, without rows, so that the statements are the same. This module needs no SQLAlchemy, which takes
long to import.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from target_hubspot_lists.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Row = tuple[Any, ...]

# The tables of a ledger that a run's own are joined with, as far as they are.
LEDGER_TABLES = """
CREATE TABLE ledger_contacts (portal_id INTEGER, property TEXT, value TEXT, record_id INTEGER, looked_up INTEGER);
CREATE TABLE ledger_lists (list_key INTEGER, portal_id INTEGER, list_id TEXT);
CREATE TABLE ledger_memberships (list_key INTEGER, record_id INTEGER, state INTEGER);
"""


class Workspace(Protocol):
    """A database connection with tables that vanish with it; statements name their values as `:name`."""

    portal_id: int
    ordered_key: str  # the type of a whole number by which rows arrive in order
    blob: str  # the type of bytes

    def create(self, table: str, columns: str, *, is_clustered: bool = False) -> None:
        """Create a table; a clustered one is stored in the order of its primary key, where that can be said."""

    def insert(self, table: str, rows: Sequence[Row], *, on_conflict: str = "") -> None:
        """Insert rows that have all columns of the table, in their order.

        `on_conflict` is the clause for rows whose key is there; then no key may be twice among the rows.
        """

    def insert_numbered(self, table: str, word: int, cohort: int, members: Sequence[int | str]) -> None:
        """Insert a row `(word, cohort, member)` for each member; the words are `word`, `word + 2`, and so on."""

    def change(self, statement: str, **values: object) -> None:
        """Run a statement that returns no rows."""

    def read(self, statement: str, **values: object) -> Sequence[Row]:
        """Return all rows of a statement: ask for a page at a time."""

    def clear(self, *tables: str) -> None:
        """Delete all rows of tables."""

    def fold(
        self, table: str, key: Sequence[str], others: Sequence[str], rows: str, **values: object
    ) -> None:
        """Insert the rows of a SELECT into a table: of all that have one key the one with the largest `word`.

        `key` and `others`, one of which is `word`, are the columns of the SELECT, in this order; `key` is the primary
        key of the table, which must be empty.
        """

    def among(self, name: str) -> str:
        """Return what stands behind a column that is to be one of the values of the parameter of that name."""

    def values(self, values: Sequence[int | str]) -> object:
        """Return values as the parameter that `among` reads."""

    def close(self) -> None:
        """Drop the tables."""


class SQLiteDialect:
    """SQL that differs from Postgres."""

    ordered_key = "INTEGER PRIMARY KEY"  # and so the row's own number: no index beside the rows
    blob = "BLOB"

    def insert_numbered(
        self: Workspace, table: str, word: int, cohort: int, members: Sequence[int | str]
    ) -> None:
        """Insert a row `(word, cohort, member)` for each member; the words are `word`, `word + 2`, and so on."""
        # One parameter that SQLite takes apart: a third of the time of as many rows given to it one by one.
        self.change(
            f"INSERT INTO {table} SELECT :word + 2 * key, :cohort, value FROM json_each(:members)",
            word=word,
            cohort=cohort,
            members=self.values(members),
        )

    def fold(
        self: Workspace, table: str, key: Sequence[str], others: Sequence[str], rows: str, **values: object
    ) -> None:
        """Insert the rows of a SELECT into a table: of all that have one key the one with the largest `word`."""
        # Half the time of GROUP BY with max(). In the order of the key, so that each row goes to the table's end. The
        # WHERE keeps ON CONFLICT apart from a join's ON: https://www.sqlite.org/lang_upsert.html#parsing_ambiguity
        columns, by = ", ".join([*key, *others]), ", ".join(key)
        taken = ", ".join(f"{each} = excluded.{each}" for each in others)
        self.change(
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM ({rows}) WHERE true ORDER BY {by} "
            f"ON CONFLICT ({by}) DO UPDATE SET {taken} WHERE excluded.word > {table}.word",
            **values,
        )

    def among(self, name: str) -> str:
        """Return what stands behind a column that is to be one of the values of the parameter of that name."""
        return f"IN (SELECT value FROM json_each(:{name}))"

    def values(self, values: Sequence[int | str]) -> object:
        """Return values as the parameter that `among` reads."""
        return orjson.dumps(values).decode()


class PrivateFile(SQLiteDialect):
    """A temporary SQLite file that ends with this process: it holds personal data."""

    portal_id = 0  # its ledger tables are empty

    def __init__(self) -> None:
        # Without a name SQLite makes a file that only its owner may read, and removes its name at once, so
        # that it is gone with the process, however that ends: https://www.sqlite.org/inmemorydb.html#temp_db
        self._connection = sqlite3.connect("")
        # The file is a scratch pad of one run: nothing of it is read after a crash, so it need not survive one.
        self._connection.executescript(
            f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {LEDGER_TABLES}"
        )

    def create(self, table: str, columns: str, *, is_clustered: bool = False) -> None:
        """Create a table; a clustered one is stored in the order of its primary key."""
        self._connection.execute(
            f"CREATE TABLE {table} ({columns}){' WITHOUT ROWID' if is_clustered else ''}"
        )

    def insert(self, table: str, rows: Sequence[Row], *, on_conflict: str = "") -> None:
        """Insert rows that have all columns of the table, in their order."""
        if rows:
            with _on_disk():
                self._connection.executemany(insert_statement(table, len(rows[0]), on_conflict), rows)

    def change(self, statement: str, **values: object) -> None:
        """Run a statement that returns no rows."""
        with _on_disk():
            self._connection.execute(statement, values)

    def read(self, statement: str, **values: object) -> Sequence[Row]:
        """Return all rows of a statement."""
        with _on_disk():
            return self._connection.execute(statement, values).fetchall()

    def clear(self, *tables: str) -> None:
        """Delete all rows of tables."""
        for table in tables:
            self.change(f"DELETE FROM {table}")

    def close(self) -> None:
        """Remove the file."""
        self._connection.close()


def insert_statement(table: str, columns: int, on_conflict: str) -> str:
    """Return the statement that inserts a whole row, with SQLite's marks for its values."""
    return f"INSERT INTO {table} VALUES ({', '.join('?' * columns)}) {on_conflict}"


@contextmanager
def _on_disk() -> Iterator[None]:
    """Raise TargetError, with what to do, if the temporary file cannot be written."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise TargetError(
            f"The temporary file of a mirror's snapshots cannot be written ({error}), and no member was removed since: "
            "make room, or name a folder that has room in the environment variable SQLITE_TMPDIR."
        ) from error
