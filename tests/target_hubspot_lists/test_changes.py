"""Adds and removes in large calls: what HubSpot confirms, refuses, or leaves open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspot_singer.http import Refused
from hubspot_singer.http.calls import Call
from hubspot_singer.http.redaction import Redactor
from target_hubspot_lists.hubspot.membership_changes import Change, Confirmation
from target_hubspot_lists.hubspot.refusals import Doubt
from tests.factories import membership, schema_message, state_message
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

PROBLEM = Refused(Call("PUT", "/crm/lists/2026-03/42/memberships/add-and-remove", Redactor()), 400)

record_ids = st.lists(st.integers(1, 10**6), unique=True, max_size=50)


@given(record_ids, st.data(), st.integers(1, 60))
def test_splitting_a_change_loses_and_repeats_nothing(ids: list[int], data: st.DataObject, size: int) -> None:
    cut = data.draw(st.integers(0, len(ids)))
    change = Change(tuple(ids[:cut]), tuple(ids[cut:]))

    parts = list(change.split(size))

    assert tuple(each for part in parts for each in part.add) == change.add
    assert tuple(each for part in parts for each in part.remove) == change.remove
    assert all(0 < len(part) <= size for part in parts)


@pytest.mark.parametrize(
    ("change", "halves"),
    [
        (Change((1, 2, 3), ()), [Change((1, 2), ()), Change((3,), ())]),
        (Change((1,), (2, 3, 4)), [Change((1,), (2,)), Change((), (3, 4))]),
        (Change((), (1,)), [Change((), (1,))]),
    ],
)
def test_of_an_odd_number_the_first_half_is_the_larger(change: Change, halves: list[Change]) -> None:
    assert list(change.halves()) == halves


def test_an_answer_is_accepted_unless_an_id_is_refused_or_in_doubt() -> None:
    change = Change((1,), (2,))
    refused, doubtful = Confirmation(change), Confirmation(change)
    refused.refused[1] = PROBLEM
    doubtful.doubtful[1] = Doubt(PROBLEM, None)

    assert Confirmation(change).is_accepted is True
    assert refused.is_accepted is False
    assert doubtful.is_accepted is False


def test_the_seconds_of_parts_add_up_from_none() -> None:
    whole = Confirmation(Change((1,), ()))
    whole.include(Confirmation(whole.change, seconds=1.5))

    assert whole.seconds == 1.5


def test_both_spellings_are_read_and_absent_arrays_are_empty() -> None:
    change = Change((1, 2), (3,))

    assert Confirmation.from_body(change, {"recordIdsAdded": ["1"]}).added == {1}
    assert Confirmation.from_body(change, {"recordsIdsAdded": ["2"]}).added == {2}
    assert Confirmation.from_body(change, {"recordsIdsRemoved": ["3"]}).removed == {3}
    assert Confirmation.from_body(change, {}) == Confirmation(change)


@pytest.mark.parametrize("strange", ["1_0", " 10", "+10", "10.0", 10.5, None, True, {"id": "10"}])
def test_what_is_no_record_id_in_an_answer_is_no_answer_about_one(strange: object) -> None:
    change = Change((7, 10), ())

    assert Confirmation.from_body(change, {"recordsIdsAdded": ["7", strange]}).added == {7}


def test_ids_that_were_not_asked_for_are_warned_of_and_not_counted(caplog: pytest.LogCaptureFixture) -> None:
    body = {"recordsIdsAdded": ["1", "77"], "recordIdsRemoved": ["1"], "recordIdsMissing": ["99", "2", "4"]}
    change = Change((1, 2), (3, 4))

    confirmation = Confirmation.from_body(change, body)

    assert confirmation == Confirmation(change, added={1}, missing={2, 4})
    assert "names 3 record ids that were not asked for" in caplog.text


def test_members_go_in_calls_of_at_most_ten_thousand(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    contacts = list(portal.add_contacts(25_000))
    portal.add_list("VIP", members=contacts[:5_000])

    run = run_target(
        schema_message(),
        *(membership("VIP", contact, "remove") for contact in contacts[:5_000]),
        *(membership("VIP", contact) for contact in contacts[5_000:]),
    )

    assert run.exit_code == 0
    assert portal.members("VIP") == set(contacts[5_000:])
    assert hubspot.calls("PUT", "/memberships/add-and-remove") == 3
    assert row(run.log, "VIP")["added"] == "20000"
    assert row(run.log, "VIP")["removed"] == "5000"


def test_members_that_were_on_the_list_already_are_unconfirmed(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob, cyd = portal.add_contacts(3)
    portal.add_list("VIP", members=[ada])

    run = run_target(
        schema_message(), membership("VIP", ada), membership("VIP", bob), membership("VIP", cyd, "remove")
    )

    assert row(run.log, "VIP")["added"] == "1"
    assert row(run.log, "VIP")["unconfirmed"] == "2"


@pytest.mark.parametrize("status", [413, 400])
def test_a_call_too_large_is_halved_and_the_size_that_works_is_kept(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, status: int
) -> None:
    portal.quirks.max_ids_per_call = 1_000
    portal.quirks.too_many_ids_status = status
    contacts = list(portal.add_contacts(16_000))

    run = run_target(
        schema_message(),
        *(membership("VIP", each) for each in contacts),
        batch_size_rows=4_000,
        max_concurrency=1,
    )

    assert run.exit_code == 0
    assert portal.members("VIP") == set(contacts)
    refused = hubspot.calls("PUT", "/memberships/", status=status)
    assert refused == 2
    assert hubspot.calls("PUT", "/memberships/") - refused == 16


def test_an_id_that_hubspot_refuses_costs_itself_only(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    contacts = list(portal.add_contacts(100))
    guilty = contacts[37]
    portal.quirks.refused_record_ids = {guilty}

    run = run_target(
        schema_message(), *(membership("VIP", each) for each in contacts), state_message({"bookmark": 1})
    )

    assert run.exit_code == 0
    assert portal.members("VIP") == set(contacts) - {guilty}
    assert row(run.log, "VIP")["rejected"] == "1"
    assert "1 refused_by_hubspot" in run.log
    assert run.states == [{"bookmark": 1}]
    assert hubspot.calls("PUT", "/memberships/") <= 16


def test_a_call_that_is_too_slow_twice_is_halved(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.quirks.seconds_per_id = 0.05
    contacts = list(portal.add_contacts(4_000))

    run = run_target(schema_message(), *(membership("VIP", each) for each in contacts))

    assert run.exit_code == 0
    assert portal.members("VIP") == set(contacts)
    assert hubspot.calls("PUT", "/memberships/", status=524) == 2
    assert hubspot.calls("PUT", "/memberships/", status=200) == 2


def test_a_write_whose_answer_was_lost_is_sent_again_and_its_members_are_unconfirmed(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob = portal.add_contacts(2)
    hubspot.faults.accept_then_drop("PUT", "/memberships/")

    run = run_target(
        schema_message(), membership("VIP", ada), membership("VIP", bob), state_message({"bookmark": 1})
    )

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada, bob}
    assert row(run.log, "VIP")["unconfirmed"] == "2"
    assert run.states == [{"bookmark": 1}]


@pytest.mark.parametrize("fault", ["next", "reset", "truncate", "not_json", "accept_then_drop"])
@pytest.mark.parametrize("path", ["/memberships/", "/name/", "/lists/2026-03"])
def test_any_single_fault_ends_in_the_same_portal(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, fault: str, path: str
) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("Old", members=[bob])
    getattr(hubspot.faults, fault)("*", path)

    run = run_target(schema_message(), membership("New", ada), membership("Old", bob, "remove"))

    assert run.exit_code == 0
    assert hubspot.faults.pending == []
    assert (portal.members("New"), portal.members("Old")) == ({ada}, set())
    assert portal.list_names() == {"New", "Old"}


@pytest.mark.parametrize("status", [400, 409])
def test_ids_that_go_through_in_halves_are_all_applied(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, status: int
) -> None:
    contacts = portal.add_contacts(4)
    hubspot.faults.next("PUT", "/memberships/", status=status)

    run = run_target(schema_message(), *(membership("VIP", each) for each in contacts))

    assert run.exit_code == 0
    assert portal.members("VIP") == set(contacts)


def test_a_list_that_takes_no_id_at_all_ends_the_run_instead_of_trying_each_one(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    contacts = portal.add_contacts(1_000)
    hubspot.faults.next("PUT", "/memberships/", times=None, status=400)

    run = run_target(
        schema_message(), *(membership("VIP", each) for each in contacts), state_message({"n": 1})
    )

    assert run.exit_code == 1
    assert "was answered 400" in run.error
    assert run.states == []
    assert hubspot.calls("PUT", "/memberships/") < 500
