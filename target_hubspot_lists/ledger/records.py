"""What the ledger hands out: lists, runs, states and counts, without a database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True)
class KnownList:
    """A list that the ledger knows, and a cohort that goes to it (None: its cohort goes elsewhere now)."""

    list_id: str
    name: str
    cohort_key: str | None
    stream: str  # which filled it last
    created_by_us: bool
    was_read: bool  # its members were read from HubSpot once
    cohort_name: str | None = None  # the cohort's when its list got its name, if it has an id as well


@dataclass(frozen=True)
class RunLine:
    """What one run did to one list: how many were asked for, and how many came to each outcome."""

    run_id: str
    list_id: str
    stream: str
    started: datetime
    ended: datetime
    asked: int
    outcomes: Mapping[str, int]
    is_complete: bool = True  # all of its input was brought to HubSpot


class State(Enum):
    """Whether a record is on a list; where there is none, that is unknown."""

    ON = "on"
    OFF = "off"


@dataclass(frozen=True)
class Forgotten:
    """How much was deleted of what was known."""

    identifiers: int  # addresses, and values of other properties
    memberships: int
    property_hashes: int
    mailability: int = 0  # of how many contacts it was known whether HubSpot mails them

    @property
    def anything(self) -> bool:
        """Whether there was anything to delete."""
        return any((self.identifiers, self.memberships, self.property_hashes, self.mailability))
