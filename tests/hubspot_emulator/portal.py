"""A HubSpot account: its contacts, lists, memberships, properties, email events and campaigns, and their rules.

Knows nothing of HTTP. Every public operation takes the portal's lock, so that threads see whole changes.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from random import Random
from threading import RLock
from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import HubSpotError
from tests.hubspot_emulator.bodies import is_digits
from tests.hubspot_emulator.campaigns import TYPICAL_DETAILS, Campaign, Campaigns
from tests.hubspot_emulator.contact_blocks import RecordIds
from tests.hubspot_emulator.contacts import Contacts
from tests.hubspot_emulator.event_sources import Single
from tests.hubspot_emulator.events import APP_ID, APP_NAME, Events
from tests.hubspot_emulator.lists import Lists
from tests.hubspot_emulator.memberships import change_members, check_change, check_duration, numbers
from tests.hubspot_emulator.properties import Properties
from tests.hubspot_emulator.quirks import Quirks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tests.hubspot_emulator.contact import Contact
    from tests.hubspot_emulator.lists import HubSpotList
    from tests.hubspot_emulator.memberships import Change
    from tests.hubspot_emulator.properties import Property


class Portal:
    """One account. Give it contacts and lists, let a program at it, and look at what became of them."""

    def __init__(
        self,
        portal_id: int = 4_512_345,
        *,
        account_type: str = "STANDARD",
        utc_offset: int = 0,  # seconds; the daily limit starts anew at this zone's midnight
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.portal_id = portal_id
        self.account_type = account_type
        self.utc_offset = utc_offset
        self.clock = clock
        self.lock = RLock()
        self.quirks = Quirks()
        self.random = Random(portal_id)  # shuffles what HubSpot promises no order for
        self.contacts = Contacts(self.now_ms, self.quirks)
        self.lists = Lists(self.now_ms)
        self.properties = Properties(self.now_ms, self.quirks)
        self.events = Events(portal_id, self.now)
        self.campaigns = Campaigns()
        self.offset_generation = 0
        self.required_properties: set[str] = set()

    def now(self) -> float:
        return self.clock()

    def now_ms(self) -> int:
        return int(self.clock() * 1000)

    # Contacts

    def add_contact(
        self, email: str | None = None, *, additional_emails: Iterable[str] = (), **properties: str
    ) -> str:
        """Add a contact whatever HubSpot would say of its address today; old records hold strange ones."""
        additional = list(additional_emails)
        with self.lock:
            for address in filter(None, (email, *additional)):
                if self.contacts.number_of(address) is not None:
                    raise ValueError("a contact with this address is there already")
            return self.contacts.add(email, additional, properties).record_id

    def add_contacts(self, count: int, email: str = "contact{}@example.com") -> RecordIds:
        """Add many at once, `{}` in the address counting from 0; they take no memory until they change."""
        with self.lock:
            if self.contacts.number_of(email.format(0)) is not None:
                raise ValueError("contacts with these addresses are there already")
            return self.contacts.add_block(count, email)

    def contact(self, email_or_id: str) -> Contact:
        """Give a copy of a live contact, found by any of its addresses or ids; KeyError if there is none."""
        found = self.find_contact(email_or_id)
        if found is None:
            raise KeyError(email_or_id)
        return found

    def find_contact(self, email_or_id: str) -> Contact | None:
        with self.lock:
            number = self._number(email_or_id)
            found = None if number is None else self.contacts.get(number)
            return None if found is None else replace(found, properties=dict(found.properties))

    def emails(self) -> set[str]:
        """Give the primary addresses of all contacts."""
        with self.lock:
            return {contact.email for contact in self.contacts if contact.email is not None}

    def update_contact(self, email_or_id: str, **properties: str) -> None:
        """Change a contact as its portal's users would, unchecked."""
        with self.lock:
            self.contacts.change(self._live(email_or_id), properties)

    def merge(self, primary: str, secondary: str, *, keeps_primary_id: bool = False) -> str:
        """Merge two contacts and give the id of the one; it is on the lists that either was on."""
        with self.lock:
            old = [self._live(primary), self._live(secondary)]
            if old[0] == old[1]:
                raise ValueError("a contact cannot be merged with itself")
            merged = self.contacts.merge(*old, keeps_primary_id=keeps_primary_id)
            for each in self.lists:
                if any(number in each.members for number in old):
                    each.apply((), old, self.now_ms())
                    each.apply([merged.number], (), self.now_ms())
            return merged.record_id

    def delete_contact(self, email_or_id: str) -> None:
        """Put a contact into the recycle bin and off all lists."""
        with self.lock:
            number = self._live(email_or_id)
            self.contacts.archive(number)
            for each in self.lists:
                if number in each.members:
                    each.apply((), [number], self.now_ms())

    # Lists

    def add_list(
        self, name: str, *, processing_type: str = "MANUAL", members: Iterable[str] = (), folder_id: int = 0
    ) -> HubSpotList:
        """Make a list with these members, given by record id or address."""
        with self.lock:
            made = self.lists.create(name, processing_type, folder_id=folder_id)
            ids = members.numbers if isinstance(members, RecordIds) else map(self._live, members)
            made.apply(ids, (), self.now_ms())
            return made

    def hubspot_list(self, name_or_id: str) -> HubSpotList:
        """Give a live list; a name is tried first. KeyError if there is none."""
        with self.lock:
            found = self.lists.by_name(name_or_id)
            if found is not None:
                return found
            try:
                return self.lists.get(name_or_id)
            except HubSpotError as error:
                raise KeyError(name_or_id) from error

    def list_names(self) -> set[str]:
        with self.lock:
            return {each.name for each in self.lists}

    def members(self, name_or_id: str) -> set[str]:
        """Give the record ids on a list."""
        with self.lock:
            return set(map(str, self.hubspot_list(name_or_id).members))

    def member_emails(self, name_or_id: str) -> set[str]:
        """Give the primary addresses of a list's members; members without one are left out."""
        with self.lock:
            contacts = map(self.contacts.get, self.hubspot_list(name_or_id).members)
            return {each.email for each in contacts if each is not None and each.email is not None}

    def keep_processing(self, name_or_id: str, seconds: float = math.inf) -> None:
        """Let HubSpot be filling a list for so long: its status is PROCESSING, and reads show a part of it."""
        with self.lock:
            self.hubspot_list(name_or_id).processing_until_ms = self.now_ms() + seconds * 1000

    def rename_list(self, name_or_id: str, name: str) -> None:
        with self.lock:
            self.lists.rename(self.hubspot_list(name_or_id).list_id, name)

    def delete_list(self, name_or_id: str) -> None:
        """Delete a list. It can be restored, and keeps its name until then."""
        with self.lock:
            self.lists.delete(self.hubspot_list(name_or_id).list_id)

    def restore_list(self, list_id: str) -> None:
        with self.lock:
            self.lists.restore(list_id)

    def add_members(self, name_or_id: str, *members: str) -> None:
        """Put contacts on a list as the portal's users would."""
        with self.lock:
            self.hubspot_list(name_or_id).apply(map(self._live, members), (), self.now_ms())

    def remove_members(self, name_or_id: str, *members: str) -> None:
        with self.lock:
            self.hubspot_list(name_or_id).apply((), map(self._live, members), self.now_ms())

    def change_memberships(self, list_id: str, add: Sequence[str], remove: Sequence[str]) -> Change:
        """Add and remove by record id, under HubSpot's rules."""
        to_add, to_remove = numbers(add), numbers(remove)
        with self.lock:
            target = self.lists.get(list_id)
            check_change(target, to_add, to_remove, self.quirks)
            if not self.quirks.applies_after_524:
                check_duration(len(add) + len(remove), self.quirks)
            change = change_members(
                target, to_add, to_remove, self.contacts, quirks=self.quirks, now_ms=self.now_ms()
            )
            check_duration(len(add) + len(remove), self.quirks)
            return change

    # Properties

    def add_property(
        self,
        name: str,
        type: str = "string",  # noqa: A002  # HubSpot's word
        field_type: str = "text",
        *,
        options: Iterable[str] = (),
        read_only: bool = False,
        unique: bool = False,
        group: str = "contactinformation",
        sensitivity: str = "non_sensitive",
    ) -> Property:
        """Define a contact property of the portal's own."""
        with self.lock:
            return self.properties.define(
                name,
                type,
                field_type,
                options=options,
                read_only=read_only,
                unique=unique,
                group=group,
                sensitivity=sensitivity,
            )

    def archive_property(self, name: str) -> None:
        """Archive a property of the portal's own: reads of definitions leave it out, unless they ask for it."""
        with self.lock:
            self.properties.archive(name)

    def delete_property(self, name: str) -> None:
        """Delete a property of the portal's own for good, with every contact's value."""
        with self.lock:
            self.properties.purge(name)
            for contact in self.contacts:
                contact.properties.pop(name, None)

    def require(self, property_name: str) -> None:
        """Make the portal refuse contacts without this property.

        https://developers.hubspot.com/changelog/crm-api-write-validation-enforcement
        """
        with self.lock:
            self.required_properties.add(property_name)

    # Email events

    def add_event(
        self,
        event_type: str,
        created_ms: int,
        *,
        visible_after_requests: int = 0,
        visible_from: float = 0.0,
        typical: bool = True,
        **fields: object,
    ) -> dict[str, object]:
        """Add an event and give its id and time, as `sentBy` and its like refer to it.

        Fields that are not given are those typical of the type, unless `typical` is false. An event that
        turns up late is unseen by the next `visible_after_requests` requests, and before `visible_from`.
        """
        with self.lock:
            single = Single(fields, visible_after_requests, visible_from)
            return self.events.add(event_type, created_ms, single, typical=typical)

    def add_events(
        self,
        event_type: str,
        created_ms: Sequence[int],
        fields: Callable[[int], Mapping[str, object]] | None = None,
    ) -> None:
        """Add an event at each of these ascending times; `fields` tells what is special of each, by index.

        A range of times takes no memory, whatever its length: the events are made when they are read.
        """
        with self.lock:
            self.events.add_series(event_type, created_ms, fields or _nothing_special)

    def update_event(self, event_id: str, **fields: object) -> None:
        """Change an event, as HubSpot does when it adds `obsoletedBy`."""
        with self.lock:
            self.events.update(event_id, fields)

    def expire_offsets(self) -> None:
        """Refuse every offset of email events that was given out so far."""
        with self.lock:
            self.offset_generation += 1

    # Email campaigns

    def add_campaign(
        self,
        campaign_id: int,
        *,
        app_id: int = APP_ID,
        app_name: str = APP_NAME,
        updated_ms: int | None = None,
        typical: bool = True,
        **details: object,
    ) -> None:
        """Add a campaign; without `updated_ms` HubSpot does not tell when it was last active.

        Details that are not given are typical ones, unless `typical` is false.
        """
        details = {**(TYPICAL_DETAILS if typical else {}), **details}
        with self.lock:
            self.campaigns.add(Campaign(campaign_id, app_id, app_name, updated_ms, details))

    def update_campaign(
        self, campaign_id: int, *, app_id: int = APP_ID, updated_ms: int | None, **details: object
    ) -> None:
        """Change a campaign."""
        with self.lock:
            campaign = self._campaign(campaign_id, app_id)
            campaign.updated_ms = updated_ms
            campaign.details.update(details)

    def delete_campaign(self, campaign_id: int, *, app_id: int = APP_ID) -> None:
        """Let HubSpot answer 404 for a campaign that its lists still name."""
        with self.lock:
            self._campaign(campaign_id, app_id).is_gone = True

    def _campaign(self, campaign_id: int, app_id: int) -> Campaign:
        campaign = self.campaigns.get((campaign_id, app_id))
        if campaign is None:
            raise KeyError(campaign_id)
        return campaign

    # Names and ids

    def _number(self, email_or_id: str) -> int | None:
        """Find a contact as reads do: by any address, or by id, merged ones followed."""
        if is_digits(email_or_id):
            return self.contacts.resolve(int(email_or_id))
        return self.contacts.number_of(email_or_id)

    def _live(self, email_or_id: str) -> int:
        number = self._number(email_or_id)
        if number is None or self.contacts.get(number) is None:
            raise KeyError(email_or_id)
        return number


def _nothing_special(index: int) -> Mapping[str, object]:
    del index
    return {}
