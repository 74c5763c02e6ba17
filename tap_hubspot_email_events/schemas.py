"""The JSON Schema of a stream, from its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_hubspot_email_events.columns import Column

KEY = ("id", "created")


def schema_of(columns: Sequence[Column]) -> dict[str, Any]:
    """Every column as HubSpot types it; all but the key may be null."""
    properties = {
        column.name: {**column.kind.schema, "description": column.description} for column in columns
    }
    for name in KEY:
        properties[name]["type"] = ["string"]
    return {"type": "object", "properties": properties, "required": list(KEY)}
