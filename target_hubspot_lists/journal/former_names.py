"""Refuses a cohort the list of another one that had its name before: the list of that one still has the name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.errors import UnusableList
from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.outcomes import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.journal.journal import Routed
    from target_hubspot_lists.ledger import Ledger


class FormerNames:
    """The cohorts of lists, by the names that they have in this run: a list's are read once, however many they are."""

    def __init__(self, ledger: Ledger, names: Mapping[str, str]) -> None:
        """Take by cohort key the names in this run of the cohorts that have an id."""
        self._ledger = ledger
        self._names = names
        self._keys: dict[str, dict[str, dict[str, None]]] = {}  # by list id and name, in their order

    def claim(self, routed: Routed, found: HubSpotList) -> None:
        """Note that a cohort goes to a list.

        UnusableList if the cohort has the former name of another one, whose list still has that name.
        """
        cohort, of_list = routed.cohort, self._of_list(found)
        if not routed.is_configured:
            self._refuse(cohort, found, of_list)
        if (name := self._names.get(cohort.key)) is not None:
            of_list.setdefault(name, {})[cohort.key] = None

    @staticmethod
    def _refuse(cohort: Cohort, found: HubSpotList, of_list: Mapping[str, Iterable[str]]) -> None:
        # However many there are, these loops pass over one name at most, and one key.
        for name, keys in of_list.items():
            if name != cohort.name:
                for key in keys:
                    if key != cohort.key:
                        raise _has_former_name(cohort, found, key, name)

    def _of_list(self, found: HubSpotList) -> dict[str, dict[str, None]]:
        if found.list_id not in self._keys:
            of_list = self._keys[found.list_id] = {}
            # Without any cohort that has an id there is nothing to compare.
            for known in self._ledger.lists.known(found.list_id) if self._names else ():
                if known.cohort_key is not None and (name := self._names.get(known.cohort_key)) is not None:
                    of_list.setdefault(name, {})[known.cohort_key] = None
        return self._keys[found.list_id]


def _has_former_name(cohort: Cohort, found: HubSpotList, key: str, name: str) -> UnusableList:
    return UnusableList(
        Reason.LIST_NAME_TAKEN,
        f'{found} is the list of the cohort with {shown(key)}, which is now named "{shown(name)}", and the '
        f'one with {shown(cohort.key)} has its former name "{shown(cohort.name)}": run again when that list has its '
        "new name, or name a list for each of the two in lists[].",
    )
