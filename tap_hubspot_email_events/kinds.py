"""What a column can hold, and how HubSpot's value becomes it: exactly, or as a misfit that is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

import orjson

from tap_hubspot_email_events import moments
from tap_hubspot_email_events.user_agents import operating_system

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_INTEGER = 2**63 - 1  # what a warehouse's integer column can hold


class Misfit(Exception):
    """A value that its column cannot hold."""


@dataclass(slots=True)
class Oddities:
    """The names of fields that no column knows, and of those whose value did not fit their column."""

    unknown: set[str] = field(default_factory=set)
    misfits: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.unknown or self.misfits)


Convert = Callable[[Any, Oddities], Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A column's JSON Schema and the way from HubSpot's value to one that fits it. Null never gets here."""

    schema: Mapping[str, object]
    convert: Convert


def as_text(value: object, _: Oddities) -> str:
    """Text as it came, anything else as JSON; half of a surrogate pair, which no UTF-8 can hold, as `?`."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def as_integer(value: object, _: Oddities) -> int:
    """A whole number of at most 64 bits, written as a number or as digits."""
    number = _whole(value)
    if not -LARGEST_INTEGER <= number <= LARGEST_INTEGER:
        raise Misfit
    return number


def _whole(value: object) -> int:
    if type(value) is int:
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit():
        return int(value) if len(value) <= len(str(-LARGEST_INTEGER)) else LARGEST_INTEGER + 1
    raise Misfit


def as_number(value: object, _: Oddities) -> float:
    """A finite number, written as a number or as text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise Misfit
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise Misfit from None
    if not isfinite(number):
        raise Misfit
    return number


def as_boolean(value: object, _: Oddities) -> bool:
    """True or false, also in quotes."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise Misfit


def as_moment(value: object, oddities: Oddities) -> str:
    """HubSpot's milliseconds as an RFC 3339 text of fixed width."""
    moment_ms = as_integer(value, oddities)
    if not 0 <= moment_ms <= moments.LAST_MOMENT_MS:
        raise Misfit
    return moments.to_text(moment_ms)


def as_user_id(value: object, oddities: Oddities) -> str | None:
    """A recipient as an analytics tool knows the user: trimmed and lower-cased."""
    return as_text(value, oddities).strip().lower() or None


def as_os_name(value: object, oddities: Oddities) -> str | None:
    """The operating system's name in a user agent."""
    return operating_system(as_text(value, oddities)).name


def as_os_version(value: object, oddities: Oddities) -> str | None:
    """The operating system's version in a user agent."""
    return operating_system(as_text(value, oddities)).version


def _as_texts(value: object, oddities: Oddities) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [as_text(each, oddities) for each in values if each is not None]


TEXT = Kind({"type": ["string", "null"]}, as_text)
INTEGER = Kind({"type": ["integer", "null"]}, as_integer)
NUMBER = Kind({"type": ["number", "null"]}, as_number)
BOOLEAN = Kind({"type": ["boolean", "null"]}, as_boolean)
MOMENT = Kind({"type": ["string", "null"], "format": "date-time"}, as_moment)
TEXTS = Kind({"type": ["array", "null"], "items": {"type": ["string", "null"]}}, _as_texts)
USER_ID = Kind(TEXT.schema, as_user_id)
OS_NAME = Kind(TEXT.schema, as_os_name)
OS_VERSION = Kind(TEXT.schema, as_os_version)


def fields(name: str, kinds: Mapping[str, Kind]) -> Kind:
    """An object of HubSpot's, under its name there, and what each of its fields holds."""
    columns = {key: (snake_case(key), kind.convert) for key, kind in kinds.items()}
    properties = {snake_case(key): kind.schema for key, kind in kinds.items()}

    def convert(value: object, oddities: Oddities) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise Misfit
        if not value.keys() <= columns.keys():
            oddities.unknown.update(f"{name}.{key}" for key in value.keys() - columns.keys())
        return {
            column: fitting(value.get(key), to_column, f"{name}.{key}", oddities)
            for key, (column, to_column) in columns.items()
        }

    return Kind({"type": ["object", "null"], "properties": properties}, convert)


def several(kind: Kind) -> Kind:
    """A list of one kind; a value that stands alone is a list of one."""

    def convert(value: object, oddities: Oddities) -> list[Any]:
        values: Sequence[Any] = value if isinstance(value, list) else [value]
        return [kind.convert(each, oddities) for each in values if each is not None]

    return Kind({"type": ["array", "null"], "items": kind.schema}, convert)


def fitting(value: object, convert: Convert, name: str, oddities: Oddities) -> Any:  # noqa: ANN401 - JSON
    """The value in its column's kind; null, and noted by name, where it does not fit."""
    if value is None:
        return None
    try:
        return convert(value, oddities)
    except Misfit:
        oddities.misfits.add(name)
        return None


def snake_case(name: str) -> str:
    """`producerUrl` becomes `producer_url`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
