"""Contacts as HubSpot documents them, one at a time and by the hundred."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.emulator_caller import CONTACTS, calling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulator_caller import Caller


@pytest.fixture
def call() -> Iterator[Caller]:
    with calling() as caller:
        yield caller


def test_contacts_are_read_by_any_of_their_addresses_in_any_case(call: Caller) -> None:
    ada = call.portal.add_contact("Ada@Example.com", additional_emails=["ada@home.example.org"])

    by_primary, by_other = (
        call.read_emails([email]).json()["results"] for email in ("ADA@example.com", "ada@home.example.org")
    )

    assert by_primary == by_other
    assert by_primary[0]["id"] == ada
    assert by_primary[0]["properties"]["email"] == "ada@example.com"
    assert by_primary[0]["properties"]["hs_additional_emails"] == "ada@home.example.org"


def test_addresses_that_are_nobodys_are_named_in_a_207(call: Caller) -> None:
    call.portal.add_contact("ada@example.com")

    answer = call.read_emails(["ada@example.com", "bob@example.com", "not an address"])

    assert answer.status_code == 207
    assert [each["properties"]["email"] for each in answer.json()["results"]] == ["ada@example.com"]
    assert answer.json()["numErrors"] == 1
    error = answer.json()["errors"][0]
    assert (error["category"], error["context"]) == (
        "OBJECT_NOT_FOUND",
        {"ids": ["bob@example.com", "not an address"]},
    )


def test_an_input_may_be_left_out_of_results_and_errors_alike(call: Caller) -> None:
    call.portal.add_contact("ada@example.com")
    call.portal.quirks.omitted_inputs["ada@example.com"] = 1

    first, second = (call.read_emails(["ada@example.com"]) for _ in range(2))

    assert (first.status_code, first.json()["results"]) == (200, [])
    assert len(second.json()["results"]) == 1


def test_results_come_in_an_order_of_hubspots_own(call: Caller) -> None:
    ids = list(call.portal.add_contacts(50))

    answer = call.ok("POST", f"{CONTACTS}/batch/read", {"inputs": [{"id": each} for each in ids]})

    found = [each["id"] for each in answer["results"]]
    assert sorted(found) == ids
    assert found != ids


def test_a_merged_id_is_read_as_the_record_that_replaced_it(call: Caller) -> None:
    ada, bob = (call.portal.add_contact(f"{name}@example.com") for name in ("ada", "bob"))
    merged = call.portal.merge(ada, bob)

    answer = call.ok("POST", f"{CONTACTS}/batch/read", {"inputs": [{"id": ada}, {"id": bob}]})

    assert [each["id"] for each in answer["results"]] == [merged]
    assert merged not in {ada, bob}
    assert call.ok("GET", f"{CONTACTS}/{bob}")["id"] == merged


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": [{"id": str(number)} for number in range(101)]},
        {"inputs": []},
        {"inputs": [{"id": "abc"}]},
        {"inputs": [{"id": 1}]},
        {"inputs": [{"id": "Ada"}], "idProperty": "firstname"},
        {"inputs": [{"id": "1", "email": "ada@example.com"}]},
    ],
)
def test_a_batch_that_hubspot_does_not_read_is_refused(call: Caller, body: object) -> None:
    assert call("POST", f"{CONTACTS}/batch/read", body).status_code == 400


def test_a_new_contact_is_stored_lower_cased(call: Caller) -> None:
    answer = call.create({"email": "Ada@Example.com", "firstname": "Ada"})

    assert answer.status_code == 201
    assert answer.json()["results"][0]["objectWriteTraceId"] == "trace-0"
    assert call.portal.contact("ada@example.com").properties == {"firstname": "Ada"}


def test_without_trace_ids_one_bad_input_sinks_the_batch(call: Caller) -> None:
    ada = call.portal.add_contact("ada@example.com")

    bad = call.create({"email": "bob@example.com"}, {"email": "cyd@example.con"}, traced=False)
    taken = call.create({"email": "bob@example.com"}, {"email": "ada@example.com"}, traced=False)
    repeated = call.create({"email": "bob@example.com"}, {"email": "Bob@example.com"}, traced=False)

    assert (bad.status_code, taken.status_code, repeated.status_code) == (400, 409, 400)
    assert taken.json()["message"] == f"Contact already exists. Existing ID: {ada}"
    assert taken.json()["category"] == "CONFLICT"
    assert call.portal.emails() == {"ada@example.com"}


def test_with_trace_ids_each_input_stands_for_itself(call: Caller) -> None:
    call.portal.add_contact("ada@example.com", additional_emails=["ada@home.example.org"])

    answer = call.create(
        {"email": "bob@example.com"},
        {"email": "cyd@example.con"},
        {"email": "ada@home.example.org"},
        {"email": "BOB@example.com"},
    )

    assert answer.status_code == 207
    assert [each["objectWriteTraceId"] for each in answer.json()["results"]] == ["trace-0"]
    told = {each["context"]["objectWriteTraceId"][0]: each["category"] for each in answer.json()["errors"]}
    assert told == {"trace-1": "VALIDATION_ERROR", "trace-2": "CONFLICT", "trace-3": "CONFLICT"}
    assert call.portal.emails() == {"ada@example.com", "bob@example.com"}


def test_a_portal_may_ignore_trace_ids(call: Caller) -> None:
    call.portal.quirks.honours_trace_ids = False

    assert call.create({"email": "bob@example.com"}, {"email": "cyd@example.con"}).status_code == 400
    assert call.portal.emails() == set()


def test_a_trace_id_given_twice_is_refused(call: Caller) -> None:
    inputs = [{"properties": {"email": f"{name}@example.com"}, "objectWriteTraceId": "t"} for name in "ab"]

    assert call("POST", f"{CONTACTS}/batch/create", {"inputs": inputs}).status_code == 400


@pytest.mark.parametrize(
    ("email", "is_taken"),
    [
        ("ada@example.com", True),
        ("ada.o'neil+news@mail.example.co.uk", True),
        ("ada@example.con", False),
        ("ada@example.ik", False),
        ("ada@example", False),
        ("ada@@example.com", False),
        (" ada@example.com", False),
        ("ada..b@example.com", False),
        ("ada@-example.com", False),
        ("adá@example.com", False),
    ],
)
def test_only_some_addresses_are_taken_for_new_contacts(call: Caller, email: str, is_taken: bool) -> None:  # noqa: FBT001
    answer = call.create({"email": email}, traced=False)

    assert answer.status_code == (201 if is_taken else 400)
    if not is_taken:
        assert answer.json()["message"].startswith('Property values were not valid: [{"isValid": false')
        assert answer.json()["errors"][0]["code"] == "INVALID_EMAIL"
        assert answer.json()["errors"][0]["context"] == {"propertyName": ["email"]}


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"no_such_property": "1"}, "PROPERTY_DOESNT_EXIST"),
        ({"createdate": "2026-01-01T00:00:00Z"}, "READ_ONLY_VALUE"),
        ({"followercount": "many"}, "INVALID_NUMBER"),
        ({"hs_email_optout": "yes"}, "INVALID_OPTION"),
        ({"lifecyclestage": "admirer"}, "INVALID_OPTION"),
        ({"hs_buying_role": "CHAMPION;HERO"}, "INVALID_OPTION"),
        ({"hs_job_change_detected_date": "2026-02-30"}, "INVALID_DATE"),
        ({"hs_job_change_detected_date": "1795000000123"}, "INVALID_DATE"),
        ({"closedate": "tomorrow"}, "INVALID_DATE"),
        ({"message": "x" * 65_537}, "TOO_LONG"),
    ],
)
def test_values_are_checked_against_the_propertys_definition(
    call: Caller, properties: dict[str, str], code: str
) -> None:
    answer = call.create({"email": "ada@example.com", **properties}, traced=False)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == code


def test_values_of_every_type_are_taken(call: Caller) -> None:
    values = {
        "followercount": "-1.5e3",
        "hs_email_optout": "true",
        "lifecyclestage": "customer",
        "hs_buying_role": ";CHAMPION;END_USER",
        "hs_job_change_detected_date": "1794960000000",
        "closedate": "2026-11-18T10:00:00.000Z",
    }

    assert call.create({"email": "ada@example.com", **values}).status_code == 201


def test_a_portals_own_rules_hold_for_creates_and_updates(call: Caller) -> None:
    call.portal.require("lastname")

    refused = call.create({"email": "ada@example.com"}, traced=False)
    made = call.create({"email": "ada@example.com", "lastname": "Lovelace"})
    cleared = call("PATCH", f"{CONTACTS}/{made.json()['results'][0]['id']}", {"properties": {"lastname": ""}})

    assert (refused.status_code, made.status_code, cleared.status_code) == (400, 201, 400)
    assert refused.json()["category"] == "VALIDATION_ERROR"


def test_a_contact_needs_a_name_or_an_address(call: Caller) -> None:
    assert call.create({"city": "Lyon"}, traced=False).status_code == 400


def test_contacts_are_updated_by_record_id_only(call: Caller) -> None:
    ada = call.portal.add_contact("ada@example.com", city="Leeds")
    path = f"{CONTACTS}/batch/update"

    done = call("POST", path, {"inputs": [{"id": ada, "properties": {"city": "Lyon"}}]})
    missing = call("POST", path, {"inputs": [{"id": "999", "properties": {"city": "Lyon"}}]})
    by_email = [{"id": "ada@example.com", "idProperty": "email", "properties": {"city": "Porto"}}]
    refused = call("POST", path, {"inputs": by_email})

    assert (done.status_code, missing.status_code, refused.status_code) == (200, 207, 400)
    assert missing.json()["errors"][0]["context"] == {"ids": ["999"]}
    assert refused.json()["message"] == "Unable to perform update/upsert by non-unique 0-1 property"
    assert call.portal.contact(ada).properties == {"city": "Lyon"}


def test_an_empty_value_clears_and_an_address_in_use_is_a_conflict(call: Caller) -> None:
    ada = call.portal.add_contact("ada@example.com", city="Leeds")
    call.portal.add_contact("bob@example.com")

    call.ok("PATCH", f"{CONTACTS}/{ada}", {"properties": {"city": ""}})
    conflict = call("PATCH", f"{CONTACTS}/{ada}", {"properties": {"email": "bob@example.com"}})

    assert conflict.status_code == 409
    assert call.portal.contact(ada).properties == {}


def test_upserts_by_email_create_or_change_and_are_never_partial(call: Caller) -> None:
    ada = call.portal.add_contact("ada@example.com")
    inputs = [
        {"id": email, "idProperty": "email", "properties": {"email": email, "city": "Lyon"}}
        for email in ("ada@example.com", "bob@example.com")
    ]
    partial = [{"id": "ada@example.com", "idProperty": "email", "properties": {"city": "Porto"}}]

    done = call.ok("POST", f"{CONTACTS}/batch/upsert", {"inputs": inputs})
    refused = call("POST", f"{CONTACTS}/batch/upsert", {"inputs": partial})

    assert {each["properties"]["email"]: each["new"] for each in done["results"]} == {
        "ada@example.com": False,
        "bob@example.com": True,
    }
    assert refused.status_code == 400
    assert call.portal.contact(ada).value("city") == "Lyon"


def test_archived_contacts_are_gone_and_their_addresses_free(call: Caller) -> None:
    ada, bob = (call.portal.add_contact(f"{name}@example.com") for name in ("ada", "bob"))

    assert (
        call("POST", f"{CONTACTS}/batch/archive", {"inputs": [{"id": ada}, {"id": "999"}]}).status_code == 204
    )
    assert call("DELETE", f"{CONTACTS}/{bob}").status_code == 204

    assert call("GET", f"{CONTACTS}/{ada}").status_code == 404
    assert call.ok("GET", f"{CONTACTS}/{ada}", archived="true")["archived"] is True
    assert call.create({"email": "ada@example.com"}).status_code == 201


def test_one_contact_is_made_read_and_changed(call: Caller) -> None:
    made = call.ok("POST", CONTACTS, {"properties": {"email": "ada@example.com"}, "associations": []})
    path = f"{CONTACTS}/ada@example.com"

    call.ok("PATCH", path, {"properties": {"city": "Lyon"}}, idProperty="email")
    read = call.ok("GET", path, idProperty="email", properties="city,unheard_of")

    assert read["id"] == made["id"]
    assert read["properties"]["city"] == "Lyon"
    assert "unheard_of" not in read["properties"]
    assert call("GET", path).status_code == 400


def test_contacts_are_paged_with_those_of_a_block_among_them(call: Caller) -> None:
    first = call.portal.add_contact("ada@example.com")
    block = call.portal.add_contacts(3)
    call.portal.update_contact(block[1], email="bob@example.com")

    page = call.ok("GET", CONTACTS, limit=3)
    rest = call.ok("GET", CONTACTS, limit=3, after=page["paging"]["next"]["after"])

    found = page["results"] + rest["results"]
    assert [each["id"] for each in found] == [first, *block]
    assert [each["properties"]["email"] for each in found] == [
        "ada@example.com",
        "contact0@example.com",
        "bob@example.com",
        "contact2@example.com",
    ]


def test_a_million_contacts_are_there_at_once_and_each_can_change(call: Caller) -> None:
    ids = call.portal.add_contacts(1_000_000)
    call.portal.add_list("Everybody", members=ids)

    call.portal.delete_contact("contact999999@example.com")
    merged = call.portal.merge(ids[0], ids[1])

    assert call.read_emails(["contact999998@example.com"]).json()["results"][0]["id"] == ids[999_998]
    assert call.read_emails(["contact999999@example.com"]).json()["errors"]
    assert call.portal.contact(merged).additional_emails == ("contact1@example.com",)
    assert len(call.portal.contacts) == 999_998
    assert call.ok("GET", "/crm/lists/2026-03/1")["list"]["size"] == 999_998
