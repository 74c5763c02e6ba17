"""The list that each cohort goes to, as the settings say. Pure: HubSpot is not asked whether it exists."""

from __future__ import annotations

import logging
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.list_objects import Route, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.settings import Settings

logger = logging.getLogger(__name__)

MOST_NAMED = 5  # cohorts in one sentence of the log


class Routes:
    """Which list each cohort goes to, as the settings say."""

    def __init__(self, settings: Settings, current_list_ids: Mapping[str, str | None]) -> None:
        """Take the settings, and the ids that lists have today by that of the lists API v1; None: no such list."""
        self._prefix = settings.list_name_prefix
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
        self._first: dict[str, Cohort] = {}  # of those that lead to one list
        self._shared: set[str] = set()

    @property
    def configured(self) -> Iterable[str]:
        """The cohorts that `lists` names."""
        return self._entries.keys()

    def configured_for(self, hubspot_list: HubSpotList) -> Iterable[str]:
        """The cohorts that `lists` sends to this list, by its id or its name."""
        keys = {Route(hubspot_list.list_id, "").key, Route(None, hubspot_list.name).key}
        return [cohort for cohort, route in self._entries.items() if route.key in keys]

    def unmatched(self) -> str | None:
        """Return a sentence on the entries of `lists` whose cohorts no record was about; None where no record came."""
        came = {cohort.name for cohort in self._known} | {cohort.id for cohort in self._known if cohort.id}
        left = sorted(self._entries.keys() - came) if came else []
        if not left:
            return None
        named = [f'"{shown(name)}"{_meant(name, came)}' for name in left[:MOST_NAMED]]
        more = f" and {len(left) - MOST_NAMED:,} more" if len(left) > MOST_NAMED else ""
        return f"No record of this run was about these cohorts of lists[]: {', '.join(named)}{more}."

    def is_configured(self, cohort: Cohort) -> bool:
        """Whether `lists` names the cohort."""
        return (cohort.id or "") in self._entries or cohort.name in self._entries

    def of(self, cohort: Cohort) -> Route:
        """The route: an entry of `lists` for the cohort's id, then for its name, else the prefixed name."""
        route = self._known.get(cohort)
        if route is None:
            configured = self._entries.get(cohort.id or "") or self._entries.get(cohort.name)
            route = configured or Route(None, self._prefix + cohort.name)
            if route.is_skipped:
                route = replace(route, name=cohort.name)
            self._known[cohort] = route
            if configured is None:
                self._warn_if_shared(route, cohort)
        return route

    def _warn_if_shared(self, route: Route, cohort: Cohort) -> None:
        """Say once of a list that its cohorts are several, which their names may hide."""
        first = self._first.setdefault(route.key, cohort)
        if route.key in self._shared or not _differ(first, cohort):
            return
        self._shared.add(route.key)
        logger.warning(
            "The cohorts %s and %s lead to one list, since their names are the same to HubSpot: if they are not one "
            "cohort, give one of them another list in lists[].",
            _described(first),
            _described(cohort),
        )


def _meant(name: str, came: Collection[str]) -> str:
    """Return which cohort that came is meant, most likely, or "" where none is alike."""
    alike = [each for each in came if each.strip().casefold() == name.strip().casefold()]
    near = alike or get_close_matches(name, came, n=1)
    return f' (did you mean "{shown(near[0])}"?)' if near else ""


def _differ(one: Cohort, other: Cohort) -> bool:
    return one.name != other.name or (None not in {one.id, other.id} and one.id != other.id)


def _described(cohort: Cohort) -> str:
    return f'"{shown(cohort.name)}"' + (f" (id {shown(cohort.id)})" if cohort.id else "")
