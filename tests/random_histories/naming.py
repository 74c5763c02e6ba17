"""How a history names people: by an address, a record id, a customer number, or by a number and an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.hubspot_emulator import Contact, Portal

# The columns of the source, in the order of the parts of an identifier.
COLUMNS: Mapping[str, Sequence[str]] = {
    "email": ("email",),
    "contact_id": ("contact_id",),
    "property": ("customer_id",),
    "fallbacks": ("customer_id", "email"),
}
NUMBER = "number-"  # every customer number begins so
SEPARATOR = "|"


def number(text: object) -> str:
    """Return a customer number."""
    return f"{NUMBER}{text}"


def several(*values: str) -> str:
    """Return an identifier of several parts; a blank one is no part."""
    return SEPARATOR.join(values)


def parts(identifier: str) -> list[str]:
    """Return the parts of an identifier."""
    return identifier.split(SEPARATOR)


def find(portal: Portal, identifier: str) -> Contact | None:
    """Return the contact that HubSpot knows by the first part that it knows."""
    found = (_find(portal, part) for part in parts(identifier) if part)
    return next((each for each in found if each is not None), None)


def _find(portal: Portal, part: str) -> Contact | None:
    if not part.startswith(NUMBER):
        return portal.find_contact(part)
    holders = (each for each in portal.contacts if each.properties.get("customer_id") == part)
    return next((portal.find_contact(each.record_id) for each in holders), None)
