"""Brings to HubSpot what one flush knows of contacts besides their memberships, and says what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from target_hubspot_lists.hubspot.batching import in_chunks
from target_hubspot_lists.hubspot.property_writer import Update
from target_hubspot_lists.journal.property_memory import Hashes
from target_hubspot_lists.outcomes import PropertyOutcome, PropertyProblem, PropertyResult
from target_hubspot_lists.sync.resolution import ContactFields

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.hubspot.property_writer import PropertyWriter, UpdateResults
    from target_hubspot_lists.input.attributes import Attributes, HeldAttributes
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.journal.property_memory import PropertyMemory
    from target_hubspot_lists.reporting.account import RequestedChange
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.plans import Plan
    from target_hubspot_lists.sync.resolution import Resolution

# So many are made ready at once: what is ready to be sent is larger than what is held.
CONTACTS_AT_ONCE = 10_000

UPDATED = PropertyResult(PropertyOutcome.UPDATED)
UNCHANGED = PropertyResult(PropertyOutcome.UNCHANGED)


class Flush(ContactFields, Protocol):
    """What of contacts besides their memberships is written with one flush."""

    @property
    def results(self) -> Mapping[Member, PropertyResult]:
        """What became of each contact's properties, by record id; in a dry run by address of one to be created."""

    def expect(
        self, asked: Iterable[tuple[Route, Iterable[RequestedChange]]], lists: Mapping[str, HubSpotList]
    ) -> None:
        """Learn whose contacts may have to be created next, and with which audience status."""

    def resolved(self, contacts: Resolution) -> None:
        """Account for the properties of the contacts that were created, or would have been."""

    def write(self, plans: Sequence[Plan], resolution: Resolution) -> None:
        """Bring the properties of contacts that were there to HubSpot; must come before their memberships."""


class Rules(Protocol):
    """Which properties are written, how, and what of them is remembered."""

    settings: Settings
    memory: PropertyMemory
    names: tuple[str, ...]
    fills: bool
    writer: PropertyWriter

    def status_text(self, hubspot_list: HubSpotList, *, is_member: bool) -> Mapping[str, str]:
        """Return the audience status of one membership, as a property and its text."""

    def statuses_by_member(
        self, asked: Iterable[tuple[Route, Iterable[RequestedChange]]], lists: Mapping[str, HubSpotList]
    ) -> Mapping[str, Mapping[str, str]]:
        """Return the audience statuses of contacts that may be created, by address."""


class PropertyFlush:
    """The properties of one flush; `results` says by record id what became of each contact's.

    In a dry run contacts that would be created are in it by address.
    """

    def __init__(
        self,
        owner: Rules,
        held: HeldAttributes,
        created: Mapping[Member, PropertyResult] | None = None,
    ) -> None:
        self._owner = owner
        self._held = held
        self._statuses: Mapping[str, Mapping[str, str]] = {}
        # Contacts that were created already, with their properties, are in it from the beginning.
        self.results: dict[Member, PropertyResult] = dict(created or {})

    def expect(
        self, asked: Iterable[tuple[Route, Iterable[RequestedChange]]], lists: Mapping[str, HubSpotList]
    ) -> None:
        """Learn whose contacts may have to be created next, and with which audience status."""
        self._statuses = self._owner.statuses_by_member(asked, lists)

    # What is asked while contacts are looked up and created: `ContactFields`

    @property
    def read(self) -> Sequence[str]:
        """The properties that a look-up by address is to bring along: it costs no call."""
        return self._owner.names if self._owner.fills else ()

    def attributes(self, address: str) -> Mapping[str, str]:
        """What a new contact gets of its record."""
        texts = self._texts(self._held.get(address))
        return {name: text for name, text in texts.items() if text}

    def statuses(self, address: str) -> Mapping[str, str]:
        """The audience statuses that a new contact gets."""
        return self._statuses.get(address, {})

    def latest(self, members: Sequence[str]) -> str:
        """Which of members who are one contact the last record is about."""
        return max(members, key=self._held.position)

    # Once every contact has its record id

    def resolved(self, contacts: Resolution) -> None:
        """Account for the properties of the contacts that were created, or would have been."""
        for address in contacts.foreseen:
            self.results[address] = self._result_of_new(address, None)
        hashes: dict[int, bytes] = {}
        members: dict[int, list[str]] = {}
        for member in contacts.created:
            members.setdefault(contacts.record_ids[member], []).append(member)
        for record_id, of_contact in members.items():
            address = self.latest(of_contact)
            problem = contacts.created_bare.get(address)
            self.results[record_id] = self._result_of_new(address, problem)
            attributes = {} if problem else self.attributes(address)
            hashes[record_id] = Hashes().with_written({**attributes, **self.statuses(address)}).packed
        if hashes:
            self._owner.memory.remember(hashes)

    def write(self, plans: Sequence[Plan], resolution: Resolution) -> None:
        """Bring the properties of contacts that were there to HubSpot; must come before their memberships."""
        asked = [(each.hubspot_list, each.all_asked()) for each in plans]
        statuses = self._statuses_by_record_id(asked)
        # Of several addresses of one contact the plans have one, and a merged contact is asked for by an old id.
        members: dict[Member, int] = dict(resolution.record_ids.items())
        members |= {each.member: record_id for _, of_list in asked for record_id, each in of_list.items()}
        held = self._held.by_record_id(members)
        for some in in_chunks(statuses, CONTACTS_AT_ONCE):
            self._write_some({each: (held.get(each), statuses[each]) for each in some}, resolution.filled)

    def _write_some(
        self,
        asked: Mapping[int, tuple[Attributes | PropertyProblem | None, Mapping[str, str]]],
        filled: Mapping[int, frozenset[str]],
    ) -> None:
        """Write what differs from what is known of these contacts."""
        known = self._owner.memory.known_hashes(asked.keys())
        updates: list[Update] = []
        for record_id, (attributes, statuses) in asked.items():
            hashes = Hashes(known.get(record_id, b""))
            new = Update(record_id, hashes.unknown(self._texts(attributes)), hashes.unknown(statuses))
            updates.append(new)
            self.results[record_id] = (
                _rejected(attributes) if isinstance(attributes, PropertyProblem) else UNCHANGED
            )
        self._write([each for each in self._wanted(updates, filled) if each.texts], known)

    def _statuses_by_record_id(
        self, asked: Iterable[tuple[HubSpotList, Mapping[int, RequestedChange]]]
    ) -> dict[int, Mapping[str, str]]:
        """Everybody who was there when the flush began, with the audience statuses that the lists give them."""
        statuses: dict[int, Mapping[str, str]] = {}
        for hubspot_list, members in asked:
            # Two texts for a whole list, not one for each of its members.
            texts = [self._owner.status_text(hubspot_list, is_member=each) for each in (False, True)]
            for record_id, each in members.items():
                if record_id not in self.results:  # else created in this flush, with its properties
                    other, text = statuses.get(record_id), texts[each.is_member]
                    statuses[record_id] = {**other, **text} if other else text
        return statuses

    def _wanted(self, updates: Sequence[Update], filled: Mapping[int, frozenset[str]]) -> Iterable[Update]:
        """The updates without the attributes that already have a value, where only empty ones are filled."""
        if not self._owner.fills:
            return updates
        to_read = [each.record_id for each in updates if each.attributes and each.record_id not in filled]
        filled = {**filled, **self._owner.writer.filled(to_read, self._owner.names)}
        return [_only_empty(each, filled.get(each.record_id)) for each in updates]

    def _write(self, updates: Sequence[Update], known: Mapping[int, bytes]) -> None:
        if self._owner.settings.dry_run:
            for each in updates:
                self._update(each.record_id)
            return
        for written in self._owner.writer.write(updates):
            self._take(written, known)

    def _take(self, written: UpdateResults, known: Mapping[int, bytes]) -> None:
        hashes: dict[int, bytes] = {}
        for record_id, texts in written.texts.items():
            self._update(record_id)
            hashes[record_id] = Hashes(known.get(record_id, b"")).with_written(texts).packed
        for record_id, problem in written.problems.items():
            self.results[record_id] = _rejected(problem)
        for record_id in written.missing:
            del self.results[record_id]  # there is no such contact, which its membership will say
        if hashes:
            self._owner.memory.remember(hashes)

    def _update(self, record_id: int) -> None:
        """Call a contact updated, unless some of its properties were rejected."""
        if self.results[record_id] is UNCHANGED:
            self.results[record_id] = UPDATED

    def _texts(self, attributes: Attributes | PropertyProblem | None) -> dict[str, str]:
        if attributes is None or isinstance(attributes, PropertyProblem):
            return {}
        pairs = zip(self._owner.names, attributes, strict=True)
        return {name: text for name, text in pairs if text is not None}

    def _result_of_new(self, address: str, problem: PropertyProblem | None) -> PropertyResult:
        held = self._held.get(address)
        if problem := problem or (held if isinstance(held, PropertyProblem) else None):
            return _rejected(problem)
        return UPDATED if self.attributes(address) or self.statuses(address) else UNCHANGED


def _rejected(problem: PropertyProblem) -> PropertyResult:
    return PropertyResult(PropertyOutcome.REJECTED, problem)


def _only_empty(update: Update, filled: Collection[str] | None) -> Update:
    """The update without the attributes that have a value; without any where the contact is not known."""
    if filled is None:
        return Update(update.record_id, {}, update.statuses)
    attributes = {name: text for name, text in update.attributes.items() if name not in filled}
    return Update(update.record_id, attributes, update.statuses)
