"""The accounts of a run: every membership asked for gets one outcome, is counted, and may have a line in the report."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from target_hubspot_lists.outcomes import UNAPPLIED, Outcome, PropertyOutcome, is_applied
from target_hubspot_lists.reporting.account import EMPTY, NO_POSITION, Settlement, by_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from target_hubspot_lists.identifiers import Identifier
    from target_hubspot_lists.input.records import Member, Rejection
    from target_hubspot_lists.outcomes import KnownMailability, PropertyResult, Refusal
    from target_hubspot_lists.reporting.account import (
        Account,
        RequestedChange,
        RequestedChanges,
        StreamAccount,
    )
    from target_hubspot_lists.reporting.report import Report

# Contacts that a dry run remembers as counted: their hashes take about 100 bytes each.
MOST_REMEMBERED = 500_000


class Watcher(Protocol):
    """What is told of outcomes besides the report: it keeps adds that did not apply."""

    def watches(self, account: Account, outcome: Outcome, *, is_member: bool) -> bool:
        """Return whether `settled` is to be called for each member with this outcome."""

    def settled(self, asked: RequestedChange, outcome: Outcome, refusal: Refusal | None) -> None:
        """Take the outcome of one membership."""


class CreatedContacts:
    """Counts the contacts that a run creates, or would create: each once, on however many lists it is."""

    def __init__(self) -> None:
        self.count = 0
        self._to_create: set[int] = set()  # hashes of the addresses of contacts that a dry run counted

    @property
    def may_count_twice(self) -> bool:
        """Whether a dry run counted more contacts than it remembers."""
        return len(self._to_create) >= MOST_REMEMBERED

    def add(self, created: int, to_create: Iterable[str]) -> None:
        """Count contacts that were created, and by address those that a dry run would create.

        A dry run looks the same addresses up for each list and flush, and creates none of them.
        """
        self.count += created
        for address in map(hash, to_create):
            if address not in self._to_create:
                self.count += 1
                if not self.may_count_twice:
                    self._to_create.add(address)


class Accounts:
    """The accounts of a run, by list and by stream. Memberships get their outcomes here and nowhere else."""

    def __init__(self, report: Report | None, identifiers: Sequence[Identifier] = ()) -> None:
        self._report = report
        self.watcher: Watcher | None = None
        self.lists: dict[str, Account] = {}
        self.streams: dict[str, StreamAccount] = {}
        self.lists_created = 0
        self.created_contacts = CreatedContacts()
        self.properties_created = 0
        # Where records have several identifiers: memberships by the index of the one that matched.
        self.found_by = Counter[int]()
        self.identifiers = identifiers

    @property
    def found_by_label(self) -> dict[str, int]:
        """Memberships by the identifier that matched; {} where records have one identifier."""
        several = self.identifiers if len(self.identifiers) > 1 else ()
        return {identifier.label: self.found_by[index] for index, identifier in enumerate(several)}

    @property
    def records_read(self) -> int:
        """Records read so far. Any thread may ask."""
        return sum(stream.records_read for stream in list(self.streams.values()))

    @property
    def done(self) -> int:
        """Records that have their outcome or were superseded. Any thread may ask."""
        by_list = sum(account.records_done for account in list(self.lists.values()))
        return by_list + sum(stream.reasons.total() for stream in list(self.streams.values()))

    @property
    def names_all_members(self) -> bool:
        """Whether the report has a line for each member, also for those already as asked."""
        return self._report is not None and self._report.names_all_members

    @property
    def holds_state(self) -> bool:
        """Whether a member was dropped or a list cannot be used: then no STATE that covers them is written."""
        return any(account.outcomes[Outcome.DROPPED] or account.problem for account in self.lists.values())

    def settle(  # noqa: PLR0913 - what a settlement says
        self,
        asked: RequestedChange,
        outcome: Outcome,
        *,
        record_id: int | None = None,
        created: bool = False,
        refusal: Refusal | None = None,
        properties: PropertyResult | None = None,
        mailability: KnownMailability | None = None,
    ) -> None:
        """Give one membership its outcome; `properties` is the result of writing its contact's properties."""
        account = asked.account
        account.outcomes[outcome] += 1
        account.removals_done += asked.position == NO_POSITION
        account.applied += is_applied(outcome, is_member=asked.is_member)
        account.contacts_created += created
        if refusal:
            account.reasons[refusal.reason] += 1
        if outcome is Outcome.MISSING:
            properties = None  # without a contact nothing can have been written
        if account.lacks_values and properties and properties.outcome is not PropertyOutcome.REJECTED:
            properties = None  # an audience status at most was written, and none of the mapped values
        if properties:
            account.count_properties(properties)
        if not asked.is_member or outcome in UNAPPLIED:
            mailability = None  # it is counted for members on the list alone
        if mailability:
            account.count_mailability((mailability,))
        if watcher := self._watcher_of(account, outcome, is_member=asked.is_member):
            watcher.settled(asked, outcome, refusal)
        if self._report:
            settled = Settlement(outcome, record_id, created, refusal, properties, mailability)
            self._report.member(asked, settled)

    def settle_as_asked(self, account: Account, outcome: Outcome, number: int) -> None:
        """Count memberships of one list that were already as asked. Only where `names_all_members` is False."""
        if number:
            account.outcomes[outcome] += number
            account.applied += number

    def settle_all(  # noqa: PLR0913 - what a settlement says
        self,
        changes: RequestedChanges,
        record_ids: AbstractSet[int],
        outcome: Outcome,
        *,
        is_member: bool,
        created: AbstractSet[int] = frozenset(),
        refusals: Mapping[int, Refusal] = EMPTY,
        results: Mapping[Member, PropertyResult] = EMPTY,
        mailability: Mapping[int, KnownMailability] = EMPTY,
    ) -> None:
        """Give many memberships that ask for the same the same outcome.

        Only those that need a line in the report, or a count of their own, become objects. `refusals`, `results` (of
        properties) and `mailability` are by record id.
        """
        account = changes.account
        if not is_member or outcome in UNAPPLIED:
            mailability = EMPTY
        is_wanted = self._report is not None and self._report.names(outcome, is_member=is_member)
        is_watched = self._watcher_of(account, outcome, is_member=is_member) is not None
        one_by_one: AbstractSet[int] = frozenset()
        if refusals or results or is_wanted or is_watched:
            one_by_one = record_ids
        elif self._report:
            one_by_one = (record_ids & created) | _not_mailable(record_ids, mailability)
        for record_id in one_by_one:
            self.settle(
                changes.asked(record_id),
                outcome,
                record_id=record_id,
                created=record_id in created,
                refusal=refusals.get(record_id),
                properties=results.get(record_id),
                mailability=mailability.get(record_id),
            )
        if not (number := len(record_ids) - len(one_by_one)):
            return
        remaining = record_ids - one_by_one if one_by_one else record_ids
        account.outcomes[outcome] += number
        account.applied += number if is_applied(outcome, is_member=is_member) else 0
        account.contacts_created += len(created & remaining) if created else 0
        if mailability:
            account.count_mailability(mailability[each] for each in remaining if each in mailability)
        if not is_member and account.mirror_removals > account.removals_done:
            account.removals_done += sum(changes.words[record_id] < 0 for record_id in remaining)

    def _watcher_of(self, account: Account, outcome: Outcome, *, is_member: bool) -> Watcher | None:
        """Return the watcher if it is to be told of each member with this outcome."""
        is_watched = self.watcher is not None and self.watcher.watches(account, outcome, is_member=is_member)
        return self.watcher if is_watched else None

    def reject(self, stream: str, rejection: Rejection, account: Account | None) -> None:
        """Count a record that cannot be applied; `account` is None where it names no list."""
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
    def figures(self) -> dict[str, Any]:
        """The counts of the run that belong to no single list, named as in the report and the structured log."""
        return {
            "records_read": self.records_read,
            "not_settled": self.records_read - self.done,
            "lists_created": self.lists_created,
            "contacts_created": self.created_contacts.count,
            "properties_created": self.properties_created,
            "found_by": self.found_by_label,
            "streams": {
                name: {
                    "records_read": stream.records_read,
                    "rejected_without_list": by_name(stream.reasons),
                }
                for name, stream in self.streams.items()
            },
        }


def _not_mailable(
    record_ids: AbstractSet[int], mailability: Mapping[int, KnownMailability]
) -> AbstractSet[int]:
    """Return the members that HubSpot does not mail: each has a line in the report."""
    if not mailability:
        return frozenset()
    return {each for each in record_ids if each in mailability and not mailability[each].is_mailable}
