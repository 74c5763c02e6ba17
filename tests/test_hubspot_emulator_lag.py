"""Reads that lag behind writes: for a while they show contacts and lists as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.emulator_caller import CONTACTS, LISTS, NOW, calling
from tests.hubspot_emulator import Portal, StoppedClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulator_caller import Caller

LAG = 5.0


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(NOW)


@pytest.fixture
def call(clock: StoppedClock) -> Iterator[Caller]:
    with calling(Portal(clock=clock)) as caller:
        yield caller


def ids_of(call: Caller, *emails: str) -> list[str]:
    return [each["id"] for each in call.read_emails(emails).json()["results"]]


def ids_read(call: Caller, *ids: str) -> set[str]:
    body = {"inputs": [{"id": each} for each in ids]}
    return {each["id"] for each in call.ok("POST", f"{CONTACTS}/batch/read", body)["results"]}


def members_read(call: Caller) -> list[str]:
    return [each["recordId"] for each in call.ok("GET", f"{LISTS}/1/memberships")["results"]]


def test_a_new_contact_is_read_only_after_a_while_but_its_address_is_taken_at_once(
    call: Caller, clock: StoppedClock
) -> None:
    call.portal.quirks.contact_lag = LAG
    (made,) = call.create({"email": "ada@example.com"}).json()["results"]

    early = ids_of(call, "ada@example.com"), ids_read(call, made["id"])
    again = call.create({"email": "ada@example.com"}, traced=False)
    clock.advance(LAG)

    assert early == ([], set())
    assert call("GET", f"{CONTACTS}/{made['id']}").status_code == 200
    assert again.json()["message"] == f"Contact already exists. Existing ID: {made['id']}"
    assert ids_of(call, "ada@example.com") == [made["id"]]


def test_a_changed_contact_is_read_as_it_was(call: Caller, clock: StoppedClock) -> None:
    ada = call.portal.add_contact("ada@example.com", city="Lyon")
    call.portal.quirks.contact_lag = LAG
    call.ok("PATCH", f"{CONTACTS}/{ada}", {"properties": {"email": "new@example.com", "city": "Porto"}})
    clock.advance(1)
    call.ok("PATCH", f"{CONTACTS}/{ada}", {"properties": {"city": "Leeds"}})

    cities = []
    for _ in range(3):
        shown = call.ok("GET", f"{CONTACTS}/{ada}", properties="city,email")["properties"]
        cities.append((shown["city"], shown["email"]))
        clock.advance(LAG - 1 if len(cities) == 1 else 1)

    assert cities == [
        ("Lyon", "ada@example.com"),
        ("Porto", "new@example.com"),
        ("Leeds", "new@example.com"),
    ]


def test_an_address_that_moved_on_is_read_as_its_former_holders(call: Caller, clock: StoppedClock) -> None:
    ada, bob = (call.portal.add_contact(f"{name}@example.com") for name in ("ada", "bob"))
    call.portal.quirks.contact_lag = LAG
    call.portal.update_contact(ada, email="new@example.com")
    call.portal.update_contact(bob, email="ada@example.com")

    early = ids_of(call, "ada@example.com"), ids_of(call, "bob@example.com"), ids_of(call, "new@example.com")
    clock.advance(LAG)

    assert early == ([ada], [bob], [])
    assert ids_of(call, "ada@example.com") == [bob]
    assert ids_of(call, "bob@example.com") == []


def test_merged_contacts_are_read_as_two_for_a_while(call: Caller, clock: StoppedClock) -> None:
    ada, bob = call.portal.add_contacts(2)
    call.portal.quirks.contact_lag = LAG
    merged = call.portal.merge(ada, bob)

    early = ids_read(call, ada, bob, merged)
    clock.advance(LAG)

    assert early == {ada, bob}
    assert ids_read(call, ada, bob) == {merged}


def test_a_deleted_contact_is_read_for_a_while(call: Caller, clock: StoppedClock) -> None:
    ada = call.portal.add_contact("ada@example.com")
    call.portal.quirks.contact_lag = LAG
    call.portal.delete_contact(ada)

    early = ids_read(call, ada)
    clock.advance(LAG)

    assert early == {ada}
    assert ids_read(call, ada) == set()


def test_a_list_calls_a_new_contact_missing_for_a_while(call: Caller, clock: StoppedClock) -> None:
    call.portal.add_list("VIP")
    call.portal.quirks.new_contact_lag = LAG
    (made,) = call.create({"email": "ada@example.com"}).json()["results"]

    early = call.change("1", add=[made["id"]]).json()
    clock.advance(LAG)

    assert early == {"recordIdsMissing": [made["id"]]}
    assert ids_of(call, "ada@example.com") == [made["id"]]
    assert call.change("1", add=[made["id"]]).json() == {"recordsIdsAdded": [made["id"]]}


def test_a_change_of_an_old_contact_keeps_it_from_no_list(call: Caller) -> None:
    (ada,) = call.portal.add_contacts(1)
    call.portal.add_list("VIP")
    call.portal.quirks.new_contact_lag = LAG
    call.portal.update_contact(ada, city="Lyon")

    assert call.change("1", add=[ada]).json() == {"recordsIdsAdded": [ada]}


def test_a_list_is_read_as_it_was_before_each_write_of_the_last_seconds(
    call: Caller, clock: StoppedClock
) -> None:
    ada, bob = call.portal.add_contacts(2)
    call.portal.add_list("VIP", members=[ada])
    call.portal.quirks.membership_lag_seconds = LAG
    call.change("1", add=[bob])
    clock.advance(1)
    call.change("1", remove=[ada])

    seen = [members_read(call)]
    clock.advance(LAG - 1)
    seen.append(members_read(call))
    clock.advance(1)
    seen.append(members_read(call))

    assert seen == [[ada], [ada, bob], [bob]]
    assert call.portal.members("VIP") == {bob}


def test_the_lists_of_a_record_lag_too(call: Caller, clock: StoppedClock) -> None:
    ada = call.portal.add_contact("ada@example.com")
    call.portal.add_list("VIP")
    call.portal.quirks.membership_lag_seconds = LAG
    call.change("1", add=[ada])

    early = call.ok("GET", f"{LISTS}/records/0-1/{ada}/memberships")["results"]
    clock.advance(LAG)
    late = call.ok("GET", f"{LISTS}/records/0-1/{ada}/memberships")["results"]

    assert [len(early), len(late)] == [0, 1]
