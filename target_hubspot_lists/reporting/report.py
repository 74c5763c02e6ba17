"""Write the report: JSON Lines, one for each member, list and run; or the member lines as CSV. It names people."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from os import SEEK_END
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import orjson

from hubspot_singer.plugin.private_files import open_private
from target_hubspot_lists.errors import TargetError
from target_hubspot_lists.identifiers import shown
from target_hubspot_lists.outcomes import Outcome, is_applied
from target_hubspot_lists.reporting.account import time_text
from target_hubspot_lists.reporting.text_tables import csv_heading, csv_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from hubspot_singer.plugin.portal import Portal
    from target_hubspot_lists.identifiers import Identifier
    from target_hubspot_lists.input.records import Rejection
    from target_hubspot_lists.reporting.account import Account, RequestedChange, Settlement
    from target_hubspot_lists.settings import ReportMembers

BEGINNING = b'{"kind":'  # of each line, also of one that a killed run left torn

# The columns of a member's line as CSV. CSV has no lines of lists and runs: the log and JSON Lines have those.
CSV_COLUMNS = (
    "run_id",
    "time",
    "portal_id",
    "cohort",
    "cohort_id",
    "list_id",
    "list_name",
    "list_url",
    "member",
    "identifier",
    "operation",
    "record_id",
    "outcome",
    "created",
    "tried_again",
    "reason",
    "message",
    "correlation_id",
    "properties",
    "property",
    "property_reason",
    "property_correlation_id",
    "mailability",
    "mailability_as_of",
)


def _check_is_report(path: str) -> None:
    """Raise TargetError if there is a file with this path that does not begin as a report does."""
    if not Path(path).is_file():
        return  # opening it says what else it is
    with Path(path).open("rb") as file:
        if not BEGINNING.startswith(file.read(len(BEGINNING))):
            raise TargetError(
                f'report_path "{path}" is a file that holds something else than a report, and nothing is added to it: '
                "name another file."
            )


def new_run_id() -> str:
    """Return the id of a run that starts now; ids sort by time: `20261122T031501Z-1f0c5a7e`."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


@dataclass
class Report:
    """The lines of one run; they are appended to the report file."""

    path: str
    run_id: str
    members: ReportMembers
    identifiers: Sequence[Identifier]
    portal: Portal | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    _file: IO[bytes] = field(init=False, repr=False)
    _is_new: bool = field(init=False, repr=False)  # the file was created by this run, or was empty
    _encode: Callable[[Mapping[str, Any]], bytes] = field(init=False, repr=False)
    # Run id and line number identify a line, so that a line that is loaded twice can be recognized.
    _numbers: Iterator[int] = field(default_factory=lambda: count(1), init=False, repr=False)

    def __post_init__(self) -> None:
        self.path = self.path.replace("{run_id}", self.run_id)
        with self._os_errors():
            is_csv = self.path.lower().endswith(".csv")
            if not is_csv:
                _check_is_report(self.path)
            self._file = open_private(self.path, append=True)
            self._is_new = not Path(self.path).stat().st_size
        self._encode = self._as_csv() if is_csv else _json_line
        if self._has_torn_line():
            self._append(b"\n")

    def _has_torn_line(self) -> bool:
        """Return whether a run that was killed, or had no room, left a line without its end."""
        if self._is_new:
            return False
        with self._os_errors(), Path(self.path).open("rb") as file:
            file.seek(-1, SEEK_END)
            return file.read(1) != b"\n"

    def _as_csv(self) -> Callable[[Mapping[str, Any]], bytes]:
        """Write the heading of a new CSV file, or check that an existing one has the same columns."""
        heading = csv_heading(CSV_COLUMNS)
        with self._os_errors(), Path(self.path).open("rb") as file:
            first_line = file.readline(len(heading) + 1)
        if not self._is_new and first_line != heading:
            self._file.close()
            raise TargetError(
                f'report_path "{self.path}" has other columns than this version writes: name another file.'
            )
        if self._is_new:
            self._append(heading)
        return _csv_member

    @contextmanager
    def _os_errors(self) -> Iterator[None]:
        """Turn an OSError into a TargetError that names the file."""
        try:
            yield
        except OSError as error:
            raise TargetError(
                f'report_path "{self.path}" cannot be written ({error.strerror}): '
                "name a file in a folder that exists, that this user may write to, and that has room."
            ) from error

    @property
    def names_all_members(self) -> bool:
        """Whether each member has a line, also those already as asked."""
        return self.members == "all"

    def names(self, outcome: Outcome, *, is_member: bool) -> bool:
        """Return whether each member with this outcome has a line."""
        return self.members == "all" or not is_applied(outcome, is_member=is_member)

    def member(self, asked: RequestedChange, settled: Settlement) -> None:
        """Write the line of a member who is not as asked, created or not mailed; with `report_members: all`, of any."""
        outcome, refusal, properties = settled.outcome, settled.refusal, settled.properties
        problem = properties.problem if properties else None
        mailability = settled.mailability
        if asked.account.is_retry:
            is_named = is_applied(outcome, is_member=asked.is_member)  # an earlier run has named the others
        else:
            is_notable = problem or settled.created or (mailability and not mailability.is_mailable)
            is_named = bool(is_notable) or self.names(outcome, is_member=asked.is_member)
        if not is_named:
            return
        record_id = settled.record_id
        self._write(
            "member",
            **self._list_fields(asked.account),
            member=shown(asked.member, self.identifiers, asked.found_by),
            identifier=None if asked.found_by is None else self.identifiers[asked.found_by].name,
            operation="add" if asked.is_member else "remove",
            record_id=None if record_id is None else str(record_id),
            outcome=outcome,
            created=settled.created,
            tried_again=asked.account.is_retry,
            reason=refusal and refusal.reason,
            message=refusal and refusal.message,
            correlation_id=refusal and refusal.correlation_id,
            properties=properties and properties.outcome,
            property=problem and problem.property,
            property_reason=problem and problem.reason,
            property_correlation_id=problem and problem.correlation_id,
            mailability=mailability and mailability.mailability,
            mailability_as_of=mailability and time_text(mailability.looked_up),
        )

    def rejection(self, stream: str, rejection: Rejection, account: Account | None) -> None:
        """Write the line of a record that could not be applied."""
        self._write(
            "member",
            **self._list_fields(account),
            stream=stream,
            member=rejection.member,
            identifier=None,
            operation=rejection.operation,
            record_id=None,
            outcome=Outcome.REJECTED,
            created=False,
            tried_again=False,
            reason=rejection.reason,
            message=None,
            correlation_id=None,
            properties=None,
            property=None,
            property_reason=None,
            property_correlation_id=None,
            mailability=None,
            mailability_as_of=None,
        )

    def close(self, lists: Iterable[Account], **run: Any) -> None:  # noqa: ANN401 - whatever JSON has
        """Write the lines of the lists and of the run, however it ended, and close the file."""
        with self._os_errors(), self._file:
            for account in lists:
                self._write("list", **self._list_fields(account), **account.figures)
            self._write(
                "run",
                started=self.started.isoformat(timespec="milliseconds"),
                report_members=self.members,
                **run,
            )

    def flush(self) -> None:
        """Hand everything written so far to the operating system."""
        with self._os_errors():
            self._file.flush()

    def discard(self) -> None:
        """Close the file without a line of this run; delete it if this run created it."""
        self._file.close()
        if self._is_new:
            Path(self.path).unlink()

    def _list_fields(self, account: Account | None) -> dict[str, Any]:
        list_id = account.list_id if account else None
        return {
            "cohort": account.cohort.name if account else None,
            "cohort_id": account.cohort.id if account else None,
            "list_id": list_id,
            "list_name": account.label if account else None,
            "list_url": self.portal.list_url(list_id) if self.portal and list_id else None,
        }

    def _write(self, kind: str, **fields: Any) -> None:  # noqa: ANN401 - whatever JSON has
        line = {
            "kind": kind,
            "run_id": self.run_id,
            "line": next(self._numbers),
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "portal_id": self.portal.portal_id if self.portal else None,
            **fields,
        }
        self._append(self._encode(line))

    def _append(self, text: bytes) -> None:
        with self._os_errors():
            self._file.write(text)


def _json_line(line: Mapping[str, Any]) -> bytes:
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _csv_member(line: Mapping[str, Any]) -> bytes:
    return csv_line(line.get(column) for column in CSV_COLUMNS).encode() if line["kind"] == "member" else b""
