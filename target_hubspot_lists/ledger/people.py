"""Which contact an address is, or another identifier, what was last written to it, and how both are forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, except_, literal, select, true, tuple_, update

from target_hubspot_lists.identifiers import EMAIL, RECORD_ID
from target_hubspot_lists.ledger import kept_adds, mailability
from target_hubspot_lists.ledger.memberships import is_member, merged_state
from target_hubspot_lists.ledger.records import Forgotten
from target_hubspot_lists.ledger.statements import (
    among,
    chunks,
    insert_into,
    pairs_as_rows,
    serialize,
)
from target_hubspot_lists.ledger.tables import (
    contacts,
    lists,
    lists_to_be_made,
    memberships,
    property_hashes,
    runs,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection, Select


VALUES_AT_ONCE = 10_000


def record_ids(  # noqa: PLR0913 - what a look-up is known by
    connection: Connection,
    portal_id: int,
    by: str,
    values: Collection[str],
    *,
    since: int,
    with_mailability: bool = False,
) -> dict[str, int]:
    """The record ids of the values of a property that were looked up at that time or later.

    `with_mailability` leaves out those of whom it was not told then whether HubSpot mails them.
    """
    found: dict[str, int] = {}
    told = mailability.is_told(portal_id, contacts.c.record_id, since) if with_mailability else true()
    for chunk in chunks(_spelt(by, each) for each in values):
        rows = connection.execute(
            select(contacts.c.value, contacts.c.record_id).where(
                contacts.c.portal_id == portal_id,
                contacts.c.property == by,
                among(connection, contacts.c.value, chunk),
                contacts.c.looked_up >= since,
                told,
            )
        ).all()
        found.update((value, record_id) for value, record_id in rows)
    return found


def page(
    connection: Connection, portal_id: int, *, before: int, after: tuple[str, str]
) -> dict[str, dict[str, int]]:
    """The next values behind one, in order, that were looked up before that time; by property."""
    key = contacts.c.property, contacts.c.value
    rows = connection.execute(
        select(*key, contacts.c.record_id)
        .where(contacts.c.portal_id == portal_id, tuple_(*key) > after, contacts.c.looked_up < before)
        .order_by(*key)
        .limit(VALUES_AT_ONCE)
    )
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row.property, {})[row.value] = row.record_id
    return found


def age(connection: Connection, portal_id: int, moment: int) -> None:
    """Let what was looked up at that time or later be a second older than it."""
    fresh = contacts.c.portal_id == portal_id, contacts.c.looked_up >= moment
    connection.execute(update(contacts).where(*fresh).values(looked_up=moment - 1))


def remember(connection: Connection, portal_id: int, by: str, found: Mapping[str, int], *, now: int) -> None:
    """Note which contact each value of a property is."""
    by_value = {_spelt(by, value): record_id for value, record_id in found.items()}
    for chunk in chunks(by_value):
        rows = pairs_as_rows(connection, {value: by_value[value] for value in chunk})
        insert = insert_into(connection, contacts).from_select(
            ("portal_id", "property", "value", "record_id", "looked_up"),
            select(literal(portal_id), literal(by), rows.c.key, rows.c.value, literal(now)).where(true()),
        )
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["portal_id", "property", "value"],
                set_={"record_id": insert.excluded.record_id, "looked_up": now},
            )
        )


def names_of(connection: Connection, portal_id: int, ids: Collection[int]) -> set[tuple[str, str]]:
    """Return each property and value by which these records are known."""
    names = {(RECORD_ID, str(each)) for each in ids}
    for chunk in chunks(ids):
        of_records = contacts.c.portal_id == portal_id, among(connection, contacts.c.record_id, chunk)
        rows = connection.execute(select(contacts.c.property, contacts.c.value).where(*of_records))
        names.update((row.property, row.value) for row in rows)
    return names


def forget(connection: Connection, portal_id: int, ids: Collection[int]) -> tuple[list[str], Forgotten]:
    """Delete everything known of these records; return by which values they were known, and how much that was."""
    values: list[str] = []
    known = hash_count = 0
    told = mailability.forget(connection, portal_id, ids)
    for chunk in chunks(ids):
        of_portal = contacts.c.portal_id == portal_id, among(connection, contacts.c.record_id, chunk)
        values += connection.scalars(select(contacts.c.value).where(*of_portal))
        connection.execute(delete(contacts).where(*of_portal))
        known += connection.execute(
            delete(memberships).where(
                memberships.c.list_key.in_(_list_keys(portal_id)),
                among(connection, memberships.c.record_id, chunk),
            )
        ).rowcount
        hash_count += connection.execute(
            delete(property_hashes).where(
                property_hashes.c.portal_id == portal_id,
                among(connection, property_hashes.c.record_id, chunk),
            )
        ).rowcount
    return values, Forgotten(len(values), known, hash_count, mailability=told)


def merge(connection: Connection, portal_id: int, merged: Mapping[int, int], *, day: int) -> None:
    """Let what is known of retired records be known of the contacts that they became, on every list."""
    serialize(connection)  # other runs may learn of the same merges
    for chunk in chunks(merged):
        known = {
            *_merge_contacts(connection, portal_id, chunk, merged),
            *_merge_memberships(connection, portal_id, chunk, merged, day=day),
            *hashes(connection, portal_id, chunk),
        }
        of_portal = property_hashes.c.portal_id == portal_id
        records = known | {merged[each] for each in known}
        of_records = among(connection, property_hashes.c.record_id, records)
        connection.execute(delete(property_hashes).where(of_portal, of_records))
    mailability.forget(connection, portal_id, merged)


def _merge_contacts(
    connection: Connection, portal_id: int, retired: Collection[int], merged: Mapping[int, int]
) -> Collection[int]:
    """Let the identifiers of retired records be their contacts'; return the records that had any."""
    of_portal, key = contacts.c.portal_id == portal_id, (contacts.c.property, contacts.c.value)
    query = (
        select(*key, contacts.c.record_id)
        .where(of_portal, among(connection, contacts.c.record_id, retired))
        .order_by(*key)  # in one order, so that no two runs wait for each other
        .with_for_update()
    )
    rows = connection.execute(query).all()
    for row in rows:
        is_row = contacts.c.property == row.property, contacts.c.value == row.value
        changed = update(contacts).where(of_portal, *is_row)
        connection.execute(changed.values(record_id=merged[row.record_id]))
    return {row.record_id for row in rows}


def _merge_memberships(
    connection: Connection, portal_id: int, retired: Collection[int], merged: Mapping[int, int], *, day: int
) -> Collection[int]:
    """Give contacts on each list the state that their records together have there; return the retired among those."""
    of_lists = memberships.c.list_key.in_(_list_keys(portal_id))
    records = {*retired, *(merged[each] for each in retired)}
    query = (
        select(memberships.c.list_key, memberships.c.record_id, memberships.c.state)
        .where(of_lists, among(connection, memberships.c.record_id, records))
        .order_by(memberships.c.list_key, memberships.c.record_id)
        .with_for_update()
    )
    rows = connection.execute(query).all()
    known = {row.record_id for row in rows}.intersection(retired)
    states: dict[tuple[int, int], list[int]] = {}
    for row in rows:
        contact = merged.get(row.record_id, row.record_id)
        states.setdefault((row.list_key, contact), []).append(row.state)
    changed = {(row.list_key, merged[row.record_id]) for row in rows if row.record_id in known}
    connection.execute(delete(memberships).where(of_lists, among(connection, memberships.c.record_id, known)))
    for pair in sorted(changed):
        _give_state(connection, *pair, merged_state(states[pair]), day=day)
    return known


def _give_state(
    connection: Connection, list_key: int, record_id: int, state: int | None, *, day: int
) -> None:
    """Give a record a state on a list; None makes it unknown."""
    if state is None:
        of_pair = memberships.c.list_key == list_key, memberships.c.record_id == record_id
        connection.execute(delete(memberships).where(*of_pair))
        return
    row = {"list_key": list_key, "record_id": record_id, "state": state, "day": day}
    insert = insert_into(connection, memberships).values(row)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["list_key", "record_id"], set_={"state": state, "day": day}
        )
    )


def record_id_of(connection: Connection, portal_id: int, by: str, value: str) -> int | None:
    """The record id of a value of a property, however long ago it was looked up."""
    value = value.strip()
    return record_ids(connection, portal_id, by, [value], since=0).get(_spelt(by, value))


def hashes(connection: Connection, portal_id: int, ids: Collection[int]) -> dict[int, bytes]:
    """The hashes of the property values last written, of the records where there are any."""
    found: dict[int, bytes] = {}
    for chunk in chunks(ids):
        rows = connection.execute(
            select(property_hashes.c.record_id, property_hashes.c.hashes).where(
                property_hashes.c.portal_id == portal_id,
                among(connection, property_hashes.c.record_id, chunk),
            )
        ).all()
        found.update((record_id, bytes(packed)) for record_id, packed in rows)
    return found


def remember_hashes(
    connection: Connection, portal_id: int, written: Mapping[int, bytes], *, day: int
) -> None:
    """Note the hashes of property values just written, in place of those known before."""
    insert = insert_into(connection, property_hashes)
    new = insert.excluded
    upsert = insert.on_conflict_do_update(
        index_elements=["portal_id", "record_id"], set_={"hashes": new.hashes, "day": new.day}
    )
    for chunk in chunks(written):
        rows = [
            {"portal_id": portal_id, "record_id": each, "hashes": written[each], "day": day} for each in chunk
        ]
        connection.execute(upsert, rows)


def prune(connection: Connection, portal_id: int, *, before: int, day: int) -> Forgotten:
    """Delete what has not changed since: who left lists, addresses of those on none, hashes, lines of runs."""
    of_portal = memberships.c.list_key.in_(_list_keys(portal_id))
    left = delete(memberships).where(of_portal, memberships.c.state == 0, memberships.c.day < day)
    left_count = connection.execute(left).rowcount
    stale = contacts.c.portal_id == portal_id, contacts.c.looked_up < before
    on_lists = select(memberships.c.record_id).where(of_portal, is_member())
    # EXCEPT and not NOT IN: both databases sort or hash it, however many are on lists.
    on_none = except_(select(contacts.c.record_id).where(*stale), on_lists)
    identifiers = connection.execute(
        delete(contacts).where(*stale, contacts.c.record_id.in_(on_none))
    ).rowcount
    hash_count = connection.execute(
        delete(property_hashes).where(property_hashes.c.portal_id == portal_id, property_hashes.c.day < day)
    ).rowcount
    mailability.prune(connection, portal_id, before=before)
    kept_adds.prune(connection, portal_id, before=before)
    for table, moment in ((runs, runs.c.ended), (lists_to_be_made, lists_to_be_made.c.since)):
        connection.execute(delete(table).where(table.c.portal_id == portal_id, moment < before))
    return Forgotten(identifiers, left_count, hash_count)


def _spelt(by: str, value: str) -> str:
    """A value as it is kept: of addresses case says nothing."""
    return value.lower() if by == EMAIL else value


def _list_keys(portal_id: int) -> Select[tuple[int]]:
    return select(lists.c.list_key).where(lists.c.portal_id == portal_id)
