"""Empties the lists of cohorts that are no longer in the input, or names them in the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import UnusableList
from target_hubspot_lists.hubspot.list_objects import Route, shown
from target_hubspot_lists.journal.earlier_lists import cohort_of_list
from target_hubspot_lists.mirror.list_snapshot import CohortSnapshot, ListSnapshot
from target_hubspot_lists.reporting.account import Account

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.ledger import KnownList
    from target_hubspot_lists.mirror.intake import Intake
    from target_hubspot_lists.mirror.list_mirror import ListMirror
    from target_hubspot_lists.mirror.list_snapshot import HeldBack
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.destinations import Destinations

logger = logging.getLogger(__name__)


class VanishedCohorts:
    """The cohorts of which earlier runs of a stream had records, and this run has none."""

    def __init__(  # noqa: PLR0913 - what knows the cohorts, and what empties a list
        self,
        settings: Settings,
        destinations: Destinations,
        journal: Journal,
        intake: Intake,
        list_mirror: ListMirror,
        *,
        held_back: HeldBack,
    ) -> None:
        self._settings = settings
        self._destinations = destinations
        self._journal = journal
        self._intake = intake
        self._list_mirror = list_mirror
        self._held_back = held_back

    def empty(self, snapshots: Collection[ListSnapshot], complete_streams: Collection[str]) -> None:
        """Empty the lists of vanished cohorts of `complete_streams`, if the settings say so; log the other lists.

        `snapshots` are of the lists that cohorts of this run go to: these are not emptied.
        """
        in_use = {snapshot.hubspot_list.list_id for snapshot in snapshots if snapshot.hubspot_list}
        vanished = self._one_of_each_list(
            known
            for stream in sorted(self._intake.started_streams())
            for known in self._of_stream(stream)
            if known.list_id not in in_use
        )
        may_empty = self._settings.empty_vanished_cohorts
        to_empty = [known for known in vanished if may_empty and known.stream in complete_streams]
        if to_empty:
            to_empty = self._without_skipped(to_empty)
        if left_alone := [known for known in vanished if known not in to_empty]:
            logger.info(
                "Their cohorts are no longer in the input, and they were left alone: lists %s.",
                _named(left_alone),
            )
        if not to_empty:
            return
        existing, unusable = self._destinations.find_known({known.list_id for known in to_empty})
        for known in to_empty:
            hubspot_list = existing.get(known.list_id)
            # Where `lists` names the list, it is a cohort's that did not come, and is left alone.
            if hubspot_list and not self._destinations.routes.configured_for(hubspot_list):
                snapshot = self._empty_snapshot(known, hubspot_list)
                problem = unusable.get(known.list_id) or self._reread(hubspot_list)
                snapshot.cohorts[0].account.problem = problem
                self._list_mirror.apply(snapshot, None)
                if snapshot.problem:
                    self._held_back.streams.add(snapshot.stream)

    def _one_of_each_list(self, vanished: Iterable[KnownList]) -> list[KnownList]:
        """Return each list once, whose cohorts all vanished, except the lists of which `lists` names a cohort."""
        vanished = list(vanished)
        routes = self._destinations.routes
        configured = {known.list_id for known in vanished if routes.is_configured(cohort_of_list(known))}
        by_id = {known.list_id: known for known in vanished if known.list_id not in configured}
        return list(by_id.values())

    def _without_skipped(self, to_empty: Sequence[KnownList]) -> list[KnownList]:
        """Return the lists that no entry of `lists` can mean that skips a cohort by a name which the ledger lacks.

        A cohort with an id may have got that name since its list was last named.
        """
        if not (skipped := self._destinations.routes.unmatched_skips()):
            return list(to_empty)
        unclear = [known for known in to_empty if cohort_of_list(known).id is not None]
        if unclear:
            logger.warning(
                'lists[] skips "%s", and no cohort of this run or of these lists has that name. It may be the new name '
                "of one of them, so they were left alone: lists %s. Name the cohort by its id in lists[].",
                '", "'.join(map(shown, skipped)),
                _named(unclear),
            )
        return [known for known in to_empty if known not in unclear]

    def _of_stream(self, stream: str) -> list[KnownList]:
        """Return the lists whose cohorts did not come; none, with a warning, if they may be another pipeline's."""
        cohorts = {cohort.cohort.key for cohort in self._intake if cohort.stream == stream}
        vanished = self._journal.vanished_lists(stream, cohorts)
        if vanished.shared:
            logger.warning(
                'Their cohorts are no longer in stream "%s", and runs of another stream filled them as well, so they '
                "were left alone: lists %s.",
                stream,
                _named(vanished.shared),
            )
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

    def _reread(self, hubspot_list: HubSpotList) -> UnusableList | None:
        """Read a list again if the settings ask for it; return why it cannot be used, if it cannot."""
        if self._settings.reconcile:
            try:
                self._journal.reread(hubspot_list, has_snapshot=True)
            except UnusableList as problem:
                return problem
        return None

    def _empty_snapshot(self, known: KnownList, hubspot_list: HubSpotList) -> ListSnapshot:
        """Return the empty snapshot of a cohort that did not come; open an account of its list."""
        cohort, route = cohort_of_list(known), Route(known.list_id, known.name)
        account = self._destinations.accounts.lists[route.key] = Account(cohort, known.name, hubspot_list)
        snapshot = CohortSnapshot(
            self._intake.next_number(),
            known.stream,
            cohort,
            route,
            account,
            self._intake.evidence(known.stream),
            self._destinations.accounts.streams[known.stream],
        )
        return ListSnapshot(hubspot_list, [snapshot])


def _named(lists: Iterable[KnownList]) -> str:
    by_id = {known.list_id: known.name for known in lists}
    return ", ".join(f'"{shown(name)}" ({list_id})' for list_id, name in by_id.items())
