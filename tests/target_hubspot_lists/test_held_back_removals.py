"""Removals that were held back: members whom the same run added do not let them through in the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import record_message, schema_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import Portal

BEFORE = [f"before{number}@example.com" for number in range(25)]
OTHERS = [f"other{number}@example.com" for number in range(200)]


@pytest.fixture(autouse=True)
def before(portal: Portal) -> set[str]:
    """25 contacts on a list that no run has filled yet."""
    contacts = set(portal.add_contacts(25, "before{}@example.com"))
    portal.add_list("c_VIP", members=list(contacts))
    return contacts


def mirror(
    run_target: TargetRunner, members: Iterable[str], *, size: int | None = None, **config: Any
) -> Run:
    """Run on a whole cohort, with the limits' defaults."""
    members = list(members)
    size = len(members) if size is None else size
    settings = {"match_by": "email", "sync_mode": "mirror", "list_name_prefix": "c_"} | config
    return run_target(
        schema_message("email", "cohort_name", "cohort_size"),
        *(record_message(email=each, cohort_name="VIP", cohort_size=size) for each in members),
        **settings,
    )


def test_a_rerun_of_the_same_input_holds_them_back_too(
    portal: Portal, run_target: TargetRunner, ledger_url: str, before: set[str]
) -> None:
    first = mirror(run_target, OTHERS, ledger_url=ledger_url)
    added = len(portal.members("c_VIP"))
    foretold = mirror(run_target, OTHERS, ledger_url=ledger_url, dry_run=True)
    again = mirror(run_target, OTHERS, ledger_url=ledger_url)
    third = mirror(run_target, OTHERS, ledger_url=ledger_url)

    assert added == 225
    assert [run.exit_code for run in (first, foretold, again, third)] == [1, 1, 1, 1]
    assert "would remove 25 of 25 members, more than max_removal_percent (20)" in first.error
    assert "A rerun" not in first.error
    assert (
        "would remove 25 of the 25 members that the list had before an earlier run in which removals were held back "
        "(now 225), more than max_removal_percent (20)"
    ) in again.error
    assert foretold.error == again.error == third.error
    assert before <= portal.members("c_VIP")


def test_a_dry_run_notes_nothing(portal: Portal, run_target: TargetRunner, sqlite_url: str) -> None:
    mirror(run_target, BEFORE, ledger_url=sqlite_url)
    mirror(run_target, OTHERS, ledger_url=sqlite_url, dry_run=True)
    mirror(run_target, [*BEFORE, *OTHERS], ledger_url=sqlite_url)

    run = mirror(run_target, OTHERS, ledger_url=sqlite_url)

    assert run.exit_code == 0
    assert portal.member_emails("c_VIP") == set(OTHERS)


@pytest.mark.parametrize("removes", ["all", "ours"])
def test_a_raised_limit_lets_them_through_once_and_for_later_runs_it_is_over(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, removes: str
) -> None:
    settings: dict[str, Any] = {"ledger_url": sqlite_url, "mirror_removes": removes}
    portal.rename_list("c_VIP", "Old")
    mirror(run_target, BEFORE, **settings)
    mirror(run_target, OTHERS, **settings)

    raised = mirror(run_target, OTHERS, **settings, max_removal_percent=100)
    later = mirror(run_target, OTHERS[30:], **settings)

    assert (raised.exit_code, later.exit_code) == (0, 0)
    assert portal.member_emails("c_VIP") == set(OTHERS[30:])


def test_a_snapshot_that_asks_for_no_removal_ends_it(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    mirror(run_target, OTHERS, ledger_url=sqlite_url)
    corrected = mirror(run_target, [*BEFORE, *OTHERS], ledger_url=sqlite_url)

    later = mirror(run_target, [*BEFORE, *OTHERS[30:]], ledger_url=sqlite_url)

    assert (corrected.exit_code, later.exit_code) == (0, 0)
    assert portal.member_emails("c_VIP") == {*BEFORE, *OTHERS[30:]}


def test_members_that_an_incomplete_snapshot_added_do_not_let_the_whole_one_through(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, before: set[str]
) -> None:
    """The tap broke off, and the retry brought all of the wrong rows."""
    broken = mirror(run_target, OTHERS[:150], size=200, ledger_url=sqlite_url)

    again = mirror(run_target, OTHERS, ledger_url=sqlite_url)

    assert (broken.exit_code, again.exit_code) == (1, 1)
    assert before <= portal.members("c_VIP")


def test_a_first_load_in_two_parts_holds_no_later_removal_back(
    portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    portal.rename_list("c_VIP", "Old")
    mirror(run_target, OTHERS[:150], size=200, ledger_url=sqlite_url)

    run = mirror(run_target, OTHERS[1:], ledger_url=sqlite_url)

    assert run.exit_code == 0
    assert portal.member_emails("c_VIP") == set(OTHERS[1:])


def test_without_a_ledger_the_message_says_what_a_rerun_does(run_target: TargetRunner) -> None:
    run = mirror(run_target, OTHERS)

    assert run.exit_code == 1
    assert run.error.endswith(
        "A rerun counts the members that this run added as well, so it may remove them all the same; a ledger "
        "(ledger_url) prevents that."
    )
