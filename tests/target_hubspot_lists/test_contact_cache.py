"""For how long the ledger's record id of an address is trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.clocks import FakeClock
from tests.target_hubspot_lists.inputs import calls_of, emails
from tests.target_hubspot_lists.mirrors import mirror

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

ADA = "ada@example.com"
SECONDS_PER_DAY = 86_400


@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_with_no_days_an_address_is_looked_up_also_within_the_second_of_the_look_up_before(
    portal: Portal, run_target: TargetRunner, ledger_url: str, mode: str
) -> None:
    portal.add_contact(ADA)
    settings: dict[str, Any] = {"ledger_url": ledger_url, "match_by": "email", "contact_cache_days": 0}
    settings |= {"sync_mode": mode, "snapshot_end": "end_of_input"}
    mirror(run_target, *emails([ADA]), **settings)
    portal.update_contact(ADA, email="former@example.com")
    heir = portal.add_contact(ADA)

    run = mirror(run_target, *emails([ADA]), **settings)

    assert run.exit_code == 0
    assert heir in portal.members("c_VIP")


@pytest.mark.parametrize(("days", "is_looked_up"), [(6.9, False), (7.1, True)])
def test_an_address_is_trusted_for_seven_days(
    hubspot: HubSpotEmulator,
    portal: Portal,
    run_target: TargetRunner,
    sqlite_url: str,
    days: float,
    *,
    is_looked_up: bool,
) -> None:
    portal.add_contact(ADA)
    run_target(*emails([ADA]), ledger_url=sqlite_url, match_by="email")
    run_target.clock.sleep(days * SECONDS_PER_DAY)
    calls_of(hubspot)

    run_target(*emails([ADA]), ledger_url=sqlite_url, match_by="email")

    assert any(call.endswith("/contacts/batch/read") for call in calls_of(hubspot)) == is_looked_up


@pytest.mark.parametrize("checks_mailability", [False, True])
@pytest.mark.parametrize("mode", ["incremental", "mirror"])
def test_a_look_up_that_is_dated_in_the_future_is_not_trusted(
    portal: Portal, run_target: TargetRunner, ledger_url: str, mode: str, *, checks_mailability: bool
) -> None:
    """The machine's clock was a year ahead once."""
    portal.add_contact(ADA)
    settings: dict[str, Any] = {"ledger_url": ledger_url, "match_by": "email", "create_contacts": False}
    settings |= {"sync_mode": mode, "snapshot_end": "end_of_input", "check_mailability": checks_mailability}
    right = run_target.clock
    run_target.clock = FakeClock(now=right.time() + 365 * SECONDS_PER_DAY)
    mirror(run_target, *emails([ADA]), **settings)
    portal.update_contact(ADA, email="former@example.com")
    heir = portal.add_contact(ADA)
    run_target.clock = right

    run = mirror(run_target, *emails([ADA]), **settings)

    assert run.exit_code == 0
    assert heir in portal.members("c_VIP")
