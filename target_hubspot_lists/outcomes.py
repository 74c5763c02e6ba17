"""What can become of a membership, and why one is rejected: the words that log, report and README share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubspot_http import Refused


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


UNAPPLIED = frozenset({Outcome.MISSING, Outcome.REJECTED, Outcome.SKIPPED, Outcome.DROPPED})


def is_applied(outcome: Outcome, *, is_member: bool) -> bool:
    """Whether the list is, as far as HubSpot told, as the source asked.

    HubSpot accepted what it left unconfirmed; and nobody is on a list whom HubSpot does not know.
    """
    return outcome not in UNAPPLIED or (outcome is Outcome.MISSING and not is_member)


class Reason(StrEnum):
    """Why a membership was rejected; the README says of each what to do."""

    MISSING_COHORT = "missing_cohort"
    UNKNOWN_OPERATION = "unknown_operation"
    MISSING_MEMBER = "missing_member"
    INVALID_MEMBER = "invalid_member"
    INVALID_EMAIL = "invalid_email"
    REFUSED_BY_HUBSPOT = "refused_by_hubspot"


@dataclass(frozen=True)
class Refusal:
    """Why one member was rejected; `message` is in full, for the report only."""

    reason: Reason
    message: str
    correlation_id: str | None = None

    @classmethod
    def by_hubspot(cls, refused: Refused) -> Refusal:
        """What HubSpot answered for one member that stood alone."""
        return cls(Reason.REFUSED_BY_HUBSPOT, refused.message or str(refused.status), refused.correlation_id)
