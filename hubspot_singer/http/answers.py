"""Parses HubSpot's answers: the JSON body, or the envelope of an error."""

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
    """An HTTP response as it was received; its status is not judged yet."""

    status: int
    headers: Mapping[str, str]
    content: bytes = b""

    @property
    def date(self) -> datetime | None:
        """The time of the answer by HubSpot's clock, from the header `Date`; None if it is absent or not a date."""
        return parse_date(self.headers.get("Date", ""))

    @property
    def correlation_id(self) -> str | None:
        """The id by which HubSpot's support finds the request, or None."""
        return self.headers.get("X-HubSpot-Correlation-Id")


@dataclass(frozen=True)
class Answer:
    """HubSpot's 2xx answer to a request."""

    status: int
    body: Any  # parsed JSON; {} for a 204
    headers: Mapping[str, str] = field(default_factory=dict)
    tries: int = 1  # how often the request was sent
    correlation_id: str | None = None
    date: datetime | None = None  # by HubSpot's clock
    asked: str = "A request"  # method and path, redacted
    content: bytes = field(default=b"", repr=False)  # the body as it came


@dataclass(frozen=True)
class ErrorDetail:
    """One entry of `errors` in an error's body. Nothing of it is redacted."""

    message: str | None = None
    sub_category: str | None = None
    in_: str | None = None
    context: Context = field(default_factory=dict)

    @classmethod
    def parse(cls, entry: object) -> Self:
        """Parse an entry; fields that are absent or of another type are None or empty."""
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
    """The body of an error; fields that it lacks are None or empty. Nothing of it is redacted."""

    message: str | None = None
    category: str | None = None
    sub_category: str | None = None
    correlation_id: str | None = None
    policy_name: str | None = None
    errors: tuple[ErrorDetail, ...] = ()
    context: Context = field(default_factory=dict)

    @classmethod
    def parse(cls, body: object) -> Self:
        """Parse an error's body; return an empty one for anything that is not a JSON object."""
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
    def from_reply(cls, reply: Reply) -> Self:
        """Parse the body of an error response; a proxy's page or an empty body gives an empty one."""
        try:
            body = cls.parse(json_body(reply.content))
        except ValueError:
            body = cls()
        return body if body.correlation_id else replace(body, correlation_id=reply.correlation_id)


def json_body(content: bytes) -> Any:  # noqa: ANN401 - JSON is what it is
    """Parse a body; raise ValueError for one that is not JSON, or empty: nothing may be concluded from that."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return _odd_json(content)


def _odd_json(content: bytes) -> Any:  # noqa: ANN401 - JSON is what it is
    """Parse what orjson refuses: half of a surrogate pair, a byte order mark, and NaN or Infinity, which become null.

    HubSpot cuts long text at any character. If one such email event were refused, no later one could be read.
    """
    try:
        return json.loads(content, parse_constant=lambda _: None)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def parse_date(text: str) -> datetime | None:
    """Parse an HTTP date; return None for any other text."""
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else None


def positive_id(value: object) -> int | None:
    """Return a positive id that HubSpot gives as a number or as digits; None for any other value."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) or None if _ID.fullmatch(text) else None


def required_id(value: object) -> int:
    """Return the same; raise ValueError for any other value. `int` would take true for the id 1."""
    if (number := positive_id(value)) is None:
        raise ValueError("not an id")
    return number


def _category(fields: Mapping[str, object]) -> str | None:
    """Return the category. The token endpoint names it `status` (`BAD_REFRESH_TOKEN`), a 429 `errorType`."""
    status = _text(fields.get("status"))
    return (
        (
            status if status and status.isupper() else None
        )  # says more than the category that may stand beside it
        or _text(fields.get("category"))
        or (status if status != "error" else None)
        or _text(fields.get("errorType"))
        or _text(fields.get("error"))
    )


def _text(value: object) -> str | None:
    """Return text without surrounding blanks; None for blank text or any other value."""
    return value.strip() or None if isinstance(value, str) else None


def _context(value: object) -> Context:
    """Parse `{"name": ["value", …]}`; a value outside an array counts as an array of one."""
    return {str(name): _texts(values) for name, values in value.items()} if isinstance(value, Mapping) else {}


def _texts(values: object) -> tuple[str, ...]:
    return tuple(map(str, values)) if isinstance(values, list) else (str(values),)
