"""The journal of a dry run with a ledger: it reads as a real run does, and leaves the ledger as it is."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from target_hubspot_lists.journal.ledger_reading import LedgerReading
from target_hubspot_lists.journal.unwritten import UnwrittenJournal

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.journal.journal import Routed
    from target_hubspot_lists.reporting.account import Account

logger = logging.getLogger(__name__)


class DryRunJournal(LedgerReading, UnwrittenJournal):
    """Reads the ledger, says what a real run would put back, and writes nothing."""

    @override
    def reread(self, hubspot_list: HubSpotList, *, has_snapshot: bool) -> None:
        """Say how many a real run would put back; with a snapshot, that says it by itself."""
        self._ready.add(hubspot_list.list_id)
        if has_snapshot:
            return
        lost = set(self._ledger.members.iter_members(hubspot_list.list_id))
        if lost and not hubspot_list.is_foreseen:
            lost.difference_update(self._reader.iter_members(hubspot_list))
        if lost:
            logger.info(
                "%s: up to %d members of earlier runs would be put back, whom it has lost in HubSpot.",
                hubspot_list,
                len(lost),
            )

    @override
    def _note(self, routed: Routed, found: HubSpotList) -> None:
        """Note that a cohort goes to a list: the first time in this run."""
        is_first = found.list_id not in self._ready
        self._ready.add(found.list_id)
        if is_first and self._settings.reconcile and self._settings.sync_mode == "incremental":
            self.reread(found, has_snapshot=False)
        if (old_id := self._gone.get(routed.route.key)) and self._settings.sync_mode == "incremental":
            logger.info(
                "%s would take the place of list %s, which was deleted in HubSpot, with all its members.",
                found,
                old_id,
            )

    @override
    def _is_trusted(self, hubspot_list: HubSpotList) -> bool:
        """Whether what the ledger says of a list stands; else a real run would begin by reading it."""
        known = self._ledger.lists.known(hubspot_list.list_id)
        return not self._settings.reconcile and any(each.was_read for each in known)

    @override
    def close(self, accounts: Iterable[Account]) -> None:
        """Let go of the ledger."""
        self._ledger.close()
