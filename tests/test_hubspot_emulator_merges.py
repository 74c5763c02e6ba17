"""Merged contacts as HubSpot documents them: which id they have, what they are found by, where they are members."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.emulator_caller import CONTACTS, calling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulator_caller import Caller

MERGED_IDS = "hs_merged_object_ids"


@pytest.fixture
def call() -> Iterator[Caller]:
    with calling() as caller:
        yield caller


def read(call: Caller, *ids: str) -> dict[str, dict[str, str | None]]:
    """Return the properties of the contacts found, by their ids."""
    asked = {"inputs": [{"id": each} for each in ids], "properties": ["email", MERGED_IDS]}
    found = call.ok("POST", f"{CONTACTS}/batch/read", asked)["results"]
    return {each["id"]: each["properties"] for each in found}


def merge(call: Caller, primary: str, secondary: str) -> str:
    merged = call.ok("POST", f"{CONTACTS}/merge", {"primaryObjectId": primary, "objectIdToMerge": secondary})
    return str(merged["id"])


def test_a_merge_gives_a_new_id_under_which_both_old_ones_are_found(call: Caller) -> None:
    ada, bob = (call.portal.add_contact(f"{name}@example.com") for name in ("ada", "bob"))

    merged = merge(call, ada, bob)

    assert merged not in {ada, bob}
    assert read(call, ada).keys() == read(call, bob).keys() == read(call, merged).keys() == {merged}
    assert read(call, merged)[merged][MERGED_IDS] == f"{ada};{bob}"


@pytest.mark.parametrize("kept", ["ada", "bob"])
def test_a_portal_may_keep_the_primary_contacts_id(call: Caller, kept: str) -> None:
    ids = {name: call.portal.add_contact(f"{name}@example.com") for name in ("ada", "bob")}
    call.portal.quirks.merges_keep_primary_id = True
    retired = ids["bob" if kept == "ada" else "ada"]

    merged = merge(call, ids[kept], retired)

    assert merged == ids[kept]
    assert read(call, retired) == {merged: read(call, merged)[merged]}
    assert read(call, merged)[merged][MERGED_IDS] == retired


def test_a_contact_that_was_merged_twice_names_every_id_that_led_to_it(call: Caller) -> None:
    ada, bob, cyd = (call.portal.add_contact(f"{name}@example.com") for name in ("ada", "bob", "cyd"))

    first = merge(call, ada, bob)
    second = merge(call, cyd, first)

    assert read(call, ada).keys() == {second}
    assert set(str(read(call, second)[second][MERGED_IDS]).split(";")) == {ada, bob, cyd, first}


def test_a_contact_that_was_never_merged_names_no_other_id(call: Caller) -> None:
    ada = call.portal.add_contact("ada@example.com")

    assert read(call, ada)[ada][MERGED_IDS] is None


def test_a_merged_contact_is_found_by_every_address_and_has_the_primary_ones(call: Caller) -> None:
    ada = call.portal.add_contact("ada@example.com", additional_emails=["ada@home.example.org"])
    bob = call.portal.add_contact("bob@example.com")

    merged = merge(call, ada, bob)

    found = call.read_emails(["bob@example.com", "ada@home.example.org"]).json()["results"]
    assert [each["id"] for each in found] == [merged]
    assert found[0]["properties"]["email"] == "ada@example.com"
    assert found[0]["properties"]["hs_additional_emails"] == "bob@example.com;ada@home.example.org"


def test_a_merged_contact_that_is_deleted_is_found_by_no_id(call: Caller) -> None:
    ada, bob = (call.portal.add_contact(f"{name}@example.com") for name in ("ada", "bob"))
    merged = merge(call, ada, bob)

    call.portal.delete_contact(merged)

    assert read(call, ada, bob, merged) == {}
