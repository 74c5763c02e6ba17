"""`_sdc_deleted_at` removes a member only where it says that the row is gone; what says neither is rejected."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.input.records import says_deleted
from tests.factories import record_message, schema_message, state_message
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import Portal

COLUMNS = ("contact_id", "cohort_name", "operation", "_sdc_deleted_at")
NOT_DELETED: list[Any] = [None, "", "  ", False, 0, 0.0, "false", "False", " FALSE ", "0"]
DELETED: list[Any] = [
    "2026-01-01",
    "2026-01-01T00:00:00Z",
    "2026-01-01t10:20:30.123456z",
    "2026-01-01T10:20:30+02:00",
    "2026-01-01 10:20:30",
    "2026-01-01 10:20:30.5+00",
    " 2026-01-01 10:20 ",
]
UNCLEAR: list[Any] = [
    "NaT",
    "None",
    "null",
    "nan",
    "true",
    True,
    1,
    1_767_225_600,
    {},
    {"$date": "2026-01-01"},
    [],
    ["2026-01-01"],
    "2026-02-30",
    "20260101",
    "01/02/2026",
    "0000-00-00 00:00:00",
    "2026-01-01 or so",
    "yesterday",
]


def row_with(deleted_at: object, member: str, **fields: Any) -> str:
    return record_message(contact_id=member, cohort_name="VIP", _sdc_deleted_at=deleted_at, **fields)


@pytest.mark.parametrize("deleted_at", NOT_DELETED, ids=repr)
@pytest.mark.parametrize("operation", ["add", "remove"])
def test_a_row_that_is_not_deleted_goes_by_its_operation(
    portal: Portal, run_target: TargetRunner, deleted_at: object, operation: str
) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("VIP", members=[bob])

    run = run_target(
        schema_message(*COLUMNS),
        *(row_with(deleted_at, member, operation=operation) for member in (ada, bob)),
        state_message({"n": 1}),
    )

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert portal.members("VIP") == ({ada, bob} if operation == "add" else set())


@pytest.mark.parametrize("deleted_at", DELETED, ids=repr)
def test_a_row_with_a_date_of_deletion_removes_whatever_its_operation_says(
    portal: Portal, run_target: TargetRunner, deleted_at: object
) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("VIP", members=[ada, bob])

    run = run_target(schema_message(*COLUMNS), row_with(deleted_at, ada, operation="add"))

    assert run.exit_code == 0
    assert portal.members("VIP") == {bob}


@pytest.mark.parametrize("operation", ["add", "remove"])
@pytest.mark.parametrize("deleted_at", UNCLEAR, ids=repr)
def test_what_is_neither_a_date_nor_nothing_rejects_that_record_alone(
    portal: Portal, run_target: TargetRunner, deleted_at: object, operation: str
) -> None:
    ada, bob, cyd = portal.add_contacts(3)
    portal.add_list("VIP", members=[ada])

    run = run_target(
        schema_message(*COLUMNS),
        row_with(deleted_at, ada, operation=operation),
        row_with(deleted_at, bob, operation=operation),
        row_with(None, cyd, operation="add"),
        state_message({"n": 1}),
    )

    assert portal.members("VIP") == {ada, cyd}
    assert row(run.log, "VIP")["rejected"] == "2"
    assert "2 unknown_operation" in run.log
    assert (run.exit_code, run.states) == (0, [{"n": 1}])


def test_a_mirror_removes_nobody_where_a_row_does_not_say_whether_it_is_gone(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob, cyd = portal.add_contacts(3)
    portal.add_list("VIP", members=[ada, bob, cyd])

    run = run_target(
        schema_message(*COLUMNS),
        row_with(False, ada),
        row_with("NaT", bob),
        state_message({"n": 1}),
        sync_mode="mirror",
        snapshot_end="end_of_input",
        max_removal_percent=100,
        lists=[{"cohort": "VIP", "list_name": "VIP"}],
    )

    assert portal.members("VIP") == {ada, bob, cyd}
    assert (run.exit_code, run.states) == (1, [])


def test_a_time_that_a_stream_map_makes_is_one() -> None:
    assert says_deleted(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("column", ["operation", "OPERATION"])
@pytest.mark.parametrize("sync_mode", ["incremental", "mirror"])
def test_a_removal_removes_also_where_the_schema_has_no_operation(
    portal: Portal, run_target: TargetRunner, people: list[str], column: str, sync_mode: str
) -> None:
    names = ("contact_id", "cohort_name", "cohort_size")
    leaves, joins = people[2:]
    rows = [
        *({"contact_id": each} for each in people[:2]),
        {"contact_id": leaves, column: "remove"},
        {"contact_id": joins, column: "add"},
    ]

    run = run_target(
        schema_message(*names),
        *(record_message(**each, cohort_name="VIP", cohort_size=3) for each in rows),
        *([schema_message(*names)] if sync_mode == "incremental" else []),
        sync_mode=sync_mode,
        list_name_prefix="c_",
        max_removal_percent=100,
    )

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {*people[:2], joins}
    said = f'Stream "cohort_members" has records with a column "{column}" that its SCHEMA does not have'
    assert run.log.count(said) == 1
    assert "can remove a member" not in run.log


def test_an_undeclared_operation_that_is_no_word_rejects_its_record_alone(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    run = run_target(
        schema_message("contact_id", "cohort_name"),
        record_message(contact_id=people[3], cohort_name="VIP", operation=None),
        record_message(contact_id=people[2], cohort_name="VIP", operation="remove"),
        list_name_prefix="c_",
    )

    assert portal.members("c_VIP") == set(people[:2])
    assert row(run.log, "c_VIP")["rejected"] == "1"


def test_the_stream_map_that_the_warning_gives_takes_the_column_out(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    run = run_target(
        schema_message("contact_id", "cohort_name"),
        record_message(contact_id=people[3], cohort_name="VIP", operation="INSERT of a batch job"),
        list_name_prefix="c_",
        stream_maps={"cohort_members": {"operation": "__NULL__"}},
    )

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(people)
    assert "that its SCHEMA does not have" not in run.log
