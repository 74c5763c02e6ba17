"""Memberships: read by list or by record, added and removed by record id.

https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import Answer, HubSpotError, invalid
from tests.hubspot_emulator.batches import batch_answer
from tests.hubspot_emulator.bodies import is_digits, texts
from tests.hubspot_emulator.clocks import to_text
from tests.hubspot_emulator.contact_batches import check_size, missing_error
from tests.hubspot_emulator.lists import CONTACTS
from tests.hubspot_emulator.memberships import BULK_LIMIT
from tests.hubspot_emulator.routes_lists import DOCS, READ, WRITE, wanted
from tests.hubspot_emulator.routing import Routes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.hubspot_emulator.lists import HubSpotList
    from tests.hubspot_emulator.memberships import Change
    from tests.hubspot_emulator.portal import Portal
    from tests.hubspot_emulator.routing import Call

MEMBERSHIPS = f"{DOCS}/memberships"
LARGEST_PAGE = 250

routes = Routes()


@routes(
    "GET",
    "/crm/lists/{version}/{listId}/memberships",
    docs=f"{MEMBERSHIPS}/get-crm-v3-lists-listId-memberships",
    scopes=READ,
    query=("limit", "after", "before"),
)
def read(call: Call) -> Answer:
    limit = call.query.whole("limit", 100, lowest=1, highest=LARGEST_PAGE)
    after, before = _cursor(call, "after"), _cursor(call, "before")
    with call.portal.lock:
        target = wanted(call)
        members = target.read(call.portal.now_ms())
        page, has_more = target.page(members, after=after, before=before, limit=limit)
        results = [{"recordId": str(each), "membershipTimestamp": to_text(members[each])} for each in page]
        onward = "before" if after is None and before is not None else "after"
        return Answer(
            200, {"results": results, "total": len(members), **_paging(page, onward, has_more=has_more)}
        )


@routes(
    "GET",
    "/crm/lists/{version}/{listId}/memberships/join-order",
    docs=f"{MEMBERSHIPS}/get-crm-v3-lists-listId-memberships-join-order",
    scopes=READ,
    query=("limit", "after"),
)
def read_in_join_order(call: Call) -> Answer:
    """Give the newest members first, as Estuary's connector saw it; HubSpot documents the opposite."""
    limit = call.query.whole("limit", 100, lowest=1, highest=LARGEST_PAGE)
    start = _cursor(call, "after") or 0
    with call.portal.lock:
        members = wanted(call).read(call.portal.now_ms())
        page = list(members)[::-1][start : start + limit]
        results = [{"recordId": str(each), "membershipTimestamp": to_text(members[each])} for each in page]
        paging = _paging([start + limit], "after", has_more=start + limit < len(members))
        return Answer(200, {"results": results, "total": len(members), **paging})


@routes(
    "PUT",
    "/crm/lists/{version}/{listId}/memberships/add",
    docs=f"{MEMBERSHIPS}/put-crm-v3-lists-listId-memberships-add",
    scopes=WRITE,
)
def add(call: Call) -> Answer:
    change = call.portal.change_memberships(call.parameters["listId"], _record_ids(call), ())
    return _changed(call.portal, change)


@routes(
    "PUT",
    "/crm/lists/{version}/{listId}/memberships/remove",
    docs=f"{MEMBERSHIPS}/put-crm-v3-lists-listId-memberships-remove",
    scopes=WRITE,
)
def remove(call: Call) -> Answer:
    change = call.portal.change_memberships(call.parameters["listId"], (), _record_ids(call))
    return _changed(call.portal, change)


@routes(
    "PUT",
    "/crm/lists/{version}/{listId}/memberships/add-and-remove",
    docs=f"{MEMBERSHIPS}/put-crm-v3-lists-listId-memberships-add-and-remove",
    scopes=WRITE,
)
def add_and_remove(call: Call) -> Answer:
    body = call.body("recordIdsToAdd", "recordIdsToRemove")
    to_add = texts(body.array("recordIdsToAdd"), "recordIdsToAdd")
    to_remove = texts(body.array("recordIdsToRemove"), "recordIdsToRemove")
    change = call.portal.change_memberships(call.parameters["listId"], to_add, to_remove)
    return _changed(call.portal, change)


@routes(
    "PUT",
    "/crm/lists/{version}/{listId}/memberships/add-from/{sourceListId}",
    docs=f"{MEMBERSHIPS}/put-crm-v3-lists-listId-memberships-add-from-sourceListId",
    scopes=WRITE,
)
def add_from(call: Call) -> Answer:
    with call.portal.lock:
        source = _small(call.portal.lists.get(call.parameters["sourceListId"]))
        target = _static(wanted(call))
        target.apply(source.members.keys() - target.members.keys(), (), call.portal.now_ms())
        return Answer(204)


@routes(
    "DELETE",
    "/crm/lists/{version}/{listId}/memberships",
    docs=f"{MEMBERSHIPS}/delete-crm-v3-lists-listId-memberships",
    scopes=WRITE,
)
def remove_all(call: Call) -> Answer:
    with call.portal.lock:
        target = _small(_static(wanted(call)))
        target.apply((), list(target.members), call.portal.now_ms())
        return Answer(204)


@routes(
    "GET",
    "/crm/lists/{version}/records/{objectTypeId}/{recordId}/memberships",
    docs=f"{MEMBERSHIPS}/get-crm-v3-lists-records-objectTypeId-recordId-memberships",
    scopes=READ,
)
def read_of_record(call: Call) -> Answer:
    record_id = call.parameters["recordId"]
    with call.portal.lock:
        number = _live_number(call.portal, record_id)
        if number is None:
            raise HubSpotError(404, "OBJECT_NOT_FOUND", f"Record does not exist with ID {record_id}.")
        return Answer(200, {"results": _memberships(_readable(call.portal), number)})


@routes(
    "POST",
    "/crm/lists/{version}/records/memberships/batch/read",
    docs=f"{MEMBERSHIPS}/post-crm-v3-lists-records-memberships-batch-read",
    scopes=READ,
)
def read_of_records(call: Call) -> Answer:
    """Read the lists of many records; that unknown ids are told as for contacts is a guess."""
    inputs = call.body("inputs").objects("inputs", ("objectTypeId", "recordId"))
    check_size(inputs)
    asked = [(each.text("objectTypeId"), each.text("recordId")) for each in inputs]
    if any(object_type != CONTACTS for object_type, _ in asked):
        raise invalid("This portal has contacts only")
    with call.portal.lock:
        found = {each: number for _, each in asked if (number := _live_number(call.portal, each)) is not None}
        lists = _readable(call.portal)
        results: list[object] = [
            {"objectTypeId": CONTACTS, "recordId": each, "recordListMemberships": _memberships(lists, number)}
            for each, number in found.items()
        ]
        missing = [each for _, each in asked if each not in found]
        errors = [missing_error(missing)] if missing else []
        return batch_answer(call.portal, results, errors)


def _record_ids(call: Call) -> list[str]:
    body = call.json()
    if not isinstance(body, list):
        raise invalid("Invalid input JSON on line 1, column 1: expected an array of record ids")
    return texts(body, "record ids")


def _changed(portal: Portal, change: Change) -> Answer:
    """Tell what changed. The first name is HubSpot's own spelling; an older page prints `recordIdsAdded`."""
    told = {
        portal.quirks.added_key: list(map(str, change.added)),
        "recordIdsRemoved": list(map(str, change.removed)),
        "recordIdsMissing": list(map(str, change.missing)),
    }
    if portal.quirks.omits_empty_arrays:
        told = {name: ids for name, ids in told.items() if ids}
    return Answer(200, told)


def _static(target: HubSpotList) -> HubSpotList:
    if target.processing_type == "DYNAMIC":
        raise invalid(
            f"Cannot change the memberships of list {target.list_id}: its processing type is DYNAMIC."
        )
    return target


def _small(target: HubSpotList) -> HubSpotList:
    if len(target.members) >= BULK_LIMIT:
        raise invalid(f"List {target.list_id} has {BULK_LIMIT} members or more.")
    return target


def _live_number(portal: Portal, record_id: str) -> int | None:
    if not is_digits(record_id):
        raise invalid(f"Invalid record id {record_id!r}: it must be a string of digits")
    contact = portal.contacts.shown(int(record_id))
    return None if contact is None else contact.number


def _readable(portal: Portal) -> list[tuple[HubSpotList, Mapping[int, int]]]:
    return [(each, each.read(portal.now_ms())) for each in portal.lists]


def _memberships(lists: list[tuple[HubSpotList, Mapping[int, int]]], number: int) -> list[dict[str, object]]:
    return [
        {
            "listId": each.list_id,
            "listVersion": each.version,
            "firstAddedTimestamp": to_text(members[number]),
            "lastAddedTimestamp": to_text(members[number]),
            "isPublicList": True,
        }
        for each, members in lists
        if number in members
    ]


def _paging(page: list[int], name: str, *, has_more: bool) -> dict[str, object]:
    if not has_more:
        return {}
    cursor = urlsafe_b64encode(f"r{page[-1]}".encode()).decode()
    return {"paging": {"next" if name == "after" else "prev": {name: cursor}}}


def _cursor(call: Call, name: str) -> int | None:
    """Read a cursor that this server gave out; anything else is refused."""
    text = call.query.text(name)
    if text is None:
        return None
    try:
        decoded = urlsafe_b64decode(text).decode()
    except ValueError as error:
        raise invalid(f"Invalid cursor in {name!r}") from error
    if not (decoded.startswith("r") and is_digits(decoded[1:])):
        raise invalid(f"Invalid cursor in {name!r}")
    return int(decoded[1:])
