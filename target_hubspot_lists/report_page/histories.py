"""The runs of each list, the oldest first: what the reports say, and where they say nothing the ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.outcomes import UNAPPLIED
from target_hubspot_lists.report_page.directory import ListKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from target_hubspot_lists.ledger import ListInLedger, RunInLedger
    from target_hubspot_lists.report_page.lines import ListLine, RunLine
    from target_hubspot_lists.report_page.reading import Reports


@dataclass(frozen=True)
class RunOfList:
    """What one run did to one list."""

    run_id: str
    started: datetime | None
    asked: int
    applied: int
    outcomes: Counter[str]
    is_complete: bool  # the list was brought to what the source asked for, as far as that went
    reasons: Counter[str] = field(default_factory=Counter)
    property_problems: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    mailability: Counter[str] = field(default_factory=Counter)
    contacts_created: int = 0
    put_back: int = 0
    retried: int = 0
    size: int | None = None  # members after the run

    @property
    def settled(self) -> int:
        """Memberships that have their outcome; fewer than asked where the run broke off."""
        return self.outcomes.total()

    @property
    def unapplied(self) -> int:
        """Members that are not where the source wants them."""
        return max(self.settled - self.applied, 0)

    @property
    def match_rate(self) -> float | None:
        """The share of the settled that HubSpot knows, or came to know."""
        unmatched = self.outcomes["missing"] + self.outcomes["rejected"]
        return (self.settled - unmatched) / self.settled if self.settled else None

    @property
    def change(self) -> int:
        """By how many members the list grew."""
        return self.outcomes["added"] - self.outcomes["removed"] + self.put_back

    def plus(self, other: RunOfList) -> RunOfList:
        """Two cohorts that go to one list."""
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
            put_back=self.put_back + other.put_back,
            retried=self.retried + other.retried,
            size=None if self.size is None else self.size + other.change,
        )


@dataclass
class History:
    """A list, and its runs."""

    key: ListKey
    name: str
    cohorts: set[str] = field(default_factory=set)
    url: str | None = None
    members_now: int | None = None  # as the ledger knows
    runs: list[RunOfList] = field(default_factory=list)

    @property
    def last(self) -> RunOfList | None:
        """The latest run."""
        return self.runs[-1] if self.runs else None

    @property
    def last_complete(self) -> RunOfList | None:
        """The latest run that brought the list to what the source asked for."""
        return next((run for run in reversed(self.runs) if run.is_complete), None)

    @property
    def size(self) -> int | None:
        """How many members the list has, as far as that is told."""
        return self.members_now if self.members_now is not None else self.last.size if self.last else None


def histories(
    reports: Reports, lists: Iterable[ListInLedger] = (), runs: Sequence[RunInLedger] = ()
) -> list[History]:
    """The history of every list that reports or ledger name."""
    by_key: dict[ListKey, History] = {}
    for known in lists:
        key = ListKey(known.portal_id, known.list_id, None)
        by_key[key] = History(key, known.name, set(known.cohorts), members_now=known.members)
    told: dict[tuple[ListKey, str], RunOfList] = {}
    for run in reversed(runs):
        key = ListKey(run.portal_id, run.list_id, None)
        by_key.setdefault(key, History(key, run.list_name or f"List {run.list_id}"))
        told[key, run.run_id] = _of_ledger(run)
    of_reports: dict[tuple[ListKey, str], RunOfList] = {}
    for line in sorted(reports.lists, key=lambda line: line.run_id):
        key = reports.directory.key(line.of_list)
        history = by_key.setdefault(key, History(key, _name(line)))
        _learn(history, line)
        run_of_list = _of_report(line, reports.runs.get(line.run_id), told.get((key, line.run_id)))
        known_run = of_reports.get((key, line.run_id))
        of_reports[key, line.run_id] = known_run.plus(run_of_list) if known_run else run_of_list
    for (key, _), run_of_list in sorted((told | of_reports).items(), key=lambda item: item[0][1]):
        by_key[key].runs.append(run_of_list)
    for history in by_key.values():
        history.runs = _with_sizes(history.runs, history.members_now)
    return list(by_key.values())


def _name(line: ListLine) -> str:
    of_list = line.of_list
    return of_list.name or of_list.cohort or (f"List {of_list.list_id}" if of_list.list_id else "No list")


def _learn(history: History, line: ListLine) -> None:
    """Take over what the latest line says of the list itself."""
    history.name = line.of_list.name or history.name
    history.url = line.of_list.url or history.url
    if line.of_list.cohort:
        history.cohorts.add(line.of_list.cohort)


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
        put_back=line.put_back,
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
    """Whether what ended a run concerns this list: its sentence names lists, cohorts or streams in quotes."""
    names = {shown(name) for name in (line.of_list.name, line.of_list.cohort) if name}
    return not error or 'stream "' in error or any(f'"{name}"' in error for name in names)


def _of_ledger(run: RunInLedger) -> RunOfList:
    outcomes = Counter({each: count for each, count in run.outcomes.items() if count})
    return RunOfList(
        run_id=run.run_id,
        started=run.started,
        asked=run.asked,
        applied=outcomes.total() - sum(outcomes[each] for each in UNAPPLIED),
        outcomes=outcomes,
        is_complete=run.is_complete and not outcomes["skipped"],
    )


def _with_sizes(runs: Sequence[RunOfList], members_now: int | None) -> list[RunOfList]:
    """Where a run does not tell the size of the list: that after the next one, less what that one changed."""
    size, sized = members_now, []
    for run in reversed(runs):
        size = run.size if run.size is not None else size
        sized.append(replace(run, size=size))
        size = None if size is None else max(size - run.change, 0)
    return sized[::-1]
