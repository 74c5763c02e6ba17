"""With a ledger a run sends only differences: an unchanged cohort costs three calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import (
    membership,
    record_message,
    schema_message,
    state_message,
)
from tests.target_hubspot_lists.inputs import (
    ADD_AND_REMOVE,
    adds,
    calls_of,
    emails,
    snapshot,
)
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal


# An unchanged cohort


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_an_unchanged_cohort_by_id_costs_three_calls(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, ledger_url: str, mode: str
) -> None:
    contacts = list(portal.add_contacts(300))
    settings = {"ledger_url": ledger_url, "sync_mode": mode, "max_removal_percent": 100}
    first = run_target(*snapshot(contacts), **settings)
    calls_of(hubspot)

    run = run_target(*snapshot(contacts), state_message(1), **settings)

    assert (first.exit_code, run.exit_code) == (0, 0)
    assert hubspot.calls() == 3  # account details, the scopes of the token, the lists
    assert portal.members("VIP") == set(contacts)
    assert row(run.log, "VIP")["already"] == "300"
    assert run.states == [1]


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_an_unchanged_cohort_by_email_costs_three_calls(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, ledger_url: str, mode: str
) -> None:
    addresses = [f"contact{number}@example.com" for number in range(250)]
    portal.add_contacts(200)
    settings = {"ledger_url": ledger_url, "sync_mode": mode, "match_by": "email"}
    first = run_target(*emails(addresses), snapshot_end="end_of_input", **settings)
    calls_of(hubspot)

    run = run_target(*emails(addresses), snapshot_end="end_of_input", **settings)

    assert (first.exit_code, run.exit_code) == (0, 0)
    assert hubspot.calls() == 3  # account details, the scopes of the token, the lists
    assert portal.member_emails("VIP") == set(addresses)


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_a_difference_of_one_costs_one_more_call(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str, mode: str
) -> None:
    contacts = list(portal.add_contacts(30))
    settings = {"ledger_url": sqlite_url, "sync_mode": mode}
    run_target(*snapshot(contacts[:29]), **settings)
    calls_of(hubspot)

    run_target(*snapshot(contacts), **settings)

    changes = [request.inputs for request in hubspot.requests if ADD_AND_REMOVE in request.path]
    assert changes == [1]
    assert len(calls_of(hubspot)) == 3
    assert portal.members("VIP") == set(contacts)


def test_many_lists_are_confirmed_in_one_call(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    (contact,) = portal.add_contacts(1)
    messages = [schema_message(), *(membership(f"cohort {number}", contact) for number in range(40))]
    run_target(*messages, ledger_url=sqlite_url)
    calls_of(hubspot)

    run_target(*messages, ledger_url=sqlite_url)

    assert len(calls_of(hubspot)) == 2


def test_whoever_was_removed_is_known_to_be_off(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    removal = [schema_message(), membership("VIP", contacts[0], "remove")]
    run_target(*adds(contacts), ledger_url=sqlite_url)
    run_target(*removal, ledger_url=sqlite_url)
    calls_of(hubspot)

    run = run_target(*removal, ledger_url=sqlite_url)

    assert len(calls_of(hubspot)) == 2
    assert row(run.log, "VIP")["not on it"] == "1"
    assert portal.members("VIP") == {contacts[1]}


@pytest.mark.parametrize(
    "setting", [{"mirror_removes": "ours"}, {"empty_vanished_cohorts": True}, {"reconcile": True}]
)
def test_what_needs_a_ledger_says_so(run_target: TargetRunner, setting: dict[str, Any]) -> None:
    run = run_target(**setting)

    assert run.exit_code == 1
    assert "ledger_url" in run.error


# Properties


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_unchanged_properties_are_not_written_again(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, ledger_url: str, mode: str
) -> None:
    portal.add_property("plan")
    contacts = list(portal.add_contacts(3))
    settings: dict[str, Any] = {"ledger_url": ledger_url, "sync_mode": mode, "audience_status_property": True}
    settings |= {"property_mappings": [{"field": "plan", "property": "plan"}], "snapshot_end": "end_of_input"}

    def run(*plans: str) -> None:
        records = [
            record_message(contact_id=each, cohort_name="VIP", plan=plan)
            for each, plan in zip(contacts, plans, strict=True)
        ]
        done = run_target(schema_message("contact_id", "cohort_name", "plan"), *records, **settings)
        assert done.exit_code == 0

    run("free", "free", "pro")
    hubspot.requests.clear()
    run("free", "free", "pro")
    assert hubspot.calls("POST", "/contacts/batch/update") == 0
    run("free", "pro", "pro")
    updates = [each.inputs for each in hubspot.requests if each.path.endswith("/contacts/batch/update")]

    assert updates == [1]
    assert portal.contact(contacts[1]).properties["plan"] == "pro"
