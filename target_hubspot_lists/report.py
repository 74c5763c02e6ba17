"""Writes the report the user asked for: JSON Lines, one for each member, list and run; it may name people."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import orjson

from target_hubspot_lists.errors import TargetError
from target_hubspot_lists.outcomes import Outcome, PropertyOutcome, is_applied

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_hubspot_lists.accounts import Account, Accounts, Asked, Settlement
    from target_hubspot_lists.memberships import Rejection
    from target_hubspot_lists.outcomes import Reason
    from target_hubspot_lists.portal import Portal
    from target_hubspot_lists.settings import ReportMembers

OWNER_ONLY = 0o600  # the report may hold people's addresses


def new_run_id() -> str:
    """A name for a run that sorts by time: `20261122T031501Z-1f0c5a7e`."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


@dataclass
class Report:
    """One run's lines of the report file; a run appends to what is there."""

    path: str
    run_id: str
    members: ReportMembers
    portal: Portal | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    _file: IO[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.path = self.path.replace("{run_id}", self.run_id)
        with self._named():
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, OWNER_ONLY)
        self._file = os.fdopen(descriptor, "ab")

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Say which file it is that the system does not let us write."""
        try:
            yield
        except OSError as error:
            raise TargetError(
                f'report_path "{self.path}" cannot be written ({error.strerror}): '
                "name a file in a folder that exists, that this user may write to, and that has room."
            ) from error

    def member(self, asked: Asked, settled: Settlement) -> None:
        """Write a member's line: of those not in the state asked for, of those created, or of all."""
        outcome, refusal, properties = settled.outcome, settled.refusal, settled.properties
        problem = properties.problem if properties else None
        is_as_asked = is_applied(outcome, is_member=asked.is_member) and problem is None
        if is_as_asked and not settled.created and self.members != "all":
            return
        record_id = settled.record_id
        self._write(
            "member",
            **self._list_fields(asked.account),
            member=str(asked.member),
            operation="add" if asked.is_member else "remove",
            record_id=None if record_id is None else str(record_id),
            outcome=outcome,
            created=settled.created,
            reason=refusal and refusal.reason,
            message=refusal and refusal.message,
            correlation_id=refusal and refusal.correlation_id,
            properties=properties and properties.outcome,
            property=problem and problem.property,
            property_reason=problem and problem.reason,
            property_correlation_id=problem and problem.correlation_id,
        )

    def rejection(self, stream: str, rejection: Rejection, account: Account | None) -> None:
        """Write the line of a record that could not be applied, as it was asked."""
        self._write(
            "member",
            **self._list_fields(account),
            stream=stream,
            member=rejection.member,
            operation=rejection.operation,
            record_id=None,
            outcome=Outcome.REJECTED,
            created=False,
            reason=rejection.reason,
            message=None,
            correlation_id=None,
            properties=None,
            property=None,
            property_reason=None,
            property_correlation_id=None,
        )

    def close(self, accounts: Accounts, **run: Any) -> None:  # noqa: ANN401 - whatever JSON has
        """Write the lines of the lists and of the run, however it ended, and close the file."""
        with self._named(), self._file:
            for account in accounts.lists.values():
                self._write("list", **self._list_fields(account), **_figures(account))
            self._write(
                "run",
                started=self.started.isoformat(timespec="milliseconds"),
                records_read=accounts.records_read,
                lists_created=accounts.lists_created,
                contacts_created=accounts.contacts_created,
                properties_created=accounts.properties_created,
                streams={
                    name: {
                        "records_read": stream.records_read,
                        "rejected_without_list": _by_name(stream.reasons),
                    }
                    for name, stream in accounts.streams.items()
                },
                **run,
            )

    def flush(self) -> None:
        """Let everything written so far survive the process."""
        with self._named():
            self._file.flush()

    def discard(self) -> None:
        """Close the file without a line of this run; one that is empty goes."""
        self._file.close()
        if not Path(self.path).stat().st_size:
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
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "portal_id": self.portal.portal_id if self.portal else None,
            **fields,
        }
        with self._named():
            self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def _figures(account: Account) -> dict[str, Any]:
    return {
        "records_read": account.records_read,
        "superseded": account.superseded,
        "mirror_removals": account.mirror_removals,
        "put_back": account.put_back,
        "asked": account.asked,
        **{outcome.value: account.outcomes[outcome] for outcome in Outcome},
        "reasons": _by_name(account.reasons),
        "contacts_created": account.contacts_created,
        **{f"properties_{each.value}": account.properties[each] for each in PropertyOutcome},
        "property_problems": [
            {"property": name, "reason": reason, "members": count}
            for (reason, name), count in account.property_problems.items()
        ],
        "match_rate": account.match_rate,
        "calls": account.calls,
        "seconds": round(account.seconds, 3),
    }


def _by_name(reasons: Mapping[Reason, int]) -> dict[str, int]:
    return {reason.value: count for reason, count in reasons.items()}
