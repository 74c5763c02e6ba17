"""Follows merged contacts before anybody is removed: one person must not pass for two."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_hubspot_lists.batches import in_runs
from target_hubspot_lists.snapshot_store import ROWS_AT_ONCE
from target_hubspot_lists.verification import Reading

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from target_hubspot_lists.applying import Applying
    from target_hubspot_lists.hubspot_lists import HubSpotList
    from target_hubspot_lists.settings import MatchBy
    from target_hubspot_lists.snapshot_store import Resolved, SnapshotStore

logger = logging.getLogger(__name__)


class Merges:
    """Gives contacts the record ids that they have since they were merged, in a snapshot and on its list."""

    def __init__(self, applying: Applying, store: SnapshotStore, match_by: MatchBy) -> None:
        self._applying = applying
        self._store = store
        self._match_by = match_by

    def follow_on_list(self, hubspot_list: HubSpotList) -> None:
        """Give those who would be removed the ids they have now, which a ledger may not know.

        Whether HubSpot takes a retired id to remove the contact that it is now is not documented: that contact
        may be in the snapshot.
        """
        merged = self._merged(record_id for record_id, _ in self._store.to_remove())
        if merged:
            for old in merged:
                self._store.drop_from_baseline(old)
            self._store.take_baseline(merged.values())
            # In this order: a crash in between must not lose from the ledger that they are on the list.
            self._applying.memory.begin(hubspot_list, merged.values())
            self._applying.memory.confirm_reading(hubspot_list, Reading(frozenset(), frozenset(merged)))
            logger.info(
                "%s: %d members have another id now, since contacts were merged.", hubspot_list, len(merged)
            )

    def follow_in_snapshot(self) -> Iterator[Resolved]:
        """Give members of the snapshot the ids they have now, for the list has them under those.

        Yield the words that lost, since another one is of the same contact.
        """
        by_email = self._match_by == "email"
        if next(self._store.to_remove(), None) is None:
            return
        to_add = (row.record_id for row in self._store.to_add())
        for old, new in self._merged(self._looked_up_before() if by_email else to_add).items():
            yield from self._store.replace(old, new)

    def _looked_up_before(self) -> Iterator[int]:
        """Yield those who are to be added and whose addresses an earlier run looked up."""
        for rows in in_runs(self._store.to_add(), ROWS_AT_ONCE):
            yield from self._applying.memory.looked_up_before(
                {str(row.member): row.record_id for row in rows}
            )

    def missing(self, record_ids: Collection[int]) -> set[int]:
        """Return those of the record ids that are nobody's."""
        return set(record_ids) - dict(self._applying.contacts.current_ids(record_ids)).keys()

    def _merged(self, record_ids: Iterator[int]) -> dict[int, int]:
        """Return those of the contacts that have another id now, and which."""
        return {old: new for old, new in self._applying.contacts.current_ids(record_ids) if old != new}
