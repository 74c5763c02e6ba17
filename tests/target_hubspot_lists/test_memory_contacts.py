"""Which contact an address is: for how long a ledger is believed, and when it is asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.factories import by_email, email_schema
from tests.target_hubspot_lists.inputs import ADD_AND_REMOVE, calls_of, emails
from tests.target_hubspot_lists.logs import row
from tests.target_hubspot_lists.mirrors import mirror

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

DAY = 86_400  # seconds


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


def test_a_remembered_contact_that_is_gone_is_written_to_every_list_that_asks_for_it(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    ada = portal.add_contact("ada@example.com")
    settings = {"ledger_url": sqlite_url, "match_by": "email"}
    run_target(*emails(["ada@example.com"], cohort="Other"), **settings)
    portal.delete_contact(ada)
    heir = portal.add_contact("ada@example.com")

    run = run_target(
        email_schema(), *(by_email(name, "ada@example.com") for name in ("VIP", "Beta", "Gold")), **settings
    )

    assert run.exit_code == 0
    assert [portal.members(name) for name in ("VIP", "Beta", "Gold")] == [{heir}] * 3


def test_the_new_contact_of_a_remembered_address_is_not_removed_by_the_mirror_that_finds_it(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    ada = portal.add_contact("ada@example.com")
    bob = portal.add_contact("bob@example.com")
    settings = {"ledger_url": sqlite_url, "match_by": "email", "snapshot_end": "end_of_input"}
    mirror(run_target, *emails(["ada@example.com"], cohort="Other"), **settings)
    portal.delete_contact(ada)
    heir = portal.add_contact("ada@example.com")
    portal.add_list("c_VIP", members=[heir, bob])

    run = mirror(run_target, *emails(["ada@example.com"]), **settings)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {heir}
    figures = row(run.log, "c_VIP")
    assert (figures["asked"], figures["already"], figures["removed"]) == ("2", "1", "1")


def test_a_contact_that_is_gone_is_no_member_whom_a_mirror_could_remove(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    ada = portal.add_contact("ada@example.com")
    settings = {"ledger_url": sqlite_url, "match_by": "email", "snapshot_end": "end_of_input"}
    hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500)
    mirror(run_target, *emails(["ada@example.com"]), **settings)
    portal.delete_contact(ada)
    heir = portal.add_contact("ada@example.com")

    run = mirror(run_target, *emails(["ada@example.com"]), **settings | {"max_removal_percent": 0})

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {heir}
    assert (row(run.log, "c_VIP")["asked"], row(run.log, "c_VIP")["added"]) == ("1", "1")


def test_a_remembered_contact_that_is_now_another_of_the_snapshot_has_one_word_there(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    ada = portal.add_contact("ada@example.com")
    settings = {"ledger_url": sqlite_url, "match_by": "email", "snapshot_end": "end_of_input"}
    mirror(run_target, *emails(["ada@example.com"], cohort="Other"), **settings)
    portal.delete_contact(ada)
    heir = portal.add_contact("lovelace@example.org", additional_emails=["ada@example.com"])

    run = mirror(run_target, *emails(["ada@example.com", "lovelace@example.org"]), **settings)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {heir}
    assert (row(run.log, "c_VIP")["asked"], row(run.log, "c_VIP")["added"]) == ("1", "1")


@pytest.mark.parametrize("is_on_list", [True, False])
@pytest.mark.parametrize("last", ["add", "remove"])
def test_of_two_words_on_a_contact_that_was_remembered_as_another_the_later_one_counts(
    portal: Portal,
    run_target: TargetRunner,
    sqlite_url: str,
    last: str,
    is_on_list: bool,  # noqa: FBT001
) -> None:
    ada = portal.add_contact("ada@example.com")
    settings = {"ledger_url": sqlite_url, "match_by": "email", "snapshot_end": "end_of_input"}
    mirror(run_target, *emails(["ada@example.com"], cohort="Other"), **settings)
    portal.delete_contact(ada)
    heir = portal.add_contact("lovelace@example.org", additional_emails=["ada@example.com"])
    keeper = portal.add_contact("bob@example.com")
    portal.add_list("c_VIP", members=[heir, keeper] if is_on_list else [keeper])
    words = [by_email("VIP", "lovelace@example.org", "remove"), by_email("VIP", "ada@example.com")]

    run = mirror(
        run_target,
        email_schema(),
        by_email("VIP", "bob@example.com"),
        *(words if last == "add" else reversed(words)),
        **settings,
    )

    assert run.exit_code == 0
    assert portal.members("c_VIP") == ({heir, keeper} if last == "add" else {keeper})
