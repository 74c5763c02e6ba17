"""The kinds of columns: the JSON Schema of each, and the conversion of HubSpot's value to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from tap_hubspot_email_events import moments
from tap_hubspot_email_events.derived_values import campaign_parameters, operating_system

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_INTEGER = 2**63 - 1  # what a warehouse's bigint holds
INTEGER_DIGITS = 19  # of the largest integer

JSONSchema = Mapping[str, Any]
T = TypeVar("T")


class Misfit(Exception):
    """A value that its column cannot hold."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A scalar column: `convert` takes any JSON value but null, and raises `Misfit`.

    A value whose Python type is `exact` needs no conversion.
    """

    schema: JSONSchema
    convert: Callable[[Any], Any]
    exact: type | None = None


@dataclass(frozen=True, slots=True)
class Fields:
    """An object column with these fields, named as HubSpot names them; the record has them in snake case."""

    kinds: Mapping[str, AnyKind]

    @property
    def schema(self) -> JSONSchema:
        """Return the JSON Schema of the object."""
        properties = {snake_case(name): dict(kind.schema) for name, kind in self.kinds.items()}
        return {"type": ["object", "null"], "properties": properties}


@dataclass(frozen=True, slots=True)
class Several:
    """An array column; a value that HubSpot sends alone is an array of one."""

    kind: AnyKind

    @property
    def schema(self) -> JSONSchema:
        """Return the JSON Schema of the array."""
        return {"type": ["array", "null"], "items": dict(self.kind.schema)}


AnyKind = Kind | Fields | Several


def as_text(value: object) -> str:
    """Return text as it is, and any other value as JSON."""
    return value if isinstance(value, str) else to_json(value).decode()


def as_integer(value: object) -> int:
    """Return a whole number of at most 64 bits; text such as `12`, `12.0` or `1.2E1` is a number too."""
    number = _whole(value)
    if not -LARGEST_INTEGER <= number <= LARGEST_INTEGER:
        raise Misfit
    return number


def _whole(value: object) -> int:
    if type(value) is int:
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii():
        return _whole_in(value)
    raise Misfit


def _whole_in(text: str) -> int:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Misfit from None
    # The exponent is looked at first: an integer of a billion digits would take all memory.
    if not number.is_finite() or number.adjusted() >= INTEGER_DIGITS or number != number.to_integral_value():
        raise Misfit
    return int(number)


def as_number(value: object) -> float:
    """Return a finite number, also one that is written as text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise Misfit
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise Misfit from None
    if not isfinite(number):
        raise Misfit
    return number


def as_boolean(value: object) -> bool:
    """Return true or false, also those written as text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise Misfit


def as_object(value: object) -> dict[str, Any]:
    """Return an object as it is."""
    if not isinstance(value, dict):
        raise Misfit
    return value


def as_moment_ms(value: object) -> int:
    """Return epoch milliseconds from 1970 to the year 9999."""
    moment_ms = as_integer(value)
    if not 0 <= moment_ms <= moments.LAST_MOMENT_MS:
        raise Misfit
    return moment_ms


def as_moment(value: object) -> str:
    """Return HubSpot's epoch milliseconds as a date-time; see `moments.to_text`."""
    return moments.to_text(as_moment_ms(value))


def as_user_id(value: object) -> str | None:
    """Return a recipient as analytics tools identify users: trimmed and in lower case."""
    return as_text(value).strip().lower() or None


def converted_or_none(convert: Callable[[Any], T], value: object) -> T | None:
    """Return the converted value; None for null, and for what `convert` does not take."""
    try:
        return None if value is None else convert(value)
    except Misfit:
        return None


def campaign_parameter(name: str) -> Kind:
    """Return the kind of a column that holds one `utm_` parameter of a link."""
    return Kind(TEXT.schema, lambda link: campaign_parameters(as_text(link)).get(name))


def to_json(value: object, option: int | None = None) -> bytes:
    """Serialize a JSON value; orjson takes neither half a surrogate pair nor an integer of more than 64 bits."""
    try:
        return orjson.dumps(value, option=option)
    except TypeError:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def snake_case(name: str) -> str:
    """Return `producer_url` for `producerUrl`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


TEXT = Kind({"type": ["string", "null"]}, as_text, exact=str)
INTEGER = Kind({"type": ["integer", "null"]}, as_integer, exact=int)
NUMBER = Kind({"type": ["number", "null"]}, as_number, exact=float)
BOOLEAN = Kind({"type": ["boolean", "null"]}, as_boolean, exact=bool)
MOMENT = Kind({"type": ["string", "null"], "format": "date-time"}, as_moment)
# Without "properties", so that flattening keeps the object in one column, as JSON text.
ANY_OBJECT = Kind({"type": ["object", "null"]}, as_object, exact=dict)
USER_ID = Kind(TEXT.schema, as_user_id)
OS_NAME = Kind(TEXT.schema, lambda user_agent: operating_system(as_text(user_agent)).name)
OS_VERSION = Kind(TEXT.schema, lambda user_agent: operating_system(as_text(user_agent)).version)
