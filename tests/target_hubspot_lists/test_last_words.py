"""The last word on a member stands, and what is only counted is counted as if each member were looked at."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_hubspot_lists.hubspot.list_objects import HubSpotList
from target_hubspot_lists.input.records import Cohort
from target_hubspot_lists.reporting.account import Account, RequestedChange, RequestedChanges, packed
from target_hubspot_lists.sync.plans import Fold, Plan, last_words, to_add
from tests.factories import membership, schema_message
from tests.hubspot_emulator import HubSpotEmulator, Portal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import TargetRunner

changes = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 3), st.booleans()))
VIP = HubSpotList("42", "VIP", "MANUAL", "0-1")


def test_a_plan_names_members_as_records_did_and_counts_calls_on_its_first_cohort() -> None:
    first, second = (Account(Cohort(None, name), name) for name in ("VIP", "Beta"))
    by_address = Fold(first)
    by_address.take(1, packed(0, is_member=True), "ada@example.com")
    by_record_id = RequestedChanges(second, {2: packed(1, is_member=True)})

    plan = Plan(VIP, (by_address.words, by_record_id))

    assert list(plan.members()) == ["ada@example.com", 2]
    assert plan.account is first


def test_a_plan_tells_which_identifier_found_each_contact() -> None:
    account = Account(Cohort(None, "VIP"), "VIP")
    asked = {
        7: RequestedChange("ada", True, 0, account, found_by=1),
        8: RequestedChange("bob", False, 1, account, found_by=0),
        9: RequestedChange("cyd", True, 2, account),
    }

    assert Plan.of(VIP, asked).all_asked() == asked


def test_what_plans_add_has_each_contact_once_for_each_list() -> None:
    account = Account(Cohort(None, "VIP"), "VIP")
    words = {
        contact: packed(position, is_member=is_member)
        for position, (contact, is_member) in enumerate([(7, True), (8, True), (9, False), (10, False)])
    }
    plan = Plan(VIP, (RequestedChanges(account, words),))

    assert list(to_add([plan, plan])) == [7, 8, 7, 8]


def test_a_change_is_of_the_contacts_asked_for_alone() -> None:
    account = Account(Cohort(None, "VIP"), "VIP")
    is_member = {7: True, 8: True, 9: True, 10: False}
    words = {
        contact: packed(position, is_member=is_added)
        for position, (contact, is_added) in enumerate(is_member.items())
    }
    plan = Plan(VIP, (RequestedChanges(account, words),))

    for number in range(len(words) + 1):
        for some in itertools.combinations(words, number):
            change = plan.change(set(some))
            assert [*change.add] == [each for each in some if is_member[each]]
            assert [*change.remove] == [each for each in some if not is_member[each]]


@given(changes)
def test_the_last_word_on_each_contact_stands_whatever_route_and_address_it_came_by(
    sequence: list[tuple[int, int, bool]],
) -> None:
    accounts = [Account(Cohort(None, name), name) for name in ("VIP", "Beta")]
    folds = [Fold(account) for account in accounts]
    for position, (contact, address, is_member) in enumerate(sequence):
        route = (contact + address) % 2
        folds[route].take(contact, packed(position, is_member=is_member), f"{contact}-{address}")
    plan = Plan(VIP, tuple(last_words(fold.words for fold in folds)))
    expected = {contact: is_member for contact, _, is_member in sequence}

    assert plan.wanted(plan.record_ids) == expected
    assert len(plan) == len(expected)
    assert sum(each.superseded for each in accounts) == len(sequence) - len(expected)
    change = plan.change(plan.record_ids)
    assert set(change.add) == {each for each, is_member in expected.items() if is_member}
    assert set(change.remove) == expected.keys() - set(change.add)
    for contact, asked in plan.asked_of(expected).items():
        position = max(n for n, each in enumerate(sequence) if each[0] == contact)
        assert (asked.member, asked.position) == (f"{contact}-{sequence[position][1]}", position)


@given(
    st.lists(st.tuples(st.integers(1, 6), st.booleans())),
    st.dictionaries(st.integers(1, 6), st.integers(1, 6)),
)
def test_words_follow_contacts_that_were_merged(
    sequence: list[tuple[int, bool]], merged: dict[int, int]
) -> None:
    account = Account(Cohort(None, "VIP"), "VIP")
    words = {
        each: packed(position, is_member=is_member) for position, (each, is_member) in enumerate(sequence)
    }
    followed = Plan(VIP, (RequestedChanges(account, words),)).with_current_ids(merged)
    by_contact: dict[int, int] = {}
    for each, word in words.items():
        by_contact[merged.get(each, each)] = max(word, by_contact.get(merged.get(each, each), word))

    assert followed.wanted(followed.record_ids) == {each: bool(word & 1) for each, word in by_contact.items()}
    assert account.superseded == len(words) - len(by_contact)


@pytest.mark.parametrize("config", [{}, {"verify_memberships": True}, {"batch_size_rows": 2}])
def test_a_report_on_everybody_changes_no_figure(
    run_target: TargetRunner, tmp_path: Path, config: dict[str, object]
) -> None:
    figures = [
        figures_of(run_target, tmp_path / members, members, config) for members in ("all", "unapplied")
    ]

    assert figures[0] == figures[1]
    assert figures[0]["asked"] + figures[0]["superseded"] == 10


def figures_of(
    run_target: TargetRunner, path: Path, report_members: str, config: dict[str, object]
) -> dict[str, Any]:
    """Run on memberships of every outcome, in a portal of its own; return what the report says of the list."""
    with HubSpotEmulator(Portal()) as run_target.hubspot:
        portal = run_target.hubspot.portal
        ada, bob, cyd, dan, eve = portal.add_contacts(5)
        portal.add_list("VIP", members=[bob, cyd, dan])
        run_target(
            schema_message(),
            *(membership("VIP", each) for each in (ada, bob, 999, "x")),
            *(membership("VIP", each, "remove") for each in (cyd, eve, 998, ada)),
            membership("VIP", ada),
            membership("VIP", dan, "remove"),
            report_path=str(path),
            report_members=report_members,
            **config,
        )
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        (of_list,) = [line for line in lines if line["kind"] == "list"]
        varying = {"run_id", "time", "line", "membership_seconds"}
        return {name: value for name, value in of_list.items() if name not in varying} | {
            "members": sorted(portal.members("VIP"))
        }
