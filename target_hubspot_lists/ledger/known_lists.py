"""The lists a portal's cohorts go to, and a line for each run and list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import delete, func, or_, select, update

from target_hubspot_lists.ledger.records import KnownList, RunLine
from target_hubspot_lists.ledger.statements import insert_into
from target_hubspot_lists.ledger.tables import cohorts, lists, lists_to_be_made, memberships, runs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy import ColumnElement, Connection


def list_key(connection: Connection, portal_id: int, list_id: str) -> int | None:
    """The number that stands for a list, or None if it is not known."""
    return connection.scalar(
        select(lists.c.list_key).where(lists.c.portal_id == portal_id, lists.c.list_id == list_id)
    )


def of_portal(connection: Connection, portal_id: int) -> list[KnownList]:
    """Every list, once for each cohort that goes to it."""
    return list(_known(connection, portal_id))


def of_list(connection: Connection, portal_id: int, list_id: str) -> list[KnownList]:
    """One list, once for each cohort that goes to it."""
    return list(_known(connection, portal_id, lists.c.list_id == list_id))


def begin_making(connection: Connection, portal_id: int, names: Collection[str], *, now: int) -> None:
    """Note that lists of these names are about to be made."""
    for name in names:
        row = {"portal_id": portal_id, "list_name": name.casefold(), "since": now}
        insert = insert_into(connection, lists_to_be_made).values(row)
        keys = ["portal_id", "list_name"]
        connection.execute(insert.on_conflict_do_update(index_elements=keys, set_={"since": now}))


def is_to_be_made(connection: Connection, portal_id: int, name: str) -> bool:
    """Whether a list of that name was about to be made, and it was not noted what became of it."""
    query = select(lists_to_be_made.c.since).where(*_of_name(portal_id, name))
    return connection.scalar(query) is not None


def end_making(connection: Connection, portal_id: int, names: Collection[str]) -> None:
    """Note that lists of these names are not about to be made any more."""
    for name in names:
        connection.execute(delete(lists_to_be_made).where(*_of_name(portal_id, name)))


def _of_name(portal_id: int, name: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return lists_to_be_made.c.portal_id == portal_id, lists_to_be_made.c.list_name == name.casefold()


def remember(connection: Connection, portal_id: int, known: KnownList) -> None:
    """Note a list and its cohort; that it was made by us, or read, is never taken back."""
    end_making(connection, portal_id, [known.name])
    insert = insert_into(connection, lists).values(
        portal_id=portal_id,
        list_id=known.list_id,
        name=known.name,
        stream=known.stream,
        created_by_us=known.created_by_us,
        was_read=known.was_read,
    )
    new = insert.excluded
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["portal_id", "list_id"],
            set_={
                "name": new.name,
                "stream": new.stream,
                "created_by_us": or_(lists.c.created_by_us, new.created_by_us),
                "was_read": or_(lists.c.was_read, new.was_read),
            },
        )
    )
    if known.cohort_key is not None:
        _lead(connection, portal_id, known)


def rename(connection: Connection, portal_id: int, list_id: str, name: str) -> None:
    """Note a list's new name."""
    connection.execute(
        update(lists).where(lists.c.portal_id == portal_id, lists.c.list_id == list_id).values(name=name)
    )


def name_cohort(connection: Connection, portal_id: int, cohort_key: str, name: str) -> None:
    """Note by what name a cohort's list is known to go."""
    connection.execute(
        update(cohorts)
        .where(cohorts.c.portal_id == portal_id, cohorts.c.cohort_key == cohort_key)
        .values(name=name)
    )


def note_reading(connection: Connection, key: int) -> None:
    """Note that a list's members were read from HubSpot."""
    connection.execute(update(lists).where(lists.c.list_key == key).values(was_read=True))


def forget(connection: Connection, portal_id: int, list_id: str) -> None:
    """Drop a list, who was on it, and that cohorts went to it."""
    key = list_key(connection, portal_id, list_id)
    for table in (memberships, cohorts, lists):
        connection.execute(delete(table).where(table.c.list_key == key))


def redirect(connection: Connection, key: int, new_key: int) -> None:
    """Let the cohorts of one list go to another."""
    connection.execute(update(cohorts).where(cohorts.c.list_key == key).values(list_key=new_key))


def record_run(connection: Connection, portal_id: int, line: RunLine) -> None:
    """Write the line of a run and list, in place of one that the run wrote before."""
    figures: dict[str, Any] = {
        "stream": line.stream,
        "started": int(line.started.timestamp()),
        "ended": int(line.ended.timestamp()),
        "asked": line.asked,
        "outcomes": orjson.dumps(dict(line.outcomes)).decode(),
        "is_complete": line.is_complete,
    }
    insert = insert_into(connection, runs).values(
        portal_id=portal_id, run_id=line.run_id, list_id=line.list_id, **figures
    )
    connection.execute(
        insert.on_conflict_do_update(index_elements=["portal_id", "run_id", "list_id"], set_=figures)
    )


def lists_by_run(connection: Connection, portal_id: int, stream: str) -> list[set[str]]:
    """The lists that each run of a stream filled, of all runs of which there are lines."""
    by_run: dict[str, set[str]] = {}
    of_stream = runs.c.portal_id == portal_id, runs.c.stream == stream
    for run_id, list_id in connection.execute(select(runs.c.run_id, runs.c.list_id).where(*of_stream)):
        by_run.setdefault(run_id, set()).add(list_id)
    return list(by_run.values())


def move_runs(connection: Connection, portal_id: int, list_id: str, new_id: str) -> None:
    """Let the lines about one list be about the one that takes its place."""
    with_both = select(runs.c.run_id).where(runs.c.portal_id == portal_id, runs.c.list_id == new_id)
    of_old = runs.c.portal_id == portal_id, runs.c.list_id == list_id
    connection.execute(delete(runs).where(*of_old, runs.c.run_id.in_(with_both)))
    connection.execute(update(runs).where(*of_old).values(list_id=new_id))


def run_lines(connection: Connection, portal_id: int, list_id: str) -> Iterator[RunLine]:
    """Yield the lines of a list, the newest first."""
    newest_first = (runs.c.started.desc(), runs.c.run_id.desc())
    for row in connection.execute(
        select(runs).where(runs.c.portal_id == portal_id, runs.c.list_id == list_id).order_by(*newest_first)
    ):
        yield RunLine(
            run_id=row.run_id,
            list_id=row.list_id,
            stream=row.stream,
            started=datetime.fromtimestamp(row.started, UTC),
            ended=datetime.fromtimestamp(row.ended, UTC),
            asked=row.asked,
            outcomes=orjson.loads(row.outcomes),
            is_complete=row.is_complete,
        )


def _known(connection: Connection, portal_id: int, *conditions: ColumnElement[bool]) -> Iterator[KnownList]:
    for row in connection.execute(
        select(lists, cohorts.c.cohort_key, cohorts.c.name.label("cohort_name"))
        .select_from(lists.outerjoin(cohorts, cohorts.c.list_key == lists.c.list_key))
        .where(lists.c.portal_id == portal_id, *conditions)
        .order_by(lists.c.list_key, cohorts.c.cohort_key)
    ):
        yield KnownList(
            list_id=row.list_id,
            name=row.name,
            cohort_key=row.cohort_key,
            stream=row.stream,
            created_by_us=row.created_by_us,
            was_read=row.was_read,
            cohort_name=row.cohort_name,
        )


def _lead(connection: Connection, portal_id: int, known: KnownList) -> None:
    key = list_key(connection, portal_id, known.list_id)
    insert = insert_into(connection, cohorts).values(
        portal_id=portal_id, cohort_key=known.cohort_key, list_key=key, name=known.cohort_name
    )
    # The name stays, so that it shows at the end of the run whether the cohort was renamed since.
    kept = func.coalesce(cohorts.c.name, insert.excluded.name)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["portal_id", "cohort_key"], set_={"list_key": key, "name": kept}
        )
    )
