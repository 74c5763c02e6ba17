"""The ten streams: one for each type of email event, each class a table of what is its own."""

from __future__ import annotations

from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream
from singer_sdk.exceptions import MappingError
from singer_sdk.helpers._catalog import pop_deselected_record_properties
from singer_sdk.helpers.conform import TypeConformanceLevel

from hubspot_singer.http.errors import HubSpotError
from tap_hubspot_email_events import columns as c
from tap_hubspot_email_events.errors import UnusableCatalog, UnusableMap
from tap_hubspot_email_events.events import RecordWriter
from tap_hubspot_email_events.schemas import KEY, schema_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib import Catalog

    from tap_hubspot_email_events.columns import Column
    from tap_hubspot_email_events.events import Record
    from tap_hubspot_email_events.kinds import Oddities
    from tap_hubspot_email_events.tap import TapHubSpotEmailEvents

# What an expression of stream_maps can raise, and what it makes of a record that no message can hold.
MAPPING_FAILURES = (MappingError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
TOP_LEVEL = 2  # parts of the breadcrumb of a column: "properties" and its name


class EmailEventStream(Stream):
    """Email events of one type, oldest first, each once; a subclass says which, and with what columns."""

    event_type: ClassVar[str]
    event_name: ClassVar[str]
    columns: ClassVar[Sequence[Column]]

    primary_keys = KEY
    replication_key = "created"
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # the columns' kinds have seen to it

    def __init__(self, tap: TapHubSpotEmailEvents) -> None:
        super().__init__(tap, schema=schema_of(self.columns))
        self._email_events = tap

    def apply_catalog(self, catalog: Catalog) -> None:
        """Take the selection from the catalog; how a stream is read and keyed is not for a catalog to say."""
        super().apply_catalog(catalog)
        if self.replication_method != "INCREMENTAL":
            raise UnusableCatalog(
                f"The catalog sets {self.name} to {self.replication_method}, but email events are read"
                " incrementally only. Take the replication method out of the catalog."
            )
        self.primary_keys = KEY
        self.replication_key = "created"

    def get_records(self, context: Context | None) -> Iterator[Record]:  # noqa: ARG002 - there are no partitions
        """Yield a record for each new event, and write the state after each window."""
        writer = RecordWriter(self.event_type, self.event_name, self.columns, self._wanted_columns())
        try:
            events = self._email_events.run.events(self.name, window_done=self._write_state)
            # A test of the connection wants one record; a longer stream the SDK would end with an error in the log.
            for event in islice(events, self.ABORT_AT_RECORD_COUNT):
                yield writer.record(event)
            self._email_events.messages.flush()  # such a test ends without another word
        except HubSpotError as error:
            raise self._email_events.ended(error, self.name) from error
        finally:
            self._tell(writer.oddities)

    def log_sync_costs(self) -> None:
        """Close the run after its last stream; the SDK calls this once all streams are done."""
        self._email_events.end_run()

    def get_batch_config(self, config: Mapping[str, Any]) -> None:
        """No batch files: their STATE would come before what it confirms."""

    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """No signpost: HubSpot's own clock bounds what is read."""

    def _write_starting_replication_value(self, context: Context | None) -> None:
        """Leave the state alone: `bookmarks.py` knows where to start."""

    def _increment_stream_state(self, latest_record: Record, *, context: Context | None = None) -> None:
        """Leave the state alone: it moves with finished windows, not with records."""

    def _write_record_message(self, record: Record) -> None:
        """Write the record without what the columns have seen to for all of them: selection and types."""
        if self._deselects_within:
            pop_deselected_record_properties(record, self.schema, self.mask)
        try:
            for stream_map in self.stream_maps:
                mapped = stream_map.transform(record)
                if mapped is not None:
                    self._email_events.messages.write_record(stream_map.stream_alias, mapped)
        except MAPPING_FAILURES as error:
            raise self._email_events.ended(self._unusable_map(error), self.name) from error
        self.state_manager.is_flushed = False

    def _unusable_map(self, error: Exception) -> UnusableMap:
        """It is a map of the user's that failed; its own text may show a record."""
        return UnusableMap(
            f"A record of {self.name} cannot be mapped as stream_maps says ({type(error).__name__}). Correct the"
            " expression there, or the flattening_ settings."
        )

    def _write_state(self) -> None:
        self.state_manager.is_flushed = False
        self._write_state_message()

    @cached_property
    def _deselects_within(self) -> bool:
        """Whether the catalog leaves out a part of an object, such as the browser's version."""
        return any(len(breadcrumb) > TOP_LEVEL and not chosen for breadcrumb, chosen in self.mask.items())

    def _wanted_columns(self) -> set[str]:
        known = self.effective_schema["properties"]  # of a catalog that may be older than this version
        return {
            each.name for each in self.columns if each.name in known and self.mask["properties", each.name]
        }

    def _tell(self, oddities: Oddities) -> None:
        if oddities.unknown:
            self.logger.warning(
                "HubSpot sent fields that %s has no column for: %s. Look for a newer version of the tap.",
                self.name,
                ", ".join(sorted(oddities.unknown)),
            )
        if oddities.misfits:
            self.logger.warning(
                "HubSpot sent values that do not fit their column in %s, which is null there: %s.",
                self.name,
                ", ".join(sorted(oddities.misfits)),
            )


class EmailEventSent(EmailEventStream):
    """The message was handed to the delivery provider."""

    name = "email_event_sent"
    event_type = "SENT"
    event_name = "[HubSpot] EMAIL_SENT"
    columns = (*c.COMMON, *c.MESSAGE)


class EmailEventDropped(EmailEventStream):
    """The message was rejected before it was sent, and will not be tried again."""

    name = "email_event_dropped"
    event_type = "DROPPED"
    event_name = "[HubSpot] EMAIL_DROPPED"
    columns = (*c.COMMON, *c.MESSAGE, *c.DROP)


class EmailEventProcessed(EmailEventStream):
    """The delivery provider took the message on."""

    name = "email_event_processed"
    event_type = "PROCESSED"
    event_name = "[HubSpot] EMAIL_PROCESSED"
    columns = c.COMMON


class EmailEventDelivered(EmailEventStream):
    """The recipient's mail server accepted the message."""

    name = "email_event_delivered"
    event_type = "DELIVERED"
    event_name = "[HubSpot] EMAIL_DELIVERED"
    columns = (*c.COMMON, *c.RESPONSE)


class EmailEventDeferred(EmailEventStream):
    """The recipient's mail server refused the message for now."""

    name = "email_event_deferred"
    event_type = "DEFERRED"
    event_name = "[HubSpot] EMAIL_DEFERRED"
    columns = (*c.COMMON, *c.RESPONSE, *c.ATTEMPT)


class EmailEventBounce(EmailEventStream):
    """The recipient's mail server refused the message for good."""

    name = "email_event_bounce"
    event_type = "BOUNCE"
    event_name = "[HubSpot] EMAIL_BOUNCE"
    columns = (*c.COMMON, *c.RESPONSE, *c.REFUSAL)


class EmailEventOpen(EmailEventStream):
    """The recipient opened the message."""

    name = "email_event_open"
    event_type = "OPEN"
    event_name = "[HubSpot] EMAIL_OPEN"
    columns = (*c.COMMON, *c.CLIENT, *c.PLACE, *c.DURATION)


class EmailEventClick(EmailEventStream):
    """The recipient clicked on a link in the message."""

    name = "email_event_click"
    event_type = "CLICK"
    event_name = "[HubSpot] EMAIL_CLICK"
    columns = (*c.COMMON, *c.CLIENT, *c.PLACE, *c.LINK)


class EmailEventStatusChange(EmailEventStream):
    """The recipient's email subscriptions were changed."""

    name = "email_event_status_change"
    event_type = "STATUSCHANGE"
    event_name = "[HubSpot] EMAIL_STATUS_CHANGE"
    columns = (*c.COMMON, *c.SUBSCRIPTION_CHANGE)


class EmailEventSpamReport(EmailEventStream):
    """The recipient flagged the message as spam."""

    name = "email_event_spam_report"
    event_type = "SPAMREPORT"
    event_name = "[HubSpot] EMAIL_SPAM_REPORT"
    columns = (*c.COMMON, *c.CLIENT)


STREAMS: tuple[type[EmailEventStream], ...] = (
    EmailEventSent,
    EmailEventDropped,
    EmailEventProcessed,
    EmailEventDelivered,
    EmailEventDeferred,
    EmailEventBounce,
    EmailEventOpen,
    EmailEventClick,
    EmailEventStatusChange,
    EmailEventSpamReport,
)
