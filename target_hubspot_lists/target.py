"""Reads cohort memberships, applies them to HubSpot lists, and lets STATE leave once HubSpot confirmed."""

from __future__ import annotations

import difflib
import logging
import signal
import sys
import traceback
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.plugin_base import SingerCommand
from singer_sdk.singerlib.json import serialize_json
from singer_sdk.target_base import Target

from hubspot_http import HubSpotClient, HubSpotError, SettingsError, Stopped, SystemClock
from hubspot_http.validation import setting_problems
from target_hubspot_lists.delivery import Delivery
from target_hubspot_lists.errors import InputError
from target_hubspot_lists.reader import MessageReader
from target_hubspot_lists.settings import TARGET_SETTINGS, Settings
from target_hubspot_lists.sinks import MembershipSink
from target_hubspot_lists.summary import summary

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

    import click
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.mapper import StreamMap
    from singer_sdk.plugin_base import _ConfigInput
    from singer_sdk.sinks import Sink

    from hubspot_http import Clock

# Memberships of a tap that says little are not held for longer than this.
MAX_HELD_SECONDS = 300

# `meltano config test` sends one record of this stream: https://docs.meltano.com/reference/command-line-interface#config
MELTANO_TEST_STREAM = "meltano_test_stream"


class TargetHubSpotLists(Target):
    """Puts cohorts onto HubSpot lists: adds and removes their members, and says what became of each."""

    name = "target-hubspot-lists"
    config_jsonschema: ClassVar[dict[str, Any]] = {"type": "object", "properties": dict(TARGET_SETTINGS)}
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    default_sink_class = MembershipSink

    _signal: int | None = None

    def __init__(
        self,
        *,
        config: dict[str, Any] | None = None,
        parse_env_config: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._reader = MessageReader(self)
        super().__init__(config=config, parse_env_config=parse_env_config, message_reader=self._reader)
        self.settings = Settings.from_config(self.config)
        self._clock = clock or SystemClock()
        self._client = HubSpotClient(
            self.settings.connection, clock=self._clock, user_agent=f"{self.name}/{self.plugin_version}"
        )
        self.delivery = Delivery(self._client, self.settings)
        self._schemas: dict[str, dict[str, Any]] = {}
        self._readers: dict[str, list[tuple[Callable[[dict[str, Any]], Any] | None, Sink]]] = {}
        self._held_since: float | None = None
        self._released_state: dict[str, Any] | None = None

    # The command line

    @classmethod
    @override
    def invoke(  # type: ignore[override]  # as the SDK's own Target does
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        file_input: IO[str] | None = None,
    ) -> None:
        super(Target, cls).invoke(about=about, about_format=about_format)
        cls.print_version(print_fn=cls.logger.info)
        try:
            target = cls(
                config=config.config if config else None, parse_env_config=bool(config and config.parse_env)
            )
        except HubSpotError as error:
            cls.report_error(error)
            sys.exit(1)
        sys.exit(target.run(file_input))

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        command.__class__ = DiscreetCommand
        command.help = (
            "Put cohorts onto HubSpot lists: reads Singer messages from standard input, applies each "
            "membership as an add or a remove, and writes STATE once HubSpot has confirmed it. "
            "See --about --format=markdown for the settings."
        )
        return command

    @classmethod
    def report_error(cls, error: HubSpotError) -> None:
        """Log an error as its one line, with a stack trace only where debug logging is on."""
        cls.logger.error("%s", error, exc_info=error if cls.logger.isEnabledFor(logging.DEBUG) else None)

    def run(self, file_input: IO[Any] | None = None) -> int:
        """Read all input, bring it to HubSpot, say what became of it, and return the exit code."""
        exit_code = 0
        try:
            with self._client:
                self.listen(file_input)
        except Stopped:
            pass  # the signal says why, below
        except HubSpotError as error:
            self.report_error(error)
            exit_code = 1
        for line in summary(self.delivery):
            self.logger.info("%s", line)
        if self._signal is not None:
            self.logger.error(
                "Stopped by %s: %d memberships held were not sent. "
                "Run again: the STATE written so far covers only what HubSpot confirmed.",
                signal.Signals(self._signal).name,
                self.delivery.held,
            )
            return 128 + self._signal
        return exit_code

    # Settings

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the SDK's settings that do something here: not those of loading into tables."""
        super(Target, cls).append_builtin_config(config_jsonschema)
        config_jsonschema["properties"].pop("faker_config", None)  # needs an extra that is not installed

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings against their schema; the SDK's own messages would quote secrets."""
        self.append_builtin_config(self.config_jsonschema)
        for name in self._config.keys() - self.config_jsonschema["properties"].keys():
            near = difflib.get_close_matches(name, self.config_jsonschema["properties"], n=1)
            self.logger.warning(
                'There is no setting "%s"; it is ignored.%s',
                name,
                f' Did you mean "{near[0]}"?' if near else "",
            )
        if problems := setting_problems(self._config, self.config_jsonschema):
            raise SettingsError(" ".join(problems))
        return []

    # Messages

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        stream, schema = message_dict.get("stream"), message_dict.get("schema")
        if not isinstance(stream, str) or not isinstance(schema, dict):
            raise self._reader.error(
                "is a SCHEMA without stream or schema", "use a tap that writes Singer messages."
            )
        if stream == MELTANO_TEST_STREAM:
            self._readers[stream] = []
            return
        if not isinstance(schema.get("properties"), dict):
            raise InputError(
                f'The SCHEMA of stream "{stream}" has no properties: the tap must describe its columns.'
            )
        if self._schemas.get(stream) == schema:
            return
        if stream in self._schemas:
            # In stream order: what the old columns said is applied before what the new ones say.
            self.flush()
        self._schemas[stream] = schema
        self.mapper.register_raw_stream_schema(stream, schema, message_dict.get("key_properties"))
        self._readers[stream] = [
            (None if _changes_nothing(each) else each.transform, self._sink(each))
            for each in self.mapper.stream_maps[stream]
            if not isinstance(each, RemoveRecordTransform)
        ]

    def _sink(self, stream_map: StreamMap) -> Sink:
        return self.get_sink(
            stream_map.stream_alias,
            schema=stream_map.transformed_schema,
            key_properties=stream_map.transformed_key_properties,
        )

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        stream, record = str(message_dict.get("stream")), message_dict.get("record")
        if (readers := self._readers.get(stream)) is None:
            raise self._reader.error(
                f'is a RECORD of stream "{stream}", which has no SCHEMA yet',
                "the tap must write a stream's SCHEMA first.",
            )
        if not isinstance(record, dict):
            raise self._reader.error("is a RECORD without a record", "use a tap that writes Singer messages.")
        for transform, sink in readers:
            mapped = record if transform is None else transform(dict(record))
            if mapped is not None:
                sink.process_record(mapped, {})
        if self.delivery.held >= self.settings.batch_size_rows:
            self.flush()

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self._latest_state = message_dict.get("value")
        if not self.delivery.held:
            self._release_state()

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Nothing: in incremental mode a version says nothing about who is in a cohort."""

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        raise self._reader.error(
            "is a BATCH message, which this target does not read",
            "take batch_config out of the tap's settings.",
        )

    @override
    def process_endofpipe(self) -> None:
        if self.has_to_stop():
            return
        self.flush()
        self.delivery.check_accounts()

    # What is held, and STATE

    def flush(self) -> None:
        """Bring everything held to HubSpot; after that the latest STATE is confirmed, and leaves."""
        self._held_since = None
        self.delivery.flush()
        self._release_state()

    def attend(self) -> None:
        """Flush what has been held for too long, also while the tap says nothing."""
        if not self.delivery.held:
            self._held_since = None
        elif self._held_since is None:
            self._held_since = self._clock.monotonic()
        elif self._clock.monotonic() - self._held_since >= MAX_HELD_SECONDS:
            self.flush()

    def _release_state(self) -> None:
        if self._latest_state and self._latest_state != self._released_state:
            self._write_state_message(self._latest_state)
            self._released_state = self._latest_state

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        """Write STATE as the tap sent it; the SDK's own fails on fractions, and shows STATE in its log."""
        sys.stdout.write(f"{serialize_json(state)}\n")
        sys.stdout.flush()

    # Signals

    def has_to_stop(self) -> bool:
        """Whether a signal came: no more input is taken, and no other call is made."""
        return self._signal is not None

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Remember the first signal; calls already sent return, and the run ends where it next looks."""
        if self._signal is None:
            self._signal = signum
            self._client.stop()


def _changes_nothing(stream_map: StreamMap) -> bool:
    return isinstance(stream_map, SameRecordTransform) and not stream_map.flattening_enabled


class DiscreetCommand(SingerCommand):
    """The SDK's command; but an unforeseen error is logged without its text, which may hold a person."""

    @override
    def excepthook(
        self, exc_type: type[BaseException], exc_value: BaseException, exc_traceback: TracebackType | None
    ) -> None:
        if self.logger.isEnabledFor(logging.DEBUG):
            super().excepthook(exc_type, exc_value, exc_traceback)
            return
        last = traceback.extract_tb(exc_traceback)[-1:]
        where = f" in {last[0].name}, line {last[0].lineno} of {last[0].filename}" if last else ""
        self.logger.error(
            "%s%s. This is a bug: please report it. TARGET_HUBSPOT_LISTS_LOGLEVEL=DEBUG shows the stack.",
            exc_type.__name__,
            where,
        )
