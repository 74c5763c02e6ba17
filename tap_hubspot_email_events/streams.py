"""The streams: one for each type of email event, each class a table of what is its own; other events; campaigns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from hubspot_singer.http.connection import Connection
from hubspot_singer.plugin.portal import read_portal_id
from tap_hubspot_email_events import columns as c
from tap_hubspot_email_events.campaign_runs import CampaignRun
from tap_hubspot_email_events.events import IDENTITY, EventParser
from tap_hubspot_email_events.records import RecordBuilder
from tap_hubspot_email_events.settings import EventSettings
from tap_hubspot_email_events.syncing import SyncedStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_hubspot_email_events.records import Notes


class EmailEventStream(SyncedStream):
    """Email events of one type, oldest first, each once; a subclass says which, and with what columns."""

    event_type: ClassVar[str | None]
    event_name: ClassVar[str | None]

    key = c.EVENT_KEY
    bookmark = "created"

    def parser(self, *, exclude_filtered: bool) -> EventParser:
        """Return what makes records of this stream out of HubSpot's events."""
        # Some events come without a type. HubSpot was asked for this one.
        defaults = {"type": self.event_type, "event_name": self.event_name}
        records = RecordBuilder(
            self.columns, selected=self.selected_columns, defaults=defaults, reserved=IDENTITY
        )
        return EventParser(records, exclude_filtered=exclude_filtered)

    def batches(self) -> Iterator[list[bytes]]:
        """Yield the records of new events, and write the state after each window."""
        run = self.session.run
        try:
            yield from run.batches(self.name, window_done=self.write_state)
        finally:
            self.log_notes(run.notes(self.name))


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


EVENT_STREAMS: tuple[type[EmailEventStream], ...] = (
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


class EmailEventOther(EmailEventStream):
    """Events of any other type, such as UNBOUNCE, SUPPRESSED or REPLY; reads every event once more to find them."""

    name = "email_event_other"
    event_type = None
    event_name = None
    columns = c.COMMON
    selected_by_default = False

    def parser(self, *, exclude_filtered: bool) -> EventParser:
        """Return what passes over the events that have a stream of their own."""
        parser = super().parser(exclude_filtered=exclude_filtered)
        types = {each.event_type for each in EVENT_STREAMS if each.event_type}
        return replace(parser, passed_over=types, is_named_by_type=True)

    def log_notes(self, notes: Notes) -> None:
        """Name misfits alone: fields without a column are as expected here."""
        super().log_notes(replace(notes, unknown=set()))


class EmailCampaigns(SyncedStream):
    """Email campaigns by name, with HubSpot's own counters; read after the events that are part of them."""

    name = "email_campaigns"
    key = c.CAMPAIGN_KEY
    bookmark = "last_updated_time"
    columns = c.CAMPAIGN

    def batches(self) -> Iterator[list[bytes]]:
        """Yield the records of campaigns that are new or may have changed."""
        hubspot = self.session.hubspot
        records = RecordBuilder(self.columns, selected=self.selected_columns)
        workers = Connection.from_settings(self.config).max_concurrency
        lookback = EventSettings.from_settings(self.config).lookback
        seen = self.session.campaigns_seen
        run = CampaignRun.begin(hubspot, self.stream_state, lookback=lookback, seen=seen)
        try:
            yield from run.batches(records, workers=workers, portal_id=lambda: read_portal_id(hubspot))
        finally:
            run.end(self.stream_state)
            self.session.note_progress()
            self.log_notes(records.notes)
        for problem in run.problems:
            self.session.add_problem(self.name, problem)
        self.write_state()


STREAMS: tuple[type[EmailEventStream | EmailCampaigns], ...] = (
    *EVENT_STREAMS,
    EmailEventOther,
    EmailCampaigns,
)
