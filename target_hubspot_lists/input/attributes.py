"""Attributes: the values of a record's mapped fields, as texts for HubSpot's properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from target_hubspot_lists.input.columns import absent_column, find_column
from target_hubspot_lists.input.property_values import DoesNotFit, is_empty, property_text
from target_hubspot_lists.outcomes import PropertyProblem, PropertyReason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_hubspot_lists.hubspot.properties import PropertyDefinition
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.settings import EpochUnit, Settings

CLEARED = ""  # HubSpot's value of a property that is to have none
PATH_SEPARATOR = "."
ABSENT = object()  # a field that a record does not have: unlike null it never clears

# One text for each mapping, in their order; None leaves the property alone. Small, for a batch holds many.
Attributes = tuple[str | None, ...]


def field_path(stream: str, names: Sequence[str], field: str) -> tuple[str, ...]:
    """Return the path to a field in a stream's records: a column of that name, else a path into a column."""
    if column := find_column(field, names, stream):
        return (column,)
    first, *rest = field.split(PATH_SEPARATOR)
    if rest and (column := find_column(first, names, stream)):
        return (column, *rest)
    raise absent_column(field, names, stream, "Name one of them in property_mappings[].field.")


class AttributeParser:
    """Reads the attributes out of one stream's records."""

    def __init__(
        self, stream: str, names: Sequence[str], settings: Settings, definitions: Sequence[PropertyDefinition]
    ) -> None:
        self._clears = settings.property_policy == "overwrite_and_clear"
        self._fields = [
            (field_path(stream, names, mapping.field), definition, mapping.unit)
            for mapping, definition in zip(settings.property_mappings, definitions, strict=True)
        ]

    def parse(self, record: Mapping[str, Any], *, is_member: bool) -> Attributes | PropertyProblem:
        """Return the text for each property, or the problem of the property for which none of them is written.

        Null clears a property only with the policy `overwrite_and_clear`, and never in a record that removes: all
        columns of a deleted row may be null.
        """
        for_null = CLEARED if self._clears and is_member else None
        texts: list[str | None] = []
        for path, definition, unit in self._fields:
            value = _value_at(path, record)
            try:
                texts.append(_text(definition, value, for_null, unit))
            except DoesNotFit as problem:
                return PropertyProblem(problem.reason, definition.name)
        return tuple(texts)


def _text(
    definition: PropertyDefinition, value: object, for_null: str | None, unit: EpochUnit | None
) -> str | None:
    if value is ABSENT:
        return None
    return for_null if is_empty(value) else property_text(definition, value, unit)


def _value_at(path: Sequence[str], record: Mapping[str, Any]) -> object:
    """Return the value at a path: None if a value on the path is null, ABSENT if the record has no such field."""
    value: object = record
    for name in path:
        if value is None:
            return None
        value = value.get(name, ABSENT) if isinstance(value, dict) else ABSENT
    return value


def packed(attributes: Attributes | PropertyProblem) -> bytes:
    """Return attributes as bytes, to keep them on disk."""
    if isinstance(attributes, PropertyProblem):
        return orjson.dumps({"reason": attributes.reason, "property": attributes.property})
    return orjson.dumps(attributes)


def unpacked(text: bytes) -> Attributes | PropertyProblem:
    """Return the attributes that were packed."""
    value = orjson.loads(text)
    if isinstance(value, dict):
        return PropertyProblem(PropertyReason(value["reason"]), value["property"])
    return tuple(value)


class HeldAttributes:
    """The attributes held until the next flush: for each member those of its last record, whatever its list."""

    def __init__(self) -> None:
        self._last: dict[Member, tuple[int, Attributes | PropertyProblem]] = {}

    def hold(self, member: Member, position: int, attributes: Attributes | PropertyProblem) -> None:
        """Hold the attributes of a record; positions ascend."""
        self._last[member] = (position, attributes)

    @classmethod
    def of(cls, attributes: Mapping[Member, Attributes | PropertyProblem]) -> HeldAttributes:
        """Return held attributes of these members, each of its last record, in the order of the input."""
        held = cls()
        held._last = {member: (place, each) for place, (member, each) in enumerate(attributes.items())}
        return held

    def take(self) -> HeldAttributes:
        """Return what is held, and hold nothing from here on."""
        taken = HeldAttributes()
        taken._last, self._last = self._last, {}
        return taken

    def get(self, member: Member) -> Attributes | PropertyProblem | None:
        """Return what is held of a member, if anything."""
        held = self._last.get(member)
        return held[1] if held else None

    def position(self, member: Member) -> int:
        """Return the position of the record that is held of a member; -1 if none is."""
        held = self._last.get(member)
        return held[0] if held else -1

    def by_record_id(self, record_ids: Mapping[Member, int]) -> dict[int, Attributes | PropertyProblem]:
        """Return attributes by record id: of several members that are one contact, the later record wins."""
        last: dict[int, tuple[int, Attributes | PropertyProblem]] = {}
        for member, record_id in record_ids.items():
            held = self._last.get(member)
            if held is not None and held[0] >= last.get(record_id, held)[0]:
                last[record_id] = held
        return {record_id: attributes for record_id, (_, attributes) in last.items()}
