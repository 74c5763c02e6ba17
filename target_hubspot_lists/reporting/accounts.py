"""Accounts for every membership asked for: one outcome each, counted by list, told in the report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from target_hubspot_lists.errors import AccountsError
from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.outcomes import Outcome, is_applied

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.input.records import Cohort, Member, Rejection
    from target_hubspot_lists.outcomes import (
        PropertyOutcome,
        PropertyReason,
        PropertyResult,
        Reason,
        Refusal,
    )

# So many asked, and not one applied: whatever the settings allow, that is a mistake.
ENOUGH_TO_JUDGE = 20
NO_RECORD = -1  # the position of what no record asked for: a removal of a mirror


@dataclass
class Account:
    """The accounts of one list: what was read for it, and what became of it."""

    cohort: Cohort
    name: str
    hubspot_list: HubSpotList | None = None
    records_read: int = 0
    superseded: int = 0
    mirror_removals: int = 0
    removals_done: int = 0  # of those, how many have their outcome
    excused: int = (
        0  # of those asked for, how many a STATE covered though nothing had been applied: see `excuse`
    )
    put_back: int = 0  # besides those asked for: members the ledger knows, whom the list had lost
    applied: int = 0
    contacts_created: int = 0
    calls: int = 0
    seconds: float = 0.0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    reasons: Counter[Reason] = field(default_factory=Counter)
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
        change = self.outcomes[Outcome.ADDED] - self.outcomes[Outcome.REMOVED] + self.put_back
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
    def match_rate(self) -> float | None:
        """The share of the members asked for so far that HubSpot knows, or came to know."""
        settled = self.outcomes.total()
        unmatched = self.outcomes[Outcome.MISSING] + self.outcomes[Outcome.REJECTED]
        return (settled - unmatched) / settled if settled else None

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


class Asked(NamedTuple):
    """What was asked for one member of one list: the last word on it, and on whose account."""

    member: Member
    is_member: bool
    position: int
    account: Account


class InVain(NamedTuple):
    """A list or a stream of which something was asked and nothing at all was applied."""

    what: str  # as messages name it
    asked: int
    is_stream: bool

    @property
    def is_mistake(self) -> bool:
        """Whether so many were asked for that it cannot be for the members' sake."""
        return self.asked >= ENOUGH_TO_JUDGE


class Settlement(NamedTuple):
    """What became of one membership, and of the properties of its contact."""

    outcome: Outcome
    record_id: int | None
    created: bool
    refusal: Refusal | None
    properties: PropertyResult | None


class Listener(Protocol):
    """Who is told of every settlement: the report."""

    @property
    def names_everybody(self) -> bool:
        """Whether it has to be told of members who are as asked."""

    def member(self, asked: Asked, settled: Settlement) -> None:
        """A membership has its outcome."""

    def rejection(self, stream: str, rejection: Rejection, account: Account | None) -> None:
        """A record could not be applied."""


class Accounts:
    """The accounts of a run, by list and by stream."""

    def __init__(self, report: Listener | None) -> None:
        self._report = report
        self.lists: dict[str, Account] = {}
        self.streams: dict[str, StreamAccount] = {}
        self.lists_created = 0
        self.contacts_created = 0  # each once, on however many lists it is
        self.properties_created = 0
        # What became of the properties of the contacts of this flush; by address where there is no record id.
        self.properties: Mapping[Member, PropertyResult] = {}

    @property
    def records_read(self) -> int:
        """How many records this run read; any thread may ask."""
        return sum(stream.records_read for stream in list(self.streams.values()))

    @property
    def done(self) -> int:
        """How many records have their outcome, or were replaced by a later one; any thread may ask."""
        by_list = sum(account.records_done for account in list(self.lists.values()))
        return by_list + sum(stream.reasons.total() for stream in list(self.streams.values()))

    def settle(
        self,
        asked: Asked,
        outcome: Outcome,
        *,
        record_id: int | None = None,
        created: bool = False,
        refusal: Refusal | None = None,
    ) -> None:
        """Give a membership its outcome."""
        account = asked.account
        account.outcomes[outcome] += 1
        account.removals_done += asked.position == NO_RECORD
        account.applied += is_applied(outcome, is_member=asked.is_member)
        account.contacts_created += created
        if refusal:
            account.reasons[refusal.reason] += 1
        properties = self._count_properties(asked, outcome, record_id)
        if self._report:
            self._report.member(asked, Settlement(outcome, record_id, created, refusal, properties))

    @property
    def names_everybody(self) -> bool:
        """Whether the report is to have a line on each member, also on those who are as asked."""
        return self._report is not None and self._report.names_everybody

    def settle_as_asked(self, account: Account, outcome: Outcome, number: int) -> None:
        """Give so many memberships of one list an outcome of members who are as asked: `names_everybody` is false."""
        if number:
            account.outcomes[outcome] += number
            account.applied += number

    def _count_properties(
        self, asked: Asked, outcome: Outcome, record_id: int | None
    ) -> PropertyResult | None:
        """Count what became of a member's properties; nothing can have become of those of a missing one."""
        result = self.properties.get(asked.member if record_id is None else record_id)
        if result is None or outcome is Outcome.MISSING:
            return None
        asked.account.properties[result.outcome] += 1
        if problem := result.problem:
            asked.account.property_problems[problem.reason, problem.property] += 1
        return result

    def reject(self, stream: str, rejection: Rejection, account: Account | None) -> None:
        """Account for a record that cannot be applied."""
        self.streams[stream].records_read += 1
        self.streams[stream].rejected += 1
        reasons = self.streams[stream].reasons
        if account is not None:
            account.records_read += 1
            account.outcomes[Outcome.REJECTED] += 1
            reasons = account.reasons
        reasons[rejection.reason] += 1
        if self._report:
            self._report.rejection(stream, rejection, account)

    def check(self) -> None:
        """Raise AccountsError unless every membership asked for has its outcome."""
        for account in self.lists.values():
            account.check()

    def problems(self, max_unapplied_percent: int) -> Iterator[str]:
        """Yield a sentence for each list or stream of which too little applied."""
        mistakes = {each.what: each.asked for each in self.in_vain() if each.is_mistake}
        for what, asked, applied in self._applied():
            if what in mistakes:
                yield (
                    f"Of {mistakes[what]} memberships of {what} not one was applied: see the reasons above, and set "
                    "report_path for a line on each."
                )
            elif (unapplied := asked - applied) * 100 > asked * max_unapplied_percent:
                yield (
                    f"{unapplied} of {asked} memberships of {what} were not applied, more than max_unapplied_percent "
                    f"({max_unapplied_percent}) allows: set report_path for a line on each."
                )

    @property
    def has_dropped(self) -> bool:
        """Whether a member was dropped: such a one is to be read again, so no STATE that covers it may leave."""
        return any(account.outcomes[Outcome.DROPPED] for account in self.lists.values())

    def dropped(self) -> Iterator[str]:
        """Yield a sentence for each list with members that were dropped."""
        for account in self.lists.values():
            if number := account.outcomes[Outcome.DROPPED]:
                yield dropped(f'List "{shown(account.label)}"', number)

    def in_vain(self) -> Iterator[InVain]:
        """Yield the lists, then the streams, of which something was asked and nothing applied; not those excused."""
        for account in self.lists.values():
            if not account.applied and account.asked > account.excused:
                yield InVain(_list(account), account.asked - account.excused, is_stream=False)
        for name, stream in self.streams.items():
            if stream.records_read and not self._applied_of(stream):
                yield InVain(_stream(name), stream.records_read, is_stream=True)

    def excuse(self) -> None:
        """Let lists with nothing applied be judged from here on by what is asked for later."""
        for account in self.lists.values():
            if not account.applied:
                account.excused = account.asked

    def _applied(self) -> Iterator[tuple[str, int, int]]:
        """Yield each list and stream with how many memberships were asked for and how many applied."""
        for account in self.lists.values():
            yield _list(account), account.asked, account.applied
        for name, stream in self.streams.items():
            yield _stream(name), stream.records_read, self._applied_of(stream)

    def _applied_of(self, stream: StreamAccount) -> int:
        """How many records of a stream count as applied; none where nothing is on any of its lists."""
        # Few may be asked for each of many lists: judged together they are enough.
        is_in_vain = stream.lists and not any(self.lists[key].applied for key in stream.lists)
        return 0 if is_in_vain else stream.records_read - stream.rejected


def dropped(what: str, number: int) -> str:
    """What is said of a list with so many members that were dropped."""
    return (
        f"{what}: {number:,} members are not as asked though HubSpot knows them and accepted the calls; no STATE that "
        "covers them leaves. Run again: HubSpot may need more time. If it stays so, show HubSpot's support the list, "
        "and set report_path for a line on each member."
    )


def _list(account: Account) -> str:
    return f'list "{shown(account.label)}"'


def _stream(name: str) -> str:
    return f'stream "{name}"'
