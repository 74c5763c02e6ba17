"""The tables are those that Fivetran's dbt package for HubSpot reads: https://github.com/fivetran/dbt_hubspot."""

from __future__ import annotations

import pytest

from tap_hubspot_email_events.columns import CAMPAIGN, CAMPAIGN_KEY, EVENT_KEY, schema_of
from tap_hubspot_email_events.streams import EVENT_STREAMS

# As of dbt_hubspot be3a903, macros/staging/get_email_event*_columns.sql; `_fivetran_synced`, when Fivetran
# loaded a row, is no column of an event.
EXPECTED_OF_ALL = {
    "app_id": "integer",
    "caused_by_created": "date-time",
    "caused_by_id": "string",
    "created": "date-time",
    "email_campaign_id": "integer",
    "filtered_event": "boolean",
    "id": "string",
    "obsoleted_by_created": "date-time",
    "obsoleted_by_id": "string",
    "portal_id": "integer",
    "recipient": "string",
    "sent_by_created": "date-time",
    "sent_by_id": "string",
    "type": "string",
}
EXPECTED = {
    "email_event_bounce": {"category", "id", "response", "status"},
    "email_event_click": {"browser", "id", "ip_address", "location", "referer", "url", "user_agent"},
    "email_event_deferred": {"attempt", "id", "response"},
    "email_event_delivered": {"id", "response", "smtp_id"},
    "email_event_dropped": {"bcc", "cc", "drop_message", "drop_reason", "from", "id", "reply_to", "subject"},
    "email_event_open": {"browser", "duration", "id", "ip_address", "location", "user_agent"},
    "email_event_processed": {"id"},
    "email_event_sent": {"bcc", "cc", "from", "id", "reply_to", "subject"},
    "email_event_spam_report": {"id", "ip_address", "user_agent"},
    "email_event_status_change": {
        "bounced",
        "id",
        "portal_subscription_status",
        "requested_by",
        "source",
        "subscriptions",
    },
}
# macros/staging/get_email_campaign_columns.sql, the table `email_campaign`.
EXPECTED_OF_CAMPAIGNS = {
    "app_id": "integer",
    "app_name": "string",
    "content_id": "integer",
    "id": "integer",
    "name": "string",
    "num_included": "integer",
    "num_queued": "integer",
    "sub_type": "string",
    "subject": "string",
    "type": "string",
}
BY_NAME = {str(vars(stream)["name"]): stream for stream in EVENT_STREAMS}


def test_there_is_a_stream_for_each_table() -> None:
    assert set(BY_NAME) == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_stream_has_the_columns_of_its_table(name: str) -> None:
    assert {column.name for column in BY_NAME[name].columns} >= EXPECTED[name]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_stream_has_the_columns_that_all_events_share_typed_alike(name: str) -> None:
    properties = schema_of(BY_NAME[name].columns, EVENT_KEY)["properties"]

    declared = {
        column: properties[column].get("format", properties[column]["type"][0]) for column in EXPECTED_OF_ALL
    }

    assert declared == EXPECTED_OF_ALL


def test_campaigns_have_the_columns_of_their_table_typed_alike() -> None:
    properties = schema_of(CAMPAIGN, CAMPAIGN_KEY)["properties"]

    assert {name: properties[name]["type"][0] for name in EXPECTED_OF_CAMPAIGNS} == EXPECTED_OF_CAMPAIGNS


@pytest.mark.parametrize("name", EXPECTED)
def test_the_names_of_columns_are_unique(name: str) -> None:
    names = [column.name for column in BY_NAME[name].columns]

    assert len(names) == len(set(names))


def test_events_have_the_names_that_analytics_tools_know() -> None:
    assert [stream.event_name for stream in EVENT_STREAMS] == [
        "[HubSpot] EMAIL_SENT",
        "[HubSpot] EMAIL_DROPPED",
        "[HubSpot] EMAIL_PROCESSED",
        "[HubSpot] EMAIL_DELIVERED",
        "[HubSpot] EMAIL_DEFERRED",
        "[HubSpot] EMAIL_BOUNCE",
        "[HubSpot] EMAIL_OPEN",
        "[HubSpot] EMAIL_CLICK",
        "[HubSpot] EMAIL_STATUS_CHANGE",
        "[HubSpot] EMAIL_SPAM_REPORT",
    ]
