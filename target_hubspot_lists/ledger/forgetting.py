"""Deletes what the ledger knows of contacts, in every table: of one contact, or what is of no use any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, except_, select, update

from target_hubspot_lists.identifiers import RECORD_ID
from target_hubspot_lists.ledger import kept_adds
from target_hubspot_lists.ledger.database import SECONDS_PER_DAY
from target_hubspot_lists.ledger.members import is_member, list_keys
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

    from sqlalchemy import Connection

    from target_hubspot_lists.ledger.records import Period


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


def read_lists_again(connection: Connection, portal_id: int, record_ids: Collection[int]) -> int:
    """Mark the lists that these records are on as not read, so that the next run on each reads it; return their number.

    Call it before `forget`: without their memberships a mirror takes these records for people who are not on the list.
    """
    marked = 0
    for chunk in chunks(record_ids):
        with_records = select(memberships.c.list_key).where(
            is_member(), among(connection, memberships.c.record_id, chunk)
        )
        of_records = lists.c.portal_id == portal_id, lists.c.list_key.in_(with_records)
        marked += connection.execute(update(lists).where(*of_records).values(was_read=False)).rowcount
    return marked


def forget_mailability(connection: Connection, portal_id: int, record_ids: Collection[int]) -> int:
    """Delete the mailability of these records, as many as fit into one statement; return of how many it was known."""
    of_records = (
        mailability.c.portal_id == portal_id,
        among(connection, mailability.c.record_id, record_ids),
    )
    return connection.execute(delete(mailability).where(*of_records)).rowcount


def prune(connection: Connection, portal_id: int, *, used: Period, now: int) -> Forgotten:
    """Delete what was not used in a time: see `Ledger`.

    The time ends after now, as clocks of several machines differ. What is dated after that is of a clock that was
    ahead: when it was used is not known. What is deleted for it costs a look-up or a write, and no more.
    """
    days = used.since // SECONDS_PER_DAY, used.until // SECONDS_PER_DAY
    of_portal = memberships.c.list_key.in_(list_keys(portal_id))
    left = delete(memberships).where(of_portal, memberships.c.state == 0, ~memberships.c.day.between(*days))
    left_count = connection.execute(left).rowcount
    old = contacts.c.portal_id == portal_id, ~contacts.c.looked_up.between(*used)
    on_lists = select(memberships.c.record_id).where(of_portal, is_member())
    # EXCEPT and not NOT IN: both databases sort or hash it, however many are on lists.
    on_none = except_(select(contacts.c.record_id).where(*old), on_lists)
    identifiers = connection.execute(delete(contacts).where(*old, contacts.c.record_id.in_(on_none))).rowcount
    hash_count = connection.execute(
        delete(property_hashes).where(
            property_hashes.c.portal_id == portal_id, ~property_hashes.c.day.between(*days)
        )
    ).rowcount
    kept_adds.prune(connection, portal_id, used=used, now=now)
    for table, is_old in (
        (mailability, ~mailability.c.looked_up.between(*used)),
        (lists_to_be_made, ~lists_to_be_made.c.since.between(*used)),
        # Not those dated in the future: if it is this run's clock that is wrong, the lines of all runs would be lost.
        (runs, runs.c.ended < used.since),
    ):
        connection.execute(delete(table).where(table.c.portal_id == portal_id, is_old))
    return Forgotten(identifiers, left_count, hash_count)
