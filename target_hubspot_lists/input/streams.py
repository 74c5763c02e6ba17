"""Composes, for each SCHEMA of the input, what is done with the RECORD messages of its stream."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from singer_sdk.exceptions import MappingError
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform

from target_hubspot_lists.errors import InputError
from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.input.advice import Advice
from target_hubspot_lists.input.columns import Columns
from target_hubspot_lists.input.parsing import membership_parser, stream_cohort
from target_hubspot_lists.input.records import NUL, Membership, positive_integer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from singer_sdk.mapper import PluginMapper, StreamMap

    from target_hubspot_lists.input.attributes import AttributeParser, Attributes
    from target_hubspot_lists.input.records import Cohort, Rejection
    from target_hubspot_lists.outcomes import PropertyProblem
    from target_hubspot_lists.settings import Settings

logger = logging.getLogger(__name__)

# `meltano config test` sends one record of this stream: https://docs.meltano.com/reference/command-line-interface#config
MELTANO_TEST_STREAM = "meltano_test_stream"

# What an expression of stream_maps can raise, over a schema or a record.
MAPPING_FAILURES = (MappingError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

# Columns that every line about a member has, in JSON Lines and in CSV, and no snapshot of a cohort has together.
LINE_COLUMNS = frozenset({"run_id", "outcome", "correlation_id"})

Record = dict[str, Any]
Taker = Callable[[Record, int | None], None]  # what is done with a record and the version of its message


class Receiver(Protocol):
    """What takes in the parsed records: memberships and rejections, stream by stream, in the order of the input."""

    def attribute_parser(self, stream: str, columns: Sequence[str]) -> AttributeParser | None:
        """Return the parser of the mapped fields of a stream's records; None if no field is mapped.

        InputError if a mapped field is not among the columns.
        """

    def schema(self, stream: str, cohort: Cohort | None, *, can_remove: bool) -> None:
        """Take a SCHEMA of the stream, changed or not.

        `cohort` is the cohort of the whole stream, or None if a column names the cohort. `can_remove` says
        whether a record of the stream can remove a member.
        """

    def take(
        self,
        stream: str,
        membership: Membership,
        version: int | None,
        attributes: Attributes | PropertyProblem | None = None,
    ) -> None:
        """Take a record's membership, and the attributes that it maps; `version` is that of the RECORD message."""

    def reject(self, stream: str, rejection: Rejection, version: int | None) -> None:
        """Count and report a record that cannot be applied."""

    def pass_over(self, stream: str) -> None:
        """Note a RECORD of the stream that a stream map filters out."""

    def note_removals(self, stream: str) -> None:
        """Note that records of the stream can remove a member, though its SCHEMA has no column for that."""


class MappedStream(NamedTuple):
    """A stream after the user's maps, as `Receiver.schema` gets it."""

    name: str
    cohort: Cohort | None
    can_remove: bool


class Streams:
    """The streams that have a SCHEMA, and the function that takes the RECORD messages of each.

    Nothing is asked per record that a SCHEMA answers: where neither stream_maps nor flattening changes a stream, its
    records go from the reader to the parser as they are; else the SDK's mapper maps each of them first.
    """

    def __init__(
        self,
        mapper: PluginMapper,
        settings: Settings,
        receiver: Receiver,
        *,
        error: Callable[[str, str], InputError],
    ) -> None:
        """Compose takers for one run; `error` makes the error for the line in hand."""
        self._mapper = mapper
        self._settings = settings
        self._receiver = receiver
        self._error = error
        self._are_snapshots = settings.sync_mode == "mirror"
        self._advice = Advice(settings)
        self._schemas: dict[str, dict[str, Any]] = {}
        self._mapped: dict[str, list[MappedStream]] = {}
        self._takers: dict[str, Taker] = {}

    def schema(self, message: dict[str, Any]) -> None:
        """Take a SCHEMA message: the records of its stream that come after it are of this form."""
        stream, schema = message.get("stream"), message.get("schema")
        if not isinstance(stream, str) or not isinstance(schema, dict):
            raise self._error(
                "is a SCHEMA without stream or schema", "use a tap that writes Singer messages."
            )
        if stream == MELTANO_TEST_STREAM:
            # Nothing of it is written: the run has checked the connection before it reads the input.
            logger.info("The connection works.")
            self._takers[stream] = _all_of([])
            return
        if not isinstance(schema.get("properties"), dict):
            raise InputError(
                f'The SCHEMA of stream "{stream}" has no properties: the tap must describe its columns.'
            )
        if self._are_snapshots:
            _refuse_report_lines(stream, schema["properties"])
        if self._schemas.get(stream) != schema:
            self._compose(stream, schema, message.get("key_properties"))
        for mapped in self.mapped(stream):
            self._receiver.schema(mapped.name, mapped.cohort, can_remove=mapped.can_remove)

    def _compose(self, stream: str, schema: dict[str, Any], key_properties: list[str] | None) -> None:
        """Compose what takes the stream's records from here on."""
        self._schemas[stream] = schema
        with self._mapping(stream):
            self._mapper.register_raw_stream_schema(stream, schema, key_properties)
        maps = [
            stream_map
            for stream_map in self._mapper.stream_maps[stream]
            if not isinstance(stream_map, RemoveRecordTransform)
        ]
        if self._are_snapshots:
            self._refuse_shared_names(stream, [stream_map.stream_alias for stream_map in maps])
        self._mapped[stream] = []
        takers = [self._taker(stream, stream_map) for stream_map in maps]
        taker = takers[0] if len(takers) == 1 else _all_of(takers)
        self._takers[stream] = _without_report_lines(stream, taker) if self._are_snapshots else taker

    def mapped(self, stream: str) -> Sequence[MappedStream]:
        """Return the streams that the user's maps make of a stream; without maps it is the stream itself."""
        return self._mapped.get(stream, ())

    def record(self, message: dict[str, Any]) -> None:
        """Take a RECORD message: parse it, and hand what it says to the receiver."""
        record, version = message.get("record"), message.get("version")
        if type(record) is not dict:
            raise self._error("is a RECORD without a record", "use a tap that writes Singer messages.")
        try:
            taker = self._takers[message["stream"]]
        except (LookupError, TypeError):
            raise self._error(
                f'is a RECORD of stream "{message.get("stream")}", which has no SCHEMA yet',
                "the tap must write a stream's SCHEMA first.",
            ) from None
        taker(record, None if version is None else positive_integer(version))

    def _taker(self, stream: str, stream_map: StreamMap) -> Taker:
        """Compose what is done with the records of a stream under one of its maps."""
        name, transform = stream_map.stream_alias, stream_map.transform
        take = self._parsing_taker(stream, name, list(stream_map.transformed_schema["properties"]))
        if isinstance(stream_map, SameRecordTransform) and not stream_map.flattening_enabled:
            return take

        def take_mapped(record: Record, version: int | None) -> None:
            with self._mapping(stream):
                mapped = transform(dict(record))
            if mapped is None:
                self._receiver.pass_over(name)
            else:
                take(mapped, version)

        return take_mapped

    def _parsing_taker(self, stream: str, name: str, names: Sequence[str]) -> Taker:
        """Compose what is done with records that have columns of these names; `name` is the stream's after maps."""
        if NUL in name:
            raise InputError(
                f'The name of stream "{shown(name)}" holds a NUL character (U+0000): give it another name with '
                "__alias__ in stream_maps."
            )
        columns = Columns.find(name, names, self._settings)
        self._mapped[stream].append(MappedStream(name, stream_cohort(name, columns), columns.can_remove))
        advise = self._advice.of_schema(name, names, columns)

        undeclared: set[str] = set()

        def note_undeclared(column: str) -> None:
            if column not in undeclared:
                undeclared.add(column)
                self._receiver.note_removals(name)
                # A SCHEMA that comes again says no more of removals than this one.
                self._mapped[stream] = [
                    each._replace(can_remove=True) if each.name == name else each
                    for each in self._mapped[stream]
                ]
                self._advice.of_undeclared(name, column)

        parse = membership_parser(name, columns, self._settings.identifiers, note_undeclared)
        attributes = self._receiver.attribute_parser(name, names)
        take, reject = self._receiver.take, self._receiver.reject

        def take_record(record: Record, version: int | None) -> None:
            parsed = parse(record)
            if isinstance(parsed, Membership):
                take(name, parsed, version)
            else:
                advise(parsed, record)
                reject(name, parsed, version)

        def take_with_attributes(record: Record, version: int | None) -> None:
            parsed = parse(record)
            if isinstance(parsed, Membership):
                take(name, parsed, version, read_attributes(record, is_member=parsed.is_member))
            else:
                advise(parsed, record)
                reject(name, parsed, version)

        if attributes is None:
            return take_record
        read_attributes = attributes.parse
        return take_with_attributes

    def _refuse_shared_names(self, stream: str, aliases: Collection[str]) -> None:
        """Refuse one name for two streams in a mirror: one stream's proof would count for both."""
        for other, mapped in self._mapped.items():
            shared = [each.name for each in mapped if each.name in aliases]
            if shared and other != stream:
                raise InputError(
                    f'stream_maps gives the streams "{other}" and "{stream}" one name ("{shared[0]}"): in mirror mode '
                    "each must have its own, since each is a snapshot of its own. Change __alias__ of one of them."
                )

    @contextmanager
    def _mapping(self, stream: str) -> Iterator[None]:
        """Raise InputError if a map of the user fails; without the map's own error text, which may show a record."""
        try:
            yield
        except MAPPING_FAILURES as error:
            raise self._error(
                f'cannot be mapped as stream_maps says for stream "{stream}" ({type(error).__name__})',
                "correct the expression there, or the flattening_ settings.",
            ) from error


def _refuse_report_lines(stream: str, columns: Iterable[str]) -> None:
    """Raise InputError where the columns of a mirror's stream are those of a report's lines."""
    if {column.lower() for column in columns} >= LINE_COLUMNS:
        raise InputError(
            f'Stream "{stream}" holds lines of a report, and sync_mode is mirror: whoever is not among these lines '
            "would be removed. Send the rejected ones again with sync_mode: incremental."
        )


def _without_report_lines(stream: str, taker: Taker) -> Taker:
    """Return a taker that refuses lines of a report, whatever the stream's SCHEMA says."""

    def take(record: Record, version: int | None) -> None:
        if "correlation_id" in record and record.keys() >= LINE_COLUMNS:
            _refuse_report_lines(stream, record)
        taker(record, version)

    return take


def _all_of(takers: Sequence[Taker]) -> Taker:
    """Return a taker for a stream that stream_maps turns into several streams, or into none."""

    def take(record: Record, version: int | None) -> None:
        for taker in takers:
            taker(record, version)

    return take
