"""The portal's contacts: ids are assigned, addresses are unique, merged ids lead on to the new record."""

from __future__ import annotations

from dataclasses import replace
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING

from tests.hubspot_emulator.contact import Contact
from tests.hubspot_emulator.contact_blocks import Block, RecordIds
from tests.hubspot_emulator.lag import Lag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.hubspot_emulator.quirks import Quirks

FIRST_RECORD_ID = 30_000_000_001  # like real ones, too big for 32 bits


class Contacts:
    """All contacts by record id and by address. Not locked: the portal does that."""

    def __init__(self, now_ms: Callable[[], int], quirks: Quirks) -> None:
        self._now_ms = now_ms
        self._quirks = quirks
        self._held: dict[int, Contact] = {}
        self._numbers: dict[str, int] = {}  # by address, secondary ones too
        # By the value of a unique property, for each that was asked for since a contact last changed.
        self._by_value: dict[tuple[str, bool], dict[str, int]] = {}
        self._blocks: list[Block] = []
        self._out_of_block: set[int] = set()  # changed, archived or merged since
        self._merged_into: dict[int, int] = {}
        self._archived: dict[int, Contact] = {}
        self._next = FIRST_RECORD_ID
        # What reads still show, and whom a list does not know yet.
        self._earlier = Lag[int, Contact | None](self._now)
        self._earlier_numbers = Lag[str, int | None](self._now)
        self._earlier_merges = Lag[int, int | None](self._now)
        self._known_to_lists = Lag[int, bool](self._now)

    def __len__(self) -> int:
        return len(self._held) + sum(len(block.numbers) for block in self._blocks) - len(self._out_of_block)

    def __iter__(self) -> Iterator[Contact]:
        return self.after(0)

    def after(self, number: int) -> Iterator[Contact]:
        """Give the live contacts behind a record id, ascending."""
        held = sorted(each for each in self._held if each > number)
        in_blocks = (
            each
            for block in self._blocks
            for each in block.numbers[max(0, number + 1 - block.numbers.start) :]
            if each not in self._out_of_block
        )
        yield from _merged(map(self._held.__getitem__, held), filter(None, map(self.get, in_blocks)))

    def page(self, after: int, limit: int) -> list[Contact]:
        return list(islice(self.after(after), limit))

    def add(self, email: str | None, additional_emails: Iterable[str], properties: dict[str, str]) -> Contact:
        """Add a contact; the caller has made sure that its addresses are free."""
        now = self._now_ms()
        additional = tuple(address.lower() for address in additional_emails)
        contact = Contact(self._next, email and email.lower(), now, now, additional, dict(properties))
        self._next += 1
        self._hold(contact)
        return contact

    def add_block(self, count: int, email: str) -> RecordIds:
        prefix, _, suffix = email.lower().partition("{}")
        numbers = range(self._next, self._next + count)
        self._next += count
        block = Block(numbers, prefix, suffix, self._now_ms())
        if any(block.number_of(address) is not None for address in self._numbers):
            raise ValueError("a contact with one of these addresses is there already")
        self._blocks.append(block)
        return RecordIds(numbers)

    def number_of(self, email: str) -> int | None:
        """Find the contact that has this address, as its primary one or as another."""
        email = email.lower()
        number = self._numbers.get(email)
        if number is not None:
            return number
        for block in self._blocks:
            number = block.number_of(email)
            if number is not None and number not in self._out_of_block:
                return number
        return None

    def number_by(self, name: str, value: str) -> int | None:
        """Find the contact with this value of a unique property."""
        if name == "email":
            return self.number_of(value)
        key = name, self._quirks.unique_values_ignore_case
        by_value = self._by_value.get(key)
        if by_value is None:
            by_value = self._by_value[key] = {}
            for each in self._held.values():
                if (held := each.value(name)) is not None:
                    by_value.setdefault(self._comparable(held), each.number)
        return by_value.get(self._comparable(value))

    def shown(self, number: int) -> Contact | None:
        """Return the contact of an id as reads show it at this moment, merges followed."""
        while True:
            onward = self._earlier_merges.shown(number, self._merged_into.get(number))
            if onward is None:
                return self._earlier.shown(number, self.get(number))
            number = onward

    def shown_by(self, name: str, value: str) -> Contact | None:
        """Return the contact with this address or value of a unique property, as reads show it at this moment."""
        if name == "email":
            number = self._earlier_numbers.shown(value.lower(), self.number_of(value))
            return None if number is None else self.shown(number)
        if not self._quirks.contact_lag:
            number = self.number_by(name, value)
            return None if number is None else self.get(number)
        contacts = filter(None, map(self.shown, sorted({*self._held, *self._earlier})))
        asked = self._comparable(value)
        return next((each for each in contacts if self._comparable(each.value(name) or "") == asked), None)

    def resolve(self, number: int) -> int:
        """Follow merges to the record that an id stands for now."""
        while number in self._merged_into:
            number = self._merged_into[number]
        return number

    def get(self, number: int) -> Contact | None:
        """Give the live contact of exactly this id; a merged id has none."""
        held = self._held.get(number)
        return held if held is not None else self._from_block(number)

    def archived(self, number: int) -> Contact | None:
        return self._archived.get(number)

    def existing(self, numbers: Iterable[int]) -> set[int]:
        """Give those of these ids that are live contacts."""
        asked = set(numbers)
        found = asked & self._held.keys()
        asked -= found
        for block in self._blocks:
            found |= block.among(asked) - self._out_of_block
        return found

    def listable(self, numbers: Iterable[int]) -> set[int]:
        """Return those of these ids that a list takes: live contacts that were not made a moment ago."""
        new = {
            number for number in self._known_to_lists if not self._known_to_lists.shown(number, current=True)
        }
        return self.existing(numbers) - new

    def change(self, number: int, values: dict[str, str]) -> Contact:
        """Write properties of a live contact; an empty string clears one."""
        self._keep(number)
        contact = self._held[number] if number in self._held else self._take_out(number)
        changed = dict(values)
        if "email" in changed:
            self._rename(contact, changed.pop("email").lower() or None)
        for name, value in changed.items():
            if value == "":
                contact.properties.pop(name, None)
            else:
                contact.properties[name] = value
        contact.updated_ms = self._now_ms()
        return contact

    def archive(self, number: int) -> None:
        """Put a contact into the recycle bin; its addresses are free again."""
        contact = self._let_go(number)
        contact.archived_ms = self._now_ms()
        self._archived[number] = contact

    def merge(self, primary: int, secondary: int, *, keeps_primary_id: bool) -> Contact:
        """Make one record of two: a new id by default, under which both old ids are found in reads.

        https://developers.hubspot.com/changelog/updated-merge-functionality-for-contacts-and-companies
        The merged record names every id that led to it in `hs_merged_object_ids`, its own left out.
        """
        first, second = self._let_go(primary), self._let_go(secondary)
        number = primary if keeps_primary_id else self._next
        self._next += not keeps_primary_id
        addresses = [first.email, second.email, *first.additional_emails, *second.additional_emails]
        kept = [address for address in addresses if address is not None]
        merged = replace(
            first,
            number=number,
            email=kept[0] if kept else None,
            additional_emails=tuple(kept[1:]),
            properties={**second.properties, **first.properties},
            updated_ms=self._now_ms(),
            merged=tuple(
                each for each in (*first.merged, primary, *second.merged, secondary) if each != number
            ),
        )
        for old in (primary, secondary):
            if old != number:
                self._earlier_merges.keep(old, None, self._quirks.contact_lag)
                self._merged_into[old] = number
        self._hold(merged)
        return merged

    def _hold(self, contact: Contact) -> None:
        self._keep(contact.number)
        if contact.number not in self._held:
            self._known_to_lists.keep(contact.number, value=False, seconds=self._quirks.new_contact_lag)
        self._held[contact.number] = contact
        for address in (contact.email, *contact.additional_emails):
            if address is not None:
                self._keep_address(address)
                self._numbers[address] = contact.number

    def _let_go(self, number: int) -> Contact:
        self._keep(number)
        contact = self._held[number] if number in self._held else self._take_out(number)
        del self._held[number]
        for address in (contact.email, *contact.additional_emails):
            if address is not None:
                self._keep_address(address)
                del self._numbers[address]
        return contact

    def _rename(self, contact: Contact, email: str | None) -> None:
        if contact.email is not None:
            self._keep_address(contact.email)
            del self._numbers[contact.email]
        contact.email = email
        contact.additional_emails = tuple(each for each in contact.additional_emails if each != email)
        self._hold(contact)

    def _from_block(self, number: int) -> Contact | None:
        if number in self._out_of_block:
            return None
        for block in self._blocks:
            if number in block.numbers:
                return block.contact(number)
        return None

    def _take_out(self, number: int) -> Contact:
        """Turn a contact of a block into one of its own, because it is about to change."""
        contact = self._from_block(number)
        if contact is None:
            raise KeyError(number)
        self._out_of_block.add(number)
        self._held[number] = contact
        if contact.email is not None:
            self._numbers[contact.email] = number
        return contact

    def _keep(self, number: int) -> None:
        """Let reads show a contact as it is for a while; it is about to change."""
        self._by_value.clear()
        if self._quirks.contact_lag:
            current = self.get(number)
            copy = None if current is None else replace(current, properties=dict(current.properties))
            self._earlier.keep(number, copy, self._quirks.contact_lag)

    def _keep_address(self, address: str) -> None:
        if self._quirks.contact_lag:
            self._earlier_numbers.keep(address, self.number_of(address), self._quirks.contact_lag)

    def _comparable(self, value: str) -> str:
        """Give a value of a unique property so that equal ones are the same; whether case matters is not documented."""
        return value.casefold() if self._quirks.unique_values_ignore_case else value

    def _now(self) -> float:
        return self._now_ms() / 1000


def _merged(first: Iterator[Contact], second: Iterator[Contact]) -> Iterator[Contact]:
    return merge(first, second, key=lambda contact: contact.number)
