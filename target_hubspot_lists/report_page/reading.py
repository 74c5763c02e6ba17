"""Reads report files, and keeps of the members only those that somebody should look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.report_page.directory import Directory
from target_hubspot_lists.report_page.lines import ListLine, MemberLine, RunLine, json_object, parse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from target_hubspot_lists.report_page.directory import ListKey
    from target_hubspot_lists.report_page.lines import ListName


class NoReport(Exception):
    """A file cannot be read, or holds no line of a report; `str()` is one sentence for the user."""


class Remark(NamedTuple):
    """The latest word on a member of a list, where somebody should look at it, and since when that is so."""

    line: MemberLine
    since: datetime | None


@dataclass
class Reports:
    """What report files say. Dry runs count only where there is no other run."""

    runs: dict[str, RunLine] = field(default_factory=dict)
    lists: list[ListLine] = field(default_factory=list)
    members: dict[tuple[ListKey, str], Remark] = field(default_factory=dict)
    run_ids: set[str] = field(default_factory=set)
    dry_runs_left_out: int = 0
    unreadable: dict[Path, set[int]] = field(
        default_factory=dict
    )  # numbers of lines that are no JSON objects
    directory: Directory = field(default_factory=Directory)
    _seen: set[tuple[str, int]] = field(default_factory=set)

    def is_new(self, line: ListLine) -> bool:
        """Whether a line was not read before: a report may be given twice, as a copy."""
        name = (line.run_id, line.number)
        if line.number and name in self._seen:
            return False
        self._seen.add(name)
        return True

    @property
    def runs_without_end(self) -> set[str]:
        """Runs that wrote lines and never the last one: they were killed, or are still under way."""
        return self.run_ids - self.runs.keys()

    @property
    def is_dry(self) -> bool:
        """Whether nothing that is told was done."""
        return any(run.dry_run for run in self.runs.values())

    def note_unreadable(self, path: Path, lines: Collection[int]) -> None:
        """Take note of lines that are no JSON objects, such as a last one that was cut off."""
        if lines:
            self.unreadable.setdefault(path, set()).update(lines)

    def take_member(self, line: MemberLine) -> None:
        """Take a member's line: of two about one member of a list the later counts."""
        self.run_ids.add(line.run_id)
        key = (self.directory.key(line.of_list), line.member)
        known = self.members.get(key)
        if known is not None and known.line.run_id > line.run_id:
            return
        if line.is_remarkable or line.created:
            is_the_same = known is not None and known.line.is_applied == line.is_applied
            self.members[key] = Remark(line, known.since if known and is_the_same else line.time)
        else:
            self.members.pop(key, None)


def read_reports(paths: Collection[Path], directory: Directory) -> Reports:
    """Read the files; NoReport names one that is no report. Lines that cannot be read are counted."""
    reports = Reports(directory=directory)
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
        _read_members(path, reports, without=dry)
    _leave_out_what_a_mirror_settled(reports)
    return reports


def _read_lists_and_runs(path: Path, reports: Reports) -> None:
    """Read the lines that are few, and see whether the file is a report."""
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
            reports.directory.learn(line.of_list.portal_id, line.of_list.list_id, line.of_list.name)
    if not is_report and path.stat().st_size:
        raise NoReport(
            f'"{path}" is no report of target-hubspot-lists: it has no line of JSON with a kind and a run_id. '
            "Name a file that report_path made as JSON Lines; a report in CSV has no counts."
        )
    reports.note_unreadable(path, bad)


def _read_members(path: Path, reports: Reports, *, without: Collection[str]) -> None:
    names: dict[ListName, ListName] = {}  # a million lines name a few lists
    bad: list[int] = []
    for number, text in enumerate(_lines(path), start=1):
        if not _is_of_a_member(text):
            continue
        if (fields := json_object(text)) is None:
            bad.append(number)
            continue
        line = parse(fields)
        if isinstance(line, MemberLine) and line.run_id not in without:
            reports.take_member(line._replace(of_list=names.setdefault(line.of_list, line.of_list)))
    reports.note_unreadable(path, bad)


def _is_of_a_member(text: bytes) -> bool:
    """Whether a line can be a member's, told without parsing it."""
    return b'"member"' in text


def _leave_out_what_a_mirror_settled(reports: Reports) -> None:
    """A complete mirror says all there is to say of its lists: what earlier runs said of them is over."""
    settled: dict[ListKey, str] = {}
    for line in reports.lists:
        run = reports.runs.get(line.run_id)
        if run is not None and run.is_mirror and not run.exit_code:
            key = reports.directory.key(line.of_list)
            settled[key] = max(settled.get(key, ""), line.run_id)
    settled_over = [
        key for key, told in reports.members.items() if told.line.run_id < settled.get(key[0], "")
    ]
    for member in settled_over:
        del reports.members[member]


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise NoReport(f'The report "{path}" cannot be read ({error.strerror}).') from error


def _first_run(path: Path) -> tuple[str, str]:
    """Sort files by the run of their first line: its name sorts by time."""
    lines: Iterable[bytes] = _lines(path)
    run_ids = (fields.get("run_id") for text in lines if (fields := json_object(text)) is not None)
    return str(next(run_ids, "") or ""), str(path)
