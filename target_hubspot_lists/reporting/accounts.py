"""Accounts for every membership asked for: one outcome each, counted by list, told in the report."""

from __future__ import annotations

import json
from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.outcomes import UNAPPLIED, Outcome, is_applied
from target_hubspot_lists.reporting.asked import NO_RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from target_hubspot_lists.identifiers import Identifier
    from target_hubspot_lists.input.records import Cohort, Member, Rejection
    from target_hubspot_lists.outcomes import (
        KnownMailability,
        PropertyResult,
        Refusal,
    )
    from target_hubspot_lists.reporting.account import Account, StreamAccount
    from target_hubspot_lists.reporting.asked import Asked, Words

COHORTS_SHOWN = 3  # of many with one problem, in its sentence
NOBODY: frozenset[int] = frozenset()
NOTHING: Mapping[Any, Any] = MappingProxyType({})


class Settlement(NamedTuple):
    """The outcome of one membership, and of the properties of its contact."""

    outcome: Outcome
    record_id: int | None
    created: bool
    refusal: Refusal | None
    properties: PropertyResult | None
    mailability: KnownMailability | None  # of a member who is on the list, where it was asked for


class Listener(Protocol):
    """What is told of settlements: the report."""

    def wants(self, outcome: Outcome, *, is_member: bool) -> bool:
        """Return whether it names members with this outcome."""

    @property
    def names_everybody(self) -> bool:
        """Whether it needs members that are as asked one by one."""

    def member(self, asked: Asked, settled: Settlement) -> None:
        """A membership has its outcome."""

    def rejection(self, stream: str, rejection: Rejection, account: Account | None) -> None:
        """A record could not be applied."""


class Watcher(Protocol):
    """Who is told of members besides the report: what keeps adds that did not apply."""

    def watches(self, account: Account, outcome: Outcome, *, is_member: bool) -> bool:
        """Whether it has to be told of every member with this outcome."""

    def settled(self, asked: Asked, outcome: Outcome, refusal: Refusal | None) -> None:
        """A membership that it watches has its outcome."""


class Accounts:
    """The accounts of a run, by list and by stream."""

    def __init__(self, report: Listener | None, identifiers: Sequence[Identifier] = ()) -> None:
        self._report = report
        self.watcher: Watcher | None = None
        self.lists: dict[str, Account] = {}
        self.streams: dict[str, StreamAccount] = {}
        self.lists_created = 0
        self.contacts_created = 0  # each once, on however many lists it is
        self.properties_created = 0
        # Where members have several identifiers: memberships by the place of the one by which HubSpot knew the contact.
        self.found_by = Counter[int]()
        self.identifiers = identifiers

    @property
    def found_by_label(self) -> dict[str, int]:
        """How many memberships were found by each of several identifiers; nothing where there is one."""
        several = self.identifiers if len(self.identifiers) > 1 else ()
        return {each.label: self.found_by[place] for place, each in enumerate(several)}

    @property
    def records_read(self) -> int:
        """How many records this run read; any thread may ask."""
        return sum(stream.records_read for stream in list(self.streams.values()))

    @property
    def done(self) -> int:
        """How many records have their outcome, or were replaced by a later one; any thread may ask."""
        by_list = sum(account.records_done for account in list(self.lists.values()))
        return by_list + sum(stream.reasons.total() for stream in list(self.streams.values()))

    def settle(  # noqa: PLR0913 - what a settlement says
        self,
        asked: Asked,
        outcome: Outcome,
        *,
        record_id: int | None = None,
        created: bool = False,
        refusal: Refusal | None = None,
        properties: PropertyResult | None = None,
        mailability: KnownMailability | None = None,
    ) -> None:
        """Give a membership its outcome; `properties` says what became of its contact's."""
        account = asked.account
        account.outcomes[outcome] += 1
        account.removals_done += asked.position == NO_RECORD
        account.applied += is_applied(outcome, is_member=asked.is_member)
        account.contacts_created += created
        if refusal:
            account.reasons[refusal.reason] += 1
        if outcome is Outcome.MISSING:
            properties = None  # nothing can have become of those of a contact that is not there
        if properties:
            account.count_properties(properties)
        if not asked.is_member or outcome in UNAPPLIED:
            mailability = None  # it is told of those who are on the list
        if mailability:
            account.count_mailability((mailability,))
        if watcher := self._watcher_of(account, outcome, is_member=asked.is_member):
            watcher.settled(asked, outcome, refusal)
        if self._report:
            settled = Settlement(outcome, record_id, created, refusal, properties, mailability)
            self._report.member(asked, settled)

    @property
    def names_everybody(self) -> bool:
        """Whether the report has a line for each member, also for those that are as asked."""
        return self._report is not None and self._report.names_everybody

    def settle_as_asked(self, account: Account, outcome: Outcome, number: int) -> None:
        """Count memberships of one list that are as asked; only where `names_everybody` is false."""
        if number:
            account.outcomes[outcome] += number
            account.applied += number

    def settle_all(  # noqa: PLR0913 - what a settlement says
        self,
        words: Words,
        record_ids: AbstractSet[int],
        outcome: Outcome,
        *,
        is_member: bool,
        created: AbstractSet[int] = NOBODY,
        refusals: Mapping[int, Refusal] = NOTHING,
        results: Mapping[Member, PropertyResult] = NOTHING,
        mailability: Mapping[int, KnownMailability] = NOTHING,
    ) -> None:
        """Give memberships that ask for the same their outcome; only those that the report names become objects.

        `refusals`, `results` (what became of properties) and `mailability` are by record id.
        """
        if not is_member or outcome in UNAPPLIED:
            mailability = NOTHING
        is_wanted = self._report is not None and self._report.wants(outcome, is_member=is_member)
        is_each_told = is_wanted or self._watcher_of(words.account, outcome, is_member=is_member) is not None
        if refusals or results or is_each_told:
            named = record_ids
        elif self._report:
            named = (record_ids & created) | _cannot_be_mailed(record_ids, mailability)
        else:
            named = NOBODY
        for each in named:
            self.settle(
                words.asked(each),
                outcome,
                record_id=each,
                created=each in created,
                refusal=refusals.get(each),
                properties=results.get(each),
                mailability=mailability.get(each),
            )
        if mailability:
            left = record_ids - named
            words.account.count_mailability(mailability[each] for each in left if each in mailability)
        if number := len(record_ids) - len(named):
            account = words.account
            account.outcomes[outcome] += number
            account.applied += number if is_applied(outcome, is_member=is_member) else 0
            account.contacts_created += len(created & record_ids) if created and not self._report else 0
            if not is_member and account.mirror_removals > account.removals_done:
                account.removals_done += sum(
                    words.words[each] < 0 for each in record_ids if each not in named
                )

    def _watcher_of(self, account: Account, outcome: Outcome, *, is_member: bool) -> Watcher | None:
        """Return who has to be told of every member with this outcome, besides the report."""
        is_watched = self.watcher is not None and self.watcher.watches(account, outcome, is_member=is_member)
        return self.watcher if is_watched else None

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

    @property
    def holds_state(self) -> bool:
        """Whether a member was dropped or a list cannot be used: then no STATE that covers them is written."""
        return any(account.outcomes[Outcome.DROPPED] or account.problem for account in self.lists.values())

    def list_problems(self) -> Iterator[str]:
        """Yield a sentence for each list that cannot be used, with the line that leaves its cohort out."""
        by_problem: dict[str, list[Account]] = {}
        for account in self.lists.values():
            if account.problem:
                by_problem.setdefault(str(account.problem), []).append(account)
        for problem, accounts in by_problem.items():
            yield unusable(problem, [each.cohort for each in accounts])

    def dropped(self) -> Iterator[str]:
        """Yield a sentence for each list with members that were dropped."""
        for account in self.lists.values():
            if number := account.outcomes[Outcome.DROPPED]:
                yield dropped(f'List "{shown(account.label)}"', number)


def _cannot_be_mailed(
    record_ids: AbstractSet[int], mailability: Mapping[int, KnownMailability]
) -> AbstractSet[int]:
    """Return those who have a line in the report, whatever else it says of members who are as asked."""
    if not mailability:
        return NOBODY
    return {each for each in record_ids if each in mailability and not mailability[each].is_mailable}


def unusable(problem: str, cohorts: Sequence[Cohort]) -> str:
    """The message for cohorts whose list cannot be used."""
    entries = [{"cohort": shown(each.id or each.name), "skip": True} for each in cohorts[:COHORTS_SHOWN]]
    line = json.dumps(entries, ensure_ascii=False)
    more = f" and so on for {len(cohorts):,} cohorts" if len(cohorts) > COHORTS_SHOWN else ""
    return (
        f"{problem} No STATE leaves, so this input is read again until that is corrected; to leave the cohort out, "
        f"set lists: {line}{more}."
    )


def dropped(what: str, number: int) -> str:
    """The message for a list with members that were dropped."""
    return (
        f"{what}: {number:,} members are not as asked though HubSpot knows them and accepted the calls; no STATE that "
        "covers them leaves. Run again: HubSpot may need more time. If it stays so, show HubSpot's support the list, "
        "and set report_path for a line on each member."
    )
