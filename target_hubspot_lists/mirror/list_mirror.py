"""Makes one list equal to its snapshot, and only adds to it where anything speaks against removals."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hubspot_singer.http import MissingScopes
from target_hubspot_lists.errors import UnusableList
from target_hubspot_lists.hubspot.batching import in_chunks
from target_hubspot_lists.hubspot.membership_writes import MAX_RECORD_IDS_PER_CALL
from target_hubspot_lists.mirror import differences as where
from target_hubspot_lists.mirror.guards import (
    Removal,
    not_followed,
    not_ours,
    unusable_rows,
)
from target_hubspot_lists.mirror.snapshots import ListSnapshot
from target_hubspot_lists.outcomes import Outcome, Refusal
from target_hubspot_lists.reporting.account import EMPTY
from target_hubspot_lists.sync.plans import Plan, to_add

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.membership_reads import MembershipReader
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.mirror.comparison import Comparison, Resolved
    from target_hubspot_lists.mirror.differences import Differences
    from target_hubspot_lists.mirror.held_properties import HeldProperties
    from target_hubspot_lists.mirror.identification import Identification
    from target_hubspot_lists.mirror.merges import Merges
    from target_hubspot_lists.mirror.removals import Removals
    from target_hubspot_lists.mirror.sending import Sending
    from target_hubspot_lists.mirror.snapshots import CohortSnapshot, HeldBack
    from target_hubspot_lists.outcomes import KnownMailability, PropertyResult
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck
    from target_hubspot_lists.sync.planning import Planning
    from target_hubspot_lists.sync.plans import Stale


logger = logging.getLogger(__name__)


class ListMirror:
    """Compares snapshots with lists, one list after the other, and sends only the difference."""

    def __init__(  # noqa: PLR0913 - what a run has, and what of it is about a mirror
        self,
        settings: Settings,
        planning: Planning,
        journal: Journal,
        *,
        reader: MembershipReader,
        held_back: HeldBack,
        comparison: Comparison,
        differences: Differences,
        properties: HeldProperties,
        merges: Merges,
        identification: Identification,
        sending: Sending,
        removals: Removals,
        mailability: MailabilityCheck | NoMailabilityCheck,
    ) -> None:
        self._mailability = mailability
        self._settings = settings
        self._routes = planning.routes
        self._accounts = planning.accounts
        self._journal = journal
        self._reader = reader
        self._held_back = held_back
        self._comparison = comparison
        self._differences = differences
        self._properties = properties
        self._merges = merges
        self._identification = identification
        self._sending = sending
        self._removals = removals

    def apply(self, unit: ListSnapshot, gap: str | None) -> None:
        """Make one list equal to its snapshot, or if there is a gap in that only add to it."""
        self._identification.begin(unit)
        # Before any contact is created: for a list that cannot be used none is.
        if problem := self._take_baseline(unit):
            self._identification.settle(unit, Outcome.REJECTED, Refusal(problem.reason, str(problem)))
            return
        self._properties.make_for(unit.hubspot_list)
        self._identification.identify(unit)
        if gap := gap or unit.gap_of_members:
            self._held_back.note(unit.stream, gap)
        if unit.unusable:
            logger.warning("%s", unusable_rows(unit.label, unit.unusable))
        if unit.hubspot_list is None:
            self._settle_away(unit)
            return
        obstacle = None if gap else self._follow_merges(unit, unit.hubspot_list)
        stale = self._stay(unit, unit.hubspot_list)
        self._settle_away(unit)
        stale += self._add(unit, unit.hubspot_list)
        # Only now: it changes the snapshot that the steps before went through.
        self._sending.write_again(unit, stale)
        self._removals.remove(unit, unit.hubspot_list, gap, obstacle)

    def skip(self, snapshot: CohortSnapshot) -> None:
        """Settle every member of a cohort that the setting `lists` leaves out."""
        unit = ListSnapshot(None, [snapshot])
        self._identification.begin(unit)
        self._identification.settle(unit, Outcome.SKIPPED)

    def _take_baseline(self, unit: ListSnapshot) -> UnusableList | None:
        """Read the members of the list, if it exists; return the problem of a list that cannot be used."""
        if unit.problem is None and unit.hubspot_list and not unit.hubspot_list.is_to_be_created:
            try:
                self._read_baseline(unit.hubspot_list)
            except UnusableList as problem:
                unit.cohorts[0].account.problem = problem
        return unit.problem

    def _read_baseline(self, hubspot_list: HubSpotList) -> None:
        """Read the members of a list: from the ledger where it knows them, else from HubSpot."""
        if self._journal.knows_members(hubspot_list):
            self._comparison.baseline.take_known(hubspot_list.list_id)
            for record_id in self._journal.removed_by_hand(hubspot_list):
                self._comparison.baseline.drop(record_id)
        else:
            self._comparison.baseline.take(self._reader.iter_members(hubspot_list), is_settled=True)

    def _follow_merges(self, unit: ListSnapshot, hubspot_list: HubSpotList) -> str | None:
        """Follow merged contacts; return why no member may be removed, where that is known by then."""
        if not self._is_ours(unit, hubspot_list):
            return not_ours(hubspot_list, unit.cohorts[0].cohort)
        members, most = self._differences.baseline_size(), self._settings.max_removal_percent
        try:
            lost = self._merges.follow(lambda sure: Removal(members, sure, unit.unusable).is_too_much(most))
        except MissingScopes:
            return not_followed(hubspot_list)
        unit.supersede(lost)
        return None

    def _stay(self, unit: ListSnapshot, hubspot_list: HubSpotList) -> list[Stale]:
        """Settle members that stay on the list; those unsettled in the ledger are sent again."""
        rest = where.STAYING
        if self._are_counted:
            self._settle_plain(unit, where.STAYING_PLAIN, Outcome.ALREADY_MEMBER)
            if not self._differences.has_rest():
                return []
            rest = where.STAYING_REST
        stale: list[Stale] = []
        for rows in in_chunks(self._differences.rows(rest), MAX_RECORD_IDS_PER_CALL):
            plan, results = self._begin_change(unit, hubspot_list, rows)
            if self._journal.is_kept:
                stale += self._sending.deliver(plan, results)
                continue
            mailability = self._mailability.of(to_add([plan]))
            for row in rows:
                self._settle(unit, row, Outcome.ALREADY_MEMBER, results, mailability.get(row.record_id))
        return stale

    def _settle_away(self, unit: ListSnapshot) -> None:
        """Settle members that are to be off the list and are."""
        rest = where.AWAY
        if self._are_counted:
            self._settle_plain(unit, where.AWAY_PLAIN, Outcome.NOT_A_MEMBER)
            rest = where.AWAY_REST
        for row in self._differences.rows(rest):
            self._settle(unit, row, Outcome.NOT_A_MEMBER)

    @property
    def _are_counted(self) -> bool:
        """Whether members that are as asked are only counted: neither properties nor report name them."""
        is_each_told = self._accounts.names_all_members or self._mailability.is_wanted
        return not (self._properties.is_wanted or is_each_told)

    def _settle_plain(self, unit: ListSnapshot, condition: str, outcome: Outcome) -> None:
        cohorts = [each.number for each in unit.cohorts]
        for cohort, number in self._differences.count(condition, cohorts).items():
            self._accounts.settle_as_asked(unit.account(cohort), outcome, number)

    def _add(self, unit: ListSnapshot, hubspot_list: HubSpotList) -> list[Stale]:
        stale: list[Stale] = []
        for rows in in_chunks(self._differences.rows(where.TO_ADD), MAX_RECORD_IDS_PER_CALL):
            stale += self._sending.deliver(*self._begin_change(unit, hubspot_list, rows))
        return stale

    def _begin_change(
        self, unit: ListSnapshot, hubspot_list: HubSpotList, rows: list[Resolved]
    ) -> tuple[Plan, Mapping[Member, PropertyResult]]:
        """Write the properties of these members; return what is asked of the list, and what became of properties."""
        asked = {row.record_id: unit.asked(row) for row in rows}
        plan = Plan.of(hubspot_list, asked, {row.record_id for row in rows if row.is_created})
        results = self._properties.write(plan, rows) if unit.problem is None else EMPTY
        return plan, results

    def _settle(
        self,
        unit: ListSnapshot,
        row: Resolved,
        outcome: Outcome,
        results: Mapping[Member, PropertyResult] = EMPTY,
        mailability: KnownMailability | None = None,
    ) -> None:
        self._accounts.settle(
            unit.asked(row),
            outcome,
            record_id=row.record_id,
            created=row.is_created,
            properties=results.get(row.record_id),
            mailability=mailability,
        )

    def _is_ours(self, unit: ListSnapshot, hubspot_list: HubSpotList) -> bool:
        prefix = self._settings.list_name_prefix.casefold()
        has_prefix = bool(prefix) and hubspot_list.name.casefold().startswith(prefix)
        is_configured = any(self._routes.is_configured(each.cohort) for each in unit.cohorts)
        return has_prefix or is_configured or self._journal.is_created_by_us(hubspot_list)
