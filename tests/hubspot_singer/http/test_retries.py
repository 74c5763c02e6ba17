from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspot_singer.http.answers import ErrorBody, Reply
from hubspot_singer.http.retries import (
    RETRY_FOR_SECONDS,
    SERVER_ERROR_TRIES,
    Problem,
    is_too_far,
    longest_waits,
    policy,
    problem_of,
    retry_after,
    wait_before_retry,
)

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
RETRIED = {408, 423, 429, 477, 502, 503, 504, 521, 522, 523, 524}


def problem(status: int, body: ErrorBody | None = None, **headers: str) -> Problem | None:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return problem_of(Reply(status, names), body or ErrorBody(), now=NOW)


def wait(status: int, body: ErrorBody | None = None, *, longest: float = 1.0, **headers: str) -> float:
    found = problem(status, body, **headers)
    assert found is not None
    return wait_before_retry(found, longest=longest)


def test_the_table_of_statuses_is_kept() -> None:
    assert {status for status in range(100, 600) if problem(status)} == RETRIED | {500, 520}


def test_a_500_is_final_and_a_520_is_retried_three_times_unless_a_caller_says_otherwise() -> None:
    assert SERVER_ERROR_TRIES == {500: 1, 520: 4}


def test_only_a_524_means_that_hubspot_took_too_long() -> None:
    slow = {status for status in RETRIED if (found := problem(status)) and found.is_slow}

    assert slow == {524}


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (ErrorBody(policy_name="TEN_SECONDLY_ROLLING"), 10),
        (ErrorBody(policy_name="secondly"), 1),
        (ErrorBody(policy_name="SOMETHING_NEW"), 10),
        (ErrorBody(), 10),
    ],
)
def test_a_429_waits_for_its_policys_interval(body: ErrorBody, seconds: float) -> None:
    assert wait(429, body) == seconds


def test_a_429_waits_as_long_as_hubspot_asks() -> None:
    assert wait(429, ErrorBody(policy_name="SECONDLY"), Retry_After="4") == 4


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (ErrorBody(policy_name="DAILY"), "DAILY"),
        (ErrorBody(message="You have reached your daily limit."), "DAILY"),
        (ErrorBody(message="You have reached your secondly limit."), "TEN_SECONDLY_ROLLING"),
        (ErrorBody(policy_name="SECONDLY", message="daily limit"), "SECONDLY"),
    ],
)
def test_the_limit_meant_is_read_from_the_policy_or_else_the_message(body: ErrorBody, name: str) -> None:
    assert policy(body) == name


@given(st.floats(min_value=0, max_value=60))
def test_a_lock_is_given_its_two_seconds(longest: float) -> None:
    assert 2 <= wait(423, longest=longest) <= max(2, longest)
    assert wait(423, Retry_After="1") == 2


@given(st.floats(min_value=0, max_value=60))
def test_other_waits_are_anything_up_to_the_longest(longest: float) -> None:
    assert 0 <= wait(503, longest=longest) <= longest
    assert 0 <= wait_before_retry(Problem("no connection within 10 s"), longest=longest) <= longest


def test_the_longest_wait_doubles_up_to_a_minute() -> None:
    assert list(islice(longest_waits(), 8)) == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None),
        ("soon", None),
        ("-3", None),
        ("٣", None),
        ("0", 0),
        ("30", 30),
        ("1.5", 1.5),
        (" 7 ", 7),
        ("9" * 400, 366 * 86_400),
        ("Fri, 20 Mar 2026 09:01:30 GMT", 90),
        ("Fri, 20 Mar 2026 08:00:00 GMT", 0),
        ("Fri, 20 Mar 2026 09:01:30 -0000", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after(Reply(503, {"Retry-After": text}), now=NOW) == seconds


def test_a_date_is_measured_by_hubspots_own_clock() -> None:
    headers = {"Retry-After": "Fri, 20 Mar 2026 09:01:30 GMT", "Date": "Fri, 20 Mar 2026 09:01:20 GMT"}

    assert retry_after(Reply(503, headers), now=NOW) == 10


def test_retrying_ends_ten_minutes_after_the_first_try() -> None:
    assert RETRY_FOR_SECONDS == 600
    assert not is_too_far(10, elapsed=590)
    assert is_too_far(10.1, elapsed=590)


def test_a_problem_says_what_happened_with_hubspots_reference() -> None:
    assert str(problem(503, ErrorBody(correlation_id="abc"))) == "answered 503 (correlation id abc)"
    assert str(problem(429)) == "answered 429 TEN_SECONDLY_ROLLING"
