"""Describes requests and HubSpot's answers in text that logs and errors may show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubspot_singer.http.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable

    from hubspot_singer.http.answers import ErrorBody

MESSAGE_CHARACTERS = 300  # enough for a reason, too little for a batch's list of inputs


@dataclass(frozen=True)
class Call:
    """The method and path of a request: the parts that logs and errors may show. Never its query or body."""

    method: str
    path: str
    redact: Callable[[str], str] = redact
    untried_version: str | None = None  # API version that HubSpot may not have yet

    def __str__(self) -> str:
        """Return `GET /crm/lists/2026-03/42`, redacted, on one line."""
        return " ".join(self.redact(f"{self.method} {self.path}").split())

    def safe_text(self, message: str) -> str:
        """Return a text of HubSpot's redacted, on one line, in at most 300 characters."""
        text = " ".join(self.redact(message).split()).rstrip(". ")
        return text if len(text) <= MESSAGE_CHARACTERS else f"{text[: MESSAGE_CHARACTERS - 1]}…"


def describe_error(call: Call, status: int, body: ErrorBody) -> str:
    """Return `404 OBJECT_NOT_FOUND: List 42 does not exist (correlation id …)`, as far as HubSpot gave the parts."""
    words = (str(status), body.category, body.sub_category)
    head = call.safe_text(" ".join(word for word in words if word))
    reason = f": {call.safe_text(body.message)}" if body.message else ""
    return f"{head}{reason}{reference(body.correlation_id)}"


def reference(correlation_id: str | None) -> str:
    """Return ` (correlation id …)`, by which HubSpot's support finds a request; "" where HubSpot gave none."""
    return f" (correlation id {' '.join(redact(correlation_id).split())})" if correlation_id else ""
