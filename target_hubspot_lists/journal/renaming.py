"""Renames lists at the end of a run, as their cohorts are named now."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import UnusableList
from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.input.records import Cohort

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.ledger import Ledger
    from target_hubspot_lists.settings import Settings

logger = logging.getLogger(__name__)


class Renaming:
    """Gives lists the names that their cohorts have now, in HubSpot and in the ledger."""

    def __init__(self, ledger: Ledger, settings: Settings, portal_lists: Lists) -> None:
        self._ledger = ledger
        self._settings = settings
        self._portal_lists = portal_lists

    def rename_all(
        self, lists: Mapping[tuple[str, str], HubSpotList], cohort_names: Mapping[str, str]
    ) -> None:
        """Rename the lists of cohorts whose names changed; never one that `lists` names, or that several share.

        `lists` is by cohort key and list id, `cohort_names` by cohort key.
        """
        known = self._ledger.lists.all()
        cohorts = Counter(one.list_id for one in known)
        names = {one.cohort_key: one.cohort_name for one in known}
        configured = {entry.cohort for entry in self._settings.lists}
        for (key, list_id), found in lists.items():
            name = cohort_names.get(key)
            if name is None or name == names.get(key) or cohorts[list_id] > 1:
                continue
            is_configured = not configured.isdisjoint(Cohort.from_key(key, name))
            if is_configured or self._rename(found, self._settings.list_name_prefix + name, name):
                self._ledger.lists.name_cohort(key, name)

    def _rename(self, found: HubSpotList, wanted: str, cohort: str) -> bool:
        """Return whether the list has the wanted name now; log why if HubSpot does not take it."""
        if found.name.casefold() == wanted.strip().casefold():
            return True
        try:
            obstacle = self._portal_lists.rename(found, wanted)
        except UnusableList:
            logger.warning(
                "%s was deleted in HubSpot during this run: restore it there, or it is created again, with all its "
                "members, when a record adds a member.",
                found,
            )
            return False
        if obstacle:
            logger.warning(
                '%s keeps its name: its cohort is now "%s", but %s.', found, shown(cohort), obstacle
            )
            return False
        self._ledger.lists.rename_list(found.list_id, wanted)
        logger.info('%s is now named "%s", as its cohort is.', found, shown(wanted))
        return True
