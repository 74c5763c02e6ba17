"""Members by email address: found, created, missing or refused, each on its own."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from tests.factories import by_email, email_schema, state_message
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal


def run_emails(
    run_target: TargetRunner, emails: Iterable[object], cohort: str = "VIP", **config: object
) -> Run:
    messages = (by_email(cohort, email) for email in emails)
    return run_target(email_schema(), *messages, state_message({"bookmark": 1}), match_by="email", **config)


def test_known_addresses_are_found_and_unknown_ones_become_contacts(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact("ada@example.com")

    run = run_emails(run_target, ["ada@example.com", "bob@example.com"])

    assert run.exit_code == 0
    assert portal.member_emails("VIP") == {"ada@example.com", "bob@example.com"}
    assert ada in portal.members("VIP")
    assert "1 contact created: check that the portal treats this app's contacts as marketing" in run.log


def test_addresses_that_differ_in_case_and_blanks_are_one_member(
    portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_contact("Ada@Example.com")

    run = run_emails(
        run_target, [" ADA@example.com", "ada@EXAMPLE.com\t", "bob@example.com", "BOB@example.com"]
    )

    assert portal.member_emails("VIP") == {"ada@example.com", "bob@example.com"}
    assert row(run.log, "VIP")["asked"] == "2"


def test_a_secondary_address_finds_its_contact(portal: Portal, run_target: TargetRunner) -> None:
    ada = portal.add_contact("ada@example.com", additional_emails=["lovelace@example.org"])

    run_emails(run_target, ["lovelace@example.org"])

    assert portal.members("VIP") == {ada}
    assert portal.emails() == {"ada@example.com"}


def test_two_addresses_of_one_contact_are_one_member_and_the_later_record_wins(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact("ada@example.com", additional_emails=["lovelace@example.org"])
    portal.add_list("VIP", members=[ada])

    run = run_target(
        email_schema(),
        by_email("VIP", "ada@example.com", "add"),
        by_email("VIP", "lovelace@example.org", "remove"),
        match_by="email",
    )

    assert portal.members("VIP") == set()
    assert row(run.log, "VIP")["asked"] == "1"
    assert row(run.log, "VIP")["removed"] == "1"


def test_merged_contacts_are_added_under_the_id_they_have_now(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada, lovelace = portal.add_contact("ada@example.com"), portal.add_contact("lovelace@example.com")
    merged = portal.merge(ada, lovelace)

    run_emails(run_target, ["lovelace@example.com", "ada@example.com"])

    assert portal.members("VIP") == {merged}


def test_a_removal_never_creates_a_contact(portal: Portal, run_target: TargetRunner) -> None:
    bob = portal.add_contact("bob@example.com")
    portal.add_list("VIP", members=[bob])

    run = run_target(
        email_schema(),
        by_email("VIP", "ada@example.com", "remove"),
        by_email("VIP", "bob@example.com", "remove"),
        match_by="email",
    )

    assert portal.emails() == {"bob@example.com"}
    assert portal.members("VIP") == set()
    assert row(run.log, "VIP")["missing"] == "1"


def test_no_contact_is_created_where_the_user_does_not_want_it(
    portal: Portal, run_target: TargetRunner
) -> None:
    run = run_emails(run_target, ["ada@example.com"], create_contacts=False)

    assert run.exit_code == 0
    assert portal.emails() == set()
    assert row(run.log, "VIP")["missing"] == "1"


@pytest.mark.parametrize(
    "bad", ["no-tld@example", "two..dots@example.com", "ada@example.con", "a b@example.com"]
)
@pytest.mark.parametrize("honours_trace_ids", [True, False])
def test_a_bad_address_among_new_ones_costs_that_address_only(
    portal: Portal,
    run_target: TargetRunner,
    bad: str,
    honours_trace_ids: bool,  # noqa: FBT001
) -> None:
    portal.quirks.honours_trace_ids = honours_trace_ids
    good = [f"person{number}@example.com" for number in range(20)]

    run = run_emails(run_target, [*good[:7], bad, *good[7:]])

    assert run.exit_code == 0
    assert portal.member_emails("VIP") == set(good)
    assert row(run.log, "VIP")["rejected"] == "1"
    assert run.states == [{"bookmark": 1}]
    assert bad not in run.log


def test_an_address_that_a_validator_refuses_but_hubspot_has_is_found(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada = portal.add_contact()
    portal.update_contact(ada, email="ada..l@example.com")

    run_emails(run_target, ["ada..l@example.com"])

    assert portal.members("VIP") == {ada}


def test_a_portal_that_wants_more_than_an_email_rejects_with_its_own_words(
    portal: Portal, run_target: TargetRunner
) -> None:
    portal.require("firstname")
    portal.add_contact("ada@example.com", firstname="Ada")

    run = run_emails(run_target, ["ada@example.com", "bob@example.com", "cyd@example.com"])

    assert run.exit_code == 0
    assert portal.member_emails("VIP") == {"ada@example.com"}
    assert row(run.log, "VIP")["rejected"] == "2"
    assert "2 refused_by_hubspot" in run.log


def test_hubspots_words_on_a_contact_are_told_also_where_they_name_no_input(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    portal.require("firstname")
    portal.quirks.names_trace_ids = False
    report = tmp_path / "report.jsonl"

    run_emails(run_target, ["bob@example.com", "cyd@example.com"], report_path=str(report))

    lines = [json.loads(line) for line in report.read_text("utf-8").splitlines()]
    members = [line for line in lines if line["kind"] == "member"]
    assert [line["reason"] for line in members] == ["refused_by_hubspot"] * 2
    assert all("firstname" in line["message"] for line in members)


@pytest.mark.parametrize("honours_trace_ids", [True, False])
def test_a_contact_that_somebody_creates_meanwhile_is_read_again(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    honours_trace_ids: bool,  # noqa: FBT001
) -> None:
    portal.quirks.honours_trace_ids = honours_trace_ids
    hubspot.faults.call("POST", "/batch/create", lambda: portal.add_contact("bob@example.com"))

    run = run_emails(run_target, ["ada@example.com", "bob@example.com", "cyd@example.com"])

    assert run.exit_code == 0
    assert portal.member_emails("VIP") == {"ada@example.com", "bob@example.com", "cyd@example.com"}


@pytest.mark.parametrize("honours_trace_ids", [True, False])
def test_creates_whose_answer_was_lost_are_read_again(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    honours_trace_ids: bool,  # noqa: FBT001
) -> None:
    portal.quirks.honours_trace_ids = honours_trace_ids
    emails = [f"person{number}@example.com" for number in range(150)]
    hubspot.faults.accept_then_drop("POST", "/batch/create")

    run = run_emails(run_target, emails)

    assert run.exit_code == 0
    assert portal.member_emails("VIP") == set(emails)
    assert hubspot.calls("POST", "/batch/create") <= 4


def test_an_address_left_out_of_an_answer_is_asked_for_again(
    portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_contact("ada@example.com")
    portal.quirks.omitted_inputs = {"ada@example.com": 1}

    run = run_emails(run_target, ["ada@example.com", "bob@example.com"])

    assert run.exit_code == 0
    assert portal.member_emails("VIP") == {"ada@example.com", "bob@example.com"}


def test_an_address_left_out_twice_ends_the_run_and_is_neither_missing_nor_created(
    portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_contact("ada@example.com")
    portal.quirks.omitted_inputs = {"ada@example.com": 2}

    run = run_emails(run_target, ["ada@example.com"])

    assert run.exit_code == 1
    assert run.states == []
    assert portal.emails() == {"ada@example.com"}
    assert "ada@" not in run.log


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_failed_look_up_creates_nobody(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, status: int
) -> None:
    hubspot.faults.next("POST", "/batch/read", status=status, times=None)

    run = run_emails(run_target, ["ada@example.com", "bob@example.com"])

    assert portal.emails() == set()
    assert (run.exit_code, run.states) == (1, [])
    assert row(run.log, "VIP")["rejected"] == "0"


@pytest.mark.parametrize("what", ["read", "create"])
def test_a_portal_that_takes_no_address_at_all_is_not_asked_for_each_of_them(
    hubspot: HubSpotEmulator, run_target: TargetRunner, what: str
) -> None:
    hubspot.faults.next(
        "POST",
        f"/batch/{what}",
        status=400,
        body={"message": "No more contacts for ada@example.com"},
        times=None,
    )

    run = run_emails(run_target, [f"new{number}@example.com" for number in range(1_000)], max_concurrency=2)

    assert run.exit_code == 1
    assert run.states == []
    assert "No more contacts for" in run.log
    assert "@" not in run.error
    assert hubspot.calls("POST", f"/batch/{what}") < 3 * 200


def test_addresses_that_are_refused_one_by_one_stop_nothing_once_a_contact_was_made(
    portal: Portal, run_target: TargetRunner
) -> None:
    portal.quirks.honours_trace_ids = False
    good = [f"good{number}@example.com" for number in range(100)]

    run = run_emails(
        run_target, [*good, *(f"bad{number}@example.con" for number in range(110))], max_concurrency=1
    )

    assert run.exit_code == 0
    assert portal.member_emails("VIP") == set(good)
    assert row(run.log, "VIP")["rejected"] == "110"


@pytest.mark.parametrize(("known", "new"), [(250, 0), (0, 250), (101, 99), (1, 0)])
def test_calls_are_one_for_a_hundred_known_and_two_for_a_hundred_new(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, known: int, new: int
) -> None:
    emails = [f"known{number}@example.com" for number in range(known)]
    for email in emails:
        portal.add_contact(email)

    run = run_emails(run_target, [*emails, *(f"new{number}@example.com" for number in range(new))])

    assert run.exit_code == 0
    assert len(portal.members("VIP")) == known + new
    assert hubspot.calls("POST", "/batch/read") == math.ceil((known + new) / 100)
    assert hubspot.calls("POST", "/batch/create") == math.ceil(new / 100)
    list_calls = 3  # by name, create, members
    assert hubspot.calls() <= math.ceil((known + new) / 100) + math.ceil(new / 100) + list_calls + 2


def test_a_new_contact_in_two_cohorts_is_created_once(portal: Portal, run_target: TargetRunner) -> None:
    run = run_target(
        email_schema(),
        by_email("VIP", "ada@example.com"),
        by_email("Trial", "ADA@example.com"),
        match_by="email",
    )

    assert run.exit_code == 0
    assert portal.members("VIP") == portal.members("Trial") != set()
    assert "1 contact created" in run.log


def test_no_address_ever_reaches_the_log(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.require("firstname")
    hubspot.faults.next(
        "POST", "/batch/create", status=400, body={"message": "Bad email private.person@example.com"}
    )

    run = run_emails(
        run_target, ["private.person@example.com", "private.person@example", "x@y@private.person"]
    )

    assert "private.person" not in run.log
