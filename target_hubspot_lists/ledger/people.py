"""Which contact an address is, what was last written to it, and how both are forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, except_, literal, select, true, update

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


ADDRESSES_AT_ONCE = 10_000


def record_ids(
    connection: Connection, portal_id: int, addresses: Collection[str], *, since: int
) -> dict[str, int]:
    """The record ids of the addresses that were looked up at that time or later."""
    found: dict[str, int] = {}
    for chunk in chunks(address.lower() for address in addresses):
        rows = connection.execute(
            select(contacts.c.address, contacts.c.record_id).where(
                contacts.c.portal_id == portal_id,
                among(connection, contacts.c.address, chunk),
                contacts.c.looked_up >= since,
            )
        ).all()
        found.update((address, record_id) for address, record_id in rows)
    return found


def addresses(connection: Connection, portal_id: int, *, before: int, after: str) -> dict[str, int]:
    """The next addresses behind one, in order, that were looked up before that time."""
    rows = connection.execute(
        select(contacts.c.address, contacts.c.record_id)
        .where(contacts.c.portal_id == portal_id, contacts.c.address > after, contacts.c.looked_up < before)
        .order_by(contacts.c.address)
        .limit(ADDRESSES_AT_ONCE)
    )
    return {row.address: row.record_id for row in rows}


def age(connection: Connection, portal_id: int, moment: int) -> None:
    """Let what was looked up at that time or later be a second older than it."""
    fresh = contacts.c.portal_id == portal_id, contacts.c.looked_up >= moment
    connection.execute(update(contacts).where(*fresh).values(looked_up=moment - 1))


def remember(connection: Connection, portal_id: int, found: Mapping[str, int], *, now: int) -> None:
    """Note which contact each address is."""
    by_address = {address.lower(): record_id for address, record_id in found.items()}
    for chunk in chunks(by_address):
        rows = pairs_as_rows(connection, {address: by_address[address] for address in chunk})
        insert = insert_into(connection, contacts).from_select(
            ("portal_id", "address", "record_id", "looked_up"),
            select(literal(portal_id), rows.c.key, rows.c.value, literal(now)).where(true()),
        )
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["portal_id", "address"],
                set_={"record_id": insert.excluded.record_id, "looked_up": now},
            )
        )


def forget(connection: Connection, portal_id: int, ids: Collection[int]) -> tuple[list[str], Forgotten]:
    """Delete everything known of these records; return their addresses, and how much that was."""
    addresses: list[str] = []
    known = hash_count = 0
    for chunk in chunks(ids):
        of_portal = contacts.c.portal_id == portal_id, among(connection, contacts.c.record_id, chunk)
        addresses += connection.scalars(select(contacts.c.address).where(*of_portal))
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
    return addresses, Forgotten(len(addresses), known, hash_count)


def merge(connection: Connection, portal_id: int, merged: Mapping[int, int], *, day: int) -> None:
    """Let what is known of retired records be known of the contacts that they became, on every list."""
    serialize(connection)  # other runs may learn of the same merges
    for chunk in chunks(merged):
        known = {
            *_merge_addresses(connection, portal_id, chunk, merged),
            *_merge_memberships(connection, portal_id, chunk, merged, day=day),
            *hashes(connection, portal_id, chunk),
        }
        of_portal = property_hashes.c.portal_id == portal_id
        records = known | {merged[each] for each in known}
        of_records = among(connection, property_hashes.c.record_id, records)
        connection.execute(delete(property_hashes).where(of_portal, of_records))


def _merge_addresses(
    connection: Connection, portal_id: int, retired: Collection[int], merged: Mapping[int, int]
) -> Collection[int]:
    """Let the addresses of retired records be their contacts'; return the records that had any."""
    of_portal = contacts.c.portal_id == portal_id
    query = (
        select(contacts.c.address, contacts.c.record_id)
        .where(of_portal, among(connection, contacts.c.record_id, retired))
        .order_by(contacts.c.address)  # in one order, so that no two runs wait for each other
        .with_for_update()
    )
    rows = connection.execute(query).all()
    for row in rows:
        of_address = update(contacts).where(of_portal, contacts.c.address == row.address)
        connection.execute(of_address.values(record_id=merged[row.record_id]))
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


def record_id_of(connection: Connection, portal_id: int, address: str) -> int | None:
    """The record id of an address, however long ago it was looked up."""
    return connection.scalar(
        select(contacts.c.record_id).where(
            contacts.c.portal_id == portal_id, contacts.c.address == address.strip().lower()
        )
    )


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
    addresses = connection.execute(delete(contacts).where(*stale, contacts.c.record_id.in_(on_none))).rowcount
    hash_count = connection.execute(
        delete(property_hashes).where(property_hashes.c.portal_id == portal_id, property_hashes.c.day < day)
    ).rowcount
    for table, moment in ((runs, runs.c.ended), (lists_to_be_made, lists_to_be_made.c.since)):
        connection.execute(delete(table).where(table.c.portal_id == portal_id, moment < before))
    return Forgotten(addresses, left_count, hash_count)


def _list_keys(portal_id: int) -> Select[tuple[int]]:
    return select(lists.c.list_key).where(lists.c.portal_id == portal_id)
