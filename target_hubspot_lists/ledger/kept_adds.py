"""Adds that did not apply and are tried again, and the removals from the same lists since.

A `word` is the sequence number of a record's add or removal: of two about one list, the later has the larger number.
`matched_by` is the text of the match settings (`identifiers.match_text`): it says what `member` is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, false, func, or_, select, update

from target_hubspot_lists.identifiers import named_by
from target_hubspot_lists.ledger.records import KeptAdd, KnownRemoval
from target_hubspot_lists.ledger.statements import among, chunks, insert_into
from target_hubspot_lists.ledger.tables import kept_adds
from target_hubspot_lists.ledger.tables import removals as noted_removals

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select, Table

    from target_hubspot_lists.ledger.database import PortalView
    from target_hubspot_lists.ledger.records import Period

BOTH = (kept_adds, noted_removals)
KEY = ("portal_id", "list_id", "matched_by", "member")


class KeptAddStore:
    """The kept adds of a portal, and the removals beside them; every method is one transaction."""

    def __init__(self, view: PortalView) -> None:
        self._view = view
        self._database = view.database
        self._portal_id = view.portal_id

    def has_any(self, list_id: str) -> bool:
        """Return whether an add to a list is kept."""
        query = select(kept_adds.c.member).where(*_of_list(kept_adds, self._portal_id, list_id)).limit(1)
        with self._database.reading() as connection:
            return connection.scalar(query) is not None

    def last_word(self) -> int:
        """Return the largest number of an add or removal that is kept, 0 if there is none."""
        largest = [
            select(func.max(table.c.word)).where(table.c.portal_id == self._portal_id) for table in BOTH
        ]
        with self._database.reading() as connection:
            return max(connection.scalar(query) or 0 for query in largest)

    def note(
        self,
        list_id: str,
        matched_by: str,
        members: Iterable[str],
        *,
        adds: Sequence[KeptAdd],
        removals: Sequence[KnownRemoval],
    ) -> None:
        """Note what the records of a flush say of members of a list; it replaces what was kept of these members."""
        now = self._view.seconds()
        with self._database.writing() as connection:
            for chunk in chunks(members):
                for table in BOTH:
                    of_members = _of_members(connection, table, self._portal_id, list_id, matched_by, chunk)
                    connection.execute(delete(table).where(*of_members))
            rows = [{"portal_id": self._portal_id, **add._asdict(), "kept": now, "tried": 0} for add in adds]
            _upsert(connection, kept_adds, rows)
            rows = [{"portal_id": self._portal_id, **removal._asdict()} for removal in removals]
            _upsert(connection, noted_removals, rows)

    def streams(self, matched_by: str) -> set[str]:
        """Return the streams whose adds by these match settings are kept."""
        query = select(kept_adds.c.stream).where(
            kept_adds.c.portal_id == self._portal_id, kept_adds.c.matched_by == matched_by
        )
        with self._database.reading() as connection:
            return set(connection.scalars(query.distinct()))

    def due(
        self,
        lists: Mapping[str, Collection[str]],
        matched_by: str,
        *,
        since: datetime,
        until: int,
        most: int,
    ) -> list[KeptAdd]:
        """Return at most `most` adds, first those that were not tried for the longest time.

        `lists` are the ids of each stream's lists. Returned are adds kept at `since` or later, up to the word `until`.
        """
        with self._database.reading() as connection:
            query = (
                select(*(kept_adds.c[name] for name in KeptAdd._fields))
                .where(
                    kept_adds.c.portal_id == self._portal_id,
                    kept_adds.c.matched_by == matched_by,
                    _is_of_streams(connection, lists),
                    kept_adds.c.kept >= int(since.timestamp()),
                    kept_adds.c.word <= until,
                )
                .order_by(kept_adds.c.tried, kept_adds.c.word)
                .limit(most)
            )
            return [KeptAdd(*row) for row in connection.execute(query)]

    def removals_of(self, list_id: str) -> list[KnownRemoval]:
        """Return the removals from a list since an add to it is kept."""
        query = select(*(noted_removals.c[name] for name in KnownRemoval._fields)).where(
            *_of_list(noted_removals, self._portal_id, list_id)
        )
        with self._database.reading() as connection:
            return [KnownRemoval(*row) for row in connection.execute(query)]

    def tried(self, adds: Collection[KeptAdd], *, over: Collection[KeptAdd]) -> None:
        """Note which adds were tried again without success, and forget those that are `over`."""
        now = self._view.seconds()
        with self._database.writing() as connection:
            for is_add in self._conditions(connection, adds):
                connection.execute(update(kept_adds).where(*is_add).values(tried=now))
            for is_add in self._conditions(connection, over):
                connection.execute(delete(kept_adds).where(*is_add))

    def forget_list(self, list_id: str) -> None:
        """Forget what is kept of a list."""
        with self._database.writing() as connection:
            _forget_list(connection, self._portal_id, list_id)

    def end(self, lists: Mapping[str, Collection[str]], matched_by: str, *, before: datetime) -> None:
        """Forget adds to each stream's lists that were kept before then, and removals that no add is left for."""
        with self._database.writing() as connection:
            connection.execute(
                delete(kept_adds).where(
                    kept_adds.c.portal_id == self._portal_id,
                    kept_adds.c.kept < int(before.timestamp()),
                    kept_adds.c.matched_by == matched_by,
                    _is_of_streams(connection, lists),
                )
            )
            _forget_removals(connection, self._portal_id)

    def _conditions(
        self, connection: Connection, adds: Iterable[KeptAdd]
    ) -> Iterable[tuple[ColumnElement[bool], ...]]:
        """Yield conditions that together select these adds: one for each list, match settings and chunk of members."""
        by_list: dict[tuple[str, str], list[str]] = {}
        for add in adds:
            by_list.setdefault((add.list_id, add.matched_by), []).append(add.member)
        for (list_id, matched_by), members in by_list.items():
            for chunk in chunks(members):
                yield _of_members(connection, kept_adds, self._portal_id, list_id, matched_by, chunk)


# Parts of transactions; those without an underscore belong to transactions of other stores.


def lists_of(portal_id: int, stream: str) -> Select[str]:
    """Return the query for the ids of the lists for which adds of a stream are kept."""
    return select(kept_adds.c.list_id).where(kept_adds.c.portal_id == portal_id, kept_adds.c.stream == stream)


def move(connection: Connection, portal_id: int, list_id: str, new_id: str) -> None:
    """Make what is kept of a deleted list that of the list in its place."""
    _forget_list(connection, portal_id, new_id)
    for table in BOTH:
        moved = update(table).where(*_of_list(table, portal_id, list_id)).values(list_id=new_id)
        connection.execute(moved)


def prune(connection: Connection, portal_id: int, *, used: Period, now: int) -> None:
    """Forget all adds that were kept before a time, and removals that no add is left for.

    Adds kept after that time are dated by a clock that was ahead: they have their days from now on.
    """
    of_portal = kept_adds.c.portal_id == portal_id
    connection.execute(delete(kept_adds).where(of_portal, kept_adds.c.kept < used.since))
    connection.execute(update(kept_adds).where(of_portal, kept_adds.c.kept > used.until).values(kept=now))
    _forget_removals(connection, portal_id)


def forget_person(
    connection: Connection, portal_id: int, names: Collection[tuple[str, str]], record_ids: Collection[int]
) -> int:
    """Forget what is kept of a person, by any of these (property, value) and record ids; return how much that was."""
    deleted = 0
    for table in BOTH:
        query = select(table.c.matched_by, table.c.member).where(table.c.portal_id == portal_id).distinct()
        # All of them are looked at: a member with several identifiers is one text.
        theirs = [row for row in connection.execute(query) if not named_by(*row).isdisjoint(names)]
        conditions: list[ColumnElement[bool]] = [
            (table.c.matched_by == matched_by) & (table.c.member == member) for matched_by, member in theirs
        ]
        if table is noted_removals:
            conditions.append(noted_removals.c.record_id.in_(record_ids))
        if conditions:
            of_person = table.c.portal_id == portal_id, or_(*conditions)
            deleted += connection.execute(delete(table).where(*of_person)).rowcount
    return deleted


def _forget_list(connection: Connection, portal_id: int, list_id: str) -> None:
    for table in BOTH:
        connection.execute(delete(table).where(*_of_list(table, portal_id, list_id)))


def _forget_removals(connection: Connection, portal_id: int) -> None:
    """Forget removals from lists that no add is kept of."""
    with_adds = select(kept_adds.c.list_id).where(kept_adds.c.portal_id == portal_id)
    connection.execute(
        delete(noted_removals).where(
            noted_removals.c.portal_id == portal_id, noted_removals.c.list_id.not_in(with_adds)
        )
    )


def _is_of_streams(connection: Connection, lists: Mapping[str, Collection[str]]) -> ColumnElement[bool]:
    """Return the condition that an add came from one of these streams and goes to one of its lists."""
    of_streams = (
        (kept_adds.c.stream == stream) & among(connection, kept_adds.c.list_id, list_ids)
        for stream, list_ids in lists.items()
    )
    return or_(false(), *of_streams)


def _of_list(table: Table, portal_id: int, list_id: str) -> tuple[ColumnElement[bool], ...]:
    return table.c.portal_id == portal_id, table.c.list_id == list_id


def _of_members(  # noqa: PLR0913, PLR0917 - the key of both tables
    connection: Connection,
    table: Table,
    portal_id: int,
    list_id: str,
    matched_by: str,
    members: Collection[str],
) -> tuple[ColumnElement[bool], ...]:
    named = table.c.matched_by == matched_by, among(connection, table.c.member, members)
    return *_of_list(table, portal_id, list_id), *named


def _upsert(connection: Connection, table: Table, rows: Sequence[dict[str, object]]) -> None:
    if rows:
        insert = insert_into(connection, table)
        values = {name: insert.excluded[name] for name in rows[0] if name not in KEY}
        connection.execute(insert.on_conflict_do_update(index_elements=KEY, set_=values), rows)
