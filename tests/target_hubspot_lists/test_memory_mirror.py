"""A mirror with a ledger: whom it removes, which lists are its own, and cohorts that came no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_hubspot_lists.ledger import Ledger
from tests.factories import (
    activate_version,
    membership,
    schema_message,
    versioned,
)
from tests.target_hubspot_lists.inputs import ADD_AND_REMOVE, adds, emails, now, snapshot
from tests.target_hubspot_lists.logs import row
from tests.target_hubspot_lists.mirrors import SIZED, mirror

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

ADA, BOB, CYD = (f"{name}@example.com" for name in ("ada", "bob", "cyd"))


@pytest.mark.parametrize("removes", ["all", "ours"])
def test_a_mirror_removes_all_or_only_whom_it_added(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, removes: str
) -> None:
    contacts = list(portal.add_contacts(4))
    portal.add_list("c_VIP", members=contacts[:2])
    settings = {"ledger_url": sqlite_url, "mirror_removes": removes}
    first = mirror(run_target, *snapshot(contacts), **settings)

    run = mirror(run_target, *snapshot(contacts[3:]), **settings)

    assert (first.exit_code, run.exit_code) == (0, 0)
    stay = {"all": contacts[3:], "ours": [*contacts[:2], contacts[3]]}[removes]
    assert portal.members("c_VIP") == set(stay)


def test_a_list_that_this_target_made_is_ours_without_a_prefix(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(3))
    portal.add_list("Theirs", members=contacts)
    settings = {"ledger_url": sqlite_url, "list_name_prefix": ""}
    mirror(run_target, *snapshot(contacts), *snapshot(contacts, "Theirs"), **settings)

    run = mirror(run_target, *snapshot(contacts[1:]), *snapshot(contacts[1:], "Theirs"), **settings)

    assert run.exit_code == 1
    assert portal.members("VIP") == set(contacts[1:])
    assert portal.members("Theirs") == set(contacts)


@pytest.mark.parametrize("empties", [False, True])
def test_the_list_of_a_cohort_that_vanished_is_emptied_only_if_asked(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, *, empties: bool
) -> None:
    contacts = list(portal.add_contacts(3))
    settings = {"ledger_url": sqlite_url, "snapshot_end": "end_of_input"}
    mirror(run_target, *adds(contacts), *adds(contacts, "Gone"), **settings)

    run = mirror(run_target, *adds(contacts), empty_vanished_cohorts=empties, **settings)

    assert run.exit_code == 0
    assert portal.members("c_Gone") == (set() if empties else set(contacts))
    assert portal.members("c_VIP") == set(contacts)
    if not empties:
        assert "c_Gone" in run.log


def test_the_list_of_a_cohort_that_vanished_is_not_emptied_against_the_guard_or_without_proof(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(3))
    settings = {"ledger_url": sqlite_url, "empty_vanished_cohorts": True}
    everything = [*snapshot(contacts), *snapshot(contacts, "Gone")]
    mirror(run_target, *everything, **settings)

    # A cohort's size proves that cohort; not that no other was to come.
    assert mirror(run_target, *snapshot(contacts), **settings).exit_code == 0
    assert portal.members("c_Gone") == set(contacts)

    versions = [SIZED, *(versioned(each, 1) for each in snapshot(contacts)[1:]), activate_version(1)]
    guarded = mirror(run_target, *versions, **settings, max_removal_percent=20)
    assert guarded.exit_code == 1
    assert "max_removal_percent" in guarded.error
    assert portal.members("c_Gone") == set(contacts)


def test_whom_a_record_takes_out_goes_also_where_a_mirror_removes_only_whom_it_added(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    ada, bob, cyd = portal.add_contacts(3)
    portal.add_list("c_VIP", members=[ada, bob])
    settings = {"ledger_url": sqlite_url, "mirror_removes": "ours", "snapshot_end": "end_of_input"}

    run = mirror(run_target, schema_message(), membership("VIP", ada, "remove"), *adds([cyd])[1:], **settings)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {bob, cyd}


def test_whom_a_record_takes_out_of_an_unproven_snapshot_is_skipped(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    ada, bob, cyd = portal.add_contacts(3)
    portal.add_list("c_VIP", members=[ada, bob])

    run = mirror(
        run_target,
        schema_message(),
        membership("VIP", ada, "remove"),
        *adds([cyd])[1:],
        ledger_url=sqlite_url,
    )

    assert run.exit_code == 1
    assert portal.members("c_VIP") == {ada, bob, cyd}
    assert (row(run.log, "c_VIP")["asked"], row(run.log, "c_VIP")["skipped"]) == ("2", "1")


def test_the_new_contact_of_a_remembered_address_goes_where_a_record_says_so(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    ada = portal.add_contact("ada@example.com")
    bob = portal.add_contact("bob@example.com")
    settings = {"ledger_url": sqlite_url, "match_by": "email", "snapshot_end": "end_of_input"}
    mirror(run_target, *emails(["ada@example.com", "bob@example.com"]), **settings)
    portal.delete_contact(ada)
    portal.add_members("c_VIP", portal.add_contact("ada@example.com"))

    run = mirror(
        run_target,
        *emails(["bob@example.com"]),
        *emails(["ada@example.com"], operation="remove")[1:],
        **settings,
    )

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {bob}


def test_a_remembered_contact_that_hubspot_did_not_know_for_a_moment_is_put_on_the_list(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    ada = portal.add_contact("ada@example.com")
    asked, settings = emails(["ada@example.com"]), {"ledger_url": sqlite_url, "match_by": "email"}
    settings |= {"snapshot_end": "end_of_input"}
    hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500)
    mirror(run_target, *asked, **settings)
    hubspot.faults.next("PUT", ADD_AND_REMOVE, status=200, body={"recordIdsMissing": [ada]})
    unknown = {"category": "OBJECT_NOT_FOUND", "context": {"ids": [ada]}}
    hubspot.faults.next("POST", "/batch/read", status=207, body={"results": [], "errors": [unknown]})

    run = mirror(run_target, *asked, **settings)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {ada}
    assert row(run.log, "c_VIP")["added"] == "1"


def test_a_list_that_was_read_and_lost_its_prefix_is_no_longer_ours(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, people: list[str]
) -> None:
    mirror(run_target, *snapshot(people[:3]), ledger_url=sqlite_url)
    portal.rename_list("c_VIP", "Sales")

    run = mirror(run_target, *snapshot(people[1:]), ledger_url=sqlite_url)

    assert run.exit_code == 1
    assert "may have been created by somebody else" in run.error
    assert portal.members("Sales") == set(people)


def test_who_was_forgotten_and_leaves_the_cohort_leaves_the_list(
    portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    settings = {"ledger_url": ledger_url, "match_by": "email", "snapshot_end": "end_of_input"}
    mirror(run_target, *emails([ADA, BOB, CYD]), **settings)
    with Ledger.open(ledger_url, portal.portal_id, run_id="forget", now=now) as ledger:
        ledger.people.forget_person(email=ADA)

    foretold = mirror(run_target, *emails([BOB, CYD]), **settings, dry_run=True)
    run = mirror(run_target, *emails([BOB, CYD]), **settings)

    assert (foretold.exit_code, run.exit_code) == (0, 0)
    assert row(foretold.log, "c_VIP")["removed"] == "1"
    assert portal.member_emails("c_VIP") == {BOB, CYD}


def test_who_was_forgotten_and_deleted_in_hubspot_stays_forgotten(
    portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    settings = {"ledger_url": ledger_url, "match_by": "email", "snapshot_end": "end_of_input"}
    mirror(run_target, *emails([ADA, BOB]), **settings)
    portal.delete_contact(ADA)
    with Ledger.open(ledger_url, portal.portal_id, run_id="forget", now=now) as ledger:
        ledger.people.forget_person(email=ADA)

    run = mirror(run_target, *emails([BOB]), **settings)

    assert run.exit_code == 0
    with Ledger.open(ledger_url, portal.portal_id, run_id="forget", now=now) as ledger:
        assert not ledger.people.forget_person(email=ADA).anything
        (known,) = ledger.lists.all()
        assert known.was_read
        assert len(ledger.members.all(known.list_id)) == 1
