from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspot_http.answers import ErrorBody, ErrorDetail, Reply

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
                code="INVALID_EMAIL",
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
    assert ErrorBody.of(Reply(502, {}, content)) == ErrorBody()


def test_the_reference_is_in_the_body_or_in_a_header() -> None:
    headers = {"X-HubSpot-Correlation-Id": "header"}

    assert ErrorBody.of(Reply(400, headers, b"{}")).correlation_id == "header"
    assert ErrorBody.of(Reply(400, headers, b'{"correlationId": "body"}')).correlation_id == "body"


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 99 Mar 2026 09:00:00 GMT"])
def test_a_date_that_is_none_reads_as_none(date: str) -> None:
    assert Reply(200, {"Date": date}).date is None
