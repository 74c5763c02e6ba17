"""What a record says: one contact joins or leaves one cohort. Pure: nothing is asked, nothing is sent."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from target_hubspot_lists.errors import InputError
from target_hubspot_lists.input.date_times import iso_moment
from target_hubspot_lists.outcomes import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from target_hubspot_lists.settings import MatchBy, Settings

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
DIGITS = re.compile(r"[0-9]{1,19}(?:\.0+)?", re.ASCII)

# Far longer than a list's name. A Postgres index has room for 2,704 bytes, four of them a character:
# https://www.postgresql.org/docs/current/btree.html
LONGEST_COHORT = 500  # characters
NUL = "\0"  # no address and no name holds it, and Postgres stores no text with it

DELETED_AT = "_sdc_deleted_at"  # https://sdk.meltano.com/en/latest/implementation/record_metadata.html

Member = int | str  # a record id, or a normalised email address


class Cohort(NamedTuple):
    """A named group upstream; `id` is its stable id where the source has one."""

    id: str | None
    name: str

    @property
    def key(self) -> str:
        """By what it is known again in later runs: an id and a name that are spelt alike are two cohorts."""
        return f"id {self.id}" if self.id else f"name {self.name}"

    @classmethod
    def from_key(cls, key: str, name: str | None = None) -> Cohort:
        """The cohort that a key stands for; its name, where it has an id, is not in the key."""
        kind, _, text = key.partition(" ")
        return cls(text, name or text) if kind == "id" else cls(None, text)


class Membership(NamedTuple):
    """One record, understood: this member is in the cohort from here on, or is not."""

    cohort: Cohort
    member: Member
    is_member: bool
    cohort_size: int | None = None  # how many the cohort has, where the source says it


class Rejection(NamedTuple):
    """One record that cannot be applied, and why; `member` is the value as asked, for the report only.

    `hides_a_member`: it says that somebody is in the cohort, and not in a usable way who.
    """

    reason: Reason
    cohort: Cohort | None
    member: str
    operation: str
    hides_a_member: bool = False


@dataclass(frozen=True)
class Columns:
    """Where a stream's records say what; None where the stream has no such column."""

    member: str
    cohort: str | None
    cohort_id: str | None
    operation: str | None
    deleted_at: str
    cohort_size: str | None
    can_remove: bool

    @classmethod
    def find(cls, stream: str, names: Sequence[str], settings: Settings) -> Columns:
        """Find the columns in a stream's schema; raise InputError if one that must be there is not."""

        def named(setting: str | None, setting_name: str, default: str) -> str | None:
            found = find_column(setting or default, names, stream)
            if setting and not found:
                raise absent_column(setting, names, stream, f"Name one of them in {setting_name}.")
            return found

        default_member = settings.match_by
        member = named(settings.match_field, "match_field", default_member)
        if member is None:
            raise absent_column(
                default_member, names, stream, "Name the column that holds the member in match_field."
            )
        operation = named(settings.operation_field, "operation_field", "operation")
        deleted_at = find_column(DELETED_AT, names, stream)
        return cls(
            member=member,
            cohort=named(settings.cohort_field, "cohort_field", "cohort_name"),
            cohort_id=named(settings.cohort_id_field, "cohort_id_field", "cohort_id"),
            operation=operation,
            deleted_at=deleted_at or DELETED_AT,
            cohort_size=named(settings.cohort_size_field, "cohort_size_field", "cohort_size"),
            can_remove=bool(operation or deleted_at),
        )


def find_column(name: str, names: Sequence[str], stream: str) -> str | None:
    """The column of that name: exactly, else without regard to case (Snowflake shouts)."""
    if name in names:
        return name
    alike = [each for each in names if each.lower() == name.lower()]
    if len(alike) > 1:
        raise InputError(
            f'Stream "{stream}" has no column "{name}" but {" and ".join(alike)}: '
            "write the one you mean in the setting as the stream spells it."
        )
    return alike[0] if alike else None


def absent_column(name: str, names: Sequence[str], stream: str, advice: str) -> InputError:
    """The error for a column that must be there: it names those that are, and the nearest."""
    near = difflib.get_close_matches(name.lower(), [each.lower() for each in names], n=1)
    nearest = next((each for each in names if near and each.lower() == near[0]), None)
    hint = f' The nearest is "{nearest}".' if nearest else ""
    return InputError(
        f'Stream "{stream}" has no column "{name}"; '
        f"its columns are: {', '.join(sorted(names)) or 'none'}.{hint} {advice}"
    )


class MembershipParser:
    """Reads one stream's records."""

    def __init__(self, stream: str, columns: Columns, match_by: MatchBy) -> None:
        self._stream = Cohort(None, stream)
        self._columns = columns
        self._parse_member = email_address if match_by == "email" else record_id

    @property
    def stream_cohort(self) -> Cohort | None:
        """The cohort that the whole stream is; None where a column names the cohort."""
        return None if self._columns.cohort or self._columns.cohort_id else self._stream

    def parse(self, record: Mapping[str, Any]) -> Membership | Rejection:
        """Return what the record says, or why nothing can be done with it."""
        columns = self._columns
        raw_member = record.get(columns.member)
        cohort = self._cohort(record)
        if cohort is None:
            return self._reject(Reason.MISSING_COHORT, None, record)
        if not all(map(_is_usable, cohort)):
            return self._reject(Reason.INVALID_COHORT, None, record)
        is_member = self._is_member(record)
        if is_member is None:
            return self._reject(Reason.UNKNOWN_OPERATION, cohort, record)
        member = self._parse_member(raw_member)
        if member is None:
            reason = Reason.MISSING_MEMBER if _is_blank(raw_member) else Reason.INVALID_MEMBER
            return self._reject(reason, cohort, record)._replace(hides_a_member=is_member)
        size_column = columns.cohort_size
        return Membership(
            cohort, member, is_member, positive_integer(record.get(size_column)) if size_column else None
        )

    def _reject(self, reason: Reason, cohort: Cohort | None, record: Mapping[str, Any]) -> Rejection:
        return Rejection(
            reason, cohort, _as_asked(record.get(self._columns.member)), self._operation_as_asked(record)
        )

    def _operation_as_asked(self, record: Mapping[str, Any]) -> str:
        columns = self._columns
        deleted_at = record.get(columns.deleted_at)
        is_deleted = says_deleted(deleted_at)
        if is_deleted is None:
            return _as_asked(deleted_at)
        asked = record.get(columns.operation) if columns.operation else "add"
        return "remove" if is_deleted else _as_asked(asked)

    def _cohort(self, record: Mapping[str, Any]) -> Cohort | None:
        name_column, id_column = self._columns.cohort, self._columns.cohort_id
        cohort_id = _text(record.get(id_column)) if id_column else None
        if name_column:
            name = _text(record.get(name_column))
            return Cohort(cohort_id, name) if name else None
        if id_column:
            return Cohort(cohort_id, cohort_id) if cohort_id else None
        return self._stream

    def _is_member(self, record: Mapping[str, Any]) -> bool | None:
        columns = self._columns
        is_deleted = says_deleted(record.get(columns.deleted_at))
        if is_deleted is not False:
            return False if is_deleted else None
        if columns.operation is None:
            return True
        return operation(record.get(columns.operation))


def says_deleted(value: object) -> bool | None:
    """Whether `_sdc_deleted_at` says that the row is gone: a date-time or a date (ISO 8601) does.

    Null, blank, false and 0, also as text, do not: so do taps and maps write that there is no such time. None for
    anything else ("NaT", an object), which must neither remove nor add anybody.
    """
    if value is None or value is False or value == 0 or _is_blank(value):
        return False
    if isinstance(value, date):  # stream_maps can make one
        return True
    if not isinstance(value, str):
        return None
    if value.strip().lower() in {"false", "0"}:
        return False
    return True if iso_moment(value) else None


def operation(value: object) -> bool | None:
    """True for a word that adds, False for one that removes, None for anything else."""
    if isinstance(value, bool):
        return value
    text = _text(value)
    return OPERATIONS.get(text.lower()) if text else None


def positive_integer(value: object) -> int | None:
    """A positive 64-bit integer from an integer, digits or an integral float; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        value = int(value) if value.is_integer() and abs(value) <= LARGEST_EXACT_FLOAT else None
    elif isinstance(value, str):
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


def _text(value: object) -> str | None:
    """The trimmed text of a name or id; None for blank, null and what is neither text nor a number."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _is_usable(name: str | None) -> bool:
    """Whether a cohort's name or id, if there is one, can be a list's name and a key of a ledger."""
    return name is None or (NUL not in name and len(name) <= LONGEST_COHORT)


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _as_asked(value: object) -> str:
    """The value as the report shows it; short, for a nested value is no member."""
    return "" if value is None else str(value)[:320]


class Fold:
    """The last word on each member of one list: the last record in stream order wins."""

    __slots__ = ("_last_word", "superseded")

    def __init__(self) -> None:
        # member -> position in the input and the change in one integer: small, for a batch holds many
        self._last_word: dict[Member, int] = {}
        self.superseded = 0

    def __len__(self) -> int:
        return len(self._last_word)

    def take(self, member: Member, *, is_member: bool, position: int) -> bool:
        """Take a membership; say whether the member is new to the fold. Positions must ascend."""
        is_new = member not in self._last_word
        self.superseded += not is_new
        self._last_word[member] = position << 1 | is_member
        return is_new

    def __iter__(self) -> Iterator[tuple[Member, bool, int]]:
        """Each member with whether it is to be on the list, and the position of the record that says so."""
        for member, word in self._last_word.items():
            yield member, bool(word & 1), word >> 1
