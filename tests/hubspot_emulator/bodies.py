"""Request bodies and queries, read as strictly as HubSpot's own schemas describe them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs

from tests.hubspot_emulator.answers import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable


class Body:
    """One JSON object of a request; asking for a field of the wrong type is a 400."""

    def __init__(self, fields: object, known: Iterable[str]) -> None:
        if not isinstance(fields, dict):
            raise invalid("Invalid input JSON on line 1, column 1: expected an object")
        unknown = fields.keys() - set(known)
        if unknown:
            raise invalid(f"Invalid input JSON: unrecognized field {min(unknown)!r}")
        self._fields: dict[str, object] = fields

    def __contains__(self, name: str) -> bool:
        return self._fields.get(name) is not None

    def text(self, name: str) -> str:
        value = self._required(name)
        if not isinstance(value, str):
            raise invalid(f"Invalid input JSON: field {name!r} must be a string")
        return value

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if name in self else None

    def whole(self, name: str, default: int | None = None) -> int:
        value = self._required(name) if default is None else self._fields.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise invalid(f"Invalid input JSON: field {name!r} must be an integer")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self._fields.get(name, default)
        if not isinstance(value, bool):
            raise invalid(f"Invalid input JSON: field {name!r} must be a boolean")
        return value

    def array(self, name: str) -> list[object]:
        value = self._required(name)
        if not isinstance(value, list):
            raise invalid(f"Invalid input JSON: field {name!r} must be an array")
        return value

    def texts(self, name: str) -> list[str]:
        """Give the strings of an array, none if it is absent."""
        return texts(self.array(name), name) if name in self else []

    def objects(self, name: str, known: Iterable[str]) -> list[Body]:
        return [Body(value, known) for value in self.array(name)]

    def text_map(self, name: str) -> dict[str, str]:
        value = self._required(name)
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            raise invalid(f"Invalid input JSON: field {name!r} must be an object of strings")
        return value

    def raw(self, name: str) -> object:
        return self._fields.get(name)

    def _required(self, name: str) -> object:
        value = self._fields.get(name)
        if value is None:
            raise invalid(f"Invalid input JSON: some required fields were not set: [{name}]")
        return value


class Query:
    """The query of a request; a parameter that the route does not document is a 400."""

    def __init__(self, query: str, known: Iterable[str]) -> None:
        self._values = parse_qs(query, keep_blank_values=True) if query else {}
        unknown = self._values.keys() - set(known)
        if unknown:
            raise invalid(f"Unknown query parameter {min(unknown)!r}")

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str, default: str | None = None) -> str | None:
        values = self._values.get(name)
        return values[0] if values else default

    def texts(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def names(self, name: str) -> list[str]:
        """Give a list that may be repeated (`a=1&a=2`) or joined by commas (`a=1,2`)."""
        return [each for value in self.texts(name) for each in value.split(",") if each]

    def flag(self, name: str) -> bool:
        value = self.text(name, "false")
        if value not in {"true", "false"}:
            raise invalid(f"Query parameter {name!r} must be true or false")
        return value == "true"

    def whole(self, name: str, default: int, *, lowest: int, highest: int) -> int:
        text = self.text(name, str(default)) or ""
        value = int(text) if is_digits(text) else None
        if value is None or not lowest <= value <= highest:
            raise invalid(f"Query parameter {name!r} must be between {lowest} and {highest}")
        return value


def parse_json(content: bytes) -> object:
    try:
        parsed: object = json.loads(content)
    except ValueError as error:
        raise invalid(f"Invalid input JSON: {error.args[0] if error.args else 'not JSON'}") from error
    return parsed


def texts(values: list[object], name: str) -> list[str]:
    if not {str}.issuperset(map(type, values)):
        raise invalid(f"Invalid input JSON: {name!r} must hold strings only")
    return cast("list[str]", values)


def is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
