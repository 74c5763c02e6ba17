"""Parses what HubSpot answers: a body, or the envelope in which it puts an error."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Self

import orjson

if TYPE_CHECKING:
    from datetime import datetime

Context = Mapping[str, tuple[str, ...]]
OK_STATUSES = range(200, 300)
_ID = re.compile(r"\d{1,19}", re.ASCII)  # 64 bits


@dataclass(frozen=True)
class Reply:
    """What came over the wire: no judgement yet."""

    status: int
    headers: Mapping[str, str]
    content: bytes = b""

    @property
    def date(self) -> datetime | None:
        """When HubSpot answered, by its own clock."""
        return parse_date(self.headers.get("Date", ""))

    @property
    def correlation_id(self) -> str | None:
        """HubSpot's reference of the request, which its support asks for."""
        return self.headers.get("X-HubSpot-Correlation-Id")


@dataclass(frozen=True)
class Answer:
    """What HubSpot answered to a request it accepted."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    tries: int = 1
    correlation_id: str | None = None
    date: datetime | None = None
    asked: str = "A request"  # method and path, readable by anybody


@dataclass(frozen=True)
class ErrorDetail:
    """One entry of an error's `errors`."""

    message: str | None = None
    sub_category: str | None = None
    in_: str | None = None
    context: Context = field(default_factory=dict)

    @classmethod
    def parse(cls, entry: object) -> Self:
        """Read an entry of which HubSpot promises no field."""
        fields = entry if isinstance(entry, Mapping) else {}
        return cls(
            message=_text(fields.get("message")),
            sub_category=_text(fields.get("subCategory")),
            in_=_text(fields.get("in")),
            context=_context(fields.get("context")),
        )


# Every field is optional: https://developers.hubspot.com/docs/api-reference/error-handling
@dataclass(frozen=True)
class ErrorBody:
    """HubSpot's error envelope; whatever it lacks is None or empty."""

    message: str | None = None
    category: str | None = None
    sub_category: str | None = None
    correlation_id: str | None = None
    policy_name: str | None = None
    errors: tuple[ErrorDetail, ...] = ()
    context: Context = field(default_factory=dict)

    @classmethod
    def parse(cls, body: object) -> Self:
        """Read an error body; what is not an envelope reads as an empty one."""
        fields = body if isinstance(body, Mapping) else {}
        errors = fields.get("errors")
        return cls(
            message=_text(fields.get("message")) or _text(fields.get("error_description")),
            category=_category(fields),
            sub_category=_text(fields.get("subCategory")),
            correlation_id=_text(fields.get("correlationId")),
            policy_name=_text(fields.get("policyName")),
            errors=tuple(map(ErrorDetail.parse, errors)) if isinstance(errors, list) else (),
            context=_context(fields.get("context")),
        )

    @classmethod
    def of(cls, reply: Reply) -> Self:
        """Read the error body of a reply, which may as well be a proxy's page or nothing."""
        try:
            body = cls.parse(json_body(reply.content))
        except ValueError:
            body = cls()
        return body if body.correlation_id else replace(body, correlation_id=reply.correlation_id)


def json_body(content: bytes) -> Any:  # noqa: ANN401 - JSON is what it is
    """Parse a body; what is no JSON raises ValueError, and so does an empty one, of which nothing may be concluded."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return _odd_json(content)


def _odd_json(content: bytes) -> Any:  # noqa: ANN401 - JSON is what it is
    """Parse what orjson refuses: half of a surrogate pair, a byte order mark, and NaN or Infinity, which are null.

    HubSpot cuts long text anywhere. Refused, one such event would stand in the way of all that come after it.
    """
    try:
        return json.loads(content, parse_constant=lambda _: None)
    except RecursionError as error:
        raise ValueError("nested too deep to be an answer of HubSpot's") from error


def parse_date(text: str) -> datetime | None:
    """Read an HTTP date; anything else is None."""
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else None


def positive_id(value: object) -> int | None:
    """Return an id that HubSpot answers as a number or as digits; anything else is None."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) or None if _ID.fullmatch(text) else None


def _category(fields: Mapping[str, object]) -> str | None:
    """Return the category; the token endpoint calls it `status` (`BAD_REFRESH_TOKEN`), a 429 `errorType`."""
    status = _text(fields.get("status"))
    return (
        _text(fields.get("category"))
        or (status if status != "error" else None)
        or _text(fields.get("errorType"))
        or _text(fields.get("error"))
    )


def _text(value: object) -> str | None:
    """Return text that says something."""
    return value.strip() or None if isinstance(value, str) else None


def _context(value: object) -> Context:
    """Read `{"name": ["value", …]}`; a value that stands alone counts as one."""
    return {str(name): _texts(values) for name, values in value.items()} if isinstance(value, Mapping) else {}


def _texts(values: object) -> tuple[str, ...]:
    return tuple(map(str, values)) if isinstance(values, list) else (str(values),)
