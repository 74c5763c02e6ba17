"""The figures of the page, for each list and for all of them: plain values, before they are put into HTML."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.outcomes import LIST_REASONS
from target_hubspot_lists.report_page.histories import histories, overdue
from target_hubspot_lists.report_page.lines import MAILABLE
from target_hubspot_lists.reporting.explanations import (
    MAILABILITY,
    OUTCOMES,
    PROPERTY_REASONS,
    REASONS,
    explained,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from target_hubspot_lists.ledger import ListInLedger, RunInLedger
    from target_hubspot_lists.report_page.histories import History, Overdue, RunOfList
    from target_hubspot_lists.report_page.lines import RunLine
    from target_hubspot_lists.report_page.reading import NotableMember, Reports
    from target_hubspot_lists.reporting.explanations import Explanation

# A list with more than this share not in place needs a look.
SERIOUS_SHARE = 0.1


class Status(Enum):
    """The state of a list after its last run: its label on the page, and its urgency."""

    IN_PLACE = ("In place", 0)
    MOSTLY_IN_PLACE = ("Mostly in place", 1)
    PROBLEM = ("Needs a look", 2)
    HELD_BACK = ("Held back", 2)
    UNFINISHED = ("Not finished", 3)
    NOT_RUN = ("No run known", 1)

    @property
    def label(self) -> str:
        """The text on the page."""
        return self.value[0]

    @property
    def urgency(self) -> int:
        """From 0, nothing to do, to 3, look at this list first."""
        return self.value[1]


class ReasonCount(NamedTuple):
    """A reason, how many members of a list it applies to, and its explanation."""

    code: str
    members: int
    explanation: Explanation
    about: str | None = None  # the name of the property, for the reason of a property


@dataclass(frozen=True)
class ListFigures:
    """The figures of one list."""

    history: History
    overdue: Overdue | None
    reasons: Sequence[ReasonCount]
    property_problems: Sequence[ReasonCount]
    mailability: Sequence[ReasonCount]

    @property
    def status(self) -> Status:
        """The state of the list after its last run."""
        run = self.history.last
        if run is None:
            return Status.NOT_RUN
        if run.outcomes["skipped"]:
            return Status.HELD_BACK
        if run.settled < run.asked or any(reason.code in LIST_REASONS for reason in self.reasons):
            return Status.UNFINISHED
        if run.unapplied > run.settled * SERIOUS_SHARE:
            return Status.PROBLEM
        if run.unapplied:
            return Status.MOSTLY_IN_PLACE
        return Status.IN_PLACE if run.is_complete else Status.UNFINISHED

    @property
    def urgency(self) -> int:
        """The list with the highest urgency is to be looked at first."""
        return max(self.status.urgency, 2 if self.overdue else 0)

    @property
    def cannot_be_mailed(self) -> int:
        """Members that HubSpot does not mail."""
        return sum(reason.members for reason in self.mailability if reason.code != MAILABLE)


class FailedRun(NamedTuple):
    """A run that failed, or has no run line."""

    run_id: str
    started: datetime | None
    error: str | None  # None: the report has no run line of it


@dataclass(frozen=True)
class PageFigures:
    """The figures of the page."""

    made: datetime
    lists: Sequence[ListFigures]
    runs: Sequence[RunLine]  # the newest first
    failed: Sequence[FailedRun]  # among the last runs of each portal and list
    members: Sequence[NotableMember]  # those to look at first come first
    without_list: Mapping[str, int]  # by reason, records of the last run that name no list
    is_dry: bool
    dry_runs_left_out: int
    unreadable: Sequence[tuple[str, int, int]]  # file, number of lines, line number of the first
    portals: Sequence[int] = field(default_factory=list)

    @property
    def asked(self) -> int:
        """Memberships that were asked for in the last run of each list."""
        return sum(run.asked for run in self._last_runs)

    @property
    def applied(self) -> int:
        """How many of them are in place."""
        return sum(run.applied for run in self._last_runs)

    @property
    def contacts_created(self) -> int:
        """Contacts that the last run of each list created, counted once for each list."""
        return sum(run.contacts_created for run in self._last_runs)

    @property
    def cannot_be_mailed(self) -> int | None:
        """Members that HubSpot does not mail; None if no list has been checked."""
        checked = [of_list for of_list in self.lists if of_list.mailability]
        return sum(of_list.cannot_be_mailed for of_list in checked) if checked else None

    @property
    def reasons(self) -> Sequence[ReasonCount]:
        """Why members are not in place, over all lists, the most frequent first."""
        counts: Counter[str] = Counter()
        explanations = {}
        for of_list in self.lists:
            for reason in of_list.reasons:
                counts[reason.code] += reason.members
                explanations[reason.code] = reason.explanation
        for code, count in self.without_list.items():
            counts[code] += count
            explanations[code] = explained(code, REASONS)
        return [ReasonCount(code, count, explanations[code]) for code, count in counts.most_common()]

    @property
    def _last_runs(self) -> Iterable[RunOfList]:
        return (of_list.history.last for of_list in self.lists if of_list.history.last is not None)


def page_figures(
    reports: Reports,
    lists: Sequence[ListInLedger],
    runs: Sequence[RunInLedger],
    *,
    now: datetime,
    expected_every: timedelta | None = None,
) -> PageFigures:
    """Return the figures of the page, made of reports and of the ledger's lists and runs."""
    of_lists = [
        _list_figures(history, reports, now, expected_every) for history in histories(reports, lists, runs)
    ]
    newest_first = sorted(reports.runs.values(), key=lambda run: run.run_id, reverse=True)
    return PageFigures(
        made=now,
        lists=sorted(of_lists, key=_most_urgent_first),
        runs=newest_first,
        failed=list(_failed(reports, newest_first, of_lists)),
        members=sorted(reports.members.values(), key=_need_of_a_look, reverse=True),
        without_list=newest_first[0].without_list if newest_first else {},
        is_dry=reports.is_dry,
        dry_runs_left_out=reports.dry_runs_left_out,
        unreadable=[
            (path.name, len(numbers), min(numbers)) for path, numbers in sorted(reports.unreadable.items())
        ],
        portals=sorted(
            {portal_id for of_list in of_lists if (portal_id := of_list.history.key.portal_id) is not None}
            | {run.portal_id for run in newest_first if run.portal_id is not None}
        ),
    )


def _list_figures(
    history: History, reports: Reports, now: datetime, expected_every: timedelta | None
) -> ListFigures:
    run = history.last
    starts = [past_run.started for past_run in history.runs if past_run.started is not None]
    return ListFigures(
        history=history,
        overdue=overdue(starts, now, expected_every, last_read=_last_read(history, reports)),
        reasons=_reasons(run) if run else [],
        property_problems=[
            ReasonCount(reason, count, explained(reason, PROPERTY_REASONS), name)
            for (reason, name), count in (run.property_problems if run else Counter()).most_common()
        ],
        mailability=[
            ReasonCount(code, count, explained(code, MAILABILITY))
            for code, count in (run.mailability if run else Counter()).most_common()
        ],
    )


def _last_read(history: History, reports: Reports) -> datetime | None:
    """Return when the list's streams were last read without a record for it; None for a mirror, which needs one."""
    last = reports.runs.get(history.last.run_id) if history.last else None
    if last is None or last.is_mirror:
        return None
    later = [
        run.started
        for run in reports.runs.values()
        if run.run_id > last.run_id
        and run.portal_id == last.portal_id
        and run.streams & last.streams
        and not run.exit_code
        and run.started is not None
    ]
    return max(later, default=None)


def _reasons(run: RunOfList) -> list[ReasonCount]:
    """Return why members are not in place: the reason if they were rejected, else the outcome."""
    counts = Counter(run.reasons)
    if (unnamed := run.outcomes["rejected"] - counts.total()) > 0:
        counts["rejected"] = unnamed
    # The removal of a contact that HubSpot does not have is in place.
    others = run.unapplied - run.outcomes["rejected"]
    for outcome in ("dropped", "skipped", "missing"):
        if count := min(run.outcomes[outcome], others):
            counts[outcome] = count
            others -= count
    return [
        ReasonCount(code, count, explained(code, REASONS, OUTCOMES)) for code, count in counts.most_common()
    ]


def _most_urgent_first(of_list: ListFigures) -> tuple[int, int, str]:
    run = of_list.history.last
    return -of_list.urgency, -(run.unapplied if run else 0), of_list.history.name.casefold()


def _need_of_a_look(member: NotableMember) -> tuple[bool, bool, bool, str, int]:
    line = member.line
    return (
        not line.is_applied,
        line.cannot_be_mailed,
        line.property_reason is not None,
        line.run_id,
        -line.number,
    )


def _failed(
    reports: Reports, newest_first: Sequence[RunLine], lists: Iterable[ListFigures]
) -> Iterable[FailedRun]:
    """Yield the runs that failed among the newest run of each portal and the last run of each list."""
    last = {of_list.history.last.run_id for of_list in lists if of_list.history.last is not None}
    newest: dict[int | None, str] = {}
    for run in newest_first:
        newest.setdefault(run.portal_id, run.run_id)
    for run in newest_first:
        if run.exit_code and run.run_id in last | set(newest.values()):
            yield FailedRun(run.run_id, run.started, run.error or f"It ended with exit code {run.exit_code}.")
    newest_of_all = newest_first[0].run_id if newest_first else ""
    for run_id in sorted(reports.runs_without_end, reverse=True):
        if run_id > newest_of_all or run_id in last:
            yield FailedRun(run_id, None, None)
