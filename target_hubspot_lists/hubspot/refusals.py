"""Decides whether a refused input is at fault, or the list or endpoint, which may refuse every call.

HubSpot often does not name the input for which it refuses a call, and a list or an endpoint may refuse every call:
always, from some moment on, or for a while. So an input is at fault only if HubSpot names it, or if HubSpot accepted a
call of that kind between two refusals of calls with the input, the last of which held no other input. Every other
refused input is in doubt.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hubspot_singer.http import Refused


# After so many inputs refused one by one, and none accepted, the inputs are not at fault.
MAX_REFUSED_WITHOUT_SUCCESS = 100


class CallKind(NamedTuple):
    """A kind of call that HubSpot may refuse as a whole; it may refuse the removals from a list and accept the adds."""

    name: str
    list_id: str | None = None


def look_ups_by(by: str) -> CallKind:
    """Return the kind of look-ups by one property."""
    return CallKind(f"look up by {by}")


def changes_of(list_id: str, *, is_add: bool) -> CallKind:
    """Return the kind of adds to one list, or of removals from it."""
    return CallKind("add" if is_add else "remove", list_id)


class RefusedCall(NamedTuple):
    """A call that HubSpot refused, and when, where a `CallHistory` is kept."""

    problem: Refused
    moment: int = 0


class Doubt(NamedTuple):
    """Why an id is in doubt, and when it was refused on its own.

    None if it was not sent on its own, since too many before it were refused.
    """

    problem: Refused
    alone: int | None


class Includes(Protocol):
    """The result of some inputs, to which the result of others can be added."""

    def include(self, other: Self) -> Self:
        """Add the result of other inputs."""


T = TypeVar("T")
R = TypeVar("R", bound=Includes)


def isolate(
    inputs: Sequence[T],
    attempt: Callable[[Sequence[T], RefusedCall | None], R | RefusedCall],
    within: RefusedCall | None = None,
) -> R:
    """Attempt a batch; if HubSpot refuses it, attempt its halves, until the inputs at fault stand alone.

    `attempt` returns the result of its inputs, or the refusal if they are to be halved; a single input has a result.
    `within` is the refusal of the larger batch that the inputs are of, if they are of one.
    """
    attempted = attempt(inputs, within)
    if not isinstance(attempted, RefusedCall):
        return attempted
    middle = len(inputs) // 2
    first = isolate(inputs[:middle], attempt, attempted)
    return first.include(isolate(inputs[middle:], attempt, attempted))


class RefusalLimit:
    """Counts inputs that HubSpot refuses one by one, to stop where it refuses every one; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refused = 0
        self._has_accepted = False

    def accepted(self) -> None:
        """Note that HubSpot accepted an input, so that refused inputs are themselves at fault."""
        self._has_accepted = True

    def refused(self) -> bool:
        """Note an input that HubSpot refused on its own; return whether to give up."""
        with self._lock:
            self._refused += 1
            return self._refused >= MAX_REFUSED_WITHOUT_SUCCESS and not self._has_accepted


class CallHistory:
    """When HubSpot last accepted calls, and how many refusals in a row are in doubt; threads may share it.

    Moments are ascending numbers. An accepted call counts from the moment it was sent.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._moments = itertools.count(1)
        self._last_accepted: dict[CallKind, int] = {}
        self._in_doubt = Counter[CallKind]()

    def now(self) -> int:
        """Return this moment, which is later than every other."""
        return next(self._moments)

    def accepted(self, kinds: Iterable[CallKind], sent: int) -> None:
        """Note that HubSpot accepted a call with ids of these kinds that was sent at that moment."""
        with self._lock:
            for kind in kinds:
                self._last_accepted[kind] = max(sent, self._last_accepted.get(kind, 0))
                self._in_doubt[kind] = 0

    def has_accepted_since(self, kinds: Iterable[CallKind], moment: int) -> bool:
        """Return whether HubSpot accepted a call of each kind that was sent after that moment."""
        with self._lock:
            return all(self._last_accepted.get(kind, 0) > moment for kind in kinds)

    def refused(self, problem: Refused) -> RefusedCall:
        """Return a refusal with this moment."""
        return RefusedCall(problem, self.now())

    def judge_alone(
        self, kinds: Iterable[CallKind], member: int | str, refused: RefusedCall, *earlier: int | None
    ) -> Doubt | None:
        """Return None if a member that was just refused on its own is at fault, else the doubt, which is counted.

        `earlier` are the moments, as far as there are any, at which it was refused before, on its own or among others.
        """
        taken = (self.has_accepted_since(kinds, moment) for moment in earlier if moment is not None)
        if is_named_in(refused.problem, member) or any(taken):
            return None
        with self._lock:
            self._in_doubt.update(kinds)
        return Doubt(refused.problem, refused.moment)

    def is_hopeless(self, kinds: Iterable[CallKind]) -> bool:
        """Return whether, for each kind, too many refusals in a row are in doubt to send more inputs one by one."""
        with self._lock:
            return all(self._in_doubt[kind] >= MAX_REFUSED_WITHOUT_SUCCESS for kind in kinds)

    def reset_doubts(self, kinds: Iterable[CallKind]) -> None:
        """Set the number of refusals in doubt to 0."""
        with self._lock:
            for kind in kinds:
                self._in_doubt[kind] = 0


def is_named_in(problem: Refused, member: int | str) -> bool:
    """Return whether HubSpot's error names this record id or address."""
    contexts = [problem.context, *(detail.context for detail in problem.errors)]
    texts = [problem.message, *(detail.message for detail in problem.errors)]
    texts += [value for context in contexts for values in context.values() for value in values]
    name = re.compile(rf"(?<!\w){re.escape(str(member))}(?!\w)", re.IGNORECASE)
    return any(name.search(text) for text in texts if text)
