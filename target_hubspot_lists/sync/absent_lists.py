"""Removals from lists that HubSpot does not have: who left is recorded, and the contacts' properties are written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import UnusableList
from target_hubspot_lists.hubspot.list_objects import list_to_create
from target_hubspot_lists.outcomes import Outcome
from target_hubspot_lists.reporting.account import EMPTY
from target_hubspot_lists.sync.plans import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.outcomes import PropertyResult
    from target_hubspot_lists.reporting.account import Account, RequestedChange
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.sync.contact_properties import ContactProperties, NoProperties
    from target_hubspot_lists.sync.resolution import Resolution


class AbsentLists:
    """The lists from which a flush only removes, and that are deleted in HubSpot or were never there.

    Of a deleted list it is recorded who left, so that they stay off the list that takes its place.
    """

    def __init__(
        self, accounts: Accounts, properties: ContactProperties | NoProperties, journal: Journal
    ) -> None:
        self._accounts = accounts
        self._properties = properties
        self._journal = journal

    def need_contacts(self, route: Route, account: Account) -> bool:
        """Return whether the contacts of those who leave must be known: to be recorded, or for their properties."""
        if account.problem is not None:
            return False
        return bool(self._properties.names) or self._journal.deleted_list(route) is not None

    def deleted(self, routes: Iterable[Route]) -> dict[str, HubSpotList]:
        """Return those that were deleted, by route key, for the properties that hold audience statuses."""
        return {
            route.key: replace(
                list_to_create(route), list_id=deleted.list_id, name=deleted.name, is_to_be_created=False
            )
            for route in routes
            if (deleted := self._journal.deleted_list(route)) is not None
        }

    def leave(
        self,
        route: Route,
        account: Account,
        words: dict[Member, int],
        resolution: Resolution,
        deleted: HubSpotList | None,
    ) -> Plan | None:
        """Record who left a list; return them for their properties, None for nobody.

        Members without a contact are settled. So are all of them if the list cannot be used.
        """
        found, without_contact = resolution.words(account, words)
        if deleted is None:
            for asked in without_contact:
                self._accounts.settle(asked, Outcome.NOT_A_MEMBER)
        else:
            resolution.settle(self._accounts, without_contact, EMPTY)
            try:
                self._journal.record_leavers(route, found.words.keys())
            except UnusableList as problem:
                account.problem = problem
                reject(self._accounts, map(found.asked, found.words), problem)
                return None
        if not found.words:
            return None
        return Plan(deleted or list_to_create(route), (found,), resolution.created_ids)

    def settle(self, plans: Sequence[Plan], results: Mapping[Member, PropertyResult]) -> None:
        """Settle what `leave` returned; `results` are of writing the contacts' properties."""
        for plan in plans:
            for words in plan.parts:
                self._accounts.settle_all(
                    words,
                    words.words.keys(),
                    Outcome.NOT_A_MEMBER,
                    is_member=False,
                    created=plan.created,
                    results=results,
                )


def reject(accounts: Accounts, changes: Iterable[RequestedChange], problem: UnusableList) -> None:
    """Reject changes of a list that cannot be used."""
    for asked in changes:
        accounts.settle(asked, Outcome.REJECTED, refusal=problem.refusal)
