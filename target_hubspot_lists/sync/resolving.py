"""Looks contacts up by what identifies them, and creates missing ones; a failed look-up is never an absence."""

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
from target_hubspot_lists.sync.resolution import Resolution

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.hubspot.refusals import Doubt
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck
    from target_hubspot_lists.sync.resolution import ContactFields


# "Contact already exists. Existing ID: 12345", as seen: https://github.com/HubSpot/hubspot-api-python/issues/51
EXISTING_ID = re.compile(r"Existing ID: (\d{1,19})\b", re.ASCII)


def look_up(contacts: Contacts, by: str, values: Collection[str], fields: ContactFields) -> Resolution:
    """Return what HubSpot has for each value of a property; none is created."""
    return Resolving(contacts, (), fields, by).run(values)


class LookUps:
    """Finds contacts by one property: as the journal knows them, else by asking HubSpot."""

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
        """Return the contact of each value; of what the journal knows well enough the remembered one stands.

        Those `to_create`, which must be addresses, are created where HubSpot has none; both overlap.
        """
        known = self._journal.record_ids(self.by, values)
        resolution = Resolving(self._contacts, to_create, fields, self.by).run(
            [each for each in values if each not in known]
        )
        self._remember(resolution)
        resolution.take_remembered(known)
        return resolution

    def create(self, addresses: Collection[str], fields: ContactFields) -> Resolution:
        """Return the contact of each address that HubSpot has just called unknown: a new one, if that can be."""
        resolution = Resolving(self._contacts, addresses, fields, self.by).run((), unknown=addresses)
        self._remember(resolution)
        return resolution

    def last_known(self, values: Collection[str]) -> Mapping[str, int]:
        """Return the contacts that these values had when they were last found, however long ago."""
        return self._journal.last_known(self.by, values)

    def _remember(self, resolution: Resolution) -> None:
        self._journal.record_merges(resolution.merged)
        self._journal.remember_contacts(self.by, resolution.record_ids)
        self._mailability.learn(resolution.mailability)


class ByProperty:
    """Members are values of a property of HubSpot's; it is asked for those that the journal does not know.

    Of addresses, in lower case, contacts may be created.
    """

    def __init__(
        self,
        by: str,
        contacts: Contacts,
        journal: Journal,
        accounts: Accounts,
        mailability: MailabilityCheck | NoMailabilityCheck,
    ) -> None:
        self._look_ups = LookUps(by, contacts, journal, mailability)
        self._may_create = contacts.may_create and by == EMAIL
        self._accounts = accounts

    def resolve(self, members: Iterable[tuple[Member, bool]], fields: ContactFields) -> Resolution:
        """Return the contact of each member; those that are True are created if HubSpot has none, and if it may be.

        Where HubSpot no longer knows a member who is only to be removed, the contact that the journal knew counts.
        """
        asked = [(str(member), is_member) for member, is_member in members]
        values = dict.fromkeys(value for value, _ in asked)
        to_add = {value for value, is_member in asked if is_member}
        resolution = self._look_ups.find(values, fields, to_add if self._may_create else ())
        left_behind = self._look_ups.last_known(resolution.missing - to_add)
        resolution.missing -= left_behind.keys()
        resolution.take_remembered(left_behind)
        self._accounts.contacts_created += len(resolution.created) + len(resolution.foreseen)
        return resolution


class Resolving:
    """One resolution under way: reads and creates side by side until every address has its answer."""

    def __init__(
        self, contacts: Contacts, to_create: Collection[str], fields: ContactFields, by: str = EMAIL
    ) -> None:
        self._contacts = contacts
        self._by = by
        self._to_create = to_create
        self._fields = fields
        self._jobs: deque[Callable[[], ContactResults]] = deque()
        self._result = Resolution()
        self._creates: list[str] = []  # waiting until a call is full, or nothing else is left to do
        self._read_again: set[str] = set()
        self._conflicts: dict[str, Refusal] = {}  # what HubSpot said when it did not create an address
        self._sent_attributes: set[str] = set()  # with whose addresses HubSpot was sent attributes
        self._taken: dict[str, Refusal] = {}  # not created since they exist, and not found either
        self._waits = deque(WAITS_BEFORE_DROPPED)  # before they are looked up again
        self._doubtful: dict[str, Doubt] = {}  # refused to be looked up, and not known for whose sake

    def run(self, addresses: Collection[str], unknown: Collection[str] = ()) -> Resolution:
        """Look up and create side by side, until nothing is left to do; `unknown` were looked up in vain."""
        for batch in in_batches(addresses):
            self._jobs.append(self._reading(batch))
        for address in unknown:
            self._unknown(address)
        self._send_creates(everything=not self._jobs)
        while self._jobs:
            for step in self._contacts.concurrently(self._jobs):
                self._contacts.progress.take(step)
                self._take(step)
            self._send_creates(everything=True)
            if not self._jobs:
                self._judge_doubtful()
                self._look_up_taken()
        # HubSpot said that it has these, or did not say; of those that it knew nothing of, it has none.
        self._result.unclear |= self._conflicts.keys() & self._result.refused.keys()
        return self._result

    def _take(self, step: ContactResults) -> None:
        self._result.record_ids |= step.found | step.created
        self._result.created |= step.created.keys()
        self._result.filled |= step.filled
        self._result.merged |= step.merged
        self._result.mailability |= step.mailability
        # What neither HubSpot looks up nor is an address at all, is nobody's.
        self._result.unclear |= {
            each for each in step.unread if self._by != EMAIL or invalid_address(each) is None
        }
        for address, refusal in step.refused.items():
            self._refused(address, refusal, was_looked_up=address in step.unread)
        for address in step.unknown:
            self._unknown(address)
        self._ask_again(step.unanswered)
        self._doubtful |= step.doubtful
        self._conflicts |= step.conflicts
        for address, refusal in step.taken.items():
            # HubSpot also calls it a conflict where another contact holds the value of a unique property.
            if not self._is_tried_bare(address, refusal):
                self._taken[address] = refusal
        for batch in in_batches(step.conflicts):
            self._jobs.append(self._reading(batch))
        self._send_creates(everything=False)

    def _unknown(self, address: str) -> None:
        if address in self._taken:
            return  # it exists: it is looked up again, after a wait
        if address not in self._to_create:
            self._result.missing.add(address)
        elif problem := invalid_address(address):
            self._result.refused[address] = Refusal(Reason.INVALID_EMAIL, problem)
        elif self._contacts.dry_run:
            self._result.foreseen.add(address)
        else:
            self._creates.append(address)

    def _refused(self, address: str, refusal: Refusal, *, was_looked_up: bool) -> None:
        """Take in that an address was refused, or try again without its attributes."""
        if self._is_tried_bare(address, refusal):
            return
        self._result.refused[address] = refusal
        if not was_looked_up and self._contacts.creating.refused():
            raise TargetError(
                f"HubSpot refused to create {MAX_REFUSED_WITHOUT_SUCCESS} contacts one by one and created none "
                f"({redact(refusal.message)}){reference(refusal.correlation_id)}: correct that in the portal, "
                "or set create_contacts: false."
            )

    def _is_tried_bare(self, address: str, refusal: Refusal) -> bool:
        """Whether an address is to be created without its attributes, for whose sake HubSpot may have refused it."""
        if address not in self._sent_attributes or "email" in refusal.properties:
            return False
        self._sent_attributes.remove(address)
        problem = PropertyProblem.by_hubspot(refusal.properties, refusal.correlation_id)
        self._result.created_bare[address] = problem
        self._creates.append(address)
        return True

    def _look_up_taken(self) -> None:
        """Look up again, after a short wait, those that HubSpot does not create since they exist: they may be new.

        After the last wait the contact that HubSpot names counts; where it names none, the address is refused.
        """
        self._taken = {each: refusal for each, refusal in self._taken.items() if not self._is_found(each)}
        if not self._taken:
            return
        if self._waits:
            self._contacts.wait(self._waits.popleft())
            for batch in in_batches(self._taken):
                self._jobs.append(self._reading(batch))
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
                self._refused(address, refusal, was_looked_up=False)
        self._taken = {}

    def _is_found(self, address: str) -> bool:
        return address in self._result.record_ids or address in self._result.refused

    def _judge_doubtful(self) -> None:
        """Reject those refused on their own, if HubSpot looks others up; look up the rest. Else raise what it says."""
        if not self._doubtful:
            return
        alone = {each: doubt.alone for each, doubt in self._doubtful.items() if doubt.alone is not None}
        self._contacts.check_look_ups(self._by, max(alone.values(), default=0))
        refused = {each: Refusal.by_hubspot(self._doubtful[each].problem) for each in alone}
        left, self._doubtful = self._doubtful.keys() - alone.keys(), {}
        self._take(ContactResults(refused=refused, unread=set(refused)))
        for batch in in_batches(sorted(left)):
            self._jobs.append(self._reading(batch))

    def _ask_again(self, addresses: Sequence[str]) -> None:
        """Ask once more, one by one and next: a failure is not an absence, and must show soon."""
        for address in addresses:
            if address in self._read_again:
                raise TargetError(
                    f"HubSpot was asked twice for a contact by {self._by} and said neither whose the value is nor that "
                    "it is nobody's: nothing is concluded from that, and the run ends. Run again later."
                )
            self._read_again.add(address)
            self._jobs.appendleft(self._reading([address]))

    def _send_creates(self, *, everything: bool) -> None:
        while len(self._creates) >= MAX_INPUTS_PER_CALL or (everything and self._creates):
            batch, self._creates = self._creates[:MAX_INPUTS_PER_CALL], self._creates[MAX_INPUTS_PER_CALL:]
            conflicts = {each: self._conflicts[each] for each in batch if each in self._conflicts}
            contacts = {address: self._properties(address) for address in batch}
            self._contacts.progress.to_send += len(batch)
            self._jobs.append(partial(self._contacts.create, contacts, conflicts))

    def _properties(self, address: str) -> Mapping[str, str]:
        statuses = self._fields.statuses(address)
        if address in self._result.created_bare or not (attributes := self._fields.attributes(address)):
            return statuses
        self._sent_attributes.add(address)
        return {**attributes, **statuses}

    def _reading(self, addresses: Sequence[str]) -> Callable[[], ContactResults]:
        self._contacts.progress.to_send += len(addresses)
        return partial(self._contacts.look_up, self._by, addresses, self._fields.read)


def invalid_address(address: str) -> str | None:
    """Why no contact should be created for this address; None if its syntax is in order."""
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - only creates need it

    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError as problem:
        return str(problem)
    return None
