"""Reads settings as each is declared, from JSON values or text, and says what is wrong with them.

A setting is declared by a JSON schema (https://sdk.meltano.com/en/latest/guides/config-schema.html). No sentence
of this module quotes a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jsonschema import ValidationError

_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
# The words that singer_sdk takes for true in a variable, and their opposites.
_FLAGS = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}
_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a JSON array",
    "object": "a JSON object",
}
_VALUE_CHARACTERS = 60  # of a wrong value, as an error shows it


@dataclass(frozen=True)
class DeclaredSettings:
    """A plugin's settings as they are declared."""

    schema: Mapping[str, Any]
    # Settings to which blank text says something; for all others it means "not set".
    may_be_blank: frozenset[str] = frozenset()

    @property
    def declared(self) -> Mapping[str, Mapping[str, Any]]:
        """The JSON schema of each setting, by its name."""
        properties: Mapping[str, Mapping[str, Any]] = self.schema["properties"]
        return properties

    @property
    def objects(self) -> list[str]:
        """The names of the settings that are JSON objects."""
        return [name for name, declared in self.declared.items() if "object" in _types(declared)]

    def is_set(self, name: str, value: object) -> bool:
        """Tell whether a value says something; null never does, blank text only to some settings."""
        is_blank = isinstance(value, str) and not value.strip()
        return value is not None and (not is_blank or name in self.may_be_blank)

    def read(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings that are set, text turned into what each setting takes.

        `meltano config set` stores text where a setting is not declared: "true", "50", "[]". Text that is not
        what its setting takes is left as it is, for `problems` to name.
        """
        return {
            name: _as_declared(value, self.declared.get(name, {}))
            for name, value in config.items()
            if self.is_set(name, value)
        }

    def problems(self, config: Mapping[str, Any]) -> list[str]:
        """Return one sentence for each setting that its JSON schema refuses: which, and what it takes."""
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - takes long to import, and --version needs none

        errors = Draft202012Validator(self.schema).iter_errors(config)
        return [
            _sentence(error, self.declared)
            for error in sorted(errors, key=lambda each: [str(part) for part in each.path])
        ]

    def unknown(self, config: Mapping[str, Any]) -> list[str]:
        """Return one sentence for each name in the config that is no setting, most likely a misspelt one."""
        return [
            f'There is no setting "{name}"; it is ignored.{nearest(name, self.declared)}'
            for name in sorted(config.keys() - self.declared.keys())
        ]


def _types(declared: Mapping[str, Any]) -> frozenset[str]:
    """The JSON types that a setting takes, null apart."""
    types = declared.get("type", ())
    return frozenset({types} if isinstance(types, str) else types) - {"null"}


def _types_of(value: object) -> frozenset[str]:
    """The JSON types of a value as far as settings have them."""
    if isinstance(value, bool):
        return frozenset({"boolean"})
    types = {str: "string", int: "integer", list: "array", dict: "object"}
    return frozenset(word for kind, word in types.items() if isinstance(value, kind))


def _as_declared(value: Any, declared: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """Return a value as its setting takes it, or as it is where it cannot be read so."""
    types = _types(declared)
    if isinstance(value, float) and "integer" in types and value.is_integer():
        return int(value)
    if isinstance(value, str):
        with suppress(ValueError):
            value = _parsed_text(value, types)
    if isinstance(value, list) and (items := declared.get("items")):
        return [_as_declared(each, items) for each in value]
    if isinstance(value, dict) and (properties := declared.get("properties")):
        return {name: _as_declared(each, properties.get(name, {})) for name, each in value.items()}
    return value


def _parsed_text(text: str, types: frozenset[str]) -> Any:  # noqa: ANN401 - what the text says
    """Return what a text says to a setting of these types; raise ValueError if it is none of them."""
    if not types or "string" in types:
        return text
    word = text.strip()
    if "integer" in types and _WHOLE.fullmatch(word):
        return int(word)
    if "boolean" in types and word.lower() in _FLAGS:
        return _FLAGS[word.lower()]
    try:
        value = json.loads(word)
    except RecursionError:
        raise ValueError from None
    if not types & _types_of(value) & {"array", "object"}:
        raise ValueError
    return value


def unmet(text: str, declared: Mapping[str, Any]) -> str | None:
    """Return what a setting takes if this text is not it, else None."""
    types = _types(declared)
    try:
        _parsed_text(text, types)
    except ValueError:
        return " or ".join(_WORDS[each] for each in _WORDS if each in types)
    return None


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ` Did you mean "…"?` with the known name that is nearest, or "" where none is near."""
    near = get_close_matches(name, known, n=1)
    return f' Did you mean "{near[0]}"?' if near else ""


def _sentence(error: ValidationError, declared: Mapping[str, Mapping[str, Any]]) -> str:
    name = _name(error.absolute_path)
    setting: Mapping[str, Any] = declared.get(str(next(iter(error.absolute_path), "")), {})
    value = "" if setting.get("secret") else f", not {str(error.instance)[:_VALUE_CHARACTERS]!r}"
    wanted: Any = error.validator_value
    if error.validator == "enum":
        return f"{name} must be one of {', '.join(map(str, wanted))}{value}."
    if error.validator == "type":
        kinds = wanted if isinstance(wanted, list) else [wanted]
        words = [_WORDS.get(kind, f"an {kind}") for kind in kinds if kind != "null"]
        return f"{name} must be {' or '.join(words)}{value}."
    if error.validator in {"minimum", "maximum"}:
        bound = "at least" if error.validator == "minimum" else "at most"
        return f"{name} must be {bound} {wanted}{value}."
    if error.validator == "required":
        missing = [each for each in wanted if each not in _fields(error.instance)]
        return f"{name} lacks {', '.join(missing)}." if name else f"{' and '.join(missing)} must be set."
    if error.validator == "additionalProperties":
        known = _fields(_fields(error.schema).get("properties"))
        strange = [each for each in _fields(error.instance) if each not in known]
        return f"{name} has no {', '.join(strange)}: it takes {', '.join(known)}."
    return f"{name} is not valid ({error.validator}): see --about for what it takes."


def _fields(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _name(path: Iterable[str | int]) -> str:
    """`lists[0].list_id` for the path lists, 0, list_id."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
