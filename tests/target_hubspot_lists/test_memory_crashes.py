"""A run that broke off anywhere is healed by the next."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.factories import membership, schema_message
from tests.processes import TIMEOUT, Plugin, config_file
from tests.target_hubspot_lists.inputs import (
    ADD_AND_REMOVE,
    adds,
    calls_of,
    snapshot,
)
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal


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


def test_a_run_killed_after_hubspot_accepted_is_healed_by_the_next(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str, tmp_path: Path
) -> None:
    contacts = list(portal.add_contacts(5))
    config = {
        "api_url": hubspot.url,
        "access_token": hubspot.token,
        "match_by": "contact_id",
        "list_name_prefix": "",
        "ledger_url": sqlite_url,
    }
    called = threading.Event()
    hubspot.faults.call("PUT", ADD_AND_REMOVE, called.set)
    hubspot.faults.accept_then_drop("PUT", ADD_AND_REMOVE, times=None)
    with Plugin("target_hubspot_lists", "--config", config_file(tmp_path, config)) as plugin:
        plugin.write(*adds(contacts))
        assert plugin.process.stdin is not None
        plugin.process.stdin.close()
        assert called.wait(TIMEOUT)
        plugin.process.kill()
        plugin.wait()
    hubspot.faults.clear()

    run = run_target(*adds(contacts[:4]), membership("VIP", contacts[4], "remove"), ledger_url=sqlite_url)

    assert run.exit_code == 0
    assert portal.members("VIP") == set(contacts[:4])


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
