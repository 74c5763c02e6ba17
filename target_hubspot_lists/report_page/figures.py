"""What the page says of each list and of all of them: plain values, before any of it is put into HTML."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.outcomes import LIST_REASONS
from target_hubspot_lists.report_page.histories import histories
from target_hubspot_lists.report_page.lateness import overdue
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
    from target_hubspot_lists.report_page.histories import History, RunOfList
    from target_hubspot_lists.report_page.lateness import Overdue
    from target_hubspot_lists.report_page.lines import RunLine
    from target_hubspot_lists.report_page.reading import Remark, Reports
    from target_hubspot_lists.reporting.explanations import (
        Explanation,
    )

# Of a list where more than this share is not in place, somebody should look at it first.
SERIOUS_SHARE = 0.1


class Status(Enum):
    """How a list stands after its last run: the word for it, and how urgent it is (3: first)."""

    IN_PLACE = ("In place", 0)
    REMARKS = ("Mostly in place", 1)
    PROBLEM = ("Needs a look", 2)
    HELD_BACK = ("Held back", 2)
    UNFINISHED = ("Not finished", 3)
    NOT_RUN = ("No run told", 1)

    @property
    def word(self) -> str:
        """As the page shows it."""
        return self.value[0]

    @property
    def urgency(self) -> int:
        """0: nothing to do, to 3: look at this first."""
        return self.value[1]


class ReasonCount(NamedTuple):
    """How many members of a list something is so of, and what that means."""

    code: str
    members: int
    explanation: Explanation
    about: str | None = None  # the property, where it is about one


@dataclass(frozen=True)
class ListFigures:
    """What the page says of one list."""

    history: History
    overdue: Overdue | None
    reasons: Sequence[ReasonCount]
    property_problems: Sequence[ReasonCount]
    mailability: Sequence[ReasonCount]

    @property
    def status(self) -> Status:
        """How the list stands after its last run."""
        run = self.history.last
        if run is None:
            return Status.NOT_RUN
        if run.outcomes["skipped"]:
            return Status.HELD_BACK
        if run.settled < run.asked or any(each.code in LIST_REASONS for each in self.reasons):
            return Status.UNFINISHED
        if run.unapplied > run.settled * SERIOUS_SHARE:
            return Status.PROBLEM
        if run.unapplied:
            return Status.REMARKS
        return Status.IN_PLACE if run.is_complete else Status.UNFINISHED

    @property
    def urgency(self) -> int:
        """What to look at first has the greatest."""
        return max(self.status.urgency, 2 if self.overdue else 0)

    @property
    def cannot_be_mailed(self) -> int:
        """Members whom HubSpot will not mail."""
        return sum(each.members for each in self.mailability if each.code != MAILABLE)


class FailedRun(NamedTuple):
    """A run that failed, or broke off without an end."""

    run_id: str
    started: datetime | None
    error: str | None  # None: it has no end in the report


@dataclass(frozen=True)
class PageFigures:
    """What the page says."""

    made: datetime
    lists: Sequence[ListFigures]
    runs: Sequence[RunLine]  # the newest first
    failed: Sequence[FailedRun]  # among the last runs of each portal and list
    remarks: Sequence[Remark]  # members, those to look at first
    without_list: Mapping[str, int]  # reason → records of the last run that name no list
    is_dry: bool
    dry_runs_left_out: int
    unreadable: Sequence[tuple[str, int, int]]  # file, lines, number of the first
    portals: Sequence[int] = field(default_factory=list)

    @property
    def asked(self) -> int:
        """Memberships that the last run of each list asked for."""
        return sum(run.asked for run in self._last_runs)

    @property
    def applied(self) -> int:
        """Those of them that are in place."""
        return sum(run.applied for run in self._last_runs)

    @property
    def contacts_created(self) -> int:
        """Contacts that the last runs created, counted on each list."""
        return sum(run.contacts_created for run in self._last_runs)

    @property
    def cannot_be_mailed(self) -> int | None:
        """Members whom HubSpot will not mail; None where that was not asked for."""
        told = [each for each in self.lists if each.mailability]
        return sum(each.cannot_be_mailed for each in told) if told else None

    @property
    def statuses(self) -> Counter[Status]:
        """How many lists stand how."""
        return Counter(each.status for each in self.lists)

    @property
    def reasons(self) -> Sequence[ReasonCount]:
        """Why members are not in place, over all lists, the most frequent first."""
        counts: Counter[str] = Counter()
        explanations = {}
        for each in self.lists:
            for reason in each.reasons:
                counts[reason.code] += reason.members
                explanations[reason.code] = reason.explanation
        for code, count in self.without_list.items():
            counts[code] += count
            explanations[code] = explained(code, REASONS)
        return [ReasonCount(code, count, explanations[code]) for code, count in counts.most_common()]

    @property
    def _last_runs(self) -> Iterable[RunOfList]:
        return (each.history.last for each in self.lists if each.history.last is not None)


def page_figures(
    reports: Reports,
    lists: Sequence[ListInLedger],
    runs: Sequence[RunInLedger],
    *,
    now: datetime,
    expected_every: timedelta | None = None,
) -> PageFigures:
    """Work out what the page says."""
    of_lists = [
        _list_figures(history, reports, now, expected_every) for history in histories(reports, lists, runs)
    ]
    newest_first = sorted(reports.runs.values(), key=lambda run: run.run_id, reverse=True)
    return PageFigures(
        made=now,
        lists=sorted(of_lists, key=_first_to_look_at),
        runs=newest_first,
        failed=list(_failed(reports, newest_first, of_lists)),
        remarks=sorted(reports.members.values(), key=_order, reverse=True),
        without_list=newest_first[0].without_list if newest_first else {},
        is_dry=reports.is_dry,
        dry_runs_left_out=reports.dry_runs_left_out,
        unreadable=[
            (path.name, len(numbers), min(numbers)) for path, numbers in sorted(reports.unreadable.items())
        ],
        portals=sorted(
            {each.history.key.portal_id for each in of_lists if each.history.key.portal_id is not None}
            | {run.portal_id for run in newest_first if run.portal_id is not None}
        ),
    )


def _list_figures(
    history: History, reports: Reports, now: datetime, expected_every: timedelta | None
) -> ListFigures:
    run = history.last
    starts = [each.started for each in history.runs if each.started is not None]
    return ListFigures(
        history=history,
        overdue=overdue(starts, now, expected_every, last_chance=_last_chance(history, reports)),
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


def _last_chance(history: History, reports: Reports) -> datetime | None:
    """When the streams that filled a list were last read without a change of it; a mirror has every list each time."""
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
    """Why members are not in place: the reason of those rejected, else their outcome."""
    counts = Counter(run.reasons)
    if (unnamed := run.outcomes["rejected"] - counts.total()) > 0:
        counts["rejected"] = unnamed
    # The removal of somebody whom HubSpot does not know is in place.
    others = run.unapplied - run.outcomes["rejected"]
    for outcome in ("dropped", "skipped", "missing"):
        if count := min(run.outcomes[outcome], others):
            counts[outcome] = count
            others -= count
    return [
        ReasonCount(code, count, explained(code, REASONS, OUTCOMES)) for code, count in counts.most_common()
    ]


def _first_to_look_at(each: ListFigures) -> tuple[int, int, str]:
    run = each.history.last
    return -each.urgency, -(run.unapplied if run else 0), each.history.name.casefold()


def _order(remark: Remark) -> tuple[bool, bool, bool, str, int]:
    line = remark.line
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
    """The failed among the newest run of each portal and the last runs of the lists."""
    last = {each.history.last.run_id for each in lists if each.history.last is not None}
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
