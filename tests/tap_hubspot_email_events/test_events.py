from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tap_hubspot_email_events.errors import UnexpectedAnswer
from tap_hubspot_email_events.events import RecordWriter, event_from
from tap_hubspot_email_events.schemas import schema_of
from tap_hubspot_email_events.streams import STREAMS, EmailEventOpen
from tests.tap_hubspot_email_events.examples import EXAMPLES

if TYPE_CHECKING:
    from tap_hubspot_email_events.streams import EmailEventStream

BY_TYPE = {stream.event_type: stream for stream in STREAMS}


def writer_of(stream: type[EmailEventStream]) -> RecordWriter:
    names = {column.name for column in stream.columns}
    return RecordWriter(stream.event_type, stream.event_name, stream.columns, names)


def written(stream: type[EmailEventStream], **fields: Any) -> dict[str, Any]:
    return writer_of(stream).record(event_from({"id": "e1", "created": 1_795_000_000_123, **fields}))


@pytest.mark.parametrize("event_type", EXAMPLES)
def test_every_documented_field_has_a_column_and_every_column_a_value(event_type: str) -> None:
    writer = writer_of(BY_TYPE[event_type])

    record = writer.record(event_from(EXAMPLES[event_type]))

    assert not writer.oddities
    assert [name for name, value in record.items() if value is None] == []


@pytest.mark.parametrize("event_type", EXAMPLES)
@pytest.mark.parametrize("is_bare", [False, True])
def test_records_are_what_the_schema_says(event_type: str, is_bare: bool) -> None:  # noqa: FBT001
    stream = BY_TYPE[event_type]
    example = EXAMPLES[event_type]
    event = {key: example[key] for key in ("id", "created")} if is_bare else example

    record = writer_of(stream).record(event_from(event))

    Draft202012Validator(schema_of(stream.columns), format_checker=FormatChecker()).validate(record)


def test_an_open_is_laid_flat() -> None:
    record = writer_of(EmailEventOpen).record(event_from(EXAMPLES["OPEN"]))

    assert record == {
        "id": "5c1c2a4e-8f0f-4a71-9d0e-0f6a7f2d1a01",
        "created": "2026-11-18T11:06:40.123Z",
        "type": "OPEN",
        "event_name": "[HubSpot] EMAIL_OPEN",
        "user_id": "ada@example.com",
        "recipient": " Ada@Example.com",
        "portal_id": 1_234_567,
        "app_id": 113,
        "app_name": "Batch",
        "email_campaign_id": 310_000_001,
        "email_campaign_group_id": 210_000_001,
        "filtered_event": False,
        "sent_by_id": "0f0e0d0c-0b0a-4908-8706-050403020106",
        "sent_by_created": "2026-11-18T11:06:39.000Z",
        "caused_by_id": "1f0e0d0c-0b0a-4908-8706-050403020106",
        "caused_by_created": "2026-11-18T11:06:39.001Z",
        "obsoleted_by_id": "2f0e0d0c-0b0a-4908-8706-050403020106",
        "obsoleted_by_created": "2026-11-18T11:06:49.002Z",
        "smtp_id": "<1795000001.0001@mail.example.org>",
        "send_id": "7c1c2a4e-8f0f-4a71-9d0e-0f6a7f2d1a01",
        "hmid": "8c1c2a4e-8f0f-4a71-9d0e-0f6a7f2d1a01",
        "user_agent": EXAMPLES["OPEN"]["userAgent"],
        "ip_address": "192.0.2.1",
        "os_name": "Windows",
        "os_version": "10",
        "browser": {
            "name": "Chrome 130",
            "family": "Chrome",
            "producer": "Example Inc",
            "producer_url": "https://example.net",
            "type": "Browser",
            "url": "https://example.net/browser",
            "version": ["130.0"],
        },
        "location": {
            "city": "Lyon",
            "state": "auvergne-rhone-alpes",
            "country": "FRANCE",
            "zipcode": "69001",
            "latitude": 45.76,
            "longitude": 4.83,
        },
        "city": "Lyon",
        "region": "auvergne-rhone-alpes",
        "country": "FRANCE",
        "device_type": "COMPUTER",
        "duration": 4200,
    }


def test_a_status_change_says_of_each_subscription_what_changed() -> None:
    record = writer_of(BY_TYPE["STATUSCHANGE"]).record(event_from(EXAMPLES["STATUSCHANGE"]))

    assert record["subscriptions"] == [
        {
            "id": 7001,
            "status": "UNSUBSCRIBED",
            "legal_basis_change": {
                "legal_basis_type": "CONSENT_WITH_NOTICE",
                "legal_basis_explanation": "Opted out",
                "opt_state": "OPT_OUT",
            },
        },
        {"id": 7002, "status": "SUBSCRIBED", "legal_basis_change": None},
    ]


def test_an_event_without_a_type_is_of_the_type_that_was_asked_for() -> None:
    assert written(EmailEventOpen)["type"] == "OPEN"
    assert written(EmailEventOpen, type=None)["type"] == "OPEN"


def test_an_event_of_another_type_says_so() -> None:
    assert written(EmailEventOpen, type="PRINT")["type"] == "PRINT"


def test_missing_and_null_fields_are_null() -> None:
    bare = written(EmailEventOpen)
    nulls = written(EmailEventOpen, **dict.fromkeys(("recipient", "location", "sentBy", "userAgent")))

    assert bare == nulls
    assert {name for name, value in bare.items() if value is not None} == {
        "id",
        "created",
        "type",
        "event_name",
    }


def test_unknown_fields_are_noted_by_name_and_lose_nothing_else() -> None:
    writer = writer_of(EmailEventOpen)

    record = writer.record(event_from({**EXAMPLES["OPEN"], "mood": "cheerful", "planet": None}))

    assert record == writer_of(EmailEventOpen).record(event_from(EXAMPLES["OPEN"]))
    assert writer.oddities.unknown == {"mood", "planet"}


def test_values_that_do_not_fit_are_null_and_noted_by_name() -> None:
    writer = writer_of(EmailEventOpen)

    record = writer.record(
        event_from({**EXAMPLES["OPEN"], "portalId": "many", "sentBy": "me", "location": 5})
    )

    assert [record[name] for name in ("portal_id", "sent_by_id", "location", "city")] == [None] * 4
    assert writer.oddities.misfits == {
        "portalId",
        "sentBy.id",
        "sentBy.created",
        "location",
        "location.city",
        "location.state",
        "location.country",
    }


def test_columns_that_are_not_wanted_are_left_out_and_their_fields_are_still_known() -> None:
    writer = RecordWriter("OPEN", "[HubSpot] EMAIL_OPEN", EmailEventOpen.columns, {"id", "created", "city"})

    record = writer.record(event_from(EXAMPLES["OPEN"]))

    assert record == {"id": EXAMPLES["OPEN"]["id"], "created": "2026-11-18T11:06:40.123Z", "city": "Lyon"}
    assert not writer.oddities


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {"created": 1},
        {"id": "", "created": 1},
        {"id": 7, "created": 1},
        {"id": "e1"},
        {"id": "e1", "created": None},
        {"id": "e1", "created": True},
        {"id": "e1", "created": "1795000000123"},
        {"id": "e1", "created": -1},
        {"id": "e1", "created": 10**18},
    ],
)
def test_what_cannot_be_identified_is_no_event(content: Any) -> None:
    with pytest.raises(UnexpectedAnswer):
        event_from(content)
