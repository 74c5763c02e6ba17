"""Reads what HubSpot answered, and says so where an answer is not as HubSpot documents it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from hubspot_singer.http.errors import UnexpectedAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from hubspot_singer.http.answers import Answer

T = TypeVar("T")


def parsed(answer: Answer, parse: Callable[[Any], T]) -> T:
    """Return what `parse` makes of the body, or raise `UnexpectedAnswer` if it can make nothing of it."""
    try:
        return parse(answer.body)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise UnexpectedAnswer(answer) from error
