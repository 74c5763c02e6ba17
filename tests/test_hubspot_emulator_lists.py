"""Lists and memberships as HubSpot documents them, or as they were seen to be."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.emulator_caller import LISTS, calling
from tests.hubspot_emulator import StoppedClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulator_caller import Caller

MANUAL = {"name": "VIP", "objectTypeId": "0-1", "processingType": "MANUAL"}
NOBODY = "999"


@pytest.fixture
def call() -> Iterator[Caller]:
    with calling() as caller:
        yield caller


def by_name(name: str) -> str:
    return f"{LISTS}/object-type-id/0-1/name/{quote(name, safe='')}"


def search(call: Caller, query: str = "") -> list[str]:
    found = call.ok("POST", f"{LISTS}/search", {"query": query})
    return [each["name"] for each in found["lists"]]


def test_a_made_list_is_found_by_id_and_by_name_whatever_the_case(call: Caller) -> None:
    made = call.ok("POST", LISTS, MANUAL)["list"]

    assert made["processingType"] == "MANUAL"
    assert made["size"] == 0
    assert call.ok("GET", f"{LISTS}/{made['listId']}")["list"] == made
    assert call.ok("GET", by_name("vip"))["list"] == made
    assert call.ok("GET", LISTS, listIds=["77", made["listId"]])["lists"] == [made]


@pytest.mark.parametrize("name", ["50 % off/20 % off?", "naïve #1", "a+b&c=d", "x/../y"])
def test_a_name_is_taken_percent_encoded(call: Caller, name: str) -> None:
    call.ok("POST", LISTS, MANUAL | {"name": name})

    assert call.ok("GET", by_name(name))["list"]["name"] == name


@pytest.mark.parametrize(
    "body",
    [
        {"name": "VIP", "objectTypeId": "0-1"},
        MANUAL | {"name": " "},
        MANUAL | {"processingType": "STATIC"},
        MANUAL | {"processingType": "DYNAMIC"},
        MANUAL | {"objectTypeId": "0-2"},
        MANUAL | {"listFolderId": 7},
        MANUAL | {"listFolderId": "7"},
        MANUAL | {"nmae": "VIP"},
    ],
)
def test_a_list_that_hubspot_would_not_make_is_refused(call: Caller, body: dict[str, object]) -> None:
    refused = call("POST", LISTS, body)

    assert refused.status_code == 400
    assert refused.json()["category"] == "VALIDATION_ERROR"
    assert call.portal.list_names() == set()


def test_a_name_taken_in_another_case_is_a_duplicate_even_of_a_deleted_list(call: Caller) -> None:
    call.portal.add_list("vip")
    call.portal.add_list("Lapsed")
    call.portal.delete_list("Lapsed")

    answers = [call("POST", LISTS, MANUAL | {"name": name}) for name in ("VIP", "lapsed")]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert {answer.json()["subCategory"] for answer in answers} == {"ILS.DUPLICATE_LIST_NAMES"}


def test_a_missing_name_is_404_or_as_segment_saw_it_400(call: Caller) -> None:
    assert call("GET", by_name("VIP")).status_code == 404

    call.portal.quirks.missing_list_status = 400
    answer = call("GET", by_name("VIP"))

    assert answer.status_code == 400
    assert answer.json()["message"] == "List does not exist with name VIP and object type ID 0-1."


def test_a_new_list_is_missing_from_search_for_a_while(call: Caller) -> None:
    call.portal.quirks.search_lag = 1
    call.ok("POST", LISTS, MANUAL)

    assert [search(call), search(call)] == [[], ["VIP"]]


def test_search_pages_by_offset_and_filters(call: Caller) -> None:
    for number in range(3):
        call.portal.add_list(f"VIP {number}")
    call.portal.add_list("Active", processing_type="DYNAMIC")

    asked = {"query": "vip", "count": 2, "processingTypes": ["MANUAL"], "sort": "HS_LIST_ID"}
    first = call.ok("POST", f"{LISTS}/search", asked)
    second = call.ok("POST", f"{LISTS}/search", asked | {"offset": first["offset"]})

    assert [each["name"] for each in first["lists"] + second["lists"]] == ["VIP 0", "VIP 1", "VIP 2"]
    assert (first["hasMore"], second["hasMore"], second["total"]) == (True, False, 3)
    assert first["lists"][0]["additionalProperties"]["hs_list_size"] == "0"


def test_searches_have_a_budget_of_their_own_and_tell_no_headers(call: Caller) -> None:
    answers = [call("POST", f"{LISTS}/search", {}) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[-1].json()["policyName"] == "SECONDLY"
    assert not any(name.startswith("X-HubSpot-RateLimit") for name in answers[0].headers)


def test_all_lists_are_paged_from_2026_09_on(call: Caller) -> None:
    for number in range(3):
        call.portal.add_list(f"VIP {number}")
    path = "/crm/lists/2026-09/all"

    first = call.ok("POST", path, {"count": 2})
    second = call.ok("POST", path, {"count": 2, "after": first["paging"]["next"]["after"]})

    assert [each["listId"] for each in first["results"] + second["results"]] == ["1", "2", "3"]
    assert "paging" not in second
    assert call("POST", path, {"after": "x"}).json()["subCategory"] == "INVALID_CURSOR"
    assert call("POST", f"{LISTS}/all", {}).status_code == 405


def test_a_list_is_renamed_deleted_and_restored(call: Caller) -> None:
    made = call.ok("POST", LISTS, MANUAL)["list"]["listId"]

    renamed = call.ok("PUT", f"{LISTS}/{made}/update-list-name", listName="Very important")["updatedList"]
    assert call("DELETE", f"{LISTS}/{made}").status_code == 204
    gone = call("GET", f"{LISTS}/{made}").status_code, call("GET", by_name("Very important")).status_code
    assert call("PUT", f"{LISTS}/{made}/restore").status_code == 204

    assert renamed["name"] == "Very important"
    assert gone == (404, 404)
    assert call.ok("GET", f"{LISTS}/{made}")["list"]["name"] == "Very important"
    assert call("GET", by_name("VIP")).status_code == 404


def test_a_list_can_be_made_in_a_folder(call: Caller) -> None:
    folder = call.ok("POST", f"{LISTS}/folders", {"name": "Cohorts"})["folder"]["id"]

    made = call.ok("POST", LISTS, MANUAL | {"listFolderId": int(folder)})["list"]["listId"]

    assert call.ok("GET", f"{LISTS}/folders", folderId=folder)["folder"]["childLists"] == [int(made)]


def test_an_account_has_only_so_many_lists(call: Caller) -> None:
    call.portal.lists.limits["MANUAL"] = 1
    call.portal.add_list("First")

    assert call("POST", LISTS, MANUAL).status_code == 400


def test_members_are_added_removed_or_missing_and_unchanged_ones_are_nowhere(call: Caller) -> None:
    ada, bob, cyd = (call.portal.add_contact(f"{name}@example.com") for name in ("ada", "bob", "cyd"))
    call.portal.add_list("VIP", members=[ada, bob])

    answer = call.change("1", add=[ada, cyd, NOBODY], remove=[bob]).json()

    assert answer == {
        "recordsIdsAdded": [cyd],
        "recordIdsRemoved": [bob],
        "recordIdsMissing": [NOBODY],
    }
    assert call.portal.members("VIP") == {ada, cyd}


def test_arrays_that_are_empty_are_left_out_unless_switched(call: Caller) -> None:
    ada = call.portal.add_contact("ada@example.com")
    call.portal.add_list("VIP")

    bare = call.change("1", add=[ada]).json()
    call.portal.quirks.omits_empty_arrays = False
    call.portal.quirks.added_key = "recordIdsAdded"
    full = call.change("1", add=[ada]).json()

    assert bare == {"recordsIdsAdded": [ada]}
    assert full == {"recordIdsAdded": [], "recordIdsRemoved": [], "recordIdsMissing": []}


def test_add_and_remove_alone_take_a_bare_array(call: Caller) -> None:
    ada = call.portal.add_contact("ada@example.com")
    call.portal.add_list("VIP")

    added = call.ok("PUT", f"{LISTS}/1/memberships/add", [ada])
    removed = call.ok("PUT", f"{LISTS}/1/memberships/remove", [ada])

    assert (added, removed) == ({"recordsIdsAdded": [ada]}, {"recordIdsRemoved": [ada]})


@pytest.mark.parametrize(
    "body",
    [
        {"recordIdsToAdd": ["1"]},
        {"recordIdsToAdd": ["1"], "recordIdsToRemove": None},
        {"recordIdsToAdd": [1], "recordIdsToRemove": []},
        {"recordIdsToAdd": ["ada@example.com"], "recordIdsToRemove": []},
        {"recordIdsToAdd": ["1", "1"], "recordIdsToRemove": []},
        {"recordIdsToAdd": ["1"], "recordIdsToRemove": ["1"]},
        {"recordIdsToAdd": ["9223372036854775808"], "recordIdsToRemove": []},
        ["1"],
    ],
)
def test_a_malformed_membership_change_is_refused(call: Caller, body: object) -> None:
    call.portal.add_list("VIP")

    assert call("PUT", f"{LISTS}/1/memberships/add-and-remove", body).status_code == 400


def test_the_members_of_an_active_list_cannot_be_changed(call: Caller) -> None:
    ada = call.portal.add_contact("ada@example.com")
    call.portal.add_list("Active", processing_type="DYNAMIC")

    assert call.change("1", add=[ada]).status_code == 400
    assert call("DELETE", f"{LISTS}/1/memberships").status_code == 400
    assert call.portal.members("Active") == set()


def test_members_of_a_list_that_is_gone_cannot_be_changed(call: Caller) -> None:
    call.portal.add_list("VIP")
    call.portal.delete_list("VIP")

    assert call.change("1").status_code == 404


@pytest.mark.parametrize("status", [400, 413])
def test_more_ids_than_a_call_may_hold_change_nothing(call: Caller, status: int) -> None:
    call.portal.quirks.max_ids_per_call, call.portal.quirks.too_many_ids_status = 1, status
    ids = call.portal.add_contacts(2)
    call.portal.add_list("VIP")

    assert call.change("1", add=ids).status_code == status
    assert call.portal.members("VIP") == set()


@pytest.mark.parametrize("applies", [True, False])
def test_a_call_that_takes_too_long_is_524_whether_it_took_effect_or_not(call: Caller, applies: bool) -> None:  # noqa: FBT001
    call.portal.quirks.seconds_per_id, call.portal.quirks.applies_after_524 = 60.0, applies
    ids = call.portal.add_contacts(2)
    call.portal.add_list("VIP")

    assert call.change("1", add=ids).status_code == 524
    assert call.portal.members("VIP") == (set(ids) if applies else set())
    assert call.change("1", add=ids[:1]).status_code == 200


def test_a_dropped_add_is_reported_as_added(call: Caller) -> None:
    ada = call.portal.add_contact("ada@example.com")
    call.portal.add_list("VIP")
    call.portal.quirks.dropped_record_ids.add(ada)

    assert call.change("1", add=[ada]).json() == {"recordsIdsAdded": [ada]}
    assert call.portal.members("VIP") == set()


def test_members_are_paged_by_ascending_record_id(call: Caller) -> None:
    ids = call.portal.add_contacts(5)
    call.portal.add_list("VIP", members=reversed(ids))
    path = f"{LISTS}/1/memberships"

    first = call.ok("GET", path, limit=3)
    second = call.ok("GET", path, limit=3, after=first["paging"]["next"]["after"])
    backwards = call.ok("GET", path, limit=2, before=first["paging"]["next"]["after"])

    assert [each["recordId"] for each in first["results"] + second["results"]] == list(ids)
    assert "paging" not in second
    assert [each["recordId"] for each in backwards["results"]] == [ids[1], ids[0]]


def test_members_in_join_order_come_newest_first(call: Caller) -> None:
    ids = call.portal.add_contacts(3)
    call.portal.add_list("VIP", members=ids)
    path = f"{LISTS}/1/memberships/join-order"

    first = call.ok("GET", path, limit=2)
    second = call.ok("GET", path, limit=2, after=first["paging"]["next"]["after"])

    assert [each["recordId"] for each in first["results"] + second["results"]] == list(ids)[::-1]


@pytest.mark.parametrize(
    "query", [{"limit": 251}, {"limit": 0}, {"after": "2"}, {"after": "cjE"}, {"limit": "x"}]
)
def test_a_page_that_hubspot_does_not_give_is_refused(call: Caller, query: dict[str, str | int]) -> None:
    call.portal.add_list("VIP")

    assert call("GET", f"{LISTS}/1/memberships", **query).status_code == 400


def test_a_list_that_is_processing_says_so_and_shows_a_part_of_its_members(call: Caller) -> None:
    ids = list(call.portal.add_contacts(4))
    call.portal.add_list("VIP", processing_type="SNAPSHOT", members=ids)
    call.portal.keep_processing("VIP", seconds=30)

    seen = []
    for seconds in (0, 29, 1):
        assert isinstance(call.portal.clock, StoppedClock)
        call.portal.clock.advance(seconds)
        shown = call.ok("GET", f"{LISTS}/1")["list"]
        members = call.ok("GET", f"{LISTS}/1/memberships")["results"]
        seen.append((shown["processingStatus"], shown["size"], [each["recordId"] for each in members]))

    assert seen == [("PROCESSING", 2, ids[:2])] * 2 + [("COMPLETE", 4, ids)]
    assert call.portal.members("VIP") == set(ids)


def test_ids_of_the_retired_lists_api_are_translated(call: Caller) -> None:
    vip, other = call.portal.add_list("VIP"), call.portal.add_list("Other")

    one = call.ok("GET", f"{LISTS}/idmapping", legacyListId=vip.legacy_id)
    many = call.ok("POST", f"{LISTS}/idmapping", [other.legacy_id, "1", vip.legacy_id])

    assert one == {"legacyListId": vip.legacy_id, "listId": "1"}
    assert many["missingLegacyListIds"] == ["1"]
    assert {each["legacyListId"]: each["listId"] for each in many["legacyListIdsToIdsMapping"]} == {
        vip.legacy_id: "1",
        other.legacy_id: "2",
    }
    assert vip.legacy_id != vip.list_id


def test_a_translation_that_hubspot_does_not_give_is_refused(call: Caller) -> None:
    path = f"{LISTS}/idmapping"

    assert call("GET", path, legacyListId="1").status_code == 404
    assert call("GET", path).status_code == 400
    assert call("POST", path, {"legacyListIds": ["1"]}).status_code == 400
    assert call("POST", path, [1]).status_code == 400
    assert call("POST", path, [str(number) for number in range(10_001)]).status_code == 400


@pytest.mark.parametrize("names", [False, True])
def test_ids_that_a_list_does_not_take_sink_the_call_named_or_not(call: Caller, names: bool) -> None:  # noqa: FBT001
    call.portal.add_list("VIP")
    ada, bob = call.portal.add_contacts(2)
    call.portal.quirks.refused_record_ids = {bob}
    call.portal.quirks.names_refused_ids = names

    answer = call.change("1", add=[ada, bob])

    assert answer.status_code == 400
    assert (bob in answer.json()["message"]) == names
    assert call.portal.members("VIP") == set()


def test_a_locked_list_refuses_calls_of_either_kind(call: Caller) -> None:
    call.portal.add_list("VIP")
    (ada,) = call.portal.add_contacts(1)
    call.portal.quirks.locked_lists = {"1": {"remove"}}

    assert call.change("1", add=[ada]).status_code == 200
    assert call.change("1", remove=[ada]).status_code == 400
    assert call.portal.members("VIP") == {ada}


def test_reads_may_lag_behind_writes(call: Caller) -> None:
    ada = call.portal.add_contact("ada@example.com")
    call.portal.add_list("VIP")
    call.portal.quirks.membership_lag = 1

    call.change("1", add=[ada])
    sizes = [len(call.ok("GET", f"{LISTS}/1/memberships")["results"]) for _ in range(2)]

    assert sizes == [0, 1]


def test_the_lists_of_records_are_read_one_by_one_or_in_a_batch(call: Caller) -> None:
    ada, bob = (call.portal.add_contact(f"{name}@example.com") for name in ("ada", "bob"))
    call.portal.add_list("VIP", members=[ada])

    one = call.ok("GET", f"{LISTS}/records/0-1/{ada}/memberships")
    inputs = [{"objectTypeId": "0-1", "recordId": each} for each in (ada, bob, NOBODY)]
    batch = call("POST", f"{LISTS}/records/memberships/batch/read", {"inputs": inputs})

    assert [each["listId"] for each in one["results"]] == ["1"]
    assert call("GET", f"{LISTS}/records/0-1/{NOBODY}/memberships").status_code == 404
    assert batch.status_code == 207
    assert batch.json()["errors"][0]["context"] == {"ids": [NOBODY]}
    found = {each["recordId"]: len(each["recordListMemberships"]) for each in batch.json()["results"]}
    assert found == {ada: 1, bob: 0}


def test_a_list_can_be_emptied_and_filled_from_another(call: Caller) -> None:
    ids = call.portal.add_contacts(3)
    call.portal.add_list("VIP", members=ids)
    call.portal.add_list("Copy")

    assert call("PUT", f"{LISTS}/2/memberships/add-from/1").status_code == 204
    assert call("DELETE", f"{LISTS}/1/memberships").status_code == 204

    assert call.portal.members("Copy") == set(ids)
    assert call.portal.members("VIP") == set()


def test_merged_and_deleted_contacts_are_missing_and_their_memberships_follow(call: Caller) -> None:
    ada, bob, cyd = (call.portal.add_contact(f"{name}@example.com") for name in ("ada", "bob", "cyd"))
    call.portal.add_list("VIP", members=[bob, cyd])

    merged = call.portal.merge(ada, bob)
    call.portal.delete_contact(cyd)
    answer = call.change("1", add=[ada, bob, cyd]).json()

    assert answer == {"recordIdsMissing": [ada, bob, cyd]}
    assert call.portal.members("VIP") == {merged}
    assert call.portal.member_emails("VIP") == {"ada@example.com"}
