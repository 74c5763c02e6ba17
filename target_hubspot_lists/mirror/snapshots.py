"""The snapshots of cohorts as a mirror reads them, grouped by list, and what was held back."""

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
    """One cohort of one stream, as far as it has arrived."""

    number: int
    stream: str
    cohort: Cohort
    route: Route
    account: Account
    of_stream: StreamEvidence
    stream_account: StreamAccount
    evidence: CohortEvidence = field(default_factory=CohortEvidence)
    records: int = 0
    is_whole_stream: bool = False  # its cohort is the stream itself, so that even no record speaks of it

    def is_current(self, *, ends: bool) -> bool:
        """Return whether it counts: not if only records of an older version came; `ends` as for `gaps`."""
        is_there = bool(self.records) or (self.is_whole_stream and ends)
        return is_there and not self.route.is_skipped


@dataclass
class ListSnapshot:
    """All cohorts that lead to one list: the unit of a mirror."""

    hubspot_list: HubSpotList | None
    cohorts: list[CohortSnapshot]
    unclear: int = 0  # members whom HubSpot did not let be looked up, and who may be on the list

    @property
    def label(self) -> str:
        """How messages name the list."""
        return str(self.hubspot_list) if self.hubspot_list else f'List "{shown(self.cohorts[0].route.name)}"'

    @property
    def stream(self) -> str:
        """The one stream that feeds it."""
        return self.cohorts[0].stream

    @property
    def problem(self) -> UnusableList | None:
        """Why the list cannot be used; None if it can."""
        return next((each.account.problem for each in self.cohorts if each.account.problem), None)

    def account(self, number: int) -> Account:
        """The account of a cohort."""
        return self._accounts[number]

    @cached_property
    def _accounts(self) -> dict[int, Account]:
        """By a cohort's number, once all have come; cohorts of one route share one."""
        return {each.number: each.account for each in self.cohorts}

    def asked(self, row: Resolved | LastWord) -> RequestedChange:
        """Return what a record asks of a member."""
        return RequestedChange(
            row.member, row.is_member, row.position, self.account(row.cohort), row.found_by
        )

    def asked_to_remove(self, record_id: int, said: Resolved | None) -> RequestedChange:
        """Return the removal of a member: asked by a record, or by its absence from the snapshot."""
        if said is not None:
            return self.asked(said)
        account = self.cohorts[0].account
        account.mirror_removals += 1
        return RequestedChange(record_id, is_member=False, position=NO_POSITION, account=account)

    def supersede(self, lost: Iterable[Resolved]) -> None:
        """Account for words that lost against later ones on the same contact."""
        for row in lost:
            self.account(row.cohort).superseded += 1

    @property
    def undone(self) -> int:
        """How many memberships HubSpot refused, or said yes to and did not apply."""
        return self.dropped + self._count(Outcome.REJECTED)

    @property
    def unusable(self) -> int:
        """How many of its rows have a member that is blank or malformed: people who may be on the list."""
        return sum(each.evidence.unusable for each in self.cohorts)

    @property
    def dropped(self) -> int:
        """How many memberships HubSpot said yes to and did not apply, or calls missing though it knows the contacts."""
        return self._count(Outcome.DROPPED)

    def _count(self, outcome: Outcome) -> int:
        accounts = {id(each.account): each.account for each in self.cohorts}
        return sum(each.outcomes[outcome] for each in accounts.values())

    @property
    def gap_of_members(self) -> str | None:
        """Return why a member of the list may be in the snapshot unrecognised; None if none can be."""
        if not self.unclear:
            return None
        return (
            f"{self.label}: HubSpot refused to look up {self.unclear:,} members of the snapshot, who may be on the "
            "list. Nobody was removed: correct the addresses in the source; set report_path to see them."
        )


@dataclass
class HeldBack:
    """What a mirror was asked for and did not do, by stream, with the reasons."""

    streams: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def note(self, stream: str, problem: str) -> None:
        """Note why not all that a stream asks for is done."""
        self.streams.add(stream)
        self.problems.append(problem)
