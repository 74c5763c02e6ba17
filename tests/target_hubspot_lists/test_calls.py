"""What a run costs in calls is what the documents say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.calls import BY_ID, COSTS, FIRST_STATUS, KNOWN, NEW, STATUS
from tests.factories import record_message, schema_message

if TYPE_CHECKING:
    from tests.calls import Cost
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal


def run(run_target: TargetRunner, members: list[str], **settings: Any) -> None:
    column = "email" if settings["match_by"] == "email" else "contact_id"
    records = [record_message(**{column: member}, cohort_name="VIP", company="Engines") for member in members]
    ended = run_target(schema_message(column, "cohort_name", "company"), *records, **settings)
    assert ended.exit_code == 0, ended.log


@pytest.fixture
def warmed(portal: Portal, run_target: TargetRunner, hubspot: HubSpotEmulator) -> HubSpotEmulator:
    """A portal whose list has its property, so that what is counted is an ordinary run."""
    run(run_target, [portal.add_contact()], **BY_ID, **STATUS)
    hubspot.requests.clear()
    return hubspot


@pytest.mark.parametrize("cost", COSTS, ids=lambda cost: f"{cost.config['match_by']}: {cost.settings}")
def test_a_run_costs_what_the_documents_say(
    warmed: HubSpotEmulator, portal: Portal, run_target: TargetRunner, cost: Cost
) -> None:
    if cost.config["match_by"] == "email":
        portal.add_contacts(KNOWN)
        members = [f"contact{number}@example.com" for number in range(KNOWN + NEW)]
    else:
        members = list(portal.add_contacts(KNOWN + NEW))

    run(run_target, members, **cost.config)

    assert warmed.calls() == cost.of(known=KNOWN, new=NEW)
    assert len(portal.members("VIP")) == KNOWN + NEW + 1


def test_the_first_audience_status_costs_what_the_documents_say(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_list("VIP")
    ada = portal.add_contact()

    run(run_target, [ada], **BY_ID, **STATUS)
    first = hubspot.calls()
    run(run_target, [ada], **BY_ID, **STATUS)

    assert first - (hubspot.calls() - first) == FIRST_STATUS
