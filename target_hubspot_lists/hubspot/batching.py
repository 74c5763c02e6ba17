"""What HubSpot's batch endpoints have in common: their size, and how they name what went wrong with an input."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from hubspot_singer.http import ErrorBody
from target_hubspot_lists.outcomes import blamed_properties

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

# "Batch operations are limited to 100 records": https://developers.hubspot.com/docs/guides/api/crm/objects/contacts
MAX_INPUTS_PER_CALL = 100

# So many inputs refused one by one, and none ever accepted: the inputs are not what is wrong.
MAX_REFUSED_WITHOUT_SUCCESS = 100

T = TypeVar("T")


def in_batches(inputs: Iterable[T]) -> Iterator[list[T]]:
    """Yield the inputs in runs of as many as one call takes."""
    return in_runs(inputs, MAX_INPUTS_PER_CALL)


def in_runs(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield rows in runs of that size, without holding more than one."""
    rows = iter(rows)
    while run := list(itertools.islice(rows, size)):
        yield run


def halves(inputs: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """The two halves of two or more inputs."""
    middle = len(inputs) // 2
    return inputs[:middle], inputs[middle:]


class RefusalLimit:
    """Counts inputs that HubSpot refuses one by one, to stop where it refuses every one; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refused = 0
        self._has_accepted = False

    def accepted(self) -> None:
        """Note that HubSpot took an input, so that those it refuses are themselves to blame."""
        self._has_accepted = True

    def refused(self) -> bool:
        """Note an input that HubSpot refused on its own; return whether to give up."""
        with self._lock:
            self._refused += 1
            return self._refused >= MAX_REFUSED_WITHOUT_SUCCESS and not self._has_accepted


@dataclass(frozen=True)
class BatchError:
    """One entry of `errors` in a 207: what was wrong with which inputs."""

    category: str
    message: str
    trace_ids: frozenset[str]
    named: frozenset[str]
    properties: frozenset[str]

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> BatchError:
        """Parse a StandardError; its context maps undocumented names to lists of strings."""
        context: Mapping[str, object] = body.get("context") or {}
        return cls(
            category=str(body.get("category") or ""),
            message=str(body.get("message") or ""),
            trace_ids=_texts(context.get("objectWriteTraceId")),
            named=frozenset().union(*map(_texts, context.values())),
            properties=blamed_properties(ErrorBody.parse(body)),
        )


def batch_errors(body: Mapping[str, Any]) -> list[BatchError]:
    """Parse the `errors` of an answer; one that is all well has none."""
    return [BatchError.from_body(each) for each in body.get("errors") or ()]


def _texts(values: object) -> frozenset[str]:
    each = values if isinstance(values, list) else [] if values is None else [values]
    return frozenset(str(value).strip() for value in each)
