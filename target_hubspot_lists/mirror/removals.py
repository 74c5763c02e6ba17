"""Removes members of a list that are not in its snapshot, where the proof and the guard allow it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.batching import in_chunks
from target_hubspot_lists.hubspot.membership_writes import MAX_RECORD_IDS_PER_CALL
from target_hubspot_lists.mirror import differences as where
from target_hubspot_lists.mirror.guards import Removal, not_removed, too_many
from target_hubspot_lists.outcomes import Outcome
from target_hubspot_lists.reporting.problems import dropped
from target_hubspot_lists.sync.plans import Plan

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.mirror.comparison import Resolved
    from target_hubspot_lists.mirror.differences import Differences
    from target_hubspot_lists.mirror.held_properties import HeldProperties
    from target_hubspot_lists.mirror.sending import Sending
    from target_hubspot_lists.mirror.snapshots import HeldBack, ListSnapshot
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.plans import Stale
    from target_hubspot_lists.sync.second_chances import NoSecondChances, SecondChances


class Removals:
    """The last step of a list's mirror: removes members, or keeps them and accounts for them."""

    def __init__(  # noqa: PLR0913, PLR0917 - what decides of a removal, and what does it
        self,
        settings: Settings,
        accounts: Accounts,
        journal: Journal,
        differences: Differences,
        properties: HeldProperties,
        held_back: HeldBack,
        sending: Sending,
        second_chances: SecondChances | NoSecondChances,
    ) -> None:
        self._second_chances = second_chances
        self._settings = settings
        self._accounts = accounts
        self._journal = journal
        self._differences = differences
        self._properties = properties
        self._held_back = held_back
        self._sending = sending

    def remove(
        self, unit: ListSnapshot, hubspot_list: HubSpotList, gap: str | None, obstacle: str | None
    ) -> None:
        """Remove members that are not in the snapshot, if it is proven, the list is ours, and the guard allows it."""
        if unit.problem:
            return
        if gap is None:
            self._second_chances.forget_list(hubspot_list.list_id)
        if unit.dropped:
            self._held_back.note(unit.stream, dropped(unit.label, unit.dropped))
        only_ours = self._settings.mirror_removes == "ours"
        ours = self._journal.added_by_us(hubspot_list) if only_ours else None
        to_remove = sum(1 for _ in self._to_remove(ours))
        removal = Removal(self._differences.baseline_size(), to_remove, unit.unusable)
        if obstacle is None and removal.is_too_much(self._settings.max_removal_percent):
            obstacle = too_many(hubspot_list, removal, self._settings.max_removal_percent)
        if gap or not removal.to_remove:
            obstacle = None
        if gap or obstacle:
            if obstacle:
                self._held_back.note(unit.stream, obstacle)
            self._keep(unit, hubspot_list, ours, is_proven=gap is None)
            return
        undone_before = unit.undone
        stale: list[Stale] = []
        for rows in in_chunks(self._to_remove(ours), MAX_RECORD_IDS_PER_CALL):
            asked = {record_id: unit.asked_to_remove(record_id, said) for record_id, said in rows}
            plan = Plan.of(hubspot_list, asked)
            stale += self._sending.deliver(plan, self._properties.write(plan))
        self._sending.write_again(unit, stale)
        self._journal.accept_losses(hubspot_list)
        if (undone := unit.undone - undone_before) and not unit.problem:
            self._held_back.note(unit.stream, not_removed(hubspot_list, undone, removal))

    def _keep(
        self, unit: ListSnapshot, hubspot_list: HubSpotList, ours: Collection[int] | None, *, is_proven: bool
    ) -> None:
        """Keep the members that the snapshot would remove; an unproven one removes only those that a record names."""
        away = [row.record_id for row in self._differences.rows(where.AWAY)]
        self._journal.restore_members(hubspot_list, except_for=away)
        for record_id, said in self._to_remove(ours):
            if said is not None or is_proven:
                kept = unit.asked_to_remove(record_id, said)
                self._accounts.settle(kept, Outcome.SKIPPED, record_id=record_id)

    def _to_remove(self, ours: Collection[int] | None) -> Iterator[tuple[int, Resolved | None]]:
        """Yield the record ids to remove; with `ours`, of those that no record names only these."""
        for record_id, said in self._differences.to_remove():
            if said is not None or ours is None or record_id in ours:
                yield record_id, said
