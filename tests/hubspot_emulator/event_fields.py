"""The types of email events, and what an event of each typically holds; every value is invented.

https://developers.hubspot.com/docs/api-reference/legacy/email-analytics-v1/guide
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# In the order of the message with which HubSpot refuses any other:
# https://github.com/HubSpot/hubspot-api-python/issues/413
EVENT_TYPES = (
    "DROPPED",
    "UNBOUNCE",
    "STATUSCHANGE",
    "DELIVERED",
    "FORWARD",
    "BOUNCE",
    "REPLY",
    "PRINT",
    "PROCESSED",
    "UNSUBSCRIBED",
    "SUPPRESSED",
    "CLICK_ON_IDENTIFIED_LINK",
    "SENT",
    "SELECTED",
    "SPAMREPORT",
    "OPT_IN_CHANGE",
    "DEFERRED",
    "ERROR",
    "OPEN",
    "MTA_DROPPED",
    "CLICK",
)

_MESSAGE: Mapping[str, object] = {
    "from": '"Example News" <news@example.org>',
    "replyTo": ["news@example.org"],
    "cc": [],
    "bcc": [],
    "subject": "November notes",
}
_USER_AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6_1) AppleWebKit/605.1.15 Version/17.6 Safari/605.1"
_READER: Mapping[str, object] = {
    "userAgent": _USER_AGENT,
    "browser": {
        "name": "Safari 17.6",
        "family": "Safari",
        "producer": "Example Inc",
        "producerUrl": "https://example.net",
        "type": "Browser",
        "url": "https://example.net/browser",
        "version": ["17.6"],
    },
    "location": {
        "city": "Lyon",
        "state": "auvergne-rhone-alpes",
        "country": "FRANCE",
        "latitude": 45.76,
        "longitude": 4.83,
        "zipcode": "69001",
    },
    "deviceType": "COMPUTER",
    "filteredEvent": False,
}
_SMTP_ID = "<1795000001.0001@mail.example.org>"

TYPICAL_FIELDS: Mapping[str, Mapping[str, object]] = {name: {} for name in EVENT_TYPES} | {
    "SENT": {**_MESSAGE, "emailCampaignGroupId": 210_000_001},
    "DROPPED": {**_MESSAGE, "dropReason": "PREVIOUSLY_BOUNCED", "dropMessage": "Hard bounced earlier"},
    "PROCESSED": {"smtpId": None},
    "DELIVERED": {"response": "250 2.0.0 OK 1795000003 abc123 - smtp", "smtpId": _SMTP_ID},
    "DEFERRED": {"response": "451 4.7.1 Try again later", "attempt": 1},
    "BOUNCE": {"category": "UNKNOWN_USER", "status": "5.1.1", "response": "550 5.1.1 user unknown"},
    "OPEN": {**_READER, "duration": 4200},
    "CLICK": {
        **_READER,
        "url": "https://www.example.org/offer",
        "referer": "https://mail.example.com/",
        "linkId": 0,
    },
    "STATUSCHANGE": {
        "source": "SOURCE_RECIPIENT",
        "requestedBy": "eve@example.com",
        "portalSubscriptionStatus": "UNSUBSCRIBED",
        "subscriptions": [
            {
                "id": 7001,
                "status": "UNSUBSCRIBED",
                "legalBasisChange": {
                    "legalBasisType": "CONSENT_WITH_NOTICE",
                    "legalBasisExplanation": "Opted out",
                    "optState": "OPT_OUT",
                },
            }
        ],
        "bounced": False,
    },
    "SPAMREPORT": {"userAgent": "feedback-loop/1.0"},
    "SUPPRESSED": {"suppressedReason": "GRAYMAIL_SUPPRESSED", "suppressedMessage": "Not engaged"},
    "FORWARD": _READER,
    "PRINT": _READER,
}
