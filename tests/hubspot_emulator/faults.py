"""Scripted misbehaviour: what the network, a proxy or HubSpot does to the next matching requests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from threading import Lock
from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import Answer, HubSpotError
from tests.hubspot_emulator.limits import rate_limited

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# A part of a request's path and query, or a pattern for the whole of them.
Path = str | re.Pattern[str]

_CORRELATION_ID = "00000000-0000-4000-8000-0000000fa017"  # marks an answer that was scripted
_GATEWAY_PAGE = b"<html><head><title>error</title></head><body><h1>Service unavailable</h1></body></html>"


class Kind(Enum):
    """What happens to the request."""

    ANSWER = auto()  # this answer is given
    RESET = auto()  # the connection is reset
    HANG = auto()  # no answer ever comes
    TRUNCATE = auto()  # half of the answer's body arrives
    DRIP = auto()  # the answer arrives piece by piece
    CHANGE = auto()  # a function changes the answer
    HOOK = auto()  # a function runs first, then the request is handled (or the next fault strikes)
    DELAY = auto()  # time passes first, then as above


@dataclass(eq=False)
class Fault:
    """One misbehaviour: which requests it waits for, and how often it strikes."""

    kind: Kind
    method: str
    path_part: Path
    times: int | None  # None: for ever
    after: int  # matching requests that it lets pass first
    takes_effect: bool = False  # whether the portal handles the request all the same
    answer: Answer | None = None
    seconds: float = 0.0
    function: Callable[[], object] | None = None
    change: Callable[[Answer], Answer] | None = None

    def strikes(self, method: str, target: str) -> bool:
        """Whether this request is struck; counts it if so."""
        if self.method not in {method, "*"} or not self._is_about(target) or self.times == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def _is_about(self, target: str) -> bool:
        if isinstance(self.path_part, str):
            return self.path_part in target
        return self.path_part.fullmatch(target) is not None


class Faults:
    """The script: faults strike in the order they were added, one a request; hooks and delays add up."""

    def __init__(self) -> None:
        self._script: list[Fault] = []
        self._lock = Lock()

    @property
    def pending(self) -> list[Fault]:
        """Give the faults that have not struck as often as they were told to."""
        return [fault for fault in self._script if fault.times]

    def clear(self) -> None:
        with self._lock:
            self._script.clear()

    def take(self, method: str, path: str) -> list[Fault]:
        """Give what strikes this request: hooks and delays, and at most one other fault, last."""
        struck: list[Fault] = []
        with self._lock:
            for fault in self._script:
                prelude = fault.kind in {Kind.HOOK, Kind.DELAY}
                if not prelude and any(other.kind not in {Kind.HOOK, Kind.DELAY} for other in struck):
                    continue
                if fault.strikes(method, path):
                    struck.append(fault)
            self._script = [fault for fault in self._script if fault.times != 0]
        return sorted(struck, key=lambda fault: fault.kind not in {Kind.HOOK, Kind.DELAY})

    def next(
        self,
        method: str,
        path_part: Path,
        *,
        times: int | None = 1,
        after: int = 0,
        status: int = 503,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        policy: str | None = None,
        takes_effect: bool = False,
    ) -> None:
        """Answer with this status; a body left out is HubSpot's envelope, `policy` names a 429's limit."""
        answer = _envelope(status, policy) if body is None else Answer(status, body)
        if isinstance(body, str | bytes):
            answer = Answer(status, content=body.encode() if isinstance(body, str) else body)
        merged = {**answer.headers, **(headers or {})}
        answer = Answer(answer.status, answer.body, merged, answer.content)
        self._add(Fault(Kind.ANSWER, method, path_part, times, after, takes_effect, answer=answer))

    def not_json(
        self,
        method: str,
        path_part: Path,
        *,
        times: int | None = 1,
        after: int = 0,
        status: int = 200,
        takes_effect: bool = False,
    ) -> None:
        """Answer with a proxy's HTML page."""
        answer = Answer(status, headers={"Content-Type": "text/html"}, content=_GATEWAY_PAGE)
        self._add(Fault(Kind.ANSWER, method, path_part, times, after, takes_effect, answer=answer))

    def reset(self, method: str, path_part: Path, *, times: int | None = 1, after: int = 0) -> None:
        """Reset the connection before the request is handled."""
        self._add(Fault(Kind.RESET, method, path_part, times, after))

    def hang(
        self,
        method: str,
        path_part: Path,
        *,
        times: int | None = 1,
        after: int = 0,
        takes_effect: bool = False,
    ) -> None:
        """Never answer; nothing is applied, unless the fault `takes_effect`."""
        self._add(Fault(Kind.HANG, method, path_part, times, after, takes_effect))

    def truncate(self, method: str, path_part: Path, *, times: int | None = 1, after: int = 0) -> None:
        """Handle the request and send the answer's headers and half of its body."""
        self._add(Fault(Kind.TRUNCATE, method, path_part, times, after, takes_effect=True))

    def accept_then_drop(
        self, method: str, path_part: Path, *, times: int | None = 1, after: int = 0
    ) -> None:
        """Handle the request and drop the connection instead of answering: the write took effect."""
        self._add(Fault(Kind.RESET, method, path_part, times, after, takes_effect=True))

    def drip(
        self, method: str, path_part: Path, seconds: float, *, times: int | None = 1, after: int = 0
    ) -> None:
        """Handle the request and send the answer in pieces of a few bytes, with so many seconds between two."""
        self._add(Fault(Kind.DRIP, method, path_part, times, after, takes_effect=True, seconds=seconds))

    def change(
        self,
        method: str,
        path_part: Path,
        change: Callable[[Answer], Answer],
        *,
        times: int | None = 1,
        after: int = 0,
    ) -> None:
        """Handle the request and change the answer."""
        self._add(Fault(Kind.CHANGE, method, path_part, times, after, takes_effect=True, change=change))

    def delay(
        self, method: str, path_part: Path, seconds: float, *, times: int | None = 1, after: int = 0
    ) -> None:
        """Wait before the request is handled."""
        self._add(Fault(Kind.DELAY, method, path_part, times, after, seconds=seconds))

    def call(
        self,
        method: str,
        path_part: Path,
        function: Callable[[], object],
        *,
        times: int | None = 1,
        after: int = 0,
    ) -> None:
        """Run a function before the request is handled, on the server's thread."""
        self._add(Fault(Kind.HOOK, method, path_part, times, after, function=function))

    def _add(self, fault: Fault) -> None:
        with self._lock:
            self._script.append(fault)


def _envelope(status: int, policy: str | None) -> Answer:
    if status == 429:
        return rate_limited(policy).answer(_CORRELATION_ID)
    category = {
        401: "INVALID_AUTHENTICATION",
        403: "MISSING_SCOPES",
        404: "OBJECT_NOT_FOUND",
        409: "CONFLICT",
    }
    fallback = "VALIDATION_ERROR" if 400 <= status < 500 else "INTERNAL_ERROR"
    error = HubSpotError(status, category.get(status, fallback), f"Scripted answer {status}")
    return error.answer(_CORRELATION_ID)
