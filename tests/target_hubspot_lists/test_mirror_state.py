"""A mirror lets no STATE leave that covers a stream whose snapshot is not complete and not done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.factories import activate_version, record_message, schema_message, state_message
from tests.target_hubspot_lists.mirrors import SIZED, SIZED_COLUMNS, mirror, of_version, sized

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal


def test_a_schema_that_changes_behind_a_state_lets_it_leave_no_sooner(
    run_target: TargetRunner, people: list[str]
) -> None:
    changed = schema_message(*SIZED_COLUMNS, "more")

    run = mirror(run_target, SIZED, *sized(people[:1], 3), state_message({"half": 1}), changed)

    assert run.exit_code == 1
    assert run.states == []


def test_no_state_leaves_before_the_removals_are_done(
    hubspot: HubSpotEmulator, run_target: TargetRunner, people: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    written: list[str] = []
    hubspot.faults.call("PUT", "/memberships/", lambda: written.append(capsys.readouterr().out))

    run = mirror(run_target, SIZED, *sized(people[1:3], 2), state_message({"n": 1}))

    assert written == [""]
    assert run.states == [{"n": 1}]


def test_an_incomplete_snapshot_of_a_list_that_is_not_there_releases_no_state(
    run_target: TargetRunner,
) -> None:
    run = mirror(
        run_target,
        schema_message("contact_id", "cohort_name", "_sdc_deleted_at"),
        record_message(contact_id=1, cohort_name="VIP", _sdc_deleted_at="2026-01-01"),
        state_message({"n": 1}),
    )

    assert run.exit_code == 1
    assert "nothing proves that stream" in run.error
    assert run.states == []


def test_a_stream_of_which_only_rejected_records_came_releases_no_state(run_target: TargetRunner) -> None:
    run = mirror(run_target, SIZED, *sized(["nobody"], 2), state_message({"n": 1}))

    assert run.exit_code == 1
    assert run.states == []


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param(lambda r: [*r, state_message({"n": 1}), activate_version(1)], id="before"),
        pytest.param(lambda r: [*r, activate_version(1), state_message({"n": 1})], id="behind"),
    ],
)
def test_a_state_may_stand_before_or_behind_the_proof(
    run_target: TargetRunner, people: list[str], messages: Callable[[list[str]], list[str]]
) -> None:
    run = mirror(run_target, SIZED, *messages(of_version(sized(people, None), 1)))

    assert (run.exit_code, run.states) == (0, [{"n": 1}])


def test_a_state_of_before_the_first_record_leaves_at_once(
    run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(run_target, SIZED, state_message({"n": 0}), *sized(people[:1], 2), state_message({"n": 1}))

    assert (run.exit_code, run.states) == (1, [{"n": 0}])


def test_a_tap_that_could_resume_in_mid_table_begins_anew_after_half_a_snapshot(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    """Its ACTIVATE_VERSION would prove the second half: no STATE may lead it there."""
    first_half, everybody = sized(people[:1], None), sized(people[:2], None)

    broken = mirror(run_target, SIZED, *of_version(first_half, 1), state_message({"max_pk": 1}))
    whole = mirror(run_target, SIZED, *of_version(everybody, 2), activate_version(2), state_message({}))

    assert (broken.exit_code, broken.states) == (1, [])
    assert whole.exit_code == 0
    assert portal.members("c_VIP") == set(people[:2])


def test_what_the_guard_held_back_is_said_also_where_nothing_at_all_was_applied(
    portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_list("c_VIP", members=portal.add_contacts(25))

    run = mirror(
        run_target,
        schema_message("contact_id", stream="VIP"),
        snapshot_end="end_of_input",
        max_removal_percent=20,
    )

    assert run.exit_code == 1
    assert "max_removal_percent (20)" in run.error
    assert len(portal.members("c_VIP")) == 25


def test_a_stream_of_which_only_records_of_no_cohort_came_releases_no_state(run_target: TargetRunner) -> None:
    record = record_message(contact_id=1, cohort_name=" ", cohort_size=1)

    run = mirror(run_target, SIZED, record, state_message({"n": 1}), snapshot_end="end_of_input")

    assert run.exit_code == 1
    assert "1 records of stream" in run.error
    assert run.states == []
