"""Reads what HubSpot's old email endpoints have in common: bodies, pages that lead to the next one, and the time."""

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
BARREN_PAGES = 10  # so many pages with nothing new on them, one after another, are taken for the end

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
            "HubSpot's answer does not say the time (header Date), without which nobody knows which events are"
            " settled. Run again, and if it stays so, look at the proxy between here and HubSpot."
        )
    return answer.date


@dataclass(slots=True)
class Trail:
    """How pages lead on: the offset of the next one, whether there is one, and whether it can be had."""

    offset: str | None = None
    is_at_end: bool = False
    is_stuck: bool = False
    _offsets: set[str] = field(default_factory=set)
    _barren: int = 0

    @property
    def can_go_on(self) -> bool:
        """Whether there is another page, and a way to it."""
        return not self.is_at_end and not self.is_stuck

    @property
    def is_barren(self) -> bool:
        """Whether many pages, one after another, brought nothing new."""
        return self._barren >= BARREN_PAGES

    def follow(self, offset: str | None, *, has_more: bool, is_new: bool) -> None:
        """Go on behind a page: its offset, whether HubSpot has more, and whether anything on it was new."""
        self._barren = 0 if is_new else self._barren + 1
        self.is_at_end = not has_more
        self.is_stuck = self.is_barren or offset is None or offset in self._offsets
        self.offset = offset
        self._offsets.update(() if offset is None else (offset,))
