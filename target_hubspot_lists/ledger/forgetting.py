"""Deletes what the ledger knows of contacts, in every table: of one contact, or what is of no use any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, except_, select

from target_hubspot_lists.identifiers import RECORD_ID
from target_hubspot_lists.ledger import kept_adds
from target_hubspot_lists.ledger.members import is_member
from target_hubspot_lists.ledger.records import Forgotten
from target_hubspot_lists.ledger.statements import among, chunks
from target_hubspot_lists.ledger.tables import (
    contacts,
    lists,
    lists_to_be_made,
    mailability,
    memberships,
    property_hashes,
    runs,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection, Select


def names_of(connection: Connection, portal_id: int, record_ids: Collection[int]) -> set[tuple[str, str]]:
    """Return each property and value by which these records are known."""
    names = {(RECORD_ID, str(record_id)) for record_id in record_ids}
    for chunk in chunks(record_ids):
        of_records = contacts.c.portal_id == portal_id, among(connection, contacts.c.record_id, chunk)
        rows = connection.execute(select(contacts.c.property, contacts.c.value).where(*of_records))
        names.update((row.property, row.value) for row in rows)
    return names


def forget(
    connection: Connection, portal_id: int, record_ids: Collection[int]
) -> tuple[list[str], Forgotten]:
    """Delete everything known of these records; return the values by which they were known, and how much that was."""
    values: list[str] = []
    known = hash_count = mailability_count = 0
    for chunk in chunks(record_ids):
        of_portal = contacts.c.portal_id == portal_id, among(connection, contacts.c.record_id, chunk)
        values += connection.scalars(select(contacts.c.value).where(*of_portal))
        connection.execute(delete(contacts).where(*of_portal))
        known += connection.execute(
            delete(memberships).where(
                memberships.c.list_key.in_(list_keys(portal_id)),
                among(connection, memberships.c.record_id, chunk),
            )
        ).rowcount
        hash_count += connection.execute(
            delete(property_hashes).where(
                property_hashes.c.portal_id == portal_id,
                among(connection, property_hashes.c.record_id, chunk),
            )
        ).rowcount
        mailability_count += forget_mailability(connection, portal_id, chunk)
    return values, Forgotten(len(values), known, hash_count, mailability=mailability_count)


def forget_mailability(connection: Connection, portal_id: int, record_ids: Collection[int]) -> int:
    """Delete the mailability of these records, as many as fit into one statement; return of how many it was known."""
    of_records = (
        mailability.c.portal_id == portal_id,
        among(connection, mailability.c.record_id, record_ids),
    )
    return connection.execute(delete(mailability).where(*of_records)).rowcount


def prune(connection: Connection, portal_id: int, *, before: int, day: int) -> Forgotten:
    """Delete what has not changed since that time, and its day: see `Ledger`."""
    of_portal = memberships.c.list_key.in_(list_keys(portal_id))
    left = delete(memberships).where(of_portal, memberships.c.state == 0, memberships.c.day < day)
    left_count = connection.execute(left).rowcount
    old = contacts.c.portal_id == portal_id, contacts.c.looked_up < before
    on_lists = select(memberships.c.record_id).where(of_portal, is_member())
    # EXCEPT and not NOT IN: both databases sort or hash it, however many are on lists.
    on_none = except_(select(contacts.c.record_id).where(*old), on_lists)
    identifiers = connection.execute(delete(contacts).where(*old, contacts.c.record_id.in_(on_none))).rowcount
    hash_count = connection.execute(
        delete(property_hashes).where(property_hashes.c.portal_id == portal_id, property_hashes.c.day < day)
    ).rowcount
    kept_adds.prune(connection, portal_id, before=before)
    for table, moment in (
        (mailability, mailability.c.looked_up),
        (runs, runs.c.ended),
        (lists_to_be_made, lists_to_be_made.c.since),
    ):
        connection.execute(delete(table).where(table.c.portal_id == portal_id, moment < before))
    return Forgotten(identifiers, left_count, hash_count)


def list_keys(portal_id: int) -> Select[int]:
    """Select the numbers that stand for a portal's lists."""
    return select(lists.c.list_key).where(lists.c.portal_id == portal_id)
