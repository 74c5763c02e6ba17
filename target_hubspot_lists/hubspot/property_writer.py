"""Writes properties of contacts, 100 contacts in one call, and reads which properties have a value already."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from hubspot_singer.http import (
    Conflict,
    InvalidRequest,
    MissingScopes,
    NotFound,
    TooLarge,
    concurrently,
    parsed,
    reference,
    required_id,
)
from target_hubspot_lists.errors import TargetError
from target_hubspot_lists.hubspot.batching import batch_errors, in_batches
from target_hubspot_lists.hubspot.refusals import (
    MAX_REFUSED_WITHOUT_SUCCESS,
    RefusalLimit,
    RefusedCall,
    isolate,
)
from target_hubspot_lists.outcomes import PropertyProblem, PropertyReason, blamed_properties

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from hubspot_singer.http import Answer, HubSpotClient, Refused
    from target_hubspot_lists.hubspot.batching import BatchError
    from target_hubspot_lists.hubspot.contacts import Contacts

NOT_FOUND = "OBJECT_NOT_FOUND"


@dataclass(frozen=True)
class Update:
    """The properties to write of one contact: its attributes, and the properties that this target owns."""

    record_id: int
    attributes: Mapping[str, str]
    statuses: Mapping[str, str]

    @property
    def texts(self) -> Mapping[str, str]:
        """All properties to write, by name."""
        return {**self.attributes, **self.statuses}


@dataclass
class UpdateResults:
    """The result of updates: for each contact what was written, or why not."""

    texts: dict[int, Mapping[str, str]] = field(default_factory=dict)
    problems: dict[int, PropertyProblem] = field(default_factory=dict)
    missing: set[int] = field(default_factory=set)
    unanswered: dict[int, str | None] = field(default_factory=dict)  # with the answer's correlation id

    @property
    def in_doubt(self) -> set[int]:
        """The record ids that HubSpot did not answer for, or does not know."""
        return self.missing | self.unanswered.keys()

    def under(self, record_ids: Mapping[int, int]) -> UpdateResults:
        """Return the same results by other record ids; `record_ids` holds the new id of each id."""
        return UpdateResults(
            {record_ids[record_id]: texts for record_id, texts in self.texts.items()},
            {record_ids[record_id]: problem for record_id, problem in self.problems.items()},
            {record_ids[record_id] for record_id in self.missing},
            {record_ids[record_id]: correlation_id for record_id, correlation_id in self.unanswered.items()},
        )

    def include(self, other: UpdateResults) -> UpdateResults:
        """Add the results of other updates, or of the same ones tried again."""
        self.texts |= other.texts
        self.problems |= other.problems
        self.missing |= other.missing
        self.unanswered |= other.unanswered
        return self


class PropertyWriter:
    """Writes properties of existing contacts, several calls at once."""

    def __init__(self, client: HubSpotClient, contacts: Contacts, *, workers: int) -> None:
        self._client = client
        self._contacts = contacts
        self._workers = workers
        self._base = f"{client.base('crm/objects')}/contacts/batch"
        self._refusal_limit = RefusalLimit()

    def write(self, updates: Sequence[Update]) -> Iterator[UpdateResults]:
        """Write them, and yield the results call by call; no contact may be in two updates."""
        jobs = (partial(self._write, batch) for batch in in_batches(updates))
        return concurrently(jobs, workers=self._workers)

    def filled(self, record_ids: Collection[int], names: Sequence[str]) -> Mapping[int, frozenset[str]]:
        """Return by record id which properties have a value; contacts that HubSpot does not know are left out."""
        jobs = (partial(self._read, batch, names) for batch in in_batches(record_ids))
        found: dict[int, frozenset[str]] = {}
        for part in concurrently(jobs, workers=self._workers):
            found |= part
        return found

    def _write(self, updates: Sequence[Update]) -> UpdateResults:
        """Write a batch; if a contact's attributes are refused, its audience statuses are written without them."""
        written = self._write_in_doubt(updates, isolate(updates, self._attempt))
        again = [
            Update(update.record_id, {}, update.statuses)
            for update in updates
            if update.record_id in written.problems and update.attributes and update.statuses
        ]
        return written.include(isolate(again, self._attempt)) if again else written

    def _write_in_doubt(self, updates: Sequence[Update], written: UpdateResults) -> UpdateResults:
        """Write contacts again that HubSpot did not answer for or did not know, under their current record ids.

        A merged contact whose other id is in the batch as well is not written twice: its membership leads to that id.
        """
        if not written.in_doubt:
            return written
        asked = {each.record_id for each in updates}
        old_ids: dict[int, int] = {}
        for old, new in self._current_ids(written.in_doubt).items():
            if new == old or new not in asked:
                old_ids.setdefault(new, old)
        by_id = {each.record_id: each for each in updates}
        again = [replace(by_id[old], record_id=new) for new, old in old_ids.items()]
        result = isolate(again, self._attempt).under(old_ids) if again else UpdateResults()
        for record_id in result.missing:  # though a read has just found it
            result.problems[record_id] = PropertyProblem(PropertyReason.REFUSED_BY_HUBSPOT, None)
        result.missing = written.missing.difference(old_ids.values())
        silent = {each: written.unanswered[each] for each in written.unanswered.keys() - old_ids.values()}
        for record_id, correlation_id in (silent | result.unanswered).items():
            result.problems[record_id] = PropertyProblem(PropertyReason.UNANSWERED, None, correlation_id)
        result.unanswered = {}
        written.missing, written.unanswered = set(), {}
        return written.include(result)

    def _current_ids(self, record_ids: Collection[int]) -> Mapping[int, int]:
        """Return the ids that contacts have now; none of them where the token may not read contacts."""
        try:
            return dict(self._contacts.current_ids(sorted(record_ids)))
        except MissingScopes:
            return {}

    def _attempt(self, updates: Sequence[Update], _: RefusedCall | None) -> UpdateResults | RefusedCall:
        # https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide
        # No idProperty: record ids alone are taken. The trace id gives each input an outcome of its own.
        inputs = [
            {
                "id": str(update.record_id),
                "properties": update.texts,
                "objectWriteTraceId": str(update.record_id),
            }
            for update in updates
        ]
        try:
            answer = self._client.post(f"{self._base}/update", {"inputs": inputs})
        except (InvalidRequest, Conflict, TooLarge, NotFound) as refused:
            return RefusedCall(refused) if len(updates) > 1 else self._refuse(updates[0], refused)
        written = parse_update(updates, answer)
        if written.texts:
            self._refusal_limit.accepted()
        return written

    def _refuse(self, update: Update, refused: Refused) -> UpdateResults:
        if isinstance(refused, NotFound):
            return UpdateResults(missing={update.record_id})
        if self._refusal_limit.refused():
            raise _refused_for_all(refused)
        problem = PropertyProblem.by_hubspot(blamed_properties(refused.body), refused.correlation_id)
        return UpdateResults(problems={update.record_id: problem})

    def _read(self, record_ids: Sequence[int], names: Sequence[str]) -> Mapping[int, frozenset[str]]:
        """Read a batch; a contact that is neither answered nor named as unknown is read again alone."""
        found, unanswered = self._ask(record_ids, names)
        for record_id in unanswered:
            again, still = self._ask([record_id], names)
            if still:
                raise TargetError(
                    "HubSpot was asked for a contact's properties twice and answered without naming it: "
                    "nothing is concluded from that, and the run ends. Run again later."
                )
            found |= again
        return found

    def _ask(
        self, record_ids: Sequence[int], names: Sequence[str]
    ) -> tuple[dict[int, frozenset[str]], list[int]]:
        # https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/batch/get-contacts
        body = {
            "properties": list(names),
            "propertiesWithHistory": [],
            "inputs": [{"id": str(each)} for each in record_ids],
        }
        answer = self._client.post(f"{self._base}/read", body)
        found, errors = parsed(answer, partial(_filled_and_errors, names=names))
        if len(record_ids) == 1 and len(found) == 1:
            found = dict.fromkeys(record_ids, *found.values())  # merged contacts answer under another id
        unknown = {name for each in errors if each.category == NOT_FOUND for name in each.named}
        unanswered = [each for each in record_ids if each not in found and str(each) not in unknown]
        return {each: found[each] for each in record_ids if each in found}, unanswered


def _refused_for_all(refused: Refused) -> TargetError:
    """Return the error if HubSpot refuses every contact; without its message, which may quote a value."""
    answer = " ".join(filter(None, (str(refused.status), refused.category)))
    return TargetError(
        f"HubSpot refused the properties of {MAX_REFUSED_WITHOUT_SUCCESS} contacts one by one and took none "
        f"({answer}){reference(refused.correlation_id)}: check "
        "property_mappings[] and the rules that the portal has for these properties."
    )


def filled_properties(contact: Mapping[str, Any], names: Collection[str]) -> frozenset[str]:
    """Which of these properties have a value in an answer's contact (SimplePublicObject)."""
    texts = contact.get("properties") or {}
    return frozenset(name for name in names if texts.get(name))


def _filled_and_errors(
    body: Mapping[str, Any], names: Collection[str]
) -> tuple[dict[int, frozenset[str]], list[BatchError]]:
    filled = {required_id(each["id"]): filled_properties(each, names) for each in body.get("results") or ()}
    return filled, batch_errors(body)


def parse_update(updates: Sequence[Update], answer: Answer) -> UpdateResults:
    """Parse the answer of batch/update: the result of each input, or that HubSpot did not name it."""
    written = UpdateResults()
    done, errors = parsed(answer, _done_and_errors)
    for update in updates:
        name = str(update.record_id)
        error = next((each for each in errors if name in each.named), None)
        if name in done:
            written.texts[update.record_id] = update.texts
        elif error is not None and error.category == NOT_FOUND:
            written.missing.add(update.record_id)
        elif error is not None:
            written.problems[update.record_id] = PropertyProblem.by_hubspot(
                error.properties, answer.correlation_id
            )
        else:
            written.unanswered[update.record_id] = answer.correlation_id
    return written


def _done_and_errors(body: Mapping[str, Any]) -> tuple[set[str], list[BatchError]]:
    results = body.get("results") or ()
    done = {str(each[key]) for each in results for key in ("objectWriteTraceId", "id") if each.get(key)}
    return done, batch_errors(body)
