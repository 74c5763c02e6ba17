from __future__ import annotations

import inspect
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspot_singer.http import (
    Answer,
    Conflict,
    DailyLimitReached,
    ErrorBody,
    ErrorDetail,
    HubSpotError,
    InvalidCredentials,
    InvalidRequest,
    MissingScopes,
    NotFound,
    RefreshTokenRejected,
    Refused,
    RetryTooFar,
    ServerError,
    Stopped,
    TooLarge,
    TooSlow,
    Unavailable,
    UnexpectedAnswer,
    errors,
    reference,
)
from hubspot_singer.http.calls import Call
from hubspot_singer.http.errors import refusal
from hubspot_singer.http.redaction import Redactor
from hubspot_singer.http.retries import Problem

CALL = Call("PUT", "/crm/lists/2026-03/42", Redactor(["sesame"]))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (401, InvalidCredentials),
        (403, Refused),
        (404, NotFound),
        (409, Conflict),
        (413, TooLarge),
        (414, Refused),
        (500, ServerError),
        (520, ServerError),
        (501, Refused),
        (302, Refused),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[Refused]) -> None:
    assert type(refusal(CALL, status, ErrorBody())) is kind


def test_a_refusal_tells_what_hubspot_said_and_what_to_do() -> None:
    body = ErrorBody(
        message="List 42 does not exist.",
        category="OBJECT_NOT_FOUND",
        sub_category="ILS.LIST_NOT_FOUND",
        correlation_id="abc",
        errors=(ErrorDetail(sub_category="X"),),
        context={"id": ("42",)},
    )

    refused = refusal(CALL, 404, body)

    assert str(refused) == (
        "PUT /crm/lists/2026-03/42 was answered 404 OBJECT_NOT_FOUND ILS.LIST_NOT_FOUND: "
        "List 42 does not exist (correlation id abc). "
        "Check that it was not deleted and that the credentials are of the right portal."
    )
    assert (refused.method, refused.path, refused.status) == ("PUT", "/crm/lists/2026-03/42", 404)
    assert (refused.category, refused.sub_category) == ("OBJECT_NOT_FOUND", "ILS.LIST_NOT_FOUND")
    assert (refused.message, refused.correlation_id) == ("List 42 does not exist.", "abc")
    assert (refused.errors, refused.context) == ((ErrorDetail(sub_category="X"),), {"id": ("42",)})


def test_a_refusal_without_a_body_is_still_a_sentence() -> None:
    assert str(Refused(CALL, 418)) == (
        "PUT /crm/lists/2026-03/42 was answered 418. "
        "Sending it again changes nothing; HubSpot's support can look up the correlation id."
    )


def test_the_message_is_kept_for_reports_and_shortened_and_redacted_for_people() -> None:
    message = "sesame opens ada@example.com\n" * 100

    refused = refusal(CALL, 400, ErrorBody(message=message))

    assert refused.message == message
    assert len(str(refused)) < 400
    assert "<secret> opens <email> <secret> opens <email>" in str(refused)


@given(st.builds(ErrorBody, *[st.none() | st.text()] * 5), st.sampled_from([400, 403, 404, 500]))
def test_a_refusal_is_always_one_line(body: ErrorBody, status: int) -> None:
    assert len(str(refusal(CALL, status, body)).splitlines()) == 1


@pytest.mark.parametrize("correlation_id", [None, ""])
def test_a_correlation_id_that_hubspot_did_not_give_is_not_named(correlation_id: str | None) -> None:
    assert reference(correlation_id) == ""
    assert "correlation id" not in str(Problem("answered 503", correlation_id=correlation_id))
    answer = Answer(200, {}, correlation_id=correlation_id)
    assert "(correlation id" not in str(UnexpectedAnswer(answer))


@pytest.mark.parametrize(
    ("body", "scopes", "named"),
    [
        (
            ErrorBody(
                category="MISSING_SCOPES",
                errors=(
                    ErrorDetail(context={"requiredGranularScopes": ("crm.lists.read", "crm.lists.write")}),
                    ErrorDetail(context={"requiredGranularScopes": ("crm.lists.read",)}),
                ),
            ),
            ("crm.lists.read", "crm.lists.write"),
            "the scopes crm.lists.read, crm.lists.write, and take the new token",
        ),
        (ErrorBody(context={"requiredScopes": ("content",)}), ("content",), "the scopes content, and"),
        (ErrorBody(category="MISSING_SCOPES"), (), "the scopes that this endpoint's page in HubSpot's"),
    ],
)
def test_missing_scopes_are_named(body: ErrorBody, scopes: tuple[str, ...], named: str) -> None:
    refused = refusal(CALL, 403, body)

    assert isinstance(refused, MissingScopes)
    assert refused.scopes == scopes
    assert named in str(refused)


def test_giving_up_says_how_long_how_often_and_what_last() -> None:
    gave_up = Unavailable(CALL, Problem("answered 503", 503), tries=21, seconds=590.4)

    assert str(gave_up) == (
        "PUT /crm/lists/2026-03/42 was given up after 21 tries in 590 s: answered 503. "
        "Run again later; https://status.hubspot.com shows HubSpot's status."
    )


def test_a_limit_that_stays_used_up_is_somebody_elses_doing() -> None:
    gave_up = Unavailable(CALL, Problem("answered 429", 429, is_limit=True), tries=60, seconds=595)

    assert str(gave_up).endswith("Another tool uses up the portal's rate limit: find it, or run again later.")


def test_a_network_problem_is_looked_for_in_the_network() -> None:
    gave_up = TooSlow(CALL, Problem("no connection within 10 s"), tries=1, seconds=10)

    assert str(gave_up).endswith(
        "after 1 try in 10 s: no connection within 10 s. "
        "Check the network, any proxy and api_url, then run again."
    )


def test_a_long_pause_is_told_with_its_end() -> None:
    error = RetryTooFar(
        CALL, Problem("answered 477", 477), seconds=7200, until=datetime(2026, 3, 20, 9, tzinfo=UTC)
    )

    assert str(error) == (
        "PUT /crm/lists/2026-03/42: answered 477, and HubSpot asks to wait 7200 s, "
        "longer than the 600 s for which a request is retried. Run again after 2026-03-20 09:00 UTC."
    )


def test_the_daily_limit_is_told_with_its_reset() -> None:
    error = DailyLimitReached(
        CALL, ErrorBody(message="You have reached your daily limit.", correlation_id="abc")
    )

    assert str(error) == (
        "The portal's daily limit of requests is reached: PUT /crm/lists/2026-03/42 was answered 429: "
        "You have reached your daily limit (correlation id abc). "
        "It is reset at midnight in the portal's time zone; run again then."
    )
    assert error.correlation_id == "abc"


@pytest.mark.parametrize(
    ("category", "step"),
    [
        (
            "BAD_REFRESH_TOKEN",
            "Connect the app to the portal again and set the refresh_token that it is given.",
        ),
        ("BAD_CLIENT_ID", "Check client_id: HubSpot knows no such app."),
        ("BAD_CLIENT_SECRET", "Check client_secret: it is not this app's."),
        ("invalid_client", "Check client_id and client_secret."),
        ("BAD_HUB", "Check that the app may be used in this portal."),
        (None, "Connect the app to the portal again and set the refresh_token that it is given."),
    ],
)
def test_a_rejected_refresh_says_what_to_renew(category: str | None, step: str) -> None:
    error = RefreshTokenRejected(refusal(CALL, 400, ErrorBody(category=category)))

    assert str(error).startswith("HubSpot gives no access token: PUT /crm/lists/2026-03/42 was answered 400")
    assert str(error).endswith(step)


def test_a_stop_says_so() -> None:
    assert str(Stopped()) == "The run was told to stop: no other request is sent to HubSpot."


def test_the_tree_at_the_top_of_the_file_is_true() -> None:
    drawn = errors.__doc__ or ""
    family = [
        kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, HubSpotError)
    ]

    depths = {}
    for line in drawn.splitlines():
        for kind in family:
            if kind.__name__ in line.replace("─", " ").split():
                depths[kind] = len(line[: line.index(kind.__name__)]) // 4

    assert depths == {kind: len(kind.__mro__) - len(HubSpotError.__mro__) for kind in family}
