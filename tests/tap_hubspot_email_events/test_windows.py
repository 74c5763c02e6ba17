"""What a window covers, and what the result of reading one says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tap_hubspot_email_events.events import Event
from tap_hubspot_email_events.windows import Window, WindowRead

WINDOW = Window(1_000, 5_000)
EVENTS = [Event(2_000, "a", b"1", b""), Event(4_000, "b", b"2", b"")]
WHOLE = WindowRead(WINDOW, whole_from=1_000, events=EVENTS, seen=2, seen_from=2_000, calls=1)
NEWEST_PART = replace(WHOLE, whole_from=3_000, events=EVENTS[1:], seen_from=3_500)
NOTHING = replace(WHOLE, whole_from=3_000, events=None)


def test_a_window_is_without_its_end() -> None:
    assert WINDOW.width == 4_000
    assert WINDOW.last == 4_999


@pytest.mark.parametrize(("end", "is_one"), [(1_001, True), (1_002, False)])
def test_only_a_window_of_one_millisecond_cannot_be_cut(end: int, is_one: bool) -> None:  # noqa: FBT001
    assert Window(1_000, end).is_one_millisecond is is_one


def test_the_parts_of_a_window_lie_side_by_side() -> None:
    assert WINDOW.cut(2_500) == (Window(1_000, 2_500), Window(2_500, 5_000))


def test_a_window_is_whole_if_it_was_read_to_its_end() -> None:
    assert WHOLE.is_whole
    assert not NEWEST_PART.is_whole
    assert not NOTHING.is_whole
    assert not replace(NOTHING, whole_from=1_000).is_whole


def test_what_was_read_and_what_is_left_make_the_window() -> None:
    assert NEWEST_PART.kept == Window(3_000, 5_000)
    assert NEWEST_PART.width_left == 2_000
    assert NEWEST_PART.width_seen == 1_500
    assert WHOLE.kept == WINDOW
    assert WHOLE.width_left == 0


def test_only_events_in_memory_are_held() -> None:
    assert [WHOLE.held, NEWEST_PART.held, NOTHING.held] == [2, 1, 0]


def test_a_result_says_nothing_odd_unless_it_is_told() -> None:
    assert (WHOLE.size, WHOLE.passed_over, WHOLE.warning) == (0, 0, None)
    assert WHOLE.in_order
    assert not WHOLE.is_incomplete
