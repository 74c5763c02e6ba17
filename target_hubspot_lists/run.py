"""The life of one run: check of the connection, work, end of the input, summary and report."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hubspot_singer.plugin.portal import read_portal
from target_hubspot_lists.composition import compose
from target_hubspot_lists.errors import Interrupted, TargetError
from target_hubspot_lists.hubspot.contacts import ContactProgress
from target_hubspot_lists.reporting.accounts import Accounts
from target_hubspot_lists.reporting.problems import too_few_applied
from target_hubspot_lists.reporting.progress import ProgressLog, RunProgress
from target_hubspot_lists.reporting.report import Report, new_run_id
from target_hubspot_lists.reporting.summary import RunFacts, summary
from target_hubspot_lists.sync.contact_properties import PortalProperties

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from logging import Logger

    from hubspot_singer.http import Clock, HubSpotClient, HubSpotError
    from hubspot_singer.plugin.portal import Portal
    from target_hubspot_lists.composition import Session
    from target_hubspot_lists.settings import Settings

# What the report says of an error of no class of ours; the command shows the error itself in the log.
UNEXPECTED = TargetError("The run failed with an unexpected error; see the log.")


class Run:
    """One run, from the check of the connection to the last line of the report."""

    def __init__(self, client: HubSpotClient, settings: Settings, clock: Clock, logger: Logger) -> None:
        self._logger = logger
        self.run_id = new_run_id()
        self._client = client
        self._settings = settings
        self._clock = clock
        self._started = clock.monotonic()
        self._portal: Portal | None = None
        self._session: Session | None = None
        self._report: Report | None = None
        if settings.report_path is not None:
            self._report = Report(
                settings.report_path, self.run_id, settings.report_members, settings.identifiers
            )
        self.accounts = Accounts(self._report, settings.identifiers)

    def check(self, scopes: Collection[str]) -> tuple[Portal, PortalProperties]:
        """Ask HubSpot which portal the token is of; raise if it lacks one of the scopes, or the portal a property."""
        self._portal = portal = read_portal(self._client, self._settings.connection.credentials, scopes)
        of_portal = PortalProperties.read(self._client, self._settings)
        if self._report:
            self._report.portal = portal
        return portal, of_portal

    def discard_report(self) -> None:
        """Write no report: this run only checks the connection."""
        if self._report:
            self._report.discard()
            self._report = None

    @contextmanager
    def session(self, scopes: Collection[str]) -> Iterator[Session]:
        """Check the connection, and yield what memberships are applied with; log the progress meanwhile."""
        with self._client, ProgressLog(self._progress):
            portal, of_portal = self.check(scopes)
            self._session = session = compose(
                self._client,
                self._settings,
                self.accounts,
                portal=portal,
                of_portal=of_portal,
                run_id=self.run_id,
                clock=self._clock,
                flushed=self._flush_report,
            )
            try:
                yield session
            finally:
                session.close(self.accounts)

    def end(self, session: Session) -> None:
        """Apply what remains at the end of the input; TargetError says what was not applied as asked."""
        held_back = session.sync.finish()
        unread = list(session.reconciling.end())
        if unmatched := session.destinations.routes.unmatched():
            self._logger.info("%s", unmatched)
        for sentence in session.destinations.with_many_ids():
            self._logger.warning("%s", sentence)
        self.accounts.check()
        session.journal.end(self.accounts.lists.values())
        unapplied = list(too_few_applied(self.accounts, self._settings.max_unapplied_percent))
        if not unapplied:
            session.schedule.end(are_all_done=not held_back)
        if session.retrying:
            session.retrying.run()
        # What a mirror held back comes first: it may be why nothing was applied, and says what to do.
        if problems := [*held_back, *unapplied, *unread]:
            raise TargetError(" ".join(problems))

    def log_end(
        self, problem: HubSpotError | None, *, signal_number: int | None
    ) -> tuple[int, list[HubSpotError]]:
        """Write the summary to the log, and the report; return the exit code, and the errors to show."""
        exit_code = int(problem is not None)
        if signal_number is not None:
            problem, exit_code = Interrupted(signal.Signals(signal_number).name), 128 + signal_number
        for line in summary(self.accounts, self._facts(exit_code)):
            self._logger.info("%s", line.text, extra=line.fields)
        if remaining := self.accounts.records_read - self.accounts.done:
            self._logger.info(
                "%d of %d memberships read have no outcome.", remaining, self.accounts.records_read
            )
        unwritten: TargetError | None = None
        if self._report:
            try:
                self._close_report(self._report, problem, exit_code)
                self._logger.info('The report is in "%s".', self._report.path)
            except TargetError as error:
                unwritten = error
        errors = {str(error): error for error in (unwritten, problem) if error and error is not UNEXPECTED}
        return exit_code or int(unwritten is not None), list(errors.values())

    def _flush_report(self) -> None:
        if self._report:
            self._report.flush()

    def _facts(self, exit_code: int) -> RunFacts:
        return RunFacts(
            run_id=self.run_id,
            portal_id=self._portal.portal_id if self._portal else None,
            dry_run=self._settings.dry_run,
            is_mirror=self._settings.sync_mode == "mirror",
            exit_code=exit_code,
            calls=self._client.calls,
            seconds=self._clock.monotonic() - self._started,
        )

    def _close_report(self, report: Report, problem: HubSpotError | None, exit_code: int) -> None:
        report.close(
            self.accounts.lists.values(),
            **self.accounts.figures,
            sync_mode=self._settings.sync_mode,
            dry_run=self._settings.dry_run,
            exit_code=exit_code,
            error=str(problem) if problem else None,
            calls=self._client.calls,
            seconds=round(self._clock.monotonic() - self._started, 3),
            seconds_verifying=self._session.delivery.seconds_verifying if self._session else 0.0,
        )

    def _progress(self) -> RunProgress:
        contacts = self._session.contacts.progress if self._session else ContactProgress()
        return RunProgress(
            read=self.accounts.records_read,
            done=self.accounts.done,
            addresses_to_send=contacts.to_send,
            addresses_sent=contacts.sent,
            looked_up=contacts.looked_up,
            created=contacts.created,
            calls=self._client.calls,
            limit_share=self._client.limits.share_used,
        )
