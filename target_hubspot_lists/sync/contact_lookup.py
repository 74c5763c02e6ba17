"""Looks contacts up by a property, and creates missing ones; a failed lookup never counts as a missing contact."""

from __future__ import annotations

import re
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from hubspot_singer.http import redact, reference
from target_hubspot_lists.errors import TargetError
from target_hubspot_lists.hubspot.batching import MAX_INPUTS_PER_CALL, in_batches
from target_hubspot_lists.hubspot.contact_answers import UNSAID, ContactResults
from target_hubspot_lists.hubspot.membership_reads import WAITS_BEFORE_DROPPED
from target_hubspot_lists.hubspot.refusals import MAX_REFUSED_WITHOUT_SUCCESS
from target_hubspot_lists.identifiers import EMAIL
from target_hubspot_lists.outcomes import PropertyProblem, Reason, Refusal
from target_hubspot_lists.sync.property_flush import NO_FLUSH
from target_hubspot_lists.sync.resolution import Resolution

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.hubspot.refusals import Doubt
    from target_hubspot_lists.sync.resolution import NewContactFields


# "Contact already exists. Existing ID: 12345", as seen: https://github.com/HubSpot/hubspot-api-python/issues/51
EXISTING_ID = re.compile(r"Existing ID: (\d{1,19})\b", re.ASCII)


def look_up(contacts: Contacts, by: str, values: Collection[str]) -> Resolution:
    """Return the contact that HubSpot has for each value of a property; none is created."""
    return ContactLookup(contacts, by, NO_FLUSH).run(values)


class ContactLookup:
    """One lookup by one property: reads and creates run side by side until every value has its answer.

    Values `to_create`, which must be addresses, are created where HubSpot has no contact.
    """

    def __init__(
        self, contacts: Contacts, by: str, fields: NewContactFields, to_create: Collection[str] = ()
    ) -> None:
        self._contacts = contacts
        self._by = by
        self._fields = fields
        self._to_create = to_create
        self._jobs: deque[Callable[[], ContactResults]] = deque()
        self._result = Resolution()
        # Addresses that wait until a call is full, or nothing else is to be done.
        self._creates: list[str] = []
        self._read_again: set[str] = set()
        self._conflicts: dict[str, Refusal] = {}  # by address, what HubSpot said when it did not create it
        self._sent_attributes: set[str] = set()  # addresses that were sent with attributes
        self._taken: dict[str, Refusal] = {}  # addresses not created since they exist, and not found either
        self._waits = deque(WAITS_BEFORE_DROPPED)  # before those are looked up again
        self._doubtful: dict[str, Doubt] = {}  # values of a refused lookup, of which any may be the reason

    def run(self, values: Collection[str], unknown: Collection[str] = ()) -> Resolution:
        """Return the contact of each value; those `unknown` to HubSpot were looked up before."""
        self._read_all(values)
        for address in unknown:
            self._take_unknown(address)
        self._send_creates(everything=not self._jobs)
        while self._jobs:
            for step in self._contacts.concurrently(self._jobs):
                self._contacts.progress.take(step)
                self._take(step)
            self._send_creates(everything=True)
            if not self._jobs:
                self._judge_doubtful()
                self._look_up_taken()
        # HubSpot may have these: it called them existing, or gave no answer.
        self._result.unclear |= self._conflicts.keys() & self._result.refused.keys()
        return self._result

    def _read_all(self, values: Collection[str]) -> None:
        for batch in in_batches(values):
            self._jobs.append(self._reading(batch))

    def _reading(self, values: Sequence[str]) -> Callable[[], ContactResults]:
        self._contacts.progress.to_send += len(values)
        return partial(self._contacts.look_up, self._by, values, self._fields.read)

    def _take(self, step: ContactResults) -> None:
        """Take the answer of one read or create, and queue the calls that follow from it."""
        result = self._result
        result.record_ids |= step.found | step.created
        result.created |= step.created.keys()
        result.filled |= step.filled
        result.merged |= step.merged
        result.mailability |= step.mailability
        # A value that HubSpot does not look up, and that is no address at all, is no contact's.
        result.unclear |= {
            value for value in step.unread if self._by != EMAIL or invalid_address(value) is None
        }
        for address, refusal in step.refused.items():
            self._take_refused(address, refusal, was_looked_up=address in step.unread)
        for address in step.unknown:
            self._take_unknown(address)
        self._ask_again(step.unanswered)
        self._doubtful |= step.doubtful
        self._conflicts |= step.conflicts
        for address, refusal in step.taken.items():
            # HubSpot also calls it a conflict if another contact holds the value of a unique property.
            if not self._retry_bare(address, refusal):
                self._taken[address] = refusal
        self._read_all(step.conflicts)
        self._send_creates(everything=False)

    def _take_unknown(self, address: str) -> None:
        """Create a contact that HubSpot does not know, if it may be created; else it is missing."""
        if address in self._taken:
            return  # it exists: it is looked up again, after a wait
        if address not in self._to_create:
            self._result.missing.add(address)
        elif problem := invalid_address(address):
            self._result.refused[address] = Refusal(Reason.INVALID_EMAIL, problem)
        elif self._contacts.dry_run:
            self._result.would_create[address] = address
        else:
            self._creates.append(address)

    def _take_refused(self, address: str, refusal: Refusal, *, was_looked_up: bool) -> None:
        """Reject an address that HubSpot refused, or create it without its attributes."""
        if self._retry_bare(address, refusal):
            return
        self._result.refused[address] = refusal
        if not was_looked_up and self._contacts.creating.refused():
            raise TargetError(
                f"HubSpot refused to create {MAX_REFUSED_WITHOUT_SUCCESS} contacts one by one and created none "
                f"({redact(refusal.message)}){reference(refusal.correlation_id)}: correct that in the portal, "
                "or set create_contacts: false."
            )

    def _retry_bare(self, address: str, refusal: Refusal) -> bool:
        """Queue a create without attributes, and return True, if the attributes may be why HubSpot refused it."""
        if address not in self._sent_attributes or "email" in refusal.properties:
            return False
        self._sent_attributes.remove(address)
        problem = PropertyProblem.by_hubspot(refusal.properties, refusal.correlation_id)
        self._result.created_bare[address] = problem
        self._creates.append(address)
        return True

    def _ask_again(self, values: Sequence[str]) -> None:
        """Ask once more, one by one and next: a failure is not an absence, and must show soon."""
        for value in values:
            if value in self._read_again:
                raise TargetError(
                    f"HubSpot was asked twice for a contact by {self._by} and said neither which contact has the "
                    "value nor that none has it: nothing is concluded from that, and the run ends. Run again later."
                )
            self._read_again.add(value)
            self._jobs.appendleft(self._reading([value]))

    def _judge_doubtful(self) -> None:
        """Reject values that HubSpot refused alone, if it looks up others; look up the rest. Else raise its error."""
        if not self._doubtful:
            return
        alone = {value: doubt.alone for value, doubt in self._doubtful.items() if doubt.alone is not None}
        self._contacts.check_look_ups(self._by, max(alone.values(), default=0))
        refused = {value: Refusal.by_hubspot(self._doubtful[value].problem) for value in alone}
        others, self._doubtful = self._doubtful.keys() - alone.keys(), {}
        self._take(ContactResults(refused=refused, unread=set(refused)))
        self._read_all(sorted(others))

    def _look_up_taken(self) -> None:
        """Look up again, after a short wait, addresses that HubSpot does not create since they exist: they may be new.

        After the last wait the contact that HubSpot names counts; if it names none, the address is refused.
        """
        found, refused = self._result.record_ids, self._result.refused
        self._taken = {
            address: refusal
            for address, refusal in self._taken.items()
            if address not in found and address not in refused
        }
        if not self._taken:
            return
        if self._waits:
            self._contacts.wait(self._waits.popleft())
            self._read_all(self._taken)
            return
        for address, refusal in self._taken.items():
            if named := EXISTING_ID.search(refusal.message):
                self._result.record_ids[address] = int(named[1])
            elif refusal.message == UNSAID:
                raise TargetError(
                    "HubSpot was asked twice to create a contact and said neither that it did nor why not: nothing is "
                    f"concluded from that, and the run ends{reference(refusal.correlation_id)}. Run again later."
                )
            else:
                self._take_refused(address, refusal, was_looked_up=False)
        self._taken = {}

    def _send_creates(self, *, everything: bool) -> None:
        """Queue the creates of full calls, or all of them."""
        while len(self._creates) >= MAX_INPUTS_PER_CALL or (everything and self._creates):
            batch, self._creates = self._creates[:MAX_INPUTS_PER_CALL], self._creates[MAX_INPUTS_PER_CALL:]
            conflicts = {each: self._conflicts[each] for each in batch if each in self._conflicts}
            contacts = {address: self._properties(address) for address in batch}
            self._contacts.progress.to_send += len(batch)
            self._jobs.append(partial(self._contacts.create, contacts, conflicts))

    def _properties(self, address: str) -> Mapping[str, str]:
        """Return the properties with which a contact is created."""
        statuses = self._fields.statuses(address)
        if address in self._result.created_bare or not (attributes := self._fields.attributes(address)):
            return statuses
        self._sent_attributes.add(address)
        return {**attributes, **statuses}


def invalid_address(address: str) -> str | None:
    """Return why no contact is to be created for this address; None if its syntax is valid."""
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - only creates need it

    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError as problem:
        return str(problem)
    return None
