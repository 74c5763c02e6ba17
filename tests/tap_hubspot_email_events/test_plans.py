from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_hubspot_email_events.plans import Plan, Stage, WindowRequest
from tap_hubspot_email_events.widths import MOST_EVENTS, PAGE_EVENTS, Width
from tap_hubspot_email_events.windows import Window, WindowRead
from tests.tap_hubspot_email_events.fakes import a_read


def window_of(plan: Plan) -> Window:
    request = plan.next_window()
    assert request
    return request.window


def test_a_plan_whose_end_is_not_after_its_start_is_done() -> None:
    assert Plan.of(10, 10).is_done
    assert Plan.of(11, 10).is_done


def test_the_first_window_is_all_of_it_and_is_read_alone() -> None:
    plan = Plan.of(0, 1_000)

    assert plan.next_window() == (Window(0, 1_000), MOST_EVENTS)
    assert plan.next_window() is None
    assert plan.take_oldest() is None


def test_as_many_windows_are_read_side_by_side_as_the_width_allows() -> None:
    plan = Plan.of(0, 1_000)
    plan.width = Width(100, 3, is_known=True)

    assert [window_of(plan) for _ in range(3)] == [Window(0, 100), Window(100, 200), Window(200, 300)]
    assert plan.next_window() is None


def test_windows_are_handed_over_from_the_oldest_on_however_they_come_back() -> None:
    plan = Plan.of(0, 300)
    plan.width = Width(100, 3, is_known=True)
    first, second, third = (window_of(plan) for _ in range(3))

    plan.add_read(a_read(third))
    assert plan.take_oldest() is None
    plan.add_read(a_read(first))
    plan.add_read(a_read(second))

    taken = [plan.take_oldest() for _ in range(3)]
    assert [read.window for read in taken if read] == [first, second, third]
    assert plan.is_done


def test_a_plan_tells_whether_it_is_begun_read_and_done() -> None:
    plan = Plan.of(0, 200)
    plan.width = Width(100, 2, is_known=True)

    def stages() -> tuple[bool, bool, bool]:
        return plan.is_begun, plan.is_read, plan.is_done

    assert stages() == (False, False, False)
    windows = [window_of(plan) for _ in range(2)]
    assert stages() == (True, False, False)
    plan.add_read(a_read(windows[0]))
    assert stages() == (True, False, False)
    plan.add_read(a_read(windows[1]))
    assert stages() == (True, True, False)
    plan.take_oldest()
    plan.take_oldest()
    assert stages() == (False, True, True)


def test_the_newest_part_of_a_window_waits_for_its_older_part() -> None:
    plan = Plan.of(0, 1_000)
    window = window_of(plan)

    plan.add_read(a_read(window, 900, held=50))

    assert plan.take_oldest() is None
    assert plan.events_held == 50
    assert [(each.window, each.stage) for each in plan.spans] == [
        (Window(0, 900), Stage.UNREAD),
        (Window(900, 1_000), Stage.READ),
    ]


def test_the_older_part_of_a_window_that_should_have_fitted_is_read_on_as_it_is() -> None:
    plan = Plan.of(0, 5_000)
    plan.width = Width(1_000, is_known=True)
    plan.add_read(a_read(window_of(plan), 990, held=50, seen=3_999))

    assert window_of(plan) == Window(0, 990)


def test_short_of_memory_the_beginning_of_a_burst_is_looked_for_a_page_at_a_time() -> None:
    plan = Plan.of(0, 5_000)
    plan.width = Width(1_000, is_known=True)
    plan.add_read(a_read(window_of(plan), 990, held=50, seen=3_999))

    request = plan.next_window(is_short=True)

    assert request == (Window(0, 495), PAGE_EVENTS)


@pytest.mark.parametrize(
    ("burst", "taken"),
    [(400, WindowRequest(Window(0, 100), MOST_EVENTS)), (401, WindowRequest(Window(0, 201), PAGE_EVENTS))],
)
def test_a_burst_of_a_few_windows_is_read_in_windows_if_memory_is_short(
    burst: int, taken: WindowRequest
) -> None:
    plan = Plan.of(0, 5_000)
    plan.width = Width(1_000, is_known=True)
    plan.add_read(a_read(window_of(plan), burst, held=50, seen=3_999))
    plan.width = Width(100, is_known=True)

    assert plan.next_window(is_short=True) == taken


def test_a_plan_tells_how_many_bytes_wait() -> None:
    plan = Plan.of(0, 200)
    plan.width = Width(100, 2, is_known=True)
    for size in (300, 40):
        plan.add_read(replace(a_read(window_of(plan), held=1), size=size))

    assert plan.bytes_held == 340
    plan.take_oldest()
    assert plan.bytes_held == 40


def test_what_was_read_of_a_burst_does_not_change_the_width_of_what_comes_behind_it() -> None:
    plan = Plan.of(0, 5_000)
    plan.width = Width(1_000, is_known=True)
    plan.add_read(a_read(window_of(plan), 990, held=50, seen=3_999))
    behind = plan.width

    plan.add_read(a_read(window_of(plan), held=3))

    assert plan.width == behind


def test_what_is_given_up_is_read_again() -> None:
    plan = Plan.of(0, 1_000)
    window = window_of(plan)
    plan.add_read(a_read(window, 900, held=50))

    assert plan.drop_newest() == 50
    assert plan.events_held == 0
    assert [each.stage for each in plan.spans] == [Stage.UNREAD, Stage.UNREAD]
    assert plan.drop_newest() == 0


def test_a_window_that_failed_is_unread() -> None:
    plan = Plan.of(0, 1_000)
    window = window_of(plan)

    plan.mark_unread(window)

    assert window_of(plan) == window


def test_what_comes_back_to_an_abandoned_plan_is_dropped() -> None:
    plan = Plan.of(0, 1_000)
    window = window_of(plan)
    plan.abandon()

    plan.add_read(a_read(window))
    plan.mark_unread(window)

    assert plan.is_done


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_happens_each_millisecond_is_handed_over_once_and_in_order(data: st.DataObject) -> None:
    plan = Plan.of(0, 2_000)
    in_flight: list[Window] = []
    at = 0
    for _ in range(data.draw(st.integers(0, 60))):
        match data.draw(
            st.sampled_from(
                ["start", "start, short of memory", "whole", "part", "nothing", "failed", "forget", "take"]
            )
        ):
            case "start" | "start, short of memory" as how if (
                request := plan.next_window(is_short=how != "start")
            ) is not None:
                in_flight.append(request.window)
            case "forget":
                plan.drop_newest()
            case "take" if (read := plan.take_oldest()) is not None:
                assert read.kept.start == at
                at = read.kept.end
            case what if in_flight and what in {"whole", "part", "nothing", "failed"}:
                window = in_flight.pop(data.draw(st.integers(0, len(in_flight) - 1)))
                if what == "failed":
                    plan.mark_unread(window)
                elif what == "whole" or window.is_one_millisecond:
                    plan.add_read(a_read(window, held=data.draw(st.integers(0, 3))))
                else:
                    cut_at = data.draw(st.integers(window.start + 1, window.last))
                    part = a_read(window, cut_at, held=data.draw(st.integers(1, 3)))
                    plan.add_read(part if what == "part" else WindowRead(window, cut_at, None, 3, cut_at, 1))
            case _:
                pass
    edges = [at, *(edge for each in plan.spans for edge in (each.window.start, each.window.end)), 2_000]
    assert edges[::2] == edges[1::2]  # side by side, up to the end
