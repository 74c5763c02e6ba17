"""Reconciling reads every list and address that the ledger knows, whether or not a record of the run names it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.ledger import Ledger
from tests.factories import email_schema, membership, record_message, schema_message, state_message
from tests.hubspot_emulator import HubSpotEmulator
from tests.target_hubspot_lists.inputs import adds, calls_of, emails, now, snapshot
from tests.target_hubspot_lists.logs import row
from tests.target_hubspot_lists.mirrors import SIZED, mirror

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import Portal

READ = "/contacts/batch/read"
ADA, BOB = "ada@example.com", "bob@example.com"
RECONCILE: dict[str, Any] = {"reconcile": True}
SECONDS_PER_DAY = 86_400
EMPTIES_VANISHED: dict[str, Any] = {"snapshot_end": "end_of_input", "empty_vanished_cohorts": True}


@pytest.fixture
def contacts(portal: Portal) -> list[str]:
    return list(portal.add_contacts(6))


def both(contacts: list[str], *cohorts: str) -> list[str]:
    return [line for cohort in cohorts for line in snapshot(contacts, cohort)]


# Single changes


def test_a_list_that_no_record_names_gets_back_whom_it_lost(
    portal: Portal, run_target: TargetRunner, ledger_url: str, contacts: list[str], tmp_path: Path
) -> None:
    run_target(*adds(contacts[:4], "A"), *adds(contacts[:4], "B")[1:], ledger_url=ledger_url)
    portal.remove_members("A", contacts[0])
    portal.remove_members("B", *contacts[:2])
    portal.add_members("B", contacts[5])
    path = tmp_path / "report.jsonl"

    run = run_target(
        *adds(contacts[3:4], "A"), state_message(1), ledger_url=ledger_url, report_path=str(path), **RECONCILE
    )

    assert (run.exit_code, run.states) == (0, [1])
    assert portal.members("A") == set(contacts[:4])
    assert portal.members("B") == {*contacts[:4], contacts[5]}
    assert 'List "A": 1 member of earlier runs put back' in run.log
    assert 'List "B": 2 members of earlier runs put back' in run.log
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert {line["list_name"]: line["put_back"] for line in lines if line["kind"] == "list"} == {
        "A": 1,
        "B": 2,
    }


def test_what_was_read_is_known_to_the_next_run(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    run_target(*adds(contacts[:4], "A"), *adds(contacts[:4], "B")[1:], ledger_url=sqlite_url)
    portal.remove_members("B", contacts[0])
    portal.add_members("B", contacts[5])
    run_target(*adds(contacts[:1], "A"), ledger_url=sqlite_url, **RECONCILE)
    calls_of(hubspot)

    run_target(*adds([*contacts[:4], contacts[5]], "B"), ledger_url=sqlite_url)

    assert len(calls_of(hubspot)) == 2


def test_an_input_without_records_reconciles_all_the_same(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    run_target(*adds(contacts, "A"), ledger_url=sqlite_url)
    portal.remove_members("A", contacts[0])

    run = run_target(schema_message(), ledger_url=sqlite_url, **RECONCILE)

    assert run.exit_code == 0
    assert portal.members("A") == set(contacts)


def test_who_left_is_not_put_back(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    run_target(*adds(contacts, "A"), *adds(contacts[:1], "B")[1:], ledger_url=sqlite_url)
    run_target(schema_message(), membership("A", contacts[0], "remove"), ledger_url=sqlite_url)

    run_target(*adds(contacts[:1], "B"), ledger_url=sqlite_url, **RECONCILE)

    assert portal.members("A") == set(contacts[1:])


def test_a_merged_contact_is_found_on_the_list_and_stays_whom_we_put_there(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    run_target(*adds(contacts[:3], "A"), *adds(contacts[5:], "B")[1:], ledger_url=sqlite_url)
    merged = portal.merge(contacts[0], contacts[1])

    run = run_target(*adds(contacts[5:], "B"), ledger_url=sqlite_url, **RECONCILE)
    ours = mirror(
        run_target,
        *snapshot(contacts[2:3], "A"),
        ledger_url=sqlite_url,
        list_name_prefix="",
        mirror_removes="ours",
    )

    assert (run.exit_code, ours.exit_code) == (0, 0)
    assert "put back" not in run.log
    assert merged not in portal.members("A")
    assert portal.members("A") == {contacts[2]}


def test_a_merged_contact_that_a_list_lost_is_put_back_under_the_id_it_has_now(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    run_target(*adds(contacts[:3], "A"), ledger_url=sqlite_url)
    merged = portal.merge(contacts[0], contacts[1])
    portal.remove_members("A", merged)

    run_target(schema_message(), ledger_url=sqlite_url, **RECONCILE)

    assert portal.members("A") == {merged, contacts[2]}


@pytest.mark.parametrize("is_known_before", [True, False])
def test_a_contact_that_a_list_lost_after_a_merge_that_its_address_told_is_put_back(
    portal: Portal, run_target: TargetRunner, ledger_url: str, *, is_known_before: bool
) -> None:
    ada, bob = (portal.add_contact(each) for each in (ADA, BOB))
    by_email = {"match_by": "email", "ledger_url": ledger_url}
    to_a, to_b = (record_message(email=ADA, cohort_name=each, operation="add") for each in "AB")
    run_target(email_schema(), to_a, to_b, **by_email)
    merged = portal.merge(ada, bob)
    if is_known_before:
        run_target(email_schema(), to_a, contact_cache_days=0, **by_email)
    portal.remove_members("B", merged)

    run = run_target(email_schema(), **by_email, **RECONCILE)

    assert portal.members("B") == {merged}
    assert 'List "B": 1 member of earlier runs put back' in run.log


def test_a_merged_contact_that_a_list_lost_and_the_source_removed_stays_off(
    portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    ada, bob = (portal.add_contact(each) for each in (ADA, BOB))
    by_email = {"match_by": "email", "ledger_url": ledger_url}
    changes = (record_message(email=each, cohort_name="A", operation="add") for each in (ADA, BOB))
    removal = record_message(email=BOB, cohort_name="A", operation="remove")
    run_target(email_schema(), *changes, **by_email)
    run_target(email_schema(), removal, **by_email)
    merged = portal.merge(ada, bob)
    portal.remove_members("A", merged)

    run_target(email_schema(), **by_email, **RECONCILE)

    assert portal.members("A") == set()


# Addresses


def test_every_address_is_looked_up_again_once(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    portal.add_contacts(150)
    addresses = [f"contact{number}@example.com" for number in range(150)]
    settings = {"ledger_url": ledger_url, "match_by": "email"}
    run_target(*emails(addresses, "A"), **settings)
    ada = addresses[0]
    portal.update_contact(ada, email="former@example.com")
    heir = portal.add_contact(ada)
    calls_of(hubspot)

    run_target(*emails(addresses[100:], "B"), **settings, **RECONCILE)

    assert len([call for call in calls_of(hubspot) if READ in call]) == 2
    run_target(*emails([ada], "B"), **settings)
    assert heir in portal.members("B")
    assert len([call for call in calls_of(hubspot) if READ in call]) == 0


def test_whose_contact_was_deleted_and_made_anew_is_put_back(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    ada = portal.add_contact("ada@example.com")
    bob = portal.add_contact("bob@example.com")
    settings = {"ledger_url": sqlite_url, "match_by": "email"}
    run_target(*emails(["ada@example.com", "bob@example.com"], "A"), **settings)
    portal.delete_contact(ada)
    heir = portal.add_contact("ada@example.com")

    run = run_target(*emails(["bob@example.com"], "B"), **settings, **RECONCILE)

    assert run.exit_code == 0
    assert portal.members("A") == {heir, bob}


def test_who_left_long_ago_is_not_looked_up_again_and_forgotten(
    portal: Portal, hubspot: HubSpotEmulator, run_target: TargetRunner, ledger_url: str
) -> None:
    portal.add_contact(ADA)
    by_email = {"match_by": "email", "ledger_url": ledger_url}
    run_target(*emails([ADA], "A"), **by_email)
    run_target(*emails([ADA], "A", "remove"), **by_email)
    looked_up = []
    for _ in range(8):  # every month
        run_target.clock.sleep(30 * SECONDS_PER_DAY)
        calls_of(hubspot)
        run_target(email_schema(), **by_email, **RECONCILE)
        looked_up.append(any(READ in each for each in calls_of(hubspot)))

    assert looked_up[0]
    assert not any(looked_up[4:])
    with Ledger.open(ledger_url, portal.portal_id, run_id="run-9", now=now) as ledger:
        assert ledger.people.record_ids([ADA]) == {}


def test_an_address_that_nobody_has_any_more_stays_known_for_its_removal(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    ada = portal.add_contact("ada@example.com")
    settings = {"ledger_url": sqlite_url, "match_by": "email", "create_contacts": False}
    run_target(*emails(["ada@example.com"], "A"), **settings)
    portal.update_contact(ada, email="lovelace@example.com")

    run = run_target(email_only(), **settings, **RECONCILE)
    removal = run_target(*emails(["ada@example.com"], "A", "remove"), **settings)

    assert (run.exit_code, removal.exit_code) == (0, 0)
    assert portal.members("A") == set()


def email_only() -> str:
    return schema_message("email", "cohort_name", "operation")


def test_a_token_that_may_not_read_contacts_reconciles_the_lists(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    portal.add_contact("ada@example.com")
    run_target(*emails(["ada@example.com"], "B"), match_by="email", ledger_url=sqlite_url)
    run_target(*adds(contacts, "A"), ledger_url=sqlite_url)
    portal.remove_members("A", contacts[0])
    scopes = {"oauth", "crm.lists.read", "crm.lists.write"}
    with HubSpotEmulator(portal, tokens={"pat-test": scopes}) as hubspot:
        run_target.hubspot = hubspot

        run = run_target(schema_message(), ledger_url=sqlite_url, **RECONCILE)

    assert run.exit_code == 0
    assert "The addresses that the ledger knows are not looked up again" in run.log
    assert portal.members("A") == set(contacts)


# Lists that cannot be read


def test_a_list_that_was_deleted_is_named_and_not_made_anew(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    run_target(*adds(contacts, "A"), *adds(contacts, "B")[1:], ledger_url=sqlite_url)
    list_id = portal.hubspot_list("B").list_id
    portal.rename_list("B", "Old")
    portal.delete_list("Old")

    run = run_target(*adds(contacts, "A"), ledger_url=sqlite_url, **RECONCILE)

    assert run.exit_code == 0
    assert f'List "B" ({list_id}) was deleted in HubSpot' in run.log
    assert portal.list_names() == {"A"}


@pytest.mark.parametrize("obstacle", ["held", "active"])
def test_a_list_that_another_run_holds_or_that_became_active_is_named_and_the_others_are_reconciled(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str], obstacle: str
) -> None:
    run_target(*(line for name in "ABC" for line in adds(contacts, name)), ledger_url=sqlite_url)
    for name in "ABC":
        portal.remove_members(name, contacts[0])
    asked = [*adds(contacts[1:2], "A"), state_message(1)]
    with Ledger.open(sqlite_url, portal.portal_id, run_id="other-run", now=now) as other:
        if obstacle == "held":
            with other.lock(["b"], sleep=run_target.clock.sleep):
                run = run_target(*asked, ledger_url=sqlite_url, **RECONCILE)
        else:
            portal.hubspot_list("B").processing_type = "DYNAMIC"
            run = run_target(*asked, ledger_url=sqlite_url, **RECONCILE)

    assert (run.exit_code, run.states) == (1, [1])
    assert "Not reconciled: List" in run.error
    assert ("other-run" if obstacle == "held" else "active list") in run.error
    assert portal.members("A") == portal.members("C") == set(contacts)
    assert portal.members("B") == set(contacts[1:])
    assert run_target.clock.elapsed == 0


# Mirrors


@pytest.mark.parametrize("became", ["active", "smaller"])
def test_a_list_whose_cohorts_are_left_out_is_not_reconciled(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str], became: str
) -> None:
    run_target(*adds(contacts[:2], "A"), *adds(contacts[:2], "B")[1:], ledger_url=sqlite_url)
    if became == "active":
        portal.hubspot_list("A").processing_type = "DYNAMIC"
    else:
        portal.remove_members("A", contacts[0])
    portal.remove_members("B", contacts[1])
    entry = {"cohort": "A", "skip": True}

    run = run_target(*adds(contacts[:1], "C"), ledger_url=sqlite_url, lists=[entry], **RECONCILE)

    assert run.exit_code == 0
    assert portal.members("A") == set(contacts[:2] if became == "active" else contacts[1:2])
    assert portal.members("B") == set(contacts[:2])


def test_a_list_that_one_cohort_fills_besides_the_one_left_out_is_reconciled(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    portal.add_list("Both")
    lists = [{"cohort": name, "list_name": "Both"} for name in ("A", "B")]
    run_target(*adds(contacts[:1], "A"), *adds(contacts[1:2], "B")[1:], ledger_url=sqlite_url, lists=lists)
    portal.remove_members("Both", contacts[1])

    for skipped in ("A", "B"):
        run_target(
            schema_message(),
            ledger_url=sqlite_url,
            lists=[{"cohort": skipped, "skip": True}, *(each for each in lists if each["cohort"] != skipped)],
            **RECONCILE,
        )

    assert portal.members("Both") == set(contacts[:2])


def test_a_mirror_puts_back_onto_lists_of_which_no_snapshot_came_and_removes_nobody_from_them(
    portal: Portal, run_target: TargetRunner, ledger_url: str, contacts: list[str]
) -> None:
    mirror(run_target, *both(contacts[:4], "A", "B"), ledger_url=ledger_url)
    for name in ("c_A", "c_B"):
        portal.remove_members(name, contacts[0])
        portal.add_members(name, contacts[5])

    run = mirror(run_target, *snapshot(contacts[:4], "A"), ledger_url=ledger_url, **RECONCILE)

    assert run.exit_code == 0
    assert portal.members("c_A") == set(contacts[:4])
    assert portal.members("c_B") == {*contacts[:4], contacts[5]}
    assert 'List "c_B": 1 member of earlier runs put back' in run.log
    mirror(run_target, *snapshot(contacts[:4], "B"), ledger_url=ledger_url)
    assert portal.members("c_B") == set(contacts[:4])


def test_a_mirror_that_removes_only_whom_it_added_leaves_strangers_that_it_reads(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    settings = {"ledger_url": sqlite_url, "mirror_removes": "ours"}
    mirror(run_target, *snapshot(contacts[:4], "A"), **settings)
    portal.add_members("c_A", contacts[5])

    run = mirror(run_target, *snapshot(contacts[:3], "A"), **settings, **RECONCILE)

    assert run.exit_code == 0
    assert portal.members("c_A") == {*contacts[:3], contacts[5]}


@pytest.mark.parametrize("why", ["incomplete", "guarded"])
def test_a_mirror_that_is_held_back_puts_back_whom_the_list_lost_and_removes_nobody(
    portal: Portal, run_target: TargetRunner, ledger_url: str, contacts: list[str], why: str
) -> None:
    new = portal.add_contact()
    mirror(run_target, *snapshot(contacts[:5], "A"), ledger_url=ledger_url)
    portal.remove_members("c_A", contacts[0])
    portal.add_members("c_A", contacts[5])
    # The guard lets nobody empty a list.
    members, size = ([*contacts[1:4], new], 5) if why == "incomplete" else ([new], 1)
    records = [record_message(contact_id=each, cohort_name="A", cohort_size=size) for each in members]

    run = mirror(run_target, SIZED, *records, ledger_url=ledger_url, max_removal_percent=99, **RECONCILE)

    assert run.exit_code == 1
    assert portal.members("c_A") == {*contacts, new}


def test_of_whom_a_record_says_that_they_left_is_not_put_back_by_a_mirror_that_is_held_back(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    mirror(run_target, *snapshot(contacts[:5], "A"), ledger_url=sqlite_url)
    portal.remove_members("c_A", *contacts[:2])

    run = mirror(
        run_target,
        schema_message(),
        membership("A", contacts[0], "remove"),
        membership("A", contacts[2]),
        ledger_url=sqlite_url,
        **RECONCILE,
    )

    assert run.exit_code == 1
    assert portal.members("c_A") == set(contacts[1:5])


def test_whom_somebody_took_off_and_the_snapshot_does_not_name_stays_off_and_does_not_count_for_the_guard(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(30, "more{}@example.com"))
    mirror(run_target, *snapshot(contacts, "A"), ledger_url=sqlite_url)
    portal.remove_members("c_A", *contacts[:20])

    run = mirror(
        run_target, *snapshot(contacts[19:], "A"), ledger_url=sqlite_url, max_removal_percent=0, **RECONCILE
    )
    after = mirror(run_target, *snapshot(contacts[19:], "A"), ledger_url=sqlite_url, max_removal_percent=0)

    assert (run.exit_code, after.exit_code) == (0, 0)
    assert portal.members("c_A") == set(contacts[19:])
    assert row(run.log, "c_A")["added"] == "1"


def test_a_vanished_cohorts_list_is_read_before_it_is_emptied(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    settings = {"ledger_url": sqlite_url} | EMPTIES_VANISHED
    mirror(run_target, *both(contacts[:4], "A", "B"), **settings)
    portal.remove_members("c_B", contacts[0])
    portal.add_members("c_B", contacts[5])

    run = mirror(run_target, *snapshot(contacts[:4], "A"), **settings, **RECONCILE)

    assert run.exit_code == 0
    assert portal.members("c_A") == set(contacts[:4])
    assert portal.members("c_B") == set()


def test_a_vanished_cohorts_list_that_cannot_be_read_costs_itself_only(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    sqlite_url: str,
    contacts: list[str],
) -> None:
    settings = {"ledger_url": sqlite_url} | EMPTIES_VANISHED
    mirror(run_target, *both(contacts[:4], "A", "B", "C"), **settings)
    pages = f"/{portal.hubspot_list('c_B').list_id}/memberships"
    body = {"status": "error", "category": "FORBIDDEN", "message": "Not now"}
    hubspot.faults.next("GET", pages, status=403, body=body)

    run = mirror(run_target, *snapshot(contacts[:4], "A"), state_message(1), **settings, **RECONCILE)

    assert (run.exit_code, run.states) == (1, [])
    assert 'List "c_B"' in run.error
    assert "cannot be read" in run.error
    assert portal.members("c_B") == set(contacts[:4])
    assert portal.members("c_C") == set()


# A dry run


def test_a_dry_run_empties_no_list_of_a_vanished_cohort_and_says_how_many_it_would_remove(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    settings = {"ledger_url": sqlite_url} | EMPTIES_VANISHED
    mirror(run_target, *both(contacts[:4], "A", "B"), **settings)
    portal.add_members("c_B", contacts[5])

    run = mirror(run_target, *snapshot(contacts[:4], "A"), **settings, **RECONCILE, dry_run=True)

    assert run.exit_code == 0
    assert row(run.log, "c_B")["removed"] == "5"
    assert portal.members("c_B") == {*contacts[:4], contacts[5]}


def test_a_dry_run_puts_nobody_back_on_a_list_that_is_new_to_the_ledger(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    sqlite_url: str,
    contacts: list[str],
) -> None:
    run_target(*adds(contacts[:1], "A"), ledger_url=sqlite_url)
    list_id = portal.add_list("B", members=contacts[:2]).list_id

    run = run_target(*adds(contacts[1:3], "B"), ledger_url=sqlite_url, dry_run=True, **RECONCILE)

    assert run.exit_code == 0
    assert "would be put back" not in run.log
    assert hubspot.calls("GET", f"/{list_id}/memberships") == 0
    assert (row(run.log, "B")["added"], row(run.log, "B")["already"]) == ("1", "1")


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_a_dry_run_says_how_many_would_be_put_back_and_puts_nobody_back(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str], mode: str
) -> None:
    settings: dict[str, Any] = {"ledger_url": sqlite_url, "sync_mode": mode}
    mirror(run_target, *both(contacts[:4], "A", "B"), **settings)
    portal.remove_members("c_B", *contacts[:2])
    list_id = portal.hubspot_list("c_B").list_id

    run = mirror(run_target, *snapshot(contacts[:4], "A"), **settings, **RECONCILE, dry_run=True)

    assert run.exit_code == 0
    assert f'List "c_B" ({list_id}): up to 2 members of earlier runs would be put back' in run.log
    assert portal.members("c_B") == set(contacts[2:4])
