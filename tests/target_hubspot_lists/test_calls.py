"""What a run costs in calls is what the README's table says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import record_message, schema_message

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
KNOWN, NEW = 700, 300

MAPPED: dict[str, Any] = {"property_mappings": [{"field": "company", "property": "company"}]}
FILLED = MAPPED | {"property_policy": "fill_empty"}
STATUS: dict[str, Any] = {"audience_status_property": True}
OF_PROPERTIES: list[dict[str, Any]] = [{}, MAPPED, FILLED, STATUS, MAPPED | STATUS]


def counted() -> list[int]:
    """The table's last column."""
    table = README.partition("test_calls.py -->\n")[2].partition("\n\n")[0]
    return [int(number) for number in re.findall(r"\| (\d+) \|$", table, re.MULTILINE)]


def run(run_target: TargetRunner, members: list[str], column: str, **settings: Any) -> None:
    records = [record_message(**{column: member}, cohort_name="VIP", company="Engines") for member in members]
    ended = run_target(schema_message(column, "cohort_name", "company"), *records, **settings)
    assert ended.exit_code == 0, ended.log


@pytest.fixture
def warmed(portal: Portal, run_target: TargetRunner, hubspot: HubSpotEmulator) -> HubSpotEmulator:
    """A portal whose list has its property, so that what is counted is an ordinary run."""
    run(run_target, [portal.add_contact()], "contact_id", **STATUS)
    hubspot.requests.clear()
    return hubspot


@pytest.mark.parametrize(("row", "settings"), list(enumerate(OF_PROPERTIES)))
def test_members_by_record_id_cost_what_the_readme_says(
    warmed: HubSpotEmulator, portal: Portal, run_target: TargetRunner, row: int, settings: dict[str, Any]
) -> None:
    run(run_target, list(portal.add_contacts(KNOWN + NEW)), "contact_id", **settings)

    assert warmed.calls() == counted()[row]
    assert len(portal.members("VIP")) == KNOWN + NEW + 1


@pytest.mark.parametrize(("row", "settings"), list(enumerate(OF_PROPERTIES)))
def test_members_by_address_cost_what_the_readme_says(
    warmed: HubSpotEmulator, portal: Portal, run_target: TargetRunner, row: int, settings: dict[str, Any]
) -> None:
    portal.add_contacts(KNOWN)
    addresses = [f"contact{number}@example.com" for number in range(KNOWN + NEW)]

    run(run_target, addresses, "email", match_by="email", **settings)

    assert warmed.calls() == counted()[len(OF_PROPERTIES) + row]
    assert len(portal.members("VIP")) == KNOWN + NEW + 1


def test_the_first_audience_status_costs_what_the_readme_says(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_list("VIP")
    ada = portal.add_contact()

    run(run_target, [ada], "contact_id", **STATUS)
    first = hubspot.calls()
    run(run_target, [ada], "contact_id", **STATUS)

    assert first - (hubspot.calls() - first) == counted()[-1]
