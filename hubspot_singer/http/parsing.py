"""Parses the body of an answer, and raises `UnexpectedAnswer` where it is not as HubSpot documents it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from hubspot_singer.http.errors import UnexpectedAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from hubspot_singer.http.answers import Answer

T = TypeVar("T")


def parsed(answer: Answer, parse: Callable[[Any], T]) -> T:
    """Return `parse(answer.body)`; raise `UnexpectedAnswer` if that fails on a missing field or a wrong type."""
    try:
        return parse(answer.body)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise UnexpectedAnswer(answer) from error
