"""Says what is wrong with settings by their names alone: a value may be a secret."""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from singer_sdk.plugin_base import JSONSchemaValidator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsonschema import ValidationError

TYPES = {
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


def complaints(settings: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """One sentence for each setting that is not as declared; fills in the defaults of those not set."""
    return sorted({_complaint(error) for error in JSONSchemaValidator(schema).iter_errors(settings)})


def unknown_settings(settings: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """One sentence for each setting that there is not, most likely a slip of the pen."""
    known = list(schema["properties"])
    return [
        f'There is no setting "{name}", so it does nothing; the nearest is {_nearest(name, known)}.'
        for name in sorted(settings.keys() - set(known))
    ]


def wrong_variable(schema: Mapping[str, Any], prefix: str) -> str:
    """Which environment variable cannot be read as the setting it stands for."""
    for name, declared in schema["properties"].items():
        variable = f"{prefix}{name.upper()}"
        if "integer" in declared["type"] and not _is_integer(os.environ.get(variable, "0")):
            return f"{variable} is not a whole number. Correct it."
    return f"A variable {prefix}... that holds an object is not JSON. Correct it."


def _is_integer(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True


def _nearest(name: str, names: list[str]) -> str:
    return get_close_matches(name, names, n=1, cutoff=0.0)[0]


def _complaint(error: ValidationError) -> str:
    declared: Any = error.validator_value
    if error.validator == "required" and not error.path:
        instance: Any = error.instance
        missing = [name for name in declared if name not in instance]
        return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set. Set what is missing."
    name = ".".join(str(part) for part in error.path)
    if error.validator == "type":
        return f"{name} is not {_named(declared)}. Correct it."
    if error.validator == "minimum":
        return f"{name} is below {declared}. Set it higher."
    return f"{name} is not as --about describes it. Correct it."


def _named(types: str | list[str]) -> str:
    names = [types] if isinstance(types, str) else types
    return " or ".join(TYPES.get(name, name) for name in names)
