"""Composes, once for each SCHEMA, the function that reads a stream's records. Pure: nothing is asked or sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from target_hubspot_lists.identifiers import packed
from target_hubspot_lists.input.columns import OPERATION
from target_hubspot_lists.input.records import (
    LONGEST_COHORT,
    NUL,
    OPERATIONS,
    Cohort,
    Membership,
    Rejection,
    as_asked,
    email_address,
    is_blank,
    name_text,
    operation,
    positive_integer,
    property_value,
    record_id,
    says_deleted,
)
from target_hubspot_lists.outcomes import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_hubspot_lists.identifiers import Identifier, MatchBy
    from target_hubspot_lists.input.columns import Columns

Record = Mapping[str, Any]
Parse = Callable[[Record], Membership | Rejection]
NoteUndeclared = Callable[[str], None]  # called with a column that says who leaves, and that no SCHEMA has

# The usual spellings of the operations; any other spelling goes through `operation`.
SPELT_OPERATIONS: Mapping[object, bool] = {
    spelling: is_member
    for word, is_member in OPERATIONS.items()
    for spelling in (word, word.upper(), word.capitalize())
}
READERS: Mapping[MatchBy, Callable[[object], int | str | None]] = {
    "email": email_address,
    "contact_id": record_id,
    "property": property_value,
}
UNDECLARED_OPERATION = OPERATION.upper()  # as Snowflake spells it
MOST_COHORTS = 100_000  # cohorts that are remembered by their text: about 20 MB

# Half the time of `Membership(...)`, and there is one for each record.
_membership: Callable[[tuple[object, ...]], Membership] = partial(tuple.__new__, Membership)


class NoCohort(NamedTuple):
    """Why a record has no usable cohort."""

    reason: Reason


def stream_cohort(stream: str, columns: Columns) -> Cohort | None:
    """Return the one cohort of a whole stream; None if a column names the cohort."""
    return None if columns.cohort or columns.cohort_id else Cohort(None, stream)


def membership_parser(
    stream: str, columns: Columns, identifiers: Sequence[Identifier], note_undeclared: NoteUndeclared
) -> Parse:
    """Return the function that parses a record of the stream into a membership, or into the reason why it is rejected.

    An operation in a record counts also where the SCHEMA has no such column, else a removal would add its member:
    `note_undeclared` is called with each such column of each record. Cohorts repeat: each distinct text of a cohort
    column is parsed once.
    """
    member_of, read_several = READERS[identifiers[0].match_by], _reader_of_several(columns, identifiers)
    member_column, size_column = columns.member, columns.cohort_size
    cohort_column = columns.cohort or columns.cohort_id or ""
    operation_column, deleted_column = columns.operation, columns.deleted_at
    cohorts: dict[object, Cohort] = {}
    cohort_of = _cohort_reader(stream, columns, cohorts)

    def parse(record: Record) -> Membership | Rejection:
        text = record.get(cohort_column)
        cohort = cohorts.get(text) if isinstance(text, str) else None
        if cohort is None:
            found = cohort_of(record)
            if isinstance(found, NoCohort):
                return _rejection(found.reason, None, record, columns)
            cohort = found
        is_member: bool | None
        if record.get(deleted_column) is not None:
            is_member = _noted_change(record, columns, note_undeclared)
        elif operation_column is None:
            is_member, column = True, _undeclared(record)
            if column is not None:
                note_undeclared(column)
                is_member = operation(record[column])
        else:
            word = record.get(operation_column)
            is_member = SPELT_OPERATIONS.get(word) if isinstance(word, str) else None
            if is_member is None:
                is_member = operation(word)
        if is_member is None:
            return _rejection(Reason.UNKNOWN_OPERATION, cohort, record, columns)
        member = read_several(record) if read_several else member_of(record.get(member_column))
        if member is None:
            return _without_member(cohort, record, columns, is_member=is_member)
        size = None if size_column is None else positive_integer(record.get(size_column))
        return _membership((cohort, member, is_member, size))

    return parse


def _reader_of_several(
    columns: Columns, identifiers: Sequence[Identifier]
) -> Callable[[Record], str | None] | None:
    """Return the function that reads a member with several identifiers; None if members have one identifier.

    That function returns None if no identifier can be used.
    """
    if len(identifiers) == 1:
        return None
    readers = [
        (column, READERS[each.match_by]) for column, each in zip(columns.members, identifiers, strict=True)
    ]

    def read(record: Record) -> str | None:
        values = (reader(record.get(column)) for column, reader in readers)
        texts = [None if value is None else str(value) for value in values]
        return packed(texts) if any(texts) else None

    return read


def _cohort_reader(
    stream: str, columns: Columns, by_text: dict[object, Cohort]
) -> Callable[[Record], Cohort | NoCohort]:
    """Return the function that reads a record's cohort; where one column names it, it fills `by_text`."""
    name_column, id_column = columns.cohort, columns.cohort_id
    if name_column and id_column:
        return partial(_cohort_of_two, name_column, id_column, {})
    if whole := stream_cohort(stream, columns):
        return lambda _: whole
    column = name_column or id_column or ""

    def cohort_of(record: Record) -> Cohort | NoCohort:
        text = record.get(column)
        name = name_text(text)
        found = _usable(name if id_column else None, name)
        if isinstance(text, str) and isinstance(found, Cohort) and len(by_text) < MOST_COHORTS:
            by_text[text] = found
        return found

    return cohort_of


def _cohort_of_two(
    name_column: str, id_column: str, known: dict[tuple[object, object], Cohort], record: Record
) -> Cohort | NoCohort:
    """Read a cohort with its name in one column and its id in another."""
    key = record.get(id_column), record.get(name_column)
    # Not booleans: to a dict true is 1, and only 1 can be an id.
    is_plain = type(key[0]) in _PLAIN and type(key[1]) in _PLAIN
    found: Cohort | NoCohort | None = known.get(key) if is_plain else None
    if found is None:
        found = _usable(name_text(key[0]), name_text(key[1]))
        if is_plain and isinstance(found, Cohort) and len(known) < MOST_COHORTS:
            known[key] = found
    return found


_PLAIN = frozenset({str, int, type(None)})


def _usable(cohort_id: str | None, name: str | None) -> Cohort | NoCohort:
    """Return the cohort if it can be a list's name and a key in a ledger."""
    if name is None:
        return NoCohort(Reason.MISSING_COHORT)
    if any(NUL in text or len(text) > LONGEST_COHORT for text in (cohort_id or "", name)):
        return NoCohort(Reason.INVALID_COHORT)
    return Cohort(cohort_id, name)


def _change(record: Record, columns: Columns) -> bool | None:
    """Return whether the record says that the member is in the cohort; None for an unknown operation."""
    is_deleted = says_deleted(record.get(columns.deleted_at))
    if is_deleted is not False:
        return False if is_deleted else None
    column = columns.operation or _undeclared(record)
    return True if column is None else operation(record.get(column))


def _noted_change(record: Record, columns: Columns, note_undeclared: NoteUndeclared) -> bool | None:
    if not columns.can_remove:
        note_undeclared(columns.deleted_at)
    return _change(record, columns)


def _undeclared(record: Record) -> str | None:
    """Return the column of an operation in a record whose SCHEMA has none; None for a record without one."""
    if OPERATION in record:
        return OPERATION
    return UNDECLARED_OPERATION if UNDECLARED_OPERATION in record else None


def _without_member(cohort: Cohort, record: Record, columns: Columns, *, is_member: bool) -> Rejection:
    is_missing = all(is_blank(record.get(column)) for column in columns.members)
    reason = Reason.MISSING_MEMBER if is_missing else Reason.INVALID_MEMBER
    return _rejection(reason, cohort, record, columns)._replace(hides_a_member=is_member)


def _rejection(reason: Reason, cohort: Cohort | None, record: Record, columns: Columns) -> Rejection:
    values = (record.get(each) for each in columns.members)
    member = next((each for each in values if not is_blank(each)), None)
    return Rejection(reason, cohort, as_asked(member), _operation_as_asked(record, columns))


def _operation_as_asked(record: Record, columns: Columns) -> str:
    deleted_at = record.get(columns.deleted_at)
    is_deleted = says_deleted(deleted_at)
    if is_deleted is None:
        return as_asked(deleted_at)
    column = columns.operation or _undeclared(record)
    asked = record.get(column) if column else "add"
    return "remove" if is_deleted else as_asked(asked)


def is_removal(record: Record, columns: Columns) -> bool:
    """Return whether the record removes a member, also if the member cannot be read."""
    return _change(record, columns) is False
