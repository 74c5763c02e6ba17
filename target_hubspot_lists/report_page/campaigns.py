"""Parses the figures of email campaigns, from a file that `examples/campaigns.sql` writes out of a warehouse."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from target_hubspot_lists.report_page.lines import count_of, json_object, moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

COUNTS = (
    "sent",
    "delivered",
    "opened",
    "clicked",
    "dropped",
    "bounced",
    "unsubscribed",
    "reported_spam",
)


class NoCampaigns(Exception):
    """A file of campaigns cannot be read; `str()` is one sentence for the user."""


@dataclass
class Campaign:
    """One campaign. It counts people: one who opened an email twice counts once."""

    name: str
    subject: str | None
    sent_at: datetime | None
    people: Mapping[str, int]  # of COUNTS
    bounces: dict[str, int] = field(default_factory=dict)  # HubSpot's category → people
    days: dict[date, Mapping[str, int]] = field(default_factory=dict)  # days with an event

    def rate(self, count: str, of: str) -> float | None:
        """Return one count as a share of another, from 0 to 1; None if the other is 0."""
        return self.people[count] / self.people[of] if self.people[of] else None

    def every_day(self, most: int) -> list[tuple[date, Mapping[str, int]]]:
        """Return the days from the first one on, days without an event too; at most `most` days."""
        first, last = min(self.days), max(self.days)
        days = (first + timedelta(days=number) for number in range(min((last - first).days + 1, most)))
        return [(day, self.days.get(day, dict.fromkeys(COUNTS, 0))) for day in days]


def read_campaigns(path: Path) -> list[Campaign]:
    """Read the lines `campaign`, `bounce` and `day`; return the newest campaign first. Raises NoCampaigns."""
    campaigns: dict[str, Campaign] = {}
    lines = list(_lines(path))
    for line in lines:
        if line.get("kind") == "campaign":
            campaigns[_id(line)] = Campaign(
                name=str(line.get("name") or line.get("subject") or f"Campaign {_id(line)}"),
                subject=str(line["subject"]) if line.get("subject") else None,
                sent_at=moment(line.get("sent_at")),
                people=_people(line),
            )
    for number, line in enumerate(lines, start=1):
        campaign = campaigns.get(_id(line))
        if campaign is not None and line.get("kind") == "bounce":
            campaign.bounces[str(line.get("category") or "UNKNOWN")] = count_of(line, "people")
        elif campaign is not None and line.get("kind") == "day":
            campaign.days[_day(line, number, path)] = _people(line)
    return sorted(
        campaigns.values(), key=lambda each: each.sent_at.timestamp() if each.sent_at else 0.0, reverse=True
    )


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise NoCampaigns(f'The campaigns in "{path}" cannot be read ({error.strerror}).') from error
    for number, line in enumerate(text.splitlines(), start=1):
        fields = json_object(line) if line.strip() else {}
        if fields is None:
            raise NoCampaigns(
                f'Line {number} of "{path}" is no JSON object: write the file as examples/campaigns.sql does.'
            )
        yield fields


def _day(line: Mapping[str, Any], number: int, path: Path) -> date:
    try:
        return date.fromisoformat(str(line.get("day"))[:10])
    except ValueError:
        raise NoCampaigns(
            f'Line {number} of "{path}" has no day: write the file as examples/campaigns.sql does.'
        ) from None


def _id(line: Mapping[str, Any]) -> str:
    return f"{line.get('campaign_id')}"


def _people(line: Mapping[str, Any]) -> Mapping[str, int]:
    return {name: count_of(line, name) for name in COUNTS}
