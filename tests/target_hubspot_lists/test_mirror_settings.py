"""A mirror with the settings of every run: a dry run, memberships read back, and a limit to what may not apply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import state_message
from tests.target_hubspot_lists.logs import row
from tests.target_hubspot_lists.mirrors import SIZED, mirror, sized

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

OUTCOMES = ("asked", "added", "removed", "already", "unconfirmed", "missing", "skipped", "dropped")
ADD_AND_REMOVE = "/memberships/add-and-remove"


def outcomes(log: str) -> dict[str, str]:
    """What became of those on the list, without what is nothing."""
    return {name: count for name, count in row(log, "c_VIP").items() if name in OUTCOMES and count != "0"}


# Of twenty on the list and one who is not: what comes, the settings, and what is said.
GUARDS: dict[str, tuple[Callable[[list[str]], list[str]], dict[str, Any], str]] = {
    "an unproven snapshot": (lambda people: sized(people[2:], 20), {}, "19 of 20 distinct members"),
    "nothing that proves it": (lambda people: sized(people[2:], None), {}, "nothing proves that stream"),
    "too many removals": (lambda people: sized(people[2:], 19), {"max_removal_percent": 0}, "would remove"),
    "everybody": (lambda people: sized(people[20:], 1), {"max_removal_percent": 99}, "would remove 20 of 20"),
    "a list that is not ours": (
        lambda people: sized(people[2:], 19, "c_VIP"),
        {"list_name_prefix": ""},
        "created by somebody else",
    ),
}


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("ledger", [False, True])
def test_a_dry_run_foretells_what_a_guard_holds_back(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    sqlite_url: str,
    guard: str,
    *,
    ledger: bool,
) -> None:
    people = list(portal.add_contacts(21))
    portal.add_list("c_VIP", members=people[:20])
    records, settings, words = GUARDS[guard]
    settings = settings | ({"ledger_url": sqlite_url} if ledger else {})
    messages = [SIZED, *records(people), state_message({"n": 1})]

    dry = mirror(run_target, *messages, dry_run=True, **settings)
    assert hubspot.calls("PUT") == 0
    assert len(portal.members("c_VIP")) == 20
    run = mirror(run_target, *messages, **settings)

    assert (dry.exit_code, run.exit_code) == (1, 1)
    assert (dry.states, run.states) == ([], [])
    assert words in run.error
    assert dry.error == run.error
    assert outcomes(dry.log) == outcomes(run.log)
    assert len(portal.members("c_VIP")) == 21


@pytest.mark.parametrize("is_new", [False, True], ids=["a list", "a list to be made"])
@pytest.mark.parametrize("removes", [False, True], ids=["nobody goes", "somebody goes"])
@pytest.mark.parametrize("ledger", [False, True], ids=["no ledger", "a ledger"])
def test_a_dry_run_foretells_who_is_missing(
    portal: Portal,
    run_target: TargetRunner,
    sqlite_url: str,
    *,
    is_new: bool,
    removes: bool,
    ledger: bool,
) -> None:
    people = list(portal.add_contacts(3))
    if not is_new:
        portal.add_list("c_VIP", members=people[: 2 if removes else 1])
    settings = {"ledger_url": sqlite_url} if ledger else {}
    messages = [SIZED, *sized([people[0], people[2], "7"], 3)]

    dry = mirror(run_target, *messages, dry_run=True, **settings)
    run = mirror(run_target, *messages, **settings)

    assert outcomes(run.log)["missing"] == "1"
    assert outcomes(dry.log) == outcomes(run.log)
    assert dry.exit_code == run.exit_code


@pytest.mark.parametrize("verifies", [False, True])
@pytest.mark.parametrize("ledger", [False, True], ids=["no ledger", "a ledger"])
def test_a_removal_that_hubspot_accepts_and_does_not_make_is_told_and_releases_no_state(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    people: list[str],
    sqlite_url: str,
    *,
    verifies: bool,
    ledger: bool,
) -> None:
    hubspot.faults.next("PUT", ADD_AND_REMOVE, status=200, body={})
    messages = [SIZED, *sized(people[1:3], 2), state_message({"n": 1})]
    settings = {"verify_memberships": verifies} | ({"ledger_url": sqlite_url} if ledger else {})

    run = mirror(run_target, *messages, **settings)

    assert portal.members("c_VIP") == set(people[:3])
    if verifies or ledger:
        assert outcomes(run.log) == {"asked": "3", "already": "2", "dropped": "1"}
        assert (run.exit_code, run.states) == (1, [])
        assert "1 of 1 members could not be removed" in run.error
        assert run_target.clock.elapsed >= 10
    else:
        assert outcomes(run.log) == {"asked": "3", "already": "2", "unconfirmed": "1"}

    again = mirror(run_target, *messages, **settings)

    assert (again.exit_code, again.states) == (0, [{"n": 1}])
    assert portal.members("c_VIP") == set(people[1:3])


@pytest.mark.parametrize("ledger", [False, True], ids=["no ledger", "a ledger"])
def test_an_add_that_hubspot_accepts_and_does_not_make_is_dropped_and_sent_by_the_next_run(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    people: list[str],
    sqlite_url: str,
    *,
    ledger: bool,
) -> None:
    hubspot.faults.next("PUT", ADD_AND_REMOVE, status=200, body={})
    messages = [SIZED, *sized(people[1:], 3), state_message({"n": 1})]
    settings = {"verify_memberships": True} | ({"ledger_url": sqlite_url} if ledger else {})

    run = mirror(run_target, *messages, **settings)

    assert outcomes(run.log) == {"asked": "4", "removed": "1", "already": "2", "dropped": "1"}
    assert portal.members("c_VIP") == set(people[1:3])

    again = mirror(run_target, *messages, **settings)

    assert outcomes(again.log) == {"asked": "3", "added": "1", "already": "2"}
    assert portal.members("c_VIP") == set(people[1:])


@pytest.mark.parametrize(
    ("percent", "exit_code", "states"), [(100, 0, [{"n": 0}, {"n": 1}]), (34, 0, [{"n": 1}]), (33, 1, [])]
)
def test_a_mirror_that_applied_too_little_ends_with_exit_code_1_and_no_state(
    portal: Portal,
    run_target: TargetRunner,
    people: list[str],
    percent: int,
    exit_code: int,
    states: list[Any],
) -> None:
    """Of six memberships four apply: an add, two removals, and one who was there."""
    run = mirror(
        run_target,
        SIZED,
        state_message({"n": 0}),
        *sized([people[2], people[3], "7", "8"], 4),
        state_message({"n": 1}),
        max_unapplied_percent=percent,
    )

    assert (run.exit_code, run.states) == (exit_code, states)
    assert portal.members("c_VIP") == set(people[2:])
    told = f'of list "c_VIP" were not applied, more than max_unapplied_percent ({percent}) allows'
    assert (told in run.log) is bool(exit_code)


@pytest.mark.parametrize(("percent", "written"), [(100, '{"n":0}\n'), (99, "")])
def test_below_100_no_state_of_a_mirror_leaves_before_the_end(
    hubspot: HubSpotEmulator,
    run_target: TargetRunner,
    people: list[str],
    capsys: pytest.CaptureFixture[str],
    percent: int,
    written: str,
) -> None:
    before: list[str] = []
    hubspot.faults.call("PUT", "/memberships/", lambda: before.append(capsys.readouterr().out))

    run = mirror(
        run_target,
        SIZED,
        state_message({"n": 0}),
        *sized(people[1:3], 2),
        state_message({"n": 1}),
        max_unapplied_percent=percent,
    )

    assert before == [written]
    assert (run.exit_code, run.states) == (0, [{"n": 1}])
