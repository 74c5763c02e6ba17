"""How records identify a member: by an address, a HubSpot record id, or the value of a unique property. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import orjson

from hubspot_singer.http import SettingsError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

MatchBy = Literal["email", "contact_id", "property"]
# A property of HubSpot, and the value by which it names a person.
Name = tuple[str, str]
Named = TypeVar("Named", bound="Hashable")

EMAIL = "email"
RECORD_ID = "hs_object_id"
# The HubSpot property for each `match_by`; a unique property of the portal has its own name.
PROPERTIES: Mapping[MatchBy, str] = {"email": EMAIL, "contact_id": RECORD_ID}


class Identifier(NamedTuple):
    """One way in which records identify a member."""

    match_by: MatchBy
    by: str  # the HubSpot property by which contacts are looked up
    field: str | None  # the column that the settings name

    @classmethod
    def fallback(cls, entry: Mapping[str, Any]) -> Identifier:
        """Parse one entry of match_fallbacks."""
        return cls.from_setting(entry, "match_fallbacks[].")

    @classmethod
    def from_setting(cls, entry: Mapping[str, Any], where: str = "") -> Identifier:
        """Parse match_by, match_field and match_property; `where` stands before their names in errors."""
        match_by: MatchBy = entry.get("match_by") or "email"
        name = str(entry.get("match_property") or "").strip()
        field = str(entry.get("match_field") or "").strip() or None
        if match_by != "property":
            if name:
                raise SettingsError(
                    f"{where}match_property is set, and {where}match_by is {match_by}: set {where}match_by: property, "
                    f"or take {where}match_property out."
                )
            return cls(match_by, PROPERTIES[match_by], field)
        if not name:
            raise SettingsError(
                f"{where}match_by is property, and {where}match_property does not say which: name a contact property "
                "with unique values."
            )
        for own, standing in PROPERTIES.items():
            if name == standing:
                raise SettingsError(
                    f"{where}match_property is {name}: set {where}match_by: {own}, and take {where}match_property out."
                )
        return cls(match_by, name, field)

    @property
    def name(self) -> str:
        """Its name in reports; a column of that name holds it, unless the settings name another one."""
        return self.by if self.match_by == "property" else self.match_by

    @property
    def column(self) -> str:
        """The column that holds it."""
        return self.field or self.name

    @property
    def label(self) -> str:
        """Its name, with its column if that has another name: so identifiers of the same name differ."""
        return self.name if self.column == self.name else f"{self.name} ({self.column})"


def are_record_ids(identifiers: Sequence[Identifier]) -> bool:
    """Return whether members are HubSpot record ids, so that no contact has to be looked up."""
    return [identifier.by for identifier in identifiers] == [RECORD_ID]


# A member with several identifiers is one text, so that it can be kept and compared like one with a single identifier.


def packed(values: Sequence[str | None]) -> str:
    """Return the identifiers of one member, in the order in which they are tried, as one text (JSON)."""
    return orjson.dumps(values).decode()


def unpacked(member: str) -> list[str | None]:
    """Return the identifiers of a packed member; None for a blank one."""
    values: list[str | None] = orjson.loads(member)
    return values


def names_of(properties: Sequence[str], values: Sequence[str | None]) -> dict[Name, None]:
    """Return the names of a member with these identifiers, in their order; two columns may hold one property."""
    pairs = zip(properties, values, strict=True)
    return {(by, value): None for by, value in pairs if value is not None}


def joined(pairs: Iterable[tuple[Hashable, Named]]) -> list[list[Named]]:
    """Return members in groups: those with a key in common are together, and so are all that others connect.

    `pairs` has each key of each member. Groups, and the members of each, are in the order in which members come.
    """
    # Of each member another one of its group, nearer to the one that leads it.
    leader: dict[Named, Named] = {}
    first: dict[Hashable, Named] = {}

    def find_leader(member: Named) -> Named:
        while (nearer := leader[member]) != member:
            leader[member] = leader[nearer]
            member = nearer
        return member

    for key, member in pairs:
        leader.setdefault(member, member)
        leader[find_leader(member)] = find_leader(first.setdefault(key, member))
    groups: dict[Named, list[Named]] = {}
    for member in leader:
        groups.setdefault(find_leader(member), []).append(member)
    return list(groups.values())


def shown(member: int | str, identifiers: Sequence[Identifier], found_by: int | None) -> str:
    """Return how reports show a member: its identifier, or one of several.

    `found_by` is the place of the one by which the contact was found; None: the first that is not blank is shown.
    """
    if isinstance(member, int) or len(identifiers) == 1:
        return str(member)
    values = unpacked(member)
    found = None if found_by is None else values[found_by]
    return found or next(filter(None, values), "")


# A later run recognises the members of an earlier one only if both have the same match settings.


def match_text(identifiers: Sequence[Identifier]) -> str:
    """Return the match settings as one text; two texts are the same if the settings are."""
    return orjson.dumps([(identifier.by, identifier.field) for identifier in identifiers]).decode()


def named_by(match: str, member: str) -> set[Name]:
    """Return the pairs of property and value that identify a member; `match` is the `match_text`."""
    properties = [by for by, _ in orjson.loads(match)]
    return set(names_of(properties, [member] if len(properties) == 1 else unpacked(member)))


def is_same_person(match: str, member: str, other_match: str, other: str) -> bool:
    """Return whether two members, whose match settings may differ, are the same person.

    They are if the first property that identifies both, in the order of `match`, has the same value.
    """
    properties = [by for by, _ in orjson.loads(match)]
    return are_one(properties, named_by(match, member), named_by(other_match, other))


def are_one(properties: Iterable[str], names: Iterable[Name], others: Iterable[Name]) -> bool:
    """Whether two members are one person by their names alone.

    The first of the properties by which both are named has to have the same value; in two columns, one of them.
    """
    names, others = set(names), set(others)
    for by in properties:
        values = {value for name, value in names if name == by}
        other_values = {value for name, value in others if name == by}
        if values and other_values:
            return not values.isdisjoint(other_values)
    return False
