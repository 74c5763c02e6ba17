"""Two runs never write to one list at a time, and each leaves a line for each list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.ledger import Ledger
from tests.target_hubspot_lists.inputs import (
    ADD_AND_REMOVE,
    adds,
    now,
)

if TYPE_CHECKING:
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


def test_a_run_leaves_a_line_for_each_list(portal: Portal, run_target: TargetRunner, sqlite_url: str) -> None:
    contacts = list(portal.add_contacts(2))
    run_target(*adds([*contacts, "99"]), ledger_url=sqlite_url)

    list_id = portal.hubspot_list("VIP").list_id
    with Ledger.open(sqlite_url, portal.portal_id, run_id="reader", now=now) as ledger:
        (line,) = ledger.runs(list_id)
    assert (line.stream, line.asked, line.outcomes) == ("cohort_members", 3, {"added": 2, "missing": 1})
    assert line.is_complete


def test_a_run_that_breaks_off_leaves_a_line_too_and_says_so(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(4))
    hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500, after=1)

    run = run_target(*adds(contacts), ledger_url=sqlite_url, batch_size_rows=2)

    assert run.exit_code == 1
    with Ledger.open(sqlite_url, portal.portal_id, run_id="reader", now=now) as ledger:
        (line,) = ledger.runs(portal.hubspot_list("VIP").list_id)
    assert (line.asked, line.outcomes, line.is_complete) == (4, {"added": 2}, False)
