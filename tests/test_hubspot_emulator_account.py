"""Properties, OAuth and the account, as HubSpot documents them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from tests.emulator_caller import CONTACTS, LISTS, PROPERTIES, Caller, calling
from tests.hubspot_emulator import ALL_SCOPES, HubSpotEmulator, Portal, StoppedClock

if TYPE_CHECKING:
    from collections.abc import Iterator

TIER = {
    "name": "tier",
    "label": "Tier",
    "type": "enumeration",
    "fieldType": "select",
    "groupName": "contactinformation",
    "options": [{"label": "Gold", "value": "gold", "hidden": False, "displayOrder": 0}],
}


@pytest.fixture
def call() -> Iterator[Caller]:
    with calling() as caller:
        yield caller


def refresh(call: Caller, version: str = "2026-03", **fields: str) -> requests.Response:
    app = call.hubspot.oauth
    sent = {
        "grant_type": "refresh_token",
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "refresh_token": app.refresh_token,
    }
    return call.form(f"/oauth/{version}/token", **(sent | fields))


def test_every_portal_has_the_standard_properties(call: Caller) -> None:
    found = {each["name"]: each for each in call.ok("GET", PROPERTIES)["results"]}

    assert {each["type"] for each in found.values()} == {
        "string",
        "number",
        "bool",
        "enumeration",
        "date",
        "datetime",
    }
    assert found["createdate"]["modificationMetadata"]["readOnlyValue"] is True
    assert found["email"]["hasUniqueValue"] is True
    assert found["num_associated_deals"]["calculated"] is True


def test_a_property_is_made_once_used_and_archived(call: Caller) -> None:
    made = call("POST", PROPERTIES, TIER)
    again = call("POST", PROPERTIES, TIER | {"name": "Tier"})
    used = call.create({"email": "ada@example.com", "tier": "gold"})
    archived = call("DELETE", f"{PROPERTIES}/tier")
    refused = call.create({"email": "bob@example.com", "tier": "gold"}, traced=False)

    assert [each.status_code for each in (made, again, used, archived, refused)] == [201, 409, 201, 204, 400]
    assert call("GET", f"{PROPERTIES}/tier").status_code == 404
    assert call.ok("GET", f"{PROPERTIES}/tier", archived="true")["archived"] is True


@pytest.mark.parametrize(
    "change",
    [
        {"type": "number"},
        {"options": []},
        {"groupName": "nowhere"},
        {"name": "1st"},
        {"name": "über"},
        {"name": ""},
        {"fieldType": "booleancheckbox"},
        {"widget": "select"},
    ],
)
def test_a_property_that_hubspot_would_not_make_is_refused(call: Caller, change: dict[str, object]) -> None:
    assert call("POST", PROPERTIES, TIER | change).status_code == 400


def test_properties_are_made_read_and_archived_in_batches(call: Caller) -> None:
    made = call("POST", f"{PROPERTIES}/batch/create", {"inputs": [TIER, TIER | {"name": "city"}]})
    asked = {
        "archived": False,
        "dataSensitivity": "non_sensitive",
        "inputs": [{"name": "tier"}, {"name": "no"}],
    }
    read = call("POST", f"{PROPERTIES}/batch/read", asked)
    archived = call("POST", f"{PROPERTIES}/batch/archive", {"inputs": [{"name": "tier"}]})

    assert (made.status_code, read.status_code, archived.status_code) == (207, 207, 204)
    assert [each["name"] for each in made.json()["results"]] == ["tier"]
    assert [each["name"] for each in read.json()["results"]] == ["tier"]
    assert call("GET", f"{PROPERTIES}/tier").status_code == 404


def test_a_property_made_under_an_archived_ones_name_is_the_archived_one_again(call: Caller) -> None:
    call.portal.add_property("tier", "number", "number")
    call.portal.archive_property("tier")

    made = call("POST", PROPERTIES, TIER)

    assert (made.status_code, made.json()["type"], made.json()["archived"]) == (201, "number", False)
    assert "tier" in {each["name"] for each in call.ok("GET", PROPERTIES)["results"]}


def test_an_archived_property_may_keep_its_name(call: Caller) -> None:
    call.portal.quirks.restores_archived_properties = False
    call.portal.add_property("tier", "number", "number")
    call.portal.archive_property("tier")

    assert call("POST", PROPERTIES, TIER).status_code == 409


def test_sensitive_properties_are_told_only_to_who_asks_for_them(call: Caller) -> None:
    call.portal.add_property("diagnosis", sensitivity="sensitive")
    call.portal.add_property("passport", sensitivity="highly_sensitive")
    call.portal.add_property("plan")

    told = {
        sensitivity: {
            each["name"] for each in call.ok("GET", PROPERTIES, dataSensitivity=sensitivity)["results"]
        }
        for sensitivity in ("sensitive", "highly_sensitive")
    }
    one = call.ok("GET", f"{PROPERTIES}/diagnosis", dataSensitivity="sensitive")
    asked = {"archived": False, "inputs": [{"name": "passport"}]}
    batch = call("POST", f"{PROPERTIES}/batch/read", asked | {"dataSensitivity": "highly_sensitive"})

    assert told == {"sensitive": {"diagnosis"}, "highly_sensitive": {"passport"}}
    assert {"diagnosis", "passport"}.isdisjoint(
        each["name"] for each in call.ok("GET", PROPERTIES)["results"]
    )
    assert one["dataSensitivity"] == "sensitive"
    assert call("GET", f"{PROPERTIES}/diagnosis").status_code == 404
    assert [each["name"] for each in batch.json()["results"]] == ["passport"]
    assert call("POST", f"{PROPERTIES}/batch/read", asked).json()["results"] == []
    assert call("GET", PROPERTIES, dataSensitivity="secret").status_code == 400


@pytest.mark.parametrize("sensitivity", ["sensitive", "highly_sensitive"])
def test_values_of_sensitive_properties_need_scopes_of_their_own(sensitivity: str) -> None:
    extra = {f"crm.objects.contacts.{sensitivity}.{access}.v2" for access in ("read", "write")}
    portal = Portal()
    portal.add_property("diagnosis", sensitivity=sensitivity)
    ada = portal.add_contact("ada@example.com", diagnosis="none")
    write = {"inputs": [{"id": ada, "properties": {"diagnosis": "flu"}}]}
    read = {"inputs": [{"id": ada}], "properties": ["diagnosis"]}
    tokens = {"plain": ALL_SCOPES, "special": ALL_SCOPES | extra}

    answers = {}
    with requests.Session() as session, HubSpotEmulator(portal, tokens=tokens) as hubspot:
        call = Caller(hubspot, session)
        for token in tokens:
            call.use(token)
            answers[token] = [
                call("POST", f"{CONTACTS}/batch/update", write),
                call("POST", f"{CONTACTS}/batch/read", read),
                call("GET", f"{CONTACTS}/{ada}", properties="diagnosis"),
            ]

    assert [each.status_code for each in answers["plain"]] == [403] * 3
    assert answers["plain"][0].json()["errors"][0]["context"]["requiredGranularScopes"] == [
        f"crm.objects.contacts.{sensitivity}.write.v2"
    ]
    assert [each.status_code for each in answers["special"]] == [200] * 3
    assert answers["special"][2].json()["properties"]["diagnosis"] == "flu"


def test_why_a_contact_cannot_be_mailed_is_told_and_cannot_be_written(call: Caller) -> None:
    names = ("hs_email_bad_address", "hs_email_quarantined", "hs_email_is_ineligible", "hs_marketable_status")
    values = dict.fromkeys(names, "true") | {"hs_email_hard_bounce_reason_enum": "UNKNOWN_USER"}
    ada = call.portal.add_contact("ada@example.com", hs_email_optout="true", **values)

    shown = call.ok("GET", f"{CONTACTS}/{ada}", properties=",".join(values))["properties"]

    assert values.items() <= shown.items()
    for name, value in values.items():
        assert call("PATCH", f"{CONTACTS}/{ada}", {"properties": {name: value}}).status_code == 400
    assert call("PATCH", f"{CONTACTS}/{ada}", {"properties": {"hs_email_optout": "false"}}).status_code == 200


def test_a_label_can_change_but_hubspots_own_properties_stay(call: Caller) -> None:
    call.portal.add_property("tier", "enumeration", "select", options=["gold"])

    assert call.ok("PATCH", f"{PROPERTIES}/tier", {"label": "Level"})["label"] == "Level"
    assert call("PATCH", f"{PROPERTIES}/tier", {"name": "level"}).status_code == 400
    assert call("DELETE", f"{PROPERTIES}/email").status_code == 400


def test_groups_are_made_renamed_and_removed(call: Caller) -> None:
    path = f"{PROPERTIES}/groups"

    made = call("POST", path, {"name": "cohorts", "label": "Cohorts"})
    again = call("POST", path, {"name": "cohorts", "label": "Cohorts"})
    renamed = call.ok("PATCH", f"{path}/cohorts", {"label": "Audiences"})
    removed = call("DELETE", f"{path}/cohorts")

    assert (made.status_code, again.status_code, removed.status_code) == (201, 409, 204)
    assert renamed["label"] == "Audiences"
    assert call("GET", f"{path}/cohorts").status_code == 404
    assert call("DELETE", f"{path}/contactinformation").status_code == 400
    assert len(call.ok("GET", path)["results"]) == 3


def test_an_account_has_only_so_many_custom_properties(call: Caller) -> None:
    call.portal.properties.custom_limit = 1
    call.portal.add_property("tier")

    usage = call.ok("GET", "/crm/limits/2026-03/custom-properties")

    assert (usage["overallLimit"], usage["overallUsage"], usage["overallPercentage"]) == (1, 1, 100)
    assert call("POST", PROPERTIES, TIER | {"name": "second"}).status_code == 400


def test_a_value_of_a_unique_property_finds_its_contact_and_is_taken_once(call: Caller) -> None:
    call.portal.add_property("customer_number", unique=True)
    ada = call.portal.add_contact("ada@example.com", customer_number="7")

    body = {"inputs": [{"id": "7"}], "idProperty": "customer_number"}

    assert call.ok("POST", f"{CONTACTS}/batch/read", body)["results"][0]["id"] == ada
    assert call.create({"email": "bob@example.com", "customer_number": "7"}, traced=False).status_code == 409


def test_a_value_of_a_unique_property_names_the_contact_to_update(call: Caller) -> None:
    call.portal.add_property("customer_number", unique=True)
    call.portal.add_contact("ada@example.com", customer_number="A7")
    inputs = [
        {"id": each, "idProperty": "customer_number", "properties": {"city": "Lyon"}} for each in ("A7", "a7")
    ]

    answer = call("POST", f"{CONTACTS}/batch/update", {"inputs": inputs})

    assert answer.status_code == 207
    assert answer.json()["errors"][0]["context"] == {"ids": ["a7"]}
    assert call.portal.contact("ada@example.com").properties["city"] == "Lyon"
    by_email = {"id": "ada@example.com", "idProperty": "email", "properties": {"city": "Porto"}}
    assert call("POST", f"{CONTACTS}/batch/update", {"inputs": [by_email]}).status_code == 400


@pytest.mark.parametrize("ignores_case", [False, True])
def test_a_unique_value_may_be_found_whatever_its_case(call: Caller, *, ignores_case: bool) -> None:
    call.portal.add_property("customer_number", unique=True)
    ada = call.portal.add_contact("ada@example.com", customer_number="A7")
    call.portal.quirks.unique_values_ignore_case = ignores_case

    body = {"inputs": [{"id": "a7"}], "idProperty": "customer_number", "properties": ["customer_number"]}
    found = call.ok("POST", f"{CONTACTS}/batch/read", body)["results"]

    assert [(each["id"], each["properties"]["customer_number"]) for each in found] == (
        [(ada, "A7")] if ignores_case else []
    )


@pytest.mark.parametrize("version", ["v1", "v3", "2026-03", "2026-09"])
def test_a_refresh_token_gives_an_access_token_that_expires(call: Caller, version: str) -> None:
    answer = refresh(call, version).json()
    call.use(answer["access_token"])

    fresh = call("GET", "/account-info/2026-03/details")
    assert isinstance(call.portal.clock, StoppedClock)
    call.portal.clock.advance(answer["expires_in"])
    stale = call("GET", "/account-info/2026-03/details")

    assert (fresh.status_code, stale.status_code) == (200, 401)
    assert answer["expires_in"] == 1800
    assert stale.json()["category"] == "EXPIRED_AUTHENTICATION"
    assert "X-HubSpot-RateLimit-Max" in fresh.headers
    assert "X-HubSpot-RateLimit-Daily" not in fresh.headers


@pytest.mark.parametrize(
    ("fields", "error", "status"),
    [
        ({"refresh_token": "wrong"}, "invalid_grant", "BAD_REFRESH_TOKEN"),
        ({"client_id": "wrong"}, "invalid_client", "BAD_CLIENT_ID"),
        ({"client_secret": "wrong"}, "invalid_client", "BAD_CLIENT_SECRET"),
        ({"refresh_token": ""}, "invalid_request", "MISSING_REFRESH_TOKEN"),
        ({"grant_type": "authorization_code"}, "invalid_grant", "BAD_AUTH_CODE"),
        ({"grant_type": "password"}, "unsupported_grant_type", "BAD_GRANT_TYPE"),
    ],
)
def test_a_refresh_is_refused_in_oauths_words(
    call: Caller, fields: dict[str, str], error: str, status: str
) -> None:
    answer = refresh(call, **fields)

    assert answer.status_code == 400
    assert (answer.json()["error"], answer.json()["status"]) == (error, status)


@pytest.mark.parametrize(("told", "scopes"), [("empty", []), ("absent", None)])
def test_answers_about_tokens_may_not_tell_the_scopes(call: Caller, told: str, scopes: object) -> None:
    call.hubspot.oauth.told_scopes = told

    issued = refresh(call).json()
    app = call.hubspot.oauth
    mine = {"client_id": app.client_id, "client_secret": app.client_secret}
    about = call.form("/oauth/2026-03/token/introspect", token=issued["access_token"], **mine).json()

    assert (issued.get("scopes"), about.get("scopes")) == (scopes, scopes)
    call.use(issued["access_token"])
    assert call("GET", LISTS, listIds="1").status_code == 200


def test_an_account_may_refuse_to_tell_about_itself(call: Caller) -> None:
    call.portal.quirks.refuses_account_info = True

    answer = call("GET", "/account-info/2026-03/details")

    assert (answer.status_code, answer.json()["category"]) == (403, "FORBIDDEN")
    assert call("GET", LISTS, listIds="1").status_code == 200


def test_credentials_in_a_json_body_are_not_taken(call: Caller) -> None:
    assert call("POST", "/oauth/2026-03/token", {"grant_type": "refresh_token"}).status_code == 415


def test_an_app_may_rotate_its_refresh_tokens(call: Caller) -> None:
    call.hubspot.oauth.rotates = True
    first = call.hubspot.oauth.refresh_token

    second = refresh(call).json()["refresh_token"]

    assert second != first
    assert refresh(call, refresh_token=first).status_code == 400
    assert refresh(call, refresh_token=second).status_code == 200


def test_an_uninstalled_app_is_dead_at_once(call: Caller) -> None:
    call.use(refresh(call).json()["access_token"])
    token = call.hubspot.oauth.refresh_token

    call.hubspot.oauth.revoke()

    assert call("GET", "/account-info/2026-03/details").status_code == 401
    assert refresh(call, refresh_token=token).json()["status"] == "BAD_REFRESH_TOKEN"


def test_tokens_are_looked_into_and_revoked(call: Caller) -> None:
    app = call.hubspot.oauth
    mine = {"client_id": app.client_id, "client_secret": app.client_secret}
    access, refreshing = refresh(call).json()["access_token"], app.refresh_token
    path = "/oauth/2026-03/token"

    about = [call.form(f"{path}/introspect", token=each, **mine).json() for each in (access, refreshing)]
    revoked = call.form(f"{path}/revoke", token=refreshing, **mine)

    assert [(each["token_use"], each["active"]) for each in about] == [
        ("access_token", True),
        ("refresh_token", True),
    ]
    assert about[0]["hub_id"] == call.portal.portal_id
    assert revoked.status_code == 204
    assert call.form(f"{path}/introspect", token=access, **mine).status_code == 404


def test_the_account_tells_its_portal_id_and_from_2026_09_its_name(call: Caller) -> None:
    older, newer = (call.ok("GET", f"/account-info/{version}/details") for version in ("v3", "2026-09"))

    assert older["portalId"] == call.portal.portal_id
    assert "portalName" not in older
    assert "portalName" in newer


def test_the_account_tells_how_much_of_the_day_is_used(call: Caller) -> None:
    call.ok("GET", "/account-info/2026-03/details")

    usage = call.ok("GET", "/account-info/2026-03/api-usage/daily/private-apps")["results"][0]

    assert (usage["currentUsage"], usage["usageLimit"]) == (2, 1_000_000)
    assert usage["resetsAt"] == "2026-11-19T00:00:00.000Z"


def test_a_demonstration_can_look_at_the_lists_without_a_token(call: Caller) -> None:
    nameless = call.portal.add_contact()
    call.portal.add_list("VIP", members=[call.portal.add_contact("ada@example.com"), nameless])
    call.use("none")

    shown = call.ok("GET", "/__portal__/lists")["lists"]

    assert [(each["name"], each["members"]) for each in shown] == [("VIP", [nameless, "ada@example.com"])]
