"""What HubSpot said of contacts when they were last looked up: whether it mails them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, literal, select, true

from target_hubspot_lists.ledger.statements import among, chunks, ids_as_rows, insert_into
from target_hubspot_lists.ledger.tables import mailability
from target_hubspot_lists.outcomes import KnownMailability, Mailability

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import ColumnElement, Connection


def known(
    connection: Connection, portal_id: int, record_ids: Collection[int], *, since: int
) -> dict[int, KnownMailability]:
    """Return what was told of contacts at that time or later."""
    found: dict[int, KnownMailability] = {}
    answers: dict[
        tuple[str, int], KnownMailability
    ] = {}  # one object for each, however many contacts it is of
    for chunk in chunks(record_ids):
        rows = connection.execute(
            select(mailability.c.record_id, mailability.c.mailability, mailability.c.looked_up).where(
                mailability.c.portal_id == portal_id,
                among(connection, mailability.c.record_id, chunk),
                mailability.c.looked_up >= since,
            )
        )
        for record_id, code, looked_up in rows:
            key = (code, looked_up)
            if key not in answers:
                answers[key] = KnownMailability(Mailability(code), looked_up)
            found[record_id] = answers[key]
    return found


def is_told(portal_id: int, record_id: ColumnElement[int], since: int) -> ColumnElement[bool]:
    """Whether anything was told of a contact at that time or later."""
    return exists().where(
        mailability.c.portal_id == portal_id,
        mailability.c.record_id == record_id,
        mailability.c.looked_up >= since,
    )


def remember(connection: Connection, portal_id: int, told: Mapping[int, Mailability], *, now: int) -> None:
    """Note what HubSpot says now of contacts."""
    by_answer: dict[Mailability, list[int]] = {}
    for record_id, answer in told.items():
        by_answer.setdefault(answer, []).append(record_id)
    for answer, record_ids in by_answer.items():
        for chunk in chunks(record_ids):
            rows = ids_as_rows(connection, chunk)
            insert = insert_into(connection, mailability).from_select(
                ("portal_id", "record_id", "mailability", "looked_up"),
                select(literal(portal_id), rows.c.value, literal(answer.value), literal(now)).where(true()),
            )
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["portal_id", "record_id"],
                    set_={"mailability": insert.excluded.mailability, "looked_up": now},
                )
            )


def forget(connection: Connection, portal_id: int, record_ids: Collection[int]) -> int:
    """Delete what was told of these contacts; return of how many something was."""
    deleted = 0
    for chunk in chunks(record_ids):
        deleted += connection.execute(
            delete(mailability).where(
                mailability.c.portal_id == portal_id, among(connection, mailability.c.record_id, chunk)
            )
        ).rowcount
    return deleted


def prune(connection: Connection, portal_id: int, *, before: int) -> None:
    """Delete what was told before that time."""
    connection.execute(
        delete(mailability).where(mailability.c.portal_id == portal_id, mailability.c.looked_up < before)
    )
