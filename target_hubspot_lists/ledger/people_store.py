"""What a ledger keeps of contacts: their addresses, and what was written to their properties."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from target_hubspot_lists.ledger import people
from target_hubspot_lists.ledger.portal_view import SECONDS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from target_hubspot_lists.ledger.portal_view import PortalView
    from target_hubspot_lists.ledger.records import Forgotten

RETENTION = timedelta(days=90)  # for what `prune` deletes


class PeopleStore:
    """The contacts of a portal; every method is one transaction."""

    def __init__(self, view: PortalView) -> None:
        self._view = view

    def record_ids(self, addresses: Collection[str], *, since: datetime) -> dict[str, int]:
        """Return the record ids of those addresses, in lower case, that were looked up at `since` or later."""
        with self._view.database.reading() as connection:
            return people.record_ids(
                connection, self._view.portal_id, addresses, since=int(since.timestamp())
            )

    def addresses(self, *, looked_up_before: datetime) -> Iterator[dict[str, int]]:
        """Yield the addresses that were not looked up since, with their record ids, a small part at a time."""
        before, after = int(looked_up_before.timestamp()), ""
        while True:
            with self._view.database.reading() as connection:
                page = people.addresses(connection, self._view.portal_id, before=before, after=after)
            if not page:
                return
            yield page
            after = next(reversed(page))

    def age_addresses(self, moment: datetime) -> None:
        """Let whatever was looked up in this second or later, by other runs, be of the second before."""
        with self._view.database.writing() as connection:
            people.age(connection, self._view.portal_id, int(moment.timestamp()))

    def remember_contacts(self, record_ids: Mapping[str, int]) -> None:
        """Note which contact each address is, as HubSpot says now."""
        with self._view.database.writing() as connection:
            people.remember(connection, self._view.portal_id, record_ids, now=self._view.seconds())

    def forget_record_ids(self, record_ids: Collection[int]) -> list[str]:
        """Delete all that is known of records that HubSpot reports missing; return their addresses."""
        with self._view.database.writing() as connection:
            return people.forget(connection, self._view.portal_id, record_ids)[0]

    def merge_records(self, merged: Mapping[int, int]) -> None:
        """Note which contacts records became that merges retired: addresses, lists and all are theirs now.

        On each list where any of its records was, or perhaps was, a merged contact is unsettled.
        """
        with self._view.database.writing() as connection:
            people.merge(connection, self._view.portal_id, merged, day=self._view.day())

    def forget_person(self, *, email: str | None = None, record_id: int | None = None) -> Forgotten:
        """Delete all that is known of a person, under every address of theirs; return how much that was."""
        with self._view.database.writing() as connection:
            of_address = people.record_id_of(connection, self._view.portal_id, email) if email else None
            record_ids = {each for each in (record_id, of_address) if each is not None}
            forgotten = people.forget(connection, self._view.portal_id, record_ids)[1]
        self._view.database.empty_log()
        return forgotten

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
