"""Applies what a mirror asks of a list, some members at a time, by the delivery that both modes share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_hubspot_lists.sync.plans import Plan
from target_hubspot_lists.sync.redelivery import deliver_again

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.membership_reads import MembershipReader
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.reporting.asked import Asked
    from target_hubspot_lists.sync.delivery import Delivery
    from target_hubspot_lists.sync.plans import Stale
    from target_hubspot_lists.sync.property_flush import Flush
    from target_hubspot_lists.sync.resolution import Resolution, Resolver


@dataclass(frozen=True)
class ListChange:
    """What is asked of one list: by record id the last word, at most one a contact."""

    hubspot_list: HubSpotList
    asked: Mapping[int, Asked]


class Applying:
    """Finds the contacts of a mirror's members, and delivers what is asked of them."""

    def __init__(  # noqa: PLR0913 - what both modes share
        self,
        *,
        contacts: Contacts,
        reader: MembershipReader,
        resolver: Resolver,
        delivery: Delivery,
        memory: Journal,
        accounts: Accounts,
    ) -> None:
        self.contacts = contacts
        self.reader = reader
        self.memory = memory
        self.accounts = accounts
        self._resolver = resolver
        self._delivery = delivery

    def find_contacts(self, asked: Sequence[Asked], properties: Flush) -> Resolution | None:
        """Resolve addresses to record ids, creating contacts only for those that are to be on a list."""
        resolution = self._resolver.resolve([(each.member, each.is_member) for each in asked], properties)
        if resolution.are_record_ids:
            return None
        properties.resolved(resolution)
        return resolution

    def record_id(self, asked: Asked, contacts: Resolution) -> int | None:
        """The record id of an address; None, and accounted for, where there is none."""
        record_id = contacts.record_id(asked.member)
        if record_id is None:
            contacts.settle(self.accounts, [asked], self.accounts.properties)
        return record_id

    def write(self, changes: Iterable[ListChange], created: set[int]) -> list[Stale]:
        """Change the lists, and give each contact its outcome; `created` are the contacts made for it."""
        plans = [Plan.of(each.hubspot_list, each.asked, created) for each in changes if each.asked]
        return self._delivery.deliver(plans, self.accounts.properties)

    def write_again(
        self, stale: Collection[Stale], properties: Flush, is_outdone: Callable[[Stale, int], bool]
    ) -> None:
        """Bring those to HubSpot as who they are now whose record ids were retired, or whose contacts are gone."""
        deliver_again(
            stale,
            is_outdone,
            resolver=self._resolver,
            properties=properties,
            delivery=self._delivery,
            accounts=self.accounts,
        )
