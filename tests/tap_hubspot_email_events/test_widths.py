from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot_email_events.widths import (
    EXTRAPOLATED_WINDOWS,
    FAR_TOO_WIDE,
    FEW_EVENTS,
    GROWTH,
    MOST_BYTES,
    MOST_EVENTS,
    MOST_SIDE_BY_SIDE,
    SPARSE_GROWTH,
    TELLING_EVENTS,
    Width,
    is_far_too_wide,
    wanted_events,
)
from tap_hubspot_email_events.windows import Window, WindowRead

HOUR = 3_600_000
POSITIVE = st.integers(1, 10**12)
WIDTHS = st.builds(Width, st.none() | POSITIVE, st.integers(1, MOST_SIDE_BY_SIDE), st.booleans())
KNOWN = Width(HOUR, is_known=True)


def whole(events: int, width: int = HOUR, *, size: int = 0) -> WindowRead:
    """A window that was read to its end."""
    held = [None] * events if size else []
    return WindowRead(Window(0, width), 0, held, events, 0, 1, size)  # type: ignore[arg-type]


def part(events: int, seen: int, left: int) -> WindowRead:
    """A window of whose newest part of this width so many events were read."""
    return WindowRead(Window(0, left + seen), left, [], events, left, 1)


def test_at_first_everything_is_asked_for_at_once() -> None:
    assert Width().of_next(100 * HOUR) == 100 * HOUR
    assert Width().side_by_side == 1


def test_a_small_remainder_is_not_left_over() -> None:
    assert Width(HOUR).of_next(HOUR + HOUR // 20) == HOUR + HOUR // 20
    assert Width(HOUR).of_next(2 * HOUR) == HOUR


@pytest.mark.parametrize("events", [0, 10])
def test_a_window_of_few_events_makes_the_next_one_much_wider_and_lets_it_be_read_alone(events: int) -> None:
    assert Width(HOUR, 8, is_known=True).after(whole(events)) == Width(SPARSE_GROWTH * HOUR, 1, is_known=True)


def test_a_window_as_expected_is_followed_by_twice_as_many_like_it() -> None:
    following = KNOWN.after(whole(3_800))

    assert following.side_by_side == 2
    assert following.milliseconds == pytest.approx(HOUR, rel=0.01)
    assert Width(HOUR, 8, is_known=True).after(whole(3_800)).side_by_side == MOST_SIDE_BY_SIDE


def test_a_small_rest_with_few_events_does_not_make_the_next_one_narrower() -> None:
    assert KNOWN.after(whole(100, HOUR // 1000)).milliseconds == HOUR


def test_a_dense_window_makes_the_next_ones_narrower_and_fewer() -> None:
    following = Width(HOUR, 8, is_known=True).after(part(3_999, HOUR // 4, HOUR * 3 // 4))

    assert following.milliseconds == pytest.approx(HOUR // 4, rel=0.05)
    assert following.side_by_side == 4


def test_a_burst_at_the_end_of_a_long_time_does_not_make_all_of_it_seem_dense() -> None:
    assert Width().after(part(1_000, 60_000, 720 * HOUR)) == Width(360 * HOUR)


def test_an_even_density_is_trusted_at_once() -> None:
    following = Width().after(part(1_000, HOUR, 24 * HOUR))

    assert following.is_known
    assert following.milliseconds == pytest.approx(3.7 * HOUR, rel=0.02)


def test_a_window_holds_fewer_events_than_fit_the_less_is_known_of_them() -> None:
    assert (
        wanted_events(whole(500)) > MOST_EVENTS * 0.9
        or wanted_events(whole(500)) < wanted_events(whole(5_000)) < MOST_EVENTS
    )
    assert wanted_events(whole(10**9)) == pytest.approx(MOST_EVENTS - 2 * MOST_EVENTS**0.5, abs=2)


def test_a_window_of_large_events_holds_few() -> None:
    assert wanted_events(whole(100, size=100 * 80_000)) < MOST_BYTES / 80_000


def test_the_older_part_of_a_window_that_should_have_fitted_is_read_on_as_it_is() -> None:
    assert KNOWN.is_burst(part(3_999, 60_000, HOUR), held=30_000)


def test_so_is_one_that_seems_to_hold_few() -> None:
    assert Width().is_burst(part(3_999, HOUR, HOUR), held=3_999)
    assert not Width().is_burst(part(3_999, HOUR, HOUR), held=FEW_EVENTS)
    assert not Width().is_burst(part(3_999, 60_000, HOUR), held=3_999)


@given(WIDTHS, st.integers(0, MOST_EVENTS), POSITIVE)
def test_the_width_after_a_whole_window_is_one_and_grows_no_faster_than_allowed(
    width: Width, events: int, read: int
) -> None:
    following = width.after(whole(events, read))

    assert following.milliseconds is not None
    assert 1 <= following.milliseconds <= max(width.milliseconds or 0, SPARSE_GROWTH * read, GROWTH * read)
    assert 1 <= following.side_by_side <= MOST_SIDE_BY_SIDE


@given(WIDTHS, st.integers(0, MOST_EVENTS), POSITIVE, POSITIVE)
def test_the_width_after_a_part_is_one(width: Width, events: int, seen: int, left: int) -> None:
    following = width.after(part(events, seen, left))

    assert following.milliseconds is not None
    assert following.milliseconds >= 1


@pytest.mark.parametrize(("width", "half"), [(1, 1), (2, 1), (101, 50)])
def test_a_window_of_which_nothing_could_be_read_halves_the_width(width: int, half: int) -> None:
    assert KNOWN.after(WindowRead(Window(0, width), 1, None, 0, width - 1, 1)) == Width(half)


def test_a_window_is_far_too_wide_once_it_seems_to_hold_many() -> None:
    widest = FAR_TOO_WIDE * MOST_EVENTS // 1_000

    assert is_far_too_wide(1_000, HOUR, (widest + 1) * HOUR)
    assert not is_far_too_wide(1_000, HOUR, widest * HOUR)
    assert not is_far_too_wide(0, HOUR, 10**9 * HOUR)


def test_a_remainder_of_a_tenth_more_than_a_window_is_one_window() -> None:
    assert Width(10).of_next(11) == 11
    assert Width(10).of_next(12) == 10


def test_a_width_is_never_less_than_a_millisecond_however_dense_the_events_are() -> None:
    assert Width().after(part(3_999, 1, 1)) == Width(1, 2, is_known=True)
    assert Width(HOUR, 1, is_known=True).after(part(3_999, 1, 1)) == Width(1, 1, is_known=True)


def test_an_even_density_is_trusted_for_eight_windows_and_half_of_more_is_read_first() -> None:
    fitting = wanted_events(part(1_000, 1_000, 1))
    eight = EXTRAPOLATED_WINDOWS * fitting

    assert Width().after(part(1_000, 1_000, eight)) == Width(fitting, 2, is_known=True)
    assert Width().after(part(1_000, 1_000, eight + 1)) == Width(eight // 2 + 1)


def test_events_tell_the_width_to_come_from_five_hundred_on() -> None:
    assert KNOWN.after(whole(TELLING_EVENTS - 1)) == Width(SPARSE_GROWTH * HOUR, 1, is_known=True)
    assert KNOWN.after(whole(TELLING_EVENTS)) == Width(GROWTH * HOUR, 1, is_known=True)


@pytest.mark.parametrize(("events", "side_by_side"), [(1_887, 1), (1_888, 4)])
def test_a_window_is_as_expected_if_it_is_half_full(events: int, side_by_side: int) -> None:
    assert (2 * events >= wanted_events(whole(events))) is (side_by_side > 1)

    following = Width(HOUR, 2, is_known=True).after(whole(events))

    assert following.side_by_side == side_by_side
    assert following.is_known


def test_a_window_that_is_exactly_half_full_is_as_expected() -> None:
    # Of 20 events of together 106,952 bytes 1,121 would fit, so that a window should hold 1,000.
    read = replace(whole(20, size=106_952), seen=500)
    assert wanted_events(read) == 1_000

    assert KNOWN.after(read).side_by_side == 2


@pytest.mark.parametrize("events", [0, 1, 2])
def test_few_events_leave_half_of_the_room_free(events: int) -> None:
    assert wanted_events(whole(events)) == MOST_EVENTS // 2


def test_a_window_of_large_events_holds_so_many_that_they_fit_and_at_least_one() -> None:
    assert wanted_events(whole(100, size=100 * 80_000)) == 51  # of 74 that fit
    assert wanted_events(whole(1, size=10 * MOST_BYTES)) == 1


def test_a_window_of_which_nothing_is_known_is_no_burst() -> None:
    nothing, mixed = part(0, HOUR, HOUR), replace(part(10, HOUR, HOUR), in_order=False)

    assert not KNOWN.is_burst(nothing, held=0)
    assert not KNOWN.is_burst(mixed, held=0)


def test_a_burst_may_seem_to_hold_what_may_wait_and_no_more() -> None:
    left = part(1_000, HOUR, HOUR)

    assert Width().is_burst(left, held=FEW_EVENTS - 1_000)
    assert not Width().is_burst(left, held=FEW_EVENTS - 999)


def test_a_window_that_seems_to_hold_exactly_what_it_may_is_read_on() -> None:
    assert not is_far_too_wide(FAR_TOO_WIDE, 1, MOST_EVENTS)
    assert is_far_too_wide(FAR_TOO_WIDE, 1, MOST_EVENTS + 1)
