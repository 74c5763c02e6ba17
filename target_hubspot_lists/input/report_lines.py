"""Refuses the lines of a report as a snapshot: whoever is not among them would be removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

# Columns that every line about a member has, in JSON Lines and in CSV, and no snapshot of a cohort has together.
LINE_COLUMNS = frozenset({"run_id", "outcome", "correlation_id"})


def refuse_report_lines(stream: str, columns: Iterable[str]) -> None:
    """Raise InputError where the columns of a mirror's stream are those of a report's lines."""
    if {column.lower() for column in columns} >= LINE_COLUMNS:
        raise InputError(
            f'Stream "{stream}" holds lines of a report, and sync_mode is mirror: whoever is not among these lines '
            "would be removed. Send the rejected ones again with sync_mode: incremental."
        )
