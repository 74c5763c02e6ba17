"""Contacts one at a time.

https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import Answer, HubSpotError, invalid
from tests.hubspot_emulator.bodies import is_digits
from tests.hubspot_emulator.clocks import to_text
from tests.hubspot_emulator.contact_batches import live_number, record_number
from tests.hubspot_emulator.contact_rules import check_changed_contact, check_new_contact
from tests.hubspot_emulator.routing import Routes
from tests.hubspot_emulator.sensitive_values import check_sensitive

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.hubspot_emulator.bodies import Body
    from tests.hubspot_emulator.contact import Contact
    from tests.hubspot_emulator.portal import Portal
    from tests.hubspot_emulator.routing import Call

DOCS = "https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts"
READ = (("crm.objects.contacts.read",),)
WRITE = (("crm.objects.contacts.write",),)
ALWAYS_SHOWN = ("createdate", "hs_object_id", "lastmodifieddate")
SHOWN_BY_DEFAULT = ("email", "firstname", "lastname")

routes = Routes()


@routes(
    "GET",
    "/crm/objects/{version}/{contacts}",
    docs=f"{DOCS}/guide",
    scopes=READ,
    query=("limit", "after", "properties", "archived"),
)
def get_page(call: Call) -> Answer:
    limit = call.query.whole("limit", 10, lowest=1, highest=100)
    after = call.query.whole("after", 0, lowest=0, highest=2**63 - 1)
    if call.query.flag("archived"):
        raise invalid("Paging through deleted objects is not supported here")
    properties = call.query.names("properties")
    with call.portal.lock:
        check_sensitive(call, properties, "read")
        page = call.portal.contacts.page(after, limit + 1)
        results = [as_json(call.portal, contact, properties) for contact in page[:limit]]
    # Contacts' cursors are record ids, as HubSpot's documentation shows them.
    paging = {"paging": {"next": {"after": page[limit - 1].record_id}}} if len(page) > limit else {}
    return Answer(200, {"results": results, **paging})


@routes(
    "POST",
    "/crm/objects/{version}/{contacts}",
    docs=f"{DOCS}/guide",
    scopes=WRITE,
)
def create(call: Call) -> Answer:
    body = call.body("properties", "associations")
    refuse_associations(body)
    properties = body.text_map("properties")
    with call.portal.lock:
        check_sensitive(call, properties, "write")
        check_new_contact(call.portal, properties)
        email = properties.pop("email", None) or None
        given = {name: value for name, value in properties.items() if value}
        return Answer(201, as_written(call.portal, call.portal.contacts.add(email, (), given)))


@routes(
    "GET",
    "/crm/objects/{version}/{contacts}/{contactId}",
    docs=f"{DOCS}/guide",
    scopes=READ,
    query=("properties", "idProperty", "archived"),
)
def get(call: Call) -> Answer:
    with call.portal.lock:
        check_sensitive(call, call.query.names("properties"), "read")
        contact = _archived(call) if call.query.flag("archived") else _shown(call)
        if contact is None:
            raise HubSpotError(404, "OBJECT_NOT_FOUND", "resource not found")
        return Answer(200, as_json(call.portal, contact, call.query.names("properties")))


@routes(
    "PATCH",
    "/crm/objects/{version}/{contacts}/{contactId}",
    docs=f"{DOCS}/guide",
    scopes=WRITE,
    query=("idProperty",),
)
def update(call: Call) -> Answer:
    properties = call.body("properties").text_map("properties")
    with call.portal.lock:
        check_sensitive(call, properties, "write")
        number = _number(call)
        check_changed_contact(call.portal, number, properties)
        return Answer(200, as_json(call.portal, call.portal.contacts.change(number, properties), properties))


@routes(
    "DELETE",
    "/crm/objects/{version}/{contacts}/{contactId}",
    docs=f"{DOCS}/guide",
    scopes=WRITE,
)
def archive(call: Call) -> Answer:
    with call.portal.lock:
        call.portal.delete_contact(str(live_number(call.portal, call.parameters["contactId"])))
        return Answer(204)


@routes(
    "POST",
    "/crm/objects/{version}/{contacts}/merge",
    docs=f"{DOCS}/guide",
    scopes=WRITE,
)
def merge(call: Call) -> Answer:
    body = call.body("primaryObjectId", "objectIdToMerge")
    with call.portal.lock:
        old = [live_number(call.portal, body.text(name)) for name in ("primaryObjectId", "objectIdToMerge")]
        if old[0] == old[1]:
            raise invalid("A contact cannot be merged with itself.")
        keeps_primary_id = call.portal.quirks.merges_keep_primary_id
        merged = call.portal.merge(str(old[0]), str(old[1]), keeps_primary_id=keeps_primary_id)
        return Answer(200, as_written(call.portal, call.portal.contact(merged)))


def as_json(portal: Portal, contact: Contact, properties: Iterable[str]) -> dict[str, object]:
    """Give a contact as SimplePublicObject: properties not set are null, unknown ones left out."""
    asked = [name for name in properties if portal.properties.find(name) is not None]
    names = dict.fromkeys((*(asked or SHOWN_BY_DEFAULT), *ALWAYS_SHOWN))
    archived = {} if contact.archived_ms is None else {"archivedAt": to_text(contact.archived_ms)}
    return {
        "id": contact.record_id,
        "properties": {name: contact.value(name) for name in names},
        "createdAt": to_text(contact.created_ms),
        "updatedAt": to_text(contact.updated_ms),
        "archived": contact.archived_ms is not None,
        **archived,
    }


def as_written(portal: Portal, contact: Contact) -> dict[str, object]:
    """Give a contact as the answer to a write: with every property that is set."""
    names = ("email", "hs_additional_emails", *contact.properties)
    return as_json(portal, contact, [name for name in names if contact.value(name) is not None])


def refuse_associations(body: Body) -> None:
    if "associations" in body and body.array("associations"):
        raise invalid("Associations are not supported here")


def _number(call: Call) -> int:
    """Find the contact that the path names, by record id or, if the query says so, by address."""
    named, id_property = call.parameters["contactId"], call.query.text("idProperty")
    if id_property != "email":
        return live_number(call.portal, named)
    number = call.portal.contacts.number_of(named)
    if number is None:
        raise HubSpotError(404, "OBJECT_NOT_FOUND", "resource not found")
    return number


def _shown(call: Call) -> Contact | None:
    """Find the contact that the path names, as reads show it at this moment."""
    named, id_property = call.parameters["contactId"], call.query.text("idProperty")
    if id_property == "email":
        return call.portal.contacts.shown_by("email", named)
    return call.portal.contacts.shown(record_number(named))


def _archived(call: Call) -> Contact | None:
    named = call.parameters["contactId"]
    return call.portal.contacts.archived(int(named)) if is_digits(named) else None
