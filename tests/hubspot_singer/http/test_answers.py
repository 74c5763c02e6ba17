from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspot_singer.http.answers import ErrorBody, ErrorDetail, Reply, json_body, required_id

NAMES = st.sampled_from(["message", "status", "category", "errors", "context", "in"])
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
BODIES = st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=5)


def test_an_error_body_is_read_in_full() -> None:
    body = ErrorBody.parse(
        {
            "status": "error",
            "message": " Property values were not valid ",
            "correlationId": "abc",
            "category": "VALIDATION_ERROR",
            "subCategory": "crm.x",
            "policyName": "DAILY",
            "context": {"name": ["a", "b"], "id": 7},
            "errors": [
                {
                    "message": "m",
                    "code": "INVALID_EMAIL",
                    "in": "email",
                    "subCategory": "s",
                    "context": {"propertyName": ["email"]},
                },
                "not an entry",
            ],
        }
    )

    assert body == ErrorBody(
        message="Property values were not valid",
        category="VALIDATION_ERROR",
        sub_category="crm.x",
        correlation_id="abc",
        policy_name="DAILY",
        context={"name": ("a", "b"), "id": ("7",)},
        errors=(
            ErrorDetail(
                message="m",
                in_="email",
                sub_category="s",
                context={"propertyName": ("email",)},
            ),
            ErrorDetail(),
        ),
    )


@pytest.mark.parametrize(
    ("fields", "category"),
    [
        ({"status": "error", "category": "CONFLICT"}, "CONFLICT"),
        ({"status": "error", "errorType": "RATE_LIMIT"}, "RATE_LIMIT"),
        ({"status": "BAD_REFRESH_TOKEN", "error": "invalid_grant"}, "BAD_REFRESH_TOKEN"),
        ({"error": "invalid_client"}, "invalid_client"),
        ({"status": "error"}, None),
    ],
)
def test_the_category_has_several_names(fields: dict[str, str], category: str | None) -> None:
    assert ErrorBody.parse(fields).category == category


@given(BODIES)
def test_any_json_reads_as_an_error_body(body: object) -> None:
    assert isinstance(ErrorBody.parse(body), ErrorBody)


@pytest.mark.parametrize("content", [b"", b"<html>", b"[1]", b"\xff", b'"text"'])
def test_what_is_no_envelope_reads_as_an_empty_one(content: bytes) -> None:
    assert ErrorBody.from_reply(Reply(502, {}, content)) == ErrorBody()


def test_the_reference_is_in_the_body_or_in_a_header() -> None:
    headers = {"X-HubSpot-Correlation-Id": "header"}

    assert ErrorBody.from_reply(Reply(400, headers, b"{}")).correlation_id == "header"
    assert ErrorBody.from_reply(Reply(400, headers, b'{"correlationId": "body"}')).correlation_id == "body"


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 99 Mar 2026 09:00:00 GMT"])
def test_a_date_that_is_none_reads_as_none(date: str) -> None:
    assert Reply(200, {"Date": date}).date is None


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (b'{"text": "cut \\ud83d"}', {"text": "cut \ud83d"}),
        (b'{"text": "cut \xed\xa0\xbd"}', {"text": "cut \ud83d"}),
        (b'\xef\xbb\xbf{"marked": true}', {"marked": True}),
        (b'{"twice": 1, "twice": 2}', {"twice": 2}),
        (b'{"largest": 9223372036854775807}', {"largest": 2**63 - 1}),
        (b'{"value": NaN, "values": [-Infinity, 1]}', {"value": None, "values": [None, 1]}),
    ],
)
def test_an_odd_body_is_read(content: bytes, body: object) -> None:
    assert json_body(content) == body


def test_a_number_that_no_warehouse_holds_does_not_hide_the_rest_of_a_body() -> None:
    assert json_body(b'{"id": "e1", "huge": 123456789012345678901234567890}')["id"] == "e1"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \r\n",
        b"<html>",
        b'{"cut": "off',
        b'{"text": "\xff"}',
        b"{} {}",
        b"[" * 50_000 + b"]" * 50_000,
        b"[" + b"1" * 5_000 + b"]",
    ],
    ids=lambda content: content[:12].decode("latin-1"),
)
def test_what_is_no_json_is_refused_and_nothing_else_happens(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its text is shown to nobody
        json_body(content)


@given(st.binary(max_size=20))
def test_any_bytes_are_a_body_or_refused(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        json_body(content)


@given(st.recursive(st.floats(allow_nan=False, allow_infinity=False) | st.text(), st.lists, max_leaves=5))
def test_any_json_is_read_as_it_was_written(body: object) -> None:
    assert json_body(json.dumps(body).encode()) == body


@pytest.mark.parametrize("value", [True, False, None, 0, -1, 1.0, "", "1.0", "text", ["1"], {"id": 1}])
def test_what_is_no_id_is_never_taken_for_one(value: object) -> None:
    with pytest.raises(ValueError, match="not an id"):
        required_id(value)


@pytest.mark.parametrize("value", [42, "42"])
def test_an_id_is_a_number_or_its_digits(value: object) -> None:
    assert required_id(value) == 42
