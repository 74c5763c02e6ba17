"""What can become of a membership, and why one is rejected: the words that log, report and documents share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Collection

    from hubspot_singer.http import ErrorBody, Refused


class Outcome(StrEnum):
    """What became of a membership that was asked for."""

    ADDED = "added"
    REMOVED = "removed"
    ALREADY_MEMBER = "already_member"
    NOT_A_MEMBER = "not_a_member"
    UNCONFIRMED = "unconfirmed"
    MISSING = "missing"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    DROPPED = "dropped"


class Seen(Enum):
    """What is known of a membership that was asked for, from HubSpot's answer or from the journal."""

    CHANGED = auto()  # HubSpot named it as added, or as removed
    ON_LIST = auto()
    NOT_ON_LIST = auto()
    NOT_NAMED = auto()  # HubSpot took the call: the contact was as asked already, or has yet to show
    NO_CONTACT = auto()
    REFUSED = auto()
    HELD_BACK = auto()


def outcome_of(seen: Seen, *, is_member: bool, is_sent: bool = True) -> Outcome:
    """Return the outcome of a membership; `is_member` says what was asked.

    `is_sent` says that HubSpot accepted the change: then a list that is not as asked has dropped it. Else the outcome
    is what a real run would bring about.
    """
    if seen is Seen.CHANGED:
        return Outcome.ADDED if is_member else Outcome.REMOVED
    if seen in _AS_LISTED:
        is_as_asked = (seen is Seen.ON_LIST) == is_member
        if is_as_asked:
            return Outcome.ALREADY_MEMBER if is_member else Outcome.NOT_A_MEMBER
        return Outcome.DROPPED if is_sent else outcome_of(Seen.CHANGED, is_member=is_member)
    return _OTHERWISE[seen]


_AS_LISTED = frozenset({Seen.ON_LIST, Seen.NOT_ON_LIST})
_OTHERWISE = {
    Seen.NOT_NAMED: Outcome.UNCONFIRMED,
    Seen.NO_CONTACT: Outcome.MISSING,
    Seen.REFUSED: Outcome.REJECTED,
    Seen.HELD_BACK: Outcome.SKIPPED,
}


UNAPPLIED = frozenset({Outcome.MISSING, Outcome.REJECTED, Outcome.SKIPPED, Outcome.DROPPED})


def is_applied(outcome: Outcome, *, is_member: bool) -> bool:
    """Whether the list is, as far as HubSpot told, as the source asked.

    HubSpot accepted what it left unconfirmed; and nobody is on a list whom HubSpot does not know.
    """
    return outcome not in UNAPPLIED or (outcome is Outcome.MISSING and not is_member)


class Mailability(StrEnum):
    """Whether HubSpot mails a contact, and if not, why; of several reasons the first in this order is told."""

    MAILABLE = "mailable"
    OPTED_OUT = "opted_out"
    BAD_ADDRESS = "bad_address"
    HARD_BOUNCED = "hard_bounced"
    QUARANTINED = "quarantined"
    INELIGIBLE = "ineligible"
    NOT_MARKETING = "not_marketing"


class KnownMailability(NamedTuple):
    """What HubSpot said of a contact, and when, in seconds since 1970."""

    mailability: Mailability
    looked_up: int

    @property
    def is_mailable(self) -> bool:
        """Whether nothing that HubSpot knew spoke against it."""
        return self.mailability is Mailability.MAILABLE


class PropertyOutcome(StrEnum):
    """What became of a contact's properties, where some were to be written."""

    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


class PropertyReason(StrEnum):
    """Why the attributes of a member were rejected; the documents say of each what to do."""

    NOT_TEXT = "not_text"
    TOO_LONG = "too_long"
    NOT_A_NUMBER = "not_a_number"
    NOT_A_BOOL = "not_a_bool"
    NOT_AN_OPTION = "not_an_option"
    NOT_A_DATE = "not_a_date"
    NOT_A_DATETIME = "not_a_datetime"
    REFUSED_BY_HUBSPOT = "refused_by_hubspot"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class PropertyProblem:
    """Why attributes were rejected, and for which property's sake; never the value."""

    reason: PropertyReason
    property: str | None
    correlation_id: str | None = None

    @classmethod
    def by_hubspot(cls, properties: Collection[str], correlation_id: str | None) -> PropertyProblem:
        """What HubSpot said of one contact's properties; not its message, which may hold the value."""
        return cls(PropertyReason.REFUSED_BY_HUBSPOT, min(properties, default=None), correlation_id)


@dataclass(frozen=True, slots=True)
class PropertyResult:
    """What became of one contact's properties."""

    outcome: PropertyOutcome
    problem: PropertyProblem | None = None

    @property
    def packed(self) -> bytes:
        """The same in bytes, for those that are kept on disk."""
        problem = self.problem
        told = (problem.reason, problem.property, problem.correlation_id) if problem else ()
        return orjson.dumps((self.outcome, *told))

    @classmethod
    def unpacked(cls, text: bytes) -> PropertyResult:
        """What was packed."""
        outcome, *told = orjson.loads(text)
        problem = PropertyProblem(PropertyReason(told[0]), *told[1:]) if told else None
        return cls(PropertyOutcome(outcome), problem)


def blamed_properties(body: ErrorBody) -> frozenset[str]:
    """The properties that HubSpot names as what is wrong with an input; none where it names none."""
    contexts = [body.context, *(detail.context for detail in body.errors)]
    return frozenset(name for context in contexts for name in context.get("propertyName", ()))


class Reason(StrEnum):
    """Why a membership was rejected; the documents say of each what to do."""

    MISSING_COHORT = "missing_cohort"
    INVALID_COHORT = "invalid_cohort"
    UNKNOWN_OPERATION = "unknown_operation"
    MISSING_MEMBER = "missing_member"
    INVALID_MEMBER = "invalid_member"
    INVALID_EMAIL = "invalid_email"
    REFUSED_BY_HUBSPOT = "refused_by_hubspot"
    LIST_NOT_WRITABLE = "list_not_writable"
    LIST_REFUSED = "list_refused"
    LIST_UNREADABLE = "list_unreadable"
    LIST_LOCKED = "list_locked"
    LIST_GONE = "list_gone"
    LIST_ABSENT = "list_absent"
    TOO_MANY_NEW_LISTS = "too_many_new_lists"
    LIST_NAME_TAKEN = "list_name_taken"


# Reasons that concern a whole list: its members share them, and no member can be corrected to be rid of them.
LIST_REASONS = frozenset(
    {
        Reason.LIST_NOT_WRITABLE,
        Reason.LIST_REFUSED,
        Reason.LIST_UNREADABLE,
        Reason.LIST_LOCKED,
        Reason.LIST_GONE,
        Reason.LIST_ABSENT,
        Reason.TOO_MANY_NEW_LISTS,
        Reason.LIST_NAME_TAKEN,
    }
)


@dataclass(frozen=True)
class Refusal:
    """Why one member was rejected; `message` is in full, for the report only."""

    reason: Reason
    message: str
    correlation_id: str | None = None
    properties: frozenset[str] = frozenset()  # that HubSpot names as what is wrong

    @classmethod
    def by_hubspot(cls, refused: Refused) -> Refusal:
        """What HubSpot answered for one member that stood alone."""
        return cls(
            Reason.REFUSED_BY_HUBSPOT,
            refused.message or str(refused.status),
            refused.correlation_id,
            blamed_properties(refused.body),
        )
