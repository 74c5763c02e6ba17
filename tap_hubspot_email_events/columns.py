"""The columns of each stream: what HubSpot documents, in snake case, with references and places laid flat.

https://developers.hubspot.com/docs/api-reference/legacy/email-analytics-v1/guide
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.derived_values import CAMPAIGN_PARAMETERS
from tap_hubspot_email_events.kinds import (
    ANY_OBJECT,
    BOOLEAN,
    INTEGER,
    MOMENT,
    NUMBER,
    OS_NAME,
    OS_VERSION,
    TEXT,
    USER_ID,
    Fields,
    Several,
    campaign_parameter,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_hubspot_email_events.kinds import AnyKind


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, HubSpot's field that it is read from (none for the empty path), and its kind."""

    name: str
    path: str
    kind: AnyKind
    description: str

    @property
    def outer(self) -> str:
        """The top-level field, `sentBy` of `sentBy.created`."""
        return self.path.partition(".")[0]

    @property
    def inner(self) -> str:
        """The field within that field, `created` of `sentBy.created`; empty where there is none."""
        return self.path.partition(".")[2]


def schema_of(columns: Sequence[Column], key: Sequence[str]) -> dict[str, Any]:
    """Return the JSON Schema of a stream; all columns but the key may be null."""
    properties = {
        column.name: {**column.kind.schema, "description": column.description} for column in columns
    }
    for name in key:
        properties[name]["type"] = [each for each in properties[name]["type"] if each != "null"]
    return {"type": "object", "properties": properties, "required": list(key)}


TEXTS = Several(TEXT)
BROWSER = Fields(
    {
        "name": TEXT,
        "family": TEXT,
        "producer": TEXT,
        "producerUrl": TEXT,
        "type": TEXT,
        "url": TEXT,
        "version": TEXTS,
    }
)
LOCATION = Fields(
    {
        "city": TEXT,
        "state": TEXT,
        "country": TEXT,
        "zipcode": TEXT,
        "latitude": NUMBER,
        "longitude": NUMBER,
    }
)
LEGAL_BASIS_CHANGE = Fields({"legalBasisType": TEXT, "legalBasisExplanation": TEXT, "optState": TEXT})
SUBSCRIPTION = Fields({"id": INTEGER, "status": TEXT, "legalBasisChange": LEGAL_BASIS_CHANGE})

EVENT_KEY = ("id", "created")

COMMON = (
    Column("id", "id", TEXT, "Random id of the event; unique together with created."),
    Column("created", "created", MOMENT, "When HubSpot created the event, to the millisecond."),
    Column("type", "type", TEXT, "HubSpot's event type, such as OPEN."),
    Column("event_name", "", TEXT, "The event as analytics tools name it: [HubSpot] EMAIL_OPEN."),
    Column("user_id", "recipient", USER_ID, "The recipient, trimmed and lower-cased."),
    Column("recipient", "recipient", TEXT, "Address the email was sent to, as HubSpot has it."),
    Column("portal_id", "portalId", INTEGER, "HubSpot account that sent the email."),
    Column("app_id", "appId", INTEGER, "HubSpot application that sent the email."),
    Column("app_name", "appName", TEXT, "Name of that application; HubSpot may change it at any time."),
    Column("email_campaign_id", "emailCampaignId", INTEGER, "Email campaign the email is part of."),
    Column("email_campaign_group_id", "emailCampaignGroupId", INTEGER, "Group of email campaigns."),
    Column("filtered_event", "filteredEvent", BOOLEAN, "Whether the account's filters match: bots, own IPs."),
    Column("sent_by_id", "sentBy.id", TEXT, "Id of the SENT event of the same email."),
    Column("sent_by_created", "sentBy.created", MOMENT, "When that SENT event was created."),
    Column("caused_by_id", "causedBy.id", TEXT, "Id of the event that caused this one."),
    Column("caused_by_created", "causedBy.created", MOMENT, "When that event was created."),
    Column("obsoleted_by_id", "obsoletedBy.id", TEXT, "Id of the event that makes this one irrelevant."),
    Column("obsoleted_by_created", "obsoletedBy.created", MOMENT, "When that event was created."),
    Column("smtp_id", "smtpId", TEXT, "Id the email carried to the delivery provider."),
    Column("send_id", "sendId", TEXT, "HubSpot's id of the sending."),
    Column("hmid", "hmid", TEXT, "The email's X-HubSpot-MID header."),
    Column("extra", "", ANY_OBJECT, "Fields that have no column, and values that do not fit theirs."),
)

MESSAGE = (
    Column("from", "from", TEXT, "The email's From header."),
    Column("reply_to", "replyTo", TEXTS, "Addresses answers go to."),
    Column("cc", "cc", TEXTS, "Addresses copied."),
    Column("bcc", "bcc", TEXTS, "Addresses copied blind."),
    Column("subject", "subject", TEXT, "The email's subject line."),
)
DROP = (
    Column("drop_reason", "dropReason", TEXT, "Why the email was not sent, such as PREVIOUSLY_BOUNCED."),
    Column("drop_message", "dropMessage", TEXT, "The reason in words."),
)
RESPONSE = (Column("response", "response", TEXT, "What the recipient's mail server answered."),)
ATTEMPT = (Column("attempt", "attempt", INTEGER, "How many deliveries were attempted."),)
REFUSAL = (
    Column("category", "category", TEXT, "HubSpot's category of the bounce, which may change at any time."),
    Column("status", "status", TEXT, "Status code of the recipient's mail server."),
)
CLIENT = (
    Column("user_agent", "userAgent", TEXT, "User agent that made the request."),
    Column("ip_address", "ipAddress", TEXT, "Address of the request; HubSpot has left it out since 2019."),
    Column("os_name", "userAgent", OS_NAME, "Operating system that the user agent names."),
    Column("os_version", "userAgent", OS_VERSION, "Version of that operating system."),
)
PLACE = (
    Column("browser", "browser", BROWSER, "Browser or mail program, as HubSpot reads the user agent."),
    Column("location", "location", LOCATION, "Place, as HubSpot reads the IP address."),
    Column("city", "location.city", TEXT, "City of the location."),
    Column("region", "location.state", TEXT, "State or region of the location."),
    Column("country", "location.country", TEXT, "Country of the location."),
    Column("device_type", "deviceType", TEXT, "Kind of device, such as COMPUTER or MOBILE."),
)
DURATION = (Column("duration", "duration", INTEGER, "Milliseconds the email stayed open, where known."),)
LINK = (
    Column("url", "url", TEXT, "Link that was clicked."),
    Column("referer", "referer", TEXT, "Page the click came from."),
    Column("link_id", "linkId", INTEGER, "Which link of the email it was."),
    *(
        Column(name, "url", campaign_parameter(name), f"Parameter {name} of the link.")
        for name in CAMPAIGN_PARAMETERS
    ),
)
SUBSCRIPTION_CHANGE = (
    Column("source", "source", TEXT, "Where the change came from, such as SOURCE_RECIPIENT."),
    Column("source_id", "sourceId", TEXT, "Id of that source."),
    Column("requested_by", "requestedBy", TEXT, "Address of who asked for the change."),
    Column("requested_by_user_id", "requestedByUserId", INTEGER, "HubSpot user who asked for the change."),
    Column("portal_subscription_status", "portalSubscriptionStatus", TEXT, "Status towards all emails."),
    Column("subscriptions", "subscriptions", Several(SUBSCRIPTION), "Status towards each subscription."),
    Column("bounced", "bounced", BOOLEAN, "Whether the change is due to a bounce."),
)

CAMPAIGN_KEY = ("id", "app_id")
COUNTERS = Fields(
    dict.fromkeys(
        (
            "sent",
            "delivered",
            "open",
            "processed",
            "click",
            "bounce",
            "deferred",
            "dropped",
            "mta_dropped",
            "suppressed",
            "spamreport",
            "statuschange",
            "unsubscribed",
            "forward",
            "print",
            "reply",
        ),
        INTEGER,
    )
)
CAMPAIGN = (
    Column(
        "id",
        "id",
        INTEGER,
        "Id of the campaign; unique together with app_id. Events have it as email_campaign_id.",
    ),
    Column("app_id", "appId", INTEGER, "HubSpot application that sends the campaign."),
    Column("portal_id", "portalId", INTEGER, "HubSpot account that the campaign is of."),
    Column("app_name", "appName", TEXT, "Name of the application."),
    Column("name", "name", TEXT, "Name of the campaign, as its users see it."),
    Column("subject", "subject", TEXT, "Subject line of its emails."),
    Column("type", "type", TEXT, "HubSpot's type of campaign, such as BATCH_EMAIL."),
    Column("sub_type", "subType", TEXT, "HubSpot's kind of that type."),
    Column("content_id", "contentId", INTEGER, "Content that the emails are made of."),
    Column("num_included", "numIncluded", INTEGER, "How many emails the campaign includes."),
    Column("num_queued", "numQueued", INTEGER, "How many emails were queued to be sent."),
    Column(
        "counters", "counters", COUNTERS, "How many events of each type there were, as HubSpot counts them."
    ),
    Column(
        "last_updated_time",
        "lastUpdatedTime",
        MOMENT,
        "When the campaign was last active; null where untold.",
    ),
    Column("extra", "", ANY_OBJECT, "Fields that have no column, and values that do not fit theirs."),
)
