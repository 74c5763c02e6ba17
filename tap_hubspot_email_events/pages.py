"""Asks HubSpot for one page of email events, newest first.

https://developers.hubspot.com/docs/api-reference/legacy/email-analytics-v1/guide
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hubspot_singer.http.calls import reference
from tap_hubspot_email_events import moments
from tap_hubspot_email_events.errors import UnexpectedAnswer
from tap_hubspot_email_events.events import event_from

if TYPE_CHECKING:
    from hubspot_singer.http.answers import Answer
    from tap_hubspot_email_events.events import Event
    from tap_hubspot_email_events.windows import Window

PATH = "/email/public/v1/events"  # the one version there is
SLOW_TRIES = 2  # after so many time-outs a window is cut rather than asked for again
SERVER_ERROR_TRIES = 4  # HubSpot answers 500 to some reads of email events that succeed a little later

Param = str | int | bool | None


class HubSpot(Protocol):
    """What this module needs of `hubspot_singer.http.HubSpotClient`."""

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, Param] | None = None,
        slow_tries: int | None = None,
        server_error_tries: int | None = None,
    ) -> Answer:
        """Read."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its events as HubSpot ordered them, and where the next one begins, if there is one."""

    events: tuple[Event, ...]
    has_more: bool
    offset: str | None

    @classmethod
    def from_body(cls, body: object) -> Page:
        """Read the body; anything but events in it is an error and never an empty page."""
        if not isinstance(body, Mapping) or not isinstance(body.get("events"), list):
            raise UnexpectedAnswer("the answer holds no events")
        if not isinstance(body.get("hasMore"), bool):
            raise UnexpectedAnswer("the answer does not say whether there are more events")
        # An offset may come along with the last page too, and means nothing there.
        offset = body.get("offset") if body["hasMore"] else None
        events = tuple(event_from(content) for content in body["events"])
        return cls(events, body["hasMore"], offset if isinstance(offset, str) and offset else None)


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one event type."""

    hubspot: HubSpot
    event_type: str
    exclude_filtered: bool = False

    def page(self, window: Window, *, offset: str | None, limit: int) -> Page:
        """The window's page at the offset."""
        params: dict[str, Param] = {
            "eventType": self.event_type,
            "startTimestamp": window.start,
            "endTimestamp": window.last,
            "excludeFilteredEvents": self.exclude_filtered or None,
            "limit": limit,
            "offset": offset,
        }
        slow_tries = None if window.is_one_millisecond else SLOW_TRIES
        answer = self.hubspot.get(
            PATH, params=params, slow_tries=slow_tries, server_error_tries=SERVER_ERROR_TRIES
        )
        try:
            return Page.from_body(answer.body)
        except UnexpectedAnswer as error:
            raise UnexpectedAnswer(
                f"HubSpot's {self.event_type} events from {moments.to_text(window.start)} until"
                f" {moments.to_text(window.end)} cannot be read: {error}"
                f"{reference(answer.correlation_id)}. Nothing of them was passed on: run again, and if it stays so,"
                " show HubSpot's support the correlation id."
            ) from None


def hubspot_time(hubspot: HubSpot, event_type: str) -> int:
    """HubSpot's own time in milliseconds, since only its clock says which of its events are settled."""
    params: dict[str, Param] = {"eventType": event_type, "limit": 1}
    answer = hubspot.get(PATH, params=params, server_error_tries=SERVER_ERROR_TRIES)
    if answer.date is None:
        raise UnexpectedAnswer(
            "HubSpot's answer does not say the time (header Date), without which nobody knows which events are"
            " settled. Run again, and if it stays so, look at the proxy between here and HubSpot."
        )
    return moments.from_datetime(answer.date)
