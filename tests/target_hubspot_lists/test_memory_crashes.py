"""A run that broke off anywhere is healed by the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests import forked_target
from tests.factories import membership, schema_message
from tests.held_calls import HeldCall
from tests.target_hubspot_lists.inputs import (
    ADD_AND_REMOVE,
    adds,
    calls_of,
    emails,
    snapshot,
)
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

ENOUGH_CALLS = 4  # of a run that changes something


def fail(hubspot: HubSpotEmulator, kind: str) -> None:
    if kind == "500":
        hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500)
    elif kind == "500 in the second call":
        hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500, after=1)
    else:
        hubspot.faults.accept_then_drop("PUT", ADD_AND_REMOVE)
        hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500)


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
@pytest.mark.parametrize("kind", ["500", "500 in the second call", "accepted, and the answer lost"])
def test_a_run_that_broke_off_is_healed_by_the_next(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str, kind: str, mode: str
) -> None:
    contacts = list(portal.add_contacts(40))
    settings = {"ledger_url": sqlite_url, "sync_mode": mode, "max_removal_percent": 100}
    settings |= {"list_name_prefix": "c_"}
    run_target(*snapshot(contacts[:20]), **settings)
    asked = snapshot(contacts[10:])
    if mode == "incremental":
        asked = [schema_message(), *(membership("VIP", each, "remove") for each in contacts[:10])]
        asked += [membership("VIP", each) for each in contacts[10:]]
        settings |= {"batch_size_rows": 15}
    fail(hubspot, kind)
    broken = run_target(*asked, **settings)
    assert broken.exit_code == 1
    hubspot.faults.clear()

    run = run_target(*asked, **settings)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(contacts[10:])
    calls_of(hubspot)
    run_target(*asked, **settings)
    assert len(calls_of(hubspot)) == 2


@pytest.mark.parametrize(
    ("ledger_url", "mode", "is_accepted"),
    [
        ("sqlite", "incremental", False),
        ("sqlite", "incremental", True),
        ("sqlite", "mirror", False),
        ("postgres", "mirror", True),
    ],
    indirect=["ledger_url"],
)
def test_a_run_killed_in_any_of_its_calls_is_healed_by_the_next(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    ledger_url: str,
    mode: str,
    *,
    is_accepted: bool,
) -> None:
    contacts = [f"{name}@example.com" for name in "abcdefgh"]
    settings: dict[str, Any] = {"ledger_url": ledger_url, "sync_mode": mode, "match_by": "email"}
    settings |= {"batch_size_rows": 4, "max_removal_percent": 100, "snapshot_end": "end_of_input"}
    left, call, was_killed = contacts[:2], 0, True
    while was_killed:
        left = contacts[:2] if left == contacts[-2:] else contacts[-2:]
        stay = [each for each in contacts if each not in left]
        asked = emails(stay)
        if mode == "incremental":
            asked = [*emails(left, operation="remove"), *emails(stay)[1:]]

        was_killed = kill_in_call(hubspot, call, asked, settings, is_accepted=is_accepted)
        run = run_target(*asked, **settings)

        assert run.exit_code == 0
        assert portal.member_emails("VIP") == set(stay), f"after a kill in call {call}"
        call += 1
    assert call > ENOUGH_CALLS


def kill_in_call(
    hubspot: HubSpotEmulator, call: int, messages: list[str], settings: dict[str, Any], *, is_accepted: bool
) -> bool:
    """Run, and kill the process while HubSpot has its call of that number; say whether there was one."""
    held = HeldCall(hubspot, after=call, takes_effect=is_accepted)
    config = {"api_url": hubspot.url, "access_token": hubspot.token, "list_name_prefix": "", **settings}
    process = forked_target.start(config, *messages)
    was_killed = held.kill(process)
    hubspot.faults.clear()
    return was_killed


def test_whom_hubspot_dropped_is_sent_again(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    accepted: dict[str, list[str]] = {"recordsIdsAdded": [], "recordIdsRemoved": [], "recordIdsMissing": []}
    hubspot.faults.next("PUT", ADD_AND_REMOVE, status=200, body=accepted)
    dropped = run_target(*adds(contacts), ledger_url=sqlite_url)

    run = run_target(*adds(contacts), ledger_url=sqlite_url)

    assert row(dropped.log, "VIP")["dropped"] == "2"
    assert row(run.log, "VIP")["added"] == "2"


def test_whom_a_slow_hubspot_made_look_dropped_can_be_removed(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*adds(contacts[:1]), ledger_url=sqlite_url)
    vip = portal.hubspot_list("VIP")
    hubspot.faults.call(
        "PUT", ADD_AND_REMOVE, lambda: vip.apply([int(contacts[1])], (), portal.now_ms(), lag=10)
    )
    hubspot.faults.next("PUT", ADD_AND_REMOVE, status=200, body={})
    dropped = run_target(*adds(contacts[1:]), ledger_url=sqlite_url)
    assert row(dropped.log, "VIP")["dropped"] == "1"

    run_target(schema_message(), membership("VIP", contacts[1], "remove"), ledger_url=sqlite_url)

    assert portal.members("VIP") == {contacts[0]}
