"""Reads the email campaigns once: lists them, reads the details of those that may have changed, notes the progress."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hubspot_singer.http.errors import MissingScopes, NotFound, Unavailable
from tap_hubspot_email_events import moments
from tap_hubspot_email_events.campaign_pages import read_details, read_listing
from tap_hubspot_email_events.campaigns import MOST_READ, CampaignProgress
from tap_hubspot_email_events.errors import ENDS_THE_RUN, UnreadableState
from tap_hubspot_email_events.kinds import to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping, Sequence

    from hubspot_singer.http.errors import HubSpotError
    from tap_hubspot_email_events.campaign_pages import CampaignRead, Listing
    from tap_hubspot_email_events.campaigns import ListedCampaign
    from tap_hubspot_email_events.paging import HubSpot
    from tap_hubspot_email_events.records import RecordBuilder

MOST_FAILURES = 10  # in a row, of campaigns' details: then the cause is not the campaigns
MOST_NOT_FOUND = 20  # campaigns, if none was found: then HubSpot's 404 may not be about them

logger = logging.getLogger("tap-hubspot-email-events")


@dataclass(slots=True)
class CampaignRun:
    """The campaigns that HubSpot lists, which of them are wanted, and how far their reading has come."""

    hubspot: HubSpot
    listing: Listing
    progress: CampaignProgress
    wanted: list[ListedCampaign]
    not_found: int = 0
    read: int = 0
    failures: list[HubSpotError] = field(default_factory=list)
    _in_a_row: int = 0

    @classmethod
    def begin(
        cls, hubspot: HubSpot, state: Mapping[str, Any], *, lookback: int, seen: Collection[tuple[Any, Any]]
    ) -> CampaignRun:
        """List the campaigns; raises HubSpotError."""
        listing = read_listing(hubspot)
        now = moments.from_datetime(listing.time)
        try:
            progress = CampaignProgress.from_state(state, now=now, lookback=lookback)
        except UnreadableState as error:
            raise UnreadableState(
                f"The state of email_campaigns cannot be read: {error}. Take the stream out of the state to read all"
                " campaigns again."
            ) from error
        return cls(hubspot, listing, progress, progress.wanted(listing.campaigns.values(), seen))

    def batches(
        self, records: RecordBuilder, *, workers: int, portal_id: Callable[[], int | None]
    ) -> Iterator[list[bytes]]:
        """Yield the records of the wanted campaigns, as many as a run reads; raises HubSpotError."""
        if not self.wanted:
            return
        of_portal = {"portalId": portal_id()}
        not_found: list[CampaignRead] = []
        for read in read_details(self.hubspot, self.wanted[:MOST_READ], workers=workers):
            if isinstance(read.problem, NotFound):
                not_found.append(read)
            elif read.problem is not None:
                self._fail(read.problem)
            else:
                yield [to_json(records.build(_content(read) | of_portal))]
                self._in_a_row = 0
                self.read += 1
                self.progress.pass_on(read.campaign)
        self._pass_over(not_found)

    def _pass_over(self, not_found: Sequence[CampaignRead]) -> None:
        """Note campaigns that were deleted; raise HubSpot's 404 if it may not be about the campaigns."""
        if len(not_found) >= MOST_NOT_FOUND and not self.read and not_found[0].problem is not None:
            raise not_found[0].problem
        self.not_found = len(not_found)
        for read in not_found:
            self.progress.pass_on(read.campaign)

    def _fail(self, problem: HubSpotError) -> None:
        """Go on without a campaign, unless the problem concerns the others as well."""
        self._in_a_row += 1
        is_general = isinstance(problem, (*ENDS_THE_RUN, MissingScopes, Unavailable))
        if is_general or self._in_a_row >= MOST_FAILURES:
            raise problem
        self.failures.append(problem)

    def end(self, state: MutableMapping[str, Any]) -> None:
        """Write the progress into the state, and log it."""
        self.progress.finish(
            self.listing.campaigns.values(), self.wanted, state, is_complete=self.listing.is_complete
        )
        left = len(self.wanted) - len(self.progress.passed_on)
        logger.info(
            "Email campaigns: %d listed, %d of them new or changed, %d read, %d gone, %d left for the next run.",
            len(self.listing.campaigns),
            len(self.wanted),
            self.read,
            self.not_found,
            left,
        )

    @property
    def problems(self) -> list[str]:
        """What the run exits 1 for, one sentence each."""
        problems = []
        if unnamed := self.listing.unnamed:
            problems.append(
                f"{_counted(unnamed, 'campaign')} without an id or an app id could not be passed on. All others were;"
                " show HubSpot's support if it stays so."
            )
        if self.failures:
            problems.append(
                f"{_counted(len(self.failures), 'campaign')} could not be read, and the next run asks for them again."
                f" All others were passed on. The first: {self.failures[0]}"
            )
        return problems


def _content(read: CampaignRead) -> dict[str, Any]:
    """Return HubSpot's fields of a campaign; what identifies it, and its time, are as it is listed."""
    campaign = read.campaign
    return {
        **campaign.content,
        **(read.details or {}),
        "id": campaign.key.campaign_id,
        "appId": campaign.key.app_id,
        "lastUpdatedTime": campaign.updated,
    }


def _counted(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"
