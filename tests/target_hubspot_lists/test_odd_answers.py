"""HubSpot says yes in a form that it does not document: the run ends with a sentence, and nothing is concluded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import (
    by_email,
    email_schema,
    membership,
    record_message,
    schema_message,
    state_message,
)
from tests.hubspot_emulator.answers import Answer
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

ODD_BODIES = ["[]", "null", '"text"', "5"]
UNKNOWN = {
    "errors": [{"category": "OBJECT_NOT_FOUND", "message": "none", "context": {"ids": ["new@example.com"]}}]
}
ODD_LISTS: list[Any] = [
    {},
    {"list": None},
    {"list": []},
    {"list": {}},
    {"list": {"listId": None, "name": "VIP", "processingType": "MANUAL"}},
    {"list": {"listId": 7, "name": "VIP"}},
]


@pytest.mark.parametrize("body", [*ODD_BODIES, *ODD_LISTS], ids=str)
@pytest.mark.parametrize(("method", "path"), [("GET", "/name/"), ("POST", "/crm/lists/2026-03")])
def test_an_answer_about_a_list_that_names_none_makes_no_other(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, method: str, path: str, body: object
) -> None:
    (ada,) = portal.add_contacts(1)
    hubspot.faults.next(method, path, status=200, body=body)

    run = run_target(schema_message(), membership("VIP", ada), state_message({"bookmark": 1}))

    assert run.exit_code == 1
    assert "in a form that HubSpot does not document" in run.error
    assert run.states == []
    assert not portal.list_names()


@pytest.mark.parametrize("body", [*ODD_BODIES, {"recordsIdsAdded": 5}], ids=str)
def test_an_odd_answer_to_a_change_is_no_confirmation_and_the_report_says_how_far_it_got(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, tmp_path: Path, body: object
) -> None:
    (ada,) = portal.add_contacts(1)
    path = tmp_path / "report.jsonl"
    hubspot.faults.next("PUT", "/memberships/", status=200, body=body)

    run = run_target(
        schema_message(), membership("VIP", ada), state_message({"bookmark": 1}), report_path=str(path)
    )

    assert run.exit_code == 1
    assert run.states == []
    assert json.loads(path.read_text().splitlines()[-1])["not_settled"] == 1


@pytest.mark.parametrize(
    "body",
    [
        *ODD_BODIES,
        {"results": [None]},
        {"results": [{"id": None}]},
        {"results": [{"id": "x"}]},
        {"results": {"id": "1"}},
        {"errors": ["not found"]},
        {"errors": [{"category": "OBJECT_NOT_FOUND", "context": ["new@example.com"]}]},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/contacts/batch/read", "/contacts/batch/create"])
def test_an_odd_answer_about_contacts_is_neither_an_absence_nor_a_contact(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, path: str, body: object
) -> None:
    portal.add_list("VIP")
    hubspot.faults.next("POST", path, status=207, body=body)

    run = run_target(
        email_schema(), by_email("VIP", "new@example.com"), state_message({"n": 1}), match_by="email"
    )

    assert run.exit_code == 1
    assert "in a form that HubSpot does not document" in run.error
    assert "new@example.com" not in run.log
    assert run.states == []
    assert portal.members("VIP") == set()


@pytest.mark.parametrize(
    ("address", "context"),
    [
        ("ada@münchen.de", {"ids": ["ada@xn--mnchen-3ya.de"]}),
        ("e\u0301va@example.com", {"ids": ["\u00e9va@example.com"]}),
        ("new@example.com", {}),
    ],
)
def test_an_address_that_hubspot_spells_in_another_way_costs_one_member(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, address: str, context: dict[str, Any]
) -> None:
    """HubSpot says that it has none, under another name than it was asked for, or under none."""
    portal.add_contact("ada@example.com")

    def spelt(answer: Answer) -> Answer:
        body: Any = answer.body
        errors = [{**error, "context": context} for error in body.get("errors", ())]
        return Answer(answer.status, {**body, "errors": errors}, answer.headers)

    hubspot.faults.change("POST", "/contacts/batch/read", spelt, times=None)
    records = [by_email("VIP", "ada@example.com"), by_email("VIP", address)]

    run = run_target(
        email_schema(), *records, state_message({"s": 1}), match_by="email", create_contacts=False
    )

    assert (run.exit_code, run.states) == (0, [{"s": 1}])
    assert row(run.log, "VIP")["missing"] == "1"
    assert portal.member_emails("VIP") == {"ada@example.com"}


def test_a_record_id_of_which_hubspot_says_without_its_name_that_there_is_none_costs_one_member(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)

    def unnamed(answer: Answer) -> Answer:
        body: Any = answer.body
        return Answer(
            answer.status,
            {**body, "errors": [{**error, "context": {}} for error in body.get("errors", ())]},
            answer.headers,
        )

    hubspot.faults.change("POST", "/contacts/batch/read", unnamed, times=None)

    run = run_target(schema_message(), membership("VIP", ada), membership("VIP", 99_999))

    assert run.exit_code == 0
    assert row(run.log, "VIP")["missing"] == "1"
    assert portal.members("VIP") == {ada}


def test_an_answer_without_a_correlation_id_is_told_without_one(
    hubspot: HubSpotEmulator, run_target: TargetRunner
) -> None:
    nothing = Answer(201, {"status": "COMPLETE", "results": []}, {"x-hubspot-correlation-id": ""})
    hubspot.faults.change("POST", "/contacts/batch/create", lambda _: nothing, times=None)
    hubspot.faults.next("POST", "/contacts/batch/read", times=None, status=207, body=UNKNOWN)

    run = run_target(email_schema(), by_email("VIP", "new@example.com"), match_by="email")

    assert "asked twice to create a contact" in run.error
    assert "correlation id" not in run.error


@pytest.mark.parametrize("body", [*ODD_BODIES, {"results": [{}]}, {"results": [{"recordId": None}]}], ids=str)
def test_an_odd_answer_to_a_verification_calls_nobody_dropped(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, body: object
) -> None:
    (ada,) = portal.add_contacts(1)
    portal.add_list("VIP", members=[ada])
    hubspot.faults.next("POST", "/memberships/batch/read", status=200, body=body)

    run = run_target(schema_message(), membership("VIP", ada), verify_memberships=True)

    assert run.exit_code == 1
    assert "in a form that HubSpot does not document" in run.error


def test_record_ids_that_come_as_numbers_are_confirmations_as_well(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    contacts = list(portal.add_contacts(2))
    portal.add_list("VIP", members=contacts[1:])

    def as_numbers(answer: Answer) -> Answer:
        assert isinstance(answer.body, dict)
        numbers = {name: [*map(int, ids), None] for name, ids in answer.body.items()}
        return Answer(answer.status, numbers, answer.headers)

    hubspot.faults.change("PUT", "/memberships/add-and-remove", as_numbers)

    run = run_target(
        schema_message(),
        membership("VIP", contacts[0]),
        membership("VIP", contacts[1], "remove"),
        membership("VIP", "7"),
        state_message(1),
    )

    assert (run.exit_code, run.states) == (0, [1])
    figures = row(run.log, "VIP")
    assert (figures["added"], figures["removed"], figures["missing"]) == ("1", "1", "1")
    assert portal.members("VIP") == set(contacts[:1])


@pytest.mark.parametrize("body", [*ODD_BODIES, {"portalId": "many"}], ids=str)
def test_odd_account_details_leave_the_portal_unknown_and_the_run_goes_on(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, body: object
) -> None:
    (ada,) = portal.add_contacts(1)
    hubspot.tells_scopes = False
    hubspot.faults.next("GET", "/details", status=200, body=body)

    run = run_target(schema_message(), membership("VIP", ada))

    assert run.exit_code == 0
    assert "HubSpot does not say which portal the token belongs to" in run.log
    assert portal.members("VIP") == {ada}


def test_a_trace_id_that_is_no_text_names_nobody(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_list("VIP")
    ada = portal.add_contact("new@example.com")
    found = {"id": ada, "properties": {"email": "new@example.com"}, "objectWriteTraceId": {"odd": 1}}
    hubspot.faults.next("POST", "/contacts/batch/read", status=207, body=UNKNOWN)
    hubspot.faults.next("POST", "/contacts/batch/create", status=201, body={"results": [found]})

    run = run_target(email_schema(), by_email("VIP", "new@example.com"), match_by="email")

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}


@pytest.mark.parametrize("category", [None, "INTERNAL_ERROR"])
def test_a_look_up_that_only_says_that_it_failed_is_asked_again_and_rejects_nobody(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, category: str | None
) -> None:
    ada = portal.add_contact("ada@example.com")
    failed = {"category": category, "message": "It failed", "context": {"ids": ["ada@example.com"]}}
    hubspot.faults.next("POST", "/contacts/batch/read", status=207, body={"errors": [failed]})

    run = run_target(email_schema(), by_email("VIP", "ada@example.com"), match_by="email")

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}


PROPERTIES: dict[str, Any] = {
    "match_by": "email",
    "property_mappings": [{"field": "plan", "property": "plan"}],
    "audience_status_property": True,
}


def run_with_properties(run_target: TargetRunner, **config: Any) -> Run:
    record = record_message(email="ada@example.com", cohort_name="VIP", operation="add", plan="pro")
    return run_target(email_schema("plan"), record, state_message({"n": 1}), **(PROPERTIES | config))


@pytest.mark.parametrize(
    "body",
    [*ODD_BODIES, {"results": [None]}, {"results": [{"name": None, "id": "x", "options": [5]}]}],
    ids=str,
)
@pytest.mark.parametrize(
    ("method", "path", "policy"),
    [
        ("GET", "/properties/2026-03/contacts", "overwrite"),
        ("POST", "/properties/2026-03/contacts/batch/create", "overwrite"),
        ("POST", "/contacts/batch/read", "fill_empty"),
    ],
)
def test_an_odd_answer_about_properties_ends_the_run_before_the_membership(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    method: str,
    path: str,
    policy: str,
    body: object,
) -> None:
    portal.add_contact("ada@example.com")
    portal.add_property("plan")
    portal.add_list("VIP")
    hubspot.faults.next(method, path, status=200, body=body)

    run = run_with_properties(run_target, property_policy=policy)

    assert run.exit_code == 1
    assert "in a form that HubSpot does not document" in run.error
    assert run.states == []
    assert portal.members("VIP") == set()


@pytest.mark.parametrize("body", [*ODD_BODIES, {"results": [None]}, {"results": {"a": 1}}], ids=str)
def test_an_odd_answer_to_an_update_is_no_confirmation(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, body: object
) -> None:
    portal.add_contact("ada@example.com")
    portal.add_property("plan")
    hubspot.faults.next("POST", "/contacts/batch/update", status=200, body=body)

    run = run_with_properties(run_target)

    assert run.exit_code == 1
    assert "in a form that HubSpot does not document" in run.error
    assert run.states == []


@pytest.mark.parametrize(
    "body",
    [*ODD_BODIES, {"overallLimit": "many", "overallUsage": 1}, {"byObjectType": [None]}, {"byObjectType": 1}],
    ids=str,
)
def test_an_odd_answer_about_the_limit_of_properties_leaves_it_unknown(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, body: object
) -> None:
    ada = portal.add_contact("ada@example.com")
    portal.add_property("plan")
    hubspot.faults.next("GET", "/custom-properties", status=200, body=body)

    run = run_with_properties(run_target)

    assert run.exit_code == 0
    assert "HubSpot does not say how many custom properties there may be" in run.log
    assert portal.members("VIP") == {ada}


@pytest.mark.parametrize("limit", [1, "1"])
def test_the_limit_of_properties_counts_as_a_number_or_as_text(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, limit: object
) -> None:
    portal.add_property("plan")
    body = {"overallLimit": limit, "overallUsage": 1}
    hubspot.faults.next("GET", "/custom-properties", status=200, body=body)

    run = run_with_properties(run_target)

    assert run.exit_code == 1
    assert "the portal takes only 0 more" in run.error


@pytest.mark.parametrize("body", [*ODD_BODIES, {}, {"lists": None}, {"lists": [{}]}], ids=str)
def test_an_odd_answer_about_the_ledgers_lists_takes_none_for_deleted(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, tmp_path: Path, body: object
) -> None:
    ada, bob = portal.add_contacts(2)
    config = {"ledger_url": f"sqlite:///{tmp_path}/ledger.db"}
    run_target(schema_message(), membership("VIP", ada), **config)
    hubspot.faults.next("GET", "listIds=", status=200, body=body)

    run = run_target(schema_message(), membership("VIP", bob), **config)

    assert run.exit_code == 1
    assert "in a form that HubSpot does not document" in run.error
    assert portal.members("VIP") == {ada}
