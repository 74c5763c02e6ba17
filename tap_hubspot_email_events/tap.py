"""The tap: its settings, its streams, and one run of them, from the first call to the last STATE."""

from __future__ import annotations

import gc
import io
import json
import sys
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk import Tap
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities

from hubspot_singer.http.client import HubSpotClient
from hubspot_singer.http.connection import Connection
from hubspot_singer.plugin.files import parse_json
from hubspot_singer.plugin.plugins import CHECK_SECONDS, HubSpotPlugin
from hubspot_singer.plugin.portal import read_portal
from tap_hubspot_email_events.bookmarks import check_state
from tap_hubspot_email_events.catalogs import own_catalog
from tap_hubspot_email_events.messages import MessageWriter
from tap_hubspot_email_events.pages import PATH
from tap_hubspot_email_events.runs import Run, SelectedStream
from tap_hubspot_email_events.sessions import Session
from tap_hubspot_email_events.settings import CONFIG_JSONSCHEMA, EventSettings
from tap_hubspot_email_events.streams import STREAMS, EmailCampaigns, EmailEventStream

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

    from singer_sdk import Stream
    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from hubspot_singer.http import Timeouts
    from tap_hubspot_email_events.syncing import SyncedStream

NAME = "tap-hubspot-email-events"
HELP = (
    "Read HubSpot's email events, one incremental stream for each of the ten types, and its email campaigns, as Singer "
    "messages on standard output. See --about --format=markdown for the settings."
)
# The scope that HubSpot asks for: https://developers.hubspot.com/docs/api-reference/legacy/marketing/emails/events
NEEDED_SCOPES = ("content",)
# Pages are thousands of short-lived objects without cycles. By Python's default, 700, a fifth of the time goes into
# looking for cycles among them.
NEW_OBJECTS_BEFORE_COLLECTION = 50_000


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

    def __init__(self, *, timeouts: Timeouts | None = None, **options: Any) -> None:  # noqa: ANN401 - the SDK's
        check_state(options.get("state"))
        if options.get("catalog") is not None:
            options["catalog"] = own_catalog(options["catalog"], [each.catalog_entry() for each in STREAMS])
        self._timeouts = timeouts
        self.session = Session(
            MessageWriter(),
            connect=self._connect,
            begin=self._begin_run,
            write_state=lambda: self.state_writer.write_state(self.state),
        )
        super().__init__(**{"message_writer": self.session.messages} | options)

    @override
    def check_settings(self) -> None:
        EventSettings.from_settings(self.config)

    @classmethod
    @override
    def scopes_needed(cls, settings: Mapping[str, Any]) -> Sequence[str]:
        return NEEDED_SCOPES

    @override
    def check_connection(self) -> Iterator[str]:
        connection = Connection.from_settings(self.config)
        with self._checking as hubspot:
            hubspot.give_up_after(CHECK_SECONDS)
            portal = read_portal(hubspot, connection.credentials, NEEDED_SCOPES)
            if portal.scopes is None:
                hubspot.get(
                    PATH, params={"limit": 1}
                )  # which HubSpot refuses to a token that lacks the scope
        yield from portal.describe(NEEDED_SCOPES)

    @override
    def stop_check(self) -> None:
        self._checking.stop()

    @cached_property
    def _checking(self) -> HubSpotClient:
        """The client of a check of the connection."""
        return self._connect()

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        """The streams in the order of their names, but the campaigns last: they follow the events of the run."""
        streams = super().streams
        streams[EmailCampaigns.name] = streams.pop(EmailCampaigns.name)
        return streams

    def discover_streams(self) -> list[SyncedStream]:
        """Return all streams, known without asking HubSpot."""
        return [stream(self, self.session) for stream in STREAMS]

    def _connect(self) -> HubSpotClient:
        connection = Connection.from_settings(self.config)
        user_agent = f"{self.name}/{self.plugin_version}"
        return HubSpotClient(connection, clock=self.clock, user_agent=user_agent, timeouts=self._timeouts)

    def _begin_run(self, hubspot: HubSpotClient) -> Run:
        settings = EventSettings.from_settings(self.config)
        selected = [
            SelectedStream(
                stream.name,
                stream.event_type,
                stream.parser(exclude_filtered=settings.exclude_filtered),
                stream.stream_state,
            )
            for stream in self.streams.values()
            if isinstance(stream, EmailEventStream) and stream.selected
        ]
        workers = Connection.from_settings(self.config).max_concurrency
        return Run.begin(hubspot, settings, selected, workers=workers, machine_time=self.clock.time)

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signal module's
        """Start nothing else; the window being passed on is finished, so that nothing of it comes again."""
        self.session.stop(signum)

    @classmethod
    @override
    def invoke(cls, *, state: IO[str] | None = None, catalog: IO[str] | None = None, **options: Any) -> None:
        """Run, once the files given are known to be JSON."""
        gc.set_threshold(NEW_OBJECTS_BEFORE_COLLECTION)
        super().invoke(state=json_file("--state", state), catalog=json_file("--catalog", catalog), **options)


def json_file(option: str, file: IO[str] | None) -> IO[str] | None:
    """The file that was given with an option, its text known to be JSON."""
    if file is None:
        return None
    content: bytes | str = file.buffer.read() if hasattr(file, "buffer") else file.read()
    return io.StringIO(json.dumps(parse_json(content, f"The file given with {option}")))
