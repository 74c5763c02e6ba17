"""Reads HubSpot's email campaigns: the lists of all and of the recent ones, and the details of each.

https://developers.hubspot.com/docs/api-reference/legacy/email-analytics-v1/guide
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from hubspot_singer.http.calls import reference
from hubspot_singer.http.errors import HubSpotError, InvalidRequest
from tap_hubspot_email_events.campaigns import ListedCampaign
from tap_hubspot_email_events.errors import UnexpectedAnswer
from tap_hubspot_email_events.paging import (
    SERVER_ERROR_TRIES,
    PagePosition,
    body_of,
    has_more,
    offset_of,
    time_of,
)
from tap_hubspot_email_events.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future
    from datetime import datetime

    from hubspot_singer.http.answers import Answer
    from tap_hubspot_email_events.campaigns import CampaignKey
    from tap_hubspot_email_events.paging import HubSpot

PATH = "/email/public/v1/campaigns"
ALL_PATH = f"{PATH}/by-id"
PAGE_CAMPAIGNS = 500  # no maximum is documented; other taps ask for as many
TRIES = 3  # how often a list is begun anew whose offset HubSpot does not take any more

logger = logging.getLogger("tap-hubspot-email-events")


@dataclass(frozen=True, slots=True)
class Listing:
    """All campaigns as HubSpot lists them, each once, and HubSpot's time; `unnamed` entries do not name a campaign.

    It is not complete where HubSpot said that there are more campaigns, but not where they are.
    """

    campaigns: Mapping[CampaignKey, ListedCampaign]
    unnamed: int
    time: datetime
    is_complete: bool


@dataclass(frozen=True, slots=True)
class CampaignRead:
    """The result of reading a campaign: its details, or a problem, which is NotFound for a deleted one."""

    campaign: ListedCampaign
    details: Mapping[str, Any] | None = None
    problem: HubSpotError | None = None


def read_listing(hubspot: HubSpot) -> Listing:
    """Read both lists; raises HubSpotError."""
    everything = _List(hubspot, ALL_PATH)
    recent = _List(hubspot, PATH)  # these have the time of their last update
    time = everything.read()
    recent.read()
    campaigns = everything.campaigns | {
        key: each for key, each in recent.campaigns.items() if _is_newer(each, everything.campaigns.get(key))
    }
    return Listing(
        campaigns,
        everything.unnamed + recent.unnamed,
        time,
        is_complete=everything.is_complete and recent.is_complete,
    )


def _is_newer(recent: ListedCampaign, listed: ListedCampaign | None) -> bool:
    return listed is None or (recent.updated or 0) > (listed.updated or 0)


def read_details(
    hubspot: HubSpot, campaigns: Iterable[ListedCampaign], *, workers: int
) -> Iterator[CampaignRead]:
    """Yield the details of the campaigns in their order, `workers` of them read side by side."""
    threads: Workers[CampaignRead] = Workers(workers)
    under_way: deque[Future[CampaignRead]] = deque()
    try:
        for campaign in campaigns:
            if len(under_way) >= workers:
                yield under_way.popleft().result()
            under_way.append(threads.start(partial(_read, hubspot, campaign)))
        while under_way:
            yield under_way.popleft().result()
    finally:
        threads.close()


def _read(hubspot: HubSpot, campaign: ListedCampaign) -> CampaignRead:
    campaign_id, app_id = campaign.key
    try:
        answer = hubspot.get(
            f"{PATH}/{campaign_id}", params={"appId": app_id}, server_error_tries=SERVER_ERROR_TRIES
        )
        details = body_of(answer)
        if not isinstance(details, Mapping):
            raise UnexpectedAnswer(
                f"HubSpot's answer for email campaign {campaign_id} is no object"
                f"{reference(answer.correlation_id)}."
            )
    except HubSpotError as problem:
        return CampaignRead(campaign, problem=problem)
    return CampaignRead(campaign, details)


class _List:
    """One of HubSpot's lists of campaigns."""

    def __init__(self, hubspot: HubSpot, path: str) -> None:
        self._hubspot = hubspot
        self._path = path
        self.campaigns: dict[CampaignKey, ListedCampaign] = {}
        self.unnamed = 0
        self.is_complete = False

    def read(self) -> datetime:
        """Read the list to its end; return HubSpot's time at its beginning."""
        for _ in range(TRIES - 1):
            with suppress(_OffsetRefused):
                return self._read_pages()
        try:
            return self._read_pages()
        except _OffsetRefused as refused:
            raise refused.error from refused

    def _read_pages(self) -> datetime:
        # Each attempt starts empty: otherwise pages that were read before would count as pages with nothing new.
        self.campaigns, self.unnamed = {}, 0
        position = PagePosition()
        answer = self._page(None)
        time = time_of(answer)
        self._take(answer, position)
        while position.can_go_on:
            self._take(self._page(position.offset), position)
        self.is_complete = position.is_at_end
        if not self.is_complete:
            self._warn_of_missing_pages()
        return time

    def _warn_of_missing_pages(self) -> None:
        logger.warning(
            "HubSpot says that there are more email campaigns (%s), but not where they are. The %d received are"
            " passed on.",
            self._path,
            len(self.campaigns),
        )

    def _page(self, offset: str | None) -> Answer:
        try:
            return self._hubspot.get(
                self._path,
                params={"limit": PAGE_CAMPAIGNS, "offset": offset},
                server_error_tries=SERVER_ERROR_TRIES,
            )
        except InvalidRequest as error:
            if offset is None:
                raise
            raise _OffsetRefused(error) from error

    def _take(self, answer: Answer, position: PagePosition) -> None:
        """Take the campaigns of a page, and note where the next page is."""
        try:
            self._take_body(body_of(answer), position)
        except UnexpectedAnswer as error:
            raise UnexpectedAnswer(
                f"HubSpot's email campaigns ({self._path}) cannot be read: {error}{reference(answer.correlation_id)}."
            ) from None

    def _take_body(self, body: object, position: PagePosition) -> None:
        if not isinstance(body, Mapping) or not isinstance(body.get("campaigns"), list):
            raise UnexpectedAnswer("the answer holds no campaigns")
        known = len(self.campaigns)
        for content in body["campaigns"]:
            campaign = ListedCampaign.parse(content)
            if campaign is None:
                self.unnamed += 1
            else:
                self.campaigns[campaign.key] = campaign
        is_new = len(self.campaigns) > known
        position.follow(offset_of(body.get("offset")), has_more=has_more(body.get("hasMore")), is_new=is_new)


class _OffsetRefused(Exception):
    """HubSpot does not take an offset that it gave."""

    def __init__(self, error: InvalidRequest) -> None:
        super().__init__()
        self.error = error
