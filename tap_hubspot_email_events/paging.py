"""Reads what HubSpot's old email endpoints have in common: the body, the offset of the next page, and the time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from tap_hubspot_email_events.errors import UnexpectedAnswer, UnknownTime
from tap_hubspot_email_events.kinds import Misfit, as_boolean
from tap_hubspot_email_events.texts import may_hold_unstorable, storable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hubspot_singer.http.answers import Answer

# HubSpot answers 500 to some reads of email events that succeed a little later.
SERVER_ERROR_TRIES = 4
MAX_PAGES_WITHOUT_NEW = 10  # after so many pages in a row without a new entry, the end is assumed

Param = str | int | bool | None


class HubSpot(Protocol):
    """What this package needs of `hubspot_singer.http.HubSpotClient`."""

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, Param] | None = None,
        slow_tries: int | None = None,
        server_error_tries: int | None = None,
    ) -> Answer:
        """Read; see `HubSpotClient.get`."""


def body_of(answer: Answer) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON body, with texts that a database can hold."""
    return storable(answer.body) if may_hold_unstorable(answer.content) else answer.body


def has_more(value: object) -> bool:
    """Return what `hasMore` says; raises UnexpectedAnswer where it says neither."""
    try:
        return as_boolean(value)
    except Misfit:
        raise UnexpectedAnswer("the answer does not say whether there are more") from None


def offset_of(value: object) -> str | None:
    """Return the offset as text; HubSpot's are opaque, and some of its endpoints send numbers."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value) or None


def time_of(answer: Answer) -> datetime:
    """Return HubSpot's time; raises UnknownTime."""
    if answer.date is None:
        raise UnknownTime(
            "HubSpot's answer does not say the time (header Date), without which it is not known which events"
            " are settled. Run again, and if it stays so, look at the proxy between here and HubSpot."
        )
    return answer.date


@dataclass(slots=True)
class PagePosition:
    """The position in a sequence of pages: the offset of the next page, and whether there is one that can be read."""

    offset: str | None = None
    is_at_end: bool = False
    is_stuck: bool = False
    _offsets: set[str] = field(default_factory=set)
    _pages_without_new: int = 0

    @property
    def can_go_on(self) -> bool:
        """Whether there is another page, and its offset is known."""
        return not self.is_at_end and not self.is_stuck

    @property
    def brings_nothing_new(self) -> bool:
        """Whether the last pages brought nothing new."""
        return self._pages_without_new >= MAX_PAGES_WITHOUT_NEW

    def follow(self, offset: str | None, *, has_more: bool, is_new: bool) -> None:
        """Go on behind a page: the offset of the next, whether HubSpot has more, and whether an entry was new."""
        self._pages_without_new = 0 if is_new else self._pages_without_new + 1
        self.is_at_end = not has_more
        self.is_stuck = self.brings_nothing_new or offset is None or offset in self._offsets
        self.offset = offset
        self._offsets.update(() if offset is None else (offset,))
