"""Contact properties and their groups.

https://developers.hubspot.com/docs/api-reference/legacy/crm/properties/guide
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import Answer, HubSpotError, invalid, not_found
from tests.hubspot_emulator.batches import batch_answer
from tests.hubspot_emulator.contact_batches import check_size
from tests.hubspot_emulator.properties import SENSITIVITIES, Group, Option, Property
from tests.hubspot_emulator.routing import Routes

if TYPE_CHECKING:
    from tests.hubspot_emulator.bodies import Body
    from tests.hubspot_emulator.routing import Call

DOCS = "https://developers.hubspot.com/docs/api-reference/legacy/crm/properties/guide"
PATH = "/crm/properties/{version}/{contacts}"
READ = (("crm.schemas.contacts.read",), ("crm.objects.contacts.read",))
WRITE = (("crm.schemas.contacts.write",),)
# Fields of a definition that change nothing here but are HubSpot's.
_IGNORED = (
    "calculationFormula",
    "currencyPropertyName",
    "displayOrder",
    "externalOptions",
    "numberDisplayHint",
    "referencedObjectType",
    "showCurrencySymbol",
    "textDisplayHint",
)
_CHANGEABLE = (
    "description",
    "fieldType",
    "formField",
    "groupName",
    "hidden",
    "label",
    "options",
    "type",
    *_IGNORED,
)
_DEFINITION = ("name", "hasUniqueValue", "dataSensitivity", *_CHANGEABLE)

routes = Routes()


@routes(
    "GET",
    PATH,
    docs=DOCS,
    scopes=READ,
    query=("archived", "dataSensitivity", "properties"),
)
def get_all(call: Call) -> Answer:
    """Give all properties of one sensitivity at once; this answer is never paged."""
    sensitivity = _sensitivity(call.query.text("dataSensitivity"))
    with call.portal.lock:
        properties = call.portal.properties
        found = properties.archived() if call.query.flag("archived") else iter(properties)
        return Answer(200, {"results": [each.as_json() for each in found if each.sensitivity == sensitivity]})


@routes(
    "POST",
    PATH,
    docs="https://developers.hubspot.com/docs/api-reference/latest/crm/properties/create-property",
    scopes=WRITE,
)
def create(call: Call) -> Answer:
    wanted = _definition(call.body(*_DEFINITION))
    with call.portal.lock:
        return Answer(201, call.portal.properties.create(wanted).as_json())


@routes(
    "GET",
    f"{PATH}/{{propertyName}}",
    docs=DOCS,
    scopes=READ,
    query=("archived", "dataSensitivity", "properties"),
)
def get(call: Call) -> Answer:
    sensitivity = _sensitivity(call.query.text("dataSensitivity"))
    with call.portal.lock:
        name, archived = call.parameters["propertyName"], call.query.flag("archived")
        return Answer(200, _found(call, name, sensitivity, archived=archived))


@routes(
    "PATCH",
    f"{PATH}/{{propertyName}}",
    docs=DOCS,
    scopes=WRITE,
)
def update(call: Call) -> Answer:
    body, name = call.body(*_CHANGEABLE), call.parameters["propertyName"]
    with call.portal.lock:
        held = call.portal.properties.get(name)
        changed = replace(
            held,
            label=body.optional_text("label") or held.label,
            description=body.optional_text("description") or held.description,
            group=body.optional_text("groupName") or held.group,
            type=body.optional_text("type") or held.type,
            field_type=body.optional_text("fieldType") or held.field_type,
            options=_options(body) if "options" in body else held.options,
        )
        return Answer(200, call.portal.properties.update(name, changed).as_json())


@routes(
    "DELETE",
    f"{PATH}/{{propertyName}}",
    docs=DOCS,
    scopes=WRITE,
)
def archive(call: Call) -> Answer:
    with call.portal.lock:
        call.portal.properties.archive(call.parameters["propertyName"])
        return Answer(204)


@routes(
    "POST",
    f"{PATH}/batch/create",
    docs="https://developers.hubspot.com/docs/api-reference/2026-03/crm/properties/batch/create-properties",
    scopes=WRITE,
)
def create_batch(call: Call) -> Answer:
    inputs = call.body("inputs").objects("inputs", _DEFINITION)
    check_size(inputs)
    wanted = [_definition(each) for each in inputs]
    results: list[object] = []
    errors: list[dict[str, object]] = []
    with call.portal.lock:
        for each in wanted:
            try:
                results.append(call.portal.properties.create(each).as_json())
            except HubSpotError as error:
                errors.append(error.entry({"name": [each.name]}))
    return batch_answer(call.portal, results, errors, 201)


@routes(
    "POST",
    f"{PATH}/batch/read",
    docs=DOCS,
    scopes=READ,
)
def read_batch(call: Call) -> Answer:
    body = call.body("archived", "dataSensitivity", "inputs")
    archived, names = body.flag("archived"), [each.text("name") for each in body.objects("inputs", ("name",))]
    sensitivity = _sensitivity(body.optional_text("dataSensitivity"))
    check_size(names)
    results: list[object] = []
    errors: list[dict[str, object]] = []
    with call.portal.lock:
        for name in names:
            try:
                results.append(_found(call, name, sensitivity, archived=archived))
            except HubSpotError as error:
                errors.append(error.entry({"name": [name]}))
    return batch_answer(call.portal, results, errors)


@routes(
    "POST",
    f"{PATH}/batch/archive",
    docs="https://developers.hubspot.com/docs/api-reference/legacy/crm/properties/batch/delete-properties",
    scopes=WRITE,
)
def archive_batch(call: Call) -> Answer:
    names = [each.text("name") for each in call.body("inputs").objects("inputs", ("name",))]
    check_size(names)
    with call.portal.lock:
        for name in names:
            if call.portal.properties.find(name) is not None:
                call.portal.properties.archive(name)
    return Answer(204)


@routes("GET", f"{PATH}/groups", docs=DOCS, scopes=READ)
def get_groups(call: Call) -> Answer:
    with call.portal.lock:
        return Answer(200, {"results": [each.as_json() for each in call.portal.properties.groups()]})


@routes("POST", f"{PATH}/groups", docs=DOCS, scopes=WRITE)
def create_group(call: Call) -> Answer:
    body = call.body("name", "label", "displayOrder")
    wanted = Group(body.text("name"), body.text("label"), body.whole("displayOrder", -1))
    with call.portal.lock:
        return Answer(201, call.portal.properties.add_group(wanted).as_json())


@routes(
    "GET",
    f"{PATH}/groups/{{groupName}}",
    docs="https://developers.hubspot.com/docs/api-reference/2026-03/crm/properties/property-groups/get-property",
    scopes=READ,
)
def get_group(call: Call) -> Answer:
    with call.portal.lock:
        return Answer(200, call.portal.properties.group(call.parameters["groupName"]).as_json())


@routes(
    "PATCH",
    f"{PATH}/groups/{{groupName}}",
    docs=DOCS,
    scopes=WRITE,
)
def update_group(call: Call) -> Answer:
    body = call.body("label", "displayOrder")
    with call.portal.lock:
        held = call.portal.properties.group(call.parameters["groupName"])
        label = body.optional_text("label") or held.label
        order = body.whole("displayOrder", held.display_order)
        changed = replace(held, label=label, display_order=order)
        return Answer(200, call.portal.properties.update_group(changed).as_json())


@routes(
    "DELETE",
    f"{PATH}/groups/{{groupName}}",
    docs=DOCS,
    scopes=WRITE,
)
def remove_group(call: Call) -> Answer:
    with call.portal.lock:
        call.portal.properties.remove_group(call.parameters["groupName"])
        return Answer(204)


@routes(
    "GET",
    "/crm/limits/{version}/custom-properties",
    docs="https://developers.hubspot.com/docs/api-reference/2026-03/crm/limits-tracking/get-custom-properties",
    scopes=READ,
)
def custom_property_usage(call: Call) -> Answer:
    """Tell how many custom properties there are."""
    with call.portal.lock:
        used, limit = len(call.portal.properties.custom), call.portal.properties.custom_limit
    usage = {"limit": limit, "usage": used, "percentage": used * 100 // max(1, limit)}
    contacts = {"objectTypeId": "0-1", "singularLabel": "Contact", "pluralLabel": "Contacts", **usage}
    return Answer(
        200,
        {"overallLimit": limit, "overallUsage": used, "byObjectType": [contacts]}
        | {"overallPercentage": usage["percentage"]},
    )


def _definition(body: Body) -> Property:
    return Property(
        name=body.text("name"),
        label=body.text("label"),
        type=body.text("type"),
        field_type=body.text("fieldType"),
        group=body.text("groupName"),
        description=body.optional_text("description") or "",
        options=_options(body),
        hidden=body.flag("hidden"),
        unique=body.flag("hasUniqueValue"),
        form_field=body.flag("formField"),
        sensitivity=_sensitivity(body.optional_text("dataSensitivity")),
    )


def _found(call: Call, name: str, sensitivity: str, *, archived: bool) -> dict[str, object]:
    """Return the definition of a property; one of another sensitivity than was asked for is not found."""
    found = call.portal.properties.get(name, archived=archived)
    if found.sensitivity != sensitivity:
        raise not_found(f'Property "{name}" does not exist for object type CONTACT')
    return found.as_json()


def _sensitivity(asked: str | None) -> str:
    """Read a dataSensitivity; left out, it is that of ordinary properties.

    https://developers.hubspot.com/docs/api-reference/latest/crm/properties/sensitive-data
    """
    if asked is not None and asked not in SENSITIVITIES:
        raise invalid(f"dataSensitivity must be one of {', '.join(SENSITIVITIES)}")
    return asked or "non_sensitive"


def _options(body: Body) -> tuple[Option, ...]:
    if "options" not in body:
        return ()
    inputs = body.objects("options", ("label", "value", "hidden", "displayOrder", "description"))
    return tuple(
        Option(each.text("value"), each.text("label"), each.flag("hidden"), each.whole("displayOrder"))
        for each in inputs
    )
