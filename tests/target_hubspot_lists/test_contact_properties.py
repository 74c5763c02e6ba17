"""Attributes of members become properties of contacts: coerced, checked, and never at the cost of a membership."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import record_message, schema_message
from tests.hubspot_emulator import ALL_SCOPES, HubSpotEmulator
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import Portal

PLAN = [{"field": "plan", "property": "plan"}]
PLAN_AND_SEATS = [*PLAN, {"field": "seats", "property": "seats"}]


@pytest.fixture(autouse=True)
def _properties(portal: Portal) -> None:
    portal.add_property("plan", "enumeration", "select", options=["free", "pro"])
    portal.add_property("seats", "number", "number")


def person(member: object, cohort: str = "VIP", operation: str = "add", **fields: Any) -> str:
    """A RECORD of a membership with further columns; the member is an address or a record id."""
    fields["email" if "@" in str(member) else "contact_id"] = member
    return record_message(cohort_name=cohort, operation=operation, **fields)


def run_people(run_target: TargetRunner, *records: str, **config: Any) -> Run:
    """Run on records that are of one kind of member; by default `plan` is written."""
    by_email = any('"email"' in record for record in records)
    columns = ("email" if by_email else "contact_id", "cohort_name", "operation", "plan", "seats", "company")
    settings = {"match_by": "email" if by_email else "contact_id", "property_mappings": PLAN}
    return run_target(schema_message(*columns), *records, **(settings | config))


def members(path: Path) -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {line["member"]: line for line in lines if line["kind"] == "member"}


# What is written


@pytest.mark.parametrize("match_by", ["email", "contact_id"])
def test_a_members_attributes_are_written_to_the_contact(
    portal: Portal, run_target: TargetRunner, match_by: str
) -> None:
    ada = portal.add_contact("ada@example.com", plan="free")
    member = ada if match_by == "contact_id" else "ada@example.com"

    run = run_people(run_target, person(member, plan="Pro", seats=12.0), property_mappings=PLAN_AND_SEATS)

    assert run.exit_code == 0
    assert portal.contact(ada).properties == {"plan": "pro", "seats": "12"}
    assert portal.members("VIP") == {ada}
    assert row(run.log, "VIP")["properties_updated"] == "1"


def test_a_new_contact_is_created_with_its_attributes(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    run = run_people(run_target, person("new@example.com", plan="pro"))

    assert portal.contact("new@example.com").properties == {"plan": "pro"}
    assert row(run.log, "VIP")["properties_updated"] == "1"
    assert hubspot.calls(path_contains="batch/update") == 0


def test_a_field_may_be_a_path_into_a_nested_column(portal: Portal, run_target: TargetRunner) -> None:
    ada = portal.add_contact()

    run_people(
        run_target,
        person(ada, company={"name": "Analytical Engines", "seats": {"paid": 3}}),
        property_mappings=[
            {"field": "COMPANY.name", "property": "company"},
            {"field": "company.seats.paid", "property": "seats"},
        ],
    )

    assert portal.contact(ada).properties == {"company": "Analytical Engines", "seats": "3"}


def test_a_path_through_null_leads_to_null_and_a_path_through_a_value_to_nothing(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact(company="Engines")
    bob = portal.add_contact(company="Looms")

    run_people(
        run_target,
        person(ada, company=None),
        person(bob, company="Looms Ltd"),
        property_mappings=[{"field": "company.name", "property": "company"}],
        property_policy="overwrite_and_clear",
    )

    assert portal.contact(ada).properties.get("company") in {None, ""}
    assert portal.contact(bob).properties["company"] == "Looms"


def test_the_last_record_of_a_contact_wins_as_a_whole_over_all_lists_and_addresses(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact("ada@example.com", additional_emails=["lovelace@example.org"])

    run = run_people(
        run_target,
        person("lovelace@example.org", "VIP", plan="free", seats=5),
        person("ada@example.com", "Beta", plan="pro", seats=None),
        property_mappings=PLAN_AND_SEATS,
    )

    assert portal.contact(ada).properties == {"plan": "pro"}
    assert hubspot.calls(path_contains="batch/update") == 1
    assert [row(run.log, name)["properties_updated"] for name in ("VIP", "Beta")] == ["1", "1"]


def test_attributes_of_somebody_who_leaves_are_written_too(portal: Portal, run_target: TargetRunner) -> None:
    ada = portal.add_contact(plan="free")
    portal.add_list("Trial", members=[ada])

    run_people(run_target, person(ada, "Trial", "remove", plan="pro"))

    assert portal.contact(ada).properties == {"plan": "pro"}
    assert portal.members("Trial") == set()


# Policies


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("overwrite", {"plan": "pro", "company": "Analytical Engines"}),
        ("overwrite_and_clear", {"plan": "pro"}),
        ("fill_empty", {"plan": "free", "company": "Analytical Engines", "seats": "3"}),
    ],
)
@pytest.mark.parametrize("match_by", ["email", "contact_id"])
def test_the_policy_decides_over_values_that_are_there_and_over_null(
    portal: Portal, run_target: TargetRunner, match_by: str, policy: str, expected: dict[str, str]
) -> None:
    ada = portal.add_contact("ada@example.com", plan="free", company="Analytical Engines")
    member = ada if match_by == "contact_id" else "ada@example.com"
    mappings = [*PLAN_AND_SEATS, {"field": "company", "property": "company"}]

    seats = 3 if policy == "fill_empty" else None
    run = run_people(
        run_target,
        person(member, plan="pro", seats=seats, company=" "),
        property_mappings=mappings,
        property_policy=policy,
    )

    assert run.exit_code == 0
    assert portal.contact(ada).properties == expected


def test_a_record_that_removes_and_a_field_that_is_absent_clear_nothing(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contact(plan="free"), portal.add_contact(plan="free")

    run = run_people(
        run_target,
        person(ada),
        person(bob, "Trial", "remove", plan=None),
        person(bob, "Trial", "remove", plan=None),
        property_policy="overwrite_and_clear",
    )

    assert portal.contact(ada).properties == {"plan": "free"}
    assert portal.contact(bob).properties == {"plan": "free"}
    assert row(run.log, "VIP")["properties_unchanged"] == "1"


def test_contacts_whose_values_are_all_there_cost_no_update(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_contact("ada@example.com", plan="free")

    run = run_people(run_target, person("ada@example.com", plan="pro"), property_policy="fill_empty")

    assert hubspot.calls(path_contains="batch/update") == 0
    assert hubspot.calls(path_contains="batch/read") == 1
    assert row(run.log, "VIP")["properties_unchanged"] == "1"


def test_filling_follows_merged_contacts_and_leaves_out_those_that_are_gone(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada, lovelace = portal.add_contact("ada@example.com"), portal.add_contact("lovelace@example.com")
    merged = portal.merge(ada, lovelace)
    portal.update_contact(merged, seats="7")

    run = run_people(
        run_target,
        person(ada, plan="pro", seats=1),
        person(123, plan="pro", seats=1),
        property_mappings=PLAN_AND_SEATS,
        property_policy="fill_empty",
    )

    assert run.exit_code == 0
    assert portal.contact(merged).properties == {"seats": "7", "plan": "pro"}


def test_a_contact_that_hubspot_passes_over_when_asked_is_never_taken_for_empty(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact(plan="free")
    portal.quirks.omitted_inputs[ada] = 1

    run_people(run_target, person(ada, plan="pro"), property_policy="fill_empty")
    assert portal.contact(ada).properties == {"plan": "free"}

    portal.quirks.omitted_inputs[ada] = 2
    run = run_people(run_target, person(ada, plan="pro"), property_policy="fill_empty")
    assert run.exit_code == 1
    assert "answered without naming it" in run.error
    assert portal.contact(ada).properties == {"plan": "free"}


# What is rejected


def test_a_value_that_does_not_fit_costs_the_attributes_of_that_member_alone(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    ada, bob = portal.add_contact(plan="free"), portal.add_contact()
    report = tmp_path / "report.jsonl"

    run = run_people(
        run_target,
        person(ada, plan="pro", seats="1,5"),
        person(bob, plan="pro", seats=2),
        property_mappings=PLAN_AND_SEATS,
        report_path=str(report),
    )

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada, bob}
    assert portal.contact(ada).properties == {"plan": "free"}
    assert portal.contact(bob).properties == {"plan": "pro", "seats": "2"}
    assert row(run.log, "VIP")["properties_rejected"] == "1"
    assert 'Properties rejected, not the memberships: 1 not_a_number of "seats".' in run.log
    (line,) = members(report).values()
    assert (line["outcome"], line["properties"]) == ("added", "rejected")
    assert (line["property"], line["property_reason"]) == ("seats", "not_a_number")
    assert "1,5" not in report.read_text() + run.log


@pytest.mark.parametrize("honours_trace_ids", [True, False])
def test_what_hubspot_refuses_of_a_contact_costs_its_attributes_alone(
    portal: Portal, run_target: TargetRunner, tmp_path: Path, *, honours_trace_ids: bool
) -> None:
    portal.quirks.honours_trace_ids = honours_trace_ids
    portal.add_property("badge", unique=True)
    portal.add_contact("holder@example.com", badge="secret-7")
    known = portal.add_contact("known@example.com")
    report = tmp_path / "report.jsonl"

    run = run_people(
        run_target,
        person("known@example.com", company="secret-7"),
        person("fine@example.com", company="secret-8"),
        person("new@example.com", company="secret-7"),
        property_mappings=[{"field": "company", "property": "badge"}],
        report_path=str(report),
        audience_status_property=True,
    )

    assert run.exit_code == 0
    assert portal.member_emails("VIP") == {"known@example.com", "fine@example.com", "new@example.com"}
    assert portal.contact("fine@example.com").properties == {"badge": "secret-8", "vip": "realized"}
    assert portal.contact(known).properties == {"vip": "realized"}
    assert portal.contact("new@example.com").properties == {"vip": "realized"}
    told = members(report)
    assert {name: told[name]["property_reason"] for name in told} == {
        "known@example.com": "refused_by_hubspot",
        "new@example.com": "refused_by_hubspot",
        "fine@example.com": None,
    }
    assert told["known@example.com"]["property_correlation_id"]
    assert "secret" not in report.read_text() + run.log


@pytest.mark.parametrize("honours_trace_ids", [True, False])
def test_a_new_contact_is_created_without_the_value_of_a_property_that_somebody_archives_meanwhile(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, *, honours_trace_ids: bool
) -> None:
    portal.quirks.honours_trace_ids = honours_trace_ids
    create = "/crm/objects/2026-03/contacts/batch/create"
    hubspot.faults.call("POST", create, lambda: portal.archive_property("plan"))

    run = run_people(
        run_target,
        person("ada@example.com", plan="pro"),
        person("bob@example.com"),
        audience_status_property=True,
    )

    assert run.exit_code == 0
    assert portal.member_emails("VIP") == {"ada@example.com", "bob@example.com"}
    assert portal.contact("ada@example.com").properties == {"vip": "realized"}
    assert portal.contact("bob@example.com").properties == {"vip": "realized"}
    assert 'Properties rejected, not the memberships: 1 refused_by_hubspot of "plan".' in run.log


def test_a_value_that_does_not_fit_costs_no_audience_status(portal: Portal, run_target: TargetRunner) -> None:
    ada = portal.add_contact("ada@example.com", plan="free")

    run = run_people(run_target, person("ada@example.com", plan="gold"), audience_status_property=True)

    assert run.exit_code == 0
    assert portal.contact(ada).properties == {"plan": "free", "vip": "realized"}
    assert row(run.log, "VIP")["properties_rejected"] == "1"
    assert row(run.log, "VIP")["properties_updated"] == "0"


def test_an_address_that_hubspot_refuses_is_not_created_again_without_attributes(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    run = run_people(run_target, person("typo@example.con", plan="pro"))

    assert row(run.log, "VIP")["rejected"] == "1"
    assert row(run.log, "VIP").get("properties_rejected", "0") == "0"
    assert hubspot.calls(path_contains="batch/create") == 1
    assert portal.emails() == set()


def test_a_contact_that_is_not_there_is_missing_and_nothing_else(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact()

    run = run_people(run_target, person(ada, plan="pro"), person(123, plan="pro"))

    assert run.exit_code == 0
    told = row(run.log, "VIP")
    assert (told["missing"], told["added"]) == ("1", "1")
    assert (told["properties_updated"], told["properties_rejected"]) == ("1", "0")


def test_an_update_that_hubspot_refuses_for_everybody_ends_the_run(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    body = {"category": "VALIDATION_ERROR", "message": "pro was not one of the allowed options: [secret-9]"}
    headers = {"x-hubspot-correlation-id": ""}
    hubspot.faults.next("POST", "batch/update", times=None, status=400, body=body, headers=headers)
    everybody = portal.add_contacts(120)

    run = run_people(run_target, *(person(each, plan="pro") for each in everybody))

    assert run.exit_code == 1
    assert (
        "refused the properties of 100 contacts one by one and took none (400 VALIDATION_ERROR): check"
        in run.error
    )
    assert "secret-9" not in run.log
    assert portal.members("VIP") == set()


# Before anything is written


def test_a_sensitive_property_is_found_and_written(portal: Portal, run_target: TargetRunner) -> None:
    portal.add_property("diagnosis", sensitivity="sensitive")
    portal.add_property("passport", sensitivity="highly_sensitive")
    kinds = ("sensitive", "highly_sensitive")
    scopes = ALL_SCOPES | {f"crm.objects.contacts.{kind}.write.v2" for kind in kinds}
    ada = portal.add_contact()
    mappings = [{"field": "plan", "property": "diagnosis"}, {"field": "seats", "property": "passport"}]

    with HubSpotEmulator(portal, tokens={"pat-test": scopes}) as hubspot:
        where = {"api_url": hubspot.url, "access_token": hubspot.token}
        run = run_people(run_target, person(ada, plan="x", seats="y"), property_mappings=mappings, **where)

    assert run.exit_code == 0
    assert portal.contact(ada).properties["diagnosis"] == "x"
    assert portal.contact(ada).properties["passport"] == "y"


def test_a_token_that_may_not_write_a_sensitive_property_is_told_the_scope(
    portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_property("diagnosis", sensitivity="sensitive")
    ada = portal.add_contact()

    run = run_people(
        run_target, person(ada, plan="x"), property_mappings=[{"field": "plan", "property": "diagnosis"}]
    )

    assert run.exit_code == 1
    assert "crm.objects.contacts.sensitive.write.v2" in run.error


def test_a_token_that_is_revoked_while_properties_are_read_ends_the_run(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    hubspot.faults.next("GET", "dataSensitivity=sensitive", status=401)
    mappings = [{"field": "plan", "property": "diagnosis"}]

    run = run_people(run_target, person(portal.add_contact(), plan="x"), property_mappings=mappings)

    assert run.exit_code == 1
    assert "401 INVALID_AUTHENTICATION" in run.error
    assert "does not exist" not in run.error
    assert portal.list_names() == set()


@pytest.mark.parametrize("status", [400, 403])
def test_where_hubspot_does_not_list_sensitive_properties_the_log_says_so(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, status: int
) -> None:
    ada = portal.add_contact()
    hubspot.faults.next("GET", "dataSensitivity=", times=2, status=status)

    run = run_people(
        run_target, person(ada, plan="x"), property_mappings=[{"field": "plan", "property": "diagnosis"}]
    )

    assert run.error == 'property_mappings[] cannot be written: "diagnosis" does not exist.'
    assert "Properties of the kind sensitive are not known: " in run.log


def test_properties_that_cannot_be_written_end_the_run_before_any_write(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_property("old_plan")
    portal.properties.archive("old_plan")
    ada = portal.add_contact()
    names = ["Job title", "seets", "createdate", "num_associated_deals", "old_plan", "zzz", "seats"]

    run = run_people(
        run_target,
        person(ada, plan="pro"),
        property_mappings=[{"field": "plan", "property": name} for name in names],
    )

    assert run.exit_code == 1
    assert run.error == (
        'property_mappings[] cannot be written: "Job title" does not exist (the nearest is "jobtitle"); '
        '"seets" does not exist (the nearest is "seats"); "createdate" is read-only; '
        '"num_associated_deals" is calculated by HubSpot; "old_plan" is archived (restore it in HubSpot); '
        '"zzz" does not exist.'
    )
    assert portal.list_names() == set()
    assert hubspot.calls("PUT") == 0


def test_the_connection_check_judges_the_mapped_properties(
    portal: Portal, run_target: TargetRunner, hubspot: HubSpotEmulator
) -> None:
    run = run_target(schema_message("contact_id", "plan"), property_mappings=PLAN)
    assert run.exit_code == 0
    assert hubspot.calls("GET", "/properties/") == 1

    run = run_target(property_mappings=[{"field": "plan", "property": "plam"}])
    assert run.exit_code == 1
    assert 'nearest is "plan"' in run.error
    assert portal.list_names() == set()


def test_a_mapped_field_that_no_column_has_ends_the_run_naming_the_nearest(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact()

    run = run_people(run_target, person(ada), property_mappings=[{"field": "plam", "property": "plan"}])

    assert run.exit_code == 1
    assert 'has no column "plam"' in run.error
    assert 'The nearest is "plan". Name one of them in property_mappings[].field.' in run.error
    assert portal.list_names() == set()


@pytest.mark.parametrize(
    ("mappings", "problem"),
    [
        ([*PLAN, {"field": "seats", "property": "plan"}], 'names the property "plan" twice'),
        ([{"field": "plan", "property": "email"}], "by which contacts are found"),
        ([{"field": " ", "property": "plan"}], "lacks its field or its property"),
        ([{"field": "plan"}], "property_mappings[0] lacks property."),
    ],
)
def test_mappings_that_make_no_sense_are_refused_as_settings(
    hubspot: HubSpotEmulator, run_target: TargetRunner, mappings: list[dict[str, str]], problem: str
) -> None:
    run = run_target(property_mappings=mappings, match_by="email")

    assert run.exit_code == 1
    assert problem in run.error
    assert hubspot.calls() == 0


# Order, faults and dry runs


def test_properties_are_written_before_the_membership(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact()
    seen: list[dict[str, str]] = []
    hubspot.faults.call("PUT", "add-and-remove", lambda: seen.append(portal.contact(ada).properties))

    run_people(run_target, person(ada, plan="pro"), audience_status_property=True)

    assert seen == [{"plan": "pro", "vip": "realized"}]


@pytest.mark.parametrize("path", ["batch/read", "batch/create", "batch/update", "add-and-remove"])
@pytest.mark.parametrize("kind", ["refuse", "accept_then_drop"])
def test_a_run_that_fails_in_between_is_mended_by_the_next(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, path: str, kind: str
) -> None:
    portal.add_contact("ada@example.com", plan="free")
    records = [person("ada@example.com", plan="pro"), person("new@example.com", plan="pro")]
    if kind == "accept_then_drop":
        hubspot.faults.accept_then_drop("*", path)
    hubspot.faults.next("*", path, status=500, times=1)

    first = run_people(run_target, *records, audience_status_property=True)
    second = run_people(run_target, *records, audience_status_property=True)

    assert (first.exit_code, second.exit_code) == (1, 0)
    for email in ("ada@example.com", "new@example.com"):
        assert portal.contact(email).properties == {"plan": "pro", "vip": "realized"}
    assert portal.member_emails("VIP") == {"ada@example.com", "new@example.com"}


def test_a_dry_run_writes_no_property_and_says_what_would_change(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact("ada@example.com", plan="free")

    run = run_people(
        run_target,
        person("ada@example.com", plan="pro"),
        person("new@example.com", plan="gold"),
        person("other@example.com", plan="free"),
        audience_status_property=True,
        dry_run=True,
    )

    assert run.exit_code == 0
    assert portal.contact(ada).properties == {"plan": "free"}
    assert [each.name for each in portal.properties.custom] == ["plan", "seats"]
    told = row(run.log, "VIP")
    assert (told["properties_updated"], told["properties_rejected"]) == ("2", "1")
    assert "1 contact property to be made." in run.log
    assert hubspot.calls("POST", "/properties/") == 0
    assert hubspot.calls("POST", "batch/update") == 0
