"""What a route gives back: an answer, or HubSpot's error envelope."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a JSON body (None for no body at all) and headers of its own."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None  # sent as it is instead of `body`, for answers that are not JSON

    def payload(self) -> bytes:
        if self.content is not None:
            return self.content
        return b"" if self.body is None else json.dumps(self.body, separators=(",", ":")).encode()


@dataclass(eq=False)
class HubSpotError(Exception):
    """A refusal, in the words of HubSpot's envelope.

    https://developers.hubspot.com/docs/api-reference/error-handling
    """

    status: int
    category: str
    message: str
    sub_category: str | None = None
    errors: Sequence[Mapping[str, object]] = ()
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)
    more: Mapping[str, object] = field(default_factory=dict)  # fields that only some errors have
    headers: Mapping[str, str] = field(default_factory=dict)

    def answer(self, correlation_id: str) -> Answer:
        body: dict[str, object] = {
            "status": "error",
            "message": self.message,
            "correlationId": correlation_id,
            "category": self.category,
            **self.more,
        }
        if self.sub_category is not None:
            body["subCategory"] = self.sub_category
        if self.errors:
            body["errors"] = list(self.errors)
        if self.context:
            body["context"] = {name: list(values) for name, values in self.context.items()}
        return Answer(self.status, body, self.headers)

    def entry(self, context: Mapping[str, Sequence[str]] | None = None) -> dict[str, object]:
        """Give the same refusal as one entry of the `errors` of a 207."""
        return {
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": {**self.context, **(context or {})},
            "errors": list(self.errors),
            "links": {},
        }


def invalid(message: str, *, sub_category: str | None = None) -> HubSpotError:
    return HubSpotError(400, "VALIDATION_ERROR", message, sub_category)


def not_found(message: str) -> HubSpotError:
    return HubSpotError(404, "OBJECT_NOT_FOUND", message)
