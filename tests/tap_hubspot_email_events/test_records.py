from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tap_hubspot_email_events.columns import COMMON, LINK, PLACE, SUBSCRIPTION_CHANGE, Column, schema_of
from tap_hubspot_email_events.kinds import INTEGER, TEXT
from tap_hubspot_email_events.records import RecordBuilder
from tap_hubspot_email_events.streams import EmailEventOpen
from tests.tap_hubspot_email_events.examples import EXAMPLES

ID, EXTRA = COMMON[0], COMMON[-1]
COUNT = Column("count", "count", INTEGER, "A number.")


def built(*columns: Column, selected: set[str] | None = None, **content: Any) -> dict[str, Any]:
    return RecordBuilder((*columns, EXTRA), selected=selected).build(content)


def test_missing_and_null_fields_are_null() -> None:
    columns = EmailEventOpen.columns
    nulls: dict[str, Any] = dict.fromkeys(("recipient", "location", "sentBy", "userAgent"))

    record = RecordBuilder(columns, defaults={"type": "OPEN"}).build(nulls)

    assert record == {column.name: None for column in columns} | {"type": "OPEN"}


def test_fields_without_a_column_are_kept_in_extra_and_noted_by_name() -> None:
    builder = RecordBuilder(EmailEventOpen.columns)

    record = builder.build({**EXAMPLES["OPEN"], "mood": {"today": ["cheerful"]}, "planet": None})

    assert record["extra"] == {"mood": {"today": ["cheerful"]}, "planet": None}
    assert builder.notes.unknown == {"mood", "planet"}
    assert not builder.notes.misfits
    assert record | {"extra": None} == RecordBuilder(EmailEventOpen.columns).build(EXAMPLES["OPEN"])


def test_parts_of_an_object_without_a_column_are_kept_too() -> None:
    builder = RecordBuilder((*PLACE, *COMMON))

    record = builder.build(
        {"location": {"city": "Lyon", "planet": "Earth"}, "sentBy": {"id": "e0", "created": 5, "why": 1}}
    )

    assert record["extra"] == {"location": {"planet": "Earth"}, "sentBy": {"why": 1}}
    assert (record["city"], record["sent_by_id"]) == ("Lyon", "e0")
    assert builder.notes.unknown == {"location.planet", "sentBy.why"}


def test_values_that_do_not_fit_are_null_kept_in_extra_and_noted_by_name() -> None:
    builder = RecordBuilder(EmailEventOpen.columns)
    odd = {
        "portalId": "many",
        "sentBy": "me",
        "location": 5,
        "browser": {"version": [["9"]], "name": {"x": 1}},
    }

    record = builder.build({**EXAMPLES["OPEN"], **odd})

    names = ("portal_id", "sent_by_id", "sent_by_created", "location", "city")
    assert [record[name] for name in names] == [None] * 5
    assert record["browser"]["version"] == ['["9"]']
    assert record["browser"]["name"] == '{"x":1}'
    assert record["extra"] == {"portalId": "many", "sentBy": "me", "location": 5}
    assert builder.notes.misfits == {"portalId", "sentBy", "location"}


def test_of_an_integer_that_no_warehouse_holds_the_value_is_in_extra() -> None:
    assert built(COUNT, count=2**63) == {"count": None, "extra": {"count": 2**63}}
    assert built(COUNT, count=2**63 - 1) == {"count": 2**63 - 1, "extra": None}


def test_one_odd_element_of_an_array_costs_that_element() -> None:
    (column,) = (each for each in SUBSCRIPTION_CHANGE if each.name == "subscriptions")
    sent = [{"id": 1, "status": "SUBSCRIBED"}, "odd", None, {"id": "two"}]

    record = built(column, subscriptions=sent)

    empty = {"id": None, "status": None, "legal_basis_change": None}
    assert record["subscriptions"] == [empty | {"id": 1, "status": "SUBSCRIBED"}, None, None, empty]
    assert record["extra"] == {"subscriptions": sent}


def test_a_null_in_an_array_stays_and_a_value_alone_is_an_array() -> None:
    reply_to = EXAMPLES["SENT"]["replyTo"]
    (column,) = (each for each in _columns("email_event_sent") if each.name == "reply_to")

    assert built(column, replyTo=[*reply_to, None])["reply_to"] == [*reply_to, None]
    assert built(column, replyTo="a@example.com") == {"reply_to": ["a@example.com"], "extra": None}


def test_columns_that_are_not_selected_are_left_out_and_their_fields_are_still_known() -> None:
    builder = RecordBuilder(EmailEventOpen.columns, selected={"id", "created", "city"})

    record = builder.build(EXAMPLES["OPEN"])

    assert record == {"id": EXAMPLES["OPEN"]["id"], "created": "2026-11-18T11:06:40.123Z", "city": "Lyon"}
    assert not builder.notes.unknown | builder.notes.misfits


def test_a_link_shows_its_campaign_parameters() -> None:
    record = built(*LINK, url="https://example.org/a?utm_source=hs_email&utm_campaign=Caf%C3%A9+1&x=y")

    assert record["utm_source"] == "hs_email"
    assert record["utm_campaign"] == "Café 1"
    assert [record[name] for name in ("utm_medium", "utm_term", "utm_content")] == [None] * 3


def test_an_object_of_other_types_than_text_is_read_too() -> None:
    (location,) = (each for each in PLACE if each.name == "location")
    record = built(location, location={"latitude": 45, "longitude": "4.83", "zipcode": 69001, "city": None})

    assert record["location"] == {
        "city": None,
        "state": None,
        "country": None,
        "zipcode": "69001",
        "latitude": 45.0,
        "longitude": 4.83,
    }


def test_reserved_columns_are_left_to_the_caller() -> None:
    builder = RecordBuilder((ID, Column("name", "name", TEXT, "A name.")), reserved={"id"})

    assert builder.build({"id": 7, "name": "x"}) == {"id": None, "name": "x"}
    assert not builder.notes.misfits


@pytest.mark.parametrize(
    "value", ["text", 5, 5.5, True, None, [], {}, ["a", None], {"id": [1]}, -(2**63), 2**64, 1e300]
)
def test_records_are_what_the_schema_says_whatever_hubspot_sends(value: Any) -> None:
    columns = tuple(
        {each.name: each for each in (*EmailEventOpen.columns, *LINK, *SUBSCRIPTION_CHANGE)}.values()
    )
    content = {column.outer: value for column in columns if column.outer} | {"id": "e1", "created": 5}
    record = RecordBuilder(columns).build(content)

    Draft202012Validator(schema_of(columns, ("id", "created")), format_checker=FormatChecker()).validate(
        record
    )
    assert list(record) == [column.name for column in columns]


def _columns(name: str) -> Any:
    from tap_hubspot_email_events.streams import STREAMS  # noqa: PLC0415

    return next(each.columns for each in STREAMS if vars(each)["name"] == name)
