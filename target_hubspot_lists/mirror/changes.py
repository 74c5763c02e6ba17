"""Sends the changes of a mirror's list: adds, and removals where the proof and the guard allow them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import UnusableList
from target_hubspot_lists.hubspot.batching import in_chunks
from target_hubspot_lists.hubspot.membership_writes import MAX_RECORD_IDS_PER_CALL
from target_hubspot_lists.mirror import differences as where
from target_hubspot_lists.mirror.guards import not_removed
from target_hubspot_lists.outcomes import Outcome
from target_hubspot_lists.reporting.problems import dropped
from target_hubspot_lists.sync.plans import Plan

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.mirror.comparison import Comparison, Resolved
    from target_hubspot_lists.mirror.differences import Differences
    from target_hubspot_lists.mirror.guards import Removal, RemovalGuard
    from target_hubspot_lists.mirror.identification import Merges
    from target_hubspot_lists.mirror.list_snapshot import HeldBack, ListSnapshot
    from target_hubspot_lists.mirror.stores import HeldProperties
    from target_hubspot_lists.outcomes import PropertyResult
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.applier import Applier
    from target_hubspot_lists.sync.delivery import Delivery
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck
    from target_hubspot_lists.sync.plans import Resend
    from target_hubspot_lists.sync.unapplied_adds import NoUnappliedAdds, UnappliedAdds


class ChangeSender:
    """Sends changes, and sends those again whose contacts have other record ids now."""

    def __init__(  # noqa: PLR0913 - what sends, and what knows the other changes of a contact
        self,
        settings: Settings,
        accounts: Accounts,
        *,
        applier: Applier,
        delivery: Delivery,
        comparison: Comparison,
        differences: Differences,
        properties: HeldProperties,
        merges: Merges,
        mailability: MailabilityCheck | NoMailabilityCheck,
    ) -> None:
        self._settings = settings
        self._accounts = accounts
        self._applier = applier
        self._delivery = delivery
        self._comparison = comparison
        self._differences = differences
        self._properties = properties
        self._merges = merges
        self._mailability = mailability

    def send(self, plan: Plan, results: Mapping[Member, PropertyResult]) -> list[Resend]:
        """Send a plan; return the changes to send again, which have no outcome yet.

        `results` says by record id what became of properties.
        """
        if not self._settings.dry_run:
            return self._delivery.deliver([plan], results)
        self._settle_dry_run(plan, results)
        return []

    def _settle_dry_run(self, plan: Plan, results: Mapping[Member, PropertyResult]) -> None:
        """Settle by what a real run would do; the list was read, so only a record id of the input may be missing."""
        changes = plan.all_asked()
        to_add = [record_id for record_id, asked in changes.items() if asked.is_member]
        missing = self._merges.missing(to_add) if self._settings.are_record_ids else set()
        mailability = self._mailability.of(to_add)
        for record_id, asked in changes.items():
            outcome = Outcome.ADDED if asked.is_member else Outcome.REMOVED
            self._accounts.settle(
                asked,
                Outcome.MISSING if record_id in missing else outcome,
                record_id=record_id,
                properties=results.get(record_id),
                mailability=mailability.get(record_id),
            )

    def resend(self, snapshot: ListSnapshot, resends: Collection[Resend]) -> None:
        """Send changes again under the record ids that their contacts have now; it changes the comparison."""
        properties = self._properties.begin(resend.asked.member for resend in resends)
        self._applier.resend(resends, partial(self._is_superseded, snapshot), properties)

    def _is_superseded(self, snapshot: ListSnapshot, resend: Resend, record_id: int) -> bool:
        """Return whether another change of the same contact asks for the same, or came later."""
        self._differences.drop_member(resend.record_id)
        other = self._comparison.word_on(record_id)
        if other and other.position == resend.asked.position:
            return False  # it is this change: the contact has the id that it had
        if other and (other.is_member == resend.asked.is_member or other.position > resend.asked.position):
            return True
        if other and not other.is_member and self._differences.is_on_list(record_id):
            snapshot.supersede([other])  # a removal of a member of the list has no outcome yet
        self._comparison.replace(resend.record_id, record_id)
        return False


class Removals:
    """The last step of a list's mirror: removes members that are not in the snapshot, or settles them as kept."""

    def __init__(  # noqa: PLR0913, PLR0917 - what decides on a removal, and what sends it
        self,
        settings: Settings,
        accounts: Accounts,
        journal: Journal,
        differences: Differences,
        properties: HeldProperties,
        held_back: HeldBack,
        guard: RemovalGuard,
        sender: ChangeSender,
        unapplied_adds: UnappliedAdds | NoUnappliedAdds,
    ) -> None:
        self._settings = settings
        self._accounts = accounts
        self._journal = journal
        self._differences = differences
        self._properties = properties
        self._held_back = held_back
        self._guard = guard
        self._sender = sender
        self._unapplied_adds = unapplied_adds

    def begin(self, snapshot: ListSnapshot, hubspot_list: HubSpotList) -> Removal:
        """Count the removals before members are added, so that a rerun counts none of these, if nobody is removed."""
        removal = self.count(snapshot, hubspot_list)
        self._guard.begin(hubspot_list, removal)
        return removal

    def count(self, snapshot: ListSnapshot, hubspot_list: HubSpotList) -> Removal:
        """Count the removals that the snapshot asks for; adds do not change it, changes that are sent again may."""
        to_remove = (
            sum(1 for _ in self._to_remove(hubspot_list))
            if self._settings.mirror_removes == "ours"
            else self._differences.count_to_remove()
        )
        return self._guard.removal(hubspot_list, to_remove, snapshot.unusable)

    def remove(
        self,
        snapshot: ListSnapshot,
        hubspot_list: HubSpotList,
        removal: Removal,
        *,
        gap: str | None,
        obstacle: str | None,
    ) -> None:
        """Remove members that are not in the snapshot, if it is proven, the list is ours, and the guard allows it.

        `removal` counts them as they are now. `gap` says why the snapshot is not proven complete, `obstacle` why
        members may not be removed all the same.
        """
        if snapshot.problem:
            return
        if gap is None:
            self._unapplied_adds.forget_list(hubspot_list.list_id)
        if snapshot.dropped:
            self._held_back.note(snapshot.stream, dropped(snapshot.label, snapshot.dropped))
        if obstacle is None and self._guard.holds_back(removal):
            obstacle = self._guard.message(hubspot_list, removal)
        if gap or not removal.to_remove:
            obstacle = None
        if obstacle:
            self._held_back.note(snapshot.stream, obstacle)
        if gap or obstacle:
            self._keep(snapshot, hubspot_list, is_proven=gap is None)
            return
        undone_before = snapshot.undone
        resends: list[Resend] = []
        for rows in in_chunks(self._to_remove(hubspot_list), MAX_RECORD_IDS_PER_CALL):
            plan = Plan.of(
                hubspot_list,
                {record_id: snapshot.asked_to_remove(record_id, row) for record_id, row in rows},
            )
            resends += self._sender.send(plan, self._properties.write(plan))
        self._sender.resend(snapshot, resends)
        self._journal.accept_losses(hubspot_list)
        self._end(snapshot, hubspot_list, removal, undone=snapshot.undone - undone_before)

    def _end(
        self, snapshot: ListSnapshot, hubspot_list: HubSpotList, removal: Removal, *, undone: int
    ) -> None:
        """End removals that were let through; name those that HubSpot did not do."""
        if snapshot.problem:
            return
        self._guard.end(hubspot_list)
        if undone:
            self._held_back.note(snapshot.stream, not_removed(hubspot_list, undone, removal))

    def _keep(self, snapshot: ListSnapshot, hubspot_list: HubSpotList, *, is_proven: bool) -> None:
        """Keep members that the snapshot would remove; an unproven one would remove only those that a record names."""
        to_remove = self._to_remove(hubspot_list)
        removed = [row.record_id for row in self._differences.rows(where.NOT_A_MEMBER)]
        try:
            self._journal.restore_members(hubspot_list, except_for=removed)
        except UnusableList as problem:
            snapshot.cohorts[0].account.problem = problem
        for record_id, row in to_remove:
            if row is not None or is_proven:
                kept = snapshot.asked_to_remove(record_id, row)
                self._accounts.settle(kept, Outcome.SKIPPED, record_id=record_id)

    def _to_remove(self, hubspot_list: HubSpotList) -> Iterator[tuple[int, Resolved | None]]:
        """Return the record ids to remove, each with the record that says so, or None.

        With `mirror_removes: ours` only members that this target added are removed without a record.
        """
        to_remove = self._differences.to_remove()
        if self._settings.mirror_removes != "ours":
            return to_remove
        ours = self._journal.added_by_us(hubspot_list)
        return ((record_id, row) for record_id, row in to_remove if row is not None or record_id in ours)
