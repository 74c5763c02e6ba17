"""Members with several identifiers: each is tried in turn, and who is found by none may be created by an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.identifiers import EMAIL, are_one, unpacked
from target_hubspot_lists.sync.resolution import Resolution
from target_hubspot_lists.sync.resolving import LookUps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.identifiers import Identifier
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck
    from target_hubspot_lists.sync.resolution import ContactFields


class InTurn:
    """Members are several identifiers, packed; the first that HubSpot knows names the member's contact."""

    def __init__(
        self,
        identifiers: Sequence[Identifier],
        contacts: Contacts,
        journal: Journal,
        accounts: Accounts,
        mailability: MailabilityCheck | NoMailabilityCheck,
    ) -> None:
        self._look_ups = [LookUps(each.by, contacts, journal, mailability) for each in identifiers]
        self._may_create = contacts.may_create
        self._accounts = accounts

    def resolve(self, members: Iterable[tuple[Member, bool]], fields: ContactFields) -> Resolution:
        """Return the contact of each member; who is True is created by an address, if all identifiers are unknown.

        An identifier that HubSpot refuses to look up does not name anybody, but may be somebody's: its member is
        refused, unless another identifier finds the contact.
        """
        is_member: dict[str, bool] = {}
        for member, is_added in members:
            is_member[str(member)] = is_added or is_member.get(str(member), False)
        turn = _Turn(is_member)
        for position, look_ups in enumerate(self._look_ups):
            if by_value := turn.left_by_value(position):
                turn.take(look_ups.find(by_value, fields), by_value, position)
        for position, look_ups in enumerate(self._look_ups):
            if leaving := turn.leaving_by_value(position):
                turn.take_last_known(look_ups.last_known(leaving), leaving, position)
        if self._may_create:
            self._create(turn, fields)
            turn.share_created()
        return turn.ended()

    def _create(self, turn: _Turn, fields: ContactFields) -> None:
        """Create those who are to be on a list and have an address; the first one, if there are several."""
        for position, look_ups in enumerate(self._look_ups):
            if look_ups.by == EMAIL and (by_address := turn.new_by_value(position)):
                created = look_ups.create(by_address, _OfMembers(fields, by_address))
                self._accounts.contacts_created += len(created.created) + len(created.foreseen)
                turn.take(created, by_address, position)


class _Turn:
    """How far the members of one resolution have come."""

    def __init__(self, is_member: Mapping[str, bool]) -> None:
        self._is_member = is_member
        self._left = {member: unpacked(member) for member in is_member}  # who has no contact yet
        self._result = Resolution()
        self._looked_up: set[int] = set()

    def left_by_value(self, position: int) -> dict[str, list[str]]:
        """Return the members who have no contact yet, by their identifier of that position."""
        return self._by_value(position, self._left)

    def leaving_by_value(self, position: int) -> dict[str, list[str]]:
        """Return those of them who are only to be removed."""
        return self._by_value(position, (each for each in self._unknown() if not self._is_member[each]))

    def new_by_value(self, position: int) -> dict[str, list[str]]:
        """Return those of them who are to be on a list, and whom HubSpot knows by no identifier."""
        return self._by_value(position, (each for each in self._unknown() if self._is_member[each]))

    def _unknown(self) -> Iterable[str]:
        settled = self._result.refused.keys() | self._result.foreseen
        return (each for each in self._left if each not in settled)

    def _by_value(self, position: int, members: Iterable[str]) -> dict[str, list[str]]:
        by_value: dict[str, list[str]] = {}
        for member in members:
            if (value := self._left[member][position]) is not None:
                by_value.setdefault(value, []).append(member)
        return by_value

    def take(self, found: Resolution, by_value: Mapping[str, Sequence[str]], position: int) -> None:
        """Take in what became of the values of the identifier at that position, for each member who has one of them."""
        result = self._result
        result.filled |= found.filled
        result.merged |= found.merged
        result.remembered |= found.remembered
        self._looked_up |= set(found.record_ids.values()) - found.remembered
        for value, members in by_value.items():
            for member in members:
                if (record_id := found.record_ids.get(value)) is not None:
                    self._found(member, record_id, position)
                    if value in found.created:
                        result.created.add(member)
                elif refusal := found.refused.get(value):
                    result.refused.setdefault(member, refusal)
                    result.unclear |= {member} if value in found.unclear else set()
                elif value in found.foreseen:
                    result.foreseen.add(member)
                if problem := found.created_bare.get(value):
                    result.created_bare[member] = problem

    def take_last_known(
        self, record_ids: Mapping[str, int], by_value: Mapping[str, Sequence[str]], position: int
    ) -> None:
        """Take in the contacts that members had in earlier runs."""
        for value, record_id in record_ids.items():
            for member in by_value[value]:
                self._result.remembered.add(record_id)
                self._found(member, record_id, position)

    def share_created(self) -> None:
        """Let contacts just made be those of others, too, who have one of their identifiers; HubSpot may not know it.

        So a removal that names them in another way finds them.
        """
        created: dict[tuple[int, str | None], list[tuple[list[str | None], int]]] = {}
        for member in self._is_member:
            if member in self._result.created:
                values = unpacked(member)
                for name in enumerate(values):
                    created.setdefault(name, []).append((values, self._result.record_ids[member]))
        for member in list(self._unknown()) if created else ():
            values = self._left[member]
            for position, value in enumerate(values):
                alike = created.get((position, value), ()) if value is not None else ()
                theirs = [record_id for others, record_id in alike if are_one(values, others)]
                if theirs:
                    self._found(member, theirs[-1], position)
                    break

    def _found(self, member: str, record_id: int, position: int) -> None:
        self._result.record_ids[member] = record_id
        self._result.found_by[member] = position
        del self._left[member]

    def ended(self) -> Resolution:
        """Return what became of everybody."""
        result = self._result
        result.refused = {member: each for member, each in result.refused.items() if member in self._left}
        result.unclear &= result.refused.keys()
        result.missing = set(self._unknown())
        result.follow(result.merged)
        result.remembered = {result.merged.get(each, each) for each in result.remembered} - self._looked_up
        return result


class _OfMembers:
    """What is written of a new contact, by its address: what is held of the members who have that address."""

    def __init__(self, fields: ContactFields, by_address: Mapping[str, Sequence[str]]) -> None:
        self._fields = fields
        self._by_address = by_address
        self.read = fields.read

    def attributes(self, address: str) -> Mapping[str, str]:
        """Return the attributes of the last record that is about one of them."""
        return self._fields.attributes(self._fields.latest(self._by_address[address]))

    def statuses(self, address: str) -> Mapping[str, str]:
        """Return the audience statuses of all of them."""
        statuses: dict[str, str] = {}
        for member in self._by_address[address]:
            statuses |= self._fields.statuses(member)
        return statuses

    def latest(self, members: Sequence[str]) -> str:
        """Return the last one: an address is one contact."""
        return members[-1]
