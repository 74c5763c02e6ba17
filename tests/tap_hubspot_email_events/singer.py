"""What the tap wrote, taken apart, and the times that the tests speak of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

NOW = 1_795_000_000  # seconds; 2026-11-18T11:06:40Z
SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOW_MS = NOW * SECOND
SETTLED = NOW_MS - 5 * MINUTE  # the tap's default
START = 1_792_454_400_000  # 2026-10-20

STREAMS = {
    "email_event_sent": "SENT",
    "email_event_dropped": "DROPPED",
    "email_event_processed": "PROCESSED",
    "email_event_delivered": "DELIVERED",
    "email_event_deferred": "DEFERRED",
    "email_event_bounce": "BOUNCE",
    "email_event_open": "OPEN",
    "email_event_click": "CLICK",
    "email_event_status_change": "STATUSCHANGE",
    "email_event_spam_report": "SPAMREPORT",
}
OTHER, CAMPAIGNS = "email_event_other", "email_campaigns"


@dataclass(frozen=True)
class Output:
    """The messages of one run, how it ended and what it logged."""

    messages: list[dict[str, Any]]
    exit_code: int = 0
    last_words: str = ""
    log: str = ""

    def records(self, stream: str) -> list[dict[str, Any]]:
        """The stream's records, in the order they came."""
        return [
            message["record"]
            for message in self.messages
            if message["type"] == "RECORD" and message["stream"] == stream
        ]

    def ids(self, stream: str = "email_event_open") -> list[str]:
        """The ids of the stream's records, in the order they came."""
        return [record["id"] for record in self.records(stream)]

    @property
    def states(self) -> list[dict[str, Any]]:
        """The values of the STATE messages."""
        return [message["value"] for message in self.messages if message["type"] == "STATE"]

    @property
    def state(self) -> dict[str, Any]:
        """What the next run is given: the last STATE."""
        return self.states[-1]

    def bookmark(self, stream: str = "email_event_open") -> dict[str, Any]:
        """What the last STATE says of the stream."""
        bookmark: dict[str, Any] = self.state["bookmarks"][stream]
        return bookmark
