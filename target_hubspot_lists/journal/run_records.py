"""Writes a run's lines into the ledger, and renames lists whose cohorts were renamed."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.input.records import Cohort

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.ledger import Ledger
    from target_hubspot_lists.reporting.account import Account
    from target_hubspot_lists.settings import Settings

logger = logging.getLogger(__name__)


class RunRecords:
    """The records of a run that stay in the ledger after its end."""

    def __init__(self, ledger: Ledger, settings: Settings, every: Lists, started: datetime) -> None:
        self._ledger = ledger
        self._settings = settings
        self._every = every
        self._started = started
        self.streams: dict[str, str] = {}  # by list id, which stream filled it

    def write(self, accounts: Iterable[Account], *, is_complete: bool) -> None:
        """Keep a line for each list."""
        by_list: dict[str, list[Account]] = {}
        for account in accounts:
            if account.list_id in self.streams:
                by_list.setdefault(account.list_id, []).append(account)
        for list_id, of_list in by_list.items():
            outcomes = Counter[str]()
            for each in of_list:
                outcomes.update({outcome.value: count for outcome, count in each.outcomes.items()})
            self._ledger.lists.record_run(
                list_id,
                stream=self.streams[list_id],
                started=self._started,
                asked=sum(each.asked for each in of_list),
                outcomes=outcomes,
                is_complete=is_complete,
            )

    def rename(self, lists: Mapping[tuple[str, str], HubSpotList], cohort_names: Mapping[str, str]) -> None:
        """Rename the lists of cohorts whose names changed; never one that `lists` names, or that several share."""
        known = self._ledger.lists.all()
        cohorts = Counter(each.list_id for each in known)
        names = {each.cohort_key: each.cohort_name for each in known}
        configured = {entry.cohort for entry in self._settings.lists}
        for (key, list_id), found in lists.items():
            name = cohort_names.get(key)
            if name is None or name == names.get(key) or cohorts[list_id] > 1:
                continue
            is_configured = not configured.isdisjoint(Cohort.from_key(key, name))
            if is_configured or self._has_taken(found, self._settings.list_name_prefix + name, name):
                self._ledger.lists.name_cohort(key, name)

    def _has_taken(self, found: HubSpotList, wanted: str, cohort: str) -> bool:
        """Give the list that name, if it has another one; say so, or why HubSpot does not take it."""
        if found.name.casefold() == wanted.strip().casefold():
            return True
        if obstacle := self._every.rename(found, wanted):
            logger.warning(
                '%s keeps its name: its cohort is now "%s", but %s. Rename one of them.',
                found,
                shown(cohort),
                obstacle,
            )
            return False
        self._ledger.lists.rename_list(found.list_id, wanted)
        logger.info('%s is now named "%s", as its cohort is.', found, shown(wanted))
        return True
