"""Delivers once more what was asked of contacts that have another record id now, or whose address is another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.sync.plans import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from target_hubspot_lists.reporting.account import RequestedChange
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.sync.delivery import Delivery
    from target_hubspot_lists.sync.plans import Stale
    from target_hubspot_lists.sync.property_flush import Flush
    from target_hubspot_lists.sync.resolution import Resolver


def deliver_again(  # noqa: PLR0913 - what a delivery needs
    stale: Collection[Stale],
    is_superseded: Callable[[Stale, int], bool],
    *,
    resolver: Resolver,
    properties: Flush,
    delivery: Delivery,
    accounts: Accounts,
) -> None:
    """Bring members to HubSpot as who they are now; addresses are looked up once more, unless the ledger knows them.

    `is_superseded` says whether another word on the contact, by the record id it has now, came later.
    """
    if not stale:
        return
    by_address = [
        (each.asked.member, each.asked.is_member) for each in stale if isinstance(each.asked.member, str)
    ]
    resolution = resolver.resolve(by_address, properties)
    properties.resolved(resolution)
    by_list: dict[str, dict[int, RequestedChange]] = {}
    for each in stale:
        asked, record_id = each.asked, each.record_id_now
        if isinstance(asked.member, str):
            record_id = resolution.record_id(asked.member)
            asked = asked._replace(found_by=resolution.found_by.get(asked.member))
        if record_id is None:
            resolution.settle(accounts, [asked], properties.results)
        elif is_superseded(each, record_id):
            asked.account.superseded += 1
        else:
            of_list = by_list.setdefault(each.hubspot_list.list_id, {})
            other = of_list.get(record_id)
            if other is not None:
                min(asked, other, key=_position).account.superseded += 1
                asked = max(asked, other, key=_position)
            of_list[record_id] = asked
    lists = {each.hubspot_list.list_id: each.hubspot_list for each in stale}
    created = resolution.created_ids
    plans = [Plan.of(lists[list_id], of_list, created) for list_id, of_list in by_list.items()]
    properties.write(plans, resolution)
    delivery.deliver(plans, properties.results, is_again=True)


def _position(asked: RequestedChange) -> int:
    return asked.position
