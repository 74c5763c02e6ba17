"""What a ledger keeps of contacts: their addresses and other identifiers, and what was written to their properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from target_hubspot_lists.identifiers import EMAIL
from target_hubspot_lists.ledger import kept_adds, mailability, people
from target_hubspot_lists.ledger.portal_view import SECONDS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from target_hubspot_lists.ledger.portal_view import PortalView
    from target_hubspot_lists.ledger.records import Forgotten
    from target_hubspot_lists.outcomes import KnownMailability, Mailability

EPOCH = datetime.fromtimestamp(0, UTC)
RETENTION = timedelta(days=90)  # for what `prune` deletes


class PeopleStore:
    """The contacts of a portal; every method is one transaction."""

    def __init__(self, view: PortalView) -> None:
        self._view = view

    def record_ids(
        self,
        values: Collection[str],
        *,
        by: str = EMAIL,
        since: datetime = EPOCH,
        with_mailability: bool = False,
    ) -> dict[str, int]:
        """Return the record ids of those values of a property that were looked up at `since` or later.

        Addresses are the values of `email`, in lower case; another property with the same value is another person.
        `with_mailability` leaves out those of whom it was not told then whether HubSpot mails them.
        """
        with self._view.database.reading() as connection:
            return people.record_ids(
                connection,
                self._view.portal_id,
                by,
                values,
                since=int(since.timestamp()),
                with_mailability=with_mailability,
            )

    def mailability(self, record_ids: Collection[int], *, since: datetime) -> dict[int, KnownMailability]:
        """Return whether HubSpot mails these contacts, as it said at `since` or later."""
        with self._view.database.reading() as connection:
            return mailability.known(
                connection, self._view.portal_id, record_ids, since=int(since.timestamp())
            )

    def remember_mailability(self, told: Mapping[int, Mailability]) -> None:
        """Note whether HubSpot mails contacts, as it says now."""
        with self._view.database.writing() as connection:
            mailability.remember(connection, self._view.portal_id, told, now=self._view.seconds())

    def contacts(self, *, looked_up_before: datetime) -> Iterator[tuple[str, dict[str, int]]]:
        """Yield properties with those values that were not looked up since, and their record ids, a part at a time."""
        before, after = int(looked_up_before.timestamp()), ("", "")
        while True:
            with self._view.database.reading() as connection:
                page = people.page(connection, self._view.portal_id, before=before, after=after)
            if not page:
                return
            yield from page.items()
            by, values = next(reversed(page.items()))
            after = by, next(reversed(values))

    def age_contacts(self, moment: datetime) -> None:
        """Let whatever was looked up in this second or later, by other runs, be of the second before."""
        with self._view.database.writing() as connection:
            people.age(connection, self._view.portal_id, int(moment.timestamp()))

    def remember_contacts(self, record_ids: Mapping[str, int], *, by: str = EMAIL) -> None:
        """Note which contact each value of a property is, as HubSpot says now."""
        with self._view.database.writing() as connection:
            people.remember(connection, self._view.portal_id, by, record_ids, now=self._view.seconds())

    def forget_record_ids(self, record_ids: Collection[int]) -> list[str]:
        """Delete all that is known of records that HubSpot reports missing; return by what they were known."""
        with self._view.database.writing() as connection:
            return people.forget(connection, self._view.portal_id, record_ids)[0]

    def merge_records(self, merged: Mapping[int, int]) -> None:
        """Note which contacts records became that merges retired: addresses, lists and all are theirs now.

        On each list where any of its records was, or perhaps was, a merged contact is unsettled.
        """
        with self._view.database.writing() as connection:
            people.merge(connection, self._view.portal_id, merged, day=self._view.day())

    def forget_person(
        self,
        *,
        email: str | None = None,
        record_id: int | None = None,
        unique: tuple[str, str] | None = None,
    ) -> Forgotten:
        """Delete all that is known of a person, under every identifier of theirs; return how much that was.

        `unique` is a unique property, and the person's value of it.
        """
        names = [(EMAIL, email.strip().lower())] if email else []
        names += [unique] if unique else []
        with self._view.database.writing() as connection:
            named = {people.record_id_of(connection, self._view.portal_id, *each) for each in names}
            record_ids = {each for each in (record_id, *named) if each is not None}
            every = people.names_of(connection, self._view.portal_id, record_ids) | set(names)
            kept = kept_adds.forget_person(connection, self._view.portal_id, every, record_ids)
            forgotten = people.forget(connection, self._view.portal_id, record_ids)[1]
        self._view.database.empty_log()
        return replace(forgotten, kept_adds=kept)

    def property_hashes(self, record_ids: Collection[int]) -> dict[int, bytes]:
        """Return the hashes of the property values last written, where there are any."""
        with self._view.database.reading() as connection:
            return people.hashes(connection, self._view.portal_id, record_ids)

    def remember_property_hashes(self, hashes: Mapping[int, bytes]) -> None:
        """Note the hashes of property values that HubSpot has taken, in place of those known before."""
        with self._view.database.writing() as connection:
            people.remember_hashes(connection, self._view.portal_id, hashes, day=self._view.day())

    def prune(self, keep: timedelta = RETENTION) -> Forgotten:
        """Delete what has been of no use for so long: see the class."""
        before = int((self._view.now() - keep).timestamp())
        with self._view.database.writing() as connection:
            return people.prune(
                connection, self._view.portal_id, before=before, day=before // SECONDS_PER_DAY
            )
