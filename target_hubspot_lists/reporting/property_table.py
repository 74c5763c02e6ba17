"""Shows contact properties to a person as a table, or to a script as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hubspot_singer.plugin.logs import one_line
from target_hubspot_lists.reporting.text_tables import aligned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_hubspot_lists.hubspot.properties import PropertyDefinition

HEADINGS = ("name", "label", "type", "options")
_OPTIONS_WIDTH = 60  # characters of the options that a line shows


def as_table(properties: Sequence[PropertyDefinition]) -> str:
    """Return a line for each property: name, label, type, and the values of its options as far as they fit."""
    rows = [HEADINGS, *((each.name, each.label, _type(each), _options(each)) for each in properties)]
    columns = [[one_line(cell) for cell in column] for column in zip(*rows, strict=True)]
    return "".join(f"{line}\n" for line in aligned(columns, text_columns=len(columns)))


def as_json(properties: Sequence[PropertyDefinition]) -> str:
    """Return a JSON array of all properties, with every option's value and label."""
    shown = [
        {
            "name": each.name,
            "label": each.label,
            "type": each.type,
            "field_type": each.field_type,
            "group": each.group,
            "options": [{"value": option.value, "label": option.label} for option in each.options],
        }
        for each in properties
    ]
    return f"{json.dumps(shown, indent=2, ensure_ascii=False)}\n"


def _type(definition: PropertyDefinition) -> str:
    return f"{definition.type}, several" if definition.takes_several else definition.type


def _options(definition: PropertyDefinition) -> str:
    shown, values = "", [each.value for each in definition.options]
    for number, value in enumerate(values):
        longer = f"{shown}, {value}" if shown else value
        if len(longer) > _OPTIONS_WIDTH:
            left = len(values) - number
            return f"{shown}, and {left} more" if shown else f"{left} options"
        shown = longer
    return shown
