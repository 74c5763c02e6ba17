"""Takes the selection of streams and columns from a catalog.

The keys, the replication key and the schema of a stream are its own. A catalog of an older version, of another tap's
making, or written by hand, can say other things of them, or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.catalog import MetadataMapping

from tap_hubspot_email_events.errors import UnusableCatalog

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

INCREMENTAL = "INCREMENTAL"
AGAIN = "Make the catalog anew with --discover"
# Where catalogs name a replication method: https://hub.meltano.com/singer/spec#metadata
METHOD_METADATA = ("forced-replication-method", "replication-method")


def own_catalog(catalog: object, discovered: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a catalog of the discovered entries with the selection of the given one; raises UnusableCatalog.

    Only what a catalog says of streams that it selects is judged.
    """
    own = {str(entry["tap_stream_id"]): entry for entry in discovered}
    streams = []
    for entry in _entries(catalog):
        name = _name(entry, own)
        selection = _selection(entry, name)
        if name in own:
            _check_method(entry, name, is_selected=selection[()])
            streams.append(_own_entry(own[name], entry, selection))
        elif selection[()]:
            nearest = get_close_matches(name, own, n=1, cutoff=0.0)
            raise UnusableCatalog(
                f'The catalog selects "{name}", which is no stream of this tap; the nearest is {nearest[0]}.'
                f" {AGAIN}, or correct the name."
            )
    return {"streams": streams}


def _entries(catalog: object) -> Iterator[Mapping[str, Any]]:
    if not isinstance(catalog, Mapping):
        raise UnusableCatalog(f"The catalog is not an object. {AGAIN}.")
    streams = catalog.get("streams")
    if not isinstance(streams, list):
        raise UnusableCatalog(f"The catalog has no list of streams. {AGAIN}.")
    for entry in streams:
        if not isinstance(entry, Mapping):
            raise UnusableCatalog(f"An entry of the catalog's streams is not an object. {AGAIN}.")
        yield entry


def _name(entry: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    """Return the stream that an entry is about: its tap_stream_id, or its stream if only that is known here."""
    tap_stream_id, stream = entry.get("tap_stream_id"), entry.get("stream")
    if tap_stream_id in own or stream not in own:
        return str(tap_stream_id if tap_stream_id is not None else stream)
    return str(stream)


def _selection(entry: Mapping[str, Any], name: str) -> Mapping[tuple[str, ...], bool]:
    metadata = entry.get("metadata") or []
    try:
        return MetadataMapping.from_iterable(metadata).resolve_selection()
    except (AttributeError, LookupError, TypeError) as error:
        raise UnusableCatalog(
            f'The metadata of "{name}" in the catalog cannot be read ({type(error).__name__}). {AGAIN}.'
        ) from error


def _check_method(entry: Mapping[str, Any], name: str, *, is_selected: bool) -> None:
    of_stream = (each["metadata"] for each in entry.get("metadata") or [] if not each["breadcrumb"])
    root: Mapping[str, Any] = next(of_stream, {})
    methods = {entry.get("replication_method"), *(root.get(each) for each in METHOD_METADATA)}
    others = methods - {None, INCREMENTAL}
    if is_selected and others:
        raise UnusableCatalog(
            f"The catalog sets {name} to {' and '.join(sorted(map(str, others)))}, but this tap reads incrementally"
            " only. Take the replication method out of the catalog; to read a stream from start_date on, take it out"
            " of the state."
        )


def _own_entry(
    own: Mapping[str, Any], entry: Mapping[str, Any], selection: Mapping[tuple[str, ...], bool]
) -> dict[str, Any]:
    """Return our entry, with the selection and the columns of the given one; the key columns are always selected."""
    keys = own["key_properties"]
    given = _properties(entry)
    properties = {
        name: declared if name in keys else given.get(name, declared)
        for name, declared in own["schema"]["properties"].items()
        if name in keys or not given or name in given
    }
    metadata = []
    for entry_metadata in own["metadata"]:
        breadcrumb = tuple(entry_metadata["breadcrumb"])
        if len(breadcrumb) > 1 and breadcrumb[1] not in properties:
            continue
        is_key = len(breadcrumb) > 1 and breadcrumb[1] in keys
        metadata.append(
            {
                "breadcrumb": list(breadcrumb),
                "metadata": {**entry_metadata["metadata"], "selected": is_key or selection[breadcrumb]},
            }
        )
    return {**own, "schema": {**own["schema"], "properties": properties}, "metadata": metadata}


def _properties(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the columns of an entry's schema; none where it has no schema, or none that can be read."""
    schema = entry.get("schema")
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping):
        return {}
    return {name: each for name, each in properties.items() if isinstance(each, Mapping)}
