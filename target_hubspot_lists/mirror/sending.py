"""Sends what is asked of a mirror's list, or says what a real run would do."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from target_hubspot_lists.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection

    from target_hubspot_lists.mirror.comparison import Comparison
    from target_hubspot_lists.mirror.held_properties import HeldProperties
    from target_hubspot_lists.mirror.merges import Merges
    from target_hubspot_lists.mirror.snapshots import ListSnapshot
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.applying import Applying, ListChange
    from target_hubspot_lists.sync.plans import Stale


class Sending:
    """Sends changes, and again those of contacts that have other record ids now."""

    def __init__(
        self,
        settings: Settings,
        applying: Applying,
        comparison: Comparison,
        properties: HeldProperties,
        merges: Merges,
    ) -> None:
        self._settings = settings
        self._applying = applying
        self._comparison = comparison
        self._properties = properties
        self._merges = merges

    def deliver(self, change: ListChange, created: set[int]) -> list[Stale]:
        """Send a change; return those whose contacts have other record ids now, and no outcome yet."""
        if not self._settings.dry_run:
            return self._applying.write([change], created)
        self._foresee(change)
        return []

    def write_again(self, unit: ListSnapshot, stale: Collection[Stale]) -> None:
        """Bring those to HubSpot as who they are now whose remembered contact is gone."""
        properties = self._properties.begin(each.asked.member for each in stale)
        self._applying.write_again(stale, properties, partial(self._is_outdone, unit))

    def _is_outdone(self, unit: ListSnapshot, stale: Stale, record_id: int) -> bool:
        """Whether another word on the contact that this one is now says the same, or came later."""
        self._comparison.drop_from_baseline(stale.record_id)
        other = self._comparison.word_on(record_id)
        if other and other.position == stale.asked.position:
            return False  # it is this word: the contact has the id that it had
        if other and (other.is_member == stale.asked.is_member or other.position > stale.asked.position):
            return True
        if other and not other.is_member and self._comparison.is_on_list(record_id):
            unit.supersede([other])  # who is on the list and to go has no outcome yet
        self._comparison.replace(stale.record_id, record_id)
        return False

    def _foresee(self, change: ListChange) -> None:
        """Say what a real run would do; the list was read, so only a record id that came may be nobody's."""
        to_add = [record_id for record_id, asked in change.asked.items() if asked.is_member]
        missing = self._merges.missing(to_add) if self._settings.match_by == "contact_id" else set()
        for record_id, asked in change.asked.items():
            outcome = Outcome.ADDED if asked.is_member else Outcome.REMOVED
            outcome = Outcome.MISSING if record_id in missing else outcome
            self._applying.accounts.settle(asked, outcome, record_id=record_id)
