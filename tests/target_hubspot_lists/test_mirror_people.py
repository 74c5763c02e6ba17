"""A mirror takes nobody for somebody else: who may be on the list under another id or address stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.factories import (
    activate_version,
    by_email,
    email_schema,
    record_message,
    schema_message,
    state_message,
)
from tests.target_hubspot_lists.logs import row
from tests.target_hubspot_lists.mirrors import SIZED, mirror, of_version, sized

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

READ = "/contacts/batch/read"
CREATE = "/contacts/batch/create"
ADD_AND_REMOVE = "/memberships/add-and-remove"


def mirror_emails(run_target: TargetRunner, *addresses: str, **config: object) -> Run:
    records = [by_email("VIP", each) for each in addresses]
    settings = {"match_by": "email", "snapshot_end": "end_of_input"} | config
    return mirror(run_target, email_schema(), *records, state_message({"n": 1}), **settings)


@pytest.fixture
def ada(portal: Portal) -> str:
    """A contact who is on the list."""
    ada = portal.add_contact("ada@example.com")
    portal.add_list("c_VIP", members=[ada])
    return ada


def test_an_address_that_hubspot_refuses_to_look_up_may_be_anybodys_on_the_list(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, ada: str
) -> None:
    new = portal.add_contact("new@example.com")
    hubspot.faults.next("POST", READ, status=400, times=2)  # both addresses, then the first alone

    run = mirror_emails(run_target, "ada@example.com", "new@example.com")

    assert run.exit_code == 1
    assert "1 members" in run.error
    assert "refused" in run.error
    assert portal.members("c_VIP") == {ada, new}
    assert run.states == []


def test_an_address_that_exists_and_cannot_be_read_may_be_anybodys_on_the_list(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, ada: str
) -> None:
    hubspot.faults.next("POST", CREATE, status=409, times=2)

    run = mirror_emails(run_target, "hidden@example.com")

    assert run.exit_code == 1
    assert portal.members("c_VIP") == {ada}


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("address", ["new@example.com", "bad@example"])
def test_an_address_that_no_contact_has_is_nobody_on_the_list(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, address: str
) -> None:
    bob = portal.add_contact("bob@example.com")
    hubspot.faults.next("POST", CREATE, status=400)

    run = mirror_emails(run_target, "bob@example.com", address)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {bob}
    assert row(run.log, "c_VIP")["rejected"] == "1"


def test_a_member_on_the_list_under_a_second_address_stays(portal: Portal, run_target: TargetRunner) -> None:
    ada = portal.add_contact("ada@example.com", additional_emails=["lovelace@example.org"])
    bob = portal.add_contact("bob@example.com")
    portal.add_list("c_VIP", members=[ada, bob])

    run = mirror_emails(run_target, "lovelace@example.org")

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {ada}


def test_two_addresses_of_one_contact_are_two_members_of_the_number_told(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact("ada@example.com", additional_emails=["lovelace@example.org"])
    bob = portal.add_contact("bob@example.com")
    portal.add_list("c_VIP", members=[ada, bob])
    records = [
        record_message(email=each, cohort_name="VIP", cohort_size=2)
        for each in ("ada@example.com", "lovelace@example.org")
    ]

    run = mirror(
        run_target, schema_message("email", "cohort_name", "cohort_size"), *records, match_by="email"
    )

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {ada}
    assert row(run.log, "c_VIP")["asked"] == "2"


@pytest.mark.parametrize("follows", [True, False])
@pytest.mark.parametrize("was_on_list", [1, 2])
def test_a_merged_contact_that_the_ledger_has_under_its_old_id_is_not_removed_under_it(
    portal: Portal,
    run_target: TargetRunner,
    tmp_path: Path,
    *,
    follows: bool,
    was_on_list: int,
) -> None:
    portal.quirks.follows_merged_ids = follows
    contacts = list(portal.add_contacts(3))
    settings = {"ledger_url": f"sqlite:///{tmp_path}/ledger.db"}
    before = [*contacts[:was_on_list], contacts[2]]
    mirror(run_target, SIZED, *sized(before, len(before)), **settings)
    merged = portal.merge(contacts[0], contacts[1])

    run = mirror(run_target, SIZED, *sized([merged], 1), **settings)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {merged}
    again = mirror(run_target, SIZED, *sized([merged], 1), **settings)
    assert row(again.log, "c_VIP")["asked"] == "1"


@pytest.mark.parametrize("cohort", ["VIP", "Other"])
def test_a_merged_contact_that_left_is_removed_under_its_new_id_also_by_the_run_behind_a_crash(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, tmp_path: Path, cohort: str
) -> None:
    ada, lovelace, bob = portal.add_contacts(3)
    settings = {"ledger_url": f"sqlite:///{tmp_path}/ledger.db"}
    names = ("VIP", "Other")
    everybody = [line for name in names for line in sized([ada, bob], 2, name)]
    mirror(run_target, SIZED, *everybody, **settings)
    portal.merge(ada, lovelace)
    messages = [SIZED, *(line for name in names for line in sized([bob], 1, name))]
    hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500, after=names.index(cohort))

    assert mirror(run_target, *messages, **settings).exit_code == 1
    assert mirror(run_target, *messages, **settings).exit_code == 0

    assert portal.members("c_VIP") == portal.members("c_Other") == {bob}


@pytest.mark.parametrize("follows", [True, False])
def test_a_merged_contact_named_by_both_its_old_ids_stays(
    portal: Portal, run_target: TargetRunner, *, follows: bool
) -> None:
    portal.quirks.follows_merged_ids = follows
    ada, lovelace, bob = portal.add_contacts(3)
    merged = portal.merge(ada, lovelace)
    portal.add_list("c_VIP", members=[merged, bob])

    run = mirror(run_target, SIZED, *sized([ada, lovelace], 2))

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {merged}


def test_a_member_whom_hubspot_is_silent_about_may_be_a_merged_contact_of_the_snapshot(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada, lovelace, bob = portal.add_contacts(3)
    merged = portal.merge(ada, lovelace)
    portal.add_list("c_VIP", members=[merged, bob])
    portal.quirks.omitted_inputs = {merged: 2}

    silent = mirror(run_target, SIZED, *sized([ada], 1))
    assert silent.exit_code == 1
    assert portal.members("c_VIP") >= {merged, bob}

    portal.quirks.omitted_inputs = {merged: 1}
    assert mirror(run_target, SIZED, *sized([ada], 1)).exit_code == 0
    assert portal.members("c_VIP") == {merged}


def test_the_list_of_a_cohort_whose_records_were_all_rejected_did_not_vanish(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    ada, bob = portal.add_contacts(2)
    settings = {"ledger_url": f"sqlite:///{tmp_path}/ledger.db", "empty_vanished_cohorts": True}
    mirror(run_target, SIZED, *sized([ada], 1), *sized([bob], 1, "Other"), **settings)
    records = [*sized([ada], 1), *sized(["nobody"], 1, "Other")]

    mirror(run_target, SIZED, *of_version(records, 1), activate_version(1), **settings)

    assert portal.members("c_Other") == {bob}


def test_a_list_that_may_not_be_emptied_for_want_of_proof_is_named(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    ada, bob = portal.add_contacts(2)
    settings = {"ledger_url": f"sqlite:///{tmp_path}/ledger.db", "empty_vanished_cohorts": True}
    mirror(run_target, SIZED, *sized([ada], 1), *sized([bob], 1, "Other"), **settings)

    run = mirror(run_target, SIZED, *sized([ada], 1), **settings)

    assert run.exit_code == 0
    assert "c_Other" in run.log
    assert portal.members("c_Other") == {bob}


@pytest.mark.parametrize("verifies", [True, False])
def test_a_removal_that_hubspot_refuses_is_not_done_and_releases_no_state(
    portal: Portal, run_target: TargetRunner, people: list[str], *, verifies: bool
) -> None:
    portal.quirks.refused_record_ids = {people[0]}

    run = mirror(
        run_target, SIZED, *sized(people[2:], 2), state_message({"n": 1}), verify_memberships=verifies
    )

    assert run.exit_code == 1
    assert "1 of 2" in run.error
    assert portal.members("c_VIP") == {people[0], *people[2:]}
    assert run.states == []


def test_a_list_that_is_empty_in_hubspot_is_filled(portal: Portal, run_target: TargetRunner) -> None:
    contacts = list(portal.add_contacts(2))
    portal.add_list("c_VIP")

    run = mirror(run_target, SIZED, *sized(contacts, 2), max_removal_percent=0)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(contacts)
