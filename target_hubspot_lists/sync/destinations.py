"""Where memberships go: the list that each cohort goes to, found or created, and its account."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.found_lists import Resolved
from target_hubspot_lists.hubspot.list_objects import Route, route_keys, shown
from target_hubspot_lists.journal.journal import Routed
from target_hubspot_lists.reporting.account import Account

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from target_hubspot_lists.errors import UnusableList
    from target_hubspot_lists.hubspot.found_lists import FoundLists
    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.contact_properties import ContactProperties, NoProperties
    from target_hubspot_lists.sync.reconciling import Reconciling

logger = logging.getLogger(__name__)

MOST_NAMED = 5  # cohorts in one sentence of the log
MANY_IDS = 20  # of cohorts with one name, on one list: then the column may hold the ids of something else


@dataclass
class Destination:
    """The list and the account of one route; several cohorts may share it."""

    route: Route
    account: Account
    # In the order of the input. Once the journal has noted them: the first one, with which the list is looked up.
    to_note: list[tuple[int, Cohort]] = field(default_factory=list)


class Destinations:
    """Knows the destination of each cohort, and finds or creates the lists."""

    def __init__(  # noqa: PLR0913 - what a list has to be checked against
        self,
        routes: Routes,
        found_lists: FoundLists,
        properties: ContactProperties | NoProperties,
        *,
        lists: Lists,
        journal: Journal,
        accounts: Accounts,
        reconciling: Reconciling,
    ) -> None:
        self.routes = routes
        self.accounts = accounts
        self._found_lists = found_lists
        self._lists = lists
        self._properties = properties
        self._journal = journal
        self._reconciling = reconciling
        self._by_cohort: dict[Cohort, Destination] = {}
        self._by_route: dict[str, Destination] = {}
        # Of cohorts that lists[] does not name, by route key: the first one, and the list that the journal knows.
        self._first: dict[str, Cohort] = {}
        self._list_ids: dict[str, str | None] = {}

    def of(self, cohort: Cohort) -> Destination:
        """Return the destination of a cohort; open the account of its route."""
        destination = self._by_cohort.get(cohort)
        if destination is None:
            route = self._route(cohort)
            destination = self._by_route.get(route.key)
            if destination is None:
                account = self.accounts.lists[route.key] = Account(
                    cohort, route.name or cohort.name, is_skipped=route.is_skipped
                )
                destination = self._by_route[route.key] = Destination(route, account)
            destination.to_note.append((len(self._by_cohort), cohort))
            self._by_cohort[cohort] = destination
        return destination

    def _route(self, cohort: Cohort) -> Route:
        """Return the route of a cohort: of several cohorts with one name, those that have lists of their own keep them.

        By the journal, that is. A cohort of which it knows no list shares that of the first other one.
        """
        route = self.routes.of(cohort)
        if self.routes.is_configured(cohort):
            return route
        first = self._first.setdefault(route.key, cohort)
        if first == cohort:
            return route
        list_id = self._journal.list_id_of(cohort)
        if route.key not in self._list_ids:
            self._list_ids[route.key] = self._journal.list_id_of(first)
        of_route = self._list_ids[route.key] = self._list_ids[route.key] or list_id
        if list_id not in {None, of_route}:
            return replace(route, known_list_id=list_id)
        self.routes.warn_if_shared(route, first, cohort)
        return route

    def routed_cohorts(self, streams: Mapping[str, str]) -> list[Routed]:
        """Return the cohorts that go to the routes with these keys, each with the stream that filled it last.

        Of those that `find_lists` has noted by now, each flush gets only the first one of each route.
        """
        to_note = sorted(
            (number, cohort, self._by_route[key])
            for key in streams
            for number, cohort in self._by_route[key].to_note
        )
        return [
            Routed(
                cohort, destination.route, streams[destination.route.key], self.routes.is_configured(cohort)
            )
            for _, cohort, destination in to_note
        ]

    def with_many_ids(self) -> Iterator[str]:
        """Yield a sentence for each name that cohorts with many ids have, all of them on one list."""
        ids = Counter(
            (destination.route.key, cohort.name)
            for cohort, destination in self._by_cohort.items()
            if cohort.id is not None and not destination.route.is_skipped
        )
        for (key, name), number in ids.items():
            if number >= MANY_IDS:
                yield (
                    f'{number:,} cohorts with the name "{shown(name)}" and different ids go to list '
                    f'"{shown(self._by_route[key].account.label)}": check that cohort_id_field names the id of the '
                    "cohort and not that of the person. If cohorts have no id, take that column out of the stream with "
                    "stream_maps."
                )

    def find_lists(self, routed: Collection[Routed], wanted: Collection[str]) -> Mapping[str, HubSpotList]:
        """Return the lists of cohorts by route key: by the journal, else as their routes say.

        Absent lists whose key is `wanted` are created, other absent ones are left out. So are lists that cannot be
        used: their accounts have the problem.
        """
        self._reconciling.begin()
        self._journal.restore_routes(routed)
        routes = {each.route.key: each.route for each in routed}
        try:
            lists, unusable = self._found_lists.resolve(list(routes.values()), wanted, check=self._check)
        finally:
            self._journal.end_creating(self._found_lists.not_created)
        self.accounts.lists_created = len(self._found_lists.created)
        unusable = {**unusable, **self._journal.note_lists(routed, lists)}
        for key, problem in unusable.items():
            self._found_lists.mark_unusable(routes[key], problem)
            self._by_route[key].account.problem = problem
        usable = {key: found for key, found in lists.items() if self._by_route[key].account.problem is None}
        for key, found in usable.items():
            destination = self._by_route[key]
            destination.account.hubspot_list = found
            del destination.to_note[1:]
        return usable

    def find_known(self, list_ids: Collection[str]) -> Resolved:
        """Return those of the lists that HubSpot still has, by id, and why some of them cannot be used."""
        lists = self._lists.find_all(list_ids)
        return Resolved(lists, self._check(list(lists.values())))

    def _check(self, lists: Sequence[HubSpotList]) -> Mapping[str, UnusableList]:
        """Raise, before anything is written, if a property cannot be used; return the lists that another run locks."""
        self._properties.check_lists(lists)
        unusable = self._journal.lock(lists)
        self._journal.begin_creating(
            [each.name for each in lists if each.is_to_be_created and each.list_id not in unusable]
        )
        return unusable


class Routes:
    """The list that each cohort goes to, as the settings say; HubSpot is not asked whether it exists."""

    def __init__(self, settings: Settings, current_list_ids: Mapping[str, str | None]) -> None:
        """Take the settings, and by lists API v1 id the id that each list has today; None: no such list."""
        self._prefix = settings.list_name_prefix
        self._is_mirror = settings.sync_mode == "mirror"
        self._entries = {
            entry.cohort: Route(
                entry.list_id or current_list_ids.get(entry.legacy_list_id or ""),
                entry.list_name or "",
                entry.skip,
                entry.legacy_list_id,
            )
            for entry in settings.lists
        }
        self._known: dict[Cohort, Route] = {}
        self._shared: set[str] = set()  # route keys with two cohorts, of which the log has said so

    def configured_for(self, hubspot_list: HubSpotList) -> Iterable[str]:
        """Return the cohorts that the setting `lists` sends to this list, by its id or its name."""
        keys = route_keys(hubspot_list)
        return [cohort for cohort, route in self._entries.items() if route.key in keys]

    def is_sent_elsewhere(self, cohort: Cohort, hubspot_list: HubSpotList) -> bool:
        """Return whether the setting `lists` sends the cohort to another list; one that it skips has not moved."""
        route = self._configured(cohort)
        return route is not None and not route.is_skipped and route.key not in route_keys(hubspot_list)

    def unmatched(self) -> str | None:
        """Return a sentence on the entries of `lists` that no record of the run named; None if there is none.

        Where no record came at all, only a mirror names them: it might have emptied their lists.
        """
        in_records = self._in_records()
        absent = sorted(self._entries.keys() - in_records) if in_records or self._is_mirror else []
        if not absent:
            return None
        named = [f'"{shown(name)}"{_suggestion(name, in_records)}' for name in absent[:MOST_NAMED]]
        more = f" and {len(absent) - MOST_NAMED:,} more" if len(absent) > MOST_NAMED else ""
        left_alone = ", so their lists were left alone" if self._is_mirror else ""
        return (
            f"No record of this run was about these cohorts of lists[]{left_alone}: {', '.join(named)}{more}."
        )

    def unmatched_skips(self) -> list[str]:
        """Return the cohorts that `lists` skips and that no record of the run named."""
        in_records = self._in_records()
        return [name for name, route in self._entries.items() if route.is_skipped and name not in in_records]

    def _in_records(self) -> set[str]:
        """Return the names and the ids of the cohorts that records of the run named."""
        return {text for cohort in self._known for text in cohort if text}

    def is_configured(self, cohort: Cohort) -> bool:
        """Return whether the setting `lists` names the cohort."""
        return (cohort.id or "") in self._entries or cohort.name in self._entries

    def skips(self, cohort: Cohort) -> bool:
        """Return whether the setting `lists` leaves the cohort out."""
        route = self._configured(cohort)
        return route is not None and route.is_skipped

    def of(self, cohort: Cohort) -> Route:
        """Return the route: an entry of `lists` for the cohort's id, then for its name, else the prefixed name."""
        route = self._known.get(cohort)
        if route is None:
            configured = self._configured(cohort)
            route = configured or Route(None, self._prefix + cohort.name)
            if route.is_skipped:
                route = replace(route, name=cohort.name)
            self._known[cohort] = route
        return route

    def _configured(self, cohort: Cohort) -> Route | None:
        return self._entries.get(cohort.id or "") or self._entries.get(cohort.name)

    def warn_if_shared(self, route: Route, first: Cohort, cohort: Cohort) -> None:
        """Warn once of a list that gets several cohorts, whose names may look like one."""
        is_other = first.name != cohort.name or (None not in {first.id, cohort.id} and first.id != cohort.id)
        if route.key in self._shared or not is_other:
            return
        self._shared.add(route.key)
        logger.warning(
            "The cohorts %s and %s lead to one list, since their names are the same to HubSpot: if they are not one "
            "cohort, give one of them another list in lists[].",
            described(first),
            described(cohort),
        )


def _suggestion(name: str, in_records: Collection[str]) -> str:
    """Return a question with the cohort of the records that is most like the name, or "" if none is."""
    alike = [each for each in in_records if each.strip().casefold() == name.strip().casefold()]
    near = alike or get_close_matches(name, in_records, n=1)
    return f' (did you mean "{shown(near[0])}"?)' if near else ""


def described(cohort: Cohort) -> str:
    """Return how messages name a cohort: by its name, and by its id if it has one."""
    return f'"{shown(cohort.name)}"' + (f" (id {shown(cohort.id)})" if cohort.id else "")
