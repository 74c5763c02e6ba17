"""A removal from a list that HubSpot does not have: it makes no list, and the contact's properties are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import record_message, schema_message
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

ADA = "ada@example.com"
MAPPED: dict[str, Any] = {
    "match_by": "email",
    "property_mappings": [{"field": "plan", "property": "plan"}],
    "audience_status_property": True,
}


def removal(email: str = ADA, **fields: Any) -> list[str]:
    record = {"email": email, "cohort_name": "VIP", "operation": "remove", **fields}
    return [schema_message("email", "cohort_name", "operation", *fields), record_message(**record)]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_removal_writes_the_properties_of_its_record_whether_or_not_the_list_is_there(
    portal: Portal, run_target: TargetRunner, *, is_there: bool
) -> None:
    portal.add_property("plan")
    portal.add_contact(ADA)
    if is_there:
        portal.add_list("VIP")

    run = run_target(*removal(plan="free"), **MAPPED | {"audience_status_property": False})

    assert run.exit_code == 0
    (contact,) = portal.contacts
    assert contact.properties == {"plan": "free"}
    assert portal.list_names() == ({"VIP"} if is_there else set())


def test_a_removal_from_no_list_creates_neither_list_nor_contact_nor_status(
    portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_property("plan")
    portal.add_contact(ADA)

    run = run_target(*removal(plan="free"), *removal("nobody@example.com", plan="free")[1:], **MAPPED)

    assert run.exit_code == 0
    (contact,) = portal.contacts
    assert contact.properties == {"plan": "free"}
    assert portal.list_names() == set()
    assert portal.properties.find("vip") is None
    assert row(run.log, "VIP")["asked"] == "2"


def test_a_dry_run_says_what_a_removal_from_no_list_would_write(
    portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_property("plan")
    portal.add_contact(ADA)

    run = run_target(*removal(plan="free"), **MAPPED, dry_run=True)

    assert run.exit_code == 0
    (contact,) = portal.contacts
    assert contact.properties == {}


def test_without_mapped_properties_a_removal_from_no_list_looks_nobody_up(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_contact(ADA)

    run = run_target(*removal(), match_by="email")

    assert run.exit_code == 0
    assert hubspot.calls(path_contains="batch/read") == 0
