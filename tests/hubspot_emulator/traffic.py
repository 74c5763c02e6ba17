"""Requests: as they come in, and as they are remembered."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email.message import Message


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request as it came in."""

    method: str
    target: str  # path and query
    headers: Message
    content: bytes


@dataclass(slots=True)
class Request:
    """One request as recorded; the status is None while, and if, no answer was sent."""

    method: str
    path: str
    query: str
    size: int  # bytes of the body
    time: float  # epoch seconds by the emulator's clock
    status: int | None = None
    inputs: int = 0  # entries of the body's arrays: what HubSpot calls inputs, and record ids
    user_agent: str = ""

    def count_inputs(self, content: bytes) -> None:
        """Count the inputs of a request that is not going to be handled."""
        with suppress(ValueError):  # a form, or not JSON at all
            self.inputs = count_inputs(json.loads(content))

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


def count_inputs(body: object) -> int:
    """Count the entries of a body's arrays: what HubSpot calls inputs, or record ids."""
    arrays = [body] if isinstance(body, list) else list(body.values()) if isinstance(body, dict) else []
    return sum(len(each) for each in arrays if isinstance(each, list))
