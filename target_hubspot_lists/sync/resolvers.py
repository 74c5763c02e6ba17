"""Finds the contacts of members: by record id, by one property, or by several identifiers in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from target_hubspot_lists.identifiers import EMAIL, are_one, unpacked
from target_hubspot_lists.sync.contact_lookup import ContactLookup
from target_hubspot_lists.sync.resolution import Resolution

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.identifiers import Identifier
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck
    from target_hubspot_lists.sync.resolution import ContactFields


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
        self._accounts.contacts_created += len(resolution.created) + len(resolution.would_create)
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
        self._finders = [_Finder(each.by, contacts, journal, mailability) for each in identifiers]
        self._may_create = contacts.may_create
        self._accounts = accounts

    def resolve(self, members: Iterable[tuple[Member, bool]], fields: ContactFields) -> Resolution:
        """Return the contact of each member; one that is True is created by an address, if no identifier is known.

        An identifier that HubSpot refuses to look up may still be a contact's: the member is refused, unless another
        identifier finds the contact.
        """
        is_member: dict[str, bool] = {}
        for member, is_added in members:
            is_member[str(member)] = is_added or is_member.get(str(member), False)
        search = _Search(is_member)
        for place, finder in enumerate(self._finders):
            if by_value := search.without_contact(place):
                search.take(finder.find(by_value, fields), by_value, place)
        for place, finder in enumerate(self._finders):
            if by_value := search.unknown(place, is_member=False):
                search.take_last_known(finder.last_known(by_value), by_value, place)
        if self._may_create:
            for place, finder in enumerate(self._finders):
                if finder.by == EMAIL and (by_address := search.unknown(place, is_member=True)):
                    created = finder.create(by_address, _MergedFields(fields, by_address))
                    self._accounts.contacts_created += len(created.created) + len(created.would_create)
                    search.take(created, by_address, place)
            search.share_created()
        return search.result()


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

    def create(self, addresses: Collection[str], fields: ContactFields) -> Resolution:
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


class _Search:
    """How far members with several identifiers have been found; `place` is that of an identifier in the settings."""

    def __init__(self, is_member: Mapping[str, bool]) -> None:
        """Take for each member whether it is to be on any list."""
        self._is_member = is_member
        self._identifiers = {
            member: unpacked(member) for member in is_member
        }  # of members without a contact yet
        self._result = Resolution()
        self._looked_up: set[int] = set()

    def without_contact(self, place: int) -> dict[str, list[str]]:
        """Return the members who have no contact yet, by their identifier at that place."""
        return self._by_value(place, self._identifiers)

    def unknown(self, place: int, *, is_member: bool) -> dict[str, list[str]]:
        """Return the members whom HubSpot knows by no identifier, and who are to be on a list, or on none."""
        return self._by_value(place, (each for each in self._unknown() if self._is_member[each] is is_member))

    def _unknown(self) -> Iterable[str]:
        answered = self._result.refused.keys() | self._result.would_create
        return (member for member in self._identifiers if member not in answered)

    def _by_value(self, place: int, members: Iterable[str]) -> dict[str, list[str]]:
        by_value: dict[str, list[str]] = {}
        for member in members:
            if (value := self._identifiers[member][place]) is not None:
                by_value.setdefault(value, []).append(member)
        return by_value

    def take(self, found: Resolution, by_value: Mapping[str, Sequence[str]], place: int) -> None:
        """Take the result of looking up, or creating by, the values of the identifier at that place."""
        result = self._result
        result.filled |= found.filled
        result.merged |= found.merged
        result.remembered |= found.remembered
        self._looked_up |= set(found.record_ids.values()) - found.remembered
        pairs = ((value, member) for value, members in by_value.items() for member in members)
        for value, member in pairs:
            if (record_id := found.record_ids.get(value)) is not None:
                self._found(member, record_id, place)
                if value in found.created:
                    result.created.add(member)
            elif refusal := found.refused.get(value):
                result.refused.setdefault(member, refusal)
                result.unclear |= {member} if value in found.unclear else set()
            elif value in found.would_create:
                result.would_create.add(member)
            if problem := found.created_bare.get(value):
                result.created_bare[member] = problem

    def take_last_known(
        self, record_ids: Mapping[str, int], by_value: Mapping[str, Sequence[str]], place: int
    ) -> None:
        """Take the contacts that members had in earlier runs."""
        for value, record_id in record_ids.items():
            for member in by_value[value]:
                self._result.remembered.add(record_id)
                self._found(member, record_id, place)

    def share_created(self) -> None:
        """Give contacts that were just created to other members with one of their identifiers.

        HubSpot may not find the contact by it yet, and a removal may name the member in another way.
        """
        created: dict[tuple[int, str | None], list[tuple[list[str | None], int]]] = {}
        for member in self._is_member:
            if member in self._result.created:
                identifiers = unpacked(member)
                for key in enumerate(identifiers):
                    created.setdefault(key, []).append((identifiers, self._result.record_ids[member]))
        for member in list(self._unknown()) if created else ():
            identifiers = self._identifiers[member]
            for place, value in enumerate(identifiers):
                alike = created.get((place, value), ()) if value is not None else ()
                matching = [record_id for others, record_id in alike if are_one(identifiers, others)]
                if matching:
                    self._found(member, matching[-1], place)
                    break

    def _found(self, member: str, record_id: int, place: int) -> None:
        self._result.record_ids[member] = record_id
        self._result.found_by[member] = place
        del self._identifiers[member]

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
    """The `ContactFields` of contacts that are created by address: what is held of all members with that address."""

    def __init__(self, fields: ContactFields, by_address: Mapping[str, Sequence[str]]) -> None:
        self._fields = fields
        self._by_address = by_address
        self.read = fields.read

    def attributes(self, address: str) -> Mapping[str, str]:
        """Return the attributes of the last record that is about one of the members."""
        return self._fields.attributes(self._fields.latest(self._by_address[address]))

    def statuses(self, address: str) -> Mapping[str, str]:
        """Return the audience statuses of all of the members."""
        statuses: dict[str, str] = {}
        for member in self._by_address[address]:
            statuses |= self._fields.statuses(member)
        return statuses

    def latest(self, members: Sequence[str]) -> str:
        """Return the last one: an address is one contact."""
        return members[-1]
