"""The accounts of one list and of one stream: what was read, and what became of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import AccountsError
from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.outcomes import Mailability, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_hubspot_lists.errors import UnusableList
    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.outcomes import (
        KnownMailability,
        PropertyOutcome,
        PropertyReason,
        PropertyResult,
        Reason,
    )


@dataclass
class Account:
    """The accounts of one list: what was read for it, and what became of it."""

    cohort: Cohort
    name: str
    hubspot_list: HubSpotList | None = None
    problem: UnusableList | None = None  # why its members are rejected
    is_retry: bool = False  # of adds that earlier runs asked for: they are counted apart
    is_skipped: bool = False  # the setting `lists` leaves the cohort out
    records_read: int = 0
    superseded: int = 0
    mirror_removals: int = 0
    removals_done: int = 0  # of those, how many have their outcome
    excused: int = (
        0  # of those asked for, how many a STATE covered though nothing had been applied: see `excuse`
    )
    put_back: int = 0  # besides those asked for: members the ledger knows, whom the list had lost
    retried: int = 0  # besides those asked for: members of earlier runs' adds who are on the list now
    applied: int = 0
    contacts_created: int = 0
    calls: int = 0
    seconds: float = 0.0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    reasons: Counter[Reason] = field(default_factory=Counter)
    mailability: Counter[Mailability] = field(default_factory=Counter)  # of those on the list, where asked
    mailability_as_of: int | None = None  # the oldest of these answers, in seconds since 1970
    properties: Counter[PropertyOutcome] = field(default_factory=Counter)
    property_problems: Counter[tuple[PropertyReason, str | None]] = field(default_factory=Counter)

    @property
    def label(self) -> str:
        """The list's name: HubSpot's own once it is found."""
        return self.hubspot_list.name if self.hubspot_list else self.name

    @property
    def list_id(self) -> str | None:
        """The list's id, once it is found."""
        return self.hubspot_list.list_id if self.hubspot_list and not self.hubspot_list.is_foreseen else None

    @property
    def size(self) -> int | None:
        """Members of the list now: those that HubSpot told at first, and what this run changed."""
        before = self.hubspot_list.size if self.hubspot_list else None
        change = self.outcomes[Outcome.ADDED] - self.outcomes[Outcome.REMOVED] + self.put_back + self.retried
        return None if before is None else max(before + change, 0)

    @property
    def asked(self) -> int:
        """Memberships asked for: records read, less those replaced later, and removals of a mirror."""
        return self.records_read - self.superseded + self.mirror_removals

    @property
    def records_done(self) -> int:
        """Records that have their outcome, or were replaced by a later one."""
        return self.superseded + self.outcomes.total() - self.removals_done

    @property
    def is_judged(self) -> bool:
        """Whether it says something that nothing was applied: not of a list that is left out, or cannot be used."""
        return not self.is_skipped and self.problem is None

    @property
    def match_rate(self) -> float | None:
        """The share of the members asked for so far that HubSpot knows, or came to know; None if it was not asked."""
        settled = 0 if self.is_skipped else self.outcomes.total()
        unmatched = self.outcomes[Outcome.MISSING] + self.outcomes[Outcome.REJECTED]
        return (settled - unmatched) / settled if settled else None

    def count_properties(self, result: PropertyResult) -> None:
        """Count what became of the properties of a member's contact."""
        self.properties[result.outcome] += 1
        if problem := result.problem:
            self.property_problems[problem.reason, problem.property] += 1

    @property
    def cannot_be_mailed(self) -> int:
        """Members on the list of whom HubSpot says that it does not mail them."""
        return self.mailability.total() - self.mailability[Mailability.MAILABLE]

    def take_retried(self, retry: Account) -> None:
        """Count what came of adds that were tried again on an account of their own."""
        self.retried += retry.applied
        self.calls += retry.calls
        self.seconds += retry.seconds
        self.mailability.update(retry.mailability)
        moments = [each for each in (self.mailability_as_of, retry.mailability_as_of) if each is not None]
        self.mailability_as_of = min(moments, default=None)

    def count_mailability(self, known: Iterable[KnownMailability]) -> None:
        """Count members on the list by whether they can be mailed."""
        for each, number in Counter(known).items():
            self.mailability[each.mailability] += number
            self.mailability_as_of = min(each.looked_up, self.mailability_as_of or each.looked_up)

    def check(self) -> None:
        """Raise AccountsError unless every membership asked for has exactly one outcome."""
        if (ended := self.outcomes.total()) != self.asked:
            raise AccountsError(
                f'The accounts of list "{shown(self.label)}" do not balance: {self.asked} memberships asked for, '
                f"{ended} outcomes. This is a bug: please report it with the log of this run."
            )


@dataclass
class StreamAccount:
    """Records of one stream: how many came, and those that could be counted to no list."""

    can_remove: bool = True
    records_read: int = 0
    rejected: int = 0
    reasons: Counter[Reason] = field(default_factory=Counter)
    lists: set[str] = field(default_factory=set)  # whose accounts its records are on
