"""Contacts by the hundred: what of a batch is done, what is refused, and how either is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import HubSpotError, invalid
from tests.hubspot_emulator.bodies import is_digits
from tests.hubspot_emulator.contact_rules import check_changed_contact, check_new_contact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tests.hubspot_emulator.contact import Contact
    from tests.hubspot_emulator.portal import Portal

MAX_INPUTS = 100  # https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts/guide


@dataclass(frozen=True, slots=True)
class Write:
    """One input of a batch that writes."""

    properties: Mapping[str, str]
    trace_id: str | None = None
    record_id: str = ""
    id_property: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """One contact that a batch wrote."""

    contact: Contact
    trace_id: str | None
    is_new: bool


@dataclass(slots=True)
class Outcome:
    """What became of a batch that writes: each input is in one of the two."""

    written: list[Written] = field(default_factory=list)
    errors: list[dict[str, object]] = field(default_factory=list)


def check_size(inputs: Sequence[object]) -> None:
    """Refuse more inputs than HubSpot takes, and none at all (undocumented; the more hostile guess)."""
    if len(inputs) > MAX_INPUTS:
        raise invalid(f"The maximum number of inputs supported in a batch request is {MAX_INPUTS}.")
    if not inputs:
        raise invalid("At least one input is required.")


def read_contacts(
    portal: Portal, ids: Sequence[str], id_property: str | None
) -> tuple[list[Contact], list[str]]:
    """Give the contacts found, in no particular order, and the inputs that are nobody's.

    Any of its addresses finds a contact; a merged id finds the record that replaced it. A contact is shown as
    it was before the writes of the last `contact_lag` seconds.
    A contact asked for twice is given once: undocumented, and the more hostile guess.
    """
    check_size(ids)
    if not portal.quirks.refused_look_ups.isdisjoint(ids):
        raise invalid("Invalid input JSON: an id is not acceptable.")
    find = _finder(portal, id_property)
    with portal.lock:
        found: dict[int, Contact] = {}
        missing: list[str] = []
        for asked in ids:
            if _is_omitted(portal, asked):
                continue
            contact = find(asked)
            if contact is None:
                missing.append(asked)
            else:
                found[contact.number] = contact
        contacts = list(found.values())
        portal.random.shuffle(contacts)
        return contacts, missing


def create_contacts(portal: Portal, writes: Sequence[Write]) -> Outcome:
    """Create them all or none, unless every input has a trace id of its own: then each for itself."""
    check_size(writes)

    def create(write: Write) -> Written:
        check_new_contact(portal, write.properties)
        properties = {name: value for name, value in write.properties.items() if name != "email" and value}
        contact = portal.contacts.add(write.properties.get("email") or None, (), properties)
        return Written(contact, write.trace_id, is_new=True)

    def check(new: Sequence[Write]) -> None:
        for write in new:
            check_new_contact(portal, write.properties)
        _refuse_repeats([email.lower() for write in new if (email := write.properties.get("email"))])

    with portal.lock:
        return _write(portal, writes, check, create)


def update_contacts(portal: Portal, writes: Sequence[Write]) -> Outcome:
    """Change contacts by record id, or by a unique property of the portal's own.

    An id that is nobody's is an error of its own, not the batch's.
    """
    check_size(writes)
    for write in writes:
        # By email it is refused, and so is idProperty=hs_object_id: https://github.com/HubSpot/hubspot-api-nodejs/issues/548
        if write.id_property == "email":
            raise invalid("Unable to perform update/upsert by non-unique 0-1 property")
        if write.id_property is not None:
            check_id_property(portal, write.id_property)
    _refuse_repeats([write.record_id for write in writes])

    def update(write: Write) -> Written:
        number = _number_of(portal, write)
        check_changed_contact(portal, number, write.properties)
        return Written(portal.contacts.change(number, dict(write.properties)), write.trace_id, is_new=False)

    def check(changes: Sequence[Write]) -> None:
        for write in changes:
            check_changed_contact(portal, _number_of(portal, write), write.properties)

    with portal.lock:
        known = [write for write in writes if _is_known(portal, write)]
        outcome = _write(portal, known, check, update)
        unknown = [write.record_id for write in writes if not _is_known(portal, write)]
        if unknown:
            outcome.errors.append(missing_error(unknown))
        return outcome


def upsert_contacts(portal: Portal, writes: Sequence[Write]) -> Outcome:
    """Create or change by address, or by a unique property of the portal's own."""
    check_size(writes)
    for write in writes:
        check_id_property(portal, write.id_property)
        # "Partial upserts are not supported" by email; read as: the properties must say it, too.
        if (
            write.id_property == "email"
            and write.properties.get("email", "").lower() != write.record_id.lower()
        ):
            raise invalid("Partial upserts are not supported when using email as the idProperty.")
    _refuse_repeats([write.record_id.lower() for write in writes])

    def upsert(write: Write) -> Written:
        properties = {str(write.id_property): write.record_id, **write.properties}
        number = portal.contacts.number_by(str(write.id_property), write.record_id)
        if number is not None:
            check_changed_contact(portal, number, properties)
            return Written(portal.contacts.change(number, properties), write.trace_id, is_new=False)
        check_new_contact(portal, properties)
        email = properties.pop("email", None)
        return Written(portal.contacts.add(email, (), properties), write.trace_id, is_new=True)

    def check(upserts: Sequence[Write]) -> None:
        for write in upserts:
            properties = {str(write.id_property): write.record_id, **write.properties}
            number = portal.contacts.number_by(str(write.id_property), write.record_id)
            if number is None:
                check_new_contact(portal, properties)
            else:
                check_changed_contact(portal, number, properties)

    with portal.lock:
        return _write(portal, writes, check, upsert)


def archive_contacts(portal: Portal, record_ids: Sequence[str]) -> None:
    """Put contacts into the recycle bin; ids that are nobody's are passed over."""
    check_size(record_ids)
    with portal.lock:
        for record_id in record_ids:
            if _is_live(portal, record_id):
                portal.delete_contact(record_id)


def check_id_property(portal: Portal, id_property: str | None) -> None:
    definition = None if id_property is None else portal.properties.find(id_property)
    if definition is None or not definition.unique or id_property == "hs_object_id":
        raise invalid("Unable to perform update/upsert by non-unique 0-1 property")


def live_number(portal: Portal, record_id: str) -> int:
    """Give the record that an id stands for, or refuse with 404."""
    number = portal.contacts.resolve(record_number(record_id))
    if portal.contacts.get(number) is None:
        raise HubSpotError(404, "OBJECT_NOT_FOUND", "resource not found")
    return number


def record_number(text: str) -> int:
    """Read a record id as HubSpot's schema has it, a string of digits; else refuse with 400."""
    if not is_digits(text):
        raise invalid(f"Invalid record id {text!r}: it must be a string of digits")
    return int(text)


def missing_error(ids: Iterable[str]) -> dict[str, object]:
    """Give the one entry of a 207's `errors` that names all inputs that are nobody's."""
    message = (
        "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid."
    )
    return HubSpotError(404, "OBJECT_NOT_FOUND", message).entry({"ids": list(ids)})


def _write(
    portal: Portal,
    writes: Sequence[Write],
    check: Callable[[Sequence[Write]], None],
    write_one: Callable[[Write], Written],
) -> Outcome:
    """Write each for itself if they have trace ids, else all or nothing.

    https://developers.hubspot.com/docs/api-reference/error-handling on multi-status errors
    """
    outcome = Outcome()
    if not _are_traced(portal, writes):
        check(writes)
        outcome.written = [write_one(write) for write in writes]
    else:
        for write in writes:
            try:
                outcome.written.append(write_one(write))
            except HubSpotError as error:
                named = {"objectWriteTraceId": [str(write.trace_id)]}
                outcome.errors.append(error.entry(named if portal.quirks.names_trace_ids else {}))
    portal.random.shuffle(outcome.written)
    return outcome


def _are_traced(portal: Portal, writes: Sequence[Write]) -> bool:
    traces = [write.trace_id for write in writes if write.trace_id is not None]
    if len(set(traces)) != len(traces):
        raise invalid("objectWriteTraceId must be unique within a batch.")
    return portal.quirks.honours_trace_ids and len(traces) == len(writes)


def _refuse_repeats(keys: Sequence[str]) -> None:
    if len(set(keys)) != len(keys):
        raise invalid("Duplicate IDs found in batch input. Duplicates are not supported.")


def _finder(portal: Portal, id_property: str | None) -> Callable[[str], Contact | None]:
    """Return how reads find a contact, as they show it at this moment."""
    if id_property is None or id_property == "hs_object_id":
        return lambda asked: portal.contacts.shown(record_number(asked))
    definition = portal.properties.find(id_property)
    if definition is None or not definition.unique:
        raise invalid(f"idProperty {id_property!r} is not a unique property of 0-1")
    return lambda asked: portal.contacts.shown_by(id_property, asked)


def _is_live(portal: Portal, record_id: str) -> bool:
    return portal.contacts.get(portal.contacts.resolve(record_number(record_id))) is not None


def _is_known(portal: Portal, write: Write) -> bool:
    if write.id_property is None:
        return _is_live(portal, write.record_id)
    return portal.contacts.number_by(write.id_property, write.record_id) is not None


def _number_of(portal: Portal, write: Write) -> int:
    """Return the record that an input is about; the caller has made sure that there is one."""
    if write.id_property is None:
        return live_number(portal, write.record_id)
    number = portal.contacts.number_by(write.id_property, write.record_id)
    if number is None:
        raise HubSpotError(404, "OBJECT_NOT_FOUND", "resource not found")
    return number


def _is_omitted(portal: Portal, asked: str) -> bool:
    left = portal.quirks.omitted_inputs.get(asked.lower(), 0)
    if left:
        portal.quirks.omitted_inputs[asked.lower()] = left - 1
    return left > 0
