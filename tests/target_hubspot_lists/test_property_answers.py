"""Updates of properties whose answer says nothing of a contact, or that there is none: asked once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import by_email, record_message, schema_message
from tests.hubspot_emulator import HubSpotEmulator
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import Portal

SILENCE = {"status": "COMPLETE", "results": []}
UPDATE = "/contacts/batch/update"
READ = "/contacts/batch/read"


@pytest.fixture(autouse=True)
def _properties(portal: Portal) -> None:
    portal.add_property("plan")


def run_people(run_target: TargetRunner, *members: str, **config: Any) -> Run:
    records = (
        record_message(contact_id=each, cohort_name="VIP", operation="add", plan=f"plan of {each}")
        for each in members
    )
    settings = {"property_mappings": [{"field": "plan", "property": "plan"}], **config}
    return run_target(schema_message("contact_id", "cohort_name", "operation", "plan"), *records, **settings)


def plan(portal: Portal, contact: str) -> str | None:
    return portal.contact(contact).properties.get("plan")


def silent_about(portal: Portal, hubspot: HubSpotEmulator, left_out: str, *, times: int | None = 1) -> None:
    """Answer updates as if they were made, and name everybody but one contact."""
    others = [{"id": each.record_id} for each in portal.contacts if each.record_id != left_out]
    body = {"status": "COMPLETE", "results": others}
    hubspot.faults.next("POST", UPDATE, times=times, status=200, body=body)


def test_a_contact_that_the_answer_leaves_out_is_written_again(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contacts(2)
    silent_about(portal, hubspot, ada)

    run = run_people(run_target, ada, bob)

    assert run.exit_code == 0
    assert plan(portal, ada) == f"plan of {ada}"
    assert row(run.log, "VIP")["properties_updated"] == "2"
    assert hubspot.calls("POST", READ) == 1
    assert hubspot.calls("POST", UPDATE) == 2


def test_a_merged_contact_that_the_answer_leaves_out_is_written_under_the_id_it_has_now(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contacts(2)
    merged = portal.merge(ada, bob)
    portal.quirks.follows_merged_ids = True
    hubspot.faults.next("POST", UPDATE, status=200, body=SILENCE)

    run = run_people(run_target, ada)

    assert run.exit_code == 0
    assert plan(portal, merged) == f"plan of {ada}"
    assert portal.members("VIP") == {merged}
    assert row(run.log, "VIP")["properties_updated"] == "1"


@pytest.mark.parametrize("is_left_out", [True, False])
@pytest.mark.parametrize("is_later", [True, False])
def test_of_two_contacts_that_are_merged_in_mid_run_the_later_record_is_written(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, *, is_later: bool, is_left_out: bool
) -> None:
    ada, bob = portal.add_contacts(2)
    members = (bob, ada) if is_later else (ada, bob)
    hubspot.faults.call("POST", UPDATE, lambda: portal.merge(bob, ada, keeps_primary_id=True))
    if is_left_out:
        hubspot.faults.next("POST", UPDATE, status=200, body=SILENCE)

    run = run_people(run_target, *members)

    assert run.exit_code == 0
    assert portal.members("VIP") == {bob}
    assert plan(portal, bob) == f"plan of {members[1]}"


def test_a_contact_left_out_twice_is_told_as_unanswered_and_not_as_refused(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contacts(2)
    silent_about(portal, hubspot, ada, times=None)

    run = run_people(run_target, ada, bob)

    assert portal.members("VIP") == {ada, bob}
    assert row(run.log, "VIP")["properties_rejected"] == "1"
    assert "Properties rejected, not the memberships: 1 unanswered." in run.log
    assert hubspot.calls("POST", UPDATE) == 2


def test_a_contact_left_out_that_is_nobodys_is_missing(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contacts(2)
    portal.delete_contact(bob)
    hubspot.faults.next("POST", UPDATE, status=200, body={"results": [{"id": ada}]})

    run = run_people(run_target, ada, bob)

    assert row(run.log, "VIP")["missing"] == "1"
    assert portal.members("VIP") == {ada}


def test_an_update_that_says_not_found_of_a_contact_that_is_there_is_made_again(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    hubspot.faults.next("POST", UPDATE, status=404)

    run = run_people(run_target, ada)

    assert run.exit_code == 0
    assert plan(portal, ada) == f"plan of {ada}"
    assert row(run.log, "VIP")["properties_updated"] == "1"


def test_an_update_that_says_not_found_again_and_again_is_rejected_and_not_lost_in_silence(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    hubspot.faults.next("POST", UPDATE, times=None, status=404)

    run = run_people(run_target, ada)

    assert portal.members("VIP") == {ada}
    assert "Properties rejected, not the memberships: 1 refused_by_hubspot." in run.log


def test_a_contact_that_is_nobodys_is_asked_for_once_and_missing(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_people(run_target, ada, "123")

    assert run.exit_code == 0
    assert (row(run.log, "VIP")["missing"], row(run.log, "VIP")["properties_rejected"]) == ("1", "0")
    assert hubspot.calls("POST", UPDATE) == 1


def test_statuses_of_a_contact_left_out_are_written_as_well(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact("ada@example.com")
    hubspot.faults.next("POST", UPDATE, status=200, body=SILENCE)

    run = run_target(
        schema_message("email", "cohort_name", "operation"),
        by_email("VIP", "ada@example.com"),
        match_by="email",
        audience_status_property=True,
    )

    assert run.exit_code == 0
    assert portal.contact(ada).properties == {"vip": "realized"}


@pytest.fixture
def hubspot_without_reading(portal: Portal) -> Iterator[HubSpotEmulator]:
    scopes = ["crm.lists.read", "crm.lists.write", "crm.objects.contacts.write", "crm.schemas.contacts.read"]
    with HubSpotEmulator(portal, tokens={"pat-na1-no-reading": scopes}) as hubspot:
        yield hubspot


def test_a_token_that_may_not_read_contacts_leaves_them_unanswered(
    hubspot_without_reading: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    hubspot = hubspot_without_reading
    (ada,) = portal.add_contacts(1)
    hubspot.faults.next("POST", UPDATE, status=200, body=SILENCE)

    run = run_people(run_target, ada, api_url=hubspot.url, access_token=hubspot.token)

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}
    assert "1 unanswered" in run.log
