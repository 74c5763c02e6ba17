"""Members with several identifiers: tried in order, one contact is one member, and created only after all of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.report_page.lines import MemberLine, parse
from target_hubspot_lists.report_page.members_table import masked
from tests.factories import record_message, schema_message, state_message
from tests.target_hubspot_lists import mirrors
from tests.target_hubspot_lists.inputs import ADD_AND_REMOVE, calls_of
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

BY_NUMBER: dict[str, Any] = {"match_by": "property", "match_property": "customer_id"}
BY_EMAIL: dict[str, Any] = {"match_by": "email"}
BY_ID: dict[str, Any] = {"match_by": "contact_id"}
NUMBER_THEN_EMAIL = BY_NUMBER | {"match_fallbacks": [BY_EMAIL]}
COLUMNS = ("customer_id", "email", "contact_id")
BATCH_READ = "/contacts/batch/read"
SECONDS_PER_DAY = 86_400


@pytest.fixture(autouse=True)
def _properties(portal: Portal) -> None:
    portal.add_property("customer_id", unique=True)


def person(
    customer_id: Any = None,
    email: Any = None,
    contact_id: Any = None,
    operation: str = "add",
    cohort: str = "VIP",
    **more: Any,
) -> str:
    return record_message(
        customer_id=customer_id,
        email=email,
        contact_id=contact_id,
        operation=operation,
        cohort_name=cohort,
        **more,
    )


def people(*records: str, columns: tuple[str, ...] = ()) -> list[str]:
    return [schema_message(*COLUMNS, "cohort_name", "operation", *columns), *records]


def snapshot(*members: tuple[Any, ...], size: int | None = None, cohort: str = "VIP") -> list[str]:
    records = [
        record_message(
            **dict(zip(COLUMNS, (*each, None, None)[:3], strict=True)),
            cohort_name=cohort,
            cohort_size=len(members) if size is None else size,
        )
        for each in members
    ]
    return [schema_message(*COLUMNS, "cohort_name", "cohort_size"), *records]


def mirror(run_target: TargetRunner, *messages: str, **config: Any) -> Run:
    return mirrors.mirror(run_target, *messages, **NUMBER_THEN_EMAIL | config)


def lines(path: Path, kind: str = "member") -> dict[str, dict[str, Any]]:
    of_kind = [each for text in path.read_text().splitlines() if (each := json.loads(text))["kind"] == kind]
    return {each.get("member", kind): each for each in of_kind}


# In order


def test_a_member_is_found_by_the_first_identifier_that_hubspot_knows(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    ada = portal.add_contact("ada@example.com", customer_id="A-1")
    bob, eve = portal.add_contact("bob@example.com"), portal.add_contact("eve@example.com")
    portal.add_contact("other@example.com")
    report = tmp_path / "report.jsonl"
    messages = people(
        person("A-1", "other@example.com"),  # the first that is known counts
        person("A-2", "Bob@Example.com"),
        person(None, "eve@example.com"),
        person(" ", "new@example.com"),
        person("A-3", None),
        person("A-4", "nobody", operation="remove"),
        person(True, "", operation="add"),
    )

    run = run_target(*messages, report_path=str(report), report_members="all", **NUMBER_THEN_EMAIL)

    assert run.exit_code == 0
    new = portal.contact("new@example.com").record_id
    assert portal.members("VIP") == {ada, bob, eve, new}
    assert "Members found by: customer_id 1, email 3." in run.log
    told = {name: (each["outcome"], each["identifier"]) for name, each in lines(report).items()}
    assert told == {
        "A-1": ("added", "customer_id"),
        "bob@example.com": ("added", "email"),
        "eve@example.com": ("added", "email"),
        "new@example.com": ("added", "email"),
        "A-3": ("missing", None),
        "A-4": ("missing", None),
        "True": ("rejected", None),
    }
    assert lines(report, "run")["run"]["found_by"] == {"customer_id": 1, "email": 3}


@pytest.mark.parametrize(
    ("main", "fallback", "member"),
    [
        (BY_EMAIL, BY_NUMBER, ("A-1", "gone@example.com", None)),
        (BY_ID, BY_NUMBER, ("A-1", None, "999")),
        (BY_NUMBER, BY_ID, ("A-9", None, "ada")),
        (BY_EMAIL, BY_ID, (None, "gone@example.com", "ada")),
        (BY_ID, BY_EMAIL, (None, "ada@example.com", 999)),
        (BY_ID, BY_EMAIL, (None, "ada@example.com", "no id")),
    ],
)
def test_any_identifier_can_be_the_fallback_of_any_other(
    portal: Portal,
    run_target: TargetRunner,
    main: dict[str, Any],
    fallback: dict[str, Any],
    member: tuple[Any, ...],
) -> None:
    ada = portal.add_contact("ada@example.com", customer_id="A-1")
    named = [ada if each == "ada" else each for each in member]

    run = run_target(*people(person(*named)), **main | {"match_fallbacks": [fallback]}, create_contacts=False)

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}


def test_two_columns_of_addresses_are_two_identifiers(portal: Portal, run_target: TargetRunner) -> None:
    ada, bob = portal.add_contact("ada@example.com"), portal.add_contact("bob@home.example.com")
    records = [
        person(email="ada@example.com", home="ada@home.example.com"),
        person(email="bob@example.com", home="bob@home.example.com"),
        person(email="eve@example.com", home="eve@home.example.com"),
    ]
    fallbacks = [BY_EMAIL | {"match_field": "home"}]

    run = run_target(*people(*records, columns=("home",)), match_fallbacks=fallbacks, **BY_EMAIL)

    # Who is new is created by the first of them.
    assert portal.members("VIP") == {ada, bob, portal.contact("eve@example.com").record_id}
    assert portal.find_contact("eve@home.example.com") is None
    assert "Members found by: email 2, email (home) 1." in run.log


def test_a_retired_record_id_finds_the_contact_that_it_became(
    portal: Portal, run_target: TargetRunner
) -> None:
    old, other = portal.add_contact("ada@example.com"), portal.add_contact("ada@work.example.com")
    now = portal.merge(old, other)

    run_target(*people(person(None, None, old)), match_fallbacks=[BY_NUMBER], **BY_ID)

    assert portal.members("VIP") == {now}


def test_one_contact_is_one_member_and_the_later_record_wins_whichever_identifier_found_it(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact("ada@example.com", customer_id="A-1")
    bob = portal.add_contact("bob@example.com", customer_id="A-2")
    portal.add_list("VIP", members=[ada])

    run = run_target(
        *people(
            person("A-1", None),
            person(None, "bob@example.com", operation="remove"),
            person(None, "ada@example.com", operation="remove"),
            person("A-2", "other@example.com"),
        ),
        **NUMBER_THEN_EMAIL,
    )

    assert run.exit_code == 0
    assert portal.members("VIP") == {bob}
    assert row(run.log, "VIP")["asked"] == "2"


# Created


@pytest.mark.parametrize("name", [("A-1", None), (None, "ada@example.com")])
def test_a_removal_by_one_identifier_of_a_contact_that_the_same_batch_creates_is_the_last_word(
    portal: Portal, run_target: TargetRunner, name: tuple[str | None, str | None]
) -> None:
    bob = portal.add_contact("bob@example.com")

    run = run_target(
        *people(
            person(None, "bob@example.com"),
            person("A-1", "ada@example.com"),
            person(*name, operation="remove"),
        ),
        **NUMBER_THEN_EMAIL,
    )

    assert run.exit_code == 0
    assert portal.members("VIP") == {bob}


def test_one_address_of_two_members_makes_one_contact_with_what_the_later_record_says(
    portal: Portal, run_target: TargetRunner
) -> None:
    messages = people(
        person("A-1", "new@example.com", plan="pro"),
        person("A-2", "new@example.com", plan="free"),
        person("A-1", "new@example.com", plan="team", cohort="Beta"),
        columns=("plan",),
    )
    mappings = [{"field": "plan", "property": "company"}]

    run = run_target(*messages, property_mappings=mappings, **NUMBER_THEN_EMAIL)

    assert run.exit_code == 0
    new = portal.contact("new@example.com")
    assert portal.members("VIP") == portal.members("Beta") == {new.record_id}
    assert new.properties["company"] == "team"
    assert row(run.log, "VIP")["asked"] == "1"
    assert "1 contact created" in run.log


def test_a_property_that_is_an_identifier_can_be_written_so_that_it_finds_the_contact_from_then_on(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact("ada@example.com")
    mappings = [{"field": "customer_id", "property": "customer_id"}]
    messages = people(person("A-1", "ada@example.com"), person("A-2", "new@example.com"))

    first = run_target(*messages, property_mappings=mappings, **NUMBER_THEN_EMAIL)
    again = run_target(*messages, property_mappings=mappings, **NUMBER_THEN_EMAIL)

    assert "Members found by: customer_id 0, email 2." in first.log
    assert "Members found by: customer_id 2, email 0." in again.log
    assert portal.contact(ada).properties["customer_id"] == "A-1"
    assert portal.contact("new@example.com").properties["customer_id"] == "A-2"


def test_nobody_is_created_by_anything_but_an_address_or_for_a_removal(
    portal: Portal, run_target: TargetRunner
) -> None:
    run = run_target(
        *people(person("A-1", None), person("A-2", "ada@example.com", operation="remove")),
        **NUMBER_THEN_EMAIL,
    )

    assert portal.emails() == set()
    assert row(run.log, "VIP")["missing"] == "2"


def test_a_contact_that_came_to_be_meanwhile_is_found(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    hubspot.faults.call(
        "POST", "/contacts/batch/create", lambda: portal.add_contact("new@example.com") and None
    )

    run = run_target(*people(person("A-1", "new@example.com")), **NUMBER_THEN_EMAIL)

    assert run.exit_code == 0
    assert portal.members("VIP") == {portal.contact("new@example.com").record_id}
    assert "contact created" not in run.log


def test_an_address_that_no_contact_can_have_costs_its_own_member(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"

    run_target(
        *people(person("A-1", "no-tld@example"), person("A-2", "new@example.com")),
        report_path=str(report),
        **NUMBER_THEN_EMAIL,
    )

    assert portal.member_emails("VIP") == {"new@example.com"}
    assert lines(report)["A-1"]["reason"] == "invalid_email"


def test_a_dry_run_says_who_would_be_found_and_created(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_contact("ada@example.com")

    run = run_target(
        *people(person("A-1", "ada@example.com"), person("A-2", "new@example.com"), person("A-3")),
        dry_run=True,
        **NUMBER_THEN_EMAIL,
    )

    assert row(run.log, "VIP").items() >= {("added", "2"), ("missing", "1")}
    assert "1 contact to be created" in run.log
    assert portal.emails() == {"ada@example.com"}
    assert hubspot.calls("PUT") == 0


# Refused, and not answered


def test_a_value_that_hubspot_refuses_to_look_up_creates_nobody_and_costs_its_own_member(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    ada = portal.add_contact("ada@example.com")
    bob = portal.add_contact(customer_id="A-1")
    portal.quirks.refused_look_ups = {"bad", "worse"}
    report = tmp_path / "report.jsonl"

    run = run_target(
        *people(
            person("A-1"), person("bad", "ada@example.com"), person("worse", "new@example.com"), person("A-2")
        ),
        report_path=str(report),
        **NUMBER_THEN_EMAIL,
    )

    assert portal.members("VIP") == {ada, bob}
    assert portal.find_contact("new@example.com") is None
    assert lines(report)["worse"]["reason"] == "refused_by_hubspot"
    assert "worse" not in run.log


def test_a_value_that_is_left_out_twice_ends_the_run_before_the_next_identifier_is_tried(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_contact("ada@example.com", customer_id="A-1")
    portal.quirks.omitted_inputs["a-1"] = 2

    run = run_target(*people(person("A-1", "new@example.com")), state_message({"n": 1}), **NUMBER_THEN_EMAIL)

    assert run.exit_code == 1
    assert run.states == []
    assert portal.find_contact("new@example.com") is None
    assert hubspot.calls(path_contains=BATCH_READ) == 2


# What it costs


def test_each_identifier_is_looked_up_only_for_those_whom_the_ones_before_did_not_find(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    for number in range(150):
        portal.add_contact(customer_id=f"A-{number}")
    for number in range(150, 260):
        portal.add_contact(f"p{number}@example.com")
    records = [person(f"A-{number}", f"p{number}@example.com") for number in range(270)]

    run = run_target(*people(*records), **NUMBER_THEN_EMAIL)

    assert run.exit_code == 0
    assert len(portal.members("VIP")) == 270
    assert hubspot.calls(path_contains=BATCH_READ) == 3 + 2  # of 270, then of the 120 who are left
    assert hubspot.calls(path_contains="/contacts/batch/create") == 1


# Settings


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (BY_EMAIL | {"match_fallbacks": [BY_EMAIL]}, 'repeats the identifier email in the column "email"'),
        (
            BY_NUMBER | {"match_fallbacks": [BY_EMAIL, BY_NUMBER]},
            'repeats the identifier customer_id in the column "customer_id"',
        ),
        (
            BY_EMAIL | {"match_fallbacks": [{"match_by": "property"}]},
            "match_fallbacks[].match_property does not say",
        ),
        (
            BY_EMAIL | {"match_fallbacks": [{"match_by": "contact_id", "match_property": "customer_id"}]},
            "match_fallbacks[].match_property is set",
        ),
        (BY_EMAIL | {"match_fallbacks": [{"match_by": "phone"}]}, "match_fallbacks"),
        (BY_EMAIL | {"match_fallbacks": [{"match_field": "id"}]}, "match_by"),
        (
            NUMBER_THEN_EMAIL | {"property_mappings": [{"field": "email", "property": "email"}]},
            'names the property "email", by which contacts are found',
        ),
        (BY_EMAIL | {"match_fallbacks": [BY_NUMBER | {"match_field": "id"}]}, 'no column "id"'),
        (
            BY_EMAIL | {"match_fallbacks": [{"match_by": "property", "match_property": "company"}]},
            "unique values",
        ),
    ],
)
def test_fallbacks_that_cannot_be_used_end_the_run_before_anything_is_written(
    hubspot: HubSpotEmulator, run_target: TargetRunner, config: dict[str, Any], told: str
) -> None:
    run = run_target(*people(person("A-1", "ada@example.com")), **config)

    assert run.exit_code == 1
    assert told in run.error
    assert not [each for each in hubspot.requests if each.method == "PUT" or "create" in each.path]


# With a ledger


def test_identifiers_that_the_ledger_knows_are_not_looked_up_again(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    ada = portal.add_contact(customer_id="A-1")
    bob = portal.add_contact("bob@example.com")
    settings = NUMBER_THEN_EMAIL | {"ledger_url": ledger_url}
    messages = people(person("A-1", "ada@example.com"), person(None, "bob@example.com"))
    run_target(*messages, **settings)
    calls_of(hubspot)

    run = run_target(*messages, **settings)

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada, bob}
    calls = calls_of(hubspot)
    assert not any(BATCH_READ in each or ADD_AND_REMOVE in each for each in calls)
    assert "Members found by: customer_id 1, email 1." in run.log


def test_a_number_that_hubspot_learns_later_comes_before_the_address_that_the_ledger_knows(
    portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    old = portal.add_contact("ada@example.com")
    settings = NUMBER_THEN_EMAIL | {"ledger_url": ledger_url}
    run_target(*people(person("A-1", "ada@example.com")), **settings)
    new = portal.add_contact(customer_id="A-1")

    run_target(*people(person("A-1", "ada@example.com", cohort="Beta")), **settings)

    assert portal.members("VIP") == {old}
    assert portal.members("Beta") == {new}


def test_a_remembered_contact_that_is_gone_is_looked_up_by_every_identifier_once_more(
    portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    gone = portal.add_contact("ada@example.com", customer_id="A-1")
    settings = NUMBER_THEN_EMAIL | {"ledger_url": ledger_url}
    run_target(*people(person("A-1", "ada@example.com")), **settings)
    portal.delete_contact(gone)
    heir = portal.add_contact("ada@example.com")

    run = run_target(*people(person("A-1", "ada@example.com", cohort="Beta")), **settings)

    assert run.exit_code == 0
    assert portal.members("Beta") == {heir}


@pytest.mark.parametrize("named", [("A-1", None), (None, "ada@example.com"), ("A-1", "ada@example.com")])
def test_somebody_whom_no_identifier_finds_any_more_is_removed_by_the_record_that_the_ledger_knows(
    portal: Portal, run_target: TargetRunner, ledger_url: str, named: tuple[str | None, str | None]
) -> None:
    portal.add_contact("ada@example.com", customer_id="A-1")
    settings = NUMBER_THEN_EMAIL | {"ledger_url": ledger_url}
    run_target(*people(person("A-1"), person(None, "ada@example.com")), **settings)
    portal.update_contact("ada@example.com", email="new@example.com", customer_id="B-1")
    run_target.clock.sleep(8 * SECONDS_PER_DAY)

    run = run_target(*people(person(*named, operation="remove")), **settings)

    assert run.exit_code == 0
    assert portal.members("VIP") == set()


# A mirror


@pytest.mark.parametrize("ledger", [False, True])
def test_a_mirror_makes_the_list_the_cohort_whichever_identifier_finds_its_members(
    portal: Portal, run_target: TargetRunner, ledger_url: str, tmp_path: Path, *, ledger: bool
) -> None:
    ada = portal.add_contact("ada@example.com", customer_id="A-1")
    bob, eve = portal.add_contact("bob@example.com"), portal.add_contact("eve@example.com")
    portal.add_list("c_VIP", members=[bob, eve])
    report = tmp_path / "report.jsonl"
    settings = {"ledger_url": ledger_url} if ledger else {}
    settings |= {"report_path": str(report), "report_members": "all"}
    members = [("A-1", None), ("A-2", "bob@example.com"), ("A-3", "new@example.com"), ("A-4",)]

    run = mirror(run_target, *snapshot(*members), **settings)
    report_of_first = lines(report)
    again = mirror(run_target, *snapshot(*members), **settings)

    assert run.exit_code == again.exit_code == 0
    assert portal.members("c_VIP") == {ada, bob, portal.contact("new@example.com").record_id}
    told = {name: (each["outcome"], each["identifier"]) for name, each in report_of_first.items()}
    assert told == {
        "A-1": ("added", "customer_id"),
        "bob@example.com": ("already_member", "email"),
        "new@example.com": ("added", "email"),
        "A-4": ("missing", None),
        eve: ("removed", None),
    }
    assert "Members found by: customer_id 1, email 2." in run.log
    assert "Members found by: customer_id 1, email 2." in again.log


def test_members_of_a_mirror_are_distinct_by_their_identifiers_as_they_come(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact("ada@example.com", customer_id="A-1")
    portal.add_list("c_VIP", members=[portal.add_contact("bob@example.com")])

    run = mirror(run_target, *snapshot(("A-1", None), ("A-1", "ada@example.com"), ("A-1", None), size=2))

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {ada}
    assert row(run.log, "c_VIP")["added"] == "1"


def test_a_row_of_a_mirror_is_unusable_only_if_all_its_identifiers_are(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact("ada@example.com")
    others = [portal.add_contact(f"p{number}@example.com") for number in range(3)]
    portal.add_list("c_VIP", members=[ada, *others])
    usable = [(True, "ada@example.com")]

    held_back = mirror(run_target, *snapshot(*usable, ("", "no address"), size=1), max_removal_percent=99)
    assert held_back.exit_code == 1
    assert portal.members("c_VIP") == {ada, *others}

    run = mirror(run_target, *snapshot(*usable), max_removal_percent=99)
    assert run.exit_code == 0
    assert portal.members("c_VIP") == {ada}


def test_a_mirror_whose_member_joins_by_one_identifier_and_leaves_by_another_follows_the_later_record(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact("ada@example.com", customer_id="A-1")
    bob = portal.add_contact("bob@example.com")
    portal.add_list("c_VIP", members=[ada])
    messages = people(
        person("A-1"), person("A-2", "bob@example.com"), person(None, "ada@example.com", operation="remove")
    )

    run = mirror(run_target, *messages, snapshot_end="end_of_input")

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {bob}


def test_a_page_shows_a_record_id_and_masks_a_number_of_somebody_who_was_found_by_record_id(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    report, ada = tmp_path / "report.jsonl", portal.add_contact()
    fallbacks = BY_NUMBER | {"match_fallbacks": [BY_ID]}

    run_target(*people(person("4711", None, ada)), report_path=str(report), report_members="all", **fallbacks)

    [text] = [each for each in report.read_text().splitlines() if '"kind":"member"' in each]
    told = parse(json.loads(text))
    assert isinstance(told, MemberLine)
    assert (told.member, told.identifier) == (ada, "contact_id")
    assert masked(told) == ada
    assert "4711" not in text


@pytest.mark.parametrize("name", ["report.jsonl", "report.csv"])
def test_a_report_shows_one_identifier_of_a_member(
    run_target: TargetRunner, tmp_path: Path, name: str
) -> None:
    report = tmp_path / name

    run_target(
        *people(person(None, "=1@example.com"), person("A-1")), report_path=str(report), **NUMBER_THEN_EMAIL
    )

    text = report.read_text()
    assert "A-1" in text
    assert "[" not in text.replace('"property_problems":[', "")


# One person by several new addresses

WORK_THEN_HOME = BY_EMAIL | {"match_field": "work", "match_fallbacks": [BY_EMAIL | {"match_field": "home"}]}
A, B, C = (f"{name}@example.com" for name in "abc")
Addresses = tuple[str | None, str | None]


def at_work_and_home(*rows: Addresses, **more: Any) -> list[str]:
    records = [record_message(work=work, home=home, cohort_name="VIP", **more) for work, home in rows]
    return [schema_message("work", "home", "cohort_name", *more), *records]


@pytest.mark.parametrize("config", [{}, {"sync_mode": "mirror"}], ids=["incremental", "mirror"])
@pytest.mark.parametrize(
    ("rows", "created"),
    [
        ([(A, B), (None, B)], {A}),
        ([(None, B), (A, B)], {B}),
        ([(A, B), (B, A)], {A}),
        ([(A, None), (C, None), (A, B), (B, C)], {A}),
        ([("no-tld@example", B), (A, B)], {A}),
        ([(A, None), (B, None)], {A, B}),
    ],
    ids=[
        "one alone later",
        "one alone first",
        "swapped",
        "through others",
        "one that is none",
        "two persons",
    ],
)
def test_who_shares_an_address_is_one_person_and_one_contact_by_the_first_address(
    portal: Portal,
    run_target: TargetRunner,
    rows: list[Addresses],
    created: set[str],
    config: dict[str, Any],
) -> None:
    settings = {**WORK_THEN_HOME, "list_name_prefix": "c_", "snapshot_end": "end_of_input"} | config
    messages = at_work_and_home(*rows)

    foretold = run_target(*messages, **settings, dry_run=True)
    assert portal.emails() == set()
    run = run_target(*messages, **settings)

    assert run.exit_code == foretold.exit_code == 0
    assert portal.emails() == portal.member_emails("c_VIP") == created
    contacts = f"{len(created)} contact{'s' if len(created) > 1 else ''}"
    assert f"{contacts} created" in run.log
    assert f"{contacts} to be created" in foretold.log
    assert row(run.log, "c_VIP")["added"] == row(foretold.log, "c_VIP")["added"] == str(len(created))


def test_a_number_shared_by_two_new_addresses_makes_one_contact_with_what_the_last_record_says(
    portal: Portal, run_target: TargetRunner
) -> None:
    mappings = [{"field": "plan", "property": "company"}, {"field": "customer_id", "property": "customer_id"}]
    messages = people(
        person("A-1", B, plan="pro"), person("A-1", A, plan="team"), person("A-1", None), columns=("plan",)
    )

    mirror(run_target, *messages, property_mappings=mappings[:1], snapshot_end="end_of_input", dry_run=True)
    run = mirror(run_target, *messages[:3], property_mappings=mappings, snapshot_end="end_of_input")

    assert run.exit_code == 0
    assert portal.emails() == {B}
    assert portal.contact(B).properties.items() >= {("company", "team"), ("customer_id", "A-1")}


def test_who_shares_an_address_with_somebody_who_was_found_is_that_contact(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact(A)

    run = run_target(*at_work_and_home((A, B), (None, B), (B, C)), **WORK_THEN_HOME)

    assert portal.emails() == {A}
    assert portal.members("VIP") == {ada}
    assert row(run.log, "VIP")["added"] == "1"


def test_a_shared_address_does_not_make_another_customer_number_the_contact_that_was_found(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact("old@example.com", customer_id="A-1")

    run_target(*people(person("A-1", A), person("A-2", A)), **NUMBER_THEN_EMAIL)

    assert portal.members("VIP") == {ada, portal.contact(A).record_id}


def test_a_person_whose_attributes_hubspot_refuses_is_created_without_them_for_all_members(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    portal.add_property("plan", "enumeration", "select", options=["free", "pro"])
    hubspot.faults.call("POST", "/contacts/batch/create", lambda: portal.archive_property("plan"))
    report = tmp_path / "report.jsonl"

    run = run_target(
        *at_work_and_home((A, B), (None, B), plan="pro"),
        **WORK_THEN_HOME,
        property_mappings=[{"field": "plan", "property": "plan"}],
        report_path=str(report),
    )

    assert run.exit_code == 0
    assert portal.emails() == portal.member_emails("VIP") == {A}
    assert "plan" not in portal.contact(A).properties
    assert 'Properties rejected, not the memberships: 1 refused_by_hubspot of "plan".' in run.log
    assert {each["property_reason"] for each in lines(report).values()} == {"refused_by_hubspot"}


def test_an_address_of_a_contact_that_only_the_ledger_still_names_is_a_new_contacts(
    portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    ada = portal.add_contact(A, customer_id="A-1")
    settings = NUMBER_THEN_EMAIL | {"ledger_url": ledger_url}
    run_target(*people(person("A-1", A)), **settings)
    portal.update_contact(ada, email=B, customer_id="B-1")
    run_target.clock.sleep(8 * SECONDS_PER_DAY)

    run = run_target(*people(person("A-1", A, operation="remove"), person("A-2", A)), **settings)

    assert run.exit_code == 0
    assert portal.members("VIP") == {portal.contact(A).record_id}
    assert portal.contact(A).record_id != ada


def test_a_removal_by_the_other_address_of_a_new_person_is_about_the_same_contact(
    portal: Portal, run_target: TargetRunner
) -> None:
    schema = schema_message("work", "home", "cohort_name", "operation")
    add = record_message(work=A, home=B, cohort_name="VIP", operation="add")
    remove = record_message(work=B, home=None, cohort_name="VIP", operation="remove")
    status = {"audience_status_property": True}

    run_target(schema, remove, **WORK_THEN_HOME)
    assert portal.emails() == set()
    run_target(schema, add, remove, **WORK_THEN_HOME, **status)

    assert portal.emails() == {A}
    assert portal.contact(A).properties["vip"] == "exited"
    assert not portal.members("VIP")


def test_a_snapshot_too_long_to_be_looked_up_at_once_makes_one_contact_of_one_person(
    portal: Portal, run_target: TargetRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_hubspot_lists.mirror.comparison.ROWS_AT_ONCE", 3)
    others: list[Addresses] = [(f"p{number}@example.com", None) for number in range(10)]
    settings = {**WORK_THEN_HOME, "sync_mode": "mirror", "snapshot_end": "end_of_input"}

    run = run_target(
        *at_work_and_home((A, None), *others[:5], (C, None), *others[5:], (B, C), (A, B)), **settings
    )

    assert run.exit_code == 0
    assert portal.emails() == {A} | {each for each, _ in others}


def test_many_addresses_of_one_new_person_are_told(portal: Portal, run_target: TargetRunner) -> None:
    rows: list[Addresses] = [(f"p{number}@example.com", "nobody@example.com") for number in range(12)]

    run = run_target(*at_work_and_home(*rows), **WORK_THEN_HOME)

    assert portal.emails() == {"p0@example.com"}
    assert "12 different addresses" in run.log
    assert "p1@example.com" not in run.log
