"""The portal's email campaigns: listed page by page in no order, and told about one by one.

https://developers.hubspot.com/docs/api-reference/legacy/email-analytics-v1/guide
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Mapping

CampaignKey = tuple[int, int]  # the campaign's id and that of the app that sends it
TYPICAL_DETAILS: Mapping[str, object] = {
    "contentId": 77_000_001,
    "name": "November notes",
    "subject": "What is new in November",
    "type": "BATCH_EMAIL",
    "subType": "BATCH",
    "numIncluded": 450,
    "numQueued": 450,
    "counters": {"sent": 440, "delivered": 430, "open": 190, "click": 41, "bounce": 10, "dropped": 10},
}


@dataclass(slots=True)
class Campaign:
    """One campaign. `updated_ms` is None where HubSpot does not tell when it was last active."""

    campaign_id: int
    app_id: int
    app_name: str
    updated_ms: int | None
    details: dict[str, object] = field(default_factory=dict)
    is_gone: bool = False  # still listed, but nothing is told about it

    @property
    def key(self) -> CampaignKey:
        return self.campaign_id, self.app_id

    def entry(self) -> dict[str, object]:
        """The campaign in a list."""
        told = {} if self.updated_ms is None else {"lastUpdatedTime": self.updated_ms}
        return {**self._identity(), **told}

    def told(self) -> dict[str, object]:
        """All that HubSpot tells about the campaign."""
        return {**self._identity(), **self.details}

    def _identity(self) -> dict[str, object]:
        return {"id": self.campaign_id, "appId": self.app_id, "appName": self.app_name}


class Campaigns:
    """All campaigns. Not locked: the portal does that."""

    def __init__(self) -> None:
        self._by_key: dict[CampaignKey, Campaign] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def add(self, campaign: Campaign) -> None:
        self._by_key[campaign.key] = campaign

    def get(self, key: CampaignKey) -> Campaign | None:
        return self._by_key.get(key)

    def page(self, start: int, limit: int, *, recent: bool) -> tuple[list[dict[str, object]], bool]:
        """Give the entries from a position on, and whether there are more; `recent`: only those with a time."""
        listed = [each for each in self._by_key.values() if not recent or each.updated_ms is not None]
        listed.sort(key=lambda each: crc32(repr(each.key).encode()))  # HubSpot promises no order
        page = listed[start : start + limit]
        return [each.entry() for each in page], start + limit < len(listed)
