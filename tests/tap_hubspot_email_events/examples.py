"""An event of each type with every field that HubSpot documents for it; all values are invented.

https://developers.hubspot.com/docs/api-reference/legacy/email-analytics-v1/guide
"""

from __future__ import annotations

from typing import Any

COMMON: dict[str, Any] = {
    "id": "5c1c2a4e-8f0f-4a71-9d0e-0f6a7f2d1a01",
    "created": 1_795_000_000_123,
    "recipient": " Ada@Example.com",
    "portalId": 1_234_567,
    "appId": 113,
    "appName": "Batch",
    "emailCampaignId": 310_000_001,
    "emailCampaignGroupId": 210_000_001,
    "filteredEvent": False,
    "sentBy": {"id": "0f0e0d0c-0b0a-4908-8706-050403020106", "created": 1_794_999_999_000},
    "causedBy": {"id": "1f0e0d0c-0b0a-4908-8706-050403020106", "created": 1_794_999_999_001},
    "obsoletedBy": {"id": "2f0e0d0c-0b0a-4908-8706-050403020106", "created": 1_795_000_009_002},
    "smtpId": "<1795000001.0001@mail.example.org>",
    "sendId": "7c1c2a4e-8f0f-4a71-9d0e-0f6a7f2d1a01",
    "hmid": "8c1c2a4e-8f0f-4a71-9d0e-0f6a7f2d1a01",
}
MESSAGE = {
    "from": '"Example News" <news@example.org>',
    "replyTo": ["news@example.org", "office@example.org"],
    "cc": [],
    "bcc": ["archive@example.org"],
    "subject": "Grüße 🎉",
}
CLIENT = {
    "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/9",
    "ipAddress": "192.0.2.1",
}
PLACE = {
    "browser": {
        "name": "Chrome 130",
        "family": "Chrome",
        "producer": "Example Inc",
        "producerUrl": "https://example.net",
        "type": "Browser",
        "url": "https://example.net/browser",
        "version": ["130.0"],
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
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "SENT": {**COMMON, **MESSAGE},
    "DROPPED": {**COMMON, **MESSAGE, "dropReason": "PREVIOUSLY_BOUNCED", "dropMessage": "Hard bounced"},
    "PROCESSED": COMMON,
    "DELIVERED": {**COMMON, "response": "250 2.0.0 OK"},
    "DEFERRED": {**COMMON, "response": "451 4.7.1 Try again later", "attempt": 2},
    "BOUNCE": {**COMMON, "category": "UNKNOWN_USER", "response": "550 5.1.1 unknown", "status": "5.1.1"},
    "OPEN": {**COMMON, **CLIENT, **PLACE, "duration": 4200},
    "CLICK": {
        **COMMON,
        **CLIENT,
        **PLACE,
        "url": "https://www.example.org/offer?utm_source=hs_email&utm_medium=email&utm_campaign=November"
        "&utm_term=notes&utm_content=310000001",
        "referer": "https://mail.example.com/",
        "linkId": 0,
    },
    "STATUSCHANGE": {
        **COMMON,
        "source": "SOURCE_RECIPIENT",
        "sourceId": "17",
        "requestedBy": "ada@example.com",
        "requestedByUserId": 42,
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
            },
            {"id": 7002, "status": "SUBSCRIBED"},
        ],
        "bounced": False,
    },
    "SPAMREPORT": {**COMMON, **CLIENT},
}
for event_type, example in EXAMPLES.items():
    EXAMPLES[event_type] = {**example, "type": event_type}
