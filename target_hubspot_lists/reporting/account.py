"""The account of one list and of one stream: the changes asked for, and the outcome of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from target_hubspot_lists.errors import AccountsError
from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.outcomes import Mailability, Outcome, PropertyOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_hubspot_lists.errors import UnusableList
    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.input.records import Cohort, Member
    from target_hubspot_lists.outcomes import (
        KnownMailability,
        PropertyReason,
        PropertyResult,
        Reason,
        Refusal,
    )

EMPTY: Mapping[Any, Any] = MappingProxyType({})
NO_POSITION = -1  # of a change that no record asked for: a removal of a mirror


@dataclass
class Account:
    """The account of one list. `check` raises unless each membership asked for has one outcome."""

    cohort: Cohort
    name: str
    hubspot_list: HubSpotList | None = None
    problem: UnusableList | None = None  # why its members are rejected
    is_retry: bool = False  # of adds that earlier runs asked for; they have an account of their own
    lacks_values: bool = False  # mapped values are no longer known: a retry has no record
    is_skipped: bool = False  # the setting `lists` leaves the cohort out
    records_read: int = 0
    superseded: int = 0  # records that a later record replaced
    mirror_removals: int = 0
    removals_done: int = 0  # mirror removals that have their outcome
    not_judged: int = 0  # asked for before a STATE was released although nothing had been applied
    restored: int = 0  # members that the ledger knows and the list had lost, added again
    retried: int = 0  # members that an earlier run asked to add, added now
    applied: int = 0
    contacts_created: int = 0
    calls: int = 0
    seconds: float = 0.0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    reasons: Counter[Reason] = field(default_factory=Counter)
    mailability: Counter[Mailability] = field(default_factory=Counter)  # of members on the list
    mailability_as_of: int | None = None  # time of the oldest of these answers, in seconds since 1970
    properties: Counter[PropertyOutcome] = field(default_factory=Counter)
    property_problems: Counter[tuple[PropertyReason, str | None]] = field(default_factory=Counter)

    @property
    def label(self) -> str:
        """The list's name: HubSpot's own once the list is found."""
        return self.hubspot_list.name if self.hubspot_list else self.name

    @property
    def list_id(self) -> str | None:
        """The list's id; None until the list is found or created."""
        return (
            self.hubspot_list.list_id
            if self.hubspot_list and not self.hubspot_list.is_to_be_created
            else None
        )

    @property
    def size(self) -> int | None:
        """Number of members now: HubSpot's number when the list was found, plus this run's changes."""
        if self.hubspot_list is None or self.hubspot_list.size is None:
            return None
        added = self.outcomes[Outcome.ADDED] + self.restored + self.retried
        return max(self.hubspot_list.size + added - self.outcomes[Outcome.REMOVED], 0)

    @property
    def asked(self) -> int:
        """Memberships asked for: records read without superseded ones, and removals of a mirror."""
        return self.records_read - self.superseded + self.mirror_removals

    @property
    def records_done(self) -> int:
        """Records that have their outcome or were superseded."""
        return self.superseded + self.outcomes.total() - self.removals_done

    @property
    def is_judged(self) -> bool:
        """Whether it counts as a problem that nothing was applied; False for a skipped or unusable list."""
        return not self.is_skipped and self.problem is None

    @property
    def match_rate(self) -> float | None:
        """Share of the members with an outcome, from 0 to 1, that HubSpot has a contact for; None for no member."""
        settled = 0 if self.is_skipped else self.outcomes.total()
        unmatched = self.outcomes[Outcome.MISSING] + self.outcomes[Outcome.REJECTED]
        return (settled - unmatched) / settled if settled else None

    @property
    def cannot_be_mailed(self) -> int:
        """Members on the list that HubSpot does not mail."""
        return self.mailability.total() - self.mailability[Mailability.MAILABLE]

    def add_retry(self, retry: Account) -> None:
        """Add the figures of adds that were tried again on an account of their own."""
        self.retried += retry.applied
        self.calls += retry.calls
        self.seconds += retry.seconds
        self.mailability.update(retry.mailability)
        times = [time for time in (self.mailability_as_of, retry.mailability_as_of) if time is not None]
        self.mailability_as_of = min(times, default=None)

    def count_properties(self, result: PropertyResult) -> None:
        """Count the result of writing one contact's properties."""
        self.properties[result.outcome] += 1
        if problem := result.problem:
            self.property_problems[problem.reason, problem.property] += 1

    def count_mailability(self, answers: Iterable[KnownMailability]) -> None:
        """Count members on the list by whether HubSpot mails them."""
        for answer, members in Counter(answers).items():
            self.mailability[answer.mailability] += members
            self.mailability_as_of = min(answer.looked_up, self.mailability_as_of or answer.looked_up)

    def check(self) -> None:
        """Raise AccountsError unless each membership asked for has exactly one outcome."""
        if (ended := self.outcomes.total()) != self.asked:
            raise AccountsError(
                f'The accounts of list "{shown(self.label)}" do not balance: {self.asked} memberships asked for, '
                f"{ended} outcomes. This is a bug: please report it with the log of this run."
            )

    @property
    def figures(self) -> dict[str, Any]:
        """The counts of the list under the names that the report and the structured log have.

        `match_rate` is a share from 0 to 1, or None without outcomes. `size` is the number of members now, or None
        where HubSpot did not return it. `membership_calls` change or read the list's members; look-ups and creates of
        contacts serve all lists, and count in the run's `calls` alone. `mailability` counts members on the list by
        HubSpot's answer, and `mailability_as_of` is the time of the oldest answer; {} and None where none was asked.
        """
        return {
            "records_read": self.records_read,
            "superseded": self.superseded,
            "mirror_removals": self.mirror_removals,
            "put_back": self.restored,
            "retried": self.retried,
            "asked": self.asked,
            "applied": self.applied,
            **{outcome.value: self.outcomes[outcome] for outcome in Outcome},
            "reasons": by_name(self.reasons),
            "contacts_created": self.contacts_created,
            **{f"properties_{outcome.value}": self.properties[outcome] for outcome in PropertyOutcome},
            "property_problems": [
                {"property": name, "reason": reason, "members": count}
                for (reason, name), count in self.property_problems.items()
            ],
            "mailability": {code.value: count for code, count in self.mailability.items()},
            "mailability_as_of": time_text(self.mailability_as_of),
            "match_rate": self.match_rate,
            "size": self.size,
            "membership_calls": self.calls,
            "membership_seconds": round(self.seconds, 3),
        }


@dataclass
class StreamAccount:
    """The account of one stream: how many records were read, and those rejected without a list."""

    can_remove: bool = True
    records_read: int = 0
    rejected: int = 0
    reasons: Counter[Reason] = field(default_factory=Counter)
    lists: set[str] = field(default_factory=set)  # keys of the accounts that its records count on


class RequestedChange(NamedTuple):
    """The last change asked for one member of one list, and the account that it counts on."""

    member: Member
    is_member: bool  # add; else remove
    position: int  # of its record in the input
    account: Account
    found_by: int | None = None  # where records have several identifiers, the index of the one that matched

    @classmethod
    def unpacked(
        cls, member: Member, word: int, account: Account, found_by: int | None = None
    ) -> RequestedChange:
        """Return the change that `packed` made a word of."""
        return cls(member, bool(word & 1), word >> 1, account, found_by)

    @property
    def word(self) -> int:
        """The change as one integer: see `packed`."""
        return packed(self.position, is_member=self.is_member)


def packed(position: int, *, is_member: bool) -> int:
    """Return a change as one integer, a "word": odd for an add, and the later of two changes is the larger."""
    return position << 1 | is_member


@dataclass(frozen=True, slots=True)
class RequestedChanges:
    """The changes asked of one list on one account: by record id the last word on the contact (see `packed`).

    A million of them fit into memory as integers. `members` has the member of each record id; None where members are
    record ids. `found_by` has the index of the identifier that matched, by member, where there are several.
    """

    account: Account
    words: dict[int, int]
    members: Mapping[int, Member] | None = None
    found_by: Mapping[Member, int] = field(default_factory=lambda: EMPTY)

    def asked(self, record_id: int) -> RequestedChange:
        """Return the change asked for one contact."""
        word = self.words[record_id]
        member = record_id if self.members is None else self.members[record_id]
        return RequestedChange.unpacked(member, word, self.account, self.found_by.get(member))


class Settlement(NamedTuple):
    """The outcome of one membership and of its contact's properties."""

    outcome: Outcome
    record_id: int | None
    created: bool
    refusal: Refusal | None
    properties: PropertyResult | None
    mailability: KnownMailability | None  # of a member on the list, where it was asked for


def by_name(reasons: Mapping[Reason, int]) -> dict[str, int]:
    """Return counts by the reasons' names."""
    return {reason.value: count for reason, count in reasons.items()}


def time_text(seconds: int | None) -> str | None:
    """Return seconds since 1970 as ISO 8601 in UTC; None for None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
