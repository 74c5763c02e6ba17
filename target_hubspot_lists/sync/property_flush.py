"""Writes the contact properties of one flush, and returns what became of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from target_hubspot_lists.hubspot.batching import in_chunks
from target_hubspot_lists.hubspot.property_writer import Update
from target_hubspot_lists.journal.property_memory import Hashes
from target_hubspot_lists.outcomes import PropertyOutcome, PropertyProblem, PropertyResult
from target_hubspot_lists.reporting.account import EMPTY
from target_hubspot_lists.sync.resolution import ContactFields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.hubspot.property_writer import PropertyWriter
    from target_hubspot_lists.input.attributes import Attributes, HeldAttributes
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.journal.property_memory import PropertyMemory
    from target_hubspot_lists.reporting.account import RequestedChange
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.audience_status import AudienceStatus
    from target_hubspot_lists.sync.plans import Plan
    from target_hubspot_lists.sync.resolution import Resolution

# So many contacts are prepared at once: an update that is ready to be sent is larger than what is held of a contact.
CONTACTS_AT_ONCE = 10_000

UPDATED = PropertyResult(PropertyOutcome.UPDATED)
UNCHANGED = PropertyResult(PropertyOutcome.UNCHANGED)


class Flush(ContactFields, Protocol):
    """The contact properties that are written with one flush."""

    @property
    def results(self) -> Mapping[Member, PropertyResult]:
        """What became of each contact's properties, by record id; in a dry run by address of one to be created."""

    def expect(
        self, asked: Iterable[tuple[Route, Iterable[RequestedChange]]], lists: Mapping[str, HubSpotList]
    ) -> None:
        """Take the members whose contacts may be created next, for the audience status that they get."""

    def resolved(self, contacts: Resolution) -> None:
        """Account for the properties of the contacts that were created, or would be in a real run."""

    def write(self, plans: Sequence[Plan], resolution: Resolution) -> None:
        """Write the properties of contacts that existed before; must come before their memberships."""


class NoFlush:
    """The flush of a run that writes no properties."""

    read: Sequence[str] = ()
    results: Mapping[Member, PropertyResult] = EMPTY

    def attributes(self, address: str) -> Mapping[str, str]:
        """Return nothing."""
        del address
        return EMPTY

    def statuses(self, *members: str) -> Mapping[str, str]:
        """Return nothing."""
        del members
        return EMPTY

    def latest(self, members: Sequence[str]) -> str:
        """Return the last: no attributes are held of any of them."""
        return members[-1]

    def expect(
        self, asked: Iterable[tuple[Route, Iterable[RequestedChange]]], lists: Mapping[str, HubSpotList]
    ) -> None:
        """Do nothing."""

    def resolved(self, contacts: Resolution) -> None:
        """Do nothing."""

    def write(self, plans: Sequence[Plan], resolution: Resolution) -> None:
        """Do nothing."""


NO_FLUSH = NoFlush()


class PropertyFlush:
    """The `Flush` of a run that writes mapped attributes, audience statuses, or both."""

    def __init__(  # noqa: PLR0913 - what is written, by what, and what is known of it
        self,
        settings: Settings,
        writer: PropertyWriter,
        memory: PropertyMemory,
        *,
        identity: Callable[[str], str],
        status: AudienceStatus | None,
        held: HeldAttributes,
        created: Mapping[Member, PropertyResult] | None = None,
    ) -> None:
        """Take what is held of members; contacts that were `created` have theirs; `identity` is that of `Hashes`."""
        self._hashes = partial(Hashes, identity=identity)
        self._settings = settings
        self._names = tuple(mapping.property for mapping in settings.property_mappings)
        self._fills = settings.property_policy == "fill_empty"
        self._writer = writer
        self._memory = memory
        self._status = status
        self._held = held
        self._statuses: dict[str, dict[str, str]] = {}  # by member, of contacts that may be created
        # By member and property, where several members may be one person: the position of the record that says it.
        self._said_at: dict[tuple[str, str], int] = {}
        self.results: dict[Member, PropertyResult] = dict(created or {})
        self._created: set[Member] = set(self.results)

    def expect(
        self, asked: Iterable[tuple[Route, Iterable[RequestedChange]]], lists: Mapping[str, HubSpotList]
    ) -> None:
        """Take the members whose contacts may be created next, for the audience status that they get.

        Two routes may lead to one list: there the last record on a member says which status.
        """
        self._statuses = {}
        if self._status is None or not self._settings.may_create_contacts:
            return
        pairs = [
            (of_member, lists[route.key])
            for route, members in asked
            if route.key in lists
            for of_member in members
        ]
        for of_member, hubspot_list in sorted(pairs, key=lambda pair: pair[0].position):
            text = self._status.text(hubspot_list, is_member=of_member.is_member)
            self._statuses.setdefault(str(of_member.member), {}).update(text)
            if len(self._settings.identifiers) > 1:
                self._said_at |= {(str(of_member.member), name): of_member.position for name in text}

    # What is asked while contacts are looked up and created: `ContactFields`

    @property
    def read(self) -> Sequence[str]:
        """The properties that a lookup by address returns as well, which costs no call."""
        return self._names if self._fills else ()

    def attributes(self, address: str) -> Mapping[str, str]:
        """Return the attributes that a new contact gets from its record."""
        texts = _texts(self._names, self._held.get(address))
        return {name: text for name, text in texts.items() if text}

    def statuses(self, *members: str) -> Mapping[str, str]:
        """Return the audience statuses that the new contact of these members gets: of each the last record's."""
        if len(members) == 1:
            return self._statuses.get(members[0], {})
        said = [
            (self._said_at[member, name], name, text)
            for member in members
            for name, text in self._statuses.get(member, {}).items()
        ]
        return {name: text for _, name, text in sorted(said)}

    def latest(self, members: Sequence[str]) -> str:
        """Return the one of several members with one contact that the last record is about."""
        return max(members, key=self._held.position)

    # Once every contact has its record id

    def resolved(self, contacts: Resolution) -> None:
        """Account for the properties of the contacts that were created, or would be in a real run."""
        for address in contacts.would_create:
            self.results[address] = _result_of_new(self, self._held.get(address), address)
        hashes: dict[int, bytes] = {}
        members: dict[int, list[str]] = {}
        for member in contacts.created:
            members.setdefault(contacts.record_ids[member], []).append(member)
        for record_id, of_contact in members.items():
            address = self.latest(of_contact)
            problem = contacts.created_bare.get(address)
            self.results[record_id] = _result_of_new(self, problem or self._held.get(address), address)
            self._created.add(record_id)
            attributes = {} if problem else self.attributes(address)
            written = {**attributes, **self.statuses(*of_contact)}
            hashes[record_id] = self._hashes(b"").with_written(written).packed
        if hashes:
            self._memory.remember(hashes, EMPTY)

    def write(self, plans: Sequence[Plan], resolution: Resolution) -> None:
        """Write the properties of contacts that existed before; must come before their memberships."""
        asked = [(plan.hubspot_list, plan.all_asked()) for plan in plans]
        statuses = self._statuses_by_record_id(asked)
        # Of several addresses of one contact the plans have one, and a merged contact is asked for by an old id.
        members: dict[Member, int] = dict(resolution.record_ids.items())
        members |= {each.member: record_id for _, of_list in asked for record_id, each in of_list.items()}
        held = self._held.by_record_id(members)
        for record_ids in in_chunks(statuses, CONTACTS_AT_ONCE):
            self._write_some(
                {each: (held.get(each), statuses[each]) for each in record_ids}, resolution.filled
            )

    def _statuses_by_record_id(
        self, asked: Iterable[tuple[HubSpotList, Mapping[int, RequestedChange]]]
    ) -> dict[int, Mapping[str, str]]:
        """Return the audience statuses of each contact that existed when the flush began."""
        statuses: dict[int, Mapping[str, str]] = {}
        for hubspot_list, of_list in asked:
            # Two texts for a whole list, not one for each of its members.
            texts: list[Mapping[str, str]] = [{}, {}]
            if self._status:
                texts = [self._status.text(hubspot_list, is_member=is_member) for is_member in (False, True)]
            for record_id, of_member in of_list.items():
                if record_id not in self._created:
                    other, text = statuses.get(record_id), texts[of_member.is_member]
                    statuses[record_id] = {**other, **text} if other else text
        return statuses

    def _write_some(
        self,
        asked: Mapping[int, tuple[Attributes | PropertyProblem | None, Mapping[str, str]]],
        filled: Mapping[int, frozenset[str]],
    ) -> None:
        """Write what differs from what is known of these contacts; a dry run only says so."""
        known = self._memory.known_hashes(asked.keys())
        updates: list[Update] = []
        for record_id, (attributes, statuses) in asked.items():
            hashes = self._hashes(known.get(record_id, b""))
            update = Update(
                record_id, hashes.unknown(_texts(self._names, attributes)), hashes.unknown(statuses)
            )
            updates.append(update)
            self.results[record_id] = (
                _rejected(attributes) if isinstance(attributes, PropertyProblem) else UNCHANGED
            )
        if self._fills:
            updates = self._without_filled(updates, filled)
        updates = [update for update in updates if update.texts]
        if self._settings.dry_run:
            self._mark_updated(update.record_id for update in updates)
            return
        known = _forget(self._memory, updates, known, self._hashes)
        for written in self._writer.write(updates):
            self._mark_updated(written.texts)
            new_hashes = {
                record_id: self._hashes(known.get(record_id, b"")).with_written(texts).packed
                for record_id, texts in written.texts.items()
            }
            for record_id, problem in written.problems.items():
                self.results[record_id] = _rejected(problem)
            for record_id in written.missing:
                del self.results[record_id]  # there is no such contact: the outcome of its membership says so
            if new_hashes:
                self._memory.remember(new_hashes, known)

    def _without_filled(
        self, updates: Sequence[Update], filled: Mapping[int, frozenset[str]]
    ) -> list[Update]:
        """Return the updates without the attributes that already have a value, and without any of unknown contacts."""
        to_read = [each.record_id for each in updates if each.attributes and each.record_id not in filled]
        filled = {**filled, **self._writer.filled(to_read, self._names)}
        return [_of_empty(update, filled.get(update.record_id)) for update in updates]

    def _mark_updated(self, record_ids: Iterable[int]) -> None:
        """Call contacts updated, unless some of their properties were rejected."""
        self.results |= {each: UPDATED for each in record_ids if self.results[each] is UNCHANGED}


def _forget(
    memory: PropertyMemory,
    updates: Sequence[Update],
    known: Mapping[int, bytes],
    hashes_of: Callable[[bytes], Hashes],
) -> Mapping[int, bytes]:
    """Forget what the updates change, and return what is known then.

    Without an answer it is not known which value HubSpot has: a later record with the old one must write it.
    """
    left = {
        each.record_id: hashes_of(known[each.record_id]).without(each.texts).packed
        for each in updates
        if each.record_id in known
    }
    changed = {record_id: packed for record_id, packed in left.items() if packed != known[record_id]}
    if changed:
        memory.remember(changed, known)
    return {**known, **changed}


def _of_empty(update: Update, with_value: frozenset[str] | None) -> Update:
    """Return the update without attributes that have a value; None: the contact is unknown, and gets no attributes."""
    attributes: Mapping[str, str] = {}
    if with_value is not None:
        attributes = {name: text for name, text in update.attributes.items() if name not in with_value}
    return Update(update.record_id, attributes, update.statuses)


def _texts(names: Sequence[str], attributes: Attributes | PropertyProblem | None) -> dict[str, str]:
    """Return the text of each mapped property that a record gives a value."""
    if attributes is None or isinstance(attributes, PropertyProblem):
        return {}
    pairs = zip(names, attributes, strict=True)
    return {name: text for name, text in pairs if text is not None}


def _result_of_new(
    fields: ContactFields, held: Attributes | PropertyProblem | None, address: str
) -> PropertyResult:
    """Return what became of the properties of a new contact; `held` may be the problem that it has."""
    if isinstance(held, PropertyProblem):
        return _rejected(held)
    return UPDATED if fields.attributes(address) or fields.statuses(address) else UNCHANGED


def _rejected(problem: PropertyProblem) -> PropertyResult:
    return PropertyResult(PropertyOutcome.REJECTED, problem)
