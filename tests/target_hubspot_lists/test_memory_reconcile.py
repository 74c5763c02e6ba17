"""Reconciling: what a list lost is put back, what it gained is taken over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.factories import membership, schema_message, state_message
from tests.target_hubspot_lists.inputs import ADD_AND_REMOVE, adds, calls_of, emails, snapshot
from tests.target_hubspot_lists.mirrors import SIZED, mirror, sized

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal


def test_reconciling_puts_back_whom_a_list_lost_and_takes_over_whom_it_gained(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str, tmp_path: Path
) -> None:
    contacts = list(portal.add_contacts(5))
    run_target(*adds(contacts[:4]), ledger_url=sqlite_url)
    portal.remove_members("VIP", contacts[0])
    portal.add_members("VIP", contacts[4])

    path = tmp_path / "report.jsonl"
    run = run_target(*adds(contacts[1:2]), ledger_url=sqlite_url, reconcile=True, report_path=str(path))

    assert portal.members("VIP") == set(contacts)
    assert 'List "VIP": 1 member of earlier runs put back' in run.log
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["put_back"] for line in lines if line["kind"] == "list"] == [1]
    calls_of(hubspot)
    run_target(*adds(contacts), ledger_url=sqlite_url)
    assert len(calls_of(hubspot)) == 2


def test_reconciling_a_mirror_removes_strangers(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(5))
    mirror(run_target, *snapshot(contacts[:4]), ledger_url=sqlite_url)
    portal.remove_members("c_VIP", contacts[0])
    portal.add_members("c_VIP", contacts[4])

    mirror(run_target, *snapshot(contacts[:4]), ledger_url=sqlite_url, reconcile=True)

    assert portal.members("c_VIP") == set(contacts[:4])


def test_reconciling_looks_addresses_up_again(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    portal.add_contact("ada@example.com")
    settings = {"ledger_url": sqlite_url, "match_by": "email"}
    run_target(*emails(["ada@example.com"]), **settings)
    run_target.clock.sleep(1)
    calls_of(hubspot)

    run_target(*emails(["ada@example.com"]), **settings, reconcile=True)

    assert len([call for call in calls_of(hubspot) if call.endswith("/contacts/batch/read")]) == 1


def test_whom_hubspot_left_open_when_putting_back_stays_unsettled(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(3))
    run_target(*adds(contacts), ledger_url=sqlite_url)
    portal.remove_members("VIP", contacts[0])
    # Somebody puts her back by hand between reading and writing.
    hubspot.faults.call("PUT", ADD_AND_REMOVE, lambda: portal.add_members("VIP", contacts[0]))
    run_target(*adds(contacts[1:2]), ledger_url=sqlite_url, reconcile=True)

    run_target(schema_message(), membership("VIP", contacts[0], "remove"), ledger_url=sqlite_url)

    assert portal.members("VIP") == set(contacts[1:])


def test_a_lost_member_whom_the_list_goes_on_calling_missing_is_put_back_by_a_later_run(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(3))
    run_target(*adds(contacts), ledger_url=sqlite_url)
    portal.remove_members("VIP", contacts[0])
    missing = {"recordIdsMissing": [contacts[0]]}
    hubspot.faults.next("PUT", ADD_AND_REMOVE, times=4, status=200, body=missing)

    run = run_target(*adds(contacts[1:2]), ledger_url=sqlite_url, reconcile=True)

    assert run.exit_code == 0
    assert 'List "VIP" (1): 1 members that the list has lost could not be put back' in run.log
    assert portal.members("VIP") == set(contacts[1:])
    assert hubspot.faults.pending == []
    again = run_target(*adds(contacts[1:2]), ledger_url=sqlite_url)
    assert portal.members("VIP") == set(contacts)
    assert 'List "VIP": 1 member of earlier runs put back' in again.log


def test_a_list_that_takes_no_lost_member_back_costs_its_own_cohort(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(4))
    both = [*snapshot(contacts[:3]), *sized(contacts[:2], 2, "A")]
    mirror(run_target, *both, ledger_url=sqlite_url)
    portal.remove_members("c_VIP", contacts[0])
    list_id = portal.hubspot_list("c_VIP").list_id
    body = {"status": "error", "category": "FORBIDDEN", "message": "Not now"}
    hubspot.faults.next("PUT", f"/{list_id}{ADD_AND_REMOVE}", status=403, body=body)

    incomplete = [SIZED, *sized(contacts[1:3], 3), *sized(contacts[:3], 3, "A")]
    run = mirror(run_target, *incomplete, state_message(1), ledger_url=sqlite_url, reconcile=True)

    assert (run.exit_code, run.states) == (1, [])
    assert portal.members("c_A") == set(contacts[:3])
    assert '[{"cohort": "VIP", "skip": true}]' in run.error
    again = mirror(run_target, *incomplete, ledger_url=sqlite_url, reconcile=True)
    assert "2 of 3 distinct members arrived" in again.error
    assert portal.members("c_VIP") == set(contacts[:3])
