"""The runs of each list, oldest first, from reports and, where they have none, from the ledger; and overdue lists."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.outcomes import UNAPPLIED
from target_hubspot_lists.report_page.reading import ListKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from target_hubspot_lists.ledger import ListInLedger, RunInLedger
    from target_hubspot_lists.report_page.lines import ListLine, RunLine
    from target_hubspot_lists.report_page.reading import Reports

# The usual interval of a list is computed from its latest runs: at least MIN_RUNS, at most LATEST_RUNS.
MIN_RUNS = 4
LATEST_RUNS = 20
# A single run may be late: a list is overdue only after so many times the usual interval.
OVERDUE_AFTER = 2
# A list that runs only after changes has no usual interval: most intervals must be about as long as the median.
REGULAR_SHARE = 0.75
REGULAR = (0.5, 1.5)
SHORTEST_INTERVAL = timedelta(minutes=10)  # shorter ones are runs by hand, and no schedule


@dataclass(frozen=True)
class RunOfList:
    """What one run did to one list."""

    run_id: str
    started: datetime | None
    asked: int
    applied: int
    outcomes: Counter[str]
    is_complete: bool  # the run came to its end for this list, and nothing was held back
    reasons: Counter[str] = field(default_factory=Counter)
    property_problems: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    mailability: Counter[str] = field(default_factory=Counter)
    contacts_created: int = 0
    restored: int = 0
    retried: int = 0
    size: int | None = None  # members after the run

    @property
    def settled(self) -> int:
        """Memberships with an outcome; fewer than asked for if the run broke off."""
        return self.outcomes.total()

    @property
    def unapplied(self) -> int:
        """Memberships with an outcome that are not as the source asked."""
        return max(self.settled - self.applied, 0)

    @property
    def match_rate(self) -> float | None:
        """Share of the memberships with an outcome, from 0 to 1, that HubSpot has a contact for; None for none."""
        unmatched = self.outcomes["missing"] + self.outcomes["rejected"]
        return (self.settled - unmatched) / self.settled if self.settled else None

    @property
    def change(self) -> int:
        """By how many members the list grew in this run."""
        return self.outcomes["added"] - self.outcomes["removed"] + self.restored

    def plus(self, other: RunOfList) -> RunOfList:
        """Return the sum of two accounts of one run: two cohorts can go to one list."""
        return replace(
            self,
            asked=self.asked + other.asked,
            applied=self.applied + other.applied,
            outcomes=self.outcomes + other.outcomes,
            is_complete=self.is_complete and other.is_complete,
            reasons=self.reasons + other.reasons,
            property_problems=self.property_problems + other.property_problems,
            mailability=self.mailability + other.mailability,
            contacts_created=self.contacts_created + other.contacts_created,
            restored=self.restored + other.restored,
            retried=self.retried + other.retried,
            size=None if self.size is None else self.size + other.change,
        )


@dataclass
class History:
    """A list and its runs, oldest first."""

    key: ListKey
    name: str
    cohorts: set[str] = field(default_factory=set)
    url: str | None = None
    members_now: int | None = None  # from the ledger
    runs: list[RunOfList] = field(default_factory=list)

    @property
    def last(self) -> RunOfList | None:
        """The latest run."""
        return self.runs[-1] if self.runs else None

    @property
    def last_complete(self) -> RunOfList | None:
        """The latest complete run."""
        return next((run for run in reversed(self.runs) if run.is_complete), None)

    @property
    def size(self) -> int | None:
        """Number of members of the list; None if neither the ledger nor the last run has it."""
        return self.members_now if self.members_now is not None else self.last.size if self.last else None


def histories(
    reports: Reports, lists: Iterable[ListInLedger] = (), runs: Sequence[RunInLedger] = ()
) -> list[History]:
    """Return the history of every list that the reports or the ledger name."""
    by_key: dict[ListKey, History] = {}
    for known in lists:
        key = ListKey(known.portal_id, known.list_id, None)
        by_key[key] = History(key, known.name, set(known.cohorts), members_now=known.members)
    of_ledger: dict[tuple[ListKey, str], RunOfList] = {}
    for run in reversed(runs):
        key = ListKey(run.portal_id, run.list_id, None)
        by_key.setdefault(key, History(key, run.list_name or f"List {run.list_id}"))
        of_ledger[key, run.run_id] = _of_ledger(run)
    of_reports: dict[tuple[ListKey, str], RunOfList] = {}
    for line in sorted(reports.lists, key=lambda line: line.run_id):
        key = reports.list_keys.key(line.of_list)
        history = by_key.setdefault(key, History(key, _name(line)))
        history.name = line.of_list.name or history.name  # the latest line's
        history.url = line.of_list.url or history.url
        if line.of_list.cohort:
            history.cohorts.add(line.of_list.cohort)
        run_of_list = _of_report(line, reports.runs.get(line.run_id), of_ledger.get((key, line.run_id)))
        known_run = of_reports.get((key, line.run_id))
        of_reports[key, line.run_id] = known_run.plus(run_of_list) if known_run else run_of_list
    for (key, _), run_of_list in sorted((of_ledger | of_reports).items(), key=lambda item: item[0][1]):
        by_key[key].runs.append(run_of_list)
    for history in by_key.values():
        history.runs = _with_sizes(history.runs, history.members_now)
    return list(by_key.values())


def _name(line: ListLine) -> str:
    of_list = line.of_list
    return of_list.name or of_list.cohort or (f"List {of_list.list_id}" if of_list.list_id else "No list")


def _of_report(line: ListLine, run: RunLine | None, in_ledger: RunOfList | None) -> RunOfList:
    return RunOfList(
        run_id=line.run_id,
        started=run.started if run else line.time,
        asked=line.asked,
        applied=line.applied,
        outcomes=Counter(line.outcomes),
        is_complete=_is_complete(line, run, in_ledger),
        reasons=Counter(line.reasons),
        property_problems=Counter(line.property_problems),
        mailability=Counter(line.mailability),
        contacts_created=line.contacts_created,
        restored=line.restored,
        retried=line.retried,
        size=line.size,
    )


def _is_complete(line: ListLine, run: RunLine | None, in_ledger: RunOfList | None) -> bool:
    if line.complete is not None:
        return line.complete
    if sum(line.outcomes.values()) < line.asked or line.outcomes.get("skipped"):
        return False
    if run is None:
        return in_ledger is not None and in_ledger.is_complete
    return not run.exit_code or (not run.not_settled and not _is_about(run.error or "", line))


def _is_about(error: str, line: ListLine) -> bool:
    """Return whether the error that ended a run is about this list: it names lists, cohorts or streams in quotes."""
    names = {shown(name) for name in (line.of_list.name, line.of_list.cohort) if name}
    return not error or 'stream "' in error or any(f'"{name}"' in error for name in names)


def _of_ledger(run: RunInLedger) -> RunOfList:
    outcomes = Counter({outcome: count for outcome, count in run.outcomes.items() if count})
    return RunOfList(
        run_id=run.run_id,
        started=run.started,
        asked=run.asked,
        applied=outcomes.total() - sum(outcomes[outcome] for outcome in UNAPPLIED),
        outcomes=outcomes,
        is_complete=run.is_complete and not outcomes["skipped"],
    )


def _with_sizes(runs: Sequence[RunOfList], members_now: int | None) -> list[RunOfList]:
    """Return the runs with the size of the list: where a run lacks it, that of the next run less its change."""
    size, sized = members_now, []
    for run in reversed(runs):
        size = run.size if run.size is not None else size
        sized.append(replace(run, size=size))
        size = None if size is None else max(size - run.change, 0)
    return sized[::-1]


class Overdue(NamedTuple):
    """How long ago a list ran, and how often it should run."""

    since_last_run: timedelta
    interval: timedelta
    is_expected: bool  # `--expected-every` gave the interval; else it is the usual one


def overdue(
    starts: Sequence[datetime],
    now: datetime,
    expected: timedelta | None = None,
    *,
    last_read: datetime | None = None,
) -> Overdue | None:
    """Return how overdue a list is whose runs started at these times, oldest first; None if it is not.

    `last_read` is when its input was last read without a record for this list.
    """
    if not starts:
        return None
    since_last_run = now - max(starts[-1], last_read or starts[-1])
    if expected is not None:
        return Overdue(since_last_run, expected, is_expected=True) if since_last_run > expected else None
    usual = usual_interval(starts)
    if usual is None or since_last_run <= usual * OVERDUE_AFTER:
        return None
    return Overdue(since_last_run, usual, is_expected=False)


def usual_interval(starts: Sequence[datetime]) -> timedelta | None:
    """Return the median of the latest intervals between runs; None if they are too few, or irregular."""
    latest = starts[-LATEST_RUNS:]
    if len(latest) < MIN_RUNS:
        return None
    intervals = [(later - earlier).total_seconds() for earlier, later in pairwise(latest)]
    usual = median(intervals)
    shortest, longest = (usual * factor for factor in REGULAR)
    regular = sum(shortest <= interval <= longest for interval in intervals)
    is_schedule = regular >= len(intervals) * REGULAR_SHARE and usual >= SHORTEST_INTERVAL.total_seconds()
    return timedelta(seconds=usual) if is_schedule else None
