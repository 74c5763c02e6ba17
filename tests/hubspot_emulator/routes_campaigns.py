"""Email campaigns, whose API is as old as that of the email events.

https://developers.hubspot.com/docs/api-reference/legacy/email-analytics-v1/guide
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import Answer, invalid, not_found
from tests.hubspot_emulator.bodies import is_digits
from tests.hubspot_emulator.routing import Routes

if TYPE_CHECKING:
    from tests.hubspot_emulator.routing import Call

DOCS = "https://developers.hubspot.com/docs/api-reference/legacy/email-analytics-v1/campaigns"
SCOPES = (("content",),)
LARGEST_PAGE = 1_000
_LARGEST_ID = 2**63 - 1

routes = Routes()


@routes(
    "GET",
    "/email/public/v1/campaigns/by-id",
    docs=f"{DOCS}/get-email-public-v1-campaigns-by-id",
    scopes=SCOPES,
    query=("limit", "offset"),
)
def get_page(call: Call) -> Answer:
    """Give a page of all campaigns, in no order."""
    return _page(call, recent=False)


@routes(
    "GET",
    "/email/public/v1/campaigns",
    docs=f"{DOCS}/get-email-public-v1-campaigns",
    scopes=SCOPES,
    query=("limit", "offset"),
)
def get_recent_page(call: Call) -> Answer:
    """Give a page of the campaigns with recent activity."""
    return _page(call, recent=True)


@routes(
    "GET",
    "/email/public/v1/campaigns/{id}",
    docs=f"{DOCS}/get-email-public-v1-campaigns-campaign-id",
    scopes=SCOPES,
    query=("appId",),
)
def get(call: Call) -> Answer:
    """Tell about one campaign; its id alone does not name it."""
    campaign_id = call.parameters["id"]
    if not is_digits(campaign_id) or "appId" not in call.query:
        raise invalid("A campaign is named by its id and appId")
    app_id = call.query.whole("appId", 0, lowest=0, highest=_LARGEST_ID)
    with call.portal.lock:
        campaign = call.portal.campaigns.get((int(campaign_id), app_id))
        if campaign is None or campaign.is_gone:
            raise not_found("No such campaign")
        return Answer(200, campaign.told())


def _page(call: Call, *, recent: bool) -> Answer:
    limit = call.query.whole("limit", 10, lowest=1, highest=LARGEST_PAGE)
    start = _start(call)
    with call.portal.lock:
        entries, has_more = call.portal.campaigns.page(start, limit, recent=recent)
    offset = urlsafe_b64encode(str(start + limit).encode()).decode()
    return Answer(200, {"hasMore": has_more, "offset": offset, "campaigns": entries})


def _start(call: Call) -> int:
    text = call.query.text("offset")
    if text is None:
        return 0
    try:
        position = urlsafe_b64decode(text).decode()
    except ValueError as error:
        raise invalid("Invalid offset") from error
    if not is_digits(position):
        raise invalid("Invalid offset")
    return int(position)
