"""Adds that did not apply and are tried again, and what was said since of the same lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, false, func, or_, select, update

from target_hubspot_lists.identifiers import named_by
from target_hubspot_lists.ledger.records import KeptAdd, KnownRemoval
from target_hubspot_lists.ledger.statements import among, chunks, insert_into
from target_hubspot_lists.ledger.tables import kept_adds, removals

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Table

BOTH = (kept_adds, removals)
KEY = ("portal_id", "list_id", "matched_by", "member")


def has_any(connection: Connection, portal_id: int, list_id: str) -> bool:
    """Whether anything is kept of a list."""
    query = select(kept_adds.c.member).where(*_of_list(kept_adds, portal_id, list_id)).limit(1)
    return connection.scalar(query) is not None


def last_word(connection: Connection, portal_id: int) -> int:
    """The number of the last word of which anything is kept: of two words the later has the larger number."""
    words = (
        connection.scalar(select(func.max(each.c.word)).where(each.c.portal_id == portal_id)) for each in BOTH
    )
    return max((each for each in words if each is not None), default=0)


def replace(
    connection: Connection, portal_id: int, list_id: str, matched_by: str, members: Iterable[str]
) -> None:
    """Forget what was kept of members of whom a later record has spoken."""
    for chunk in chunks(members):
        for table in BOTH:
            of_members = _of_members(connection, table, portal_id, list_id, matched_by, chunk)
            connection.execute(delete(table).where(*of_members))


def keep(connection: Connection, portal_id: int, adds: Sequence[KeptAdd], *, now: int) -> None:
    """Keep adds, in place of those of the same members."""
    rows = [{"portal_id": portal_id, **each._asdict(), "kept": now, "tried": 0} for each in adds]
    _upsert(connection, kept_adds, rows)


def note_removals(connection: Connection, portal_id: int, noted: Sequence[KnownRemoval]) -> None:
    """Note removals, in place of those of the same members."""
    _upsert(connection, removals, [{"portal_id": portal_id, **each._asdict()} for each in noted])


def streams(connection: Connection, portal_id: int, matched_by: str) -> set[str]:
    """Return the streams of which adds by these match settings are kept."""
    query = select(kept_adds.c.stream).where(
        kept_adds.c.portal_id == portal_id, kept_adds.c.matched_by == matched_by
    )
    return set(connection.scalars(query.distinct()))


def due(  # noqa: PLR0913 - what a run brings, and how much it does
    connection: Connection,
    portal_id: int,
    lists: Mapping[str, Collection[str]],
    matched_by: str,
    *,
    kept_since: int,
    until: int,
    most: int,
) -> list[KeptAdd]:
    """Return adds to these lists of each stream, so many at most: first those not tried for the longest time."""
    query = (
        select(*(kept_adds.c[name] for name in KeptAdd._fields))
        .where(
            kept_adds.c.portal_id == portal_id,
            kept_adds.c.matched_by == matched_by,
            _of_pipeline(connection, lists),
            kept_adds.c.kept >= kept_since,
            kept_adds.c.word <= until,
        )
        .order_by(kept_adds.c.tried, kept_adds.c.word)
        .limit(most)
    )
    return [KeptAdd(*row) for row in connection.execute(query)]


def removals_of(connection: Connection, portal_id: int, list_id: str) -> list[KnownRemoval]:
    """Return the removals from a list since anything was kept of it."""
    query = select(*(removals.c[name] for name in KnownRemoval._fields))
    rows = connection.execute(query.where(*_of_list(removals, portal_id, list_id)))
    return [KnownRemoval(*row) for row in rows]


def tried(connection: Connection, portal_id: int, adds: Iterable[KeptAdd], *, now: int) -> None:
    """Note that adds were tried again without success."""
    for list_id, matched_by, members in _by_list(adds):
        for chunk in chunks(members):
            of_members = _of_members(connection, kept_adds, portal_id, list_id, matched_by, chunk)
            connection.execute(update(kept_adds).where(*of_members).values(tried=now))


def forget(connection: Connection, portal_id: int, adds: Iterable[KeptAdd]) -> None:
    """Forget adds that have applied, or that something replaced."""
    for list_id, matched_by, members in _by_list(adds):
        for chunk in chunks(members):
            of_members = _of_members(connection, kept_adds, portal_id, list_id, matched_by, chunk)
            connection.execute(delete(kept_adds).where(*of_members))


def forget_list(connection: Connection, portal_id: int, list_id: str) -> None:
    """Forget what was kept of a list."""
    for table in BOTH:
        connection.execute(delete(table).where(*_of_list(table, portal_id, list_id)))


def move(connection: Connection, portal_id: int, list_id: str, new_id: str) -> None:
    """Let what was kept of a deleted list be kept of the one made in its place."""
    forget_list(connection, portal_id, new_id)
    for table in BOTH:
        moved = update(table).where(*_of_list(table, portal_id, list_id)).values(list_id=new_id)
        connection.execute(moved)


def end(
    connection: Connection,
    portal_id: int,
    lists: Mapping[str, Collection[str]],
    matched_by: str,
    *,
    before: int,
) -> None:
    """Forget adds to these lists of each stream kept before that time, and removals that no add is left for."""
    old = kept_adds.c.portal_id == portal_id, kept_adds.c.kept < before
    same = kept_adds.c.matched_by == matched_by, _of_pipeline(connection, lists)
    connection.execute(delete(kept_adds).where(*old, *same))
    _forget_removals(connection, portal_id)


def prune(connection: Connection, portal_id: int, *, before: int) -> None:
    """Forget all adds that were kept before that time, and removals that no add is left for."""
    connection.execute(delete(kept_adds).where(kept_adds.c.portal_id == portal_id, kept_adds.c.kept < before))
    _forget_removals(connection, portal_id)


def _forget_removals(connection: Connection, portal_id: int) -> None:
    with_adds = select(kept_adds.c.list_id).where(kept_adds.c.portal_id == portal_id)
    connection.execute(
        delete(removals).where(removals.c.portal_id == portal_id, removals.c.list_id.not_in(with_adds))
    )


def forget_person(
    connection: Connection, portal_id: int, names: Collection[tuple[str, str]], record_ids: Collection[int]
) -> int:
    """Forget what was kept of a person, by any of these (property, value) and record ids; return how much that was."""
    deleted = 0
    for table in BOTH:
        query = select(table.c.matched_by, table.c.member).where(table.c.portal_id == portal_id).distinct()
        # All of them are looked at: a member with several identifiers is one text.
        theirs = [row for row in connection.execute(query) if not named_by(*row).isdisjoint(names)]
        conditions: list[ColumnElement[bool]] = [
            (table.c.matched_by == matched_by) & (table.c.member == member) for matched_by, member in theirs
        ]
        if table is removals:
            conditions.append(removals.c.record_id.in_(record_ids))
        if conditions:
            of_person = table.c.portal_id == portal_id, or_(*conditions)
            deleted += connection.execute(delete(table).where(*of_person)).rowcount
    return deleted


def _by_list(adds: Iterable[KeptAdd]) -> Iterable[tuple[str, str, list[str]]]:
    by_list: dict[tuple[str, str], list[str]] = {}
    for each in adds:
        by_list.setdefault((each.list_id, each.matched_by), []).append(each.member)
    return [(*key, members) for key, members in by_list.items()]


def _of_pipeline(connection: Connection, lists: Mapping[str, Collection[str]]) -> ColumnElement[bool]:
    """Whether an add came from one of these streams and goes to one of its lists."""
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
