"""The tap: its settings, its streams, and one run of them, from the first call to the last STATE."""

from __future__ import annotations

import io
import json
import signal
import sys
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk import Tap
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities

from hubspot_singer.http.client import HubSpotClient
from hubspot_singer.http.connection import Connection
from hubspot_singer.http.errors import Refused, Stopped
from hubspot_singer.plugin.errors import RunEnded
from hubspot_singer.plugin.files import parse_json
from hubspot_singer.plugin.plugins import CHECK_SECONDS, HubSpotPlugin
from hubspot_singer.plugin.portal import read_portal
from tap_hubspot_email_events.bookmarks import check_state
from tap_hubspot_email_events.catalogs import check_catalog, check_streams
from tap_hubspot_email_events.messages import MessageWriter
from tap_hubspot_email_events.pages import PATH
from tap_hubspot_email_events.runs import Run, Wanted
from tap_hubspot_email_events.settings import CONFIG_JSONSCHEMA, EventSettings
from tap_hubspot_email_events.streams import STREAMS, EmailEventStream

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from hubspot_singer.http.errors import HubSpotError


NAME = "tap-hubspot-email-events"
HELP = (
    "Read HubSpot's email events: one incremental stream for each of the ten types, as Singer messages on standard "
    "output. See --about --format=markdown for the settings."
)
# The scope that HubSpot asks for: https://developers.hubspot.com/docs/api-reference/legacy/marketing/emails/events
NEEDED_SCOPES = ("content",)
SIGNALLED = 128  # a process ended by signal n exits with 128 + n, by the shell's convention


class TapHubSpotEmailEvents(HubSpotPlugin, Tap):
    """Singer tap for HubSpot's email events."""

    name = NAME
    command_help = HELP
    meltano_kind = "EXTRACTOR"
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

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - the SDK's
        check_state(options.get("state"))
        check_catalog(options.get("catalog"))
        self.messages = MessageWriter()
        super().__init__(**{"message_writer": self.messages} | options)

    @override
    def check_settings(self) -> None:
        EventSettings.from_settings(self.config)

    @override
    def check_connection(self) -> Iterator[str]:
        connection = Connection.from_settings(self.config)
        with HubSpotClient(connection, clock=self.clock, user_agent=NAME) as hubspot:
            self._hubspot = hubspot
            hubspot.give_up_after(CHECK_SECONDS)
            portal = read_portal(hubspot, connection.credentials, NEEDED_SCOPES)
            if portal.scopes is None:
                hubspot.get(
                    PATH, params={"limit": 1}
                )  # which HubSpot refuses to a token that lacks the scope
        yield from portal.describe(NEEDED_SCOPES)

    @override
    def stop_check(self) -> None:
        if self._hubspot is not None:
            self._hubspot.stop()

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
        self._hubspot = HubSpotClient(connection, clock=self.clock, user_agent=NAME)
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
    @override
    def invoke(cls, *, state: IO[str] | None = None, catalog: IO[str] | None = None, **options: Any) -> None:
        """Run, once the files given are known to be JSON."""
        super().invoke(state=json_file("--state", state), catalog=json_file("--catalog", catalog), **options)


def json_file(option: str, file: IO[str] | None) -> IO[str] | None:
    """The file that was given with an option, its text known to be JSON."""
    if file is None:
        return None
    content: bytes | str = file.buffer.read() if hasattr(file, "buffer") else file.read()
    return io.StringIO(json.dumps(parse_json(content, f"The file given with {option}")))
