"""Which list each cohort goes to, and what each run did to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from target_hubspot_lists.ledger import RunInLedger
from tests.target_hubspot_lists.conftest import PORTAL, START, VIP

if TYPE_CHECKING:
    from target_hubspot_lists.ledger import Ledger
    from tests.target_hubspot_lists.conftest import Ledgers


def test_a_cohort_finds_its_list_again_in_the_next_run(open_ledger: Ledgers, ledger: Ledger) -> None:
    ledger.close()

    assert open_ledger().lists.all() == [VIP]


def test_a_renamed_list_has_its_new_name(ledger: Ledger) -> None:
    ledger.lists.rename_list("42", "Very important")

    assert ledger.lists.all() == [replace(VIP, name="Very important")]


def test_several_cohorts_can_lead_to_one_list(ledger: Ledger) -> None:
    beta = replace(VIP, cohort_key="beta")

    ledger.lists.remember_list(beta)

    assert ledger.lists.all() == [beta, VIP]


def test_a_cohort_that_was_given_another_list_goes_there_and_the_first_stays_known(ledger: Ledger) -> None:
    other = replace(VIP, list_id="43")

    ledger.lists.remember_list(other)

    assert ledger.lists.all() == [replace(VIP, cohort_key=None), other]


def test_that_a_list_was_made_by_us_and_read_is_never_taken_back(ledger: Ledger) -> None:
    ledger.members.take_over("42", [])

    ledger.lists.remember_list(replace(VIP, stream="others", created_by_us=False))

    assert ledger.lists.all() == [replace(VIP, stream="others", was_read=True)]


def test_the_keys_of_cohorts_differ_in_case(ledger: Ledger) -> None:
    shouted = replace(VIP, cohort_key="VIP", list_id="43")

    ledger.lists.remember_list(shouted)

    assert ledger.lists.all() == [VIP, shouted]


def test_a_list_that_was_replaced_takes_its_members_along(ledger: Ledger) -> None:
    ledger.members.settle("42", on=[1], off=())

    ledger.lists.replace_list("42", replace(VIP, list_id="43"))

    ledger.lists.remember_list(VIP)
    assert ledger.members.all("42") == set()


def test_removals_that_were_held_back_are_noted_with_a_list_until_they_are_over(
    open_ledger: Ledgers, ledger: Ledger
) -> None:
    other = open_ledger(PORTAL + 1)
    other.lists.remember_list(VIP)

    ledger.lists.note_held_back("42", 25)
    ledger.lists.remember_list(VIP)

    assert ledger.lists.members_before_held_back("42") == 25
    assert ledger.lists.members_before_held_back("43") is None
    assert other.lists.members_before_held_back("42") is None
    ledger.lists.replace_list("42", replace(VIP, list_id="43"))
    assert ledger.lists.members_before_held_back("43") == 25
    ledger.lists.note_held_back("43", None)
    assert ledger.lists.members_before_held_back("43") is None


def test_portals_have_lists_of_their_own(open_ledger: Ledgers, ledger: Ledger) -> None:
    other = open_ledger(PORTAL + 1)
    other.lists.remember_list(replace(VIP, name="Theirs"))

    ledger.lists.rename_list("42", "Ours")
    ledger.lists.replace_list("42", replace(VIP, list_id="43"))

    assert other.lists.all() == [replace(VIP, name="Theirs")]
    assert ledger.lists.all() == [replace(VIP, list_id="43")]


def test_each_run_leaves_one_line_on_each_list(open_ledger: Ledgers, ledger: Ledger) -> None:
    ledger.lists.record_run("42", stream="members", started=START, asked=1, outcomes={"added": 1})
    open_ledger.days_pass(1)
    ledger.lists.record_run(
        "42", stream="members", started=START, asked=5, outcomes={"added": 3, "missing": 2}
    )
    later = START + timedelta(days=1)
    open_ledger(run_id="run-2").lists.record_run("42", stream="members", started=later, asked=0, outcomes={})

    outcomes = {"added": 3, "missing": 2}
    assert open_ledger.runs("42") == [
        RunInLedger(PORTAL, "run-2", "42", "VIP", "members", later, later, 0, {}, is_complete=True),
        RunInLedger(PORTAL, "run-1", "42", "VIP", "members", START, later, 5, outcomes, is_complete=True),
    ]
    assert open_ledger.runs("43") == []
