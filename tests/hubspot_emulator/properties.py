"""Contact properties: how they are defined, and the groups they are in.

https://developers.hubspot.com/docs/api-reference/legacy/crm/properties/guide
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import HubSpotError, invalid, not_found
from tests.hubspot_emulator.clocks import to_text
from tests.hubspot_emulator.standard_properties import STANDARD_GROUPS, STANDARD_PROPERTIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.hubspot_emulator.quirks import Quirks

FIELD_TYPES = {
    "string": {"text", "textarea", "html", "phonenumber", "file", "calculation_equation"},
    "number": {"number", "calculation_equation"},
    "bool": {"booleancheckbox", "calculation_equation"},
    "enumeration": {"select", "radio", "checkbox", "booleancheckbox", "calculation_equation"},
    "date": {"date"},
    "datetime": {"date"},
}
# HubSpot lower-cases internal names; the rule itself is written down for behavioural events only, the length
# of CRM properties' names nowhere: https://developers.hubspot.com/changelog/new-property-limits-for-the-custom-behavioural-events-api
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
# https://legal.hubspot.com/hubspot-product-and-services-catalog: paid tiers, custom properties per object.
CUSTOM_PROPERTY_LIMIT = 1_000
UNIQUE_PROPERTY_LIMIT = 10
SENSITIVITIES = ("highly_sensitive", "non_sensitive", "sensitive")


@dataclass(frozen=True, slots=True)
class Option:
    """One value of an enumeration."""

    value: str
    label: str
    hidden: bool = False
    display_order: int = -1

    def as_json(self) -> dict[str, object]:
        return {
            "label": self.label,
            "value": self.value,
            "hidden": self.hidden,
            "displayOrder": self.display_order,
        }


@dataclass(frozen=True, slots=True)
class Property:
    """The definition of one contact property."""

    name: str
    label: str
    type: str
    field_type: str
    group: str = "contactinformation"
    description: str = ""
    options: tuple[Option, ...] = ()
    read_only: bool = False
    calculated: bool = False
    hidden: bool = False
    unique: bool = False
    form_field: bool = False
    hubspot_defined: bool = False
    created_ms: int = 0
    updated_ms: int = 0
    archived_ms: int | None = None
    sensitivity: str = "non_sensitive"

    def as_json(self) -> dict[str, object]:
        archived = {} if self.archived_ms is None else {"archivedAt": to_text(self.archived_ms)}
        return {
            "updatedAt": to_text(self.updated_ms),
            "createdAt": to_text(self.created_ms),
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": [option.as_json() for option in self.options],
            "displayOrder": -1,
            "calculated": self.calculated,
            "externalOptions": False,
            "archived": self.archived_ms is not None,
            **archived,
            "hasUniqueValue": self.unique,
            "hidden": self.hidden,
            "hubspotDefined": self.hubspot_defined,
            "modificationMetadata": {
                "archivable": not self.hubspot_defined,
                "readOnlyDefinition": self.hubspot_defined,
                "readOnlyOptions": self.hubspot_defined,
                "readOnlyValue": self.read_only,
            },
            "formField": self.form_field,
            "dataSensitivity": self.sensitivity,
        }


@dataclass(frozen=True, slots=True)
class Group:
    """A group of properties, as HubSpot's settings show them."""

    name: str
    label: str
    display_order: int = -1
    archived: bool = False

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "label": self.label,
            "displayOrder": self.display_order,
            "archived": self.archived,
        }


class Properties:
    """All contact properties, archived ones too. Not locked: the portal does that."""

    def __init__(self, now_ms: Callable[[], int], quirks: Quirks) -> None:
        self._now_ms = now_ms
        self._quirks = quirks
        self._groups = {name: Group(name, label) for name, label in STANDARD_GROUPS.items()}
        self._properties = {each.name: each for each in map(_standard, STANDARD_PROPERTIES)}
        self.custom_limit = CUSTOM_PROPERTY_LIMIT

    def __iter__(self) -> Iterator[Property]:
        return (each for each in self._properties.values() if each.archived_ms is None)

    def archived(self) -> Iterator[Property]:
        return (each for each in self._properties.values() if each.archived_ms is not None)

    def find(self, name: str) -> Property | None:
        """Give a live property; an archived one is as good as absent."""
        found = self._properties.get(name)
        return found if found is not None and found.archived_ms is None else None

    def get(self, name: str, *, archived: bool = False) -> Property:
        found = self._properties.get(name)
        if found is None or (found.archived_ms is not None) != archived:
            raise not_found(f'Property "{name}" does not exist for object type CONTACT')
        return found

    @property
    def custom(self) -> list[Property]:
        return [each for each in self if not each.hubspot_defined]

    def define(
        self,
        name: str,
        type: str,  # noqa: A002  # HubSpot's word
        field_type: str,
        *,
        options: Iterable[str] = (),
        read_only: bool = False,
        unique: bool = False,
        group: str = "contactinformation",
        sensitivity: str = "non_sensitive",
    ) -> Property:
        """Define a property of the portal's own in a few words."""
        listed = tuple(Option(value, value.title()) for value in options)
        label = name.replace("_", " ").capitalize()
        defined = Property(
            name,
            label,
            type,
            field_type,
            group,
            options=listed,
            read_only=read_only,
            unique=unique,
            sensitivity=sensitivity,
        )
        return self.create(defined)

    def create(self, wanted: Property) -> Property:
        """Add a property, or refuse as HubSpot does. An archived one of that name comes back as it was."""
        wanted = replace(wanted, name=wanted.name.lower())
        now = self._now_ms()
        held = self._properties.get(wanted.name)
        if held is not None and held.archived_ms is not None and self._quirks.restores_archived_properties:
            self._properties[held.name] = replace(held, archived_ms=None, updated_ms=now)
            return self._properties[held.name]
        self._check(wanted)
        created = replace(wanted, created_ms=now, updated_ms=now)
        self._properties[created.name] = created
        return created

    def update(self, name: str, changed: Property) -> Property:
        self._check_kind(changed)
        self._properties[name] = replace(changed, updated_ms=self._now_ms())
        return self._properties[name]

    def archive(self, name: str) -> None:
        found = self.get(name)
        if found.hubspot_defined:
            raise invalid(f"Property {name} is defined by HubSpot and cannot be archived.")
        self._properties[name] = replace(found, archived_ms=self._now_ms())

    def purge(self, name: str) -> None:
        """Delete a property as if it had been archived for so long that HubSpot no longer restores it."""
        del self._properties[name]

    def groups(self) -> list[Group]:
        return list(self._groups.values())

    def group(self, name: str) -> Group:
        if name not in self._groups:
            raise not_found(f'Property group "{name}" does not exist for object type CONTACT')
        return self._groups[name]

    def add_group(self, group: Group) -> Group:
        if group.name in self._groups:
            raise HubSpotError(409, "CONFLICT", f"Property group {group.name} already exists")
        self._groups[group.name] = group
        return group

    def update_group(self, group: Group) -> Group:
        self._groups[group.name] = group
        return group

    def remove_group(self, name: str) -> None:
        if any(each.group == self.group(name).name for each in self):
            raise invalid(f"Property group {name} still has properties.")
        del self._groups[name]

    def _check(self, wanted: Property) -> None:
        if wanted.name in self._properties:
            raise HubSpotError(
                409, "CONFLICT", f'A property named "{wanted.name}" already exists on object type CONTACT.'
            )
        if _NAME.fullmatch(wanted.name) is None:
            raise invalid(f"{wanted.name!r} is not a valid property name")
        if wanted.group not in self._groups:
            raise invalid(f"Property group {wanted.group!r} does not exist")
        self._check_kind(wanted)
        if len(self.custom) >= self.custom_limit:
            raise invalid(
                f"The account has reached its limit of {self.custom_limit} custom contact properties."
            )
        if wanted.unique and sum(each.unique for each in self.custom) >= UNIQUE_PROPERTY_LIMIT:
            raise invalid(f"At most {UNIQUE_PROPERTY_LIMIT} unique properties are allowed.")

    def _check_kind(self, wanted: Property) -> None:
        if wanted.sensitivity not in SENSITIVITIES:
            raise invalid(f"dataSensitivity {wanted.sensitivity!r} is not one of {SENSITIVITIES}")
        if wanted.field_type not in FIELD_TYPES.get(wanted.type, ()):
            raise invalid(f"fieldType {wanted.field_type!r} is not valid for type {wanted.type!r}")
        if wanted.field_type == "booleancheckbox" and wanted.type == "enumeration":
            if {option.value for option in wanted.options} != {"true", "false"}:
                raise invalid('Boolean properties must have exactly two options: "true" and "false".')
        elif wanted.type == "enumeration" and not wanted.options and not wanted.hubspot_defined:
            raise invalid(f"Enumeration property {wanted.name!r} must have options")


def _standard(row: tuple[str, str, str, str, tuple[str, ...], str]) -> Property:
    name, label, type_, field_type, values, flags = row
    return Property(
        name,
        label,
        type_,
        field_type,
        options=tuple(Option(value, value) for value in values),
        read_only="R" in flags,
        calculated="C" in flags,
        unique="U" in flags,
        form_field="R" not in flags,
        hubspot_defined=True,
    )
