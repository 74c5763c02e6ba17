"""Lines of reports with sensible defaults: a test says only what matters to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PORTAL = 1234567
FIRST = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)  # when run 1 began


def run_id(number: int = 1) -> str:
    """The name of a run: one a day."""
    return f"{started(number):%Y%m%dT%H%M%SZ}-0000000{number % 10}"


def started(number: int = 1) -> datetime:
    """When that run began."""
    return FIRST + timedelta(days=number - 1)


def line(kind: str, run: int, **fields: Any) -> dict[str, Any]:
    """What every line says."""
    time = started(run) + timedelta(seconds=30)
    return {
        "kind": kind,
        "run_id": run_id(run),
        "time": time.isoformat(timespec="milliseconds"),
        "portal_id": PORTAL,
        **fields,
    }


def of_list(name: str | None = "VIP", list_id: str | None = "42") -> dict[str, Any]:
    """What the lines about a list say of it."""
    url = f"https://app.hubspot.com/contacts/{PORTAL}/objectLists/{list_id}" if list_id else None
    cohort = {"cohort": name, "cohort_id": None}
    return {**cohort, "list_id": list_id, "list_name": name, "list_url": url}


def member_line(
    member: str = "ada@example.com",
    *,
    run: int = 1,
    name: str | None = "VIP",
    list_id: str | None = "42",
    **fields: Any,
) -> dict[str, Any]:
    """A member's line; by default HubSpot does not know the address."""
    told = {"member": member, "operation": "add", "record_id": None, "outcome": "missing", "created": False}
    untold = dict.fromkeys(("reason", "message", "correlation_id", "properties", "property"))
    return line("member", run, **of_list(name, list_id), **{**told, **untold, **fields})


def list_line(
    *, run: int = 1, name: str | None = "VIP", list_id: str | None = "42", **fields: Any
) -> dict[str, Any]:
    """A list's line; by default all that was asked for was added."""
    told = {"reasons": {}, "contacts_created": 0, "put_back": 0, "property_problems": [], **fields}
    outcomes = ("added", "removed", "already_member", "missing", "rejected", "skipped", "dropped")
    asked = sum(told.get(each, 0) for each in outcomes)
    unapplied = sum(told.get(each, 0) for each in ("missing", "rejected", "skipped", "dropped"))
    return line(
        "list", run, **of_list(name, list_id), **{"asked": asked, "applied": asked - unapplied, **told}
    )


def run_line(*, run: int = 1, **fields: Any) -> dict[str, Any]:
    """A run's line; by default it went well."""
    told = {
        "started": started(run).isoformat(timespec="milliseconds"),
        "exit_code": 0,
        "error": None,
        "dry_run": False,
        "sync_mode": "incremental",
        "report_members": "unapplied",
        "records_read": 1,
        "not_settled": 0,
        "streams": {},
        "calls": 12,
        "seconds": 3.5,
    }
    return line("run", run, **{**told, **fields})


def write(path: Path, *lines: dict[str, Any]) -> Path:
    """Write the lines as a report, with a number each."""
    path.write_text("".join(f"{json.dumps(each)}\n" for each in numbered(lines)), "utf-8")
    return path


def numbered(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines with numbers; the target counts those of a run."""
    return [{"line": number, **each} for number, each in enumerate(lines, start=1)]
