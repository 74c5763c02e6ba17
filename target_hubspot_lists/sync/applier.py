"""Applies what is asked of lists: finds contacts, writes their properties, sends the changes, and sends some again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.sync.plans import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.reporting.account import RequestedChange
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.sync.contact_properties import ContactProperties, NoProperties
    from target_hubspot_lists.sync.delivery import Delivery
    from target_hubspot_lists.sync.merged_contacts import MergedContacts
    from target_hubspot_lists.sync.plans import Resend
    from target_hubspot_lists.sync.property_flush import Flush
    from target_hubspot_lists.sync.resolution import Resolution
    from target_hubspot_lists.sync.resolvers import Resolver

    # Whether another change of the contact, by the record id that it has now, came later than one to send again.
    IsSuperseded = Callable[[Resend, int], bool]


class Applier:
    """The steps that all changes go through: contacts, properties, memberships, and again under new record ids."""

    def __init__(
        self,
        *,
        resolver: Resolver,
        merged: MergedContacts,
        delivery: Delivery,
        properties: ContactProperties | NoProperties,
        accounts: Accounts,
    ) -> None:
        self._resolver = resolver
        self._merged = merged
        self._delivery = delivery
        self._properties = properties
        self._accounts = accounts

    def begin(
        self,
        asked: Iterable[tuple[Route, Iterable[RequestedChange]]],
        lists: Mapping[str, HubSpotList],
        members: Iterable[tuple[Member, bool]],
    ) -> tuple[Flush, Resolution]:
        """Begin a flush: create the properties that the lists need, and find or create the contacts of members.

        `asked` has by route what is held for the `lists`, which are by route key.
        """
        properties = self._properties.begin(asked, lists)
        self._accounts.properties_created = len(self._properties.created)
        return properties, self.find_contacts(members, properties)

    def find_contacts(self, members: Iterable[tuple[Member, bool]], properties: Flush) -> Resolution:
        """Return the contact of each member; one that is True may be created, with its properties."""
        resolution = self._resolver.resolve(members, properties)
        properties.resolved(resolution)
        return resolution

    def apply(
        self,
        plans: Sequence[Plan],
        resolution: Resolution,
        properties: Flush,
        *,
        of_absent_lists: Sequence[Plan] = (),
        is_superseded: IsSuperseded | None = None,
    ) -> None:
        """Bring plans to HubSpot; return once each membership has its outcome.

        Of plans `of_absent_lists` only the contacts' properties are written.

        `is_superseded` is for changes that are sent again; None: a later change of the same plans supersedes one.
        """
        plans = self._merged.follow(plans, resolution)
        # Before the memberships: a HubSpot workflow that enrols on the list reads the properties.
        properties.write([*plans, *of_absent_lists], resolution)
        resends = self._delivery.deliver(plans, properties.results)
        self.resend(resends, is_superseded or _by_later_changes_of(plans), properties)

    def resend(self, resends: Collection[Resend], is_superseded: IsSuperseded, properties: Flush) -> None:
        """Send changes again, for the contacts that their members have now.

        Addresses are looked up once more, unless the ledger knows them.
        """
        if not resends:
            return
        resolution = self.find_contacts(
            [
                (resend.asked.member, resend.asked.is_member)
                for resend in resends
                if isinstance(resend.asked.member, str)
            ],
            properties,
        )
        by_list: dict[str, dict[int, RequestedChange]] = {}
        for resend in resends:
            asked, record_id = resend.asked, resend.current_id
            if isinstance(asked.member, str):
                record_id = resolution.record_id(asked.member)
                asked = asked._replace(found_by=resolution.found_by.get(asked.member))
            if record_id is None:
                resolution.settle(self._accounts, [asked], properties.results)
            elif is_superseded(resend, record_id):
                asked.account.superseded += 1
            else:
                of_list = by_list.setdefault(resend.hubspot_list.list_id, {})
                if other := of_list.get(record_id):
                    is_later = asked.position >= other.position
                    asked, superseded = (asked, other) if is_later else (other, asked)
                    superseded.account.superseded += 1
                of_list[record_id] = asked
        lists = {resend.hubspot_list.list_id: resend.hubspot_list for resend in resends}
        created = resolution.created_ids
        plans = [Plan.of(lists[list_id], of_list, created) for list_id, of_list in by_list.items()]
        properties.write(plans, resolution)
        self._delivery.deliver(plans, properties.results, is_resend=True)


def _by_later_changes_of(plans: Collection[Plan]) -> IsSuperseded:
    by_list = {plan.hubspot_list.list_id: plan for plan in plans}

    def is_superseded(resend: Resend, record_id: int) -> bool:
        other = by_list[resend.hubspot_list.list_id].asked(record_id)
        return other is not None and other.position > resend.asked.position

    return is_superseded
