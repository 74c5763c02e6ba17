from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events.widths import GROWTH, MOST_EVENTS, Width, after_trouble, is_far_too_wide

HOUR = 3_600_000
POSITIVE = st.integers(1, 10**12)
WIDTHS = st.builds(Width, st.none() | POSITIVE, st.booleans())


def test_at_first_everything_is_asked_for_at_once() -> None:
    assert Width().of_next(100 * HOUR) == 100 * HOUR
    assert not Width().certain


def test_a_rest_that_is_a_sliver_is_not_left_over() -> None:
    assert Width(HOUR).of_next(HOUR + HOUR // 20) == HOUR + HOUR // 20
    assert Width(HOUR).of_next(2 * HOUR) == HOUR


def test_an_empty_window_makes_the_next_one_wider() -> None:
    assert Width(HOUR, certain=True).after_whole(0, HOUR) == Width(GROWTH * HOUR, certain=True)


def test_a_window_that_tells_little_leaves_the_width_uncertain() -> None:
    assert Width(HOUR).after_whole(0, HOUR) == Width(GROWTH * HOUR)
    assert Width(HOUR).after_whole(10, HOUR) == Width(GROWTH * HOUR)


def test_a_window_of_the_right_width_is_followed_by_one_like_it() -> None:
    assert Width(HOUR).after_whole(4_000, HOUR) == Width(HOUR, certain=True)


def test_a_small_rest_with_few_events_does_not_make_the_next_one_narrower() -> None:
    assert Width(HOUR).after_whole(100, HOUR // 1000).milliseconds == HOUR


def test_a_dense_window_makes_the_next_one_narrower() -> None:
    assert Width(HOUR).after_part(1_000, HOUR // 16, HOUR * 15 // 16) == Width(
        HOUR * 4000 // 16000, certain=True
    )


def test_a_burst_at_the_end_of_a_long_time_does_not_make_all_of_it_seem_dense() -> None:
    width = Width().after_part(1_000, 60_000, 720 * HOUR)

    assert width == Width(90 * HOUR, certain=False)


@given(WIDTHS, st.integers(0, MOST_EVENTS), POSITIVE)
def test_the_width_after_a_whole_window_is_one_and_grows_no_faster_than_allowed(
    width: Width, events: int, read: int
) -> None:
    following = width.after_whole(events, read)

    assert following.milliseconds is not None
    assert 1 <= following.milliseconds <= GROWTH * max(width.milliseconds or 0, read)


@given(WIDTHS, st.integers(0, MOST_EVENTS), POSITIVE, POSITIVE)
def test_the_width_after_a_part_is_one(width: Width, events: int, read: int, remaining: int) -> None:
    following = width.after_part(events, read, remaining)

    assert following.milliseconds is not None
    assert following.milliseconds >= 1


@pytest.mark.parametrize(("width", "half"), [(1, 1), (2, 1), (101, 50)])
def test_trouble_halves_the_width(width: int, half: int) -> None:
    assert after_trouble(width) == Width(half, certain=False)


def test_a_window_is_too_wide_once_it_seems_to_hold_more_than_two() -> None:
    assert is_far_too_wide(1_000, HOUR, 9 * HOUR)
    assert not is_far_too_wide(1_000, HOUR, 8 * HOUR)
    assert not is_far_too_wide(0, HOUR, 10**9 * HOUR)
