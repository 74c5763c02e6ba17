"""What HubSpot's batch endpoints have in common: their size, and how they name what went wrong with an input."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from hubspot_singer.http import ErrorBody
from target_hubspot_lists.outcomes import blamed_properties

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# "Batch operations are limited to 100 records": https://developers.hubspot.com/docs/guides/api/crm/objects/contacts
MAX_INPUTS_PER_CALL = 100

T = TypeVar("T")


def in_batches(inputs: Iterable[T]) -> Iterator[list[T]]:
    """Yield the inputs in lists of as many as one call takes."""
    return in_chunks(inputs, MAX_INPUTS_PER_CALL)


def in_chunks(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield rows in lists of that size, with one list in memory at a time."""
    rows = iter(rows)
    while chunk := list(itertools.islice(rows, size)):
        yield chunk


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
    """Parse the `errors` of an answer; there are none if all inputs were taken."""
    return [BatchError.from_body(each) for each in body.get("errors") or ()]


def _texts(values: object) -> frozenset[str]:
    if not isinstance(values, list):
        values = [] if values is None else [values]
    return frozenset(str(value).strip() for value in values)
