"""The snapshot of one cohort, that of one list, and what a mirror held back."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.mirror.evidence import CohortEvidence
from target_hubspot_lists.outcomes import Outcome
from target_hubspot_lists.reporting.account import NO_POSITION, RequestedChange

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_hubspot_lists.errors import UnusableList
    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.mirror.comparison import LastWord, Resolved
    from target_hubspot_lists.mirror.evidence import StreamEvidence
    from target_hubspot_lists.reporting.account import Account, StreamAccount


@dataclass
class CohortSnapshot:
    """One cohort of one stream, as far as its records have come."""

    number: int  # by which the tables of the snapshot name it
    stream: str
    cohort: Cohort
    route: Route
    account: Account
    stream_evidence: StreamEvidence
    stream_account: StreamAccount
    evidence: CohortEvidence = field(default_factory=CohortEvidence)
    records: int = 0
    is_whole_stream: bool = False  # the stream is the cohort, so that it may be empty without any record

    def is_current(self, *, ends: bool) -> bool:
        """Return whether it counts: not if only records of an older version came; `ends` as for `gaps`."""
        has_come = bool(self.records) or (self.is_whole_stream and ends)
        return has_come and not self.route.is_skipped


@dataclass
class ListSnapshot:
    """The cohorts that go to one list, which a mirror makes equal to all of them together."""

    hubspot_list: HubSpotList | None
    cohorts: list[CohortSnapshot]
    unclear: int = 0  # members whom HubSpot refused to look up, and who may be on the list

    @property
    def label(self) -> str:
        """How messages name the list."""
        return str(self.hubspot_list) if self.hubspot_list else f'List "{shown(self.cohorts[0].route.name)}"'

    @property
    def stream(self) -> str:
        """The one stream of all its cohorts."""
        return self.cohorts[0].stream

    @property
    def problem(self) -> UnusableList | None:
        """Why the list cannot be used; None if it can."""
        return next((each.account.problem for each in self.cohorts if each.account.problem), None)

    def account(self, number: int) -> Account:
        """Return the account of the cohort with this number."""
        return self._accounts[number]

    @cached_property
    def _accounts(self) -> dict[int, Account]:
        """By a cohort's number, once all cohorts are in; cohorts of one route share an account."""
        return {each.number: each.account for each in self.cohorts}

    def asked(self, row: Resolved | LastWord) -> RequestedChange:
        """Return what a record asks of a member."""
        return RequestedChange(
            row.member, row.is_member, row.position, self.account(row.cohort), row.found_by
        )

    def asked_to_remove(self, record_id: int, row: Resolved | None) -> RequestedChange:
        """Return the removal of a member: asked by a record, or with None by its absence from the snapshot."""
        if row is not None:
            return self.asked(row)
        account = self.cohorts[0].account
        account.mirror_removals += 1
        return RequestedChange(record_id, is_member=False, position=NO_POSITION, account=account)

    def supersede(self, words: Iterable[Resolved]) -> None:
        """Account for words that later ones on the same contact supersede."""
        for word in words:
            self.account(word.cohort).superseded += 1

    @property
    def undone(self) -> int:
        """How many memberships HubSpot refused, or accepted and did not apply."""
        return self.dropped + self._count(Outcome.REJECTED)

    @property
    def unusable(self) -> int:
        """How many of its records have a blank or malformed member, who may be on the list."""
        return sum(cohort.evidence.unusable for cohort in self.cohorts)

    @property
    def dropped(self) -> int:
        """How many memberships HubSpot accepted and did not apply, or calls missing though it knows the contacts."""
        return self._count(Outcome.DROPPED)

    def _count(self, outcome: Outcome) -> int:
        accounts = {id(cohort.account): cohort.account for cohort in self.cohorts}
        return sum(account.outcomes[outcome] for account in accounts.values())

    @property
    def gap_of_members(self) -> str | None:
        """Why a member of the list may be in the snapshot without being found there; None if none can be."""
        if not self.unclear:
            return None
        return (
            f"{self.label}: HubSpot refused to look up {self.unclear:,} members of the snapshot, who may be on the "
            "list. No member was removed: correct the addresses in the source; set report_path to see them."
        )


@dataclass
class HeldBack:
    """What a mirror was asked for and did not do."""

    streams: set[str] = field(default_factory=set)  # of which not all was done
    problems: list[str] = field(default_factory=list)  # one sentence each

    def note(self, stream: str, problem: str) -> None:
        """Note why not all that a stream asks for is done."""
        self.streams.add(stream)
        self.problems.append(problem)
