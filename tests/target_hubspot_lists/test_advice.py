"""What a run says of a stream that is set up otherwise than it seems to be meant, in the words of the log."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import by_email, membership, record_message, schema_message

if TYPE_CHECKING:
    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import Portal

PERSON = "ada.private@example.com"


def said(run: Run, words: str) -> list[str]:
    return [line for line in run.log.splitlines() if words in line]


@pytest.mark.parametrize("mark", ["\ufeff", "ï»¿"])
def test_a_byte_order_mark_before_a_column_is_no_part_of_its_name(
    portal: Portal, run_target: TargetRunner, mark: str
) -> None:
    ada, bob = portal.add_contacts(2)
    first = f"{mark}Contact_ID"

    run = run_target(
        schema_message(first, "cohort_name", "operation"),
        *(record_message(**{first: each, "cohort_name": "VIP", "operation": "add"}) for each in (ada, bob)),
        match_field="contact_id",
    )

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada, bob}


def test_a_mapped_field_may_stand_behind_a_byte_order_mark(portal: Portal, run_target: TargetRunner) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_target(
        schema_message("\ufefffirst_name", "contact_id", "cohort_name"),
        record_message(**{"\ufefffirst_name": "Ada", "contact_id": ada, "cohort_name": "VIP"}),
        property_mappings=[{"field": "first_name", "property": "firstname"}],
    )

    assert run.exit_code == 0
    assert portal.contact(ada).properties["firstname"] == "Ada"


def test_a_stream_without_a_cohort_column_says_once_that_all_of_it_is_one_cohort(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    schema = schema_message("contact_id", "segment")

    run = run_target(schema, record_message(contact_id=ada, segment="A"), schema)

    (line,) = said(run, "one cohort")
    assert portal.members("cohort_members") == {ada}
    assert line.startswith('INFO Stream "cohort_members" has no column "cohort_name" and no "cohort_id"')
    assert "contact_id, segment" in line
    assert "cohort_field" in line


def test_a_stream_with_a_cohort_column_is_told_nothing(portal: Portal, run_target: TargetRunner) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_target(schema_message(), membership("VIP", ada))

    assert not said(run, "Stream ")


def stream_maps_in(line: str) -> dict[str, Any]:
    """The stream_maps that a line of the log proposes."""
    found = re.search(r"stream_maps: (\{.*\})\.$", line)
    assert found
    maps: dict[str, Any] = json.loads(found[1])
    return maps


@pytest.mark.parametrize(
    ("column", "gone", "there"),
    [
        ("_fivetran_deleted", True, False),
        ("_FIVETRAN_DELETED", True, None),
        ("_sdc_lsn_deleted_at", "2026-03-01T10:00:00Z", None),
        ("_ab_cdc_deleted_at", "2026-03-01T10:00:00.000Z", None),
        ("_ab_cdc_deleted_at", "2026-03-01 10:00:00", ""),
        ("__deleted", "true", "false"),
        ("__deleted", True, None),
        ("__hevo__marked_deleted", True, False),
    ],
)
def test_a_tombstone_of_another_tool_is_named_with_a_map_that_works(
    portal: Portal, run_target: TargetRunner, column: str, gone: Any, there: Any
) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("VIP", members=[ada])
    messages = [
        schema_message("contact_id", "cohort_name", column),
        record_message(contact_id=ada, cohort_name="VIP", **{column: gone}),
        record_message(contact_id=bob, cohort_name="VIP", **{column: there}),
    ]

    (line,) = said(run_target(*messages, dry_run=True), column)
    run = run_target(*messages, stream_maps=stream_maps_in(line))

    assert line.startswith("WARNING ")
    assert run.exit_code == 0
    assert portal.members("VIP") == {bob}
    assert not said(run, column)


@pytest.mark.parametrize("sync_mode", ["incremental", "mirror"])
@pytest.mark.parametrize(
    "record",
    [
        {"contact_id": 7, "_sdc_deleted_at": "2026-03-01T10:00:00Z"},
        {"cohort_name": "VIP", "_sdc_deleted_at": "2026-03-01T10:00:00Z"},
    ],
)
def test_a_delete_row_that_has_only_its_key_says_what_the_source_needs(
    run_target: TargetRunner, record: dict[str, Any], sync_mode: str
) -> None:
    run = run_target(
        schema_message("contact_id", "cohort_name", "_sdc_deleted_at"),
        *[record_message(**record)] * 3,
        sync_mode=sync_mode,
    )

    (line,) = said(run, "REPLICA IDENTITY FULL")
    assert ("cohort_name" if "contact_id" in record else "contact_id") in line


def test_a_row_without_a_member_that_removes_nobody_is_no_delete_row(run_target: TargetRunner) -> None:
    run = run_target(schema_message(), membership("VIP", None), membership("", 7))

    assert not said(run, "REPLICA IDENTITY")


def test_addresses_where_record_ids_are_due_are_said_in_the_log(run_target: TargetRunner) -> None:
    run = run_target(schema_message(), *[membership("VIP", PERSON)] * 3)

    (line,) = said(run, "match_by: email")
    assert 'column "contact_id"' in line
    assert PERSON not in run.log


def test_record_ids_where_addresses_are_due_are_said_in_the_log(run_target: TargetRunner) -> None:
    run = run_target(
        schema_message("email", "cohort_name", "operation"),
        by_email("VIP", 123),
        by_email("VIP", "124"),
        match_by="email",
    )

    (line,) = said(run, "match_by: contact_id")
    assert 'column "email"' in line


def test_a_mistyped_address_is_no_record_id(run_target: TargetRunner) -> None:
    run = run_target(
        schema_message("email", "cohort_name", "operation"),
        by_email("VIP", "ada(at)example.com"),
        match_by="email",
    )

    assert not said(run, "match_by: contact_id")


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_cohorts_of_lists_that_no_record_was_about_are_named_with_what_was_meant(
    portal: Portal, run_target: TargetRunner, mode: str
) -> None:
    (ada,) = portal.add_contacts(1)
    entries = [{"cohort": name, "list_name": f"L {name}"} for name in ("vip", "Churned", "VIP ")]

    run = run_target(
        schema_message(), membership("VIP", ada), lists=entries, sync_mode=mode, snapshot_end="end_of_input"
    )

    assert run.exit_code == 0
    (line,) = said(run, "No record of this run was about")
    assert '"Churned", ' in line
    assert '"vip" (did you mean "VIP"?)' in line


def test_a_run_whose_records_match_every_entry_of_lists_says_nothing(
    portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_target(schema_message(), membership("VIP", ada), lists=[{"cohort": "VIP", "list_name": "Best"}])

    assert portal.members("Best") == {ada}
    assert not said(run, "No record of this run was about")


def test_a_run_without_records_says_nothing_of_lists(run_target: TargetRunner) -> None:
    run = run_target(schema_message(), lists=[{"cohort": "VIP", "list_name": "Best"}])

    assert not said(run, "No record of this run was about")
