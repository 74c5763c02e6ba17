"""Reads what HubSpot's old email endpoints have in common: bodies, pages that lead to the next one, and the time."""

from __future__ import annotations

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
