"""The lists of one run: each is found or created once; one that cannot be used is kept with the reason."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from hubspot_singer.http import (
    Conflict,
    InvalidCredentials,
    InvalidRequest,
    MissingScopes,
    NotFound,
    Refused,
    concurrently,
)
from target_hubspot_lists.errors import UnusableList
from target_hubspot_lists.hubspot.list_objects import (
    HubSpotList,
    check_writable,
    list_to_create,
    list_unreadable,
    shown,
)
from target_hubspot_lists.hubspot.lists import is_duplicate_name, reason_given, unknown_legacy_id
from target_hubspot_lists.outcomes import Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from target_hubspot_lists.hubspot.list_objects import Route
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.settings import Settings

logger = logging.getLogger(__name__)

NAME_REFUSED = frozenset({400, 413, 414})  # something is wrong with the name; 414: it is too long for a path
ENOUGH_TO_JUDGE = 15  # absent lists; then the rest is not looked up, and counts as absent too
NAMES_SHOWN = 3  # of many lists, in an error

# Called with lists before anything is written to them; returns, by list id, those that cannot be used.
Check = Callable[[Sequence[HubSpotList]], Mapping[str, UnusableList]]


class Resolved(NamedTuple):
    """By route key, a list or why it cannot be used; absent lists that are not wanted are in neither."""

    lists: Mapping[str, HubSpotList]
    unusable: Mapping[str, UnusableList]


class FoundLists:
    """The lists that a run found or created, by the key of their route."""

    def __init__(self, lists: Lists, settings: Settings) -> None:
        self._lists = lists
        self._settings = settings
        self._found: dict[str, HubSpotList] = {}
        self._unusable: dict[str, UnusableList] = {}
        self.created: set[str] = set()  # ids of the lists that this run created
        self.not_created: set[str] = set()  # names that HubSpot refused to create a list for

    def resolve(self, routes: Collection[Route], wanted: Collection[str], *, check: Check) -> Resolved:
        """Find the lists of routes; create absent lists whose route key is `wanted`, leave out the others.

        `check` gets all lists that were found, and those that are about to be created, before anything is written.
        """
        absent = self._look_up([route for route in routes if not self.has(route)], wanted)
        absent = self._permitted(absent)
        found = [self._found[route.key] for route in routes if route.key in self._found]
        unusable = check([*found, *map(list_to_create, absent)])
        for route in routes:
            hubspot_list = self._found.get(route.key, list_to_create(route))
            if problem := unusable.get(hubspot_list.list_id):
                self.mark_unusable(route, problem)
        jobs = (partial(self._create, route) for route in absent if route.key not in self._unusable)
        for route, created in self._concurrently(jobs):
            self._note(route, created)
        keys = [route.key for route in routes]
        return Resolved(
            {key: self._found[key] for key in keys if key in self._found},
            {key: self._unusable[key] for key in keys if key in self._unusable},
        )

    def has(self, route: Route) -> bool:
        """Return whether the list of a route was found or created in this run, or is known to be unusable."""
        return route.key in self._found or route.key in self._unusable

    def use(self, route: Route, hubspot_list: HubSpotList) -> None:
        """Use a list that HubSpot has for a route, whatever its name."""
        try:
            check_writable(hubspot_list)
        except UnusableList as problem:
            self._unusable[route.key] = problem
        else:
            self._found[route.key] = hubspot_list

    def mark_unusable(self, route: Route, problem: UnusableList) -> None:
        """Reject the members of a route for the rest of the run."""
        self._found.pop(route.key, None)
        self._unusable[route.key] = problem

    def is_new(self, hubspot_list: HubSpotList) -> bool:
        """Return whether this run created the list."""
        return hubspot_list.list_id in self.created

    def _note(self, route: Route, found: HubSpotList | UnusableList) -> None:
        if isinstance(found, UnusableList):
            self._unusable[route.key] = found
        else:
            self._found[route.key] = found

    def _concurrently(self, jobs: Iterable[Any]) -> Iterable[Any]:
        return concurrently(jobs, workers=self._settings.connection.max_concurrency)

    # Look-up

    def _look_up(self, unknown: Sequence[Route], wanted: Collection[str]) -> list[Route]:
        """Note what HubSpot has of routes; return those that are absent and wanted, in the order of the input.

        If far too many are absent, the rest is not looked up, and counts as absent: none of them is created.
        """
        absent: set[str] = set()
        remaining = {route.key for route in unknown}
        for route, found in self._concurrently(partial(self._find, route) for route in unknown):
            remaining.remove(route.key)
            if found is not None:
                self._note(route, found)
            elif route.key in wanted:
                absent.add(route.key)
                if self._is_hopeless(len(absent)):
                    break
        return [route for route in unknown if route.key in absent or route.key in remaining]

    def _is_hopeless(self, absent: int) -> bool:
        """Return whether too many lists are absent: the column must be wrong, and to look all up would take hours."""
        most = max(self._settings.max_new_lists, len(self._found), ENOUGH_TO_JUDGE)
        return absent > most and self._settings.create_lists

    def _find(self, route: Route) -> tuple[Route, HubSpotList | UnusableList | None]:
        if route.legacy_id and not route.list_id:
            return route, UnusableList(Reason.LIST_ABSENT, f"{unknown_legacy_id(route.legacy_id)}.")
        label = f'List "{shown(route.name)}"' if route.name else f"List {route.list_id}"
        try:
            found = (
                self._lists.find_by_id(route.list_id)
                if route.list_id
                else self._lists.find_by_name(route.name)
            )
            if found is not None:
                check_writable(found)
        except UnusableList as problem:
            return route, problem
        except (InvalidCredentials, MissingScopes):
            raise
        except Refused as refused:
            return route, _refused(route, refused) if refused.status in NAME_REFUSED else list_unreadable(
                label, refused
            )
        if found is None and route.list_id:
            return route, _no_such_id(route)
        return route, found

    # Creation

    def _permitted(self, absent: list[Route]) -> list[Route]:
        """Return the absent lists if the settings allow to create them; else mark all as unusable."""
        if not absent:
            return absent
        names = ", ".join(f'"{shown(route.name)}"' for route in absent[:NAMES_SHOWN])
        if len(absent) > NAMES_SHOWN:
            names += " …"
        if not self._settings.create_lists:
            problem = UnusableList(
                Reason.LIST_ABSENT,
                f"HubSpot has no list {names}, and create_lists is false: make it in HubSpot, "
                "name an existing list in lists[].list_id, or set create_lists to true.",
            )
        elif (total := len(self.created) + len(absent)) > (limit := self._settings.max_new_lists):
            lists = "new list" if total == 1 else "new lists"
            problem = UnusableList(
                Reason.TOO_MANY_NEW_LISTS,
                f"This run would make {total:,} {lists} or more ({names}), and max_new_lists allows {limit:,}: "
                "check that cohort_field names the cohort and not the person, or raise max_new_lists.",
            )
        else:
            return absent
        for route in absent:
            self.mark_unusable(route, problem)
        return []

    def _create(self, route: Route) -> tuple[Route, HubSpotList | UnusableList]:
        if self._settings.dry_run:
            made = list_to_create(route)
            self.created.add(made.list_id)
            return route, made
        try:
            made = self._lists.create(route.name, self._settings.list_folder_id)
        except (InvalidRequest, Conflict, NotFound) as refused:
            folder_id = self._settings.list_folder_id
            if folder_id is None and isinstance(refused, NotFound):
                raise  # not about this list
            if not is_duplicate_name(refused):
                self.not_created.add(route.name)
                return route, _not_created(route, folder_id, refused)
            found = self._lists.find_duplicate(route.name)
            # Absent a moment ago, and the call was repeated: our first call created it, and its answer was lost.
            if refused.tries == 1:
                self.not_created.add(route.name)
            if found is None:
                return route, _taken(route)
            if refused.tries == 1:
                return self._use_duplicate(route, found)
            made = found
        self.created.add(made.list_id)
        logger.info("Made: %s.", made)
        return route, made

    def _use_duplicate(self, route: Route, found: HubSpotList) -> tuple[Route, HubSpotList | UnusableList]:
        try:
            check_writable(found)
        except UnusableList as problem:
            return route, problem
        return route, found


def _no_such_id(route: Route) -> UnusableList:
    legacy = f" (lists[].legacy_list_id {route.legacy_id})" if route.legacy_id else ""
    return UnusableList(
        Reason.LIST_ABSENT,
        f"There is no list {route.list_id}{legacy} in this portal: correct lists[].list_id, "
        "or name the list in lists[].list_name and it is made.",
    )


def _refused(route: Route, refused: Refused) -> UnusableList:
    return UnusableList(
        Reason.LIST_REFUSED,
        f'HubSpot does not take "{shown(route.name or route.list_id or "")}" as a list: {reason_given(refused)}. '
        "Name another list for this cohort in lists[].",
    )


def _not_created(route: Route, folder_id: int | None, refused: Refused) -> UnusableList:
    """Return why a list was not created: its folder may be what HubSpot refuses."""
    is_about_folder = "folder" in (refused.message or "").lower() or isinstance(refused, NotFound)
    if folder_id is None or not is_about_folder:
        return _refused(route, refused)
    return UnusableList(
        Reason.LIST_REFUSED,
        f'HubSpot does not make the list "{shown(route.name)}" in the folder {folder_id}: {reason_given(refused)}. '
        "Correct list_folder_id: it is the number at the end of the folder's address in HubSpot; or leave the setting "
        "out, and lists are made outside of all folders.",
    )


def _taken(route: Route) -> UnusableList:
    return UnusableList(
        Reason.LIST_NAME_TAKEN,
        f'HubSpot says the list name "{shown(route.name)}" is taken, but has no such list: '
        "a deleted list may hold the name. Restore it in HubSpot, or give this cohort another name "
        "in lists[].list_name.",
    )
