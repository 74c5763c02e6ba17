"""What looks like a proof of a whole snapshot and is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import activate_version, record_message, schema_message
from tests.target_hubspot_lists.mirrors import SIZED, SIZED_COLUMNS, mirror, of_version, sized

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import Portal


@pytest.mark.parametrize("size", [None, "many", -2, 0, 2.5])
def test_a_member_whose_record_does_not_say_how_many_there_are_proves_no_number(
    portal: Portal, run_target: TargetRunner, people: list[str], size: Any
) -> None:
    run = mirror(run_target, SIZED, *sized(people[:1], 2), *sized(people[1:2], size))

    assert run.exit_code == 1
    assert "cohort_size" in run.error
    assert portal.members("c_VIP") == set(people[:3])


def test_the_number_is_that_of_the_members_and_not_of_those_who_left(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    gone = record_message(contact_id=people[2], cohort_name="VIP", _sdc_deleted_at="2026-01-01")

    run = mirror(run_target, schema_message(*SIZED_COLUMNS, "_sdc_deleted_at"), *sized(people[:2], 2), gone)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(people[:2])


def test_a_number_of_rows_that_are_fewer_members_is_told_with_both_numbers(
    portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_list("c_VIP", members=[portal.add_contact("gone@example.com")])
    rows = [
        record_message(email=email, cohort_name="VIP", cohort_size=3)
        for email in ("ada@example.com", " Ada@Example.com", "bob@example.com")
    ]

    run = mirror(run_target, schema_message("email", "cohort_name", "cohort_size"), *rows, match_by="email")

    assert run.exit_code == 1
    assert "3 records came, of 2 distinct members: addresses are compared in lower case" in run.error
    assert portal.member_emails("c_VIP") == {"ada@example.com", "bob@example.com", "gone@example.com"}


def test_members_who_left_are_no_rows_that_came_twice(run_target: TargetRunner, people: list[str]) -> None:
    gone = record_message(contact_id=people[2], cohort_name="VIP", _sdc_deleted_at="2026-01-01")

    run = mirror(run_target, schema_message(*SIZED_COLUMNS, "_sdc_deleted_at"), *sized(people[:2], 3), gone)

    assert "2 of 3 distinct members arrived (1 removed by its last record)." in run.error


def test_two_cohorts_of_one_list_are_complete_only_together(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    list_id = portal.hubspot_list("c_VIP").list_id
    lists = [{"cohort": cohort, "list_id": list_id} for cohort in ("North", "South")]

    run = mirror(
        run_target, SIZED, *sized(people[:1], 1, "North"), *sized(people[1:2], 2, "South"), lists=lists
    )

    assert run.exit_code == 1
    assert portal.members("c_VIP") == set(people[:3])


@pytest.mark.parametrize("proof", ["cohort_size", "ACTIVATE_VERSION"])
def test_a_cohort_of_a_shared_list_that_did_not_come_keeps_everybody_on_it(
    portal: Portal, run_target: TargetRunner, people: list[str], proof: str
) -> None:
    """A source that dies between two cohorts has told the size of the first."""
    list_id = portal.hubspot_list("c_VIP").list_id
    lists = [{"cohort": cohort, "list_id": list_id} for cohort in ("North", "South")]
    records = sized(people[:1], 1 if proof == "cohort_size" else None, "North")

    run = mirror(run_target, SIZED, *of_version(records, 1), activate_version(1), lists=lists)

    assert run.exit_code == 1
    assert '"South"' in run.error
    assert portal.members("c_VIP") == set(people[:3])


def test_the_end_of_the_input_may_prove_that_a_cohort_of_a_shared_list_is_empty(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    list_id = portal.hubspot_list("c_VIP").list_id
    lists = [{"cohort": "North", "list_id": list_id}, {"cohort": "South", "list_name": "c_vip"}]

    run = mirror(
        run_target, SIZED, *sized(people[:1], None, "North"), lists=lists, snapshot_end="end_of_input"
    )

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {people[0]}


def test_a_version_of_which_everybody_left_is_an_empty_snapshot_which_it_cannot_prove(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    gone = [record_message(contact_id=people[0], cohort_name="VIP", _sdc_deleted_at="2026-01-01")]
    messages = [
        schema_message("contact_id", "cohort_name", "_sdc_deleted_at"),
        *of_version(gone, 1),
        activate_version(1),
    ]

    run = mirror(run_target, *messages)

    assert run.exit_code == 1
    assert "snapshot_end: end_of_input" in run.error
    assert portal.members("c_VIP") == set(people[:3])


def test_a_record_without_a_version_is_a_member_like_the_others_and_the_version_proves_nothing_of_it(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(
        run_target,
        SIZED,
        *of_version(sized(people[:1], None), 1),
        *sized(people[3:], None),
        *of_version(sized(people[1:2], None), 1),
        activate_version(1),
    )

    assert run.exit_code == 1
    assert portal.members("c_VIP") == set(people)


@pytest.mark.parametrize(("older", "newer"), [("9", "10"), (9.0, "10"), (9, 10.0)])
def test_versions_are_compared_as_numbers_however_they_are_written(
    portal: Portal, run_target: TargetRunner, people: list[str], older: Any, newer: Any
) -> None:
    run = mirror(
        run_target,
        SIZED,
        *of_version(sized(people[:2], None), older),
        *of_version(sized(people[:1], None), newer),
        activate_version(newer),
    )

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {people[0]}


@pytest.mark.parametrize("version", ["soon", True, {}, -1])
def test_what_is_no_version_proves_nothing(
    portal: Portal, run_target: TargetRunner, people: list[str], version: Any
) -> None:
    run = mirror(run_target, SIZED, *of_version(sized(people[:1], None), version), activate_version(version))

    assert run.exit_code == 1
    assert portal.members("c_VIP") == set(people[:3])


def test_a_record_that_a_map_filters_out_is_of_the_stream_all_the_same(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    filtered = record_message(contact_id=people[1], cohort_name="Other")

    run = mirror(
        run_target,
        SIZED,
        *of_version(sized(people[:1], None), 1),
        activate_version(1),
        *of_version([filtered], 1),
        stream_maps={"cohort_members": {"__filter__": "cohort_name == 'VIP'"}},
    )

    assert run.exit_code == 1
    assert portal.members("c_VIP") == set(people[:3])


def test_two_streams_that_a_map_gives_one_name_are_two_streams_all_the_same(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    columns = ("contact_id", "cohort_name")

    run = mirror(
        run_target,
        schema_message(*columns, stream="one"),
        *of_version(sized(people[:1], None, stream="one"), 1),
        activate_version(1, stream="one"),
        schema_message(*columns, stream="two"),
        *of_version(sized(people[1:2], None, stream="two"), 2),
        activate_version(2, stream="two"),
        stream_maps={each: {"__alias__": "members"} for each in ("one", "two")},
    )

    assert run.exit_code == 1
    assert portal.members("c_VIP") == set(people[:3])


def test_a_stream_whose_records_of_a_list_are_all_rejected_feeds_it_all_the_same(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(
        run_target,
        schema_message(*SIZED_COLUMNS, stream="one"),
        schema_message(*SIZED_COLUMNS, stream="two"),
        *sized(people[:1], 1, stream="one"),
        *sized(["nobody"], 1, stream="two"),
    )

    assert run.exit_code == 1
    assert "fed by the streams one, two" in run.error
    assert portal.members("c_VIP") == set(people[:3])


def test_streams_that_differ_in_case_are_two_that_feed_one_list(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(
        run_target,
        schema_message("contact_id", stream="VIP"),
        schema_message("contact_id", stream="vip"),
        record_message("VIP", contact_id=people[0]),
        record_message("vip", contact_id=people[1]),
        snapshot_end="end_of_input",
    )

    assert run.exit_code == 1
    assert "fed by the streams VIP, vip" in run.error
    assert portal.members("c_VIP") == set(people[:3])


@pytest.mark.parametrize(
    "last",
    [
        pytest.param('{"type": "RECORD", "stream": "cohort_members", "rec', id="broken last line"),
        pytest.param(json.dumps({"type": "BATCH", "stream": "cohort_members"}), id="BATCH"),
        pytest.param(json.dumps({"type": "NEW", "stream": "cohort_members"}), id="unknown message"),
    ],
)
def test_an_end_behind_what_cannot_be_read_is_no_end_of_input(
    portal: Portal, run_target: TargetRunner, people: list[str], last: str
) -> None:
    run = mirror(run_target, SIZED, *sized(people[:1], None), last, snapshot_end="end_of_input")

    assert run.exit_code == 1
    assert portal.members("c_VIP") == set(people[:3])


def test_a_rejected_member_is_named_as_a_reason_why_fewer_arrived(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(run_target, SIZED, *sized([people[0], "nobody"], 2))

    assert run.exit_code == 1
    assert "1 of 2 distinct members" in run.error
    assert "1 rejected" in run.error
    assert portal.members("c_VIP") == set(people[:3])


def test_a_cohort_named_like_a_person_is_not_named_in_the_log(
    run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(run_target, SIZED, *sized(people[:1], 2, "ada@example.com"))

    assert run.exit_code == 1
    assert "ada@example.com" not in run.log


def test_a_stream_that_gets_a_cohort_column_is_no_cohort_any_more(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(
        run_target,
        schema_message("contact_id", stream="VIP"),
        schema_message("contact_id", "cohort_name", stream="VIP"),
        record_message("VIP", contact_id=people[3], cohort_name="Other"),
        snapshot_end="end_of_input",
    )

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(people[:3])


def test_a_cohort_that_only_an_older_version_had_is_not_there_and_its_list_left_alone(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    portal.add_list("c_Other", members=people[3:])

    run = mirror(
        run_target,
        SIZED,
        *of_version(sized(people[:1], None, "Other"), 1),
        *of_version(sized(people[:2], None), 2),
        snapshot_end="end_of_input",
    )

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(people[:2])
    assert portal.members("c_Other") == set(people[3:])
