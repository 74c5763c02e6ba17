"""Finds the contacts of members: by record id, by one property, or by several identifiers in turn."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple, Protocol

from target_hubspot_lists.identifiers import EMAIL, are_one, joined, names_of, unpacked
from target_hubspot_lists.sync.contact_lookup import ContactLookup
from target_hubspot_lists.sync.resolution import Resolution

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.identifiers import Identifier, Name
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck
    from target_hubspot_lists.sync.resolution import ContactFields, NewContactFields


logger = logging.getLogger(__name__)

MANY_ADDRESSES = 10  # of one new person: then an identifier may be nobody's own


class Resolver(Protocol):
    """Finds the contacts of members, by whatever identifies them."""

    def resolve(self, members: Iterable[tuple[Member, bool]], fields: ContactFields) -> Resolution:
        """Return the contact of each member; one that is True for any list may be created where there is none."""


class ByRecordId:
    """Members are record ids: each is its own contact, and HubSpot is not asked."""

    def resolve(self, members: Iterable[tuple[Member, bool]], fields: ContactFields) -> Resolution:
        """Return that each member is its own contact."""
        del members, fields
        return Resolution(are_record_ids=True)


class ByProperty:
    """Members are values of one property, such as lower-case addresses, of which contacts may be created."""

    def __init__(
        self,
        by: str,
        contacts: Contacts,
        journal: Journal,
        accounts: Accounts,
        mailability: MailabilityCheck | NoMailabilityCheck,
    ) -> None:
        self._finder = _Finder(by, contacts, journal, mailability)
        self._may_create = contacts.may_create and by == EMAIL
        self._accounts = accounts

    def resolve(self, members: Iterable[tuple[Member, bool]], fields: ContactFields) -> Resolution:
        """Return the contact of each member; those that are True are created if HubSpot has none, and if it may be.

        A member who is only to be removed, and whom HubSpot no longer knows, has the contact that the journal knew.
        """
        asked = [(str(member), is_member) for member, is_member in members]
        values = dict.fromkeys(value for value, _ in asked)
        to_add = {value for value, is_member in asked if is_member}
        resolution = self._finder.find(values, fields, to_add if self._may_create else ())
        last_known = self._finder.last_known(resolution.missing - to_add)
        resolution.missing -= last_known.keys()
        resolution.take_remembered(last_known)
        self._accounts.created_contacts.add(len(resolution.created), resolution.would_create.values())
        return resolution


class ByIdentifiers:
    """Members have several identifiers, packed: the first that HubSpot knows names the contact."""

    def __init__(
        self,
        identifiers: Sequence[Identifier],
        contacts: Contacts,
        journal: Journal,
        accounts: Accounts,
        mailability: MailabilityCheck | NoMailabilityCheck,
    ) -> None:
        self._properties = [each.by for each in identifiers]
        self._finders = [_Finder(each.by, contacts, journal, mailability) for each in identifiers]
        self._creator = next((each for each in self._finders if each.by == EMAIL), None)
        if not contacts.may_create:
            self._creator = None
        self._accounts = accounts

    def resolve(self, members: Iterable[tuple[Member, bool]], fields: ContactFields) -> Resolution:
        """Return the contact of each member; one that is True is created by an address, if no identifier is known.

        Members that share an identifier are one person, for whom one contact is created. An identifier that HubSpot
        refuses to look up may still be a contact's: the member is refused, unless another identifier finds the contact.
        """
        is_member: dict[str, bool] = {}
        for member, is_added in members:
            is_member[str(member)] = is_added or is_member.get(str(member), False)
        search = _Search(is_member, self._properties)
        for place, finder in enumerate(self._finders):
            if by_value := search.without_contact(place):
                search.take(finder.find(by_value, fields), by_value, place)
        for place, finder in enumerate(self._finders):
            if by_value := search.unknown_to_remove(place):
                search.take_last_known(finder.last_known(by_value), by_value, place)
        if self._creator:
            self._create(self._creator, search, fields)
        return search.result()

    def _create(self, creator: _Finder, search: _Search, fields: ContactFields) -> None:
        """Create a contact for each person, by the next of the addresses where HubSpot refuses the one before."""
        persons = search.persons_to_create()
        most = max((len(each.addresses) for each in persons), default=0)
        if most >= MANY_ADDRESSES:
            logger.warning(
                "New members with %d different addresses share identifiers, directly or through others: they are taken "
                "for one person, who gets one contact. If a column of match_fallbacks holds a value that is nobody's "
                "own, such as an address for all, let it be null there.",
                most,
            )
        while waiting := [each for each in persons if each.addresses and not search.has_contact(each)]:
            by_address = {each.addresses.pop(0): each.members for each in waiting}
            created = creator.create(by_address, _MergedFields(fields, by_address))
            self._accounts.created_contacts.add(len(created.created), created.would_create.values())
            search.take_created(created, by_address)


class _Finder:
    """Finds contacts by one property: the journal knows them, or HubSpot is asked."""

    def __init__(
        self,
        by: str,
        contacts: Contacts,
        journal: Journal,
        mailability: MailabilityCheck | NoMailabilityCheck,
    ) -> None:
        self.by = by
        self._contacts = contacts
        self._journal = journal
        self._mailability = mailability

    def find(
        self, values: Collection[str], fields: ContactFields, to_create: Collection[str] = ()
    ) -> Resolution:
        """Return the contact of each value; HubSpot is asked for values that the journal does not know well enough.

        Of the values those `to_create`, which must be addresses, are created where HubSpot has none.
        """
        known = self._journal.record_ids(self.by, values)
        lookup = ContactLookup(self._contacts, self.by, fields, to_create)
        resolution = self._remember(lookup.run([value for value in values if value not in known]))
        resolution.take_remembered(known)
        return resolution

    def create(self, addresses: Collection[str], fields: NewContactFields) -> Resolution:
        """Return a new contact for each address that HubSpot has just called unknown, if it can be created."""
        lookup = ContactLookup(self._contacts, self.by, fields, addresses)
        return self._remember(lookup.run((), unknown=addresses))

    def last_known(self, values: Collection[str]) -> Mapping[str, int]:
        """Return the contacts that these values had when they were last found, however long ago."""
        return self._journal.last_known(self.by, values)

    def _remember(self, resolution: Resolution) -> Resolution:
        self._journal.record_merges(resolution.merged)
        self._journal.remember_contacts(self.by, resolution.record_ids)
        self._mailability.learn(resolution.mailability)
        return resolution


class _Person(NamedTuple):
    """Members who are one person, and the addresses by which a contact may be created, in the order of the input."""

    members: list[str]
    addresses: list[str]


class _Search:
    """How far members with several identifiers have been found; `place` is that of an identifier in the settings."""

    def __init__(self, is_member: Mapping[str, bool], properties: Sequence[str]) -> None:
        """Take for each member whether it is to be on any list; `properties` has HubSpot's name of each identifier."""
        self._properties = properties
        self._is_member = is_member
        # Of members without a contact yet.
        self._identifiers = {member: unpacked(member) for member in is_member}
        self._result = Resolution()
        self._looked_up: set[int] = set()
        # Members whose contact HubSpot no longer finds by their identifiers.
        self._last_known: set[str] = set()

    def without_contact(self, place: int) -> dict[str, list[str]]:
        """Return the members who have no contact yet, by their identifier at that place."""
        return self._by_value(place, self._identifiers)

    def unknown_to_remove(self, place: int) -> dict[str, list[str]]:
        """Return the members whom HubSpot knows by no identifier, and who are to be on no list."""
        return self._by_value(place, (each for each in self._unknown() if not self._is_member[each]))

    def persons_to_create(self) -> list[_Person]:
        """Return whom HubSpot knows by no identifier, as persons: members that share an identifier are one.

        A person with an add to a list, and whom another member shows to be a contact that was found, has that contact.
        """
        names = {member: names_of(self._properties, self._identifiers[member]) for member in self._unknown()}
        if not any(self._is_member[member] for member in names):
            return []
        groups = joined((name, member) for member, of_member in names.items() for name in of_member)
        groups = [group for group in groups if any(self._is_member[member] for member in group)]
        found = self._found_by_name({name for group in groups for member in group for name in names[member]})
        persons: list[_Person] = []
        for group in groups:
            contacts = {
                record_id
                for member in group
                for name in names[member].keys() & found.keys()
                for others, record_id in [found[name]]
                if record_id is not None and are_one(self._properties, names[member], others)
            }
            if len(contacts) == 1:
                for member in group:
                    self._found(member, *contacts)
            else:
                addresses = [self._address(member) for member in group if self._is_member[member]]
                persons.append(_Person(group, list(dict.fromkeys(filter(None, addresses)))))
        return persons

    def _found_by_name(self, wanted: AbstractSet[Name]) -> dict[Name, tuple[Collection[Name], int | None]]:
        """Return by name, of those wanted, the member's names and contact; None for a name of several contacts."""
        by_name: dict[Name, tuple[Collection[Name], int | None]] = {}
        for member, record_id in self._result.record_ids.items() if wanted else ():
            if member in self._last_known:
                continue
            names = names_of(self._properties, unpacked(member))
            current_id = self._result.merged.get(record_id, record_id)
            for name in names.keys() & wanted:
                is_only = name not in by_name or by_name[name][1] == current_id
                by_name[name] = names, current_id if is_only else None
        return by_name

    def _address(self, member: str) -> str | None:
        """Return the first address of a member."""
        names = names_of(self._properties, self._identifiers[member])
        return next((value for by, value in names if by == EMAIL), None)

    def has_contact(self, person: _Person) -> bool:
        """Return whether a person has a contact, or would have one in a real run."""
        member = person.members[0]
        return member not in self._identifiers or member in self._result.would_create

    def _unknown(self) -> Iterable[str]:
        answered = self._result.refused.keys() | self._result.would_create.keys()
        return (member for member in self._identifiers if member not in answered)

    def _by_value(self, place: int, members: Iterable[str]) -> dict[str, list[str]]:
        by_value: dict[str, list[str]] = {}
        for member in members:
            if (value := self._identifiers[member][place]) is not None:
                by_value.setdefault(value, []).append(member)
        return by_value

    def take(self, found: Resolution, by_value: Mapping[str, Sequence[str]], place: int) -> None:
        """Take the result of looking up the values of the identifier at that place."""
        result = self._result
        self._take_contacts(found)
        pairs = ((value, member) for value, members in by_value.items() for member in members)
        for value, member in pairs:
            if (record_id := found.record_ids.get(value)) is not None:
                self._found(member, record_id, place)
            elif refusal := found.refused.get(value):
                result.refused.setdefault(member, refusal)
                result.unclear |= {member} if value in found.unclear else set()

    def take_created(self, created: Resolution, by_address: Mapping[str, Sequence[str]]) -> None:
        """Take the contacts that were created by these addresses, each for the members of one person.

        Where none was, only members that add, and that have the address, are refused.
        """
        result = self._result
        self._take_contacts(created)
        for address, members in by_address.items():
            record_id, refusal = created.record_ids.get(address), created.refused.get(address)
            for member in members:
                if record_id is not None:
                    self._found(member, record_id, (EMAIL, address))
                    result.created |= {member} if address in created.created else set()
                elif address in created.would_create:
                    result.refused.pop(member, None)
                    result.would_create[member] = address
                elif refusal and self._is_member[member] and self._address(member) == address:
                    result.refused[member] = refusal
                    result.unclear |= {member} if address in created.unclear else set()
                if problem := created.created_bare.get(address):
                    result.created_bare[member] = problem

    def _take_contacts(self, found: Resolution) -> None:
        self._result.filled |= found.filled
        self._result.merged |= found.merged
        self._result.remembered |= found.remembered
        self._looked_up |= set(found.record_ids.values()) - found.remembered

    def take_last_known(
        self, record_ids: Mapping[str, int], by_value: Mapping[str, Sequence[str]], place: int
    ) -> None:
        """Take the contacts that members had in earlier runs."""
        for value, record_id in record_ids.items():
            for member in by_value[value]:
                self._result.remembered.add(record_id)
                self._found(member, record_id, place)
                self._last_known.add(member)

    def _found(self, member: str, record_id: int, place: int | Name | None = None) -> None:
        """Note the contact of a member, and the place of what found it: of a name, else of the first identifier."""
        values = self._identifiers.pop(member)
        if not isinstance(place, int):
            names = list(zip(self._properties, values, strict=True))
            first = next(index for index, value in enumerate(values) if value is not None)
            place = names.index(place) if place in names else first
        self._result.record_ids[member] = record_id
        self._result.found_by[member] = place

    def result(self) -> Resolution:
        """Return the result, once all places were tried."""
        result = self._result
        result.refused = {
            member: refusal for member, refusal in result.refused.items() if member in self._identifiers
        }
        result.unclear &= result.refused.keys()
        result.missing = set(self._unknown())
        result.follow(result.merged)
        result.remembered = {
            result.merged.get(record_id, record_id) for record_id in result.remembered
        } - self._looked_up
        return result


class _MergedFields:
    """The `NewContactFields` of contacts that are created: what is held of all members with that address."""

    def __init__(self, fields: ContactFields, by_address: Mapping[str, Sequence[str]]) -> None:
        self._fields = fields
        self._by_address = by_address
        self.read = fields.read

    def attributes(self, address: str) -> Mapping[str, str]:
        """Return the attributes of the last record that is about one of the members."""
        return self._fields.attributes(self._fields.latest(self._by_address[address]))

    def statuses(self, *addresses: str) -> Mapping[str, str]:
        """Return the audience statuses of all of the members."""
        return self._fields.statuses(*(member for each in addresses for member in self._by_address[each]))
