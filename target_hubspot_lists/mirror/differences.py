"""Reads from the tables of a comparison which contacts are as asked, to be added, or to be removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.mirror.comparison import RESOLVED_COLUMNS, parsed
from target_hubspot_lists.mirror.snapshot import ROWS_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from target_hubspot_lists.ledger.workspace import Row, Workspace
    from target_hubspot_lists.mirror.comparison import Resolved

IS_MEMBER = "(r.word & 1) = 1"
IS_ON_LIST = "b.record_id IS NOT NULL"

# The conditions are about these rows; a join, since a subquery for each row takes four times as long.
FROM_RESOLVED = "FROM mirror_resolved r LEFT JOIN mirror_baseline b ON b.record_id = r.record_id"
TO_ADD = f"{IS_MEMBER} AND NOT {IS_ON_LIST}"
STAYING = f"{IS_MEMBER} AND {IS_ON_LIST}"
AWAY = f"NOT {IS_MEMBER} AND NOT {IS_ON_LIST}"
# Of plain ones nothing is to be asked, sent or told but how many they are; the rest are looked at one by one.
STAYING_PLAIN = f"{IS_MEMBER} AND r.is_created = 0 AND b.is_settled = 1"
STAYING_REST = f"{IS_MEMBER} AND (b.is_settled = 0 OR (r.is_created = 1 AND {IS_ON_LIST}))"
AWAY_PLAIN = f"r.is_created = 0 AND {AWAY}"
AWAY_REST = f"r.is_created = 1 AND {AWAY}"

FROM_TO_REMOVE = (
    "FROM mirror_baseline b LEFT JOIN mirror_resolved r ON r.record_id = b.record_id "
    "WHERE (r.record_id IS NULL OR (r.word & 1) = 0)"
)


class Differences:
    """Where the snapshot and the list of a comparison differ."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def count(self, condition: str, cohorts: Sequence[int]) -> Mapping[int, int]:
        """Return how many contacts there are for which one of the conditions above holds, by cohort."""
        rows = f"{FROM_RESOLVED} WHERE {condition}"
        if (
            len(cohorts) == 1
        ):  # most lists are of one: without a GROUP BY, which sorts, it takes a third of the time
            return {cohorts[0]: self._number(rows)}
        return dict(self._workspace.read(f"SELECT r.cohort, count(*) {rows} GROUP BY r.cohort"))

    def rows(self, condition: str) -> Iterator[Resolved]:
        """Yield the contacts for which one of the conditions above holds, in the order of their record ids."""
        return map(parsed, self._pages(f"SELECT {RESOLVED_COLUMNS} {FROM_RESOLVED} WHERE {condition}", "r"))

    def to_remove(self) -> Iterator[tuple[int, Resolved | None]]:
        """Yield members of the list that are not to be on it, each with the record that says so, or None."""
        for record_id, *said in self._pages(f"SELECT b.record_id, {RESOLVED_COLUMNS} {FROM_TO_REMOVE}", "b"):
            yield record_id, None if said[0] is None else parsed(tuple(said))

    def has_rest(self) -> bool:
        """Return whether any contact was created for this snapshot, or is unsettled in the ledger."""
        ((any_unsettled, any_created),) = self._workspace.read(
            "SELECT EXISTS (SELECT 1 FROM mirror_baseline WHERE is_settled = 0), "
            "EXISTS (SELECT 1 FROM mirror_resolved WHERE is_created = 1)"
        )
        return bool(any_unsettled or any_created)

    def baseline_size(self) -> int:
        """Return the number of members of the list."""
        return self._number("FROM mirror_baseline")

    def unread_to_remove(self) -> list[int]:
        """Return record ids to remove that this run has not looked up, a page at a time; none at the end."""
        unread = "NOT EXISTS (SELECT 1 FROM mirror_current c WHERE c.record_id = b.record_id)"
        return self._ids(f"SELECT b.record_id {FROM_TO_REMOVE} AND {unread}")

    def sure_to_remove(self) -> int:
        """Return the number of record ids to remove that this run has looked up."""
        read = "EXISTS (SELECT 1 FROM mirror_current c WHERE c.record_id = b.record_id)"
        return self._number(f"{FROM_TO_REMOVE} AND {read}")

    def unread_to_add(self) -> list[int]:
        """Return record ids to add that this run has not looked up, a page at a time; none at the end."""
        unread = "NOT EXISTS (SELECT 1 FROM mirror_current c WHERE c.record_id = r.record_id)"
        return self._ids(f"SELECT r.record_id {FROM_RESOLVED} WHERE {TO_ADD} AND {unread}")

    def _ids(self, statement: str) -> list[int]:
        return [record_id for (record_id,) in self._workspace.read(f"{statement} LIMIT {ROWS_AT_ONCE}")]

    def _number(self, rows: str) -> int:
        return int(self._workspace.read(f"SELECT count(*) {rows}")[0][0])

    def _pages(self, statement: str, table: str) -> Iterator[Row]:
        """Yield the rows of a statement that begins with the record id of a table, a page in memory at a time."""
        after = 0
        page = f"{statement} AND {table}.record_id > :after ORDER BY {table}.record_id LIMIT {ROWS_AT_ONCE}"
        while rows := self._workspace.read(page, after=after):
            yield from rows
            after = rows[-1][0]
