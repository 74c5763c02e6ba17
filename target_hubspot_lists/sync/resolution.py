"""What became of the members that were asked for: the contact of each, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from target_hubspot_lists.outcomes import Outcome, Seen, outcome_of
from target_hubspot_lists.reporting.account import RequestedChange, RequestedChanges
from target_hubspot_lists.sync.plans import Fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.outcomes import Mailability, PropertyProblem, PropertyResult, Refusal
    from target_hubspot_lists.reporting.account import Account
    from target_hubspot_lists.reporting.accounts import Accounts


@dataclass
class Resolution:
    """The contact of each member: a record id, known to be missing, or refused with a reason.

    Where members are asked for by record id, `are_record_ids`, each is its own contact, and nothing else is known.
    `foreseen` are those that a dry run would have created.
    """

    are_record_ids: bool = False
    record_ids: dict[str, int] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    foreseen: set[str] = field(default_factory=set)
    refused: dict[str, Refusal] = field(default_factory=dict)
    # Those of the refused that HubSpot may have all the same: it did not let them be looked up.
    unclear: set[str] = field(default_factory=set)
    # Of contacts that were there, which of the properties asked for have a value.
    filled: dict[int, frozenset[str]] = field(default_factory=dict)
    # Record ids that merges retired, with those that their contacts have now, of all contacts looked up.
    merged: dict[int, int] = field(default_factory=dict)
    # Those of the record ids that an earlier run looked up: a merge since then may have retired them.
    remembered: set[int] = field(default_factory=set)
    # Of contacts that this run looked up or created, whether HubSpot mails them, where that was asked for.
    mailability: dict[int, Mailability] = field(default_factory=dict)
    # Of those with several identifiers, the place of the one by which HubSpot knows them.
    found_by: dict[Member, int] = field(default_factory=dict)
    # Created without their attributes, for whose sake HubSpot would not create them.
    created_bare: dict[str, PropertyProblem] = field(default_factory=dict)

    @property
    def created_ids(self) -> AbstractSet[int]:
        """The contacts that were made."""
        return {self.record_ids[each] for each in self.created}

    def record_id(self, member: Member) -> int | None:
        """Return the contact of a member; None where there is none."""
        return int(member) if self.are_record_ids else self.record_ids.get(str(member))

    def has_looked_up(self, record_id: int) -> bool:
        """Whether this run read the contact itself, with the ids that merges retired."""
        return not self.are_record_ids and record_id not in self.remembered

    def take_remembered(self, record_ids: Mapping[str, int]) -> None:
        """Take in contacts that an earlier run looked up, by member; after what this run found."""
        known = {member: self.merged.get(each, each) for member, each in record_ids.items()}
        self.remembered |= set(known.values()) - set(self.record_ids.values())
        self.record_ids |= known

    def count_found(self, accounts: Accounts, members: Iterable[tuple[Member, bool]]) -> None:
        """Count by which of several identifiers members were found, once for each membership."""
        if self.found_by:
            accounts.found_by.update(self.found_by[each] for each, _ in members if each in self.found_by)

    def follow(self, merged: Mapping[int, int]) -> None:
        """Give addresses the record ids that their contacts have now."""
        self.record_ids |= {
            address: merged[each] for address, each in self.record_ids.items() if each in merged
        }

    def outcome(self, member: Member, *, is_member: bool) -> Outcome:
        """Return the outcome of a member who has no contact."""
        if member in self.refused:
            return outcome_of(Seen.REFUSED, is_member=is_member)
        is_foreseen = is_member and member in self.foreseen
        return outcome_of(Seen.CHANGED if is_foreseen else Seen.NO_CONTACT, is_member=is_member)

    def words(
        self, account: Account, words: dict[Member, int]
    ) -> tuple[RequestedChanges, list[RequestedChange]]:
        """Return what an account asks, by contact, and what it asks of members who have none."""
        if self.are_record_ids:
            return RequestedChanges(account, words), []  # type: ignore[arg-type]  # members are record ids
        fold, without = Fold(account, self.found_by), []
        record_ids = self.record_ids
        for member, word in words.items():
            record_id = record_ids.get(member)  # type: ignore[arg-type]  # members are addresses
            if record_id is None:
                without.append(RequestedChange.unpacked(member, word, account))
            else:
                fold.take(record_id, word, member)
        return fold.words, without

    def settle(
        self, accounts: Accounts, without: Sequence[RequestedChange], results: Mapping[Member, PropertyResult]
    ) -> None:
        """Settle members who have no contact; `results` says what became of their properties."""
        for asked in without:
            outcome = self.outcome(asked.member, is_member=asked.is_member)
            accounts.settle(
                asked,
                outcome,
                created=outcome is Outcome.ADDED,
                refusal=self.refused.get(str(asked.member)),
                properties=results.get(asked.member),
            )


class ContactFields(Protocol):
    """What besides identifiers is read of contacts, and written of new ones, by member."""

    @property
    def read(self) -> Sequence[str]:
        """The properties of which a look-up is to say whether they have a value."""

    def attributes(self, address: str) -> Mapping[str, str]:
        """What a new contact gets, if HubSpot takes it."""

    def statuses(self, address: str) -> Mapping[str, str]:
        """What a new contact gets in any case."""

    def latest(self, members: Sequence[str]) -> str:
        """Which of members who are one contact the last record is about, as far as attributes are held."""


class Resolver(Protocol):
    """Finds the contacts of members, by whatever they are asked for."""

    def resolve(self, members: Iterable[tuple[Member, bool]], fields: ContactFields) -> Resolution:
        """Return the contact of each member; one that is True for any list may be created where there is none."""


class ByRecordId:
    """Members are record ids: each is its own contact, and HubSpot is not asked."""

    def resolve(self, members: Iterable[tuple[Member, bool]], fields: ContactFields) -> Resolution:
        """Return that each member is its own contact."""
        del members, fields
        return Resolution(are_record_ids=True)
