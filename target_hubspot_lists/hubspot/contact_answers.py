"""Parses HubSpot's answers about contacts: the contact of an identifier, or why there is none. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from hubspot_singer.http import parsed, required_id
from target_hubspot_lists.hubspot.batching import batch_errors
from target_hubspot_lists.hubspot.spellings import answered_as
from target_hubspot_lists.identifiers import EMAIL, RECORD_ID
from target_hubspot_lists.outcomes import Mailability, Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hubspot_singer.http import Answer
    from target_hubspot_lists.hubspot.batching import BatchError
    from target_hubspot_lists.hubspot.refusals import Doubt

# Asked for in every look-up: under what other addresses and record ids a contact is known.
IDENTIFIERS = ("email", "hs_additional_emails", "hs_merged_object_ids")

OPT_OUT = "hs_email_optout"
BAD_ADDRESS = "hs_email_bad_address"
HARD_BOUNCE = "hs_email_hard_bounce_reason_enum"
QUARANTINED = "hs_email_quarantined"
INELIGIBLE = "hs_email_is_ineligible"
MARKETABLE = "hs_marketable_status"
# What says whether HubSpot mails a contact: https://knowledge.hubspot.com/properties/hubspots-default-contact-properties
MAILABILITY_PROPERTIES = (OPT_OUT, BAD_ADDRESS, HARD_BOUNCE, QUARANTINED, INELIGIBLE, MARKETABLE)

# HubSpot answers with these values as they were asked for, but for their case.
STANDARD = frozenset({EMAIL, RECORD_ID})

UNSAID = "HubSpot did not say what became of this input."


@dataclass(frozen=True)
class FoundContact:
    """One contact of an answer, with every address it goes by, in lower case.

    `identifiers` are the texts by which it can have been asked for: addresses, record ids, or the value of the unique
    property that was asked by. `merged` are the record ids that merges retired and that stand for this contact now.
    """

    record_id: int
    identifiers: frozenset[str]
    merged: frozenset[int]
    trace_id: str
    filled: frozenset[str]
    properties: Mapping[str, object] = field(compare=False, repr=False)  # as they came

    @property
    def mailability(self) -> Mailability:
        """Whether HubSpot mails the contact; its properties must have been asked for."""
        return mailability_of(self.properties)

    @classmethod
    def from_body(cls, body: Mapping[str, Any], read: Collection[str] = (), by: str = EMAIL) -> FoundContact:
        """Parse a SimplePublicObject; its id is trusted, since merged contacts answer under another one.

        `by` is the property by which it was asked for.
        """
        properties = body.get("properties") or {}
        record_id = required_id(body["id"])
        texts = (properties.get("hs_merged_object_ids") or "").split(";")
        merged = frozenset(int(each) for each in texts if each.strip().isdecimal()) - {record_id}
        if by == EMAIL:
            others = (properties.get("hs_additional_emails") or "").split(";")
            identifiers = {str(each).strip().lower() for each in (properties.get("email") or "", *others)}
        elif by == RECORD_ID:
            identifiers = {str(each) for each in (record_id, *merged)}
        else:
            identifiers = {str(properties.get(by) or "").strip()}
        return cls(
            record_id,
            frozenset(identifiers - {""}),
            merged,
            str(body.get("objectWriteTraceId")),
            frozenset(name for name in read if properties.get(name)),
            properties,
        )


@dataclass
class ContactResults:
    """What one call, or its halves, settled, and what is still to be read or created; by address or other value."""

    found: dict[str, int] = field(default_factory=dict)
    created: dict[str, int] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    refused: dict[str, Refusal] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)  # those of the refused that were to be looked up
    # To be looked up, and refused: the value is at fault, or HubSpot refuses every look-up.
    doubtful: dict[str, Doubt] = field(default_factory=dict)
    # Not created, since HubSpot says that they exist, or says nothing: to be read again.
    conflicts: dict[str, Refusal] = field(default_factory=dict)
    # Conflicts for the second time: the read in between did not find them.
    taken: dict[str, Refusal] = field(default_factory=dict)
    filled: dict[int, frozenset[str]] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)  # record ids that were retired, with today's
    mailability: dict[int, Mailability] = field(default_factory=dict)  # where it was asked for

    @property
    def addresses(self) -> int:
        """Return how many addresses were sent."""
        settled = (self.found, self.created, self.unknown, self.refused)
        left = (self.unanswered, self.doubtful, self.conflicts, self.taken)
        return sum(map(len, settled)) + sum(map(len, left))

    def include(self, other: ContactResults) -> ContactResults:
        """Add the results of another call."""
        self.found |= other.found
        self.created |= other.created
        self.unknown += other.unknown
        self.unanswered += other.unanswered
        self.refused |= other.refused
        self.unread |= other.unread
        self.doubtful |= other.doubtful
        self.conflicts |= other.conflicts
        self.taken |= other.taken
        self.filled |= other.filled
        self.merged |= other.merged
        self.mailability |= other.mailability
        return self


def retired(current: Mapping[int, int]) -> dict[int, int]:
    """Return those record ids that merges retired, with the current ids; `current` is the current id of each."""
    return {old: new for old, new in current.items() if old != new}


def parse_read(
    by: str,
    asked: Sequence[str],
    answer: Answer,
    read: Collection[str] = (),
    *,
    has_mailability: bool = False,
) -> ContactResults:
    """Parse the answer of batch/read by a property: each value is found, unknown, refused or unanswered."""
    contacts, errors = parsed(answer, partial(_results_and_errors, read=read, by=by))
    results = ContactResults(
        filled={found.record_id: found.filled for found in contacts} if read else {},
        merged={old: found.record_id for found in contacts for old in found.merged},
        mailability={found.record_id: found.mailability for found in contacts} if has_mailability else {},
    )
    record_ids = {value: found.record_id for found in contacts for value in found.identifiers}
    named = {name: error for error in reversed(errors) for name in error.named}
    if by in STANDARD:
        spelt = {value: value for value in asked}
        named = {name.lower(): error for name, error in named.items()}
    else:
        spelt = answered_as(asked, record_ids, named)
    if len(asked) == len(contacts) + len(errors) == 1:
        # One asked, one answered, however HubSpot spells it.
        spelt = {asked[0]: asked[0]}
        record_ids = dict.fromkeys(asked, contacts[0].record_id) if contacts else {}
        named = dict.fromkeys(asked, errors[0]) if errors else {}
    for value in asked:
        name = spelt.get(value, "")
        record_id, error = record_ids.get(name), named.get(name)
        if record_id is not None:
            results.found[value] = record_id
        elif error is not None and error.category == "OBJECT_NOT_FOUND":
            results.unknown.append(value)
        elif error is not None and error.category == "VALIDATION_ERROR":
            results.refused[value] = Refusal(Reason.REFUSED_BY_HUBSPOT, error.message, answer.correlation_id)
            results.unread.add(value)
        else:
            results.unanswered.append(value)  # nothing was said, or only that it failed
    return results


def parse_create(
    addresses: Sequence[str], answer: Answer, seen: Mapping[str, Refusal], *, has_mailability: bool = False
) -> ContactResults:
    """Parse the answer of batch/create; addresses with a first conflict, or without an answer, are to be read.

    For a new contact HubSpot answers with the properties that have a value by then.
    """
    results = ContactResults()
    contacts, errors = parsed(answer, _results_and_errors)
    if has_mailability:
        results.mailability = {found.record_id: found.mailability for found in contacts}
    by_trace_id = {found.trace_id: found.record_id for found in contacts}
    by_address = {each: found.record_id for found in contacts for each in found.identifiers}
    # Errors that name no input may concern any input that has no result.
    unnamed = " ".join(dict.fromkeys(each.message for each in errors if not each.trace_ids)) or UNSAID
    for position, address in enumerate(addresses):
        record_id = by_trace_id.get(str(position)) or by_address.get(address)
        error = next((each for each in errors if str(position) in each.trace_ids), None)
        if record_id is not None:
            results.created[address] = record_id
            continue
        message = error.message if error else unnamed
        blamed = error.properties if error else frozenset[str]()
        refusal = Refusal(Reason.REFUSED_BY_HUBSPOT, message, answer.correlation_id, blamed)
        if error is not None and error.category != "CONFLICT":
            results.refused[address] = refusal
        else:
            (results.taken if address in seen else results.conflicts)[address] = refusal
    return results


def parse_ids(record_ids: Collection[int], answer: Answer) -> tuple[list[FoundContact], set[int]]:
    """Parse the answer of batch/read by record id: the contacts found, and the ids that HubSpot says do not exist."""
    results, errors = parsed(answer, _results_and_errors)
    not_found = [each for each in errors if each.category == "OBJECT_NOT_FOUND"]
    if len(record_ids) == len(not_found) == len(results) + len(errors) == 1:
        return results, set(record_ids)  # one asked, one answered
    named = {name for each in not_found for name in each.named}
    return results, {each for each in record_ids if str(each) in named}


def _results_and_errors(
    body: Mapping[str, Any], read: Collection[str] = (), by: str = EMAIL
) -> tuple[list[FoundContact], list[BatchError]]:
    results = [FoundContact.from_body(each, read, by) for each in body.get("results") or ()]
    return results, batch_errors(body)


def mailability_of(properties: Mapping[str, object]) -> Mailability:
    """Return the first obstacle, in the order of `Mailability`, or MAILABLE.

    A property that is absent, null or of an unexpected value is no obstacle.
    """
    obstacles = {
        Mailability.OPTED_OUT: _says(properties, OPT_OUT, "true"),
        Mailability.BAD_ADDRESS: _says(properties, BAD_ADDRESS, "true"),
        Mailability.HARD_BOUNCED: bool(_text(properties, HARD_BOUNCE)),  # any reason
        Mailability.QUARANTINED: _says(properties, QUARANTINED, "true"),
        Mailability.INELIGIBLE: _says(properties, INELIGIBLE, "true"),
        # Portals without marketing contacts have no value here.
        Mailability.NOT_MARKETING: _says(properties, MARKETABLE, "false"),
    }
    return next((each for each, holds in obstacles.items() if holds), Mailability.MAILABLE)


def _says(properties: Mapping[str, object], name: str, word: str) -> bool:
    """Return whether a property has this value; HubSpot writes booleans as text."""
    value = properties.get(name)
    return (str(value) if isinstance(value, bool) else _text(properties, name)).lower() == word


def _text(properties: Mapping[str, object], name: str) -> str:
    value = properties.get(name)
    return value.strip() if isinstance(value, str) else ""
