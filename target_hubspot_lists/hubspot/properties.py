"""The portal's contact properties, and why one of them cannot be written or looked up by."""

from __future__ import annotations

import difflib
import logging
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hubspot_singer.http import InvalidCredentials, Refused, parsed
from target_hubspot_lists.errors import TargetError
from target_hubspot_lists.identifiers import PROPERTIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hubspot_singer.http import HubSpotClient
    from target_hubspot_lists.settings import PropertyMapping

logger = logging.getLogger(__name__)

# Types whose values are moments: https://developers.hubspot.com/docs/api-reference/legacy/crm/properties/guide
DATE_TYPES = frozenset({"date", "datetime"})
# Properties of these kinds are listed only where they are asked for:
# https://developers.hubspot.com/docs/api-reference/latest/crm/properties/sensitive-data
SENSITIVITIES = ("sensitive", "highly_sensitive")

NO_UNIQUE_PROPERTY = (
    'the portal has no contact property with unique values: make one in HubSpot, with "Require unique values for '
    'this property"'
)


@dataclass(frozen=True)
class Option:
    """One value of an enumeration, and the label under which people see it."""

    value: str
    label: str


@dataclass(frozen=True)
class PropertyDefinition:
    """A contact property, as the portal defines it."""

    name: str
    label: str
    type: str
    field_type: str
    group: str
    description: str = ""
    options: tuple[Option, ...] = ()
    is_calculated: bool = False
    is_read_only: bool = False
    has_unique_values: bool | None = False  # None where HubSpot does not say
    is_sensitive: bool = False
    created: str = ""  # when, as HubSpot writes it: a later property of this name has another time

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> PropertyDefinition:
        """Parse HubSpot's property object (Property)."""
        field_type = str(body.get("fieldType", ""))
        return cls(
            name=str(body["name"]),
            label=str(body.get("label", "")),
            type=str(body.get("type", "")),
            field_type=field_type,
            group=str(body.get("groupName", "")),
            description=str(body.get("description") or ""),
            options=tuple(
                Option(str(option.get("value", "")), str(option.get("label", "")))
                for option in body.get("options") or ()
            ),
            is_calculated=bool(body.get("calculated")) or field_type == "calculation_equation",
            is_read_only=bool((body.get("modificationMetadata") or {}).get("readOnlyValue")),
            has_unique_values=None if (unique := body.get("hasUniqueValue")) is None else bool(unique),
            is_sensitive=body.get("dataSensitivity") in SENSITIVITIES,
            created=str(body.get("createdAt") or ""),
        )

    @property
    def takes_several(self) -> bool:
        """Whether a contact can have several of the options at once."""
        return self.type == "enumeration" and self.field_type == "checkbox"

    def option(self, text: str) -> str | None:
        """Return the value of the option of this value or label: exactly, else in any case if only one matches."""
        exactly, in_any_case = self._options_by_text
        text = text.strip()
        return exactly.get(text) or in_any_case.get(text.casefold())

    @cached_property
    def _options_by_text(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        by_label = _unambiguous((option.label.strip(), option.value) for option in self.options)
        exactly = {**by_label, **{option.value.strip(): option.value for option in self.options}}
        in_any_case = _unambiguous(
            (text.strip().casefold(), option.value)
            for option in self.options
            for text in (option.value, option.label)
        )
        return exactly, in_any_case


def _unambiguous(meanings: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return text to value, without the texts that stand for several values."""
    values: dict[str, set[str]] = {}
    for text, value in meanings:
        values.setdefault(text, set()).add(value)
    return {text: found.pop() for text, found in values.items() if len(found) == 1}


class Properties:
    """The portal's contact properties: read once, and kept up to date with those that a run creates."""

    def __init__(self, client: HubSpotClient) -> None:
        self._client = client
        self.path = f"{client.base('crm/properties')}/contacts"
        self._by_name: dict[str, PropertyDefinition] = {}

    def read(self) -> None:
        """Ask HubSpot for all definitions, in one call."""
        self._by_name = {each.name: each for each in self._all()}

    def add(self, definitions: Iterable[PropertyDefinition]) -> None:
        """Add definitions that HubSpot has just answered with."""
        self._by_name |= {each.name: each for each in definitions}

    def find(self, name: str) -> PropertyDefinition | None:
        """The property of exactly that name, or None if the portal had none when it was last read."""
        return self._by_name.get(name)

    def identity(self, name: str) -> str:
        """Return a text that no other property has: not even one that is created anew under this name."""
        definition = self._by_name.get(name)
        return name if definition is None else f"{name} {definition.created}"

    def in_group(self, group: str) -> Iterator[PropertyDefinition]:
        """Yield the properties of a group."""
        return (each for each in self._by_name.values() if each.group == group)

    def check(self, mappings: Sequence[PropertyMapping]) -> tuple[PropertyDefinition, ...]:
        """Return the definition of each mapped property; raise TargetError naming all that cannot be written."""
        if any(each.property not in self._by_name for each in mappings):
            self._read_sensitive()
        found = [self._by_name.get(each.property) for each in mappings]
        # One more call, but only if the run ends anyway: is the property archived, or did it never exist?
        archived = {each.name for each in self._all(archived="true")} if None in found else set()
        problems = [
            problem
            for mapping, definition in zip(mappings, found, strict=True)
            if (problem := self._problem(mapping, definition, archived))
        ]
        if problems:
            raise TargetError(f"property_mappings[] cannot be written: {'; '.join(problems)}.")
        return tuple(each for each in found if each is not None)

    def check_unique(self, names: Sequence[str]) -> None:
        """Raise TargetError if contacts cannot be looked up by a property; it names those that can be used."""
        if any(name not in self._by_name for name in names):
            self._read_sensitive()
        problems = [problem for name in names if (problem := self._problem_of_match(name))]
        if problems:
            usable = [definition.name for definition in self._by_name.values() if _can_be_matched(definition)]
            those = (
                f"those that can be named are: {', '.join(sorted(usable))}" if usable else NO_UNIQUE_PROPERTY
            )
            raise TargetError(f"match_property cannot be used: {'; '.join(problems)}; {those}.")

    def _problem_of_match(self, name: str) -> str | None:
        definition = self._by_name.get(name)
        if definition is None:
            return _absent(name, filter(_can_be_matched, self._by_name.values()))
        if definition.is_sensitive:
            return f'"{name}" holds sensitive data, by which HubSpot looks nobody up'
        if definition.has_unique_values is False:  # else a look-up shows whether it has
            return f'"{name}" does not have unique values (which is chosen when a property is made)'
        return None

    def writable(self) -> list[PropertyDefinition]:
        """Read and return the properties that can be written, sensitive ones as well, in the order of their names."""
        self.read()
        self._read_sensitive()
        found = (self._by_name[name] for name in sorted(self._by_name))
        return [
            definition for definition in found if not (definition.is_calculated or definition.is_read_only)
        ]

    def _read_sensitive(self) -> None:
        """Ask HubSpot for the definitions that it lists only on demand, as far as it lets the token see them."""
        for sensitivity in SENSITIVITIES:
            try:
                self.add(self._all(dataSensitivity=sensitivity))
            except InvalidCredentials:
                raise
            except Refused as refused:
                logger.warning("Properties of the kind %s are not known: %s", sensitivity, refused)

    def _all(self, **query: str) -> list[PropertyDefinition]:
        # Never paged: https://developers.hubspot.com/docs/api-reference/legacy/crm/properties/guide
        answer = self._client.get(self.path, params=query or None)
        return parsed(answer, lambda body: parse_definitions(body["results"]))

    def _problem(
        self, mapping: PropertyMapping, definition: PropertyDefinition | None, archived: set[str]
    ) -> str | None:
        name = mapping.property
        if definition is None and name in archived:
            return f'"{name}" is archived (restore it in HubSpot)'
        if definition is None:
            return _absent(name, self._by_name.values())
        if definition.is_calculated:
            return f'"{name}" is calculated by HubSpot'
        if mapping.unit and definition.type not in DATE_TYPES:
            return f'"{name}" is no date, so that its mapping takes no unit (its type is {definition.type})'
        return f'"{name}" is read-only' if definition.is_read_only else None


def _absent(name: str, definitions: Iterable[PropertyDefinition]) -> str:
    """Return the problem of a property that does not exist, with the nearest of these definitions."""
    nearest = nearest_name(name, definitions)
    return f'"{name}" does not exist' + (f' (the nearest is "{nearest}")' if nearest else "")


def _can_be_matched(definition: PropertyDefinition) -> bool:
    """Return whether contacts can be looked up by a property other than those of match_by: email and contact_id."""
    is_standing = definition.name in PROPERTIES.values()
    return bool(definition.has_unique_values) and not (definition.is_sensitive or is_standing)


def parse_definitions(bodies: Iterable[Mapping[str, Any]]) -> list[PropertyDefinition]:
    """Parse an answer's property objects."""
    return [PropertyDefinition.from_body(each) for each in bodies]


def nearest_name(name: str, definitions: Iterable[PropertyDefinition]) -> str | None:
    """Return the property most likely meant: of that name in another case, of that label, or spelt similarly."""
    writable = [
        definition for definition in definitions if not (definition.is_read_only or definition.is_calculated)
    ]
    by_spelling = {definition.label.casefold(): definition.name for definition in writable}
    by_spelling |= {definition.name: definition.name for definition in writable}
    near = difflib.get_close_matches(name.strip().casefold(), by_spelling, n=1)
    return by_spelling[near[0]] if near else None
