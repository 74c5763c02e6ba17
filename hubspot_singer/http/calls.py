"""Says which request is meant and what HubSpot said to it, in words that anybody may read."""

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
    """What was asked, as far as an error or a log line may say it: never a query, never a body."""

    method: str
    path: str
    redact: Callable[[str], str] = redact
    untried_version: str | None = None  # of the API, which HubSpot may not have yet

    def __str__(self) -> str:
        """Return method and path, readable by anybody."""
        return " ".join(self.redact(f"{self.method} {self.path}").split())

    def shortened(self, message: str) -> str:
        """Return what HubSpot said on one line, readable by anybody, at a length that a line can bear."""
        text = " ".join(self.redact(message).split()).rstrip(". ")
        return text if len(text) <= MESSAGE_CHARACTERS else f"{text[: MESSAGE_CHARACTERS - 1]}…"


def said(call: Call, status: int, body: ErrorBody) -> str:
    """Return `404 OBJECT_NOT_FOUND: reason (correlation id …)`, with what HubSpot said of it."""
    words = (str(status), body.category, body.sub_category)
    head = call.shortened(" ".join(word for word in words if word))
    reason = f": {call.shortened(body.message)}" if body.message else ""
    return f"{head}{reason}{reference(body.correlation_id)}"


def reference(correlation_id: str | None) -> str:
    """Return ` (correlation id …)`, by which HubSpot's support finds a request; nothing where HubSpot gave none."""
    return f" (correlation id {' '.join(redact(correlation_id).split())})" if correlation_id else ""
