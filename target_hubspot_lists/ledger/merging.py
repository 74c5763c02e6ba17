"""Moves what the ledger knows of record ids that merges retired to the contacts that they were merged into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from target_hubspot_lists.ledger.forgetting import forget_mailability
from target_hubspot_lists.ledger.members import list_keys, merged_state
from target_hubspot_lists.ledger.statements import among, chunks, insert_into, serialize
from target_hubspot_lists.ledger.tables import contacts, memberships, property_hashes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection


def merge(connection: Connection, portal_id: int, merged: Mapping[int, int], *, day: int) -> None:
    """Move what is known of retired record ids, on every list; `merged` is the current id of each of them."""
    serialize(connection)  # other runs may learn of the same merges
    for chunk in chunks(merged):
        known = {
            *_merge_contacts(connection, portal_id, chunk, merged),
            *_merge_memberships(connection, portal_id, chunk, merged, day=day),
            *_with_hashes(connection, portal_id, chunk),
        }
        # What was written to either record says nothing of the merged contact.
        of_portal = property_hashes.c.portal_id == portal_id
        records = known | {merged[record_id] for record_id in known}
        of_records = among(connection, property_hashes.c.record_id, records)
        connection.execute(delete(property_hashes).where(of_portal, of_records))
        forget_mailability(connection, portal_id, chunk)


def _merge_contacts(
    connection: Connection, portal_id: int, retired: Collection[int], merged: Mapping[int, int]
) -> Collection[int]:
    """Give the identifiers of retired records to their contacts; return the records that had any."""
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
    of_lists = memberships.c.list_key.in_(list_keys(portal_id))
    records = {*retired, *(merged[record_id] for record_id in retired)}
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
    for list_key, record_id in sorted(changed):
        state = merged_state(states[list_key, record_id])
        _set_state(connection, list_key, record_id, state, day=day)
    return known


def _set_state(connection: Connection, list_key: int, record_id: int, state: int | None, *, day: int) -> None:
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


def _with_hashes(connection: Connection, portal_id: int, record_ids: Collection[int]) -> Collection[int]:
    """Return those of the records of which hashes of property values are known."""
    query = select(property_hashes.c.record_id).where(
        property_hashes.c.portal_id == portal_id, among(connection, property_hashes.c.record_id, record_ids)
    )
    return connection.scalars(query).all()
