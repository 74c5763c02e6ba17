"""Puts what the plugins said, and what HubSpot has, into few and narrow lines."""

from __future__ import annotations

import json
import re
from itertools import dropwhile
from typing import TYPE_CHECKING

from examples.demo.pipeline import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from examples.demo.commands import CommandFailed
    from examples.demo.hubspot import ListWithMembers
    from examples.demo.pipeline import Said

MEMBERS_SHOWN = 4
LAST_LINES = 15  # of a log, when a step failed


def events_read(said: Said) -> int:
    """Return how many events the tap read, by the last line of its table."""
    (total,) = (line for line in said.by("tap-hubspot-email-events") if line.startswith("total "))
    return int(cells(total)[-1])


def summary(lines: Iterable[str]) -> Iterator[str]:
    """Yield the target's summary: its table, and what follows."""
    yield from dropwhile(lambda line: not line.startswith("list "), lines)


def cells(row: str) -> list[str]:
    """Return the cells of a row of a table."""
    return re.split(r" {2,}", row.strip())


def members_told_of(report: Path) -> Iterator[str]:
    """Yield what the report says of single members."""
    for line in report.read_text("utf-8").splitlines():
        entry = json.loads(line)
        if entry["kind"] == "member":
            why = (
                "a contact was made"
                if entry.get("created")
                else entry["reason"] or "HubSpot has no such contact"
            )
            yield f"{entry['operation']} {entry['member']}: {entry['outcome']} ({why})"


def shown(found: ListWithMembers) -> Iterator[str]:
    """Yield a list and some of its members, one in a line."""
    yield f"{found.name} (list {found.list_id}): {len(found.members)} contacts"
    yield from (f"  {member}" for member in found.members[:MEMBERS_SHOWN])
    if (more := len(found.members) - MEMBERS_SHOWN) > 0:
        yield f"  and {more} more"


def failure(failed: CommandFailed) -> Iterator[str]:
    """Yield which step failed, and the end of its log."""
    yield f"This failed: {' '.join(failed.command)}"
    yield f"The end of {failed.log}:"
    for line in failed.log.read_text("utf-8", errors="replace").splitlines()[-LAST_LINES:]:
        entry = parsed(line)
        yield f"  {entry.get('event', line)}"
        details = entry.get("install_state")
        if isinstance(details, dict) and details.get("details"):
            yield from (f"    {detail}" for detail in str(details["details"]).splitlines())
