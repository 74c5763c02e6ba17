"""What a column can hold, and how HubSpot's value becomes it: exactly, or as a misfit that is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

import orjson

from tap_hubspot_email_events import moments
from tap_hubspot_email_events.user_agents import operating_system

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    if type(value) is str and value.isascii():
        return value
    text = value if isinstance(value, str) else _json(value)
    return text.encode("utf-8", "replace").decode("utf-8")


def _json(value: object) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # half of a surrogate pair, or an integer of more than 64 bits
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


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


TEXT = Kind({"type": ["string", "null"]}, as_text)
INTEGER = Kind({"type": ["integer", "null"]}, as_integer)
NUMBER = Kind({"type": ["number", "null"]}, as_number)
BOOLEAN = Kind({"type": ["boolean", "null"]}, as_boolean)
MOMENT = Kind({"type": ["string", "null"], "format": "date-time"}, as_moment)
USER_ID = Kind(TEXT.schema, as_user_id)
OS_NAME = Kind(TEXT.schema, as_os_name)
OS_VERSION = Kind(TEXT.schema, as_os_version)
