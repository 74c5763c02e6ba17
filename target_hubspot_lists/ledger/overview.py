"""Reads the lists and runs of a ledger, of all portals, for its command and the report page; it never writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

import orjson
from sqlalchemy import case, func, select, true

from target_hubspot_lists.errors import LedgerError
from target_hubspot_lists.ledger.database import Database
from target_hubspot_lists.ledger.members import is_member
from target_hubspot_lists.ledger.migrations import is_readable
from target_hubspot_lists.ledger.tables import cohorts, lists, memberships, runs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import TracebackType

    from sqlalchemy import ColumnElement, Connection, Row


@dataclass(frozen=True)
class ListInLedger:
    """A list in the ledger; `members` counts those of calls that were not answered, too."""

    portal_id: int
    list_id: str
    name: str
    cohorts: tuple[str, ...]  # by name where it is known, else by id
    stream: str  # which filled it last
    created_by_us: bool
    members: int
    last_run: datetime | None  # when it ended
    last_complete_run: datetime | None


@dataclass(frozen=True)
class RunInLedger:
    """What one run did to one list."""

    portal_id: int
    run_id: str
    list_id: str
    list_name: str | None  # None: the list is no longer in the ledger
    stream: str
    started: datetime
    ended: datetime
    asked: int
    outcomes: Mapping[str, int]  # outcome → members
    is_complete: bool  # all of its input was brought to HubSpot


class LedgerOverview:
    """A ledger that is only read: the database itself refuses to be written to."""

    def __init__(self, url: str) -> None:
        """Open the ledger; LedgerError says why it cannot be read, or that there is none."""
        self._database = Database(url, create=False, read_only=True)
        try:
            with self._database.reading() as connection:
                is_there = is_readable(connection)
        except LedgerError:
            self._database.close()
            raise
        if not is_there:
            self._database.close()
            raise LedgerError("The database that ledger_url names holds no ledger: check ledger_url.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def lists(self, portals: Collection[int] = ()) -> list[ListInLedger]:
        """Return the lists of these portals, or of all, by portal and name."""
        query = select(lists).where(_of_portals(lists.c.portal_id, portals))
        with self._database.reading() as connection:
            members, named, ended = _members(connection), _cohorts(connection), _last_runs(connection)
            rows = connection.execute(query).all()
        found = [
            ListInLedger(
                portal_id=row.portal_id,
                list_id=row.list_id,
                name=row.name,
                cohorts=tuple(sorted(named.get(row.list_key, ()))),
                stream=row.stream,
                created_by_us=row.created_by_us,
                members=members.get(row.list_key, 0),
                last_run=_moment(last_run),
                last_complete_run=_moment(last_complete_run),
            )
            for row in rows
            for last_run, last_complete_run in [ended.get((row.portal_id, row.list_id), (None, None))]
        ]
        return sorted(found, key=lambda one: (one.portal_id, one.name.casefold(), one.list_id))

    def runs(
        self,
        portals: Collection[int] = (),
        *,
        of_list: str | None = None,
        limit: int | None = None,
        of_each_list: int | None = None,
    ) -> list[RunInLedger]:
        """Return what runs did to each list, the newest first.

        `of_list` is a list's id, or its name in any case; at most `limit` in all, and `of_each_list` for each.
        """
        newest_first = (runs.c.started.desc(), runs.c.run_id.desc(), runs.c.list_id)
        same_list = (lists.c.portal_id == runs.c.portal_id) & (lists.c.list_id == runs.c.list_id)
        position = func.row_number().over(
            partition_by=(runs.c.portal_id, runs.c.list_id), order_by=newest_first
        )
        joined = (
            select(runs, lists.c.name.label("list_name"), position.label("position"))
            .select_from(runs.outerjoin(lists, same_list))
            .where(_of_portals(runs.c.portal_id, portals))
            .subquery()
        )
        query = select(joined)
        if of_each_list is not None:
            query = query.where(joined.c.position <= of_each_list)
        query = query.order_by(joined.c.started.desc(), joined.c.run_id.desc(), joined.c.list_id)
        with self._database.reading() as connection:
            rows = iter(connection.execute(query))
            found = (_run(row) for row in rows if of_list is None or _is(row, of_list))
            return list(islice(found, limit))


def _run(row: Row[Any]) -> RunInLedger:
    return RunInLedger(
        portal_id=row.portal_id,
        run_id=row.run_id,
        list_id=row.list_id,
        list_name=row.list_name,
        stream=row.stream,
        started=datetime.fromtimestamp(row.started, UTC),
        ended=datetime.fromtimestamp(row.ended, UTC),
        asked=row.asked,
        outcomes=orjson.loads(row.outcomes),
        is_complete=row.is_complete,
    )


def _is(row: Row[Any], wanted: str) -> bool:
    # Not in SQL: SQLite's lower() knows ASCII only.
    return row.list_id == wanted or (row.list_name or "").casefold() == wanted.casefold()


def _of_portals(column: ColumnElement[int], portals: Collection[int]) -> ColumnElement[bool]:
    return column.in_(portals) if portals else true()


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _last_runs(connection: Connection) -> dict[tuple[int, str], tuple[int | None, int | None]]:
    """When the last run on each list ended, and the last complete one."""
    complete = case((runs.c.is_complete, runs.c.ended))
    of_list = (runs.c.portal_id, runs.c.list_id)
    rows = connection.execute(select(*of_list, func.max(runs.c.ended), func.max(complete)).group_by(*of_list))
    return {(portal_id, list_id): (last, last_complete) for portal_id, list_id, last, last_complete in rows}


def _members(connection: Connection) -> dict[int, int]:
    """How many members each list has, by its key."""
    key = memberships.c.list_key
    rows = connection.execute(
        select(key, func.count().label("members")).where(is_member()).group_by(key)
    ).all()
    return {row.list_key: row.members for row in rows}


def _cohorts(connection: Connection) -> dict[int, list[str]]:
    """The cohorts that go to each list, by its key; a cohort's own key is `id …` or `name …`."""
    named: dict[int, list[str]] = {}
    for row in connection.execute(select(cohorts)):
        named.setdefault(row.list_key, []).append(
            row.name or row.cohort_key.partition(" ")[2] or row.cohort_key
        )
    return named
