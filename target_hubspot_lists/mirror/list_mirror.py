"""Makes one list equal to its snapshot; without a proof that the snapshot is complete it only adds to the list."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from hubspot_singer.http import MissingScopes
from target_hubspot_lists.errors import UnusableList
from target_hubspot_lists.hubspot.batching import in_chunks
from target_hubspot_lists.hubspot.membership_writes import MAX_RECORD_IDS_PER_CALL
from target_hubspot_lists.mirror import differences as where
from target_hubspot_lists.mirror.guards import not_followed, not_ours, unusable_rows
from target_hubspot_lists.mirror.list_snapshot import ListSnapshot
from target_hubspot_lists.outcomes import Outcome
from target_hubspot_lists.reporting.account import EMPTY
from target_hubspot_lists.sync.plans import Plan, to_add

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.membership_reads import MembershipReader
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.mirror.changes import ChangeSender, Removals
    from target_hubspot_lists.mirror.comparison import Resolved
    from target_hubspot_lists.mirror.differences import Differences
    from target_hubspot_lists.mirror.guards import RemovalGuard
    from target_hubspot_lists.mirror.identification import Identification, Merges
    from target_hubspot_lists.mirror.list_snapshot import CohortSnapshot, HeldBack
    from target_hubspot_lists.mirror.stores import HeldProperties
    from target_hubspot_lists.outcomes import KnownMailability, PropertyResult
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.destinations import Destinations
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck
    from target_hubspot_lists.sync.plans import Resend


logger = logging.getLogger(__name__)


class ListMirror:
    """Compares snapshots with lists, one list after the other, and sends only the difference."""

    def __init__(  # noqa: PLR0913 - the steps of one list
        self,
        settings: Settings,
        destinations: Destinations,
        journal: Journal,
        *,
        reader: MembershipReader,
        held_back: HeldBack,
        differences: Differences,
        properties: HeldProperties,
        merges: Merges,
        identification: Identification,
        sender: ChangeSender,
        guard: RemovalGuard,
        removals: Removals,
        mailability: MailabilityCheck | NoMailabilityCheck,
    ) -> None:
        self._settings = settings
        self._routes = destinations.routes
        self._accounts = destinations.accounts
        self._journal = journal
        self._reader = reader
        self._held_back = held_back
        self._differences = differences
        self._properties = properties
        self._merges = merges
        self._identification = identification
        self._sender = sender
        self._guard = guard
        self._removals = removals
        self._mailability = mailability
        # Members that are as asked are counted in bulk, unless properties or the report need them one by one.
        self._counts_members = not (
            properties.is_wanted or self._accounts.names_all_members or mailability.is_wanted
        )

    def apply(self, snapshot: ListSnapshot, gap: str | None) -> None:
        """Make one list equal to its snapshot; `gap` says why that is not proven complete, so that it only adds."""
        self._identification.begin(snapshot)
        # Before any contact is created: none is created for a list that cannot be used.
        if problem := self._read_members(snapshot):
            self._identification.settle(snapshot, Outcome.REJECTED, problem.refusal)
            return
        hubspot_list = snapshot.hubspot_list
        self._properties.create_for(hubspot_list)
        self._identification.identify(snapshot)
        if gap := gap or snapshot.gap_of_members:
            self._held_back.note(snapshot.stream, gap)
        if snapshot.unusable:
            logger.warning("%s", unusable_rows(snapshot.label, snapshot.unusable))
        if hubspot_list is None:
            self._settle_not_members(snapshot)
            return
        obstacle = None if gap else self._follow_merges(snapshot, hubspot_list)
        resends = self._settle_already_members(snapshot, hubspot_list)
        self._settle_not_members(snapshot)
        removal = self._removals.begin(snapshot, hubspot_list)
        for rows in in_chunks(self._differences.rows(where.TO_ADD), MAX_RECORD_IDS_PER_CALL):
            resends += self._sender.send(*self._begin_change(snapshot, hubspot_list, rows))
        if resends:
            # Only now: it changes the comparison, which the steps before read.
            self._sender.resend(snapshot, resends)
            removal = self._removals.count(snapshot, hubspot_list)
        self._removals.remove(snapshot, hubspot_list, removal, gap=gap, obstacle=obstacle)

    def skip(self, cohort: CohortSnapshot) -> None:
        """Settle every member of a cohort that the setting `lists` leaves out."""
        snapshot = ListSnapshot(None, [cohort])
        self._identification.begin(snapshot)
        self._identification.settle(snapshot, Outcome.SKIPPED)

    def _read_members(self, snapshot: ListSnapshot) -> UnusableList | None:
        """Read the members of the list, from the ledger if it knows them, else from HubSpot.

        Return the problem of a list that cannot be used.
        """
        self._differences.start()
        hubspot_list = snapshot.hubspot_list
        if snapshot.problem or hubspot_list is None or hubspot_list.is_to_be_created:
            return snapshot.problem
        try:
            if self._journal.knows_members(hubspot_list):
                self._differences.take_known_members(hubspot_list.list_id)
                for record_id in self._journal.removed_by_hand(hubspot_list):
                    self._differences.drop_member(record_id)
            else:
                members = self._reader.iter_members(hubspot_list)
                self._differences.take_members(members, is_settled=True)
        except UnusableList as problem:
            snapshot.cohorts[0].account.problem = problem
        return snapshot.problem

    def _follow_merges(self, snapshot: ListSnapshot, hubspot_list: HubSpotList) -> str | None:
        """Follow merged contacts; return why no member may be removed, if that is known by then."""
        if not self._is_ours(snapshot, hubspot_list):
            return not_ours(hubspot_list, snapshot.cohorts[0].cohort)
        removal = self._guard.removal(hubspot_list, 0, snapshot.unusable)
        try:
            superseded = self._merges.follow(
                lambda to_remove: self._guard.holds_back(replace(removal, to_remove=to_remove))
            )
        except MissingScopes:
            return not_followed(hubspot_list)
        snapshot.supersede(superseded)
        return None

    def _is_ours(self, snapshot: ListSnapshot, hubspot_list: HubSpotList) -> bool:
        """Return whether the list may be assumed to be this target's, so that members may be removed from it."""
        prefix = self._settings.list_name_prefix.casefold()
        has_prefix = bool(prefix) and hubspot_list.name.casefold().startswith(prefix)
        is_configured = any(self._routes.is_configured(each.cohort) for each in snapshot.cohorts)
        return has_prefix or is_configured or self._journal.is_created_by_us(hubspot_list)

    def _settle_already_members(self, snapshot: ListSnapshot, hubspot_list: HubSpotList) -> list[Resend]:
        """Settle members that are on the list as asked; those unsettled in the ledger are sent again."""
        condition = where.ALREADY_MEMBER
        if self._counts_members:
            self._count(snapshot, where.ALREADY_MEMBER_COUNTED, Outcome.ALREADY_MEMBER)
            if not self._differences.has_others():
                return []
            condition = where.ALREADY_MEMBER_OTHERS
        resends: list[Resend] = []
        for rows in in_chunks(self._differences.rows(condition), MAX_RECORD_IDS_PER_CALL):
            plan, results = self._begin_change(snapshot, hubspot_list, rows)
            if self._journal.is_kept:
                resends += self._sender.send(plan, results)
                continue
            mailability = self._mailability.of(to_add([plan]))
            for row in rows:
                self._settle(snapshot, row, Outcome.ALREADY_MEMBER, results, mailability.get(row.record_id))
        return resends

    def _settle_not_members(self, snapshot: ListSnapshot) -> None:
        """Settle members that are off the list as asked."""
        condition = where.NOT_A_MEMBER
        if self._counts_members:
            self._count(snapshot, where.NOT_A_MEMBER_COUNTED, Outcome.NOT_A_MEMBER)
            condition = where.NOT_A_MEMBER_OTHERS
        for row in self._differences.rows(condition):
            self._settle(snapshot, row, Outcome.NOT_A_MEMBER)

    def _count(self, snapshot: ListSnapshot, condition: str, outcome: Outcome) -> None:
        """Settle members that are as asked by their number alone."""
        numbers = self._differences.count(condition, [cohort.number for cohort in snapshot.cohorts])
        for cohort_number, members in numbers.items():
            self._accounts.settle_as_asked(snapshot.account(cohort_number), outcome, members)

    def _begin_change(
        self, snapshot: ListSnapshot, hubspot_list: HubSpotList, rows: list[Resolved]
    ) -> tuple[Plan, Mapping[Member, PropertyResult]]:
        """Write the properties of these members; return the plan, and by record id what became of properties."""
        asked = {row.record_id: snapshot.asked(row) for row in rows}
        plan = Plan.of(hubspot_list, asked, {row.record_id for row in rows if row.is_created})
        results = self._properties.write(plan, rows) if snapshot.problem is None else EMPTY
        return plan, results

    def _settle(
        self,
        snapshot: ListSnapshot,
        row: Resolved,
        outcome: Outcome,
        results: Mapping[Member, PropertyResult] = EMPTY,
        mailability: KnownMailability | None = None,
    ) -> None:
        self._accounts.settle(
            snapshot.asked(row),
            outcome,
            record_id=row.record_id,
            created=row.is_created,
            properties=results.get(row.record_id),
            mailability=mailability,
        )
