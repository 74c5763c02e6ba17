"""Calls that a list refuses: a guilty id costs itself only, and a list that refuses everything ends the run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import (
    by_email,
    email_schema,
    membership,
    schema_message,
    state_message,
)
from tests.hubspot_emulator import HubSpotEmulator
from tests.hubspot_emulator.answers import Answer
from tests.target_hubspot_lists.logs import row
from tests.target_hubspot_lists.mirrors import SIZED, mirror, sized

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import Portal

PUT = "/memberships/add-and-remove"
LOCKED = {
    "status": "error",
    "message": "You are not allowed to change segments right now",
    "correlationId": "9d3c9b7e-0000-4000-8000-000000000001",
    "category": "VALIDATION_ERROR",
}
WORDS = "not allowed to change segments right now"
STATE = state_message({"n": 1})


def adds(members: Iterable[str], cohort: str = "VIP", operation: str = "add") -> list[str]:
    return [membership(cohort, each, operation) for each in members]


def assert_list_refused(run: Run, list_name: str = "VIP") -> None:
    assert run.exit_code == 1
    assert run.states == []
    assert f'List "{list_name}"' in run.error
    assert WORDS in run.error


# A list that refuses everything


@pytest.mark.parametrize("config", [{}, {"sync_mode": "mirror", "snapshot_end": "end_of_input"}], ids=str)
@pytest.mark.parametrize("ledger", [False, True])
@pytest.mark.parametrize("count", [1, 2, 5, 19, 150])
@pytest.mark.parametrize("status", [400, 409])
def test_a_list_that_refuses_every_add_ends_the_run_with_hubspots_words_at_any_number(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    tmp_path: Path,
    config: dict[str, Any],
    count: int,
    status: int,
    *,
    ledger: bool,
) -> None:
    contacts = portal.add_contacts(count)
    hubspot.faults.next("PUT", PUT, times=None, status=status, body=LOCKED)
    settings = config | ({"ledger_url": f"sqlite:///{tmp_path}/ledger.db"} if ledger else {})
    messages = [schema_message(), *adds(contacts), STATE]

    run = run_target(*messages, **settings)

    assert_list_refused(run)
    assert hubspot.calls("PUT", PUT) <= 2 * count + 10

    hubspot.faults.clear()
    again = run_target(*messages, **settings)

    assert (again.exit_code, again.states) == (0, [{"n": 1}])
    assert portal.members("VIP") == set(contacts)


@pytest.mark.parametrize("count", [1, 19])
def test_a_list_that_refuses_every_member_by_email_ends_the_run(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, count: int
) -> None:
    addresses = [f"person{number}@example.com" for number in range(count)]
    portal.add_contact(addresses[0])
    hubspot.faults.next("PUT", PUT, times=None, status=400, body=LOCKED)

    run = run_target(email_schema(), *(by_email("VIP", each) for each in addresses), STATE, match_by="email")

    assert_list_refused(run)
    assert "@" not in run.error


def test_a_list_that_refuses_with_403_ends_the_run_by_its_name(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    contacts = portal.add_contacts(3)
    vip = portal.add_list("VIP")
    hubspot.faults.next(
        "PUT", f"/{vip.list_id}{PUT}", times=None, status=403, body=LOCKED | {"category": "FORBIDDEN"}
    )

    run = run_target(schema_message(), *adds(contacts), *adds(contacts, "Other"), STATE)

    assert_list_refused(run)


def test_a_scope_that_lacks_is_not_the_fault_of_a_list(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    hubspot.faults.next("PUT", PUT, times=None, status=403)

    run = run_target(schema_message(), *adds([ada]), STATE)

    assert (run.exit_code, run.states) == (1, [])
    assert "Grant the app the scopes" in run.error
    assert "single contacts" not in run.error


def test_a_call_with_one_id_that_is_too_large_is_the_fault_of_no_id(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    contacts = portal.add_contacts(3)
    hubspot.faults.next("PUT", PUT, times=None, status=413)

    run = run_target(schema_message(), *adds(contacts), STATE)

    assert (run.exit_code, run.states) == (1, [])
    assert 'List "VIP"' in run.error


@pytest.mark.parametrize("kind", ["add", "remove"])
@pytest.mark.parametrize("count", [1, 19])
def test_a_list_that_refuses_only_adds_or_only_removals_ends_the_run(
    portal: Portal, run_target: TargetRunner, kind: str, count: int
) -> None:
    members, others = (
        list(portal.add_contacts(count)),
        list(portal.add_contacts(count, "other{}@example.com")),
    )
    vip = portal.add_list("VIP", members=members)
    portal.quirks.locked_lists = {vip.list_id: {kind}}

    run = run_target(
        schema_message(), *adds(members, operation="remove"), *adds(others), STATE, report_members="all"
    )

    assert_list_refused(run)
    # What the list takes is done, so that the next run has less to do.
    assert portal.members("VIP") == ({*members, *others} if kind == "remove" else set())


def test_a_list_that_refuses_from_the_second_flush_on_keeps_the_state_of_the_first(
    portal: Portal, hubspot: HubSpotEmulator, run_target: TargetRunner
) -> None:
    contacts = list(portal.add_contacts(80))
    hubspot.faults.next("PUT", PUT, times=None, after=1, status=400, body=LOCKED)

    run = run_target(
        schema_message(),
        *adds(contacts[:40]),
        state_message({"n": 1}),
        *adds(contacts[40:]),
        state_message({"n": 2}),
        batch_size_rows=41,
    )

    assert run.exit_code == 1
    assert WORDS in run.error
    assert run.states == [{"n": 1}]
    assert portal.members("VIP") == set(contacts[:41])


@pytest.mark.parametrize("taken", [1, 2, 3])
def test_a_list_that_refuses_from_the_middle_of_a_flush_on_loses_nobody(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, taken: int
) -> None:
    """One guilty id makes the call be divided; after some parts were taken the list takes none any more."""
    contacts = list(portal.add_contacts(64))
    portal.quirks.refused_record_ids = {contacts[40]}
    hubspot.faults.next("PUT", PUT, times=None, after=taken + 1, status=400, body=LOCKED)

    run = run_target(schema_message(), *adds(contacts), STATE, max_concurrency=1)

    assert_list_refused(run)


def test_a_list_that_refuses_for_moments_only_loses_nobody(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    """What was refused alone before others were taken is sent once more."""
    contacts = portal.add_contacts(8)
    hubspot.faults.next("PUT", PUT, times=4, status=400, body=LOCKED)

    run = run_target(schema_message(), *adds(contacts), STATE)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert portal.members("VIP") == set(contacts)
    assert row(run.log, "VIP")["added"] == "8"


def test_a_refusal_that_passes_makes_later_calls_no_smaller(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    contacts = portal.add_contacts(400)
    hubspot.faults.next("PUT", PUT, times=8, status=400, body=LOCKED)

    run = run_target(schema_message(), *adds(contacts), STATE, batch_size_rows=200, max_concurrency=1)

    assert run.exit_code == 0
    assert portal.members("VIP") == set(contacts)
    assert hubspot.calls("PUT", PUT) < 30


def test_other_lists_are_brought_to_their_end(portal: Portal, run_target: TargetRunner) -> None:
    contacts = portal.add_contacts(5)
    vip = portal.add_list("VIP")
    portal.quirks.locked_lists = {vip.list_id: {"add"}}

    run = run_target(schema_message(), *adds(contacts), *adds(contacts, "Other"), STATE)

    assert_list_refused(run)
    assert portal.members("Other") == set(contacts)
    assert row(run.log, "Other")["added"] == "5"


def test_a_mirror_whose_list_refuses_removals_ends_the_run(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    vip = portal.hubspot_list("c_VIP")
    portal.quirks.locked_lists = {vip.list_id: {"remove"}}

    run = mirror(run_target, SIZED, *sized(people[1:], 3), STATE)

    assert_list_refused(run, "c_VIP")
    assert portal.members("c_VIP") == set(people)


def test_a_list_made_anew_that_refuses_the_members_of_the_ledger_ends_the_run(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, hubspot: HubSpotEmulator
) -> None:
    contacts = list(portal.add_contacts(4))
    run_target(schema_message(), *adds(contacts[:3]), ledger_url=sqlite_url)
    portal.rename_list("VIP", "Old")  # a deleted list keeps its name
    portal.delete_list("Old")
    hubspot.faults.next("PUT", PUT, times=None, status=400, body=LOCKED)
    messages = [schema_message(), *adds(contacts[3:]), STATE]

    run = run_target(*messages, ledger_url=sqlite_url)

    assert_list_refused(run)

    hubspot.faults.clear()
    again = run_target(*messages, ledger_url=sqlite_url)

    assert (again.exit_code, again.states) == (0, [{"n": 1}])
    assert portal.members("VIP") == set(contacts)


# Ids that are guilty


@pytest.mark.parametrize(
    "guilty", [[0], [1], [37], [99], [0, 1], [50, 51, 99], list(range(2, 100)), list(range(1, 99))]
)
@pytest.mark.parametrize("operation", ["add", "remove"])
def test_guilty_ids_among_good_ones_cost_themselves_only(
    portal: Portal, run_target: TargetRunner, guilty: list[int], operation: str
) -> None:
    contacts = list(portal.add_contacts(100))
    portal.add_list("VIP", members=contacts if operation == "remove" else [])
    refused = {contacts[each] for each in guilty}
    portal.quirks.refused_record_ids = refused

    run = run_target(schema_message(), *adds(contacts, operation=operation), STATE)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert portal.members("VIP") == (refused if operation == "remove" else set(contacts) - refused)
    assert row(run.log, "VIP")["rejected"] == str(len(guilty))
    assert f"{len(guilty)} refused_by_hubspot" in run.log


@pytest.mark.parametrize("operation", ["add", "remove"])
def test_a_guilty_id_that_is_the_only_one_of_its_kind_costs_itself_only(
    portal: Portal, run_target: TargetRunner, operation: str
) -> None:
    contacts = list(portal.add_contacts(10))
    guilty = contacts[0]
    other = "remove" if operation == "add" else "add"
    portal.add_list("VIP", members=[guilty] if operation == "remove" else contacts[1:])
    portal.quirks.refused_record_ids = {guilty}

    run = run_target(
        schema_message(),
        *adds([guilty], operation=operation),
        *adds(contacts[1:], operation=other),
        STATE,
    )

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert row(run.log, "VIP")["rejected"] == "1"
    assert portal.members("VIP") == (set(contacts) if operation == "remove" else set())


@pytest.mark.parametrize("guilty", [range(150), range(200, 350), range(100, 299)])
def test_a_long_row_of_guilty_ids_behind_or_before_good_ones_costs_itself_only(
    portal: Portal, run_target: TargetRunner, guilty: range
) -> None:
    contacts = list(portal.add_contacts(400))
    refused = {contacts[each] for each in guilty}
    portal.quirks.refused_record_ids = refused

    run = run_target(schema_message(), *adds(contacts), STATE, max_concurrency=1)

    if guilty.start:
        assert (run.exit_code, run.states) == (0, [{"n": 1}])
        assert portal.members("VIP") == set(contacts) - refused
        assert row(run.log, "VIP")["rejected"] == str(len(refused))
    else:
        # A hundred refused and none taken: that is the list, as far as anybody can tell.
        assert (run.exit_code, run.states) == (1, [])


def test_a_guilty_id_that_is_alone_in_its_call_is_told_by_another_call_that_is_taken(
    portal: Portal, run_target: TargetRunner
) -> None:
    contacts = list(portal.add_contacts(10_001))
    portal.quirks.refused_record_ids = {contacts[-1]}

    run = run_target(schema_message(), *adds(contacts), STATE, max_concurrency=1)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert row(run.log, "VIP")["rejected"] == "1"


@pytest.mark.parametrize("count", [1, 2, 5])
def test_ids_that_hubspot_names_are_rejected_even_if_they_are_all_of_the_list(
    portal: Portal, run_target: TargetRunner, count: int
) -> None:
    contacts = set(portal.add_contacts(count))
    portal.quirks.refused_record_ids = contacts
    portal.quirks.names_refused_ids = True

    run = run_target(schema_message(), *adds(contacts), STATE)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert row(run.log, "VIP")["rejected"] == str(count)


@pytest.mark.parametrize("count", [1, 5, 150])
def test_ids_that_are_all_refused_and_that_hubspot_does_not_know_are_missing(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, count: int
) -> None:
    nobodies = {str(each) for each in range(1, count + 1)}
    portal.quirks.refused_record_ids = nobodies

    run = run_target(schema_message(), *adds(nobodies), STATE)

    assert row(run.log, "VIP")["missing"] == str(count)
    assert (run.exit_code, run.states) == ((0, [{"n": 1}]) if count < 20 else (1, []))
    assert hubspot.calls("POST", "/contacts/batch/read") == -(-count // 100)


def test_more_unknown_ids_than_are_tried_one_by_one_hide_no_good_one(
    portal: Portal, run_target: TargetRunner
) -> None:
    nobodies = {str(each) for each in range(1, 151)}
    contacts = portal.add_contacts(50)
    portal.quirks.refused_record_ids = nobodies

    run = run_target(schema_message(), *adds([*sorted(nobodies), *contacts]), STATE)

    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert portal.members("VIP") == set(contacts)
    assert int(row(run.log, "VIP")["missing"]) + int(row(run.log, "VIP")["rejected"]) == 150


def test_one_known_id_among_unknown_ones_says_that_it_is_the_list(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    (ada,) = portal.add_contacts(1)
    hubspot.faults.next("PUT", PUT, times=None, status=400, body=LOCKED)

    run = run_target(schema_message(), *adds(["1", ada, "2"]), STATE)

    assert_list_refused(run)


@pytest.fixture
def hubspot_without_reading(portal: Portal) -> Iterator[HubSpotEmulator]:
    tokens = {"pat-na1-no-reading": ["crm.lists.read", "crm.lists.write"]}
    with HubSpotEmulator(portal, tokens=tokens) as hubspot:
        yield hubspot


def test_a_token_that_may_not_read_contacts_leaves_the_blame_with_the_list(
    hubspot_without_reading: HubSpotEmulator, run_target: TargetRunner
) -> None:
    hubspot = hubspot_without_reading
    hubspot.faults.next("PUT", PUT, times=None, status=400, body=LOCKED)
    where = {"api_url": hubspot.url, "access_token": hubspot.token}

    run = run_target(schema_message(), *adds(["1"]), STATE, **where)

    assert_list_refused(run)


# Look-ups


READ = "/contacts/batch/read"


def run_emails(run_target: TargetRunner, addresses: Iterable[str], **config: Any) -> Run:
    return run_target(
        email_schema(), *(by_email("VIP", each) for each in addresses), STATE, match_by="email", **config
    )


def people_by_email(portal: Portal, count: int) -> list[str]:
    addresses = [f"person{number}@example.com" for number in range(count)]
    for each in addresses:
        portal.add_contact(each)
    return addresses


@pytest.mark.parametrize("config", [{}, {"sync_mode": "mirror", "snapshot_end": "end_of_input"}], ids=str)
@pytest.mark.parametrize("count", [1, 5, 19, 150])
@pytest.mark.parametrize("status", [400, 413])
def test_look_ups_that_are_all_refused_end_the_run_with_hubspots_words(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    config: dict[str, Any],
    count: int,
    status: int,
) -> None:
    addresses = people_by_email(portal, count)
    hubspot.faults.next("POST", READ, times=None, status=status, body=LOCKED)

    run = run_emails(run_target, addresses, **config)

    assert (run.exit_code, run.states) == (1, [])
    assert WORDS in run.error
    assert hubspot.calls("POST", READ) <= 2 * count + 10


def test_look_ups_that_are_refused_from_the_second_flush_on_end_the_run(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    addresses = people_by_email(portal, 6)
    hubspot.faults.next("POST", READ, times=None, after=1, status=400, body=LOCKED)

    run = run_emails(run_target, addresses, batch_size_rows=3)

    assert (run.exit_code, run.states) == (1, [])
    assert WORDS in run.error


@pytest.mark.parametrize("guilty", [[0], [7], [0, 1, 2], [9], list(range(9)), list(range(10))])
def test_addresses_that_hubspot_does_not_look_up_cost_themselves_only(
    portal: Portal, run_target: TargetRunner, guilty: list[int]
) -> None:
    addresses = people_by_email(portal, 10)
    refused = {addresses[each] for each in guilty}
    portal.quirks.refused_look_ups = refused

    run = run_emails(run_target, addresses)

    # Also where it is all of them: a look-up of another address tells that HubSpot looks up.
    assert (run.exit_code, run.states) == (0, [{"n": 1}])
    assert portal.member_emails("VIP") == set(addresses) - refused
    assert row(run.log, "VIP")["rejected"] == str(len(guilty))


@pytest.mark.parametrize("config", [{}, {"sync_mode": "mirror", "snapshot_end": "end_of_input"}], ids=str)
def test_an_address_that_hubspot_names_as_not_valid_costs_itself_only(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    tmp_path: Path,
    config: dict[str, Any],
) -> None:
    addresses = people_by_email(portal, 3)
    portal.add_list("VIP", members=addresses[:1])
    report = tmp_path / "report.jsonl"

    def refuse_first(answer: Answer) -> Answer:
        assert isinstance(answer.body, dict)
        error = {
            "status": "error",
            "category": "VALIDATION_ERROR",
            "message": "Not an address",
            "context": {"ids": addresses[:1]},
        }
        results = [each for each in answer.body["results"] if each["properties"]["email"] != addresses[0]]
        return Answer(207, {**answer.body, "results": results, "numErrors": 1, "errors": [error]})

    hubspot.faults.change("POST", READ, refuse_first)

    run = run_emails(run_target, addresses, report_path=str(report), **config)

    assert portal.member_emails("VIP") == set(addresses)
    assert row(run.log, "VIP")["rejected"] == "1"
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    told = {each["member"]: (each["reason"], each["message"]) for each in lines if each["kind"] == "member"}
    assert told == {addresses[0]: ("refused_by_hubspot", "Not an address")}
    # A mirror removes nobody as long as a member of the snapshot may be on the list unseen.
    assert run.exit_code == bool(config)
    assert ("No member was removed" in run.log) is bool(config)
