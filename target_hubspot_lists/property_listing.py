"""`--properties`: lists the contact properties of the portal that `property_mappings` can name."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from hubspot_singer.http import Connection, HubSpotClient
from hubspot_singer.plugin.command import Action
from target_hubspot_lists.hubspot.properties import Properties
from target_hubspot_lists.reporting.property_table import as_json, as_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FORMS = {"table": as_table, "json": as_json}


def properties_action(settings_of: Callable[[Any], Mapping[str, Any]]) -> Action:
    """Return the action of the command; `settings_of` reads the settings of the command line."""

    def run(config: object, *, properties: str) -> int:
        with HubSpotClient(Connection.from_settings(settings_of(config))) as client:
            sys.stdout.write(_FORMS[properties](Properties(client).writable()))
        return 0

    option = click.Option(
        ["--properties"],
        type=click.Choice(list(_FORMS)),
        is_flag=False,
        flag_value="table",
        help="List the portal's contact properties that property_mappings can name (name, label, type, options), as a"
        " table or with --properties=json, then exit.",
    )
    return Action([option], lambda asked: asked["properties"] is not None, run)
