from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tap_hubspot_email_events.columns import EVENT_KEY, schema_of
from tap_hubspot_email_events.events import IDENTITY, EventParser
from tap_hubspot_email_events.records import RecordBuilder
from tap_hubspot_email_events.streams import EVENT_STREAMS, EmailEventOpen
from tests.tap_hubspot_email_events.examples import EXAMPLES

if TYPE_CHECKING:
    from tap_hubspot_email_events.streams import EmailEventStream

BY_TYPE = {stream.event_type: stream for stream in EVENT_STREAMS}
NEAREST = 1_790_000_000_000


def parser_of(stream: type[EmailEventStream]) -> EventParser:
    defaults = {"type": stream.event_type, "event_name": stream.event_name}
    return EventParser(RecordBuilder(stream.columns, defaults=defaults, reserved=IDENTITY))


def record(stream: type[EmailEventStream], content: dict[str, Any]) -> dict[str, Any]:
    _, event = parser_of(stream).parse(content, NEAREST)
    assert event is not None
    assert event.record is not None
    return orjson.loads(event.record)  # type: ignore[no-any-return]


def opened(**fields: Any) -> dict[str, Any]:
    return record(EmailEventOpen, {"id": "e1", "created": 1_795_000_000_123, **fields})


@pytest.mark.parametrize("event_type", EXAMPLES)
def test_every_documented_field_has_a_column_and_every_column_a_value(event_type: str) -> None:
    parser = parser_of(BY_TYPE[event_type])
    _, event = parser.parse(EXAMPLES[event_type], NEAREST)

    assert event is not None
    assert event.record is not None
    assert not parser.records.notes.unknown | parser.records.notes.misfits
    assert [name for name, value in orjson.loads(event.record).items() if value is None] == ["extra"]


@pytest.mark.parametrize("event_type", EXAMPLES)
@pytest.mark.parametrize("is_bare", [False, True])
def test_records_are_what_the_schema_says(event_type: str, is_bare: bool) -> None:  # noqa: FBT001
    stream = BY_TYPE[event_type]
    example = EXAMPLES[event_type]
    content = {key: example[key] for key in ("id", "created")} if is_bare else example

    schema = schema_of(stream.columns, EVENT_KEY)

    Draft202012Validator(schema, format_checker=FormatChecker()).validate(record(stream, content))


def test_an_open_is_laid_flat() -> None:
    assert record(EmailEventOpen, EXAMPLES["OPEN"]) == {
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
        "extra": None,
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
    assert record(BY_TYPE["STATUSCHANGE"], EXAMPLES["STATUSCHANGE"])["subscriptions"] == [
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


@pytest.mark.parametrize("fields", [{}, {"type": None}])
def test_an_event_without_a_type_is_of_the_type_that_was_asked_for(fields: dict[str, Any]) -> None:
    assert opened(**fields)["type"] == "OPEN"


def test_an_event_of_another_type_says_so() -> None:
    assert opened(type="PRINT")["type"] == "PRINT"


@pytest.mark.parametrize(
    "created",
    [1_795_000_000_123, "1795000000123", "1795000000123.0", 1_795_000_000_123.0, "1.795000000123E12"],
)
@pytest.mark.parametrize(("event_id", "text"), [("e1", "e1"), (7, "7"), (7.0, "7"), (2**60, str(2**60))])
def test_an_identity_may_be_written_as_numbers_or_text(created: Any, event_id: Any, text: str) -> None:
    moment, event = parser_of(EmailEventOpen).parse({"id": event_id, "created": created}, NEAREST)

    assert moment == 1_795_000_000_123
    assert event is not None
    assert (event.id, event.created) == (text, 1_795_000_000_123)
    assert orjson.loads(event.record or b"")["created"] == "2026-11-18T11:06:40.123Z"
    assert orjson.loads(event.record or b"")["id"] == text


@pytest.mark.parametrize(
    ("content", "moment"),
    [
        (None, NEAREST),
        ([], NEAREST),
        ({"created": 1}, 1),
        ({"id": "", "created": 1}, 1),
        ({"id": "  ", "created": 1}, 1),
        ({"id": True, "created": 1}, 1),
        ({"id": ["e1"], "created": 1}, 1),
        ({"id": "e1"}, NEAREST),
        ({"id": "e1", "created": None}, NEAREST),
        ({"id": "e1", "created": True}, NEAREST),
        ({"id": "e1", "created": "yesterday"}, NEAREST),
        ({"id": "e1", "created": 1.5}, NEAREST),
        ({"id": "e1", "created": -1}, NEAREST),
        ({"id": "e1", "created": 10**18}, NEAREST),
    ],
)
def test_what_cannot_be_identified_has_no_record_and_is_told_from_others_like_it(
    content: Any, moment: int
) -> None:
    found, event = parser_of(EmailEventOpen).parse(content, NEAREST)
    _, other = parser_of(EmailEventOpen).parse([content], NEAREST)

    assert event is not None
    assert other is not None
    assert (found, event.created, event.record) == (moment, moment, None)
    assert event.key != other.key


@pytest.mark.parametrize(
    ("filtered", "is_wanted"), [(True, False), ("true", False), (False, True), (None, True), ("odd", True)]
)
def test_filtered_events_are_not_wanted_where_they_are_excluded(filtered: Any, is_wanted: bool) -> None:  # noqa: FBT001
    parser = EventParser(RecordBuilder(EmailEventOpen.columns), exclude_filtered=True)

    moment, event = parser.parse({"id": "e1", "created": 7, "filteredEvent": filtered}, NEAREST)

    assert moment == 7
    assert (event is not None) == is_wanted


def test_events_of_types_that_are_passed_over_are_not_wanted() -> None:
    parser = EventParser(RecordBuilder(EmailEventOpen.columns), passed_over={"OPEN"}, is_named_by_type=True)

    assert parser.parse({"id": "e1", "created": "7", "type": "OPEN"}, NEAREST) == (7, None)
    assert parser.parse({"id": "e1", "type": "OPEN"}, NEAREST) == (NEAREST, None)
    _, event = parser.parse({"id": "e1", "created": 7, "type": "REPLY"}, NEAREST)
    assert event is not None
    assert orjson.loads(event.record or b"")["event_name"] == "[HubSpot] EMAIL_REPLY"


def test_integers_that_fast_json_cannot_write_do_not_lose_the_event() -> None:
    assert opened(huge=2**70)["extra"]["huge"] == pytest.approx(2**70)
