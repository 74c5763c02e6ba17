"""What a record says: one contact joins or leaves one cohort; and how its values are parsed. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_hubspot_lists.outcomes import Reason

ADD_WORDS = [
    "add",
    "added",
    "insert",
    "insert_update",
    "update",
    "enter",
    "entered",
    "realized",
    "existing",
    "member",
    "true",
    "1",
]
REMOVE_WORDS = ["remove", "removed", "delete", "deleted", "exit", "exited", "left", "false", "0"]
OPERATIONS: Mapping[str, bool] = dict.fromkeys(ADD_WORDS, True) | dict.fromkeys(REMOVE_WORDS, False)

# HubSpot's record ids are 64-bit integers ("long"); a float names one exactly only below 2**53.
LARGEST_RECORD_ID = 2**63 - 1
LARGEST_EXACT_FLOAT = float(2**53 - 1)  # 2**53 itself may have been written as 2**53 + 1
MOST_DIGITS = len(str(LARGEST_RECORD_ID))
DIGITS = re.compile(rf"[0-9]{{1,{MOST_DIGITS}}}(?:\.0+)?", re.ASCII)

# Far longer than a list's name. A Postgres index has room for 2,704 bytes, four of them a character:
# https://www.postgresql.org/docs/current/btree.html
LONGEST_COHORT = 500  # characters
LONGEST_VALUE = 500  # characters, of a value that names a contact: for the same reason
NUL = "\0"  # no address and no name holds it, and Postgres stores no text with it

# Dashes are required: eight digits may as well be a number.
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].+)?", re.ASCII | re.IGNORECASE)

Member = int | str  # a record id, a normalised email address, or the value of a unique property


class Cohort(NamedTuple):
    """A named group upstream; `id` is its stable id where the source has one."""

    id: str | None
    name: str

    @property
    def key(self) -> str:
        """The text by which later runs recognise the cohort: an id and a name that are spelt alike are two cohorts."""
        return f"id {self.id}" if self.id else f"name {self.name}"

    @classmethod
    def from_key(cls, key: str, name: str | None = None) -> Cohort:
        """Return the cohort of a key; if the cohort has an id, its name is not in the key."""
        kind, _, text = key.partition(" ")
        return cls(text, name or text) if kind == "id" else cls(None, text)


class Membership(NamedTuple):
    """One parsed record: this member is in the cohort from here on, or is not."""

    cohort: Cohort
    member: Member
    is_member: bool
    cohort_size: int | None = None  # number of members of the cohort, if the source says it


class Rejection(NamedTuple):
    """One record that cannot be applied, and why; `member` is the value as asked, for the report only.

    `hides_a_member`: the record adds a member to the cohort, and the member cannot be read.
    """

    reason: Reason
    cohort: Cohort | None
    member: str
    operation: str
    hides_a_member: bool = False


def says_deleted(value: object) -> bool | None:
    """Return whether `_sdc_deleted_at` says that the row is deleted: a date-time or a date (ISO 8601) does.

    Null, blank, false and 0, also as text, do not: taps and maps write no time in these ways. None for anything else
    ("NaT", an object), which must neither remove nor add a member.
    """
    if value is None or value == 0 or is_blank(value):  # False is 0, too
        return False
    if isinstance(value, date):  # stream_maps can make one
        return True
    if not isinstance(value, str):
        return None
    if value.strip().lower() in {"false", "0"}:
        return False
    return True if iso_moment(value) else None


def iso_moment(text: str) -> datetime | None:
    """Return the moment in UTC that the text names, or None if it names none.

    The text is `YYYY-MM-DD`, alone or with a time behind a `T` or a space. Without a zone it is in UTC.
    """
    text = text.strip()
    if ISO_DATE.fullmatch(text) is None:
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def operation(value: object) -> bool | None:
    """True for a word that adds, False for one that removes, None for anything else."""
    if isinstance(value, bool):
        return value
    text = name_text(value)
    return OPERATIONS.get(text.lower()) if text else None


def positive_integer(value: object) -> int | None:
    """A positive 64-bit integer from an integer, digits or an integral float; None for anything else."""
    if type(value) is int:
        return value if 0 < value <= LARGEST_RECORD_ID else None
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        value = int(value) if value.is_integer() and abs(value) <= LARGEST_EXACT_FLOAT else None
    elif isinstance(value, str):
        # The first is what nearly all are, and decided faster.
        if value.isdigit() and value.isascii() and len(value) <= MOST_DIGITS:
            value = int(value)
        else:
            text = value.strip()
            value = int(text.partition(".")[0]) if DIGITS.fullmatch(text) else None
    return value if isinstance(value, int) and 0 < value <= LARGEST_RECORD_ID else None


record_id = positive_integer  # "long" to HubSpot


def email_address(value: object) -> str | None:
    """The address trimmed and in lower case; None for what has not one `@` with something around it, or has a NUL."""
    if not isinstance(value, str) or NUL in value:
        return None
    text = value.strip().lower()
    local, at, domain = text.partition("@")
    return text if at and local and domain and "@" not in domain else None


def property_value(value: object) -> str | None:
    """The text of a value that names a contact; None for one that is blank, too long, or neither text nor a number."""
    if isinstance(value, float) and not abs(value) <= LARGEST_EXACT_FLOAT:
        return None  # it may have been another number once, and another person's
    text = name_text(value)
    return None if text is None or NUL in text or len(text) > LONGEST_VALUE else text


def name_text(value: object) -> str | None:
    """The trimmed text of a name or id; None for blank, null and what is neither text nor a number."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def is_blank(value: object) -> bool:
    """Return whether a value is empty: null, or blank text."""
    return value is None or (isinstance(value, str) and not value.strip())


def as_asked(value: object) -> str:
    """Return the value for the report, cut off: a nested value may be long, and is no member."""
    return "" if value is None else str(value)[:320]
