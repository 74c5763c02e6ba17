"""Says what is wrong with a config in sentences that quote no secret."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from hubspot_singer.http.errors import SettingsError

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Sequence

    from jsonschema import ValidationError

_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
# As singer_sdk reads them; what is neither it would silently take for false.
_FLAGS = frozenset({"true", "1", "yes", "on", "false", "0", "no", "off"})
_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
}


def setting_problems(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Return one sentence for each setting that its JSON schema refuses: which, and what it takes.

    Null is "not set" for every setting.
    """
    given = {name: value for name, value in config.items() if value is not None}
    errors: Iterable[ValidationError] = Draft202012Validator(schema).iter_errors(given)
    return [
        _sentence(error, schema)
        for error in sorted(errors, key=lambda each: [str(part) for part in each.path])
    ]


def unknown_settings(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Return one sentence for each setting that there is not, most likely a slip of the pen."""
    known = schema["properties"]
    return [
        f'There is no setting "{name}"; it is ignored.{_nearest(name, known)}'
        for name in sorted(config.keys() - known.keys())
    ]


def unknown_variables(environ: Mapping[str, str], prefix: str, schema: Mapping[str, Any]) -> list[str]:
    """Return one sentence for each environment variable that is named as a setting is and is none."""
    known = [f"{prefix}{name.upper()}" for name in schema["properties"]]
    # What begins with another underscore is Meltano's: https://docs.meltano.com/concepts/plugins#plugin-extras
    named = {name for name in environ if name.startswith(prefix) and not name.startswith(f"{prefix}_")}
    return [
        f"The environment variable {name} is no setting; it is ignored.{_nearest(name, known)}"
        for name in sorted(named - {*known, f"{prefix}LOGLEVEL"})
    ]


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f' Did you mean "{near[0]}"?' if near else ""


def unreadable_config(names: Iterable[str], error: Exception) -> str:
    """Return the sentence for what --config names where it cannot be read as settings."""
    files = " and ".join(f'"{name}"' for name in names if name != "ENV")
    return (
        f"--config {files} cannot be read ({type(error).__name__}): name a file that holds the settings as one"
        " JSON object, or ENV."
    )


def check_environment(
    environ: Mapping[str, str], prefix: str, schema: Mapping[str, Any], logger: logging.Logger
) -> None:
    """Name environment variables that do nothing; raise SettingsError if one does not hold what its setting takes."""
    for sentence in unknown_variables(environ, prefix, schema):
        logger.warning("%s", sentence)
    if problems := environment_problems(environ, prefix, schema):
        raise SettingsError(" ".join(problems))


def environment_problems(environ: Mapping[str, str], prefix: str, schema: Mapping[str, Any]) -> list[str]:
    """Return one sentence for each environment variable that does not hold what its setting takes."""
    problems = []
    for name, setting in schema["properties"].items():
        text = environ.get(variable := f"{prefix}{name.upper()}")
        wanted = None if text is None else _unmet(text, setting.get("type", ()))
        if wanted:
            problems.append(f"{variable} is not {wanted}: correct it, or leave it out for the default.")
    return problems


def _unmet(text: str, kinds: str | Sequence[str]) -> str | None:
    """What a setting of these kinds takes, if this text is not it."""
    if "integer" in kinds:
        return None if _WHOLE.fullmatch(text.strip()) else "a whole number"
    if "boolean" in kinds:
        return None if text.lower() in _FLAGS else "true or false"
    for kind, type_, wanted in (("array", list, "a JSON array"), ("object", dict, "a JSON object")):
        if kind in kinds:
            return None if isinstance(_json(text), type_) else wanted
    return None


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _sentence(error: ValidationError, schema: Mapping[str, Any]) -> str:
    name = _name(error.absolute_path)
    setting: Mapping[str, Any] = schema["properties"].get(str(next(iter(error.absolute_path), "")), {})
    value = "" if setting.get("secret") else f", not {str(error.instance)[:60]!r}"
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
