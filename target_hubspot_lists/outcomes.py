"""What became of each membership: every one ends in exactly one outcome, and the accounts must balance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from target_hubspot_lists.errors import AccountsError


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


class Reason(StrEnum):
    """Why a membership was rejected."""

    MISSING_COHORT = "missing_cohort"
    UNKNOWN_OPERATION = "unknown_operation"
    MISSING_MEMBER = "missing_member"
    INVALID_MEMBER = "invalid_member"
    INVALID_EMAIL = "invalid_email"
    REFUSED_BY_HUBSPOT = "refused_by_hubspot"


@dataclass
class ListTally:
    """The accounts of one list: what was read for it, and what became of it."""

    label: str
    list_id: str | None = None
    records_read: int = 0
    superseded: int = 0
    calls: int = 0
    seconds: float = 0.0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    reasons: Counter[Reason] = field(default_factory=Counter)

    @property
    def asked(self) -> int:
        """Memberships asked for: records read, less those that a later record replaced."""
        return self.records_read - self.superseded

    def check(self) -> None:
        """Raise AccountsError unless every membership asked for has exactly one outcome."""
        if (ended := self.outcomes.total()) != self.asked:
            raise AccountsError(
                f'The accounts of list "{self.label}" do not balance: {self.asked} memberships asked for, '
                f"{ended} outcomes. This is a bug: please report it with the log of this run."
            )


@dataclass
class StreamTally:
    """Records of one stream that could not be counted to a list."""

    can_remove: bool = True
    reasons: Counter[Reason] = field(default_factory=Counter)
