from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tap_hubspot_email_events.events import event_from
from tap_hubspot_email_events.plans import Plan, Stage
from tap_hubspot_email_events.reads import WindowRead
from tap_hubspot_email_events.widths import Width
from tap_hubspot_email_events.windows import Window
from tests.tap_hubspot_email_events.fakes import event


def whole(window: Window, events: int = 0) -> WindowRead:
    held = [event_from(event(window.start, number)) for number in range(events)]
    return WindowRead(window, window.start, held, events, window.start, 1)


def newest_part(window: Window, whole_from: int, events: int) -> WindowRead:
    held = [event_from(event(whole_from, number)) for number in range(events)]
    return WindowRead(window, whole_from, held, events, whole_from - 1, 1)


def test_a_plan_whose_end_is_not_after_its_start_is_done() -> None:
    assert Plan.of(10, 10).is_done
    assert Plan.of(11, 10).is_done


def test_the_first_window_is_all_of_it_and_is_read_alone() -> None:
    plan = Plan.of(0, 1_000)

    assert plan.next_window() == Window(0, 1_000)
    assert plan.next_window() is None
    assert plan.take_oldest() is None


def test_once_the_width_is_certain_windows_are_read_side_by_side() -> None:
    plan = Plan.of(0, 1_000)
    plan.width = Width(100, certain=True)

    assert [plan.next_window() for _ in range(3)] == [Window(0, 100), Window(100, 200), Window(200, 300)]


def test_windows_are_handed_over_from_the_oldest_on_however_they_come_back() -> None:
    plan = Plan.of(0, 300)
    plan.width = Width(100, certain=True)
    first, second, third = (plan.next_window() for _ in range(3))
    assert first
    assert second
    assert third

    plan.came_back(whole(third))
    assert plan.take_oldest() is None
    plan.came_back(whole(first))
    plan.came_back(whole(second))

    taken = [plan.take_oldest() for _ in range(3)]
    assert [read.window for read in taken if read] == [first, second, third]
    assert plan.is_done


def test_the_newest_part_of_a_window_waits_for_its_older_part() -> None:
    plan = Plan.of(0, 1_000)
    window = plan.next_window()
    assert window

    plan.came_back(newest_part(window, 900, 50))

    assert plan.take_oldest() is None
    assert plan.events_held == 50
    assert [(each.window, each.stage) for each in plan.stretches] == [
        (Window(0, 900), Stage.UNREAD),
        (Window(900, 1_000), Stage.READ),
    ]


def test_what_is_given_up_is_read_again() -> None:
    plan = Plan.of(0, 1_000)
    window = plan.next_window()
    assert window
    plan.came_back(newest_part(window, 900, 50))

    assert plan.forget_newest() == 50
    assert plan.events_held == 0
    assert [each.stage for each in plan.stretches] == [Stage.UNREAD, Stage.UNREAD]
    assert plan.forget_newest() == 0


def test_a_window_that_failed_is_unread() -> None:
    plan = Plan.of(0, 1_000)
    window = plan.next_window()
    assert window

    plan.failed(window)

    assert plan.next_window() == window


def test_what_comes_back_to_an_abandoned_plan_is_dropped() -> None:
    plan = Plan.of(0, 1_000)
    window = plan.next_window()
    assert window
    plan.abandon()

    plan.came_back(whole(window))
    plan.failed(window)

    assert plan.is_done


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_happens_each_millisecond_is_handed_over_once_and_in_order(data: st.DataObject) -> None:
    plan = Plan.of(0, 2_000)
    under_way: list[Window] = []
    at = 0
    for _ in range(data.draw(st.integers(0, 60))):
        match data.draw(st.sampled_from(["start", "whole", "part", "nothing", "failed", "forget", "take"])):
            case "start" if (window := plan.next_window()) is not None:
                under_way.append(window)
            case "forget":
                plan.forget_newest()
            case "take" if (read := plan.take_oldest()) is not None:
                assert read.kept.start == at
                at = read.kept.end
            case what if under_way and what in {"whole", "part", "nothing", "failed"}:
                window = under_way.pop(data.draw(st.integers(0, len(under_way) - 1)))
                if what == "failed":
                    plan.failed(window)
                elif what == "whole" or window.is_one_millisecond:
                    plan.came_back(whole(window, data.draw(st.integers(0, 3))))
                else:
                    cut_at = data.draw(st.integers(window.start + 1, window.last))
                    part = newest_part(window, cut_at, data.draw(st.integers(1, 3)))
                    plan.came_back(part if what == "part" else WindowRead(window, cut_at, None, 3, cut_at, 1))
            case _:
                pass
    edges = [at, *(edge for each in plan.stretches for edge in (each.window.start, each.window.end)), 2_000]
    assert edges[::2] == edges[1::2]  # side by side, up to the end
