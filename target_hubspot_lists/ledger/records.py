"""What the ledger hands out: lists, states and counts, without a database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


@dataclass(frozen=True)
class KnownList:
    """A list that the ledger knows, and a cohort that goes to it (None: its cohort goes elsewhere now)."""

    list_id: str
    name: str
    cohort_key: str | None
    stream: str  # which filled it last
    created_by_us: bool
    was_read: bool  # its members were read from HubSpot once
    cohort_name: str | None = (
        None  # the cohort's name when its list was named after it; None for a cohort without id
    )


class KeptAdd(NamedTuple):
    """An add that did not apply, and is tried again; `matched_by` says what `member` is: see `match_text`."""

    list_id: str
    matched_by: str
    member: str
    stream: str
    cohort_key: str
    cohort_name: str
    word: int  # sequence number: of two about one list, the later has the larger number


class KnownRemoval(NamedTuple):
    """A removal from a list of which adds are kept."""

    list_id: str
    matched_by: str
    member: str
    record_id: int | None  # None: HubSpot knew no contact
    word: int


class Period(NamedTuple):
    """A time from one moment to another one, both included, in seconds since 1970."""

    since: int
    until: int


class State(Enum):
    """Whether a record is on a list; where there is none, that is unknown."""

    ON = "on"
    OFF = "off"


@dataclass(frozen=True)
class Forgotten:
    """How many rows were deleted, by kind."""

    identifiers: int  # addresses, and values of other properties
    memberships: int
    property_hashes: int
    kept_adds: int = 0  # with the removals noted beside them
    mailability: int = 0  # contacts whose mailability was known
    lists_to_read: int = 0  # that the person was on: the next run on each reads it from HubSpot

    @property
    def anything(self) -> bool:
        """Return whether there was anything to delete."""
        return any(
            (self.identifiers, self.memberships, self.property_hashes, self.kept_adds, self.mailability)
        )
