"""SQL that differs in SQLite and Postgres: many values as one parameter, and the insert that updates.

Values go to the database as one parameter, an array in Postgres and JSON in SQLite: a statement is the same
whatever their number, and no driver walks through a million rows one by one.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import orjson
from sqlalchemy import ARRAY, BigInteger, Text, any_, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from sqlalchemy import Column, ColumnElement, Connection, FromClause, Table

Value = TypeVar("Value", int, str)

# Values in one statement. At 20 digits or 40 letters each that is one or two MB, of which the database makes as
# much again; ten times as many are not faster.
VALUES_PER_STATEMENT = 50_000

# The key of the Postgres lock under which a ledger is migrated and lists are locked: the word "ledger".
SERIAL_LOCK = int.from_bytes(b"ledger", "big")


def is_sqlite(connection: Connection) -> bool:
    """Return whether the database is SQLite; else it is Postgres."""
    return connection.dialect.name == "sqlite"


def serialize(connection: Connection) -> None:
    """Make other transactions wait here until this one ends; in SQLite there is only one that writes."""
    if not is_sqlite(connection):
        connection.execute(select(func.pg_advisory_xact_lock(SERIAL_LOCK)))


def chunks(values: Iterable[Value]) -> Iterator[list[Value]]:
    """Yield the values in lists small enough for one statement, each sorted and without repeats."""
    iterator = iter(values)
    while chunk := list(islice(iterator, VALUES_PER_STATEMENT)):
        # Sorted, they go into the table's pages in order: a million of them take half the space.
        yield sorted(set(chunk))


def among(connection: Connection, column: Column[Value], values: Collection[Value]) -> ColumnElement[bool]:
    """Return the condition that the column is one of the values."""
    if is_sqlite(connection):
        rows = func.json_each(_json(list(values))).table_valued("value")
        return column.in_(select(rows.c.value))
    return column == any_(literal(list(values), ARRAY(column.type)))


def ids_as_rows(connection: Connection, ids: Collection[int]) -> FromClause:
    """Return the ids as a table with one column, `value`."""
    if is_sqlite(connection):
        return func.json_each(_json(list(ids))).table_valued("value")
    return func.unnest(literal(list(ids), ARRAY(BigInteger))).table_valued("value").render_derived()


def pairs_as_rows(connection: Connection, pairs: Mapping[str, int]) -> FromClause:
    """Return the pairs as a table with two columns, `key` and `value`."""
    if is_sqlite(connection):
        return func.json_each(_json(pairs)).table_valued("key", "value")
    keys, values = literal(list(pairs), ARRAY(Text)), literal(list(pairs.values()), ARRAY(BigInteger))
    return func.unnest(keys, values).table_valued("key", "value").render_derived()


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an insert with `on_conflict` clauses, for a row that exists already."""
    return sqlite.insert(table) if is_sqlite(connection) else postgresql.insert(table)


def _json(values: object) -> str:
    return orjson.dumps(values).decode()
