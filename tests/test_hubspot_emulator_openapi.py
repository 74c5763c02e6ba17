"""The emulator's routes, scopes and answers against HubSpot's published OpenAPI files.

https://github.com/HubSpot/HubSpot-public-api-spec-collection: published as reference, so no part of this
repository. They are looked for beside the checkout, and the tests are skipped where they are not.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from tests.emulator_caller import calling
from tests.hubspot_emulator.emulator import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.emulator_caller import Caller
    from tests.hubspot_emulator.routing import Route

SPECS = Path(__file__).parent.parent.parent / "shared" / "openapi"
AREAS = {
    # what a path begins with, the file that describes it, and the version in the file's paths
    "/crm/lists/": ("lists_2026-03.json", "2026-03"),
    "/crm/objects/": ("contacts_2026-03.json", "2026-03"),
    "/crm/properties/": ("properties_2026-03.json", "2026-03"),
    "/oauth/": ("oauth_2026-03.json", "2026-03"),
    "/account-info/": ("account-info_2026-03.json", "2026-03"),
}
ONLY_LATER = {"/crm/lists/2026-09-beta/all": "lists_2026-09-beta.json"}

pytestmark = pytest.mark.skipif(
    not SPECS.is_dir(), reason="HubSpot's OpenAPI files are not beside this checkout (../shared/openapi)"
)


@dataclass(frozen=True)
class Spec:
    """One of the files."""

    whole: dict[str, Any]

    @classmethod
    def read(cls, name: str) -> Spec:
        return cls(json.loads((SPECS / name).read_text(encoding="utf-8")))

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        """Find the operation of a real path, literal templates first."""
        for template in sorted(self.whole["paths"], key=lambda each: each.count("{")):
            pattern = re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(template))
            found: dict[str, Any] | None = self.whole["paths"][template].get(method.lower())
            if found is not None and re.fullmatch(pattern, path):
                return found
        return None

    def problems(self, schema: dict[str, Any], answer: object) -> list[str]:
        rooted = {**schema, "components": self.whole["components"]}
        return [
            f"{each.json_path}: {each.message}" for each in Draft202012Validator(rooted).iter_errors(answer)
        ]

    def problems_of_answer(self, operation: dict[str, Any], status: int, answer: object) -> list[str]:
        described = operation["responses"].get(str(status))
        if described is None and 200 <= status < 300:
            return [f"status {status} is not described"]
        if described is None:
            return self.problems({"$ref": "#/components/schemas/Error"}, answer)
        content = described.get("content")
        if not content:
            return [] if answer is None else ["a body where none is described"]
        return self.problems(next(iter(content.values()))["schema"], answer)


class Checked:
    """A caller that compares every answer with the file for its path."""

    def __init__(self, call: Caller) -> None:
        self.call = call
        self.checked: set[tuple[str, int]] = set()

    def __call__(self, method: str, path: str, json: object = None, **query: str | int) -> Any:
        answer = self.call(method, path, json, **query)
        return self._compared(method, path, answer.status_code, answer.json() if answer.content else None)

    def form(self, path: str, **fields: str) -> Any:
        answer = self.call.form(path, **fields)
        return self._compared("POST", path, answer.status_code, answer.json() if answer.content else None)

    def _compared(self, method: str, path: str, status: int, answer: Any) -> Any:
        spec, described_path = _described(path)
        operation = spec.operation(method, described_path)
        assert operation is not None, f"{method} {path} is not described"
        problems = spec.problems_of_answer(operation, status, answer)
        assert problems == [], f"{method} {path} {status}: {answer}"
        self.checked.add((operation["operationId"], status))
        return answer


def _described(path: str) -> tuple[Spec, str]:
    later = path.replace("/2026-09/", "/2026-09-beta/")
    if later in ONLY_LATER:
        return Spec.read(ONLY_LATER[later]), later
    name, _ = next(found for begin, found in AREAS.items() if path.startswith(begin))
    return Spec.read(name), path


def routes() -> list[Route]:
    """Give the emulator's routes for which there is a file.

    There is none for private apps' tokens, nor for the consent page, which HubSpot serves on another host.
    """
    paths = {route: f"/{'/'.join(route.segments)}" for route in TABLE}
    described = [route for route, path in paths.items() if any(path.startswith(area) for area in AREAS)]
    without = ("/private-apps/get/", "/oauth/authorize")
    return [route for route in described if not any(part in paths[route] for part in without)]


def example(route: Route) -> str:
    """Give a path of the route, as the file has it or with example values."""
    values = {"{version}": "2026-03", "{contacts}": "contacts"}
    path = "/" + "/".join(values.get(segment, segment.strip("{}")) for segment in route.segments)
    return path.replace("2026-03", "2026-09") if route.since == "2026-09" else path


@pytest.mark.parametrize("route", routes(), ids=lambda route: f"{route.method} {'/'.join(route.segments)}")
def test_every_route_has_the_scopes_and_parameters_that_hubspot_describes(route: Route) -> None:
    spec, path = _described(example(route))

    operation = spec.operation(route.method, path)

    assert operation is not None
    scopes = [set(each["oauth2"]) for each in operation.get("security", [])]
    assert all(set(alternative) in scopes for alternative in route.scopes)
    assert bool(route.scopes) == bool(scopes)
    described = {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}
    assert set(route.query) <= described


@pytest.fixture
def checked() -> Iterator[Checked]:
    with calling() as call:
        call.portal.quirks.omits_empty_arrays = False  # the files require all three
        yield Checked(call)


def talk_of_lists(checked: Checked) -> None:
    path, portal = "/crm/lists/2026-03", checked.call.portal
    ada, bob = (portal.add_contact(f"{name}@example.com") for name in ("ada", "bob"))
    wanted = {"name": "VIP", "objectTypeId": "0-1", "processingType": "MANUAL"}
    checked("POST", path, wanted)
    checked("POST", path, wanted)
    checked("POST", path, wanted | {"name": "Other", "processingType": "DYNAMIC"})
    checked("GET", f"{path}/1")
    checked("GET", f"{path}/2")
    checked("GET", path, listIds="1")
    checked("GET", f"{path}/object-type-id/0-1/name/vip")
    checked("POST", f"{path}/search", {"query": "v", "offset": 0, "count": 1})
    checked("POST", "/crm/lists/2026-09/all", {"count": 1})
    checked("PUT", f"{path}/1/update-list-name", listName="Very important")
    checked("PUT", f"{path}/1/memberships/add", [ada, "7"])
    checked(
        "PUT", f"{path}/1/memberships/add-and-remove", {"recordIdsToAdd": [bob], "recordIdsToRemove": [ada]}
    )
    checked("PUT", f"{path}/1/memberships/remove", [ada])
    checked("PUT", f"{path}/1/memberships/add", [ada])
    first = checked("GET", f"{path}/1/memberships", limit=1)
    checked("GET", f"{path}/1/memberships", limit=1, after=first["paging"]["next"]["after"])
    checked("GET", f"{path}/1/memberships/join-order", limit=1)
    checked("GET", f"{path}/records/0-1/{bob}/memberships")
    records = [{"objectTypeId": "0-1", "recordId": each} for each in (bob, "7")]
    checked("POST", f"{path}/records/memberships/batch/read", {"inputs": records[:1]})
    checked("POST", f"{path}/records/memberships/batch/read", {"inputs": records})
    checked("POST", f"{path}/folders", {"name": "Cohorts"})
    checked("GET", f"{path}/folders")
    checked("GET", f"{path}/idmapping", legacyListId=portal.hubspot_list("1").legacy_id)
    checked("GET", f"{path}/idmapping", legacyListId="1")
    checked("POST", f"{path}/idmapping", [portal.hubspot_list("1").legacy_id, "1"])
    portal.add_list("Copy")
    checked("PUT", f"{path}/2/memberships/add-from/1")
    checked("DELETE", f"{path}/1/memberships")
    checked("DELETE", f"{path}/1")
    checked("PUT", f"{path}/1/restore")


def talk_of_contacts(checked: Checked) -> None:
    path, portal = "/crm/objects/2026-03/contacts", checked.call.portal
    portal.add_contact("ada@example.com", firstname="Ada", lastname="Lovelace")
    batch = {"inputs": [{"properties": {"email": f"{name}@example.com"}} for name in ("bob", "cyd")]}
    checked("POST", f"{path}/batch/create", batch)
    checked("POST", f"{path}/batch/create", batch)
    traced = [{**each, "objectWriteTraceId": str(number)} for number, each in enumerate(batch["inputs"])]
    checked("POST", f"{path}/batch/create", {"inputs": traced})
    ids = [{"id": f"{name}@example.com"} for name in ("ada", "nobody")]
    asked = {"idProperty": "email", "properties": ["email"]}
    checked("POST", f"{path}/batch/read", {"inputs": ids[:1], **asked})
    checked("POST", f"{path}/batch/read", {"inputs": ids, **asked})
    ada, bob = portal.contact("ada@example.com").record_id, portal.contact("bob@example.com").record_id
    change = {"properties": {"city": "Lyon"}}
    checked("POST", f"{path}/batch/update", {"inputs": [{"id": ada, **change}]})
    checked("POST", f"{path}/batch/update", {"inputs": [{"id": "7", **change}]})
    upsert = {"id": "dee@example.com", "idProperty": "email", "properties": {"email": "dee@example.com"}}
    checked("POST", f"{path}/batch/upsert", {"inputs": [upsert]})
    checked("POST", path, {"properties": {"email": "eve@example.com"}, "associations": []})
    checked("GET", f"{path}/{ada}", properties="email")
    checked("GET", f"{path}/7")
    checked("GET", path, limit=1, properties="email")
    checked("PATCH", f"{path}/{ada}", change)
    checked("POST", f"{path}/merge", {"primaryObjectId": ada, "objectIdToMerge": bob})
    checked("POST", f"{path}/batch/archive", {"inputs": [{"id": bob}]})
    checked("DELETE", f"{path}/{portal.contact('dee@example.com').record_id}")


def talk_of_properties(checked: Checked) -> None:
    path = "/crm/properties/2026-03/contacts"
    tier = {"name": "tier", "label": "Tier", "type": "string", "fieldType": "text", "groupName": "cohorts"}
    checked("POST", f"{path}/groups", {"name": "cohorts", "label": "Cohorts"})
    checked("GET", f"{path}/groups")
    checked("GET", f"{path}/groups/cohorts")
    checked("PATCH", f"{path}/groups/cohorts", {"label": "Groups"})
    checked("POST", path, tier)
    checked("POST", path, tier)
    checked("GET", path)
    checked("GET", f"{path}/tier")
    checked("GET", path, dataSensitivity="sensitive")
    checked("PATCH", f"{path}/tier", {"label": "Level"})
    checked("POST", f"{path}/batch/create", {"inputs": [tier | {"name": "level"}]})
    checked("POST", f"{path}/batch/create", {"inputs": [tier]})
    named = {"archived": False, "dataSensitivity": "non_sensitive", "inputs": [{"name": "tier"}]}
    checked("POST", f"{path}/batch/read", named)
    checked("POST", f"{path}/batch/read", named | {"inputs": [{"name": "no"}]})
    checked("POST", f"{path}/batch/archive", {"inputs": [{"name": "level"}]})
    checked("DELETE", f"{path}/tier")
    checked("DELETE", f"{path}/groups/cohorts")


def talk_of_tokens_and_the_account(checked: Checked) -> None:
    app, path = checked.call.hubspot.oauth, "/oauth/2026-03/token"
    mine = {"client_id": app.client_id, "client_secret": app.client_secret}
    token = checked.form(path, grant_type="refresh_token", refresh_token=app.refresh_token, **mine)
    checked.form(f"{path}/introspect", token=token["access_token"], **mine)
    checked.form(f"{path}/introspect", token=app.refresh_token, **mine)
    checked("GET", "/account-info/2026-03/details")
    checked("GET", "/account-info/2026-03/api-usage/daily/private-apps")
    checked.call.use("none")
    checked("GET", "/account-info/2026-03/details")


@pytest.mark.parametrize(
    ("talk", "operations"),
    [
        (talk_of_lists, 22),
        (talk_of_contacts, 11),
        (talk_of_properties, 13),
        (talk_of_tokens_and_the_account, 4),
    ],
)
def test_every_answer_has_the_shape_that_hubspot_describes(
    checked: Checked, talk: Callable[[Checked], None], operations: int
) -> None:
    talk(checked)

    assert len({operation for operation, _ in checked.checked}) == operations
