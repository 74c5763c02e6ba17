"""The SDK's stream as this tap uses it: records leave as JSON, in batches, and STATE follows finished windows."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

import orjson
from singer_sdk import Stream
from singer_sdk.exceptions import MappingError
from singer_sdk.helpers._catalog import pop_deselected_record_properties
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib.catalog import MetadataMapping

from hubspot_singer.http.errors import HubSpotError
from tap_hubspot_email_events.bookmarks import without_memory
from tap_hubspot_email_events.columns import schema_of
from tap_hubspot_email_events.errors import UnusableMap

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, TapState

    from tap_hubspot_email_events.columns import Column
    from tap_hubspot_email_events.records import Notes, Record
    from tap_hubspot_email_events.sessions import Session

# What an expression of stream_maps can raise, and what it makes of a record that no message can hold.
MAPPING_FAILURES = (MappingError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
COLUMN_PARTS = 2  # of the breadcrumb of a column: "properties" and its name


class SyncedStream(Stream):
    """A stream whose subclass yields records as JSON, and calls `write_state` when its state covers them."""

    columns: ClassVar[Sequence[Column]]
    key: ClassVar[Sequence[str]]
    bookmark: ClassVar[str]  # the replication key
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # the columns' kinds have seen to it

    def __init__(self, tap: Tap, session: Session) -> None:
        super().__init__(tap, schema=schema_of(self.columns, self.key))
        self.primary_keys, self.replication_key = self.key, self.bookmark
        self.session = session

    @classmethod
    def catalog_entry(cls) -> dict[str, Any]:
        """Return the stream's entry of a catalog."""
        schema = schema_of(cls.columns, cls.key)
        metadata = MetadataMapping.get_standard_metadata(
            schema=schema,
            key_properties=cls.key,
            valid_replication_keys=[cls.bookmark],
            selected_by_default=cls.selected_by_default,
        )
        return {
            "tap_stream_id": vars(cls)["name"],
            "stream": vars(cls)["name"],
            "schema": schema,
            "key_properties": list(cls.key),
            "replication_key": cls.bookmark,
            "metadata": metadata.to_list(),
        }

    @abstractmethod
    def batches(self) -> Iterator[list[bytes]]:
        """Yield records as JSON, some at a time; raises HubSpotError where the stream cannot be read on."""

    def get_records(self, context: Context | None) -> Iterator[Record]:  # noqa: ARG002 - there are no partitions
        """Yield the stream's records."""
        for records in self.batches():
            yield from map(orjson.loads, records)

    def write_state(self) -> None:
        """Write a STATE with the bookmarks of all streams; what is remembered besides is in the last one of a run."""
        _ = self.stream_state  # which makes an entry for a stream that has none yet
        self._tap.state_writer.write_state(cast("TapState", without_memory(self.tap_state)))

    @cached_property
    def selected_columns(self) -> set[str]:
        """The names of the columns to write."""
        known = self.effective_schema["properties"]  # of a catalog that may be older than this version
        return {
            each.name for each in self.columns if each.name in known and self.mask["properties", each.name]
        }

    def log_sync_costs(self) -> None:
        """End the run after its last stream; the SDK calls this once all streams are done."""
        self.session.end()

    def get_batch_config(self, config: Mapping[str, Any]) -> None:
        """No batch files: their STATE would come before what it confirms."""

    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """No signpost: HubSpot's own clock bounds what is read."""

    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[Record, Any, Any]:
        """Write the records; nothing is yielded, as the SDK has no use for it."""
        del context, write_messages  # there are no partitions, and every record is written
        try:
            with self.get_record_counter() as counter, self.get_sync_timer():
                for records in self._wanted_batches():
                    self._write_records(records)
                    counter.increment(len(records))
        except HubSpotError as error:
            self.session.fail(self.name, error)
        yield from ()

    def _wanted_batches(self) -> Iterator[list[bytes]]:
        """Yield all batches, or as many records as a test of the connection wants."""
        if self.ABORT_AT_RECORD_COUNT is None:
            yield from self.batches()
            return
        left = self.ABORT_AT_RECORD_COUNT
        for records in self.batches():
            yield records[:left]
            left -= len(records)
            if left <= 0:
                break
        self.session.messages.flush()  # such a test ends without another word

    def _write_records(self, records: Sequence[bytes]) -> None:
        if self._is_written_as_built:
            self.session.messages.write_records(self.name, records)
        else:
            for record in records:
                self._write_mapped(orjson.loads(record))

    def _write_mapped(self, record: Record) -> None:
        """Write what selection within columns, flattening and stream_maps make of a record."""
        if self.stream_maps[0].flattening_enabled:
            record = with_parts_of_null(record, self.effective_schema)
        pop_deselected_record_properties(record, self.schema, self.mask)
        try:
            for stream_map in self.stream_maps:
                mapped = stream_map.transform(record)
                if mapped is not None:
                    self.session.messages.write_record(stream_map.stream_alias, mapped)
        except MAPPING_FAILURES as error:
            raise UnusableMap(
                f"A record of {self.name} cannot be mapped as stream_maps says ({type(error).__name__}). Correct the"
                " expression there, or the flattening_ settings."
            ) from error

    @cached_property
    def _is_written_as_built(self) -> bool:
        """Whether records leave as they were built: no map, no flattening, and no part of a column left out."""
        (stream_map, *others) = self.stream_maps
        is_same = isinstance(stream_map, SameRecordTransform) and not stream_map.flattening_enabled
        leaves_out = any(len(each) > COLUMN_PARTS and not chosen for each, chosen in self.mask.items())
        return is_same and not others and not leaves_out

    def _write_state_message(self) -> None:
        """Write a STATE; the SDK calls this at the end of the stream."""
        self.write_state()

    def log_notes(self, notes: Notes) -> None:
        """Name once the fields without a column, and those with values that do not fit theirs."""
        if notes.unknown:
            self.logger.warning(
                "HubSpot sent fields that %s has no column for: %s. They are in the column extra.",
                self.name,
                ", ".join(sorted(notes.unknown)),
            )
        if notes.misfits:
            self.logger.warning(
                "HubSpot sent values that do not fit their column in %s, which is null there: %s. They are in the"
                " column extra.",
                self.name,
                ", ".join(sorted(notes.misfits)),
            )


def with_parts_of_null(record: Record, schema: Mapping[str, Any]) -> Record:
    """Return the record with null for each part of an object that is null.

    Flattened, the schema has columns for the parts and none for the object.
    """
    parts = {name: declared.get("properties") for name, declared in schema["properties"].items()}
    return {
        name: dict.fromkeys(parts[name]) if value is None and parts.get(name) else value
        for name, value in record.items()
    }
