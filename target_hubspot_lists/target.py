"""Reads Singer messages from standard input, and writes STATE once HubSpot has confirmed what it covers."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.target_base import Target

from hubspot_singer.http import HubSpotClient, HubSpotError
from hubspot_singer.plugin.plugins import CHECK_SECONDS, HubSpotPlugin
from target_hubspot_lists.composition import check_ledger
from target_hubspot_lists.hubspot.scopes import needed_scopes, settings_notes
from target_hubspot_lists.input.reader import MessageReader
from target_hubspot_lists.input.records import positive_integer
from target_hubspot_lists.input.streams import Streams
from target_hubspot_lists.property_listing import properties_action
from target_hubspot_lists.run import UNEXPECTED, Run
from target_hubspot_lists.settings import Settings
from target_hubspot_lists.settings_schema import TARGET_SETTINGS

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.plugin_base import _ConfigInput

    from hubspot_singer.http import Clock, Timeouts
    from hubspot_singer.plugin.command import Action
    from target_hubspot_lists.composition import Session


class TargetHubSpotLists(HubSpotPlugin, Target):
    """Puts cohorts onto HubSpot lists: adds and removes their members, and says what became of each."""

    name = "target-hubspot-lists"
    command_help = (
        "Put cohorts onto HubSpot lists: reads Singer messages from standard input, applies each membership as an add "
        "or a remove, and writes STATE once HubSpot has confirmed it. See --about --format=markdown for the settings."
    )
    meltano_kind = "LOADER"
    may_be_blank = frozenset({"list_name_prefix"})
    config_jsonschema: ClassVar[dict[str, Any]] = {"type": "object", "properties": dict(TARGET_SETTINGS)}
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    _signal: int | None = None
    _has_client = False  # a signal may come before there is one
    _session: Session  # what memberships are applied with, once the connection is checked

    def __init__(
        self,
        *,
        config: dict[str, Any] | None = None,
        parse_env_config: bool = False,
        clock: Clock | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._reader = MessageReader(self)
        super().__init__(
            config=config, parse_env_config=parse_env_config, clock=clock, message_reader=self._reader
        )
        self.settings = Settings.from_config(self.config)
        self._client = HubSpotClient(
            self.settings.connection,
            clock=self.clock,
            user_agent=f"{self.name}/{self.plugin_version}",
            timeouts=timeouts,
        )
        self._has_client = True
        if self.has_to_stop():
            self._client.stop()
        self._run = Run(self._client, self.settings, self.clock, self.logger)

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
        sys.exit(cls.from_command_line(config).run(file_input))

    def run(self, file_input: IO[Any] | None = None) -> int:
        """Read the whole input, apply it, log the summary, and return the exit code."""
        problem: HubSpotError | None = UNEXPECTED
        try:
            with self._run.session(needed_scopes(self.settings, to_begin=True)) as self._session:
                self._streams = Streams(
                    self.mapper, self.settings, self._session.sync, error=self._reader.error
                )
                self.listen(file_input)
            problem = None
        except HubSpotError as error:
            problem = error
        finally:
            exit_code, errors = self._run.log_end(problem, signal_number=self._signal)
            for shown in errors:
                self.report_error(shown)
        return exit_code

    @classmethod
    @override
    def actions(cls) -> list[Action]:
        return [*super().actions(), properties_action(cls.settings_of)]

    @classmethod
    @override
    def scopes_needed(cls, settings: Mapping[str, Any]) -> list[str]:
        return needed_scopes(Settings.from_config(settings))

    @override
    def check_connection(self) -> Iterator[str]:
        self._run.discard_report()
        needed = needed_scopes(self.settings)
        self._client.give_up_after(CHECK_SECONDS)
        with self._client:
            portal, properties = self._run.check(needed)
            yield from (*portal.describe(needed), *properties.describe())
            yield from settings_notes(self._client, self.settings, portal)
        if self.settings.ledger_url:
            self.waiting_for = "the ledger (ledger_url)"
            yield check_ledger(self.settings, portal)

    @override
    def stop_check(self) -> None:
        self._client.stop()

    # Messages

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        self._streams.schema(message_dict)

    @property
    @override
    def _process_record_message(self) -> Callable[[dict[str, Any]], None]:
        """What the reader calls with each RECORD message: no method of this class is between the two."""
        return self._streams.record

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self._session.schedule.state(message_dict.get("value"))

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        version = positive_integer(message_dict.get("version"))
        for mapped in self._streams.mapped(str(message_dict.get("stream"))):
            self._session.sync.activate(mapped.name, version)

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        raise self._reader.error(
            "is a BATCH message, which this target does not read",
            "take batch_config out of the tap's settings.",
        )

    @override
    def process_endofpipe(self) -> None:
        if not self.has_to_stop():
            self._run.end(self._session)

    def attend(self) -> None:
        """Flush what has been held for too long; called also while the tap sends nothing."""
        self._session.schedule.attend()

    # Signals

    def has_to_stop(self) -> bool:
        """Return whether a signal came: then no more input is read, and no further call is made."""
        return self._signal is not None

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Note the first signal; calls already sent still return, and the run ends at its next check."""
        if self._signal is None:
            # In this order: once the signal can be seen, no further call is made.
            if self._has_client:
                self._client.stop()
            self._signal = signum
            self._reader.stop()
