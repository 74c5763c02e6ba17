"""The result of looking members up: the contact of each, or why there is none."""

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

    With `are_record_ids` members are record ids: each is its own contact, and all other fields are empty.
    """

    are_record_ids: bool = False
    record_ids: dict[str, int] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    # In a dry run, by member, the address by which a real run would create the contact.
    would_create: dict[str, str] = field(default_factory=dict)
    refused: dict[str, Refusal] = field(default_factory=dict)
    # Of the refused members, those who may be in HubSpot all the same: it refused to look them up.
    unclear: set[str] = field(default_factory=set)
    # By record id of a contact that existed before, which of the properties asked for have a value.
    filled: dict[int, frozenset[str]] = field(default_factory=dict)
    # By record id that a merge retired, the id that the contact has now, for all contacts looked up.
    merged: dict[int, int] = field(default_factory=dict)
    # Of the record ids, those that an earlier run looked up: a merge since then may have retired them.
    remembered: set[int] = field(default_factory=set)
    # By record id that this run looked up or created, whether HubSpot mails the contact, where that was asked for.
    mailability: dict[int, Mailability] = field(default_factory=dict)
    # By member with several identifiers, the place of the one by which HubSpot knows the contact.
    found_by: dict[Member, int] = field(default_factory=dict)
    # By member, why the contact was created without its attributes: HubSpot refused it with them.
    created_bare: dict[str, PropertyProblem] = field(default_factory=dict)

    @property
    def created_ids(self) -> AbstractSet[int]:
        """The record ids of the contacts that were created."""
        return {self.record_ids[member] for member in self.created}

    def record_id(self, member: Member) -> int | None:
        """Return the contact of a member; None if there is none."""
        return int(member) if self.are_record_ids else self.record_ids.get(str(member))

    def has_looked_up(self, record_id: int) -> bool:
        """Return whether this run looked the contact up, and so knows the ids that merges retired."""
        return not self.are_record_ids and record_id not in self.remembered

    def take_remembered(self, record_ids: Mapping[str, int]) -> None:
        """Take contacts that an earlier run looked up, by member; call it once this run's are in."""
        known = {member: self.merged.get(record_id, record_id) for member, record_id in record_ids.items()}
        self.remembered |= set(known.values()) - set(self.record_ids.values())
        self.record_ids |= known

    def follow(self, merged: Mapping[int, int]) -> None:
        """Give members the record ids that their contacts have now, by the ids that merges retired."""
        self.record_ids |= {
            member: merged[record_id] for member, record_id in self.record_ids.items() if record_id in merged
        }

    def count_found(self, accounts: Accounts, members: Iterable[tuple[Member, bool]]) -> None:
        """Count by which of several identifiers members were found, once for each membership."""
        if self.found_by:
            accounts.found_by.update(
                self.found_by[member] for member, _ in members if member in self.found_by
            )

    def words(
        self, account: Account, words: dict[Member, int]
    ) -> tuple[RequestedChanges, list[RequestedChange]]:
        """Return what an account asks, by contact, and what it asks of members who have no contact."""
        if self.are_record_ids:
            return RequestedChanges(account, words), []  # type: ignore[arg-type]  # members are record ids
        fold, without_contact = Fold(account, self.found_by), []
        record_ids = self.record_ids
        for member, word in words.items():
            record_id = record_ids.get(member)  # type: ignore[arg-type]  # members are addresses
            if record_id is None:
                without_contact.append(RequestedChange.unpacked(member, word, account))
            else:
                fold.take(record_id, word, member)
        return fold.words, self.last_of_new(without_contact)

    def last_of_new(self, without_contact: list[RequestedChange]) -> list[RequestedChange]:
        """Return changes without those that a later one supersedes: a real run would create one contact for both."""
        if not self.would_create:
            return without_contact
        last: dict[Member | tuple[str], RequestedChange] = {}
        for asked in without_contact:
            address = self.would_create.get(str(asked.member))
            key = asked.member if address is None else (address,)
            other = last.get(key)
            if other is not None:
                other.account.superseded += 1
            last[key] = asked if other is None or asked.position > other.position else other
        return list(last.values())

    def settle(
        self,
        accounts: Accounts,
        without_contact: Sequence[RequestedChange],
        results: Mapping[Member, PropertyResult],
    ) -> None:
        """Give members who have no contact their outcome; `results` says what became of their properties."""
        for asked in without_contact:
            outcome = self._outcome(asked.member, is_member=asked.is_member)
            accounts.settle(
                asked,
                outcome,
                created=outcome is Outcome.ADDED,
                refusal=self.refused.get(str(asked.member)),
                properties=results.get(asked.member),
            )

    def _outcome(self, member: Member, *, is_member: bool) -> Outcome:
        if member in self.refused:
            return outcome_of(Seen.REFUSED, is_member=is_member)
        would_create = member in self.would_create
        return outcome_of(
            Seen.NOT_ON_LIST if would_create else Seen.NO_CONTACT, is_member=is_member, is_sent=False
        )


class NewContactFields(Protocol):
    """What a lookup reads of contacts besides identifiers, and what new contacts get, by address."""

    @property
    def read(self) -> Sequence[str]:
        """The properties of which a lookup is to say whether they have a value."""

    def attributes(self, address: str) -> Mapping[str, str]:
        """Return the properties that a new contact gets, if HubSpot accepts them."""

    def statuses(self, *members: str) -> Mapping[str, str]:
        """Return the properties that the new contact of these members gets in any case."""


class ContactFields(NewContactFields, Protocol):
    """The same by member: several members may be one contact."""

    def latest(self, members: Sequence[str]) -> str:
        """Return the one of several members with one contact that the last record is about."""
