"""Reads report files: the lines of runs and lists, and of the members only those that need a look."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.report_page.lines import ListLine, MemberLine, RunLine, json_object, parse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from target_hubspot_lists.report_page.lines import ReportedList


class NoReport(Exception):
    """A file cannot be read, or has no line of a report; `str()` is one sentence for the user."""


class ListKey(NamedTuple):
    """Identifies a list in all runs: by its id if any line has it, else by its name in lower case."""

    portal_id: int | None
    list_id: str | None
    name: str | None


class ListKeys:
    """Finds the key of the list that a line is about: a line written before the list was found has no id."""

    def __init__(self) -> None:
        self._ids: dict[tuple[int | None, str], str] = {}  # by portal and name

    def add(self, portal_id: int | None, list_id: str | None, name: str | None) -> None:
        """Remember the id of a list with this name; of two lists with one name, the one added last."""
        if list_id is not None and name:
            self._ids[portal_id, _lower(name)] = list_id

    def key(self, of_list: ReportedList) -> ListKey:
        """Return the key of the list that a line is about."""
        portal_id, name = of_list.portal_id, _lower(of_list.name or "")
        list_id = of_list.list_id or self._ids.get((portal_id, name))
        return ListKey(portal_id, list_id, None if list_id else name or None)


def _lower(name: str) -> str:
    """HubSpot ignores case in the names of lists."""
    return name.strip().casefold()


class NotableMember(NamedTuple):
    """The latest line of a member that needs a look, and since when the member is in or out of place."""

    line: MemberLine
    since: datetime | None


@dataclass
class Reports:
    """The lines of all report files. Dry runs are left out unless all runs are dry runs."""

    runs: dict[str, RunLine] = field(default_factory=dict)
    lists: list[ListLine] = field(default_factory=list)
    members: dict[tuple[ListKey, str], NotableMember] = field(default_factory=dict)
    run_ids: set[str] = field(default_factory=set)
    dry_runs_left_out: int = 0
    # By file, the numbers of lines that are not JSON objects.
    unreadable: dict[Path, set[int]] = field(default_factory=dict)
    list_keys: ListKeys = field(default_factory=ListKeys)
    _read: set[tuple[str, int]] = field(default_factory=set)  # run id and number of the list lines read

    def is_new(self, line: ListLine) -> bool:
        """Return whether the line was not read before: the same report may be given twice, as a copy."""
        identity = (line.run_id, line.number)
        if line.number and identity in self._read:
            return False
        self._read.add(identity)
        return True

    @property
    def runs_without_end(self) -> set[str]:
        """Ids of runs without a run line: they were killed, or are still running."""
        return self.run_ids - self.runs.keys()

    @property
    def is_dry(self) -> bool:
        """Whether the runs are dry runs: what they report was not done."""
        return any(run.dry_run for run in self.runs.values())

    def note_unreadable(self, path: Path, lines: Collection[int]) -> None:
        """Remember lines that are not JSON objects, such as a last line that was cut off."""
        if lines:
            self.unreadable.setdefault(path, set()).update(lines)

    def take_member(self, line: MemberLine) -> None:
        """Take a member's line; of two lines about one member of a list the later run's counts."""
        self.run_ids.add(line.run_id)
        key = (self.list_keys.key(line.of_list), line.member)
        before = self.members.get(key)
        if before is not None and before.line.run_id > line.run_id:
            return
        if line.needs_a_look or line.created:
            is_unchanged = before is not None and before.line.is_applied == line.is_applied
            self.members[key] = NotableMember(line, before.since if before and is_unchanged else line.time)
        else:
            self.members.pop(key, None)


def read_reports(paths: Collection[Path], list_keys: ListKeys) -> Reports:
    """Read the files; raise NoReport for one that is not a report. Lines that cannot be read are counted."""
    reports = Reports(list_keys=list_keys)
    paths = sorted(set(paths), key=_first_run)
    for path in paths:
        _read_lists_and_runs(path, reports)
    dry = {run_id for run_id, run in reports.runs.items() if run.dry_run}
    if dry < reports.runs.keys():
        reports.runs = {run_id: run for run_id, run in reports.runs.items() if not run.dry_run}
        reports.lists = [line for line in reports.lists if line.run_id not in dry]
        reports.dry_runs_left_out = len(dry)
    else:
        dry = set()
    for path in paths:
        _read_members(path, reports, skipped_runs=dry)
    _drop_members_before_a_complete_mirror(reports)
    return reports


def _read_lists_and_runs(path: Path, reports: Reports) -> None:
    """Read the lines of runs and lists; raise NoReport if the file has no line of a report."""
    bad: list[int] = []
    is_report = False
    for number, text in enumerate(_lines(path), start=1):
        if is_report and _is_of_a_member(text) and b'"list"' not in text and b'"run"' not in text:
            continue
        if (fields := json_object(text)) is None:
            bad += [number] if text.strip() else []
            continue
        line = parse(fields)
        is_report = is_report or line is not None
        if isinstance(line, RunLine):
            reports.runs[line.run_id] = line
            reports.run_ids.add(line.run_id)
        elif isinstance(line, ListLine) and reports.is_new(line):
            reports.lists.append(line)
            reports.run_ids.add(line.run_id)
            reports.list_keys.add(line.of_list.portal_id, line.of_list.list_id, line.of_list.name)
    if not is_report and path.stat().st_size:
        raise NoReport(
            f'"{path}" is no report of target-hubspot-lists: it has no line of JSON with a kind and a run_id. '
            "Name a file that report_path made as JSON Lines; a report in CSV has no counts."
        )
    reports.note_unreadable(path, bad)


def _read_members(path: Path, reports: Reports, *, skipped_runs: Collection[str]) -> None:
    same: dict[ReportedList, ReportedList] = {}  # one object for each list, however many members it has
    bad: list[int] = []
    for number, text in enumerate(_lines(path), start=1):
        if not _is_of_a_member(text):
            continue
        if (fields := json_object(text)) is None:
            bad.append(number)
            continue
        line = parse(fields)
        if isinstance(line, MemberLine) and line.run_id not in skipped_runs:
            reports.take_member(line._replace(of_list=same.setdefault(line.of_list, line.of_list)))
    reports.note_unreadable(path, bad)


def _is_of_a_member(text: bytes) -> bool:
    """Return whether a line may be a member's, without parsing it."""
    return b'"member"' in text


def _drop_members_before_a_complete_mirror(reports: Reports) -> None:
    """Drop members named before the last successful mirror of their list, which has named all that still count."""
    last_mirror: dict[ListKey, str] = {}  # run ids
    for line in reports.lists:
        run = reports.runs.get(line.run_id)
        if run is not None and run.is_mirror and not run.exit_code:
            key = reports.list_keys.key(line.of_list)
            last_mirror[key] = max(last_mirror.get(key, ""), line.run_id)
    outdated = [
        key for key, member in reports.members.items() if member.line.run_id < last_mirror.get(key[0], "")
    ]
    for outdated_key in outdated:
        del reports.members[outdated_key]


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise NoReport(f'The report "{path}" cannot be read ({error.strerror}).') from error


def _first_run(path: Path) -> tuple[str, str]:
    """Return a sort key for files: the run id of their first line, which sorts by time."""
    lines: Iterable[bytes] = _lines(path)
    run_ids = (fields.get("run_id") for text in lines if (fields := json_object(text)) is not None)
    return str(next(run_ids, "") or ""), str(path)
