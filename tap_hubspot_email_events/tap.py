"""The tap: its settings, its streams, and one run of them, from the first call to the last STATE."""

from __future__ import annotations

import os
import signal
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk import Tap
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities

from hubspot_singer.http.client import HubSpotClient
from hubspot_singer.http.connection import Connection
from hubspot_singer.http.errors import Refused, SettingsError, Stopped
from hubspot_singer.plugin.settings import (
    check_environment,
    setting_problems,
    unknown_settings,
    unreadable_config,
)
from tap_hubspot_email_events.bookmarks import check_state
from tap_hubspot_email_events.catalogs import check_catalog, check_streams
from tap_hubspot_email_events.command import HELP, EmailEventsCommand, RunEnded, json_file
from tap_hubspot_email_events.messages import MessageWriter
from tap_hubspot_email_events.runs import Run, Wanted
from tap_hubspot_email_events.settings import CONFIG_JSONSCHEMA, EventSettings
from tap_hubspot_email_events.streams import STREAMS, EmailEventStream

if TYPE_CHECKING:
    from types import FrameType

    import click
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.plugin_base import _ConfigInput

    from hubspot_singer.http.clocks import Clock
    from hubspot_singer.http.errors import HubSpotError


NAME = "tap-hubspot-email-events"
SIGNALLED = 128  # a process ended by signal n exits with 128 + n, by the shell's convention


class TapHubSpotEmailEvents(Tap):
    """Singer tap for HubSpot's email events."""

    name = NAME
    package_name = "target-hubspot-lists"  # the distribution that holds both plugins
    config_jsonschema = CONFIG_JSONSCHEMA
    # No batch files and no table versions: the settings for them would do nothing.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    _run: Run | None = None
    _hubspot: HubSpotClient | None = None
    _signal: int | None = None

    def __init__(self, *, clock: Clock | None = None, **options: Any) -> None:  # noqa: ANN401 - the SDK's
        self._clock = clock
        check_state(options.get("state"))
        check_catalog(options.get("catalog"))
        self.messages = MessageWriter()
        try:
            super().__init__(**{"message_writer": self.messages} | options)
        finally:
            # Also after a ValueError of the SDK's own, which quotes the variable's value and not its name.
            if options.get("parse_env_config"):
                check_environment(os.environ, self._env_var_prefix, self.config_jsonschema, self.logger)

    def discover_streams(self) -> list[EmailEventStream]:
        """All ten, known without asking HubSpot."""
        streams = [stream(self) for stream in STREAMS]
        if self.input_catalog is not None:
            check_streams(self.input_catalog, [stream.name for stream in streams])
        return streams

    @property
    def run(self) -> Run:
        """The run, which begins when its first events are wanted."""
        if self._run is None:
            self._run = self._begin_run()
        return self._run

    def _begin_run(self) -> Run:
        settings = EventSettings.from_settings(self.config)
        connection = Connection.from_settings(self.config)
        self._hubspot = HubSpotClient(connection, clock=self._clock, user_agent=NAME)
        if self._signal is not None:
            raise Stopped
        wanted = [
            Wanted(stream.name, stream.event_type, stream.stream_state)
            for stream in self.streams.values()
            if isinstance(stream, EmailEventStream) and stream.selected
        ]
        return Run.begin(self._hubspot, settings, wanted, workers=connection.max_concurrency)

    def end_run(self) -> None:
        """Write out what is held back, and report."""
        self.messages.flush()
        if self._run is not None:
            self._run.end()
        if self._hubspot is not None:
            self._hubspot.stop()  # what was asked ahead, and is tried again, is wanted by nobody
            self._hubspot.close()

    def ended(self, error: HubSpotError, stream: str) -> RunEnded:
        """What to raise when this ends the run before its time, while this stream is read."""
        self.end_run()
        if isinstance(error, Stopped) and self._signal is not None:
            self.state_writer.write_state(self.state)
            name = signal.Signals(self._signal).name
            return RunEnded(
                f"Stopped by {name}. The next run goes on after the last finished window.",
                exit_code=SIGNALLED + self._signal,
            )
        # HubSpot's path is the same for all streams: what it refuses for one it may allow for others.
        return RunEnded(f"{stream}: {error}" if isinstance(error, Refused) else str(error))

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signal module's
        """Start nothing else; the window being passed on is finished, so that nothing of it comes again."""
        self._signal = self._signal or signum
        if self._run is not None:
            self._run.reads.is_stopped = True
        if self._hubspot is not None:
            self._hubspot.stop()

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the SDK's settings that do something here."""
        super().append_builtin_config(config_jsonschema)
        config_jsonschema["properties"].pop("faker_config", None)  # needs an extra that is not installed

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Say which setting is wrong; the SDK's own messages would quote secrets."""
        self.append_builtin_config(self.config_jsonschema)
        for sentence in unknown_settings(self._config, self.config_jsonschema):
            self.logger.warning("%s", sentence)
        problems = setting_problems(self._config, self.config_jsonschema) or _wrong_dates(self._config)
        if problems and raise_errors:
            raise SettingsError(" ".join(problems))
        return problems

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> _ConfigInput:
        """Read the files given with --config, and say in one sentence what is wrong with them."""
        try:
            return super().cb_config(ctx, param, value)
        except (OSError, TypeError, ValueError) as error:
            raise SettingsError(unreadable_config(value, error)) from error

    @classmethod
    def invoke(cls, *, state: IO[str] | None = None, catalog: IO[str] | None = None, **options: Any) -> None:  # noqa: ANN401 - the SDK's
        """Run, once the files given are known to be JSON."""
        super().invoke(state=json_file("--state", state), catalog=json_file("--catalog", catalog), **options)

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The command, which says in one line what ended it."""
        command = super().get_singer_command()
        return EmailEventsCommand(
            name=command.name,
            callback=command.callback,
            params=command.params,
            context_settings=command.context_settings,
            help=HELP,
            logger=cls.logger,
        )


def _wrong_dates(settings: dict[str, Any]) -> list[str]:
    try:
        EventSettings.from_settings(settings)
    except SettingsError as error:
        return [str(error)]
    return []
