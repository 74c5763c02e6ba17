"""Looks contacts up and creates them, in batches; a batch that HubSpot refuses is halved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hubspot_singer.http import Conflict, InvalidRequest, MissingScopes, Refused, TooLarge, concurrently
from target_hubspot_lists.errors import TargetError
from target_hubspot_lists.hubspot.batching import in_batches
from target_hubspot_lists.hubspot.contact_answers import (
    IDENTIFIERS,
    MAILABILITY_PROPERTIES,
    ContactResults,
    parse_create,
    parse_ids,
    parse_read,
)
from target_hubspot_lists.hubspot.refusals import (
    CallHistory,
    Doubt,
    RefusalLimit,
    RefusedCall,
    isolate,
    look_ups_by,
)
from target_hubspot_lists.identifiers import EMAIL, RECORD_ID
from target_hubspot_lists.outcomes import Refusal

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from hubspot_singer.http import Answer, HubSpotClient
    from target_hubspot_lists.hubspot.contact_answers import FoundContact


FORBIDDEN = 403
UNUSED_ADDRESS = (
    "nobody@example.com"  # reserved, so that no contact has it: https://www.rfc-editor.org/rfc/rfc2606
)
ANY_VALUE = "0"  # of another property; whether a contact has it does not matter


@dataclass
class ContactProgress:
    """Counts for progress lines: addresses looked up, contacts created. Any thread may read them."""

    to_send: int = 0  # addresses of the calls that are to be made so far, those made included
    sent: int = 0
    looked_up: int = 0
    created: int = 0

    def take(self, results: ContactResults) -> None:
        """Count the results of a call."""
        self.sent += results.addresses
        self.looked_up += len(results.found) + len(results.unknown)
        self.created += len(results.created)


class Contacts:
    """The portal's contacts."""

    def __init__(  # noqa: PLR0913 - what of the settings is about contacts
        self,
        client: HubSpotClient,
        *,
        workers: int,
        create: bool,
        dry_run: bool,
        does_without_reads: bool = False,
        checks_mailability: bool = False,
    ) -> None:
        self._checks_mailability = checks_mailability
        # Asked for in every read: it costs no call of its own.
        self._properties = (*IDENTIFIERS, *(MAILABILITY_PROPERTIES if checks_mailability else ()))
        self._does_without_reads = does_without_reads  # members are record ids: reads are only for merges
        self._client = client
        self._workers = workers
        self.may_create = create
        self.dry_run = dry_run
        self.progress = ContactProgress()
        self._base = f"{client.base('crm/objects')}/contacts/batch"
        self.creating = RefusalLimit()
        self._history = CallHistory()

    def look_up(self, by: str, values: Sequence[str], read: Sequence[str]) -> ContactResults:
        """Look contacts up by a property; a batch that HubSpot refuses is halved until the values at fault stand alone.

        `read` are the properties of which it is to be said whether they have a value.
        """
        return isolate(values, partial(self._read, by, read))

    def _read(
        self, by: str, read: Sequence[str], values: Sequence[str], within: RefusedCall | None
    ) -> ContactResults | RefusedCall:
        if within and self._history.is_hopeless([look_ups_by(by)]):
            return ContactResults(doubtful=dict.fromkeys(values, Doubt(within.problem, None)))
        sent = self._history.now()
        try:
            answer = self._look_up(by, values, read)
        except (InvalidRequest, TooLarge) as problem:
            refused = self._history.refused(problem)
            return refused if len(values) > 1 else self._judge_alone(by, values[0], refused, within)
        self._history.accepted([look_ups_by(by)], sent)
        return parse_read(by, values, answer, read, has_mailability=self._checks_mailability)

    def _look_up(self, by: str, values: Sequence[str], read: Sequence[str]) -> Answer:
        # https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/batch/get-contacts
        body: dict[str, object] = {
            "properties": list(dict.fromkeys([by, *self._properties, *read])),
            "propertiesWithHistory": [],
            "inputs": [{"id": value} for value in values],
        }
        if by != RECORD_ID:  # the default, which HubSpot does not take by name
            body["idProperty"] = by
        return self._client.post(f"{self._base}/read", body)

    def _judge_alone(
        self, by: str, value: str, refused: RefusedCall, within: RefusedCall | None
    ) -> ContactResults:
        """Return the result for a value that was sent alone and refused: it is at fault, or in doubt."""
        earlier = within.moment if within else None
        if doubt := self._history.judge_alone([look_ups_by(by)], value, refused, earlier):
            return ContactResults(doubtful={value: doubt})
        return ContactResults(refused={value: Refusal.by_hubspot(refused.problem)}, unread={value})

    def check_look_ups(self, by: str, since: int) -> None:
        """Raise HubSpot's error if it refuses every look-up; `since` is the moment of its last refusal in doubt."""
        kinds = [look_ups_by(by)]
        if not self._history.has_accepted_since(kinds, since):
            sent = self._history.now()
            self._look_up(by, [UNUSED_ADDRESS if by == EMAIL else ANY_VALUE], ())
            self._history.accepted(kinds, sent)
        self._history.reset_doubts(kinds)

    def create(
        self, contacts: Mapping[str, Mapping[str, str]], seen: Mapping[str, Refusal]
    ) -> ContactResults:
        """Create a contact with properties for each address.

        `seen` says which addresses were conflicts before and could not be read. A batch that HubSpot refuses in spite
        of trace ids is halved; a conflict met for the first time is read first, since it may be all of the batch.
        """

        def attempt(addresses: Sequence[str], _: RefusedCall | None) -> ContactResults | RefusedCall:
            try:
                return self._create({address: contacts[address] for address in addresses}, seen)
            except (InvalidRequest, Conflict, TooLarge) as refused:
                refusal = Refusal.by_hubspot(refused)
                if isinstance(refused, Conflict) and not any(address in seen for address in addresses):
                    return ContactResults(conflicts=dict.fromkeys(addresses, refusal))
                if len(addresses) > 1:
                    return RefusedCall(refused)
                one = {addresses[0]: refusal}
                return (
                    ContactResults(taken=one)
                    if isinstance(refused, Conflict)
                    else ContactResults(refused=one)
                )

        return isolate(list(contacts), attempt)

    def _create(
        self, contacts: Mapping[str, Mapping[str, str]], seen: Mapping[str, Refusal]
    ) -> ContactResults:
        # The trace id of an input is its position: https://developers.hubspot.com/docs/api-reference/error-handling
        inputs = [
            {
                "properties": {"email": address, **properties},
                "associations": [],
                "objectWriteTraceId": str(position),
            }
            for position, (address, properties) in enumerate(contacts.items())
        ]
        answer = self._client.post(f"{self._base}/create", {"inputs": inputs})
        self.creating.accepted()
        return parse_create(list(contacts), answer, seen, has_mailability=self._checks_mailability)

    def current(self, record_ids: Iterable[int]) -> Iterator[tuple[int, FoundContact]]:
        """Yield each record id with its contact, also if a merge retired the id; unknown ids are absent."""
        jobs = (partial(self._current, batch) for batch in in_batches(record_ids))
        for part in concurrently(jobs, workers=self._workers):
            yield from part.items()

    def current_ids(self, record_ids: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Yield each record id with the one that its contact has now; deleted and unknown ids are absent."""
        return ((asked, found.record_id) for asked, found in self.current(record_ids))

    def known_ids(self, record_ids: Collection[int]) -> Mapping[int, int]:
        """Return what `current_ids` yields; every id as it is where the token may not read contacts."""
        try:
            return dict(self.current_ids(record_ids))
        except MissingScopes:
            return {record_id: record_id for record_id in record_ids}

    def _current(self, record_ids: Sequence[int]) -> Mapping[int, FoundContact]:
        results, unknown = self._read_ids(record_ids)
        by_id = {record_id: found for found in results for record_id in (*found.merged, found.record_id)}
        current = {record_id: by_id[record_id] for record_id in record_ids if record_id in by_id}
        for record_id in record_ids:
            # If the answer does not name a merged contact's old id: ask for these ids one by one.
            if record_id not in by_id and record_id not in unknown and (found := self._alone(record_id)):
                current[record_id] = found
        return current

    def _alone(self, record_id: int) -> FoundContact | None:
        results, unknown = self._read_ids([record_id])
        if not results and not unknown:
            raise TargetError(
                "HubSpot was asked for a contact by its record id twice and answered without naming it: "
                "nothing is concluded from that, and the run ends. Run again later."
            )
        return next(iter(results), None)

    def _read_ids(self, record_ids: Sequence[int]) -> tuple[list[FoundContact], set[int]]:
        """Return the contacts found, and the ids that HubSpot says do not exist."""
        body = {
            "properties": self._properties,
            "propertiesWithHistory": [],
            "inputs": [{"id": str(record_id)} for record_id in record_ids],
        }
        try:
            answer = self._client.post(f"{self._base}/read", body)
        except MissingScopes:
            raise
        except Refused as refused:
            if self._does_without_reads and refused.status == FORBIDDEN:  # by whatever name
                raise MissingScopes(refused.call, refused.status, refused.body) from refused
            raise
        return parse_ids(record_ids, answer)

    def wait(self, seconds: float) -> None:
        """Wait before something is asked again."""
        self._client.wait(seconds)

    def concurrently(self, jobs: deque[Callable[[], ContactResults]]) -> Iterator[ContactResults]:
        """Run jobs side by side; more may be put into the queue while the results are read."""
        return concurrently(_Queue(jobs), workers=self._workers)


class _Queue:
    """Takes jobs out of a queue; jobs may be added after it was empty, since it is asked again."""

    def __init__(self, jobs: deque[Callable[[], ContactResults]]) -> None:
        self._jobs = jobs

    def __iter__(self) -> _Queue:
        return self

    def __next__(self) -> Callable[[], ContactResults]:
        if not self._jobs:
            raise StopIteration
        return self._jobs.popleft()
