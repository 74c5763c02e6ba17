"""Reads cohort memberships, applies them to HubSpot lists, and lets STATE leave once HubSpot confirmed."""

from __future__ import annotations

import signal
import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.target_base import Target

from hubspot_singer.http import HubSpotClient, HubSpotError
from hubspot_singer.plugin.plugins import CHECK_SECONDS, HubSpotPlugin
from target_hubspot_lists.errors import InputError, Interrupted, LedgerError, TargetError
from target_hubspot_lists.hubspot.portal import check_connection, needed_scopes
from target_hubspot_lists.input.reader import MessageReader
from target_hubspot_lists.input.records import positive_integer
from target_hubspot_lists.input.states import States
from target_hubspot_lists.input.streams import Streams
from target_hubspot_lists.mirror.mirror import Mirror
from target_hubspot_lists.reporting.progress import Progress, Standing
from target_hubspot_lists.reporting.report import Report, new_run_id, refuse_report_line, refuse_report_lines
from target_hubspot_lists.reporting.summary import RunFacts, summary
from target_hubspot_lists.settings import Settings
from target_hubspot_lists.settings_schema import TARGET_SETTINGS
from target_hubspot_lists.sync.delivery import Delivery

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import FrameType

    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.plugin_base import _ConfigInput

    from hubspot_singer.http import Clock, Timeouts
    from target_hubspot_lists.hubspot.portal import Portal

# Memberships of a tap that says little are not held for longer than this.
MAX_HELD_SECONDS = 300

# So long STATE waits, on an input that does not end, for something to be applied.
MAX_WAIT_SECONDS = 86_400

# What the report says of an error that nobody foresaw; the command names it in the log.
UNFORESEEN = TargetError("The run ended in an error that nobody foresaw: the log names it.")

HELP = (
    "Put cohorts onto HubSpot lists: reads Singer messages from standard input, applies each "
    "membership as an add or a remove, and writes STATE once HubSpot has confirmed it. "
    "See --about --format=markdown for the settings."
)

# `meltano config test` sends one record of this stream: https://docs.meltano.com/reference/command-line-interface#config
MELTANO_TEST_STREAM = "meltano_test_stream"


class TargetHubSpotLists(HubSpotPlugin, Target):
    """Puts cohorts onto HubSpot lists: adds and removes their members, and says what became of each."""

    name = "target-hubspot-lists"
    command_help = HELP
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
        self.run_id = new_run_id()
        self._started = self.clock.monotonic()
        self._portal: Portal | None = None
        self._report = self._open_report()
        self._mirror: Mirror | None = None
        if self.settings.sync_mode == "mirror":
            self._mirror = Mirror(self._client, self.settings, self._report)
        self.delivery: Delivery = self._mirror or Delivery(self._client, self.settings, self._report)
        self._streams = Streams(
            self.mapper,
            self.settings,
            self.delivery,
            error=self._reader.error,
            refuse=refuse_report_line if self._mirror else None,
        )
        self._held_since: float | None = None
        self._waits_since: float | None = None  # since when STATE waits for something to be applied
        self._states = States(self.settings)

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
        """Read all input, bring it to HubSpot, say what became of it, and return the exit code."""
        problem: HubSpotError | None = UNFORESEEN
        try:
            with self._client, closing(self.delivery), Progress(self._standing):
                self._open_ledger(self.check(needed_scopes(self.settings, to_begin=True)))
                self.listen(file_input)
            problem = None
        except HubSpotError as error:
            problem = error
        finally:
            exit_code = self._tell(problem)
        return exit_code

    def check(self, scopes: Collection[str]) -> Portal:
        """Ask HubSpot whose token this is; raise if it lacks one of the scopes, or the portal a property."""
        self._portal = portal = check_connection(self._client, self.settings, scopes)
        self.delivery.properties.prepare()
        if self._report:
            self._report.portal = portal
        return portal

    def _open_ledger(self, portal: Portal) -> None:
        """Open the ledger that the settings name; a dry run leaves it as it is."""
        if self.settings.ledger_url is None:
            return
        from target_hubspot_lists.ledger import Ledger  # noqa: PLC0415 - SQLAlchemy takes long to import

        opening = Ledger.open_to_read if self.settings.dry_run else Ledger.open
        ledger = opening(self.settings.ledger_url, _known(portal), run_id=self.run_id, now=self._now)
        if ledger is not None:
            self.delivery.use_ledger(ledger, now=self._now)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.time(), UTC)

    @override
    def run_check(self, seconds: float = CHECK_SECONDS) -> int:
        with closing(self.delivery):
            return super().run_check(seconds)

    @override
    def check_connection(self) -> Iterator[str]:
        if self._report:
            self._report.discard()
            self._report = None
        needed = needed_scopes(self.settings)
        self._client.give_up_after(CHECK_SECONDS)
        with self._client:
            portal = self.check(needed)
            yield from portal.describe(needed)
        if self.settings.ledger_url:
            from target_hubspot_lists.ledger import Ledger  # noqa: PLC0415 - SQLAlchemy takes long to import

            self.waiting_for = "the ledger (ledger_url)"
            _known(portal)
            is_there = Ledger.check(self.settings.ledger_url)
            yield f"Ledger: {'it can be used' if is_there else 'not there yet, the first run makes it'}."

    @override
    def stop_check(self) -> None:
        self._client.stop()

    def _tell(self, problem: HubSpotError | None) -> int:
        """Say how the run ended, in the log and in the report; return the exit code."""
        if self._signal is not None:
            problem = Interrupted(signal.Signals(self._signal).name)
        exit_code = 128 + self._signal if self._signal is not None else int(problem is not None)
        accounts = self.delivery.accounts
        for line in summary(accounts, self._facts(exit_code)):
            self.logger.info("%s", line.text, extra=line.fields)
        if left := accounts.records_read - accounts.done:
            self.logger.info("%d of %d memberships read have no outcome.", left, accounts.records_read)
        unwritten = self._close_report(problem, exit_code)
        told = {str(each): each for each in (unwritten, problem) if each and each is not UNFORESEEN}
        for error in told.values():
            self.report_error(error)
        return exit_code or int(unwritten is not None)

    def _facts(self, exit_code: int) -> RunFacts:
        return RunFacts(
            run_id=self.run_id,
            portal_id=self._portal.portal_id if self._portal else None,
            dry_run=self.settings.dry_run,
            is_mirror=self._mirror is not None,
            exit_code=exit_code,
            calls=self._client.calls,
            seconds=self.clock.monotonic() - self._started,
        )

    def _close_report(self, problem: HubSpotError | None, exit_code: int) -> TargetError | None:
        """Write the end of the report, if there is to be one; return why it cannot be written."""
        if self._report is None:
            return None
        try:
            self._write_end(self._report, problem, exit_code)
        except TargetError as error:
            return error
        self.logger.info('The report is in "%s".', self._report.path)
        return None

    def _write_end(self, report: Report, problem: HubSpotError | None, exit_code: int) -> None:
        report.close(
            self.delivery.accounts,
            sync_mode=self.settings.sync_mode,
            dry_run=self.settings.dry_run,
            exit_code=exit_code,
            error=str(problem) if problem else None,
            calls=self._client.calls,
            seconds=round(self.clock.monotonic() - self._started, 3),
            seconds_verifying=self.delivery.seconds_verifying,
        )

    def _open_report(self) -> Report | None:
        if self.settings.report_path is None:
            return None
        return Report(self.settings.report_path, self.run_id, self.settings.report_members)

    def _standing(self) -> Standing:
        accounts = self.delivery.accounts
        return Standing(
            read=accounts.records_read,
            done=accounts.done,
            looked_up=self.delivery.addresses_looked_up,
            calls=self._client.calls,
            limit_share=self._client.limits.share_used,
        )

    # Messages

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        stream, schema = message_dict.get("stream"), message_dict.get("schema")
        if not isinstance(stream, str) or not isinstance(schema, dict):
            raise self._reader.error(
                "is a SCHEMA without stream or schema", "use a tap that writes Singer messages."
            )
        if stream == MELTANO_TEST_STREAM:
            # Nothing of it is written: that the run began says that the connection works.
            self.logger.info("The connection works.")
            self._streams.ignore(stream)
            return
        if not isinstance(schema.get("properties"), dict):
            raise InputError(
                f'The SCHEMA of stream "{stream}" has no properties: the tap must describe its columns.'
            )
        if self._mirror:
            refuse_report_lines(stream, schema["properties"])
        if not self._streams.has(stream, schema):
            if stream in self._streams:
                # In stream order: what the old columns said is applied before what the new ones say.
                self.flush()
            keys = message_dict.get("key_properties")
            self._streams.take(stream, schema, keys, have_own_names=self._mirror is not None)
        self._streams.begin(stream)

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        self._streams.record(message_dict)
        if self.delivery.held >= self.settings.batch_size_rows:
            self.flush()

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        state = message_dict.get("value")
        if self._mirror and (at_stake := self._mirror.streams_at_stake()):
            self._states.take(state, at_stake)
            return
        self._states.take(state)
        if not self.delivery.held:
            self._confirm()

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """In mirror mode a version may prove a snapshot; in incremental mode it says nothing of a cohort."""
        if self._mirror:
            for mapped in self._streams.mapped(str(message_dict.get("stream"))):
                self._mirror.activate(mapped.name, positive_integer(message_dict.get("version")))

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
        self._flush_held()
        if self._mirror:
            self._mirror.finish()
        unreconciled = self.delivery.reconcile()
        self.delivery.accounts.check()
        self.delivery.end()
        # What a mirror held back comes first: it may be why nothing was applied, and says what to do.
        held_back = self._mirror.problems if self._mirror else list(self.delivery.accounts.dropped())
        unapplied = list(self.delivery.accounts.problems(self.settings.max_unapplied_percent))
        if self._mirror and not unapplied:
            self._states.end(self._mirror.is_done)
        elif not unapplied and not held_back:
            self._states.end(_is_done)
        if problems := [*held_back, *unapplied, *unreconciled]:
            raise TargetError(" ".join(problems))

    # What is held, and STATE

    def flush(self) -> None:
        """Bring everything held to HubSpot; after that the latest STATE is confirmed, and may leave."""
        self._flush_held()
        self._confirm()

    def _confirm(self) -> None:
        """Let the latest STATE leave, unless the run is to exit 1, or may be at the end of the input.

        It is where members were dropped, and may be as long as nothing at all has applied of a list or a stream.
        """
        accounts = self.delivery.accounts
        if not accounts.has_dropped and next(accounts.in_vain(), None) is None:
            self._waits_since = None
            self._states.confirm()
        elif self._waits_since is None and self._states.is_waiting:
            self._waits_since = self.clock.monotonic()

    def _judge(self) -> None:
        """Judge what STATE has waited for as long as it may: an input without an end has no other moment for that.

        Members that were dropped end the run, and so does a stream of which nothing applied, or a list of which nothing
        of many applied. Of a list with a few members that is no mistake: STATE leaves, and from here on the list is
        judged by what comes.
        """
        self.flush()
        if self._waits_since is None:
            return
        if dropped := list(self.delivery.accounts.dropped()):
            raise TargetError(" ".join(dropped))
        in_vain = [each for each in self.delivery.accounts.in_vain() if each.is_mistake or each.is_stream]
        if in_vain:
            told = "; ".join(f"of {each.asked} memberships of {each.what} not one" for each in in_vain)
            raise TargetError(
                f"In {MAX_WAIT_SECONDS // 3600} hours nothing was applied ({told}), so that no STATE could leave. "
                "Set report_path for a line on each, correct the source or the settings, and run again."
            )
        self.delivery.accounts.excuse()
        self._confirm()

    def _flush_held(self) -> None:
        self._held_since = None
        self.delivery.flush()
        if self._report:
            self._report.flush()

    def attend(self) -> None:
        """Flush what has been held for too long, also while the tap says nothing."""
        if self._waits_since is not None and self.clock.monotonic() - self._waits_since >= MAX_WAIT_SECONDS:
            self._judge()
        if not self.delivery.held:
            self._held_since = None
        elif self._held_since is None:
            self._held_since = self.clock.monotonic()
        elif self.clock.monotonic() - self._held_since >= MAX_HELD_SECONDS:
            self.flush()

    # Signals

    def has_to_stop(self) -> bool:
        """Whether a signal came: no more input is taken, and no other call is made."""
        return self._signal is not None

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Remember the first signal; calls already sent return, and the run ends where it next looks."""
        if self._signal is None:
            # In this order: whoever sees that there was a signal can count on it that no other call is made.
            if self._has_client:
                self._client.stop()
            self._signal = signum


def _known(portal: Portal) -> int:
    """Return the portal's id, by which a ledger is kept."""
    if portal.portal_id is None:
        raise LedgerError(
            "HubSpot does not say which portal this token is of, and a ledger is kept by portal: run again "
            "later, or without ledger_url."
        )
    return portal.portal_id


def _is_done(stream: str) -> bool:  # noqa: ARG001 - in incremental mode a stream has no snapshot
    return True
