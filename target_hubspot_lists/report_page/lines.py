"""Parses the lines of a report. A field that is absent, of another type, or out of all bounds is None, 0 or empty."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from target_hubspot_lists.outcomes import UNAPPLIED, Mailability

if TYPE_CHECKING:
    from collections.abc import Mapping


class ReportedList(NamedTuple):
    """The list that a line is about; its fields are None for a record that names no list."""

    portal_id: int | None
    list_id: str | None
    name: str | None
    cohort: str | None
    url: str | None


class MemberLine(NamedTuple):
    """The outcome of one membership in one run."""

    run_id: str
    number: int  # of the line within its run; 0 if the line has none
    time: datetime | None
    of_list: ReportedList
    member: str
    identifier: str | None  # of several identifiers of the record, the one that matched
    operation: str  # add or remove
    record_id: str | None
    outcome: str
    created: bool
    reason: str | None
    message: str | None
    correlation_id: str | None
    property_name: str | None
    property_reason: str | None
    mailability: str | None

    @property
    def is_applied(self) -> bool:
        """Whether the list is as asked; a contact that HubSpot does not have is on no list."""
        return self.outcome in APPLIED or (self.outcome == "missing" and self.operation == "remove")

    @property
    def cannot_be_mailed(self) -> bool:
        """Whether HubSpot does not mail this member."""
        return self.mailability is not None and self.mailability != MAILABLE

    @property
    def needs_a_look(self) -> bool:
        """Whether the member is not in place, is not mailed, or has properties that were not written."""
        return not self.is_applied or self.cannot_be_mailed or self.property_reason is not None


class ListLine(NamedTuple):
    """The counts of one list in one run."""

    run_id: str
    number: int  # of the line within its run; 0 if the line has none
    time: datetime | None
    of_list: ReportedList
    asked: int
    applied: int
    outcomes: Mapping[str, int]
    reasons: Mapping[str, int]
    property_problems: Mapping[tuple[str, str | None], int]  # (reason, property) → members
    mailability: Mapping[str, int]
    contacts_created: int
    restored: int
    retried: int
    match_rate: float | None
    size: int | None  # members of the list after the run
    complete: bool | None  # whether the run came to its end for this list


class RunLine(NamedTuple):
    """How one run ended."""

    run_id: str
    time: datetime | None
    portal_id: int | None
    started: datetime | None
    exit_code: int
    error: str | None
    dry_run: bool
    is_mirror: bool
    streams: frozenset[str]
    records_read: int
    not_settled: int
    without_list: Mapping[str, int]  # reason → records that name no list
    calls: int
    seconds: float | None


Line = MemberLine | ListLine | RunLine

LONGEST_RUN = 10 * 366 * 86_400.0  # seconds; more is no run's, and soon more than a span of time can be
MAILABLE = Mailability.MAILABLE
OUTCOMES = (
    "added",
    "already_member",
    "removed",
    "not_a_member",
    "unconfirmed",
    "missing",
    "rejected",
    "skipped",
    "dropped",
)
APPLIED = frozenset(OUTCOMES) - UNAPPLIED


def json_object(text: bytes) -> Mapping[str, Any] | None:
    """Parse the text of a line; return None if it is not a JSON object."""
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return fields if isinstance(fields, dict) else None


def parse(line: Mapping[str, Any]) -> Line | None:
    """Parse a line; return None for a kind that this version does not know."""
    run_id = _text(line, "run_id")
    if run_id is None:
        return None
    match line.get("kind"):
        case "member":
            return _member(run_id, line)
        case "list":
            return _list(run_id, line)
        case "run":
            return _run(run_id, line)
    return None


def _member(run_id: str, line: Mapping[str, Any]) -> MemberLine:
    return MemberLine(
        run_id=run_id,
        number=count_of(line, "line"),
        time=moment(line.get("time")),
        of_list=_of_list(line),
        member=_text(line, "member") or "",
        identifier=_text(line, "identifier"),
        operation="remove" if line.get("operation") == "remove" else "add",
        record_id=_text(line, "record_id"),
        outcome=_text(line, "outcome") or "rejected",
        created=line.get("created") is True,
        reason=_text(line, "reason"),
        message=_text(line, "message"),
        correlation_id=_text(line, "correlation_id"),
        property_name=_text(line, "property"),
        property_reason=_text(line, "property_reason"),
        mailability=_text(line, "mailability"),
    )


def _list(run_id: str, line: Mapping[str, Any]) -> ListLine:
    outcomes = {outcome: count for outcome in OUTCOMES if (count := count_of(line, outcome))}
    unapplied = sum(count for outcome, count in outcomes.items() if outcome in UNAPPLIED)
    asked = count_of(line, "asked")
    problems = line.get("property_problems")
    return ListLine(
        run_id=run_id,
        number=count_of(line, "line"),
        time=moment(line.get("time")),
        of_list=_of_list(line),
        asked=asked,
        # Without the field, the removal of a contact that HubSpot does not have counts as not applied.
        applied=count_of(line, "applied", sum(outcomes.values()) - unapplied),
        outcomes=outcomes,
        reasons=_counts(line.get("reasons")),
        property_problems={
            (str(problem.get("reason")), _text(problem, "property")): count_of(problem, "members")
            for problem in (problems if isinstance(problems, list) else ())
            if isinstance(problem, dict)
        },
        mailability=_counts(line.get("mailability")),
        contacts_created=count_of(line, "contacts_created"),
        restored=count_of(line, "put_back"),
        retried=count_of(line, "retried"),
        match_rate=_number(line, "match_rate", most=1.0),
        size=count_of(line, "size") if isinstance(line.get("size"), int) else None,
        complete=complete if isinstance(complete := line.get("complete"), bool) else None,
    )


def _run(run_id: str, line: Mapping[str, Any]) -> RunLine:
    streams = _fields(line.get("streams"))
    without_list: dict[str, int] = {}
    for stream in streams.values():
        for reason, count in _counts(_fields(stream).get("rejected_without_list")).items():
            without_list[reason] = without_list.get(reason, 0) + count
    return RunLine(
        run_id=run_id,
        time=moment(line.get("time")),
        portal_id=_whole(line.get("portal_id")),
        started=moment(line.get("started")) or started(run_id),
        exit_code=count_of(line, "exit_code"),
        error=_text(line, "error"),
        dry_run=line.get("dry_run") is True,
        is_mirror=line.get("sync_mode") == "mirror",
        streams=frozenset(streams),
        records_read=count_of(line, "records_read"),
        not_settled=count_of(line, "not_settled"),
        without_list=without_list,
        calls=count_of(line, "calls"),
        seconds=_number(line, "seconds", most=LONGEST_RUN),
    )


def _of_list(line: Mapping[str, Any]) -> ReportedList:
    return ReportedList(
        portal_id=_whole(line.get("portal_id")),
        list_id=_text(line, "list_id"),
        name=_text(line, "list_name"),
        cohort=_text(line, "cohort"),
        url=_text(line, "list_url"),
    )


def moment(value: object) -> datetime | None:
    """Parse an ISO date-time, in UTC if it has no zone; return None for any other value."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    try:
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError:  # the first or the last day of the calendar, in another zone
        return None


def started(run_id: str) -> datetime | None:
    """Return when a run started, from its id (`20261122T031501Z-1f0c5a7e`); None for another id."""
    try:
        return datetime.strptime(run_id.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _text(line: Mapping[str, Any], name: str) -> str | None:
    value = line.get(name)
    if value is None or isinstance(value, dict | list | bool):
        return None
    return str(value)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def count_of(line: Mapping[str, Any], name: str, default: int = 0) -> int:
    """Return a count; the default where the field is not a whole number of 0 or more."""
    value = _whole(line.get(name))
    return default if value is None or value < 0 else value


def _number(line: Mapping[str, Any], name: str, *, most: float) -> float | None:
    value = line.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value <= most else None


def _counts(value: object) -> dict[str, int]:
    return {str(name): count for name in _fields(value) if (count := count_of(_fields(value), name))}


def _fields(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
