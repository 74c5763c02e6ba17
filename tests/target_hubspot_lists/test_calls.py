"""What a run costs in calls is what the documents say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.calls import BY_ID, COSTS, FIRST_STATUS, KNOWN, LEFT, NEW, STATUS
from tests.factories import record_message, schema_message

if TYPE_CHECKING:
    from tests.calls import Cost
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal


def run(run_target: TargetRunner, rows: list[dict[str, Any]], **settings: Any) -> None:
    records = [record_message(**row, cohort_name="VIP", company="Engines") for row in rows]
    ended = run_target(schema_message(*rows[0], "cohort_name", "company"), *records, **settings)
    assert ended.exit_code == 0, ended.log


def numbered(portal: Portal, numbers: range, *, has_fallbacks: bool) -> list[dict[str, Any]]:
    """Rows of people whom HubSpot knows by their number; with fallbacks the last of them by their address, or not."""
    portal.add_property("customer_id", unique=True)
    by_number = len(numbers) - LEFT if has_fallbacks else len(numbers)
    for number in numbers[:by_number]:
        portal.add_contact(customer_id=f"A-{number}")
    if not has_fallbacks:
        return [{"customer_id": f"A-{number}"} for number in numbers]
    for number in numbers[by_number:KNOWN]:
        portal.add_contact(f"p{number}@example.com")
    return [
        {"customer_id": f"A-{number}", "contact_id": number + 1, "email": f"p{number}@example.com"}
        for number in numbers
    ]


@pytest.fixture
def warmed(portal: Portal, run_target: TargetRunner, hubspot: HubSpotEmulator) -> HubSpotEmulator:
    """A portal whose list has its property, so that what is counted is an ordinary run."""
    run(run_target, [{"contact_id": portal.add_contact()}], **BY_ID, **STATUS)
    hubspot.requests.clear()
    return hubspot


@pytest.mark.parametrize("cost", COSTS, ids=lambda cost: f"{cost.config['match_by']}: {cost.settings}")
def test_a_run_costs_what_the_documents_say(
    warmed: HubSpotEmulator, portal: Portal, run_target: TargetRunner, cost: Cost
) -> None:
    everybody = range(KNOWN + NEW)
    if cost.config["match_by"] == "contact_id":
        rows: list[dict[str, Any]] = [{"contact_id": each} for each in portal.add_contacts(len(everybody))]
    elif cost.config["match_by"] == "email":
        portal.add_contacts(KNOWN)
        rows = [{"email": f"contact{number}@example.com"} for number in everybody]
    else:
        rows = numbered(portal, everybody, has_fallbacks="match_fallbacks" in cost.config)
    warmed.requests.clear()

    run(run_target, rows, **cost.config)

    assert warmed.calls() == cost.of(known=KNOWN, new=NEW)
    assert len(portal.members("VIP")) == KNOWN + NEW + 1


def test_the_first_audience_status_costs_what_the_documents_say(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_list("VIP")
    ada = {"contact_id": portal.add_contact()}

    run(run_target, [ada], **BY_ID, **STATUS)
    first = hubspot.calls()
    run(run_target, [ada], **BY_ID, **STATUS)

    assert first - (hubspot.calls() - first) == FIRST_STATUS
