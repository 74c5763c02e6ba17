"""`--properties`: lists the contact properties of the portal that `property_mappings` can name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from hubspot_singer.http import Connection, HubSpotClient
from hubspot_singer.plugin.command import Action
from hubspot_singer.plugin.logs import one_line
from target_hubspot_lists.hubspot.properties import Properties
from target_hubspot_lists.reporting.text_tables import aligned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_hubspot_lists.hubspot.properties import PropertyDefinition

HEADINGS = ("name", "label", "type", "options")
OPTIONS_WIDTH = 60  # characters of the options that a line shows


def properties_action(settings_of: Callable[[Any], Mapping[str, Any]]) -> Action:
    """Return the action of the command; `settings_of` reads the settings of the command line."""
    forms = {"table": as_table, "json": as_json}

    def run(config: object, *, properties: str) -> int:
        with HubSpotClient(Connection.from_settings(settings_of(config))) as client:
            click.echo(forms[properties](Properties(client).writable()), nl=False)
        return 0

    option = click.Option(
        ["--properties"],
        type=click.Choice(list(forms)),
        is_flag=False,
        flag_value="table",
        help="List the portal's contact properties that property_mappings can name (name, label, type, options), as a"
        " table or with --properties=json, then exit.",
    )
    return Action([option], lambda asked: asked["properties"] is not None, run)


def as_table(properties: Sequence[PropertyDefinition]) -> str:
    """Return a line for each property: name, label, type, and the values of its options as far as they fit."""
    rows = [HEADINGS]
    for definition in properties:
        several = ", several" if definition.takes_several else ""
        rows.append((definition.name, definition.label, f"{definition.type}{several}", _options(definition)))
    columns = [[one_line(cell) for cell in column] for column in zip(*rows, strict=True)]
    return "".join(f"{line}\n" for line in aligned(columns, text_columns=len(columns)))


def as_json(properties: Sequence[PropertyDefinition]) -> str:
    """Return a JSON array of all properties, with every option's value and label."""
    shown = [
        {
            "name": definition.name,
            "label": definition.label,
            "type": definition.type,
            "field_type": definition.field_type,
            "group": definition.group,
            "options": [{"value": option.value, "label": option.label} for option in definition.options],
        }
        for definition in properties
    ]
    return f"{json.dumps(shown, indent=2, ensure_ascii=False)}\n"


def _options(definition: PropertyDefinition) -> str:
    """Return the values of the options, cut after OPTIONS_WIDTH characters with the number of the others."""
    shown, values = "", [option.value for option in definition.options]
    for number, value in enumerate(values):
        longer = f"{shown}, {value}" if shown else value
        if len(longer) > OPTIONS_WIDTH:
            others = len(values) - number
            return f"{shown}, and {others} more" if shown else f"{others} options"
        shown = longer
    return shown
