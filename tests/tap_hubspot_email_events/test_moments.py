from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events import moments

ANY_MOMENT = st.integers(0, moments.LAST_MOMENT_MS)


@given(ANY_MOMENT)
def test_a_moment_survives_being_written_and_read(moment_ms: int) -> None:
    assert moments.from_text(moments.to_text(moment_ms)) == moment_ms


@given(ANY_MOMENT, ANY_MOMENT)
def test_moments_sort_as_text_as_they_do_as_numbers(one: int, other: int) -> None:
    assert (moments.to_text(one) < moments.to_text(other)) == (one < other)


@given(ANY_MOMENT)
def test_moments_have_one_width_and_are_date_times(moment_ms: int) -> None:
    text = moments.to_text(moment_ms)

    assert len(text) == len("2026-11-18T11:06:40.123Z")
    assert moments.from_datetime(datetime.fromisoformat(text)) == moment_ms


@pytest.mark.parametrize(
    ("text", "moment_ms"),
    [
        ("1970-01-01", 0),
        ("2026-11-18", 1_794_960_000_000),
        (" 2026-11-18 ", 1_794_960_000_000),
        ("2026-11-18T11:06:40Z", 1_795_000_000_000),
        ("2026-11-18T11:06:40", 1_795_000_000_000),
        ("2026-11-18T12:06:40+01:00", 1_795_000_000_000),
        ("2026-11-18T11:06:40.1239Z", 1_795_000_000_123),
    ],
)
def test_dates_and_date_times_are_read_as_utc_unless_they_name_a_zone(text: str, moment_ms: int) -> None:
    assert moments.from_text(text) == moment_ms


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "18.11.2026"])
def test_anything_else_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        moments.from_text(text)
