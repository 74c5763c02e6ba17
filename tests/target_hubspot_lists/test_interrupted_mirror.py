"""A mirror that was killed while it filled a list made anew leaves it to the next run as if it had not been."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests import forked_target
from tests.factories import record_message
from tests.held_calls import HeldCall
from tests.target_hubspot_lists.inputs import ADD_AND_REMOVE, adds, snapshot
from tests.target_hubspot_lists.mirrors import SIZED, mirror

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

MEMBERS = 6
ENOUGH_CALLS = 6  # of a run that makes a list and fills it


@pytest.fixture
def contacts(portal: Portal) -> list[str]:
    return list(portal.add_contacts(MEMBERS + 2))


def unproven(members: Iterable[str]) -> list[str]:
    """A snapshot that lacks somebody."""
    members = list(members)
    more = len(members) + 1
    return [
        SIZED,
        *(record_message(contact_id=each, cohort_name="VIP", cohort_size=more) for each in members),
    ]


def kill_in_call(
    hubspot: HubSpotEmulator, call: int, messages: list[str], config: dict[str, Any], *, is_accepted: bool
) -> bool:
    """Run, and kill the process while HubSpot has its call of that number; say whether there was one."""
    held = HeldCall(hubspot, after=call, takes_effect=is_accepted)
    settings: dict[str, Any] = {
        "api_url": hubspot.url,
        "access_token": hubspot.token,
        "match_by": "contact_id",
    }
    settings |= {"sync_mode": "mirror", "list_name_prefix": "c_", "max_removal_percent": 100}
    process = forked_target.start(settings | config, *messages)
    was_killed = held.kill(process)
    hubspot.faults.clear()
    return was_killed


def delete_list(portal: Portal) -> None:
    old_name = f"Old {portal.hubspot_list('c_VIP').list_id}"
    portal.rename_list("c_VIP", old_name)  # a deleted list keeps its name
    portal.delete_list(old_name)


@pytest.mark.parametrize("is_accepted", [True, False])
def test_the_run_behind_one_that_was_killed_in_any_call_puts_back_whom_the_deleted_list_had(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    sqlite_url: str,
    contacts: list[str],
    *,
    is_accepted: bool,
) -> None:
    members, new = contacts[:MEMBERS], contacts[MEMBERS]
    mirror(run_target, *snapshot(members), ledger_url=sqlite_url)
    call, was_killed = 0, True
    while was_killed:
        delete_list(portal)
        refill = unproven([members[0], new])
        was_killed = kill_in_call(hubspot, call, refill, {"ledger_url": sqlite_url}, is_accepted=is_accepted)

        run = mirror(run_target, *unproven(members[:2]), ledger_url=sqlite_url)

        assert run.exit_code == 1
        assert portal.members("c_VIP") >= set(members), f"after a kill in call {call}"
        mirror(run_target, *snapshot(members), ledger_url=sqlite_url)
        call += 1
    assert call > ENOUGH_CALLS


@pytest.mark.parametrize("mode", ["mirror", "incremental"])
def test_a_list_that_was_half_filled_is_filled_by_an_unproven_run_in_either_mode(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    ledger_url: str,
    contacts: list[str],
    mode: str,
) -> None:
    members, new = contacts[:MEMBERS], contacts[MEMBERS:]
    mirror(run_target, *snapshot(members), ledger_url=ledger_url)
    delete_list(portal)
    hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500)
    broken = mirror(run_target, *unproven([*members[:2], new[0]]), ledger_url=ledger_url)

    messages = unproven(new[1:]) if mode == "mirror" else adds(new[1:])
    run = mirror(run_target, *messages, ledger_url=ledger_url, sync_mode=mode)

    assert (broken.exit_code, run.exit_code) == (1, int(mode == "mirror"))
    assert portal.members("c_VIP") >= {*members, new[1]}
    assert run.log.count("put back") == 1


def test_whom_a_proven_run_that_broke_off_was_removing_is_not_put_back(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    members = contacts[:MEMBERS]
    mirror(run_target, *snapshot(members), ledger_url=sqlite_url)
    delete_list(portal)
    hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500, after=1)  # the call that removes
    broken = mirror(run_target, *snapshot(members[2:]), ledger_url=sqlite_url)

    run = mirror(run_target, *unproven(members[2:4]), ledger_url=sqlite_url)

    assert (broken.exit_code, run.exit_code) == (1, 1)
    assert portal.members("c_VIP") == set(members[2:])


def test_a_proven_run_behind_it_makes_the_list_equal_to_its_snapshot(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    members = contacts[:MEMBERS]
    mirror(run_target, *snapshot(members), ledger_url=sqlite_url)
    delete_list(portal)
    hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500)
    mirror(run_target, *unproven(members[:3]), ledger_url=sqlite_url)

    run = mirror(run_target, *snapshot(members[1:3]), ledger_url=sqlite_url)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(members[1:3])
