"""Checks that a catalog asks for streams that there are."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from tap_hubspot_email_events.errors import UnusableCatalog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.singerlib import Catalog


def check_catalog(catalog: object) -> None:
    """Refuse what is no catalog at all."""
    if isinstance(catalog, Mapping) and not isinstance(catalog.get("streams"), list):
        raise UnusableCatalog("The catalog has no list of streams. Make it anew with --discover.")
    if isinstance(catalog, (list, str)):
        raise UnusableCatalog("The catalog is not an object. Make it anew with --discover.")


def check_streams(catalog: Catalog, names: Sequence[str]) -> None:
    """Refuse a catalog that selects a stream this tap lacks: its events would be missed in silence."""
    for entry in catalog.streams:
        if entry.tap_stream_id not in names and entry.metadata.resolve_selection()[()]:
            nearest = get_close_matches(entry.tap_stream_id, names, n=1, cutoff=0.0)
            raise UnusableCatalog(
                f'The catalog selects "{entry.tap_stream_id}", which is no stream of this tap; the nearest is'
                f" {nearest[0]}. Make the catalog anew with --discover, or correct the name."
            )
