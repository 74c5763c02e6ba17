"""What the account is, and how much of its daily limit is used.

https://developers.hubspot.com/docs/api-reference/latest/account/account-information/guide
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import Answer, HubSpotError
from tests.hubspot_emulator.clocks import to_text
from tests.hubspot_emulator.limits import SECONDS_PER_DAY
from tests.hubspot_emulator.routing import Routes

if TYPE_CHECKING:
    from tests.hubspot_emulator.routing import Call

DOCS = "https://developers.hubspot.com/docs/api-reference/latest/account/account-information"
OAUTH = (("oauth",),)

routes = Routes()


@routes(
    "GET",
    "/account-info/{version}/details",
    docs=f"{DOCS}/guide",
    scopes=OAUTH,
)
def details(call: Call) -> Answer:
    portal = call.portal
    if portal.quirks.refuses_account_info:
        raise HubSpotError(403, "FORBIDDEN", "You do not have permission to view this account's details.")
    hours, minutes = divmod(abs(portal.utc_offset) // 60, 60)
    told: dict[str, object] = {
        "portalId": portal.portal_id,
        "accountType": portal.account_type,
        "timeZone": "Etc/UTC" if portal.utc_offset == 0 else "US/Eastern",
        "companyCurrency": "EUR",
        "additionalCurrencies": [],
        "utcOffset": f"{'-' if portal.utc_offset < 0 else '+'}{hours:02}:{minutes:02}",
        "utcOffsetMilliseconds": portal.utc_offset * 1000,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": "na1",
    }
    if call.version >= "2026-09" and call.version != "v3":
        told |= {"portalName": "Example portal", "createdAt": "2020-01-02T03:04:05.678Z"}
    return Answer(200, told)


@routes(
    "POST",
    "/oauth/v2/private-apps/get/access-token-info",
    docs="https://developers.hubspot.com/docs/guides/apps/private-apps/overview",
    needs_token=False,
)
def private_app(call: Call) -> Answer:
    """Tell what a legacy private app's token may do; other kinds of static token are not known here."""
    grant = call.static_tokens.get(call.body("tokenKey").text("tokenKey"))
    if grant is None:
        raise HubSpotError(404, "OBJECT_NOT_FOUND", "token not found")
    return Answer(
        200, {"hubId": call.portal.portal_id, "appId": 1, "userId": 2, "scopes": sorted(grant.scopes)}
    )


@routes(
    "GET",
    "/account-info/{version}/api-usage/daily/private-apps",
    docs=f"{DOCS}/get-usage-details",
    scopes=OAUTH,
)
def daily_usage(call: Call) -> Answer:
    now = call.portal.clock()
    midnight = (now + call.portal.utc_offset) // SECONDS_PER_DAY * SECONDS_PER_DAY - call.portal.utc_offset
    usage = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": call.limits.daily_limit,
        "currentUsage": call.limits.daily_used,
        "collectedAt": to_text(int(now * 1000)),
        "fetchStatus": "SUCCESS",
        "resetsAt": to_text(int((midnight + SECONDS_PER_DAY) * 1000)),
    }
    return Answer(200, {"results": [usage]})
