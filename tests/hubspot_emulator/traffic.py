"""Requests: as they come in, and as they are remembered."""

from __future__ import annotations

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

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path
