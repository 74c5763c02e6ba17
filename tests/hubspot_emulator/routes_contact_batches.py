"""Contacts by the hundred.

https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import Answer, invalid
from tests.hubspot_emulator.batches import batch_answer
from tests.hubspot_emulator.contact_batches import (
    Write,
    archive_contacts,
    create_contacts,
    missing_error,
    read_contacts,
    update_contacts,
    upsert_contacts,
)
from tests.hubspot_emulator.routes_contacts import DOCS, READ, WRITE, as_json, as_written, refuse_associations
from tests.hubspot_emulator.routing import Routes
from tests.hubspot_emulator.sensitive_values import check_sensitive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.hubspot_emulator.contact_batches import Outcome, Written
    from tests.hubspot_emulator.portal import Portal
    from tests.hubspot_emulator.routing import Call

BATCH = "https://developers.hubspot.com/docs/api-reference/2026-03/crm/objects/contacts/batch"
PATH = "/crm/objects/{version}/{contacts}/batch"

routes = Routes()


@routes(
    "POST",
    f"{PATH}/read",
    docs=f"{DOCS}/guide",
    scopes=READ,
    query=("archived",),
)
def read(call: Call) -> Answer:
    if call.query.flag("archived"):
        raise invalid("Reading archived contacts in batches is not supported here")
    body = call.body("inputs", "properties", "propertiesWithHistory", "idProperty")
    if body.texts("propertiesWithHistory"):
        raise invalid("Histories are not supported here")
    ids = [each.text("id") for each in body.objects("inputs", ("id",))]
    properties = body.texts("properties")
    with call.portal.lock:
        check_sensitive(call, properties, "read")
        contacts, missing = read_contacts(call.portal, ids, body.optional_text("idProperty"))
        results = [as_json(call.portal, contact, properties) for contact in contacts]
    return batch_answer(call.portal, results, [missing_error(missing)] if missing else [])


@routes("POST", f"{PATH}/create", docs=f"{BATCH}/create-contacts", scopes=WRITE)
def create(call: Call) -> Answer:
    inputs = call.body("inputs").objects("inputs", ("properties", "associations", "objectWriteTraceId"))
    for each in inputs:
        refuse_associations(each)
    writes = [Write(each.text_map("properties"), each.optional_text("objectWriteTraceId")) for each in inputs]
    _check_values(call, writes)
    return _answer(call, create_contacts(call.portal, writes), status=201)


@routes("POST", f"{PATH}/update", docs=f"{DOCS}/guide", scopes=WRITE)
def update(call: Call) -> Answer:
    writes = _writes(call)
    _check_values(call, writes)
    return _answer(call, update_contacts(call.portal, writes))


@routes("POST", f"{PATH}/upsert", docs=f"{BATCH}/upsert-contacts", scopes=WRITE)
def upsert(call: Call) -> Answer:
    writes = _writes(call)
    _check_values(call, writes)
    return _answer(call, upsert_contacts(call.portal, writes), tells_new=True)


@routes("POST", f"{PATH}/archive", docs=f"{DOCS}/guide", scopes=WRITE)
def archive(call: Call) -> Answer:
    inputs = call.body("inputs").objects("inputs", ("id",))
    archive_contacts(call.portal, [each.text("id") for each in inputs])
    return Answer(204)


def _writes(call: Call) -> list[Write]:
    inputs = call.body("inputs").objects("inputs", ("id", "idProperty", "properties", "objectWriteTraceId"))
    return [
        Write(
            each.text_map("properties"),
            each.optional_text("objectWriteTraceId"),
            each.text("id"),
            each.optional_text("idProperty"),
        )
        for each in inputs
    ]


def _check_values(call: Call, writes: Sequence[Write]) -> None:
    with call.portal.lock:
        check_sensitive(call, dict.fromkeys(name for each in writes for name in each.properties), "write")


def _answer(call: Call, outcome: Outcome, *, status: int = 200, tells_new: bool = False) -> Answer:
    results = [_written(call.portal, each, tells_new=tells_new) for each in outcome.written]
    return batch_answer(call.portal, results, outcome.errors, status)


def _written(portal: Portal, written: Written, *, tells_new: bool) -> dict[str, object]:
    shown = as_written(portal, written.contact)
    if written.trace_id is not None:
        shown["objectWriteTraceId"] = written.trace_id
    if tells_new:
        shown["new"] = written.is_new
    return shown
