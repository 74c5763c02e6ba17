"""Writes an object of HubSpot's with columns of ours: all of them, in their order, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tap_hubspot_email_events.kinds import Kind, Misfit, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_hubspot_email_events.kinds import Convert, Oddities


class Step(NamedTuple):
    """One column that a field fills."""

    column: str
    path: str
    convert: Convert


class ObjectWriter:
    """Which columns each field of an object fills, and what the others hold."""

    def __init__(
        self, empty: Mapping[str, Any], steps: Mapping[str, tuple[Step, ...]], prefix: str = ""
    ) -> None:
        self._empty = dict(empty)
        self._steps = dict(steps)
        self._prefix = prefix

    def write(self, content: Mapping[str, Any], oddities: Oddities) -> dict[str, Any]:
        """The object; a column is null if its field is missing, is null, or does not fit."""
        written = self._empty.copy()
        for name, value in content.items():
            if name not in self._steps:
                oddities.unknown.add(f"{self._prefix}{name}")
            elif value is not None:
                for column, path, convert in self._steps[name]:
                    # Most values are plain text, and this is done for each of a million events.
                    if convert is as_text and type(value) is str and value.isascii():
                        written[column] = value
                    else:
                        written[column] = _converted(value, convert, path, oddities)
        return written


def _converted(value: object, convert: Convert, path: str, oddities: Oddities) -> Any:  # noqa: ANN401 - JSON
    try:
        return convert(value, oddities)
    except Misfit:
        oddities.misfits.add(path)
        return None


def fields(name: str, kinds: Mapping[str, Kind]) -> Kind:
    """An object of HubSpot's, under its name there, and what each of its fields holds."""
    columns = {key: snake_case(key) for key in kinds}
    steps = {key: (Step(columns[key], f"{name}.{key}", kind.convert),) for key, kind in kinds.items()}
    writer = ObjectWriter(dict.fromkeys(columns.values()), steps, prefix=f"{name}.")

    def convert(value: object, oddities: Oddities) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Misfit
        return writer.write(value, oddities)

    properties = {columns[key]: kind.schema for key, kind in kinds.items()}
    return Kind({"type": ["object", "null"], "properties": properties}, convert)


def within(name: str, convert: Convert) -> Convert:
    """Reads a value from a field of an object."""

    def convert_inner(value: object, oddities: Oddities) -> Any:  # noqa: ANN401 - JSON
        if not isinstance(value, dict):
            raise Misfit
        inner = value.get(name)
        return None if inner is None else convert(inner, oddities)

    return convert_inner


def several(kind: Kind) -> Kind:
    """A list of one kind; a value that stands alone is a list of one."""

    def convert(value: object, oddities: Oddities) -> list[Any]:
        values = value if isinstance(value, list) else [value]
        return [kind.convert(each, oddities) for each in values if each is not None]

    return Kind({"type": ["array", "null"], "items": kind.schema}, convert)


def snake_case(name: str) -> str:
    """`producerUrl` becomes `producer_url`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
