"""Empties the lists of cohorts that are no longer in the input, or names them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import UnusableList
from target_hubspot_lists.hubspot.list_objects import Route, shown
from target_hubspot_lists.input.records import Cohort
from target_hubspot_lists.mirror.snapshots import CohortSnapshot, ListSnapshot
from target_hubspot_lists.reporting.account import Account

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.ledger import KnownList
    from target_hubspot_lists.mirror.arrivals import Arrivals
    from target_hubspot_lists.mirror.list_mirror import ListMirror
    from target_hubspot_lists.mirror.snapshots import HeldBack
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.planning import Planning

logger = logging.getLogger(__name__)


class VanishedCohorts:
    """The cohorts that earlier runs of a stream had, and this one has not."""

    def __init__(  # noqa: PLR0913 - what a list is emptied with
        self,
        settings: Settings,
        planning: Planning,
        journal: Journal,
        arrivals: Arrivals,
        list_mirror: ListMirror,
        *,
        held_back: HeldBack,
    ) -> None:
        self._settings = settings
        self._planning = planning
        self._journal = journal
        self._arrivals = arrivals
        self._list_mirror = list_mirror
        self._held_back = held_back

    def empty(self, units: Collection[ListSnapshot], whole: Collection[str]) -> None:
        """Empty the lists whose cohorts are absent from a stream of which all cohorts came, or name them.

        `units` are the lists to which cohorts that came lead; `whole` are such streams.
        """
        taken = {each.hubspot_list.list_id for each in units if each.hubspot_list}
        vanished = [
            each
            for stream in sorted(self._arrivals.started_streams())
            for each in self._of_stream(stream)
            if each.list_id not in taken and not self._planning.routes.is_configured(_cohort(each))
        ]
        may_empty = self._settings.empty_vanished_cohorts
        to_empty = [each for each in vanished if may_empty and each.stream in whole]
        if left_alone := [each for each in vanished if each not in to_empty]:
            logger.info(
                "Their cohorts are no longer in the input, and they were left alone: lists %s.",
                _named(left_alone),
            )
        if not to_empty:
            return
        there, unusable = self._planning.find_known({each.list_id for each in to_empty})
        for known in to_empty:
            if hubspot_list := there.get(known.list_id):
                unit = self._unit(known, hubspot_list)
                unit.cohorts[0].account.problem = unusable.get(known.list_id) or self._reread(hubspot_list)
                self._list_mirror.apply(unit, None)
                if unit.problem:
                    self._held_back.streams.add(unit.stream)

    def _reread(self, hubspot_list: HubSpotList) -> UnusableList | None:
        """Read a list again where the settings ask for it; return why it cannot be used, if it cannot."""
        if self._settings.reconcile:
            try:
                self._journal.reread(hubspot_list, has_snapshot=True)
            except UnusableList as problem:
                return problem
        return None

    def _of_stream(self, stream: str) -> list[KnownList]:
        """The lists whose cohorts did not come; none, which is said, where they may be another pipeline's."""
        cohorts = {each.cohort.key for each in self._arrivals if each.stream == stream}
        vanished = self._journal.vanished_lists(stream, cohorts)
        if vanished.is_certain or not vanished.lists:
            return vanished.lists
        logger.warning(
            'Runs of stream "%s" in the ledger had no cohort in common, as those of pipelines that name their streams '
            "alike. So no cohort of it counts as vanished, and lists %s were left alone. Give each pipeline a stream "
            "name of its own.",
            stream,
            _named(vanished.lists),
        )
        return []

    def _unit(self, known: KnownList, hubspot_list: HubSpotList) -> ListSnapshot:
        """The empty snapshot of a cohort that did not come."""
        cohort, number = _cohort(known), self._arrivals.next_number()
        route = Route(known.list_id, known.name)
        account = Account(cohort, known.name, hubspot_list)
        self._planning.accounts.lists[route.key] = account
        of_stream = self._arrivals.evidence(known.stream), self._planning.accounts.streams[known.stream]
        return ListSnapshot(
            hubspot_list, [CohortSnapshot(number, known.stream, cohort, route, account, *of_stream)]
        )


def _named(lists: Iterable[KnownList]) -> str:
    return ", ".join(f'"{shown(each.name)}" ({each.list_id})' for each in lists)


def _cohort(known: KnownList) -> Cohort:
    return Cohort.from_key(known.cohort_key or "", known.cohort_name)
