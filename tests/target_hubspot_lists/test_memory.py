"""With a ledger a run sends only differences, trusts what it may, and heals what broke off."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.ledger import Ledger
from tests.factories import (
    activate_version,
    membership,
    record_message,
    schema_message,
    state_message,
    versioned,
)
from tests.processes import TIMEOUT, Plugin
from tests.target_hubspot_lists.inputs import (
    ADD_AND_REMOVE,
    SIZED,
    adds,
    calls_of,
    emails,
    mirror,
    now,
    snapshot,
    with_id,
)
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

DAY = 86_400  # seconds


# An unchanged cohort


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_an_unchanged_cohort_by_id_costs_two_calls(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, ledger_url: str, mode: str
) -> None:
    contacts = list(portal.add_contacts(300))
    settings = {"ledger_url": ledger_url, "sync_mode": mode, "max_removal_percent": 100}
    first = run_target(*snapshot(contacts), **settings)
    calls_of(hubspot)

    run = run_target(*snapshot(contacts), state_message(1), **settings)

    assert (first.exit_code, run.exit_code) == (0, 0)
    assert len(calls_of(hubspot)) == 2
    assert portal.members("VIP") == set(contacts)
    assert row(run.log, "VIP")["already"] == "300"
    assert run.states == [1]


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_an_unchanged_cohort_by_email_costs_two_calls(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, ledger_url: str, mode: str
) -> None:
    addresses = [f"contact{number}@example.com" for number in range(250)]
    portal.add_contacts(200)
    settings = {"ledger_url": ledger_url, "sync_mode": mode, "match_by": "email"}
    first = run_target(*emails(addresses), snapshot_end="end_of_input", **settings)
    calls_of(hubspot)

    run = run_target(*emails(addresses), snapshot_end="end_of_input", **settings)

    assert (first.exit_code, run.exit_code) == (0, 0)
    assert len(calls_of(hubspot)) == 2
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


def test_a_dry_run_does_without_the_ledger(portal: Portal, run_target: TargetRunner, tmp_path: Path) -> None:
    run = run_target(*adds(portal.add_contacts(2)), dry_run=True, ledger_url=f"sqlite:///{tmp_path}/none.db")

    assert run.exit_code == 0
    assert list(tmp_path.glob("none.db*")) == []


def test_a_portal_that_is_not_known_ends_the_run(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    hubspot.faults.next("GET", "/account-info/", status=403)

    run = run_target(*adds(portal.add_contacts(2)), ledger_url=sqlite_url)

    assert run.exit_code == 1
    assert "kept by portal" in run.error
    assert portal.list_names() == set()


@pytest.mark.parametrize("setting", [{"mirror_removes": "ours"}, {"empty_vanished_cohorts": True}])
def test_what_needs_a_ledger_says_so(run_target: TargetRunner, setting: dict[str, Any]) -> None:
    run = run_target(**setting)

    assert run.exit_code == 1
    assert "ledger_url" in run.error


# Addresses


def test_an_address_is_trusted_for_so_many_days_and_then_looked_up_again(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    ada = portal.add_contact("ada@example.com")
    settings = {"ledger_url": sqlite_url, "match_by": "email"}
    run_target(*emails(["ada@example.com"]), **settings)
    # The address changes hands.
    portal.update_contact(ada, email="ada.old@example.com")
    heir = portal.add_contact("ada@example.com")

    run_target.clock.sleep(6 * DAY)
    run_target(*emails(["ada@example.com"]), **settings)
    assert portal.members("VIP") == {ada}

    run_target.clock.sleep(2 * DAY)
    calls_of(hubspot)
    run_target(*emails(["ada@example.com"]), **settings)
    assert portal.members("VIP") == {ada, heir}
    assert len([call for call in calls_of(hubspot) if call.endswith("/contacts/batch/read")]) == 1


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_a_remembered_contact_that_is_gone_is_looked_up_once_more_and_written(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, mode: str
) -> None:
    ada = portal.add_contact("ada@example.com")
    portal.add_contact("bob@example.com")
    settings = {"ledger_url": sqlite_url, "match_by": "email"}
    run_target(*emails(["ada@example.com"], cohort="Other"), **settings)
    portal.delete_contact(ada)
    heir = portal.add_contact("ada@example.com")

    run = run_target(
        *emails(["ada@example.com", "bob@example.com"]),
        sync_mode=mode,
        snapshot_end="end_of_input",
        **settings,
    )

    assert run.exit_code == 0
    assert heir in portal.members("VIP")
    assert row(run.log, "VIP")["added"] == "2"


def test_a_remembered_contact_that_is_gone_for_good_is_missing(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    ada = portal.add_contact("ada@example.com")
    settings = {"ledger_url": sqlite_url, "match_by": "email", "create_contacts": False}
    run_target(*emails(["ada@example.com"], cohort="Other"), **settings)
    portal.delete_contact(ada)

    run = run_target(*emails(["ada@example.com"]), **settings)

    assert row(run.log, "VIP")["missing"] == "1"


def test_a_merged_contact_is_not_removed_for_its_old_id(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    portal.add_contact("ada@example.com")
    portal.add_contact("bob@example.com")
    settings = {"ledger_url": sqlite_url, "match_by": "email", "snapshot_end": "end_of_input"}
    mirror(run_target, *emails(["ada@example.com"], cohort="Other"), **settings)
    merged = portal.merge("ada@example.com", "bob@example.com")
    portal.add_list("c_VIP", members=[merged])

    run = mirror(run_target, *emails(["ada@example.com"]), **settings)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {merged}


# Crashes


def fail(hubspot: HubSpotEmulator, kind: str) -> None:
    if kind == "500":
        hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500)
    elif kind == "500 in the second call":
        hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500, after=1)
    else:
        hubspot.faults.accept_then_drop("PUT", ADD_AND_REMOVE)
        hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500)


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
@pytest.mark.parametrize("kind", ["500", "500 in the second call", "accepted, and the answer lost"])
def test_a_run_that_broke_off_is_healed_by_the_next(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str, kind: str, mode: str
) -> None:
    contacts = list(portal.add_contacts(40))
    settings = {"ledger_url": sqlite_url, "sync_mode": mode, "max_removal_percent": 100}
    settings |= {"list_name_prefix": "c_"}
    run_target(*snapshot(contacts[:20]), **settings)
    asked = snapshot(contacts[10:])
    if mode == "incremental":
        asked = [schema_message(), *(membership("VIP", each, "remove") for each in contacts[:10])]
        asked += [membership("VIP", each) for each in contacts[10:]]
        settings |= {"batch_size_rows": 15}
    fail(hubspot, kind)
    broken = run_target(*asked, **settings)
    assert broken.exit_code == 1
    hubspot.faults.clear()

    run = run_target(*asked, **settings)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(contacts[10:])
    calls_of(hubspot)
    run_target(*asked, **settings)
    assert len(calls_of(hubspot)) == 2


def test_a_run_killed_after_hubspot_accepted_is_healed_by_the_next(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str, tmp_path: Path
) -> None:
    contacts = list(portal.add_contacts(5))
    config = {
        "api_url": hubspot.url,
        "access_token": hubspot.token,
        "match_by": "contact_id",
        "list_name_prefix": "",
        "ledger_url": sqlite_url,
    }
    called = threading.Event()
    hubspot.faults.call("PUT", ADD_AND_REMOVE, called.set)
    hubspot.faults.accept_then_drop("PUT", ADD_AND_REMOVE, times=None)
    with Plugin("target_hubspot_lists", config, tmp_path) as plugin:
        plugin.write(*adds(contacts))
        assert plugin.process.stdin is not None
        plugin.process.stdin.close()
        assert called.wait(TIMEOUT)
        plugin.process.kill()
        plugin.wait()
    hubspot.faults.clear()

    run = run_target(*adds(contacts[:4]), membership("VIP", contacts[4], "remove"), ledger_url=sqlite_url)

    assert run.exit_code == 0
    assert portal.members("VIP") == set(contacts[:4])


def test_whom_hubspot_dropped_is_sent_again(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    accepted: dict[str, list[str]] = {"recordsIdsAdded": [], "recordIdsRemoved": [], "recordIdsMissing": []}
    hubspot.faults.next("PUT", ADD_AND_REMOVE, status=200, body=accepted)
    dropped = run_target(*adds(contacts), ledger_url=sqlite_url)

    run = run_target(*adds(contacts), ledger_url=sqlite_url)

    assert row(dropped.log, "VIP")["dropped"] == "2"
    assert row(run.log, "VIP")["added"] == "2"


# Lists


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_list_deleted_in_hubspot_gets_all_members_again(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, *, by_hand: bool
) -> None:
    contacts = list(portal.add_contacts(6))
    run_target(*adds(contacts[:5]), ledger_url=sqlite_url)
    portal.rename_list("VIP", "Old")
    portal.delete_list("Old")
    if by_hand:
        portal.add_list("VIP")

    run = run_target(*adds(contacts[5:]), membership("VIP", contacts[0], "remove"), ledger_url=sqlite_url)

    assert run.exit_code == 0
    assert portal.members("VIP") == set(contacts[1:])
    assert "5 members that the ledger knows" in run.log


def test_a_run_that_broke_off_while_it_put_members_back_is_healed_by_the_next(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(6))
    run_target(*adds(contacts[:5]), ledger_url=sqlite_url)
    portal.rename_list("VIP", "Old")
    portal.delete_list("Old")
    hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500)
    assert run_target(*adds(contacts[5:]), ledger_url=sqlite_url).exit_code == 1

    run = run_target(*adds(contacts[5:]), ledger_url=sqlite_url)

    assert run.exit_code == 0
    assert portal.members("VIP") == set(contacts)


@pytest.mark.parametrize("size", [5, 6])
def test_a_mirror_fills_a_list_made_anew_and_loses_nobody_for_an_incomplete_snapshot(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, size: int
) -> None:
    contacts = list(portal.add_contacts(7))
    mirror(run_target, *snapshot(contacts[:6]), ledger_url=sqlite_url)
    portal.rename_list("c_VIP", "Old")
    portal.delete_list("Old")
    records = [record_message(contact_id=each, cohort_name="VIP", cohort_size=size) for each in contacts[2:]]

    run = mirror(run_target, SIZED, *records, ledger_url=sqlite_url)

    is_complete = size == 5
    assert run.exit_code == (not is_complete)
    assert portal.members("c_VIP") == set(contacts[2:] if is_complete else contacts)


def test_a_list_renamed_by_hand_is_still_its_cohorts(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*adds(contacts[:1]), ledger_url=sqlite_url)
    portal.rename_list("VIP", "Very important")

    run_target(*adds(contacts), ledger_url=sqlite_url)

    assert portal.list_names() == {"Very important"}
    assert portal.members("Very important") == set(contacts)


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_new_or_lost_ledger_takes_over_the_lists_there_are(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    tmp_path: Path,
    *,
    is_lost: bool,
) -> None:
    contacts = list(portal.add_contacts(4))
    url = f"sqlite:///{tmp_path}/new.db"
    if is_lost:
        mirror(run_target, *snapshot(contacts[:3]), ledger_url=url)
        for path in tmp_path.glob("new.db*"):
            path.unlink()
    else:
        portal.add_list("c_VIP", members=contacts[:3])
    calls_of(hubspot)

    run = mirror(run_target, *snapshot(contacts[1:]), ledger_url=url)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(contacts[1:])
    assert len([call for call in calls_of(hubspot) if call.endswith("/memberships")]) == 1
    run_target.clock.sleep(1)
    mirror(run_target, *snapshot(contacts[1:]), ledger_url=url)
    assert len(calls_of(hubspot)) == 2


def test_a_list_that_was_there_is_read_before_its_members_are_trusted(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(4))
    portal.add_list("VIP", members=contacts[:3])

    run = run_target(*adds(contacts), ledger_url=sqlite_url)

    figures = row(run.log, "VIP")
    assert (figures["added"], figures["already"]) == ("1", "3")
    assert [request.inputs for request in hubspot.requests if ADD_AND_REMOVE in request.path] == [1]


# Renamed cohorts


def test_a_renamed_cohort_renames_its_list_once(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*with_id(contacts[:1], "Old"), ledger_url=sqlite_url)

    run = run_target(*with_id(contacts[:1], "Newer"), *with_id(contacts, "New"), ledger_url=sqlite_url)

    assert run.exit_code == 0
    assert portal.list_names() == {"New"}
    assert portal.members("New") == set(contacts)
    assert hubspot.calls("PUT", "update-list-name") == 1
    calls_of(hubspot)
    run_target(*with_id(contacts, "New"), ledger_url=sqlite_url)
    assert len(calls_of(hubspot)) == 2


def test_a_taken_name_leaves_the_list_as_it_is(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*with_id(contacts[:1], "Old"), ledger_url=sqlite_url)
    portal.add_list("New")

    run = run_target(*with_id(contacts, "New"), ledger_url=sqlite_url)

    assert run.exit_code == 0
    assert "keeps its name" in run.log
    assert portal.members("Old") == set(contacts)
    assert portal.members("New") == set()


def test_a_cohort_with_the_former_name_of_another_does_not_get_its_list(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*with_id(contacts[:1], "Old", "c1"), ledger_url=sqlite_url)
    swapped = [*with_id(contacts[:1], "New", "c1"), *with_id(contacts[1:], "Old", "c2")[1:]]

    refused = run_target(*swapped, ledger_url=sqlite_url)
    assert refused.exit_code == 1
    assert "former name" in refused.error
    assert portal.members("Old") == set(contacts[:1])

    portal.rename_list("Old", "New")
    run_target(*swapped, ledger_url=sqlite_url)
    assert portal.members("New") == set(contacts[:1])
    assert portal.members("Old") == set(contacts[1:])


def test_a_configured_list_is_never_renamed(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(1))
    list_id = portal.add_list("Kept").list_id
    lists = [{"cohort": "c1", "list_id": list_id}]

    run_target(*with_id(contacts, "New"), ledger_url=sqlite_url, lists=lists)

    assert portal.list_names() == {"Kept"}
    assert portal.members("Kept") == set(contacts)


# Mirror


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


# Reconciling


def test_reconciling_puts_back_whom_a_list_lost_and_takes_over_whom_it_gained(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(5))
    run_target(*adds(contacts[:4]), ledger_url=sqlite_url)
    portal.remove_members("VIP", contacts[0])
    portal.add_members("VIP", contacts[4])

    run_target(*adds(contacts[1:2]), ledger_url=sqlite_url, reconcile=True)

    assert portal.members("VIP") == set(contacts)
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


# Several runs, and what stays of one


def test_a_list_that_another_run_holds_is_waited_for_and_then_the_run_ends_naming_it(
    portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    with Ledger.open(ledger_url, portal.portal_id, run_id="other-run", now=now) as other:
        with other.lock(["vip"], sleep=run_target.clock.sleep):
            held = run_target(*adds(contacts), ledger_url=ledger_url)
        waited = run_target.clock.elapsed
        after = run_target(*adds(contacts), ledger_url=ledger_url)

    assert held.exit_code == 1
    assert "other-run" in held.error
    assert 30 <= waited < 40
    assert portal.members("VIP") == set(contacts)
    assert after.exit_code == 0


def test_a_run_leaves_a_line_for_each_list(portal: Portal, run_target: TargetRunner, sqlite_url: str) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*adds([*contacts, "99"]), ledger_url=sqlite_url)

    list_id = portal.hubspot_list("VIP").list_id
    with Ledger.open(sqlite_url, portal.portal_id, run_id="reader", now=now) as ledger:
        (line,) = ledger.runs(list_id)
    assert (line.stream, line.asked, line.outcomes) == ("cohort_members", 3, {"added": 2, "missing": 1})
