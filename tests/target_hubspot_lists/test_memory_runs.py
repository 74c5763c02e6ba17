"""Two runs never write to one list at a time, and each leaves a line for each list."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from target_hubspot_lists.ledger import Ledger, LedgerOverview
from tests.processes import TIMEOUT, Plugin, config_file
from tests.target_hubspot_lists.inputs import (
    ADD_AND_REMOVE,
    adds,
    now,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal


def test_a_list_that_another_run_holds_is_waited_for_and_then_the_run_ends_naming_it(
    portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    contacts = list(portal.add_contacts(2))
    with Ledger.open(ledger_url, portal.portal_id, run_id="other-run", now=now) as other:
        with other.lock(["vip"], sleep=run_target.clock.sleep):
            held = run_target(*adds(contacts), ledger_url=ledger_url)
        waited = run_target.clock.elapsed
        after = run_target(*adds(contacts), ledger_url=ledger_url)

    assert held.exit_code == 1
    assert "other-run" in held.error
    assert 30 <= waited < 40
    assert portal.members("VIP") == set(contacts)
    assert after.exit_code == 0


def hold_first_change(hubspot: HubSpotEmulator) -> tuple[threading.Event, threading.Event]:
    """Hold the first change of a list in HubSpot; return what says that it came, and what lets it go."""
    came, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        came.set()
        go_on.wait(TIMEOUT)

    hubspot.faults.call("PUT", ADD_AND_REMOVE, hold)
    return came, go_on


@pytest.mark.parametrize(
    ("ledger_url", "is_killed"),
    [("sqlite", False), ("postgres", False), ("postgres", True)],
    indirect=["ledger_url"],
)
def test_of_two_processes_on_one_list_the_second_waits_for_the_first_as_long_as_it_lives(
    hubspot: HubSpotEmulator, portal: Portal, ledger_url: str, tmp_path: Path, *, is_killed: bool
) -> None:
    contacts = list(portal.add_contacts(2))
    came, go_on = hold_first_change(hubspot)
    config = {"api_url": hubspot.url, "access_token": hubspot.token, "ledger_url": ledger_url}
    config |= {"match_by": "contact_id", "list_name_prefix": ""}
    arguments = ["--config", config_file(tmp_path, config)]
    with (
        Plugin("target_hubspot_lists", *arguments) as first,
        Plugin("tests.hurried_target", *arguments) as second,
    ):
        first.write(*adds(contacts[:1]))
        first.process.stdin.close()  # type: ignore[union-attr]
        assert came.wait(TIMEOUT)
        if is_killed:
            first.process.kill()
            first.wait()
            go_on.set()
        second.write(*adds(contacts[1:]))
        exit_code = second.finish()

        if is_killed:
            assert exit_code == 0
            assert contacts[1] in portal.members("VIP")
        else:
            assert exit_code == 1
            assert f"(process {first.process.pid})" in second.log
            assert portal.members("VIP") == set()
            go_on.set()
            assert first.wait() == 0
            assert portal.members("VIP") == {contacts[0]}


def test_a_run_leaves_a_line_for_each_list(portal: Portal, run_target: TargetRunner, sqlite_url: str) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*adds([*contacts, "99"]), ledger_url=sqlite_url)

    list_id = portal.hubspot_list("VIP").list_id
    with LedgerOverview(sqlite_url) as overview:
        (line,) = overview.runs(of_list=list_id)
    assert (line.stream, line.asked, line.outcomes) == ("cohort_members", 3, {"added": 2, "missing": 1})
    assert line.is_complete


def test_a_run_that_breaks_off_leaves_a_line_too_and_says_so(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(4))
    hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500, after=1)

    run = run_target(*adds(contacts), ledger_url=sqlite_url, batch_size_rows=2)

    assert run.exit_code == 1
    with LedgerOverview(sqlite_url) as overview:
        (line,) = overview.runs(of_list=portal.hubspot_list("VIP").list_id)
    assert (line.asked, line.outcomes, line.is_complete) == (4, {"added": 2}, False)
