"""Finds contacts by address and creates missing ones; a failed look-up is an error, never an absence."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from email_validator import EmailNotValidError, validate_email

from hubspot_http import Conflict, InvalidRequest, TooLarge, concurrently, parsed
from target_hubspot_lists.batches import MAX_INPUTS_PER_CALL, batch_errors, halves, in_batches
from target_hubspot_lists.errors import TargetError
from target_hubspot_lists.outcomes import PropertyProblem, Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from hubspot_http import Answer, HubSpotClient
    from target_hubspot_lists.batches import BatchError

logger = logging.getLogger(__name__)


@dataclass
class Resolution:
    """What became of each address: a record id, known to be missing, or refused with a reason.

    `foreseen` are those that a dry run would have created.
    """

    record_ids: dict[str, int] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    foreseen: set[str] = field(default_factory=set)
    refused: dict[str, Refusal] = field(default_factory=dict)
    # Of contacts that were there, which of the properties asked for have a value.
    filled: dict[int, frozenset[str]] = field(default_factory=dict)
    # Created without their attributes, for whose sake HubSpot would not create them.
    created_bare: dict[str, PropertyProblem] = field(default_factory=dict)


class ContactFields(Protocol):
    """What besides addresses is read of contacts, and written of new ones."""

    @property
    def read(self) -> Sequence[str]:
        """The properties of which a look-up is to say whether they have a value."""

    def attributes(self, address: str) -> Mapping[str, str]:
        """What a new contact gets, if HubSpot takes it."""

    def statuses(self, address: str) -> Mapping[str, str]:
        """What a new contact gets in any case."""


@dataclass(frozen=True)
class Found:
    """One contact of an answer, with every address it goes by, in lower case."""

    record_id: int
    addresses: frozenset[str]
    trace_id: str
    filled: frozenset[str]

    @classmethod
    def from_body(cls, body: Mapping[str, Any], read: Collection[str] = ()) -> Found:
        """Parse a SimplePublicObject; its id is trusted, since merged contacts answer under another one."""
        properties = body.get("properties") or {}
        others = (properties.get("hs_additional_emails") or "").split(";")
        addresses = {str(each).strip().lower() for each in (properties.get("email") or "", *others)}
        return cls(
            int(body["id"]),
            frozenset(addresses - {""}),
            str(body.get("objectWriteTraceId")),
            frozenset(name for name in read if properties.get(name)),
        )


class Contacts:
    """The portal's contacts, by address."""

    def __init__(self, client: HubSpotClient, *, workers: int, create: bool, dry_run: bool) -> None:
        self._client = client
        self._workers = workers
        self._may_create = create
        self.dry_run = dry_run
        self.looked_up = 0  # addresses that HubSpot answered for, for progress lines
        self._base = f"{client.base('crm/objects')}/contacts/batch"

    def resolve(
        self, addresses: Collection[str], to_create: Collection[str], fields: ContactFields
    ) -> Resolution:
        """Return what HubSpot has for each address; create those of `to_create` that it does not know.

        Addresses are normalised (trimmed, lower case). Looking up and creating overlap.
        """
        return _Resolving(self, to_create if self._may_create else (), fields).run(addresses)

    def read_step(self, addresses: Sequence[str], read: Sequence[str]) -> _Step:
        """Look addresses up; a batch that HubSpot refuses is halved until the guilty ones stand alone."""
        # https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/batch/get-contacts
        body = {
            "idProperty": "email",
            "properties": ["email", "hs_additional_emails", *read],
            "propertiesWithHistory": [],
            "inputs": [{"id": address} for address in addresses],
        }
        try:
            return parse_read(addresses, self._client.post(f"{self._base}/read", body), read)
        except (InvalidRequest, TooLarge) as refused:
            if len(addresses) == 1:
                return _Step(refused={addresses[0]: Refusal.by_hubspot(refused)})
            first, second = halves(addresses)
            return self.read_step(first, read).include(self.read_step(second, read))

    def create_step(self, contacts: Mapping[str, Mapping[str, str]], seen: Mapping[str, Refusal]) -> _Step:
        """Create a contact with properties for each address.

        `seen` says which addresses were conflicts before and could not be read.

        A batch that HubSpot refuses in spite of trace ids is halved; a conflict met for the first time is
        first read again, since it may be all of the batch.
        """
        # The trace id of an input is its position: https://developers.hubspot.com/docs/api-reference/error-handling
        addresses = list(contacts)
        inputs = [
            {
                "properties": {"email": address, **properties},
                "associations": [],
                "objectWriteTraceId": str(position),
            }
            for position, (address, properties) in enumerate(contacts.items())
        ]
        try:
            answer = self._client.post(f"{self._base}/create", {"inputs": inputs})
        except (InvalidRequest, Conflict, TooLarge) as refused:
            refusal = Refusal.by_hubspot(refused)
            if isinstance(refused, Conflict) and not any(address in seen for address in addresses):
                return _Step(conflicts=dict.fromkeys(addresses, refusal))
            if len(addresses) == 1:
                return _Step(refused={addresses[0]: refusal})
            first, second = (
                self.create_step({address: contacts[address] for address in half}, seen)
                for half in halves(addresses)
            )
            return first.include(second)
        return parse_create(addresses, answer, seen)

    def current_ids(self, record_ids: Sequence[int]) -> Mapping[int, int]:
        """Return the record id that each contact has now, after any merge; unknown ones are absent."""
        found = self._read_ids(record_ids)
        current = {each: each for each in record_ids if each in found}
        unnamed = [each for each in record_ids if each not in found]
        if len(found) > len(current):
            # An answer does not say whom a merged contact was asked as: those are asked for one by one.
            current |= {old: next(iter(new)) for old in unnamed if (new := self._read_ids([old]))}
        return current

    def _read_ids(self, record_ids: Sequence[int]) -> set[int]:
        body = {
            "properties": ["email"],
            "propertiesWithHistory": [],
            "inputs": [{"id": str(each)} for each in record_ids],
        }
        answer = self._client.post(f"{self._base}/read", body)
        return parsed(answer, lambda body: {int(each["id"]) for each in body.get("results") or ()})

    def concurrently(self, jobs: deque[Callable[[], _Step]]) -> Iterator[_Step]:
        """Run jobs side by side; more may be put into the queue while the results are read."""
        return concurrently(_Taken(jobs), workers=self._workers)


class _Taken:
    """Takes jobs out of a queue that may be filled again after it was found empty."""

    def __init__(self, jobs: deque[Callable[[], _Step]]) -> None:
        self._jobs = jobs

    def __iter__(self) -> _Taken:
        return self

    def __next__(self) -> Callable[[], _Step]:
        if not self._jobs:
            raise StopIteration
        return self._jobs.popleft()


@dataclass
class _Step:
    """What one call, or its halves, settled; and what it left to be read again or created."""

    found: dict[str, int] = field(default_factory=dict)
    created: dict[str, int] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    refused: dict[str, Refusal] = field(default_factory=dict)
    # Not created, since HubSpot says that they exist, or says nothing: to be read again.
    conflicts: dict[str, Refusal] = field(default_factory=dict)
    filled: dict[int, frozenset[str]] = field(default_factory=dict)

    def include(self, other: _Step) -> _Step:
        self.found |= other.found
        self.created |= other.created
        self.unknown += other.unknown
        self.unanswered += other.unanswered
        self.refused |= other.refused
        self.conflicts |= other.conflicts
        self.filled |= other.filled
        return self


class _Resolving:
    """One resolution under way: reads and creates side by side until every address has its answer."""

    def __init__(self, contacts: Contacts, to_create: Collection[str], fields: ContactFields) -> None:
        self._contacts = contacts
        self._to_create = to_create
        self._fields = fields
        self._jobs: deque[Callable[[], _Step]] = deque()
        self._result = Resolution()
        self._creates: list[str] = []  # waiting until a call is full, or nothing else is left to do
        self._read_again: set[str] = set()
        self._conflicts: dict[str, Refusal] = {}  # what HubSpot said when it did not create an address
        self._sent_attributes: set[str] = set()  # with whose addresses HubSpot was sent attributes

    def run(self, addresses: Collection[str]) -> Resolution:
        for batch in in_batches(list(addresses)):
            self._jobs.append(self._reading(batch))
        while self._jobs:
            for step in self._contacts.concurrently(self._jobs):
                self._take(step)
            self._send_creates(everything=True)
        return self._result

    def _take(self, step: _Step) -> None:
        self._contacts.looked_up += len(step.found) + len(step.unknown)
        self._result.record_ids |= step.found | step.created
        self._result.created |= step.created.keys()
        self._result.filled |= step.filled
        for address, refusal in step.refused.items():
            self._refused(address, refusal)
        for address in step.unknown:
            self._unknown(address)
        self._ask_again(step.unanswered)
        self._conflicts |= step.conflicts
        for batch in in_batches(list(step.conflicts)):
            self._jobs.append(self._reading(batch))
        self._send_creates(everything=False)

    def _unknown(self, address: str) -> None:
        if address not in self._to_create:
            self._result.missing.add(address)
        elif problem := invalid_address(address):
            self._result.refused[address] = Refusal(Reason.INVALID_EMAIL, problem)
        elif self._contacts.dry_run:
            self._result.foreseen.add(address)
        else:
            self._creates.append(address)

    def _refused(self, address: str, refusal: Refusal) -> None:
        """Try again without its attributes an address that HubSpot may have refused for their sake."""
        if address in self._sent_attributes and "email" not in refusal.properties:
            self._sent_attributes.remove(address)
            problem = PropertyProblem.by_hubspot(refusal.properties, refusal.correlation_id)
            self._result.created_bare[address] = problem
            self._creates.append(address)
        else:
            self._result.refused[address] = refusal

    def _ask_again(self, addresses: Sequence[str]) -> None:
        """Ask once more, one by one and next: a failure is not an absence, and must show soon."""
        for address in addresses:
            if address in self._read_again:
                raise TargetError(
                    "HubSpot was asked for an address twice and said neither whose it is nor that it is "
                    "nobody's: nothing is concluded from that, and the run ends. Run again later."
                )
            self._read_again.add(address)
            self._jobs.appendleft(self._reading([address]))

    def _send_creates(self, *, everything: bool) -> None:
        while len(self._creates) >= MAX_INPUTS_PER_CALL or (everything and self._creates):
            batch, self._creates = self._creates[:MAX_INPUTS_PER_CALL], self._creates[MAX_INPUTS_PER_CALL:]
            conflicts = {each: self._conflicts[each] for each in batch if each in self._conflicts}
            contacts = {address: self._properties(address) for address in batch}
            self._jobs.append(partial(self._contacts.create_step, contacts, conflicts))

    def _properties(self, address: str) -> Mapping[str, str]:
        statuses = self._fields.statuses(address)
        if address in self._result.created_bare or not (attributes := self._fields.attributes(address)):
            return statuses
        self._sent_attributes.add(address)
        return {**attributes, **statuses}

    def _reading(self, addresses: Sequence[str]) -> Callable[[], _Step]:
        return partial(self._contacts.read_step, addresses, self._fields.read)


def invalid_address(address: str) -> str | None:
    """Why no contact should be created for this address; None if its syntax is in order."""
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError as problem:
        return str(problem)
    return None


def parse_read(addresses: Sequence[str], answer: Answer, read: Collection[str] = ()) -> _Step:
    """What a batch/read settled: found, named as unknown, refused with a reason, or left open."""
    results, errors = parsed(answer, partial(_results_and_errors, read=read))
    step = _Step(filled={found.record_id: found.filled for found in results} if read else {})
    by_address = {each: found.record_id for found in results for each in found.addresses}
    if len(addresses) == len(results) == 1:
        by_address[addresses[0]] = results[0].record_id  # one asked, one answered, however HubSpot spells it
    for address in addresses:
        error = next((each for each in errors if address in each.named), None)
        if address in by_address:
            step.found[address] = by_address[address]
        elif error is not None and error.category == "OBJECT_NOT_FOUND":
            step.unknown.append(address)
        elif error is not None and error.category == "VALIDATION_ERROR":
            step.refused[address] = Refusal(Reason.REFUSED_BY_HUBSPOT, error.message, answer.correlation_id)
        else:
            step.unanswered.append(address)  # nothing was said, or only that it failed
    return step


def parse_create(addresses: Sequence[str], answer: Answer, seen: Mapping[str, Refusal]) -> _Step:
    """What a batch/create settled; a conflict met for the first time, or left open, is to be read."""
    step = _Step()
    results, errors = parsed(answer, _results_and_errors)
    by_trace_id = {found.trace_id: found.record_id for found in results}
    by_address = {each: found.record_id for found in results for each in found.addresses}
    for position, address in enumerate(addresses):
        record_id = by_trace_id.get(str(position)) or by_address.get(address)
        error = next((each for each in errors if str(position) in each.trace_ids), None)
        if record_id is not None:
            step.created[address] = record_id
            continue
        message = error.message if error else "HubSpot did not say what became of this input."
        blamed = error.properties if error else frozenset[str]()
        refusal = Refusal(Reason.REFUSED_BY_HUBSPOT, message, answer.correlation_id, blamed)
        is_conflict = error is None or error.category == "CONFLICT"
        (step.conflicts if is_conflict and address not in seen else step.refused)[address] = refusal
    return step


def _results_and_errors(
    body: Mapping[str, Any], read: Collection[str] = ()
) -> tuple[list[Found], list[BatchError]]:
    results = [Found.from_body(each, read) for each in body.get("results") or ()]
    return results, batch_errors(body)
