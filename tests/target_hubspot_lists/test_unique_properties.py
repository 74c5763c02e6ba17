"""Members by the value of a unique property: found, missing or refused, each on its own; remembered as others are."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from target_hubspot_lists.hubspot.spellings import answered_as
from target_hubspot_lists.ledger.command import main
from target_hubspot_lists.report_page.members_table import masked, masked_message
from tests.factories import record_message, schema_message, state_message
from tests.target_hubspot_lists import mirrors
from tests.target_hubspot_lists.inputs import ADD_AND_REMOVE, calls_of
from tests.target_hubspot_lists.logs import row
from tests.target_hubspot_lists.report_page.test_wording import line
from tests.target_hubspot_lists.test_portal import check

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal
    from tests.hubspot_emulator.answers import Answer

BY_NUMBER: dict[str, Any] = {"match_by": "property", "match_property": "customer_id"}
BATCH_READ = "/contacts/batch/read"
SECONDS_PER_DAY = 86_400


@pytest.fixture(autouse=True)
def _properties(portal: Portal) -> None:
    portal.add_property("customer_id", unique=True)


def customers(
    values: Iterable[object], operation: str = "add", cohort: str = "VIP", column: str = "customer_id"
) -> list[str]:
    records: list[dict[str, Any]] = [
        {column: value, "cohort_name": cohort, "operation": operation} for value in values
    ]
    return [
        schema_message(column, "cohort_name", "operation"),
        *(record_message(**each) for each in records),
    ]


def snapshot(values: list[object], cohort: str = "VIP") -> list[str]:
    records = (
        record_message(customer_id=each, cohort_name=cohort, cohort_size=len(values)) for each in values
    )
    return [schema_message("customer_id", "cohort_name", "cohort_size"), *records]


def mirror(run_target: TargetRunner, *messages: str, **config: Any) -> Run:
    return mirrors.mirror(run_target, *messages, **BY_NUMBER | config)


def lines(path: Path, kind: str = "member") -> list[dict[str, Any]]:
    return [each for text in path.read_text().splitlines() if (each := json.loads(text))["kind"] == kind]


# Found or missing


def test_members_are_found_by_their_value_and_nobody_is_created(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    ada, bob = portal.add_contact(customer_id="A-1"), portal.add_contact(customer_id="17")
    portal.add_list("VIP", members=[bob])
    messages = [*customers(["A-1", " A-9 "]), *customers([17], "remove"), state_message({"n": 1})]

    run = run_target(*messages, report_path=str(tmp_path / "report.jsonl"), **BY_NUMBER)

    assert run.exit_code == 0
    assert run.states == [{"n": 1}]
    assert portal.members("VIP") == {ada}
    assert portal.find_contact("A-9") is None
    assert row(run.log, "VIP").items() >= {("added", "1"), ("removed", "1"), ("missing", "1")}
    [missing] = lines(tmp_path / "report.jsonl")
    assert (missing["member"], missing["outcome"], missing["record_id"]) == ("A-9", "missing", None)


def test_the_column_can_have_another_name(portal: Portal, run_target: TargetRunner) -> None:
    ada = portal.add_contact(customer_id="A-1")

    run_target(*customers(["A-1"], column="id"), match_field="id", **BY_NUMBER)

    assert portal.members("VIP") == {ada}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "missing_member"),
        ("  ", "missing_member"),
        (True, "invalid_member"),
        (["A-1"], "invalid_member"),
        ("A\0001", "invalid_member"),
        ("A" * 501, "invalid_member"),
        (1e17, "invalid_member"),
        (math.nan, "missing_member"),
    ],
)
def test_a_value_that_names_nobody_costs_its_own_record(
    portal: Portal, run_target: TargetRunner, value: object, reason: str
) -> None:
    ada = portal.add_contact(customer_id="A-1")

    run = run_target(*customers([value, "A-1"]), **BY_NUMBER)

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}
    assert f"Rejected: 1 {reason}." in run.log


@pytest.mark.parametrize("value", ["A-1", 17, 17.0, 1.5])
def test_numbers_are_found_as_texts(portal: Portal, run_target: TargetRunner, value: Any) -> None:
    ada = portal.add_contact(customer_id=str(value).removesuffix(".0"))

    run_target(*customers([value]), **BY_NUMBER)

    assert portal.members("VIP") == {ada}


def test_values_are_found_a_hundred_a_call(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    everybody = {portal.add_contact(customer_id=f"A-{number}") for number in range(201)}

    run_target(*customers([f"A-{number}" for number in range(201)]), **BY_NUMBER)

    assert portal.members("VIP") == everybody
    assert hubspot.calls(path_contains=BATCH_READ) == 3


def test_values_that_hubspot_spells_another_way_are_one_member_and_the_later_record_wins(
    portal: Portal, run_target: TargetRunner
) -> None:
    portal.quirks.unique_values_ignore_case = True
    ada, bob = portal.add_contact(customer_id="Ab-1"), portal.add_contact(customer_id="cd-2")

    run = run_target(*customers(["AB-1", "CD-2", "xy-3"]), *customers(["ab-1"], "remove"), **BY_NUMBER)

    assert portal.members("VIP") == {bob}
    assert ada not in portal.members("VIP")
    assert row(run.log, "VIP")["asked"] == "3"


def test_values_that_differ_in_case_are_two_people_where_hubspot_says_so(
    portal: Portal, run_target: TargetRunner
) -> None:
    upper, lower = portal.add_contact(customer_id="AB"), portal.add_contact(customer_id="ab")

    run = run_target(*customers(["AB", "ab", "aB"]), **BY_NUMBER)

    assert portal.members("VIP") == {upper, lower}
    assert row(run.log, "VIP")["missing"] == "1"


@pytest.mark.parametrize(
    ("asked", "answered", "said"),
    [
        (["A"], [{"A"}], {"A": "A"}),
        (["A"], [{"a"}], {"A": "a"}),
        (["A", "a"], [{"A"}], {"A": "A"}),
        (["aB", "Ab"], [{"AB"}], {"aB": "AB", "Ab": "AB"}),
        (["A"], [{"a", "Ä"}], {"A": "a"}),
        (["ab"], [{"AB", "Ab"}], {}),
        (["1.0", "2"], [{"1", "2"}], {"1.0": "1", "2": "2"}),
        (["007"], [{"7"}], {"007": "7"}),
        (["007", "7"], [{"7"}], {"7": "7"}),
        (["nan"], [{"NaN"}], {"nan": "NaN"}),
        (["A", "B"], [{"a"}, {"B"}], {"A": "a", "B": "B"}),
        (["A", "a"], [{"a"}, {"A"}], {"A": "A", "a": "a"}),
        (["1e999999999"], [{"2"}], {}),
    ],
)
def test_an_answer_is_told_by_its_value(
    asked: list[str], answered: list[set[str]], said: dict[str, str]
) -> None:
    assert answered_as(asked, *answered) == said


# What HubSpot does not say


def test_a_value_that_is_neither_answered_nor_called_unknown_is_asked_for_once_more(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contact(customer_id="A-1"), portal.add_contact(customer_id="A-2")
    portal.quirks.omitted_inputs["a-1"] = 1

    run = run_target(*customers(["A-1", "A-2"]), **BY_NUMBER)

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada, bob}
    assert hubspot.calls(path_contains=BATCH_READ) == 2


def test_a_value_that_is_left_out_twice_ends_the_run_and_is_not_shown(
    portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_contact(customer_id="A-1")
    portal.quirks.omitted_inputs["a-1"] = 2

    run = run_target(*customers(["A-1"]), state_message({"n": 1}), **BY_NUMBER)

    assert run.exit_code == 1
    assert run.states == []
    assert "asked twice for a contact by customer_id" in run.error
    assert "A-1" not in run.log


def test_a_value_for_whose_sake_a_batch_is_refused_costs_its_own_member(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    everybody = {portal.add_contact(customer_id=f"A-{number}") for number in range(8)}
    portal.quirks.refused_look_ups = {"bad"}
    messages = customers([*(f"A-{number}" for number in range(8)), "bad"])

    run = run_target(*messages, report_path=str(tmp_path / "report.jsonl"), **BY_NUMBER)

    assert portal.members("VIP") == everybody
    [bad] = lines(tmp_path / "report.jsonl")
    assert (bad["member"], bad["outcome"], bad["reason"]) == ("bad", "rejected", "refused_by_hubspot")
    assert "bad" not in run.log


def test_a_property_by_which_every_look_up_is_refused_ends_the_run(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_contact(customer_id="A-1")
    hubspot.faults.next("POST", BATCH_READ, status=400, times=None)

    run = run_target(*customers(["A-1", "A-2"]), **BY_NUMBER)

    assert run.exit_code == 1
    assert hubspot.calls("PUT") == 0
    assert "answered 400" in run.error


# The portal's property


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("customer_idd", '"customer_idd" does not exist (the nearest is "customer_id")'),
        ("company", '"company" does not have unique values'),
        ("passport", '"passport" holds sensitive data'),
        ("old_id", '"old_id" does not exist'),
    ],
)
def test_a_property_that_does_not_tell_people_apart_ends_the_run_naming_those_that_do(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, wanted: str, told: str
) -> None:
    portal.add_property("passport", unique=True, sensitivity="sensitive")
    portal.add_property("old_id", unique=True)
    portal.archive_property("old_id")

    run = run_target(*customers(["A-1"], column=wanted), match_by="property", match_property=wanted)

    assert run.exit_code == 1
    assert told in run.error
    assert "those that can be named are: customer_id." in run.error
    assert not portal.list_names()
    assert hubspot.calls("PUT") == 0


def leave_out_uniqueness(hubspot: HubSpotEmulator) -> None:
    """Let HubSpot not say of any property whether its values are unique, which its schema allows."""

    def without(answer: Answer) -> Answer:
        body: Any = answer.body
        left = [{name: each[name] for name in each if name != "hasUniqueValue"} for each in body["results"]]
        return replace(answer, body={**body, "results": left})

    hubspot.faults.change("GET", "/crm/properties/2026-03/contacts", without, times=None)


def test_a_property_of_which_hubspot_does_not_say_whether_it_is_unique_is_tried(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, caplog: pytest.LogCaptureFixture
) -> None:
    ada = portal.add_contact(customer_id="A-1")
    leave_out_uniqueness(hubspot)

    run = run_target(*customers(["A-1"]), **BY_NUMBER)
    other = run_target(*customers(["x"], column="company"), match_by="property", match_property="company")
    exit_code, log = check(hubspot, caplog, **BY_NUMBER)

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}
    assert other.exit_code == 1
    assert "answered 400" in other.error
    assert exit_code == 0
    assert "customer_id: it is there; HubSpot does not say whether its values are unique." in log


def test_the_check_says_whether_the_property_tells_people_apart(
    hubspot: HubSpotEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    exit_code, log = check(hubspot, caplog, **BY_NUMBER)
    assert exit_code == 0
    assert "Matched by the contact property customer_id: it is there, and has unique values." in log

    exit_code, log = check(hubspot, caplog, match_by="property", match_property="company")
    assert exit_code == 1
    assert '"company" does not have unique values' in log


def test_where_no_property_has_unique_values_the_run_says_how_to_make_one(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.archive_property("customer_id")

    run = run_target(*customers(["A-1"]), **BY_NUMBER)

    assert run.exit_code == 1
    assert "the portal has no contact property with unique values" in run.error
    assert hubspot.calls("PUT") == 0


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"match_by": "property"}, "match_property does not say which"),
        ({"match_by": "email", "match_property": "customer_id"}, "set match_by: property"),
        ({"match_by": "property", "match_property": "email"}, "set match_by: email"),
        ({"match_by": "property", "match_property": "hs_object_id"}, "set match_by: contact_id"),
        (
            {**BY_NUMBER, "property_mappings": [{"field": "customer_id", "property": "customer_id"}]},
            'names the property "customer_id", by which contacts are found',
        ),
    ],
)
def test_settings_that_do_not_fit_together_end_the_run_before_any_call(
    hubspot: HubSpotEmulator, run_target: TargetRunner, config: dict[str, Any], told: str
) -> None:
    run = run_target(*customers(["A-1"]), **config)

    assert run.exit_code == 1
    assert told in run.error
    assert hubspot.calls() == 0


def test_a_column_that_is_not_there_ends_the_run(hubspot: HubSpotEmulator, run_target: TargetRunner) -> None:
    run = run_target(*customers(["A-1"], column="customer_number"), **BY_NUMBER)

    assert run.exit_code == 1
    assert 'no column "customer_id"' in run.error
    assert 'The nearest is "customer_number"' in run.error
    assert hubspot.calls("PUT") == 0


# What a ledger remembers


def test_a_remembered_value_is_not_looked_up_again_for_seven_days(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    ada, bob = portal.add_contact(customer_id="A-1"), portal.add_contact(customer_id="a-1")
    settings = BY_NUMBER | {"ledger_url": ledger_url}
    run_target(*customers(["A-1"]), **settings)
    calls_of(hubspot)

    run_target(*customers(["A-1"], cohort="Beta"), **settings)
    assert not any(BATCH_READ in call for call in calls_of(hubspot))
    run_target(*customers(["a-1"], cohort="Beta"), **settings)  # another person
    assert any(BATCH_READ in call for call in calls_of(hubspot))
    run_target.clock.sleep(7.1 * SECONDS_PER_DAY)
    run_target(*customers(["A-1"], cohort="Gamma"), **settings)

    assert any(BATCH_READ in call for call in calls_of(hubspot))
    assert portal.members("Beta") == {ada, bob}
    assert portal.members("Gamma") == {ada}


def test_the_same_value_of_another_property_is_another_person(
    portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    portal.add_property("member_no", unique=True)
    ada, bob = portal.add_contact(customer_id="1"), portal.add_contact(member_no="1")
    run_target(*customers(["1"]), ledger_url=ledger_url, **BY_NUMBER)

    run_target(
        *customers(["1"], cohort="Beta", column="member_no"),
        ledger_url=ledger_url,
        match_by="property",
        match_property="member_no",
    )

    assert portal.members("VIP") == {ada}
    assert portal.members("Beta") == {bob}


@pytest.mark.parametrize("by", [{"match_by": "email"}, BY_NUMBER])
def test_somebody_whom_hubspot_no_longer_finds_is_removed_by_the_record_that_the_ledger_knows(
    portal: Portal, run_target: TargetRunner, ledger_url: str, by: dict[str, Any]
) -> None:
    portal.add_contact("ada@example.com", customer_id="A-1")
    column, value = ("email", "ada@example.com") if by["match_by"] == "email" else ("customer_id", "A-1")
    settings = by | {"ledger_url": ledger_url, "create_contacts": False}
    run_target(*customers([value], column=column), **settings)
    assert len(portal.members("VIP")) == 1
    portal.update_contact("ada@example.com", email="new@example.com", customer_id="A-2")
    run_target.clock.sleep(8 * SECONDS_PER_DAY)

    run = run_target(*customers([value], "remove", column=column), **settings)

    assert run.exit_code == 0
    assert portal.members("VIP") == set()
    assert row(run.log, "VIP")["removed"] == "1"
    # Who is to join is somebody whom HubSpot does not know.
    again = run_target(*customers([value], column=column), **settings)
    assert row(again.log, "VIP")["missing"] == "1"
    assert portal.members("VIP") == set()


def test_a_remembered_contact_that_is_gone_is_looked_up_once_more(
    portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    gone = portal.add_contact(customer_id="A-1")
    run_target(*customers(["A-1"]), ledger_url=ledger_url, **BY_NUMBER)
    portal.delete_contact(gone)
    heir = portal.add_contact(customer_id="A-1")

    run = run_target(*customers(["A-1"], cohort="Beta"), ledger_url=ledger_url, **BY_NUMBER)

    assert run.exit_code == 0
    assert portal.members("Beta") == {heir}


def test_reconciling_looks_up_the_values_of_this_runs_property_and_addresses(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    portal.add_property("member_no", unique=True)
    portal.add_contact("ada@example.com", customer_id="A-1", member_no="1")
    settings = {"ledger_url": ledger_url}
    run_target(
        *customers(["1"], column="member_no"), match_by="property", match_property="member_no", **settings
    )
    run_target(*customers(["ada@example.com"], column="email"), match_by="email", **settings)
    run_target(*customers(["A-1"]), **settings, **BY_NUMBER)
    portal.archive_property("member_no")  # what another pipeline matched by is nothing to this one
    hubspot.requests.clear()

    run = run_target(*customers(["A-1"]), reconcile=True, **settings, **BY_NUMBER)

    assert run.exit_code == 0
    assert hubspot.calls(path_contains=BATCH_READ) == 2


def test_a_person_is_forgotten_by_the_value_of_a_property(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    portal.add_contact("ada@example.com", customer_id="A-1")
    run_target(*customers(["A-1"]), ledger_url=sqlite_url, **BY_NUMBER)
    run_target(*customers(["ada@example.com"], column="email"), ledger_url=sqlite_url, match_by="email")
    environment = {"TARGET_HUBSPOT_LISTS_LEDGER_URL": sqlite_url}
    forget = ["forget", "--portal-id", str(portal.portal_id), "--property", "customer_id"]

    other = CliRunner().invoke(main, [*forget, "a-1"], env=environment)
    done = CliRunner().invoke(main, [*forget, "A-1"], env=environment)
    again = CliRunner().invoke(main, [*forget, "A-1"], env=environment)

    assert "knows nothing of this person" in other.output
    assert "addresses and other identifiers 2, list memberships 1" in done.output
    assert "knows nothing of this person" in again.output


def test_a_dry_run_finds_and_writes_nothing(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_contact(customer_id="A-1")

    run = run_target(*customers(["A-1", "A-2"]), dry_run=True, **BY_NUMBER)

    assert row(run.log, "VIP").items() >= {("added", "1"), ("missing", "1")}
    assert not portal.list_names()
    assert hubspot.calls("PUT") == 0


def test_attributes_of_members_by_property_are_written(portal: Portal, run_target: TargetRunner) -> None:
    ada = portal.add_contact(customer_id="A-1")
    schema = schema_message("customer_id", "cohort_name", "plan")
    record = record_message(customer_id="A-1", cohort_name="VIP", plan="pro")

    run_target(schema, record, property_mappings=[{"field": "plan", "property": "company"}], **BY_NUMBER)

    assert portal.contact(ada).properties["company"] == "pro"


# A mirror


@pytest.mark.parametrize("ledger", [False, True])
def test_a_mirror_makes_the_list_the_cohort(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, ledger_url: str, *, ledger: bool
) -> None:
    ada, bob, eve = (portal.add_contact(customer_id=f"A-{number}") for number in range(3))
    settings = {"ledger_url": ledger_url} if ledger else {}
    portal.add_list("c_VIP", members=[bob])

    first = mirror(run_target, *snapshot(["A-0", "A-2", "A-2", "A-9"]), **settings)
    proven = mirror(run_target, *snapshot(["A-0", "A-2", "A-9"]), **settings)
    calls_of(hubspot)
    again = mirror(run_target, *snapshot(["A-0", "A-2", "A-9"]), **settings)

    assert first.exit_code == 1  # of four rows only three are distinct members
    assert proven.exit_code == again.exit_code == 0
    assert portal.members("c_VIP") == {ada, eve}
    calls = calls_of(hubspot)
    assert not any(ADD_AND_REMOVE in call for call in calls)
    # With a ledger only the one whom HubSpot does not know is looked up again.
    assert sum(BATCH_READ in call for call in calls) >= 1
    assert row(again.log, "c_VIP")["missing"] == "1"


def test_a_mirror_with_a_ledger_looks_up_nobody_whom_it_knows(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    ada = portal.add_contact(customer_id="A-0")
    mirror(run_target, *snapshot(["A-0"]), ledger_url=ledger_url)
    calls_of(hubspot)

    run = mirror(run_target, *snapshot(["A-0"]), ledger_url=ledger_url)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {ada}
    assert not any(BATCH_READ in call for call in calls_of(hubspot))


def test_a_mirror_removes_nobody_for_a_value_that_hubspot_did_not_look_up(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contact(customer_id="A-0"), portal.add_contact(customer_id="A-1")
    portal.add_list("c_VIP", members=[bob])
    portal.quirks.refused_look_ups = {"A-1"}

    run = mirror(run_target, *snapshot(["A-0", "A-1"]))

    assert run.exit_code == 1
    assert "refused to look up 1 members" in run.error
    assert portal.members("c_VIP") == {ada, bob}


# What is shown


def test_a_page_masks_a_value_also_where_hubspots_words_quote_it() -> None:
    told = line(member="A-1017", message="Value A-1017 is refused", property_name="customer_id")

    assert masked(told) == "A•••"
    assert masked_message(told) == "Value A••• is refused"
