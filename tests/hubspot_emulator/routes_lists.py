"""Lists: made, found, searched, renamed, deleted and restored.

https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import Answer, HubSpotError, invalid
from tests.hubspot_emulator.bodies import is_digits, texts
from tests.hubspot_emulator.clocks import to_text
from tests.hubspot_emulator.lists import CONTACTS, PROCESSING_TYPES
from tests.hubspot_emulator.routing import CONTACT_NAMES, Routes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.hubspot_emulator.lists import Folder, HubSpotList
    from tests.hubspot_emulator.routing import Call

DOCS = "https://developers.hubspot.com/docs/api-reference/crm-lists-v3"
READ = (("crm.lists.read",),)
CREATE = (("crm.lists.write",), ("cms.membership.access_groups.write",))
# Both: a token that may only write is refused. https://github.com/n8n-io/n8n/pull/31190
WRITE = (("crm.lists.read", "crm.lists.write"), ("crm.lists.read", "cms.membership.access_groups.write"))
LARGEST_SEARCH_PAGE = 500
LARGEST_MAPPING = 10_000  # ids; the OpenAPI file says so

routes = Routes()


@routes("POST", "/crm/lists/{version}", docs=f"{DOCS}/lists/post-crm-v3-lists-", scopes=CREATE)
def create(call: Call) -> Answer:
    body = call.body(
        "name",
        "objectTypeId",
        "processingType",
        "filterBranch",
        "listFolderId",
        "customProperties",
        "listPermissions",
        "membershipSettings",
    )
    name, processing_type = body.text("name"), body.text("processingType")
    _check_object_type(body.text("objectTypeId"))
    if (processing_type == "MANUAL") == ("filterBranch" in body):
        raise invalid(
            "A filterBranch is required for DYNAMIC and SNAPSHOT lists, and not allowed for MANUAL ones."
        )
    with call.portal.lock:
        made = call.portal.lists.create(
            name,
            processing_type,
            folder_id=body.whole("listFolderId", 0),
            filter_branch=body.raw("filterBranch"),
            lag=call.portal.quirks.search_lag,
        )
        return Answer(200, {"list": as_json(made, call.portal.now_ms())})


@routes(
    "GET",
    "/crm/lists/{version}",
    docs=f"{DOCS}/lists/get-crm-v3-lists-",
    scopes=READ,
    query=("listIds", "includeFilters"),
)
def get_many(call: Call) -> Answer:
    filters = call.query.flag("includeFilters")
    with call.portal.lock:
        asked = set(call.query.names("listIds"))
        found = [each for each in call.portal.lists if each.list_id in asked]
        return Answer(
            200, {"lists": [as_json(each, call.portal.now_ms(), filters=filters) for each in found]}
        )


@routes(
    "GET",
    "/crm/lists/{version}/{listId}",
    docs=f"{DOCS}/lists/get-crm-v3-lists-listId",
    scopes=READ,
    query=("includeFilters",),
)
def get(call: Call) -> Answer:
    with call.portal.lock:
        filters = call.query.flag("includeFilters")
        return Answer(200, {"list": as_json(wanted(call), call.portal.now_ms(), filters=filters)})


@routes(
    "GET",
    "/crm/lists/{version}/object-type-id/{objectTypeId}/name/{listName}",
    docs=f"{DOCS}/lists/get-crm-v3-lists-object-type-id-objectTypeId-name-listName",
    scopes=READ,
    query=("includeFilters",),
)
def get_by_name(call: Call) -> Answer:
    """Find a list by its whole name, whatever the case; %2F is taken, though not documented."""
    object_type, name = call.parameters["objectTypeId"], call.parameters["listName"]
    _check_object_type(object_type)
    with call.portal.lock:
        found = call.portal.lists.by_name(name)
        if found is None:
            status = call.portal.quirks.missing_list_status
            category = "OBJECT_NOT_FOUND" if status == 404 else "VALIDATION_ERROR"
            message = f"List does not exist with name {name} and object type ID {object_type}."
            raise HubSpotError(status, category, message)
        filters = call.query.flag("includeFilters")
        return Answer(200, {"list": as_json(found, call.portal.now_ms(), filters=filters)})


@routes(
    "POST",
    "/crm/lists/{version}/search",
    docs=f"{DOCS}/lists/post-crm-v3-lists-search",
    scopes=READ,
    search=True,
)
def search(call: Call) -> Answer:
    """Search by a part of the name. That it spends the search budget is the more hostile guess."""
    body = call.body(
        "query",
        "processingTypes",
        "listIds",
        "objectTypeId",
        "additionalProperties",
        "offset",
        "count",
        "sort",
    )
    offset, count = body.whole("offset", 0), body.whole("count", 20)
    if not 0 < count <= LARGEST_SEARCH_PAGE or offset < 0:
        raise invalid(f"count must be between 1 and {LARGEST_SEARCH_PAGE}")
    types = body.texts("processingTypes") or PROCESSING_TYPES
    ids, part = body.texts("listIds"), (body.optional_text("query") or "").casefold()
    _check_object_type(body.optional_text("objectTypeId") or CONTACTS)
    with call.portal.lock:
        hits = [
            each
            for each in call.portal.lists.searchable()
            if part in each.name.casefold()
            and each.processing_type in types
            and (not ids or each.list_id in ids)
        ]
        if body.optional_text("sort") == "HS_LIST_ID":
            hits.sort(key=lambda each: int(each.list_id))
        page, end = hits[offset : offset + count], offset + count
        now_ms = call.portal.now_ms()
        found = {"lists": [_hit(each, now_ms) for each in page], "hasMore": end < len(hits)}
        return Answer(200, {**found, "offset": min(end, len(hits)), "total": len(hits)})


@routes(
    "POST",
    "/crm/lists/{version}/all",
    docs="https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide",
    scopes=READ,
    since="2026-09",
    versions=(),
)
def get_all(call: Call) -> Answer:
    body = call.body("additionalProperties", "processingTypes", "objectTypeId", "after", "count")
    count, after = body.whole("count", 20), body.optional_text("after") or "0"
    if not is_digits(after):
        raise HubSpotError(400, "VALIDATION_ERROR", "Invalid cursor", "INVALID_CURSOR")
    if not 0 < count <= LARGEST_SEARCH_PAGE:
        raise invalid(f"count must be between 1 and {LARGEST_SEARCH_PAGE}")
    types = body.texts("processingTypes") or PROCESSING_TYPES
    if not set(types) <= set(PROCESSING_TYPES):
        raise HubSpotError(400, "VALIDATION_ERROR", "Invalid processing type", "INVALID_PROCESSING_TYPE")
    with call.portal.lock:
        behind = [
            each
            for each in call.portal.lists
            if int(each.list_id) > int(after) and each.processing_type in types
        ]
        page = behind[:count]
        paging = {"paging": {"next": {"after": page[-1].list_id}}} if len(behind) > count else {}
        now_ms = call.portal.now_ms()
        return Answer(200, {"results": [_hit(each, now_ms) for each in page], **paging})


@routes(
    "PUT",
    "/crm/lists/{version}/{listId}/update-list-name",
    docs=f"{DOCS}/lists/put-crm-v3-lists-listId-update-list-name",
    scopes=WRITE,
    query=("listName", "includeFilters"),
)
def rename(call: Call) -> Answer:
    name = call.query.text("listName")
    with call.portal.lock:
        if name is None:
            raise invalid("Query parameter 'listName' is required")
        renamed = call.portal.lists.rename(wanted(call).list_id, name, lag=call.portal.quirks.search_lag)
        filters = call.query.flag("includeFilters")
        return Answer(200, {"updatedList": as_json(renamed, call.portal.now_ms(), filters=filters)})


@routes(
    "DELETE", "/crm/lists/{version}/{listId}", docs=f"{DOCS}/lists/delete-crm-v3-lists-listId", scopes=WRITE
)
def delete(call: Call) -> Answer:
    with call.portal.lock:
        call.portal.lists.delete(wanted(call).list_id)
        return Answer(204)


@routes(
    "PUT",
    "/crm/lists/{version}/{listId}/restore",
    docs=f"{DOCS}/lists/put-crm-v3-lists-listId-restore",
    scopes=WRITE,
)
def restore(call: Call) -> Answer:
    call.portal.restore_list(call.parameters["listId"])
    return Answer(204)


@routes(
    "GET",
    "/crm/lists/{version}/idmapping",
    docs=f"{DOCS}/mapping/get-crm-v3-lists-idmapping",
    scopes=READ,
    query=("legacyListId",),
)
def map_legacy_id(call: Call) -> Answer:
    """Translate one list id of the retired v1 API; that an unknown one is a 404 is a guess."""
    legacy_id = call.query.text("legacyListId")
    if legacy_id is None:
        raise invalid("Query parameter 'legacyListId' is required")
    with call.portal.lock:
        found = call.portal.lists.by_legacy_id(legacy_id)
        if found is None:
            raise HubSpotError(404, "OBJECT_NOT_FOUND", f"No list has the legacy ID {legacy_id}.")
        return Answer(200, _mapping(found))


@routes(
    "POST",
    "/crm/lists/{version}/idmapping",
    docs=f"{DOCS}/mapping/post-crm-v3-lists-idmapping",
    scopes=READ,
)
def map_legacy_ids(call: Call) -> Answer:
    """Translate list ids of the retired v1 API; those of no list are named."""
    asked = call.json()
    if not isinstance(asked, list):
        raise invalid("Invalid input JSON on line 1, column 1: expected an array of list ids")
    ids = texts(asked, "list ids")
    if len(ids) > LARGEST_MAPPING:
        raise invalid(f"At most {LARGEST_MAPPING} list ids can be translated in one request.")
    with call.portal.lock:
        found = {each: call.portal.lists.by_legacy_id(each) for each in ids}
        mapped = [_mapping(each) for each in found.values() if each is not None]
        missing = [each for each, held in found.items() if held is None]
        return Answer(200, {"legacyListIdsToIdsMapping": mapped, "missingLegacyListIds": missing})


@routes(
    "GET",
    "/crm/lists/{version}/folders",
    docs=f"{DOCS}/folders/get-crm-v3-lists-folders",
    scopes=READ,
    query=("folderId",),
)
def get_folder(call: Call) -> Answer:
    folder_id = call.query.whole("folderId", 0, lowest=0, highest=2**31 - 1)
    with call.portal.lock:
        if folder_id not in call.portal.lists.folders:
            raise HubSpotError(404, "OBJECT_NOT_FOUND", f"Folder with ID {folder_id} does not exist.")
        return Answer(200, {"folder": _tree(call, call.portal.lists.folders[folder_id])})


@routes(
    "POST", "/crm/lists/{version}/folders", docs=f"{DOCS}/folders/post-crm-v3-lists-folders", scopes=WRITE
)
def create_folder(call: Call) -> Answer:
    body = call.body("name", "parentFolderId")
    parent = body.optional_text("parentFolderId") or "0"
    with call.portal.lock:
        made = call.portal.lists.add_folder(body.text("name"), int(parent) if is_digits(parent) else -1)
        return Answer(200, {"folder": _tree(call, made)})


def wanted(call: Call) -> HubSpotList:
    """Give the list that the path names."""
    return call.portal.lists.get(call.parameters["listId"])


def as_json(each: HubSpotList, now_ms: int, *, filters: bool = False) -> dict[str, object]:
    """Give a list as PublicObjectList; the size follows the members only as fast as reads of them do."""
    shown = _basics(each, now_ms) | {"size": len(each.shown(now_ms))}
    if filters and each.filter_branch is not None:
        shown["filterBranch"] = each.filter_branch
    return shown


def _hit(each: HubSpotList, now_ms: int) -> dict[str, object]:
    """Give a list as search does: PublicObjectListSearchResult, its size among the additional properties."""
    return _basics(each, now_ms) | {
        "additionalProperties": {"hs_list_size": str(len(each.members)), "hs_list_reference_count": "0"}
    }


def _basics(each: HubSpotList, now_ms: int) -> dict[str, object]:
    return {
        "listId": each.list_id,
        "listVersion": each.version,
        "name": each.name,
        "objectTypeId": CONTACTS,
        "processingType": each.processing_type,
        "processingStatus": each.status(now_ms),
        "createdAt": to_text(each.created_ms),
        "updatedAt": to_text(each.updated_ms),
        "filtersUpdatedAt": to_text(each.created_ms),
    }


def _mapping(each: HubSpotList) -> dict[str, object]:
    return {"legacyListId": each.legacy_id, "listId": each.list_id}


def _tree(call: Call, folder: Folder) -> dict[str, object]:
    lists = call.portal.lists
    children: Sequence[Folder] = [
        each for each in lists.folders.values() if each.parent_id == folder.folder_id
    ]
    return {
        "id": str(folder.folder_id),
        "name": folder.name,
        "parentFolderId": str(folder.parent_id or 0),
        "childLists": [int(each.list_id) for each in lists if each.folder_id == folder.folder_id],
        "childNodes": [_tree(call, child) for child in children],
    }


def _check_object_type(object_type: str) -> None:
    if object_type not in CONTACT_NAMES:
        raise invalid(f"Unknown object type {object_type!r}: this portal has contacts only")
