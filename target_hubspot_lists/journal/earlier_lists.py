"""The lists that cohorts went to in earlier runs, by the ledger, and where the setting `lists` sends them now."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.input.records import Cohort

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.journal.journal import Routed
    from target_hubspot_lists.ledger import KnownList

logger = logging.getLogger(__name__)


class KnownCohorts:
    """The cohorts that the ledger knows, each with its list."""

    def __init__(self, lists: Iterable[KnownList]) -> None:
        self.list_names: dict[str, str] = {}  # by list id
        self._by_key: dict[str, KnownList] = {}
        self._with_id: dict[str, list[KnownList]] = {}  # by name
        for known in lists:
            self.list_names[known.list_id] = known.name
            if known.cohort_key is not None:
                self._by_key[known.cohort_key] = known
                if known.cohort_name is not None:  # then it has an id
                    self._with_id.setdefault(known.cohort_name, []).append(known)

    def find(self, cohort: Cohort) -> KnownList | None:
        """Return the list of a cohort: a source may have begun to give ids since, or ceased to.

        Then the name says which cohort it is, unless several cohorts with an id had it.
        """
        if known := self._by_key.get(cohort.key):
            return known
        if cohort.id is not None:
            return self._by_key.get(Cohort(None, cohort.name).key)
        of_name = self._with_id.get(cohort.name, ())
        return of_name[0] if len(of_name) == 1 else None


def cohort_of_list(known: KnownList) -> Cohort:
    """Return the cohort that goes to a list of the ledger, as the ledger knows it."""
    return Cohort.from_key(known.cohort_key or "", known.cohort_name)


def list_id_to_look_for(routed: Routed, known: KnownList | None) -> str | None:
    """Return the list to look for by id: the configured one, else that of earlier runs unless another is configured."""
    if routed.route.list_id or known is None:
        return routed.route.list_id
    is_other = routed.is_configured and known.name.casefold() != routed.route.name.casefold()
    return None if is_other else known.list_id


def is_as_routed(routed: Routed, found: HubSpotList) -> bool:
    """Return whether a list of earlier runs is to be used; warn if it no longer has the configured name."""
    route = routed.route
    if not routed.is_configured or route.list_id or found.name.casefold() == route.name.casefold():
        return True
    logger.warning("%s", _was_renamed(routed, found))
    return False


def warn_if_sent_elsewhere(routed: Iterable[Routed], known: KnownCohorts) -> None:
    """Warn of cohorts whose members of earlier runs are not on the list that `lists` names now, once for each name."""
    warned: set[tuple[str, str]] = set()
    for one in routed:
        earlier = known.find(one.cohort)
        if earlier is None or (one.cohort.name, earlier.list_id) in warned:
            continue
        if list_id_to_look_for(one, earlier) != earlier.list_id:
            warned.add((one.cohort.name, earlier.list_id))
            logger.warning(
                'lists[] sends cohort "%s" to another list than in earlier runs: list "%s" (%s) keeps their members, '
                "and the other one gets only what records ask for from here on. If all are to be on it, bring all "
                "members of the cohort once more.",
                shown(one.cohort.name),
                shown(earlier.name),
                earlier.list_id,
            )


def _was_renamed(routed: Routed, found: HubSpotList) -> str:
    """Return the warning that a configured name no longer leads to the list that it led to."""
    cohort = routed.cohort
    entry = json.dumps({"cohort": cohort.id or cohort.name, "list_id": found.list_id}, ensure_ascii=False)
    return (
        f'lists[] names "{shown(routed.route.name)}" for cohort "{shown(cohort.name)}", and its list of earlier runs '
        f'is now named "{shown(found.name)}" in HubSpot: from here on another list, of the name in lists[], is used, '
        f"and made if need be, and {found} keeps its members. To go on with it, name it by its id, lists: [{entry}]; "
        "else bring all members of the cohort once more."
    )
