"""A mirror writes properties from what it keeps on disk, and calls exited only whom it removes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.input.attributes import packed, unpacked
from target_hubspot_lists.mirror.snapshot import ROWS_AT_ONCE
from target_hubspot_lists.outcomes import PropertyOutcome, PropertyProblem, PropertyReason, PropertyResult
from tests.factories import record_message, schema_message
from tests.target_hubspot_lists.logs import row
from tests.target_hubspot_lists.mirrors import SIZED, mirror, sized

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

UPDATE = "/contacts/batch/update"
PLAN: dict[str, Any] = {"property_mappings": [{"field": "plan", "property": "plan"}]}


def test_properties_and_audience_status_follow_the_snapshot(portal: Portal, run_target: TargetRunner) -> None:
    portal.add_property("plan", "string", "text")
    old, ada = portal.add_contact("old@example.com"), portal.add_contact("ada@example.com")
    portal.add_list("c_VIP", members=[old, ada])
    columns = ("email", "cohort_name", "plan")

    run = mirror(
        run_target,
        schema_message(*columns),
        record_message(email="ada@example.com", cohort_name="VIP", plan="pro"),
        record_message(email="new@example.com", cohort_name="VIP", plan="free"),
        match_by="email",
        snapshot_end="end_of_input",
        property_mappings=[{"field": "plan", "property": "plan"}],
        audience_status_property=True,
    )

    assert run.exit_code == 0
    assert portal.member_emails("c_VIP") == {"ada@example.com", "new@example.com"}
    properties = {
        email: {name: portal.contact(email).properties.get(name) for name in ("plan", "c_vip")}
        for email in ("old@example.com", "ada@example.com", "new@example.com")
    }
    assert properties == {
        "old@example.com": {"plan": None, "c_vip": "exited"},
        "ada@example.com": {"plan": "pro", "c_vip": "realized"},
        "new@example.com": {"plan": "free", "c_vip": "realized"},
    }


def test_a_snapshot_of_more_rows_than_are_written_at_once_is_whole(
    portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_property("plan", "string", "text")
    count = ROWS_AT_ONCE + 1
    people = list(portal.add_contacts(count))
    portal.add_list("c_VIP", members=people[:2])
    columns = ("contact_id", "cohort_name", "cohort_size", "plan")
    # The last row takes the first member out again.
    of_cohort: dict[str, Any] = {"cohort_name": "VIP", "cohort_size": count - 1}
    plans = {people[1]: "pro", people[-1]: "free"}

    run = mirror(
        run_target,
        schema_message(*columns, "operation"),
        *(
            record_message(operation="add", contact_id=each, plan=plans.get(each), **of_cohort)
            for each in people
        ),
        record_message(operation="remove", contact_id=people[0], **of_cohort),
        **PLAN,
    )

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(people[1:])
    assert {each: portal.contact(each).properties.get("plan") for each in plans} == plans
    figures = row(run.log, "c_VIP")
    assert (figures["added"], figures["already"], figures["removed"]) == (str(count - 2), "1", "1")


def test_a_report_of_all_members_names_also_those_who_were_off_the_list(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    people = list(portal.add_contacts(2))
    portal.add_list("c_VIP", members=people[:1])
    report = tmp_path / "report.jsonl"

    run = mirror(
        run_target,
        schema_message("contact_id", "cohort_name", "cohort_size", "operation"),
        record_message(contact_id=people[0], cohort_name="VIP", cohort_size=1, operation="add"),
        record_message(contact_id=people[1], cohort_name="VIP", cohort_size=1, operation="remove"),
        report_path=str(report),
        report_members="all",
    )

    assert run.exit_code == 0
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    told = {each["member"]: each["outcome"] for each in lines if each["kind"] == "member"}
    assert told == {people[0]: "already_member", people[1]: "not_a_member"}


def test_every_new_list_of_a_snapshot_gets_its_audience_status(
    portal: Portal, run_target: TargetRunner
) -> None:
    people = list(portal.add_contacts(3))
    records = [
        sized([each], 1, cohort)[0] for each, cohort in zip(people, ("VIP", "New", "Late"), strict=True)
    ]

    run = mirror(run_target, SIZED, *records, audience_status_property=True)

    assert run.exit_code == 0
    statuses = [portal.contact(each).properties for each in people]
    assert statuses == [{"c_vip": "realized"}, {"c_new": "realized"}, {"c_late": "realized"}]


def test_an_unproven_snapshot_calls_nobody_exited(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    mirror(run_target, SIZED, *sized(people[:1], 2), audience_status_property=True)

    statuses = [portal.contact(each).properties.get("c_vip") for each in people]
    assert statuses == ["realized", None, None, None]


def test_whom_a_guard_keeps_on_the_list_is_not_called_exited(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(
        run_target, SIZED, *sized(people[3:], 1), audience_status_property=True, max_removal_percent=99
    )

    assert run.exit_code == 1
    statuses = [portal.contact(each).properties.get("c_vip") for each in people]
    assert statuses == [None, None, None, "realized"]


def test_a_contact_of_several_lists_is_written_once(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    portal.add_property("plan")
    columns = ("contact_id", "cohort_name", "plan")
    records = [
        record_message(contact_id=each, cohort_name=cohort, plan="pro")
        for cohort in ("VIP", "Other", "Third")
        for each in people[:3]
    ]

    run = mirror(run_target, schema_message(*columns), *records, snapshot_end="end_of_input", **PLAN)

    assert run.exit_code == 0
    assert [each.inputs for each in hubspot.requests if each.path.endswith(UPDATE)] == [3]
    assert [portal.contact(each).properties.get("plan") for each in people] == ["pro", "pro", "pro", None]


@pytest.mark.parametrize(("plan", "told"), [("5", "updated"), ("five", "rejected")])
def test_the_report_tells_what_became_of_the_properties_of_a_contact_that_was_created(
    portal: Portal, run_target: TargetRunner, tmp_path: Path, plan: str, told: str
) -> None:
    portal.add_property("plan", "number", "number")
    path = tmp_path / "report.jsonl"

    run = mirror(
        run_target,
        schema_message("email", "cohort_name", "plan"),
        record_message(email="new@example.com", cohort_name="VIP", plan=plan),
        match_by="email",
        snapshot_end="end_of_input",
        report_path=str(path),
        **PLAN,
    )

    assert run.exit_code == 0
    line = json.loads(path.read_text().splitlines()[0])
    assert (line["outcome"], line["created"], line["properties"]) == ("added", True, told)
    assert row(run.log, "c_VIP")[f"properties_{told}"] == "1"


@pytest.mark.parametrize(
    "attributes", [("a", None, ""), (), PropertyProblem(PropertyReason.NOT_A_DATE, "born")]
)
def test_attributes_come_back_from_disk_as_they_were(attributes: Any) -> None:
    assert unpacked(packed(attributes)) == attributes


@pytest.mark.parametrize(
    "problem", [None, PropertyProblem(PropertyReason.REFUSED_BY_HUBSPOT, "plan", "correlation-1")]
)
def test_results_come_back_from_disk_as_they_were(problem: PropertyProblem | None) -> None:
    result = PropertyResult(PropertyOutcome.REJECTED, problem)

    assert PropertyResult.unpacked(result.packed) == result
