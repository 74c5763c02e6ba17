"""Rows of a snapshot whose member is blank or malformed may be people on the list: the guard takes them for such."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import activate_version, record_message, schema_message, versioned
from tests.target_hubspot_lists.logs import row
from tests.target_hubspot_lists.mirrors import mirror

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import Portal

COLUMNS = ("email", "cohort_name", "_sdc_deleted_at")
UNUSABLE = ("", "  ", None, "no address", "two@at@signs")


def address(number: int) -> str:
    return f"contact{number}@example.com"


def rows(emails: Iterable[Any], **more: Any) -> list[str]:
    return [record_message(email=each, cohort_name="VIP", **more) for each in emails]


def run_mirror(run_target: TargetRunner, records: Sequence[str], **config: Any) -> Run:
    settings = {"match_by": "email", "snapshot_end": "end_of_input", "max_removal_percent": 20} | config
    return mirror(run_target, schema_message(*COLUMNS), *records, **settings)


@pytest.mark.parametrize("unusable", UNUSABLE)
def test_unusable_rows_count_with_the_removals_for_the_guard(
    portal: Portal, run_target: TargetRunner, unusable: str | None
) -> None:
    contacts = list(portal.add_contacts(31))
    portal.add_list("c_VIP", members=contacts[:30])

    run = run_mirror(run_target, rows([*map(address, range(25)), address(30), *[unusable] * 5]))

    assert run.exit_code == 1
    assert 'List "c_VIP" (1): the snapshot would remove 5 of 30 members, and 5 of its rows have' in run.error
    assert portal.members("c_VIP") == set(contacts)
    assert row(run.log, "c_VIP")["skipped"] == "5"


def test_record_ids_that_are_none_count_too(portal: Portal, run_target: TargetRunner) -> None:
    contacts = list(portal.add_contacts(30))
    portal.add_list("c_VIP", members=contacts)
    members = [*contacts[:25], "", "abc", "-1", "1.5", None]
    records = [record_message(contact_id=each, cohort_name="VIP") for each in members]

    run = mirror(
        run_target,
        schema_message("contact_id", "cohort_name"),
        *records,
        snapshot_end="end_of_input",
        max_removal_percent=20,
    )

    assert run.exit_code == 1
    assert portal.members("c_VIP") == set(contacts)


def test_a_few_who_left_are_removed_however_many_rows_are_unusable_and_the_log_tells_the_rows(
    portal: Portal, run_target: TargetRunner
) -> None:
    contacts = list(portal.add_contacts(1000))
    portal.add_list("c_VIP", members=contacts)

    run = run_mirror(run_target, rows([*map(address, range(998)), *[""] * 300]))

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(contacts[:998])
    assert (
        'WARNING List "c_VIP" (1): 300 rows of the snapshot have a member that is blank or malformed'
        in run.log
    )


def test_unusable_rows_are_no_removals_where_nobody_left(portal: Portal, run_target: TargetRunner) -> None:
    contacts = list(portal.add_contacts(3))
    portal.add_list("c_VIP", members=contacts)

    run = run_mirror(run_target, rows([*map(address, range(3)), *[""] * 30]))

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(contacts)


def test_a_row_that_was_deleted_upstream_hides_nobody(portal: Portal, run_target: TargetRunner) -> None:
    contacts = list(portal.add_contacts(30))
    portal.add_list("c_VIP", members=contacts)

    run = run_mirror(
        run_target,
        [*rows(map(address, range(25))), *rows([""] * 5, _sdc_deleted_at="2026-03-20T00:00:00Z")],
    )

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(contacts[:25])


def test_whoever_allows_everything_is_not_held_up(portal: Portal, run_target: TargetRunner) -> None:
    contacts = list(portal.add_contacts(30))
    portal.add_list("c_VIP", members=contacts)

    run = run_mirror(run_target, rows([*map(address, range(25)), *[""] * 5]), max_removal_percent=100)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(contacts[:25])


@pytest.mark.parametrize("unusable_come", ["first", "last"])
def test_unusable_rows_of_the_version_that_is_proven_count_and_those_of_an_older_one_do_not(
    portal: Portal, run_target: TargetRunner, unusable_come: str
) -> None:
    contacts = list(portal.add_contacts(30))
    portal.add_list("c_VIP", members=contacts)
    good, bad = rows(map(address, range(25))), rows([""] * 5)
    ordered = [*bad, *good] if unusable_come == "first" else [*good, *bad]
    second = [*(versioned(each, 2) for each in ordered), *(versioned(each, 2) for each in good[:1])]

    held = run_mirror(run_target, [*second, activate_version(2)], snapshot_end="proven")
    older = [versioned(each, 1) for each in (*good, *bad)]
    third = [versioned(each, 3) for each in good]
    run = run_mirror(run_target, [*older, *third, activate_version(3)], snapshot_end="proven")

    assert (held.exit_code, run.exit_code) == (1, 0)
    assert "5 of its rows" in held.error
    assert portal.members("c_VIP") == set(contacts[:25])
