"""Catalogs as a user has them: what the tap discovers, with a selection of its own."""

from __future__ import annotations

from typing import Any

from tap_hubspot_email_events.tap import TapHubSpotEmailEvents


def selecting(*streams: str) -> dict[str, Any]:
    """The catalog that the tap discovers, these streams selected."""
    catalog: dict[str, Any] = TapHubSpotEmailEvents(config={}, validate_config=False).catalog_dict
    for entry in catalog["streams"]:
        (root,) = [each for each in entry["metadata"] if not each["breadcrumb"]]
        root["metadata"]["selected"] = entry["tap_stream_id"] in streams
    return catalog


def entry(catalog: dict[str, Any], stream: str) -> dict[str, Any]:
    """A stream's entry."""
    (found,) = [each for each in catalog["streams"] if each["tap_stream_id"] == stream]
    return dict(found)


def deselect(catalog: dict[str, Any], stream: str, *path: str) -> None:
    """Leave out a column, or a part of one."""
    breadcrumb = [part for name in path for part in ("properties", name)]
    (found,) = [each for each in entry(catalog, stream)["metadata"] if list(each["breadcrumb"]) == breadcrumb]
    found["metadata"]["selected"] = False
