"""Where memberships go: the account of each cohort, and its list, found or made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.found_lists import Resolved
from target_hubspot_lists.journal.journal import Routed
from target_hubspot_lists.reporting.account import Account

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from target_hubspot_lists.errors import UnusableList
    from target_hubspot_lists.hubspot.found_lists import FoundLists
    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.sync.contact_properties import ContactProperties
    from target_hubspot_lists.sync.no_properties import NoProperties
    from target_hubspot_lists.sync.reconciling import Reconciling
    from target_hubspot_lists.sync.routes import Routes


@dataclass
class Destination:
    """Where the memberships of one route go; several cohorts may share it."""

    route: Route
    account: Account


class Planning:
    """Knows where each cohort goes, and finds or makes the lists."""

    def __init__(  # noqa: PLR0913 - what a list has to be checked against
        self,
        routes: Routes,
        lists: FoundLists,
        properties: ContactProperties | NoProperties,
        *,
        every: Lists,
        journal: Journal,
        accounts: Accounts,
        reconciling: Reconciling,
    ) -> None:
        self.routes = routes
        self.accounts = accounts
        self._lists = lists
        self._all = every
        self._properties = properties
        self._journal = journal
        self._reconciling = reconciling
        self._by_cohort: dict[Cohort, Destination] = {}
        self._by_route: dict[str, Destination] = {}

    def destination(self, cohort: Cohort) -> Destination:
        """Return where a cohort goes; open the account of its route."""
        found = self._by_cohort.get(cohort)
        if found is None:
            route = self.routes.of(cohort)
            found = self._by_route.get(route.key)
            if found is None:
                account = self.accounts.lists[route.key] = Account(
                    cohort, route.name or cohort.name, is_skipped=route.is_skipped
                )
                found = self._by_route[route.key] = Destination(route, account)
            self._by_cohort[cohort] = found
        return found

    def routed_cohorts(self, streams: Mapping[str, str]) -> list[Routed]:
        """Return the cohorts that go to the routes with these keys, each with the stream that filled it last."""
        return [
            Routed(cohort, each.route, streams[each.route.key], self.routes.is_configured(cohort))
            for cohort, each in self._by_cohort.items()
            if each.route.key in streams
        ]

    def find_lists(self, routed: Collection[Routed], wanted: Collection[str]) -> Mapping[str, HubSpotList]:
        """Return the lists of cohorts by route key: by the journal, else as their routes say.

        Absent ones whose key is `wanted` are made; the others are left out, as are those that cannot be used: their
        accounts have the problem.
        """
        self._reconciling.begin()
        self._journal.restore_routes(routed)
        routes = {each.route.key: each.route for each in routed}
        try:
            lists, unusable = self._lists.resolve(list(routes.values()), wanted, check=self._check)
        finally:
            self._journal.end_creating(self._lists.not_created)
        self.accounts.lists_created = len(self._lists.created)
        unusable = {**unusable, **self._journal.note_lists(routed, lists)}
        for key, problem in unusable.items():
            self._lists.mark_unusable(routes[key], problem)
            self._by_route[key].account.problem = problem
        usable = {key: each for key, each in lists.items() if self._by_route[key].account.problem is None}
        for key, each in usable.items():
            self._by_route[key].account.hubspot_list = each
        return usable

    def find_known(self, list_ids: Collection[str]) -> Resolved:
        """Return those of the lists that HubSpot still has, by id, and why some of them cannot be used."""
        there = self._all.find_all(list_ids)
        return Resolved(there, self._check(list(there.values())))

    def _check(self, lists: Sequence[HubSpotList]) -> Mapping[str, UnusableList]:
        """Raise, before anything is written, if a property has no place; return the lists that another run holds."""
        self._properties.check_lists(lists)
        unusable = self._journal.lock(lists)
        self._journal.begin_creating(
            [each.name for each in lists if each.is_to_be_created and each.list_id not in unusable]
        )
        return unusable
