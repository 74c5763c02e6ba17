"""Builds the records of a stream from HubSpot's objects.

The columns of a stream are compiled once: for each of HubSpot's fields a function that fills its columns. Whatever
has no column, or does not fit its column, is left over; it is kept in the column `extra` and named once in the log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.kinds import LARGEST_INTEGER, TEXT, Fields, Kind, Misfit, Several, snake_case

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from tap_hubspot_email_events.columns import Column
    from tap_hubspot_email_events.kinds import AnyKind

Record = dict[str, Any]
EXTRA = "extra"  # the column of what is left over

NOTHING: Any = object()  # stands for "nothing is left over"; null may be left over
Read = Callable[[Any], tuple[Any, Any]]  # HubSpot's value -> the column's value, and what is left over
Fill = Callable[[Any, Record], Any]  # HubSpot's value, the record to fill -> what is left over


@dataclass(slots=True)
class Notes:
    """The names of fields that have no column, and of those with a value that does not fit. Any thread may add."""

    unknown: set[str] = field(default_factory=set)
    misfits: set[str] = field(default_factory=set)


class RecordBuilder:
    """Builds records that hold the selected columns, all of them, in their order; missing values are null.

    `defaults` are the values of columns for which an object says nothing. The caller fills the columns named in
    `reserved` itself.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        selected: Collection[str] | None = None,
        defaults: Mapping[str, Any] | None = None,
        reserved: Collection[str] = (),
    ) -> None:
        self.notes = Notes()
        chosen = [column for column in columns if selected is None or column.name in selected]
        defaults = defaults or {}
        self._empty = {column.name: defaults.get(column.name) for column in chosen}
        self._keeps_extra = EXTRA in self._empty
        # Most fields are text in one column. They take the shortest way.
        self._texts: dict[str, str] = {}
        self._fills: dict[str, Fill] = {}
        for name, of_field in _by_field(columns).items():
            wanted = [column for column in of_field if column in chosen and column.name not in reserved]
            if len(wanted) == 1 and wanted[0].kind is TEXT and not wanted[0].inner:
                self._texts[name] = wanted[0].name
            self._fills[name] = _fill(name, wanted, of_field, self.notes)

    def build(self, content: Mapping[str, Any]) -> Record:
        """Return the record of one of HubSpot's objects."""
        record = self._empty.copy()
        texts = self._texts
        extra: Record = {}
        for name, value in content.items():
            if type(value) is str and name in texts:
                record[texts[name]] = value
            elif (fill := self._fills.get(name)) is None:
                self.notes.unknown.add(name)
                extra[name] = value
            elif value is not None and (left_over := fill(value, record)) is not NOTHING:
                extra[name] = left_over
        if extra and self._keeps_extra:
            record[EXTRA] = extra
        return record


def _by_field(columns: Iterable[Column]) -> dict[str, list[Column]]:
    """Return the columns of each of HubSpot's top-level fields."""
    by_field: dict[str, list[Column]] = {}
    for column in columns:
        if column.path:
            by_field.setdefault(column.outer, []).append(column)
    return by_field


def _fill(name: str, wanted: Sequence[Column], of_field: Sequence[Column], notes: Notes) -> Fill:
    """Return the function that fills the wanted columns of a field."""
    if any(column.inner for column in of_field):
        return _fill_from_object(name, wanted, of_field, notes)
    reads = [(column.name, _reader(column.kind, column.path, notes)) for column in wanted]
    if len(reads) != 1:
        return _fill_several(reads)
    (column, read), kind = reads[0], wanted[0].kind
    exact = kind.exact if isinstance(kind, Kind) else None

    def fill(value: Any, record: Record) -> Any:  # noqa: ANN401 - JSON
        kind_of_value = type(value)
        if kind_of_value is exact and (kind_of_value is not int or value <= LARGEST_INTEGER):
            record[column] = value
            return NOTHING
        record[column], left_over = read(value)
        return left_over

    return fill


def _fill_several(reads: Sequence[tuple[str, Read]]) -> Fill:
    def fill(value: Any, record: Record) -> Any:  # noqa: ANN401 - JSON
        left_over = NOTHING
        for column, read in reads:
            record[column], not_read = read(value)
            left_over = left_over if not_read is NOTHING else not_read
        return left_over

    return fill


def _fill_from_object(name: str, wanted: Sequence[Column], of_field: Sequence[Column], notes: Notes) -> Fill:
    """Fill columns from the parts of an object, and one from the whole of it if there is such a column."""
    (whole,) = [column.kind for column in of_field if not column.inner] or [
        Fields({column.inner: column.kind for column in of_field})
    ]
    read = _reader(whole, name, notes)
    columns = [(column.name, snake_case(column.inner)) for column in wanted]

    def fill(value: Any, record: Record) -> Any:  # noqa: ANN401 - JSON
        parts, left_over = read(value)
        if parts is not None:
            for column, part in columns:
                record[column] = parts[part] if part else parts
        return left_over

    return fill


def _reader(kind: AnyKind, path: str, notes: Notes) -> Read:
    """Return the function that converts a value to a kind; the path names it in the log."""
    if isinstance(kind, Several):
        return _array_reader(kind.kind, _reader(kind.kind, path, notes))
    if isinstance(kind, Fields):
        return _object_reader(kind, path, notes)
    return _scalar_reader(kind, path, notes)


def _scalar_reader(kind: Kind, path: str, notes: Notes) -> Read:
    exact, convert = kind.exact, kind.convert

    def read(value: Any) -> tuple[Any, Any]:  # noqa: ANN401 - JSON
        kind_of_value = type(value)
        if kind_of_value is exact and (kind_of_value is not int or value <= LARGEST_INTEGER):
            return value, NOTHING
        try:
            return convert(value), NOTHING
        except Misfit:
            notes.misfits.add(path)
            return None, value

    return read


def _array_reader(kind: AnyKind, read_element: Read) -> Read:
    """Convert each element; null stays null, and so becomes an element that does not fit."""
    is_text = kind is TEXT

    def read(value: Any) -> tuple[Any, Any]:  # noqa: ANN401 - JSON
        values = value if isinstance(value, list) else [value]
        if is_text and not [each for each in values if type(each) is not str]:
            return values, NOTHING
        pairs = [(None, NOTHING) if each is None else read_element(each) for each in values]
        is_whole = all(left_over is NOTHING for _, left_over in pairs)
        return [converted for converted, _ in pairs], NOTHING if is_whole else value

    return read


def _object_reader(fields: Fields, path: str, notes: Notes) -> Read:
    empty = dict.fromkeys(map(snake_case, fields.kinds))
    texts = {name: snake_case(name) for name, kind in fields.kinds.items() if kind is TEXT}
    reads = {
        name: (snake_case(name), _reader(kind, f"{path}.{name}", notes))
        for name, kind in fields.kinds.items()
    }

    def read(value: Any) -> tuple[Any, Any]:  # noqa: ANN401 - JSON
        if not isinstance(value, dict):
            notes.misfits.add(path)
            return None, value
        converted, left_over = empty.copy(), {}
        for name, field_value in value.items():
            if type(field_value) is str and name in texts:
                converted[texts[name]] = field_value
            elif name not in reads:
                notes.unknown.add(f"{path}.{name}")
                left_over[name] = field_value
            elif field_value is not None:
                part, read_part = reads[name]
                converted[part], not_read = read_part(field_value)
                if not_read is not NOTHING:
                    left_over[name] = not_read
        return converted, left_over or NOTHING

    return read
