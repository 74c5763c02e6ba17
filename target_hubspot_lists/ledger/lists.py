"""The lists that the ledger knows: which cohorts go to each, and what each run did to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import delete, func, or_, select, update

from target_hubspot_lists.ledger import kept_adds
from target_hubspot_lists.ledger.members import known_list_key, move_members
from target_hubspot_lists.ledger.records import KnownList
from target_hubspot_lists.ledger.statements import insert_into
from target_hubspot_lists.ledger.tables import (
    cohorts,
    list_streams,
    lists,
    lists_to_be_made,
    memberships,
    runs,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, CompoundSelect, Connection, Row

    from target_hubspot_lists.ledger.database import PortalView


class ListStore:
    """The lists of a portal; every method is one transaction."""

    def __init__(self, view: PortalView) -> None:
        self._view = view
        self._database = view.database
        self._portal_id = view.portal_id

    def all(self) -> list[KnownList]:
        """Return every list, once for each cohort that goes to it."""
        with self._database.reading() as connection:
            return _known(connection, lists.c.portal_id == self._portal_id)

    def known(self, list_id: str) -> list[KnownList]:
        """Return one list, once for each cohort that goes to it; nothing if the ledger does not know it."""
        with self._database.reading() as connection:
            return _known(connection, *_is_list(self._portal_id, list_id))

    def find(self, list_id: str) -> KnownList | None:
        """Return one list without the cohorts that go to it, which may be many; None if the ledger does not know it."""
        with self._database.reading() as connection:
            row = connection.execute(select(lists).where(*_is_list(self._portal_id, list_id))).one_or_none()
        return None if row is None else _known_list(row)

    # Lists that are about to be created

    def begin_creating(self, names: Collection[str]) -> None:
        """Note that HubSpot is about to be asked to create lists of these names; returned means committed.

        Until `remember_list` or `end_creating` notes the result, a list of that name counts as created by us: the run
        may have been killed before it could note the new list.
        """
        if not names:
            return
        with self._database.writing() as connection:
            _begin_creating(connection, self._portal_id, names, now=self._view.seconds())

    def end_creating(self, names: Collection[str]) -> None:
        """Note that HubSpot has created no list of these names for us."""
        if not names:
            return
        with self._database.writing() as connection:
            _end_creating(connection, self._portal_id, names)

    def is_being_created(self, name: str) -> bool:
        """Return whether a run was about to create a list of that name and noted no result."""
        query = select(lists_to_be_made.c.since).where(
            lists_to_be_made.c.portal_id == self._portal_id,
            lists_to_be_made.c.list_name == name.casefold(),
        )
        with self._database.reading() as connection:
            return connection.scalar(query) is not None

    # Lists and their cohorts

    def remember_list(self, known: KnownList) -> None:
        """Note a list and its cohort; that we created it, or read it, stays noted."""
        with self._database.writing() as connection:
            _remember(connection, self._portal_id, known)

    def remember_cohorts(self, known: Sequence[KnownList]) -> None:
        """Note the cohorts of lists that are noted already."""
        with self._database.writing() as connection:
            _remember_cohorts(connection, self._portal_id, known)

    def rename_list(self, list_id: str, name: str) -> None:
        """Note a list's new name."""
        with self._database.writing() as connection:
            connection.execute(update(lists).where(*_is_list(self._portal_id, list_id)).values(name=name))

    def set_stream(self, list_id: str, stream: str) -> None:
        """Note the one stream that fills a list from here on."""
        with self._database.writing() as connection:
            list_key = known_list_key(connection, self._portal_id, list_id)
            connection.execute(delete(list_streams).where(list_streams.c.list_key == list_key))
            connection.execute(update(lists).where(lists.c.list_key == list_key).values(stream=stream))

    def add_streams(self, list_id: str, streams: Collection[str]) -> None:
        """Note streams that fill a list besides the last one."""
        with self._database.writing() as connection:
            list_key = known_list_key(connection, self._portal_id, list_id)
            _add_streams(connection, list_key, streams)

    def streams(self, list_id: str) -> frozenset[str]:
        """Return the streams that fill a list, the last one included."""
        of_list = _is_list(self._portal_id, list_id)
        others = select(list_streams.c.stream).select_from(_LISTS_AND_STREAMS).where(*of_list)
        with self._database.reading() as connection:
            return frozenset(connection.scalars(select(lists.c.stream).where(*of_list).union(others)))

    def name_cohort(self, cohort_key: str, name: str) -> None:
        """Note the name of a cohort when its list was named after it; the list is renamed when the name changes."""
        is_cohort = cohorts.c.portal_id == self._portal_id, cohorts.c.cohort_key == cohort_key
        with self._database.writing() as connection:
            connection.execute(update(cohorts).where(*is_cohort).values(name=name))

    def replace_list(self, list_id: str, new: KnownList) -> None:
        """Put a list in the place of a deleted one: with its cohorts, its runs, and its members as lost.

        The list may have been known before; members that are known to be on it are not lost.
        """
        portal_id = self._portal_id
        with self._database.writing() as connection:
            _remember(connection, portal_id, new)
            old_key = known_list_key(connection, portal_id, list_id)
            new_key = known_list_key(connection, portal_id, new.list_id)
            move_members(connection, old_key, new_key, day=self._view.day())
            _move_held_back(connection, old_key, new_key)
            _move_streams(connection, old_key, new_key, new.stream)
            connection.execute(update(cohorts).where(cohorts.c.list_key == old_key).values(list_key=new_key))
            _move_runs(connection, portal_id, list_id, new.list_id)
            kept_adds.move(connection, portal_id, list_id, new.list_id)
            for table in (memberships, cohorts, list_streams, lists):
                connection.execute(delete(table).where(table.c.list_key == old_key))

    # Removals that were held back

    def members_before_held_back(self, list_id: str) -> int | None:
        """Return how many members a list had before runs whose removals were held back; None if none are."""
        query = select(lists.c.members_before_held_back).where(*_is_list(self._portal_id, list_id))
        with self._database.reading() as connection:
            members: int | None = connection.scalar(query)
        return members

    def note_held_back(self, list_id: str, members: int | None) -> None:
        """Note how many members a list has before a run whose removals may be held back; None: none are any more."""
        noted = update(lists).where(*_is_list(self._portal_id, list_id))
        with self._database.writing() as connection:
            connection.execute(noted.values(members_before_held_back=members))

    # Runs

    def record_run(  # noqa: PLR0913 - what a line says
        self,
        list_id: str,
        *,
        stream: str,
        started: datetime,
        asked: int,
        outcomes: Mapping[str, int],
        is_complete: bool = True,
    ) -> None:
        """Write this run's line on a list, in place of an earlier line of this run."""
        key = {"portal_id": self._portal_id, "run_id": self._view.run_id, "list_id": list_id}
        figures: dict[str, Any] = {
            "stream": stream,
            "started": int(started.timestamp()),
            "ended": self._view.seconds(),
            "asked": asked,
            "outcomes": orjson.dumps(dict(outcomes)).decode(),
            "is_complete": is_complete,
        }
        with self._database.writing() as connection:
            insert = insert_into(connection, runs).values(**key, **figures)
            connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=figures))

    def lists_by_run(self, stream: str, *, with_kept_adds: bool = False) -> list[set[str]]:
        """Return the ids of the lists that each run filled from a stream; `prune` forgets old runs.

        A line of a run names the stream that filled the list last; `with_kept_adds` it counts as this stream's also
        where adds of this stream to the list are kept.
        """
        is_of_stream = runs.c.stream == stream
        if with_kept_adds:
            is_of_stream |= runs.c.list_id.in_(kept_adds.lists_of(self._portal_id, stream))
        query = select(runs.c.run_id, runs.c.list_id).where(runs.c.portal_id == self._portal_id, is_of_stream)
        by_run: dict[str, set[str]] = {}
        with self._database.reading() as connection:
            for run_id, list_id in connection.execute(query):
                by_run.setdefault(run_id, set()).add(list_id)
        return list(by_run.values())

    def filled_by_others(self, stream: str) -> frozenset[str]:
        """Return the ids of the lists that others fill, or that their runs filled; `prune` forgets old runs."""
        with self._database.reading() as connection:
            return frozenset(connection.scalars(_filled_by_others(self._portal_id, stream)))


# Parts of the transactions above

_LISTS_AND_STREAMS = lists.join(list_streams, lists.c.list_key == list_streams.c.list_key)


def _filled_by_others(portal_id: int, stream: str) -> CompoundSelect[tuple[str]]:
    of_runs = select(runs.c.list_id).where(runs.c.portal_id == portal_id, runs.c.stream != stream)
    of_lists = select(lists.c.list_id).select_from(_LISTS_AND_STREAMS)
    return of_runs.union(of_lists.where(lists.c.portal_id == portal_id, list_streams.c.stream != stream))


def _is_list(portal_id: int, list_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return lists.c.portal_id == portal_id, lists.c.list_id == list_id


def _known(connection: Connection, *conditions: ColumnElement[bool]) -> list[KnownList]:
    """Return the lists for which the conditions hold, once for each cohort."""
    query = (
        select(lists, cohorts.c.cohort_key, cohorts.c.name.label("cohort_name"))
        .select_from(lists.outerjoin(cohorts, cohorts.c.list_key == lists.c.list_key))
        .where(*conditions)
        .order_by(lists.c.list_key, cohorts.c.cohort_key)
    )
    return [_known_list(row, row.cohort_key, row.cohort_name) for row in connection.execute(query)]


def _known_list(row: Row[Any], cohort_key: str | None = None, cohort_name: str | None = None) -> KnownList:
    return KnownList(
        list_id=row.list_id,
        name=row.name,
        cohort_key=cohort_key,
        stream=row.stream,
        created_by_us=row.created_by_us,
        was_read=row.was_read,
        cohort_name=cohort_name,
    )


def _begin_creating(connection: Connection, portal_id: int, names: Collection[str], *, now: int) -> None:
    rows = [{"portal_id": portal_id, "list_name": name.casefold(), "since": now} for name in names]
    insert = insert_into(connection, lists_to_be_made)
    changes = {"since": insert.excluded.since}
    connection.execute(
        insert.on_conflict_do_update(index_elements=["portal_id", "list_name"], set_=changes), rows
    )


def _end_creating(connection: Connection, portal_id: int, names: Collection[str]) -> None:
    for name in names:
        connection.execute(
            delete(lists_to_be_made).where(
                lists_to_be_made.c.portal_id == portal_id, lists_to_be_made.c.list_name == name.casefold()
            )
        )


def _remember(connection: Connection, portal_id: int, known: KnownList) -> None:
    _end_creating(connection, portal_id, [known.name])
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
        _remember_cohorts(connection, portal_id, [known])


def _remember_cohorts(connection: Connection, portal_id: int, known: Sequence[KnownList]) -> None:
    list_keys = {
        list_id: known_list_key(connection, portal_id, list_id)
        for list_id in dict.fromkeys(one.list_id for one in known)
    }
    rows = [
        {
            "portal_id": portal_id,
            "cohort_key": one.cohort_key,
            "list_key": list_keys[one.list_id],
            "name": one.cohort_name,
        }
        for one in known
    ]
    insert = insert_into(connection, cohorts)
    new = insert.excluded
    # The name stays, so that the end of the run sees whether the cohort was renamed since.
    changes = {"list_key": new.list_key, "name": func.coalesce(cohorts.c.name, new.name)}
    connection.execute(
        insert.on_conflict_do_update(index_elements=["portal_id", "cohort_key"], set_=changes), rows
    )


def _move_held_back(connection: Connection, old_key: int, new_key: int) -> None:
    """Make what is noted of removals that were held back on one list that of another, unless that has its own note."""
    members = select(lists.c.members_before_held_back).where(lists.c.list_key == old_key)
    noted = connection.scalar(members)
    has_none = lists.c.members_before_held_back.is_(None)
    connection.execute(
        update(lists).where(lists.c.list_key == new_key, has_none).values(members_before_held_back=noted)
    )


def _move_streams(connection: Connection, old_key: int, new_key: int, last: str) -> None:
    """Make the streams that fill one list those of another, besides the one that fills that one last."""
    of_old = select(list_streams.c.stream).where(list_streams.c.list_key == old_key)
    streams = of_old.union(select(lists.c.stream).where(lists.c.list_key == old_key))
    _add_streams(connection, new_key, set(connection.scalars(streams)) - {last})


def _add_streams(connection: Connection, list_key: int, streams: Collection[str]) -> None:
    for stream in streams:
        insert = insert_into(connection, list_streams).values(list_key=list_key, stream=stream)
        connection.execute(insert.on_conflict_do_nothing())


def _move_runs(connection: Connection, portal_id: int, list_id: str, new_id: str) -> None:
    """Make the run lines of one list those of another; of a run with lines on both, the new list's line stays."""
    with_both = select(runs.c.run_id).where(runs.c.portal_id == portal_id, runs.c.list_id == new_id)
    of_old = runs.c.portal_id == portal_id, runs.c.list_id == list_id
    connection.execute(delete(runs).where(*of_old, runs.c.run_id.in_(with_both)))
    connection.execute(update(runs).where(*of_old).values(list_id=new_id))
