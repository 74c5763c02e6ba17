"""Records that the SDK's mapper changes, or only passes on, lead to the same lists as those that skip it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import record_message, schema_message, state_message
from tests.hubspot_emulator import HubSpotEmulator, Portal

if TYPE_CHECKING:
    from tests.conftest import TargetRunner

COLUMNS = ("contact_id", "cohort_id", "cohort_name", "operation", "_sdc_deleted_at", "profile")
# What leaves the records as they are: each a way of its own through the SDK.
PASSED_ON: dict[str, dict[str, Any]] = {
    "map": {"stream_maps": {"cohort_members": {"new_column": "'x'"}}},
    "filter": {"stream_maps": {"cohort_members": {"__filter__": "cohort_name != 'nobody'"}}},
    "alias": {"stream_maps": {"cohort_members": {"__alias__": "members"}}},
    "flattening": {"flattening_enabled": True, "flattening_max_depth": 1},
}


def odd_records(contacts: list[str]) -> list[dict[str, Any]]:
    """Records of every kind: fit, superseded, and rejected for each reason."""
    ada, bob, cyd, dan = contacts
    vip = {"cohort_id": "1", "cohort_name": "VIP", "operation": "add"}
    return [
        {"contact_id": ada, **vip},
        {"contact_id": int(bob), **vip, "profile": {"plan": "pro", "tags": ["a"]}},
        {"contact_id": f" {cyd} ", **vip, "operation": " ADDED "},
        {"contact_id": cyd, **vip, "operation": False},
        {"contact_id": float(dan), **vip, "cohort_id": 1},
        {"contact_id": dan, **vip, "cohort_id": True, "cohort_name": 1},
        {"contact_id": dan, **vip, "cohort_name": True},
        {"contact_id": dan, **vip, "cohort_name": " "},
        {"contact_id": ada, **vip, "cohort_id": None, "cohort_name": "Other"},
        {"contact_id": bob, **vip, "_sdc_deleted_at": "2026-03-01T10:00:00Z"},
        {"contact_id": ada, **vip, "_sdc_deleted_at": "NaT"},
        {"contact_id": ada, **vip, "operation": "upsert"},
        {"contact_id": ada, **vip, "operation": None},
        {"contact_id": None, **vip},
        {"contact_id": "1e3", **vip},
        {"contact_id": "9" * 12, **vip},
        {"contact_id": True, **vip},
        {**vip},
    ]


def outcome(run_target: TargetRunner, **config: Any) -> tuple[Any, ...]:
    """What a run leaves in a new portal, and what it says of the records."""
    with HubSpotEmulator(Portal()) as run_target.hubspot:
        portal = run_target.hubspot.portal
        contacts = list(portal.add_contacts(4))
        records = odd_records(contacts)
        run = run_target(
            schema_message(*COLUMNS),
            *(record_message(**each) for each in records),
            state_message({"n": 1}),
            **config,
        )
        reasons = [line for line in run.log.splitlines() if "rejected" in line and "List" not in line]
        names = sorted(portal.list_names())
        return run.exit_code, run.states, names, [portal.members(name) for name in names], len(reasons)


@pytest.mark.parametrize("way", PASSED_ON)
def test_records_that_the_sdk_passes_on_lead_to_the_same_lists(run_target: TargetRunner, way: str) -> None:
    plain = outcome(run_target)

    assert len(plain[2]) == 3  # among them 1, whose cohort is a number
    assert outcome(run_target, **PASSED_ON[way]) == plain


def test_a_stream_that_is_mapped_twice_takes_both_ways(portal: Portal, run_target: TargetRunner) -> None:
    ada, bob = portal.add_contacts(2)
    maps = {
        "cohort_members": {"__filter__": f"contact_id != '{bob}'"},
        "copy": {"__source__": "cohort_members", "cohort_name": "cohort_name + ' (copy)'"},
    }

    run = run_target(
        schema_message("contact_id", "cohort_name"),
        *(record_message(contact_id=each, cohort_name="VIP") for each in (ada, bob)),
        stream_maps=maps,
    )

    assert run.exit_code == 0
    assert portal.members("VIP") == {ada}
    assert portal.members("VIP (copy)") == {ada, bob}


def test_a_stream_that_is_mapped_away_adds_nobody(portal: Portal, run_target: TargetRunner) -> None:
    (ada,) = portal.add_contacts(1)

    run = run_target(
        schema_message("contact_id", "cohort_name"),
        record_message(contact_id=ada, cohort_name="VIP"),
        stream_maps={"cohort_members": "__NULL__"},
    )

    assert run.exit_code == 0
    assert not portal.list_names()
