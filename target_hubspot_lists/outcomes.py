"""Outcomes of memberships and properties, and reasons of rejections: the names in log, report and documents."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Collection

    from hubspot_singer.http import ErrorBody, Refused


class Outcome(StrEnum):
    """The outcome of one membership that was asked for."""

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
    """What HubSpot's answer, or the journal, says of a membership that was asked for."""

    CHANGED = auto()  # HubSpot named it as added, or as removed
    ON_LIST = auto()
    NOT_ON_LIST = auto()
    # HubSpot accepted the call: the contact was as asked already, or the list does not show it yet.
    NOT_NAMED = auto()
    NO_CONTACT = auto()
    REFUSED = auto()


def outcome_of(seen: Seen, *, is_member: bool, is_sent: bool = True) -> Outcome:
    """Return the outcome of a membership; `is_member` says whether an add or a removal was asked.

    `is_sent` says that HubSpot accepted the change: then a list that is not as asked has dropped it. Else the outcome
    is that of a real run.
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
}


UNAPPLIED = frozenset({Outcome.MISSING, Outcome.REJECTED, Outcome.SKIPPED, Outcome.DROPPED})


def is_applied(outcome: Outcome, *, is_member: bool) -> bool:
    """Return whether the list is, by HubSpot's answers, as the source asked.

    HubSpot accepted an unconfirmed change. A contact that HubSpot does not have is on no list, so one that was to be
    removed is as asked.
    """
    return outcome not in UNAPPLIED or (outcome is Outcome.MISSING and not is_member)


class Mailability(StrEnum):
    """Whether HubSpot mails a contact, and if not, why; of several reasons the first in this order counts."""

    MAILABLE = "mailable"
    OPTED_OUT = "opted_out"
    BAD_ADDRESS = "bad_address"
    HARD_BOUNCED = "hard_bounced"
    QUARANTINED = "quarantined"
    INELIGIBLE = "ineligible"
    NOT_MARKETING = "not_marketing"


class KnownMailability(NamedTuple):
    """The mailability of a contact, and when HubSpot said so, in seconds since 1970."""

    mailability: Mailability
    looked_up: int

    @property
    def is_mailable(self) -> bool:
        """Whether HubSpot mails the contact."""
        return self.mailability is Mailability.MAILABLE


class PropertyOutcome(StrEnum):
    """The outcome of a contact's properties, if any were to be written."""

    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


class PropertyReason(StrEnum):
    """Why the attributes of a member were rejected; the documents say what to do about each reason."""

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
    """Why attributes were rejected, and because of which property; never has the value."""

    reason: PropertyReason
    property: str | None
    correlation_id: str | None = None

    @classmethod
    def by_hubspot(cls, properties: Collection[str], correlation_id: str | None) -> PropertyProblem:
        """Return HubSpot's refusal of one contact's properties, without its message, which may hold the value."""
        return cls(PropertyReason.REFUSED_BY_HUBSPOT, min(properties, default=None), correlation_id)


@dataclass(frozen=True, slots=True)
class PropertyResult:
    """The outcome of one contact's properties, with the reason of a rejection."""

    outcome: PropertyOutcome
    problem: PropertyProblem | None = None

    @property
    def packed(self) -> bytes:
        """The result in bytes, to be kept on disk."""
        problem = self.problem
        fields = (problem.reason, problem.property, problem.correlation_id) if problem else ()
        return orjson.dumps((self.outcome, *fields))

    @classmethod
    def unpacked(cls, text: bytes) -> PropertyResult:
        """Return the result that was packed."""
        outcome, *fields = orjson.loads(text)
        problem = PropertyProblem(PropertyReason(fields[0]), *fields[1:]) if fields else None
        return cls(PropertyOutcome(outcome), problem)


def blamed_properties(body: ErrorBody) -> frozenset[str]:
    """Return the properties that HubSpot names as the reason of a refusal; none if it names none."""
    contexts = [body.context, *(detail.context for detail in body.errors)]
    return frozenset(name for context in contexts for name in context.get("propertyName", ()))


class Reason(StrEnum):
    """Why a membership was rejected; the documents say what to do about each reason."""

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


# Reasons that concern a whole list: its members share them, and correcting a member does not help.
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
    """Why one member was rejected; `message` is HubSpot's in full, for the report only."""

    reason: Reason
    message: str
    correlation_id: str | None = None
    properties: frozenset[str] = frozenset()  # that HubSpot names as the reason

    @classmethod
    def by_hubspot(cls, refused: Refused) -> Refusal:
        """Return HubSpot's refusal of a call with this one member."""
        return cls(
            Reason.REFUSED_BY_HUBSPOT,
            refused.message or str(refused.status),
            refused.correlation_id,
            blamed_properties(refused.body),
        )
