"""HubSpot says yes in a form that it does not document: the run ends with a sentence, and nothing is concluded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import by_email, email_schema, membership, schema_message, state_message

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

ODD_BODIES = ["[]", "null", '"text"', "5"]
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


@pytest.mark.parametrize("body", [*ODD_BODIES, {"portalId": "many"}], ids=str)
def test_odd_account_details_leave_the_portal_unknown_and_the_run_goes_on(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, body: object
) -> None:
    (ada,) = portal.add_contacts(1)
    hubspot.faults.next("GET", "/details", status=200, body=body)

    run = run_target(schema_message(), membership("VIP", ada))

    assert run.exit_code == 0
    assert "HubSpot does not say which portal this is" in run.log
    assert portal.members("VIP") == {ada}
