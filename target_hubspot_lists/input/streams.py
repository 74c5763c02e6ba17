"""Which streams the input has, and where the records of each go after the user's maps."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from singer_sdk.exceptions import MappingError
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform

from target_hubspot_lists.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from singer_sdk.mapper import StreamMap
    from singer_sdk.target_base import Target

    from target_hubspot_lists.input.reader import MessageReader
    from target_hubspot_lists.input.sinks import MembershipSink

# What an expression of stream_maps can raise, over a schema or a record.
MAPPING_FAILURES = (MappingError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class Way(NamedTuple):
    """One way that a stream's records take: the map of the user's, where it changes anything, and the sink."""

    transform: Callable[[dict[str, Any]], dict[str, Any] | None] | None
    sink: MembershipSink


class Streams:
    """The streams that have a SCHEMA."""

    def __init__(self, target: Target, reader: MessageReader) -> None:
        self._target = target
        self._reader = reader
        self._schemas: dict[str, dict[str, Any]] = {}
        self._ways: dict[str, list[Way]] = {}

    def __contains__(self, stream: str) -> bool:
        return stream in self._schemas

    def has(self, stream: str, schema: dict[str, Any]) -> bool:
        """Whether this is the stream's SCHEMA already."""
        return self._schemas.get(stream) == schema

    def ignore(self, stream: str) -> None:
        """Let nothing come of the stream's records."""
        self._ways[stream] = []

    def take(
        self,
        stream: str,
        schema: dict[str, Any],
        key_properties: list[str] | None,
        *,
        have_own_names: bool = False,
    ) -> None:
        """Take a stream's SCHEMA: the records that come after it are of this form."""
        mapper = self._target.mapper
        self._schemas[stream] = schema
        with self._mapping(stream):
            mapper.register_raw_stream_schema(stream, schema, key_properties)
        maps = [each for each in mapper.stream_maps[stream] if not isinstance(each, RemoveRecordTransform)]
        if have_own_names:
            self._refuse_shared_names(stream, [each.stream_alias for each in maps])
        self._ways[stream] = [
            Way(None if _changes_nothing(each) else each.transform, self._sink(each)) for each in maps
        ]

    def sinks(self, stream: str) -> list[MembershipSink]:
        """Where the stream's records go."""
        return [way.sink for way in self._ways.get(stream, ())]

    def mapped(
        self, stream: str, record: dict[str, Any]
    ) -> Iterator[tuple[MembershipSink, dict[str, Any] | None]]:
        """Yield what the user's maps make of a record, by sink; None where they leave it out."""
        if (ways := self._ways.get(stream)) is None:
            raise self._reader.error(
                f'is a RECORD of stream "{stream}", which has no SCHEMA yet',
                "the tap must write a stream's SCHEMA first.",
            )
        for transform, sink in ways:
            mapped: dict[str, Any] | None = record
            if transform is not None:
                with self._mapping(stream):
                    mapped = transform(dict(record))
            yield sink, mapped

    def _refuse_shared_names(self, stream: str, aliases: Collection[str]) -> None:
        """Refuse one name for two streams in a mirror: what one of them proves would pass for both."""
        for other in self._ways:
            shared = [each.stream_name for each in self.sinks(other) if each.stream_name in aliases]
            if shared and other != stream:
                raise InputError(
                    f'stream_maps gives the streams "{other}" and "{stream}" one name ("{shared[0]}"): in mirror mode '
                    "each must have its own, since each is a snapshot of its own. Change __alias__ of one of them."
                )

    @contextmanager
    def _mapping(self, stream: str) -> Iterator[None]:
        """Say that it is a map of the user's that failed; its own text may show a record."""
        try:
            yield
        except MAPPING_FAILURES as error:
            raise self._reader.error(
                f'cannot be mapped as stream_maps says for stream "{stream}" ({type(error).__name__})',
                "correct the expression there, or the flattening_ settings.",
            ) from error

    def _sink(self, stream_map: StreamMap) -> MembershipSink:
        sink = self._target.get_sink(
            stream_map.stream_alias,
            schema=stream_map.transformed_schema,
            key_properties=stream_map.transformed_key_properties,
        )
        return cast("MembershipSink", sink)  # there is no other class of sinks here


def _changes_nothing(stream_map: StreamMap) -> bool:
    return isinstance(stream_map, SameRecordTransform) and not stream_map.flattening_enabled
