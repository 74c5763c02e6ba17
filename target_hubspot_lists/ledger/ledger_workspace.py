"""Keeps a run's own tables on the ledger's connection, where they can be joined with what the ledger knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from target_hubspot_lists.ledger.workspace import SQLiteDialect, insert_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_hubspot_lists.ledger.database import Database
    from target_hubspot_lists.ledger.workspace import Row, Workspace

# What COPY reads otherwise than it is written: https://www.postgresql.org/docs/current/sql-copy.html
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
NULL = "\\N"


class _OnLedger:
    """Temporary tables on the connection of a ledger; each method is one transaction."""

    def __init__(self, database: Database, portal_id: int) -> None:
        self._database = database
        self.portal_id = portal_id

    def change(self, statement: str, **values: object) -> None:
        """Run a statement that returns no rows, and writes to temporary tables only."""
        # "Reading" is what it does to the ledger's own tables: no other run waits for it.
        with self._database.reading() as connection:
            connection.execute(text(statement), values)

    def read(self, statement: str, **values: object) -> Sequence[Row]:
        """Return all rows of a statement."""
        with self._database.reading() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]

    def close(self) -> None:
        """Nothing: the tables go with the ledger's connection."""


class SQLiteWorkspace(SQLiteDialect, _OnLedger):
    """Temporary tables beside a SQLite ledger; SQLite keeps them in a file that only its owner may read."""

    def create(self, table: str, columns: str, *, is_clustered: bool = False) -> None:
        """Create a table; a clustered one is stored in the order of its primary key."""
        self.change(f"CREATE TEMPORARY TABLE {table} ({columns}){' WITHOUT ROWID' if is_clustered else ''}")

    def insert(self, table: str, rows: Sequence[Row], *, on_conflict: str = "") -> None:
        """Insert rows that have all columns of the table, in their order."""
        if rows:
            with self._database.reading() as connection:
                connection.exec_driver_sql(insert_statement(table, len(rows[0]), on_conflict), list(rows))

    def clear(self, *tables: str) -> None:
        """Delete all rows of tables."""
        for table in tables:
            self.change(f"DELETE FROM {table}")


class PostgresWorkspace(_OnLedger):
    """Temporary tables of a session on a Postgres ledger."""

    ordered_key = "BIGINT PRIMARY KEY"
    blob = "BYTEA"

    def __init__(self, database: Database, portal_id: int) -> None:
        super().__init__(database, portal_id)
        self._with_incoming: set[str] = set()  # tables that have another one beside them for COPY

    def create(self, table: str, columns: str, *, is_clustered: bool = False) -> None:
        """Create a table."""
        del is_clustered
        self.change(f"CREATE TEMPORARY TABLE {table} ({columns})")

    def insert(self, table: str, rows: Sequence[Row], *, on_conflict: str = "") -> None:
        """Insert rows that have all columns of the table, in their order, by COPY."""
        if not rows:
            return
        if not on_conflict:
            self._copy(table, rows)
            return
        # COPY knows no conflicts: the rows go through a table of the same columns.
        incoming = f"{table}_incoming"
        if table not in self._with_incoming:
            self.change(f"CREATE TEMPORARY TABLE {incoming} (LIKE {table})")
            self._with_incoming.add(table)
        self._copy(incoming, rows)
        self.change(f"INSERT INTO {table} SELECT * FROM {incoming} {on_conflict}")
        self.clear(incoming)

    def insert_numbered(self, table: str, word: int, cohort: int, members: Sequence[int | str]) -> None:
        """Insert a row `(word, cohort, member)` for each member; the words are `word`, `word + 2`, and so on."""
        self._copy(table, [(word + 2 * number, cohort, member) for number, member in enumerate(members)])

    def _copy(self, table: str, rows: Sequence[Row]) -> None:
        lines = "".join(f"{chr(9).join(map(_copied, row))}\n" for row in rows)
        with self._database.copying(f"COPY {table} FROM STDIN") as write:
            write(lines)

    def clear(self, *tables: str) -> None:
        """Delete all rows of tables, and let the planner know."""
        self.change(f"TRUNCATE {', '.join(tables)}")

    def fold(
        self, table: str, key: Sequence[str], others: Sequence[str], rows: str, **values: object
    ) -> None:
        """Insert the rows of a SELECT into a table: of all that have one key the one with the largest `word`."""
        columns, by = ", ".join([*key, *others]), ", ".join(key)
        self.change(
            f"INSERT INTO {table} ({columns}) SELECT DISTINCT ON ({by}) {columns} FROM ({rows}) AS rows "
            f"ORDER BY {by}, word DESC",
            **values,
        )

    def among(self, name: str) -> str:
        """Return what stands behind a column that is to be one of the values of the parameter of that name."""
        return f"= ANY(:{name})"

    def values(self, values: Sequence[int | str]) -> object:
        """Return values as the parameter that `among` reads."""
        return list(values)


def _copied(value: object) -> str:
    """A value as COPY reads it."""
    if isinstance(value, str):
        return (
            value.translate(ESCAPES)
            if "\\" in value or "\t" in value or "\n" in value or "\r" in value
            else value
        )
    if isinstance(value, bytes):
        return f"\\\\x{value.hex()}"
    return NULL if value is None else str(value)


def workspace(database: Database, portal_id: int) -> Workspace:
    """Return where a run can keep tables beside a portal's ledger."""
    kind: Callable[[Database, int], Workspace] = SQLiteWorkspace if database.is_sqlite else PostgresWorkspace
    return kind(database, portal_id)
