"""What the ledger knows of contacts: their identifiers, their mailability, and what was written to their properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import LargeBinary, bindparam, case, exists, literal, select, true, tuple_, update

from target_hubspot_lists.identifiers import EMAIL
from target_hubspot_lists.ledger import kept_adds
from target_hubspot_lists.ledger.database import SECONDS_PER_DAY
from target_hubspot_lists.ledger.forgetting import forget, names_of, prune, read_lists_again
from target_hubspot_lists.ledger.merging import merge
from target_hubspot_lists.ledger.records import Period
from target_hubspot_lists.ledger.statements import among, chunks, ids_as_rows, insert_into, pairs_as_rows
from target_hubspot_lists.ledger.tables import contacts, mailability, property_hashes
from target_hubspot_lists.outcomes import KnownMailability, Mailability

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Connection
    from sqlalchemy.dialects import postgresql, sqlite

    from target_hubspot_lists.ledger.database import PortalView
    from target_hubspot_lists.ledger.records import Forgotten

RETENTION = timedelta(days=90)  # for what `prune` deletes
VALUES_PER_PAGE = 10_000
EVER = Period(0, 2**63 - 1)


class PeopleStore:
    """The contacts of a portal; every method is one transaction."""

    def __init__(self, view: PortalView) -> None:
        self._view = view
        self._database = view.database
        self._portal_id = view.portal_id

    # Identifiers

    def record_ids(
        self,
        values: Collection[str],
        *,
        by: str = EMAIL,
        since: datetime | None = None,
        with_mailability: bool = False,
    ) -> dict[str, int]:
        """Return the record ids of those values of a property that were looked up at `since` or later; None: ever.

        A look-up that is dated in the future does not count as later: the clock was ahead.
        Addresses are the values of `email`, in lower case; another property with the same value is another person.
        `with_mailability` leaves out contacts whose mailability was not read then.
        """
        with self._database.reading() as connection:
            return _record_ids(
                connection,
                self._portal_id,
                by,
                values,
                period=EVER if since is None else self._view.period(since),
                with_mailability=with_mailability,
            )

    def contacts(self, *, looked_up_before: datetime) -> Iterator[tuple[str, dict[str, int]]]:
        """Yield each property with the record ids of its values that were not looked up since, one page at a time."""
        key, last = (contacts.c.property, contacts.c.value), ("", "")
        while True:
            page = (
                select(*key, contacts.c.record_id)
                .where(
                    contacts.c.portal_id == self._portal_id,
                    tuple_(*key) > last,
                    contacts.c.looked_up < int(looked_up_before.timestamp()),
                )
                .order_by(*key)
                .limit(VALUES_PER_PAGE)
            )
            by_property: dict[str, dict[str, int]] = {}
            with self._database.reading() as connection:
                for by, value, record_id in connection.execute(page):
                    by_property.setdefault(by, {})[value] = record_id
                    last = by, value
            if not by_property:
                return
            yield from by_property.items()

    def age_contacts(self, moment: datetime) -> None:
        """Date look-ups that other runs made at `moment` or later back to the second before it."""
        seconds = int(moment.timestamp())
        fresh = contacts.c.portal_id == self._portal_id, contacts.c.looked_up >= seconds
        with self._database.writing() as connection:
            connection.execute(update(contacts).where(*fresh).values(looked_up=seconds - 1))

    def remember_contacts(self, record_ids: Mapping[str, int], *, by: str = EMAIL) -> None:
        """Note which contact each value of a property is, as HubSpot says now."""
        now = self._view.seconds()
        by_value = {_spelt(by, value): record_id for value, record_id in record_ids.items()}
        with self._database.writing() as connection:
            for chunk in chunks(by_value):
                rows = pairs_as_rows(connection, {value: by_value[value] for value in chunk})
                insert = insert_into(connection, contacts).from_select(
                    ("portal_id", "property", "value", "record_id", "looked_up"),
                    select(
                        literal(self._portal_id), literal(by), rows.c.key, rows.c.value, literal(now)
                    ).where(true()),
                )
                connection.execute(
                    insert.on_conflict_do_update(
                        index_elements=["portal_id", "property", "value"],
                        set_={"record_id": insert.excluded.record_id, "looked_up": now},
                    )
                )

    # Mailability

    def mailability(self, record_ids: Collection[int], *, since: datetime) -> dict[int, KnownMailability]:
        """Return whether HubSpot mails these contacts, as it said at `since` or later, and not in the future."""
        with self._database.reading() as connection:
            return _mailability(connection, self._portal_id, record_ids, period=self._view.period(since))

    def remember_mailability(self, mailabilities: Mapping[int, Mailability]) -> None:
        """Note whether HubSpot mails contacts, as it says now."""
        with self._database.writing() as connection:
            _remember_mailability(connection, self._portal_id, mailabilities, now=self._view.seconds())

    # Property values

    def property_hashes(self, record_ids: Collection[int]) -> dict[int, bytes]:
        """Return the hashes of the property values last written, for the records that have any."""
        found: dict[int, bytes] = {}
        with self._database.reading() as connection:
            for chunk in chunks(record_ids):
                rows = connection.execute(
                    select(property_hashes.c.record_id, property_hashes.c.hashes).where(
                        property_hashes.c.portal_id == self._portal_id,
                        among(connection, property_hashes.c.record_id, chunk),
                    )
                ).all()
                found.update((record_id, bytes(packed)) for record_id, packed in rows)
        return found

    def remember_property_hashes(self, hashes: Mapping[int, bytes], known: Mapping[int, bytes]) -> None:
        """Note the hashes of property values that HubSpot has taken, in place of those known before.

        `known` has what the run read of these contacts. Where another run has changed that since, nothing is known from
        here on: neither run can say which values HubSpot has now.
        """
        columns = {"portal_id": self._portal_id, "day": self._view.day()}
        with self._database.writing() as connection:
            upsert = _upsert_of_hashes(connection)
            for chunk in chunks(hashes):
                rows = [
                    {**columns, "record_id": each, "hashes": hashes[each], "known": known.get(each, b"")}
                    for each in chunk
                ]
                connection.execute(upsert, rows)

    # All that is known of a contact, in every table

    def merge_records(self, merged: Mapping[int, int]) -> None:
        """Move what is known of retired record ids to the contacts that they were merged into.

        On each list where any of its records was, or may have been, a merged contact is unsettled.
        """
        with self._database.writing() as connection:
            merge(connection, self._portal_id, merged, day=self._view.day())

    def forget_record_ids(self, record_ids: Collection[int]) -> list[str]:
        """Delete all that is known of records that HubSpot reports missing; return the identifiers deleted."""
        with self._database.writing() as connection:
            return forget(connection, self._portal_id, record_ids)[0]

    def forget_person(
        self,
        *,
        email: str | None = None,
        record_id: int | None = None,
        unique: tuple[str, str] | None = None,
    ) -> Forgotten:
        """Delete all that is known of a person, under every identifier of theirs; return how much that was.

        `unique` is a unique property, and the person's value of it. The lists that the person is on are read again by
        the next run on each, since HubSpot may still have the person there.
        """
        names = [(EMAIL, email.strip().lower())] if email else []
        names += [unique] if unique else []
        with self._database.writing() as connection:
            record_ids = set() if record_id is None else {record_id}
            for by, value in names:
                record_ids.update(_record_ids(connection, self._portal_id, by, [value.strip()]).values())
            all_names = names_of(connection, self._portal_id, record_ids) | set(names)
            kept = kept_adds.forget_person(connection, self._portal_id, all_names, record_ids)
            to_read = read_lists_again(connection, self._portal_id, record_ids)
            _, forgotten = forget(connection, self._portal_id, record_ids)
        self._database.empty_log()
        return replace(forgotten, kept_adds=kept, lists_to_read=to_read)

    def prune(self, keep: timedelta = RETENTION) -> Forgotten:
        """Delete what has been of no use for so long: see `Ledger`."""
        since = self._view.now() - keep
        used = Period(int(since.timestamp()), self._view.seconds() + SECONDS_PER_DAY)
        with self._database.writing() as connection:
            return prune(connection, self._portal_id, used=used, now=self._view.seconds())


# Parts of the transactions above


def _record_ids(  # noqa: PLR0913 - what a look-up is known by
    connection: Connection,
    portal_id: int,
    by: str,
    values: Collection[str],
    *,
    period: Period = EVER,
    with_mailability: bool = False,
) -> dict[str, int]:
    is_valid = contacts.c.looked_up.between(*period)
    conditions = [contacts.c.portal_id == portal_id, contacts.c.property == by, is_valid]
    if with_mailability:
        conditions.append(
            exists().where(
                mailability.c.portal_id == portal_id,
                mailability.c.record_id == contacts.c.record_id,
                mailability.c.looked_up.between(*period),
            )
        )
    found: dict[str, int] = {}
    for chunk in chunks(_spelt(by, value) for value in values):
        rows = connection.execute(
            select(contacts.c.value, contacts.c.record_id).where(
                among(connection, contacts.c.value, chunk), *conditions
            )
        ).all()
        found.update((value, record_id) for value, record_id in rows)
    return found


def _mailability(
    connection: Connection, portal_id: int, record_ids: Collection[int], *, period: Period
) -> dict[int, KnownMailability]:
    found: dict[int, KnownMailability] = {}
    answers: dict[tuple[str, int], KnownMailability] = {}  # one object for each, shared by many contacts
    for chunk in chunks(record_ids):
        rows = connection.execute(
            select(mailability.c.record_id, mailability.c.mailability, mailability.c.looked_up).where(
                mailability.c.portal_id == portal_id,
                among(connection, mailability.c.record_id, chunk),
                mailability.c.looked_up.between(*period),
            )
        )
        for record_id, code, looked_up in rows:
            key = (code, looked_up)
            if key not in answers:
                answers[key] = KnownMailability(Mailability(code), looked_up)
            found[record_id] = answers[key]
    return found


def _remember_mailability(
    connection: Connection, portal_id: int, mailabilities: Mapping[int, Mailability], *, now: int
) -> None:
    by_answer: dict[Mailability, list[int]] = {}
    for record_id, answer in mailabilities.items():
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


def _spelt(by: str, value: str) -> str:
    """Return a value as it is kept: of addresses case says nothing."""
    return value.lower() if by == EMAIL else value


def _upsert_of_hashes(connection: Connection) -> postgresql.Insert | sqlite.Insert:
    """Return the statement that notes hashes; a row that is no longer as `known` gets none."""
    insert = insert_into(connection, property_hashes)
    is_as_read = property_hashes.c.hashes == bindparam("known", type_=LargeBinary)
    packed = case((is_as_read, insert.excluded.hashes), else_=literal(b"", LargeBinary))
    return insert.on_conflict_do_update(
        index_elements=["portal_id", "record_id"], set_={"hashes": packed, "day": insert.excluded.day}
    )
