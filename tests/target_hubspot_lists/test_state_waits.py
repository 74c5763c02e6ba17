"""STATE waits until something applied: the exit of a run that was in vain never comes after a STATE."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import membership, record_message, schema_message, state_message
from tests.target_hubspot_lists.mirrors import SIZED, mirror, sized

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.clocks import FakeClock
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

HOUR = 3600
NOBODY = range(1, 1000)  # record ids that no contact has


def nobodies(count: int, cohort: str = "VIP", operation: str = "add") -> list[str]:
    return [membership(cohort, each, operation) for each in NOBODY[:count]]


def with_states(records: Iterable[str], name: str = "n") -> list[str]:
    """The records, each with a STATE behind it."""
    return [
        each
        for number, record in enumerate(records, start=1)
        for each in (record, state_message({name: number}))
    ]


def test_records_that_are_all_rejected_let_no_state_leave_before_the_exit(run_target: TargetRunner) -> None:
    rejected = [membership("VIP", each, "merge") for each in range(30)]

    run = run_target(schema_message(), *rejected, state_message({"n": 1}))

    assert (run.exit_code, run.states) == (1, [])
    assert "Of 30 memberships" in run.error


@pytest.mark.parametrize("batch_size_rows", [1, 10, 40, 1000])
def test_members_that_are_all_missing_let_no_state_leave_before_the_exit(
    run_target: TargetRunner, batch_size_rows: int
) -> None:
    run = run_target(schema_message(), *with_states(nobodies(100)), batch_size_rows=batch_size_rows)

    assert (run.exit_code, run.states) == (1, [])


@pytest.mark.parametrize("batch_size_rows", [1, 7, 1000])
def test_a_list_in_vain_holds_the_state_that_covers_it_beside_one_that_is_well(
    portal: Portal, run_target: TargetRunner, batch_size_rows: int
) -> None:
    contacts = portal.add_contacts(7)
    good = with_states((membership("Good", each) for each in contacts), "good")

    run = run_target(
        schema_message(), *good, *with_states(nobodies(30, "Bad"), "bad"), batch_size_rows=batch_size_rows
    )

    assert run.exit_code == 1
    assert 'list "Bad" not one was applied' in run.error
    assert portal.members("Good") == set(contacts)
    assert [state for state in run.states if "bad" in state] == []
    if batch_size_rows < 8:
        assert run.states[-1] == {"good": 7}


def test_a_stream_in_vain_holds_the_state_that_covers_it_beside_one_that_is_well(
    portal: Portal, run_target: TargetRunner
) -> None:
    contacts = portal.add_contacts(3)
    bad = [record_message("bad", contact_id=each, cohort_name=None) for each in range(30)]

    run = run_target(
        schema_message(),
        *(membership("VIP", each) for each in contacts),
        state_message({"good": 1}),
        schema_message("contact_id", "cohort_name", stream="bad"),
        *with_states(bad, "bad"),
        batch_size_rows=3,
    )

    assert (run.exit_code, run.states) == (1, [{"good": 1}])
    assert 'stream "bad"' in run.error


def test_a_state_that_waited_leaves_with_the_first_membership_that_applies(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_target(
        schema_message(),
        *with_states(nobodies(10), "missing"),
        membership("VIP", ada),
        state_message({"applied": 1}),
        *with_states(nobodies(2), "later"),
        batch_size_rows=1,
    )

    assert run.exit_code == 0
    # By the time that Ada is on the list the STATE behind her record has not been read.
    assert run.states == [{"missing": 10}, {"applied": 1}, {"later": 1}, {"later": 2}]


@pytest.mark.parametrize("operation", ["add", "merge"])
def test_a_few_in_vain_are_no_mistake_and_state_leaves_at_the_end(
    run_target: TargetRunner, operation: str
) -> None:
    run = run_target(schema_message(), *with_states(nobodies(19, operation=operation)), batch_size_rows=1)

    assert (run.exit_code, run.states) == (0, [{"n": 19}])


def test_the_removal_of_nobody_is_as_asked_and_holds_no_state(
    portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_list("VIP")

    run = run_target(schema_message(), *with_states(nobodies(3, operation="remove")), batch_size_rows=1)

    assert (run.exit_code, run.states) == (0, [{"n": 1}, {"n": 2}, {"n": 3}])


def test_members_who_were_on_the_list_hold_no_state(portal: Portal, run_target: TargetRunner) -> None:
    contacts = portal.add_contacts(2)
    portal.add_list("VIP", members=contacts)

    run = run_target(
        schema_message(), *with_states(membership("VIP", each) for each in contacts), batch_size_rows=1
    )

    assert (run.exit_code, run.states) == (0, [{"n": 1}, {"n": 2}])


def test_a_signal_while_state_waits_lets_it_wait(hubspot: HubSpotEmulator, run_target: TargetRunner) -> None:
    hubspot.faults.call("PUT", "/memberships/", run_target.terminate, after=4)

    run = run_target(schema_message(), *with_states(nobodies(30)), batch_size_rows=1)

    assert (run.exit_code, run.states) == (143, [])


# Input without an end


class HourlyInput:
    """Says something, then for some hours nothing of use, then something again, and after four days it ends."""

    def __init__(self, clock: FakeClock, *chunks: list[str], hours_between: int = 60) -> None:
        self._clock = clock
        self._chunks = [*chunks]
        self._hours_between = hours_between
        self._hours = 0

    def read(self, size: int) -> bytes:
        del size
        if self._hours % self._hours_between == 0 and self._chunks:
            self._hours += 1
            return "".join(f"{message}\n" for message in self._chunks.pop(0)).encode()
        if self._hours > 96:
            return b""
        self._hours += 1
        self._clock.sleep(HOUR)
        time.sleep(0.001)  # so that the run sees the hours pass
        return b"\n"


@pytest.mark.parametrize("count", [5, 30])
@pytest.mark.parametrize("operation", ["add", "merge"])
def test_without_an_end_of_the_input_a_stream_in_vain_ends_the_run_after_a_day(
    run_target: TargetRunner, count: int, operation: str
) -> None:
    messages = [schema_message(), *nobodies(count, operation=operation), state_message({"n": 1})]

    run = run_target.on(HourlyInput(run_target.clock, messages), batch_size_rows=count)

    assert (run.exit_code, run.states) == (1, [])
    assert f"In 24 hours nothing was applied (of {count} memberships of" in run.error
    assert 24 * HOUR <= run_target.clock.elapsed <= 60 * HOUR


def test_without_an_end_of_the_input_a_small_list_in_vain_holds_state_for_a_day_and_no_longer(
    portal: Portal, run_target: TargetRunner
) -> None:
    contacts = portal.add_contacts(2)
    first = [
        schema_message(),
        membership("Good", contacts[0]),
        *nobodies(5, "Bad"),
        state_message({"n": 1}),
    ]
    second = [*nobodies(15, "Bad"), state_message({"n": 2})]

    run = run_target.on(HourlyInput(run_target.clock, first, second), batch_size_rows=5)

    assert (run.exit_code, run.states) == (0, [{"n": 1}, {"n": 2}])


def test_a_list_that_was_excused_is_judged_by_what_comes_later(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    first = [schema_message(), membership("Good", ada), *nobodies(5, "Bad"), state_message({"n": 1})]
    second = [*nobodies(20, "Bad"), state_message({"n": 2})]

    run = run_target.on(HourlyInput(run_target.clock, first, second), batch_size_rows=5)

    assert (run.exit_code, run.states) == (1, [{"n": 1}])
    assert 'Bad" not one' in run.error


def test_without_an_end_of_the_input_a_dropped_member_ends_the_run_after_a_day(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    portal.quirks.new_contact_lag = 1e9
    new = portal.add_contact("new@example.com")
    messages = [schema_message(), membership("VIP", ada), membership("VIP", new), state_message({"n": 1})]

    run = run_target.on(HourlyInput(run_target.clock, messages), batch_size_rows=2)

    assert (run.exit_code, run.states) == (1, [])
    assert 'List "VIP": 1 members are not as asked' in run.error
    assert 24 * HOUR <= run_target.clock.elapsed <= 60 * HOUR


def test_what_comes_to_apply_within_the_day_is_in_time(portal: Portal, run_target: TargetRunner) -> None:
    (ada,) = portal.add_contacts(1)
    first = [schema_message(), *nobodies(30), state_message({"n": 1})]
    second = [membership("VIP", ada), state_message({"n": 2})]

    run = run_target.on(HourlyInput(run_target.clock, first, second, hours_between=12), batch_size_rows=1)

    assert run.exit_code == 0
    assert run.states[-1] == {"n": 2}


def test_what_is_held_when_the_day_is_over_is_applied_before_anything_is_judged(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    # The second flush takes a day; what comes behind it is held when it is over.
    put = "/memberships/add-and-remove"
    hubspot.faults.call("PUT", put, lambda: run_target.clock.sleep(24 * HOUR), after=1)

    run = run_target(
        schema_message(),
        *nobodies(30),
        state_message({"n": 1}),
        *nobodies(60)[30:],
        membership("VIP", ada),
        state_message({"n": 2}),
        batch_size_rows=30,
    )

    assert (run.exit_code, run.states) == (0, [{"n": 2}])
    assert portal.members("VIP") == {ada}


# A mirror's STATE


def whole(stream: str, *members: str) -> list[str]:
    """A stream that is a cohort by itself."""
    return [
        schema_message("contact_id", stream=stream),
        *(record_message(stream, contact_id=each) for each in members),
    ]


MIRROR = {"snapshot_end": "end_of_input", "max_removal_percent": 20}


def test_an_empty_stream_whose_list_is_held_back_holds_the_state_that_covers_it(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    portal.add_list("c_Lost", members=people)

    run = mirror(run_target, *whole("Lost"), *whole("VIP", *people), state_message({"n": 1}), **MIRROR)

    assert portal.members("c_Lost") == portal.members("c_VIP") == set(people)
    assert (run.exit_code, run.states) == (1, [])
    assert "max_removal_percent (20)" in run.error


@pytest.mark.parametrize("state_is_first", [False, True])
def test_an_empty_stream_alone_that_is_held_back_holds_its_state(
    run_target: TargetRunner, people: list[str], *, state_is_first: bool
) -> None:
    assert people
    messages = [*whole("VIP"), state_message({"n": 1})]
    before = [state_message({"n": 0})] if state_is_first else []

    run = mirror(run_target, *before, *messages, **MIRROR)

    # A STATE that came before the stream covers nothing of it.
    assert (run.exit_code, run.states) == (1, [{"n": 0}] if state_is_first else [])


def test_a_stream_that_a_map_empties_and_whose_list_is_held_back_holds_its_state(
    run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(
        run_target,
        *whole("VIP", *people),
        state_message({"n": 1}),
        stream_maps={"VIP": {"__filter__": "False"}},
        **MIRROR,
    )

    assert (run.exit_code, run.states) == (1, [])


def test_an_empty_stream_that_may_empty_its_list_lets_its_state_leave(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    config: dict[str, Any] = MIRROR | {"max_removal_percent": 100}

    run = mirror(run_target, *whole("VIP"), state_message({"n": 1}), **config)

    assert people
    assert portal.members("c_VIP") == set()
    assert (run.exit_code, run.states) == (0, [{"n": 1}])


def test_a_stream_that_is_done_is_not_held_by_an_empty_one_that_came_behind_the_state(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    portal.add_list("c_Lost", members=people)

    run = mirror(
        run_target,
        *whole("VIP", *people),
        state_message({"n": 1}),
        *whole("Lost"),
        state_message({"n": 2}),
        **MIRROR,
    )

    assert (run.exit_code, run.states) == (1, [{"n": 1}])


def test_a_state_before_a_stream_with_a_cohort_column_still_leaves_at_once(
    run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(run_target, SIZED, state_message({"n": 0}), *sized(people[:1], 2), state_message({"n": 1}))

    assert (run.exit_code, run.states) == (1, [{"n": 0}])
