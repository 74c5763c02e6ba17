"""The members of a list before a mirror changes it, and where its snapshot differs from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.batching import in_chunks
from target_hubspot_lists.mirror.comparison import RESOLVED_COLUMNS, parsed
from target_hubspot_lists.mirror.snapshot import ROWS_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_hubspot_lists.ledger.workspace import Row, Workspace
    from target_hubspot_lists.mirror.comparison import Resolved

IS_MEMBER = "(r.word & 1) = 1"
IS_ON_LIST = "b.record_id IS NOT NULL"

# The conditions are about these rows; a join, since a subquery for each row takes four times as long.
FROM_RESOLVED = "FROM mirror_resolved r LEFT JOIN mirror_baseline b ON b.record_id = r.record_id"
TO_ADD = f"{IS_MEMBER} AND NOT {IS_ON_LIST}"
ALREADY_MEMBER = f"{IS_MEMBER} AND {IS_ON_LIST}"
NOT_A_MEMBER = f"NOT {IS_MEMBER} AND NOT {IS_ON_LIST}"
# Those that are only counted: nothing of them is asked, sent or reported. The others are gone through one by one.
ALREADY_MEMBER_COUNTED = f"{IS_MEMBER} AND r.is_created = 0 AND b.is_settled = 1"
ALREADY_MEMBER_OTHERS = f"{IS_MEMBER} AND (b.is_settled = 0 OR (r.is_created = 1 AND {IS_ON_LIST}))"
NOT_A_MEMBER_COUNTED = f"r.is_created = 0 AND {NOT_A_MEMBER}"
NOT_A_MEMBER_OTHERS = f"r.is_created = 1 AND {NOT_A_MEMBER}"

FROM_TO_REMOVE = (
    "FROM mirror_baseline b LEFT JOIN mirror_resolved r ON r.record_id = b.record_id "
    "WHERE (r.record_id IS NULL OR (r.word & 1) = 0)"
)


class Differences:
    """One list at a time: its members, in the table `mirror_baseline`, joined with the snapshot of a `Comparison`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        workspace.create("mirror_baseline", f"record_id {workspace.ordered_key}, is_settled INTEGER")

    # The members of the list

    def start(self) -> None:
        """Begin with the next list, of which no member is known yet."""
        self._workspace.clear("mirror_baseline")

    def take_members(self, record_ids: Iterable[int], *, is_settled: bool) -> None:
        """Insert members of the list; `is_settled`: HubSpot has confirmed them, in this run or an earlier one."""
        for some in in_chunks(record_ids, ROWS_AT_ONCE):
            self._workspace.insert(
                "mirror_baseline",
                [(record_id, int(is_settled)) for record_id in some],
                on_conflict="ON CONFLICT (record_id) DO NOTHING",
            )

    def take_known_members(self, list_id: str) -> None:
        """Insert the members that the ledger knows; those whose last call was not answered are not settled."""
        self._workspace.change(
            "INSERT INTO mirror_baseline SELECT m.record_id, CASE WHEN (m.state & 4) = 0 THEN 1 ELSE 0 END "
            "FROM ledger_memberships m JOIN ledger_lists l ON l.list_key = m.list_key "
            "WHERE l.portal_id = :portal_id AND l.list_id = :list_id AND (m.state & 5) <> 0",
            portal_id=self._workspace.portal_id,
            list_id=list_id,
        )

    def unsettle_merged(self) -> None:
        """Mark merged contacts as not settled: the ledger may have recorded them under a retired record id."""
        self._workspace.change(
            "UPDATE mirror_baseline SET is_settled = 0 WHERE record_id IN "
            "(SELECT current_id FROM mirror_current WHERE current_id <> record_id)"
        )

    def drop_member(self, record_id: int) -> None:
        """Delete a record id that is not on the list any more, or whose contact has another one."""
        statement = "DELETE FROM mirror_baseline WHERE record_id = :record_id"
        self._workspace.change(statement, record_id=record_id)

    def is_on_list(self, record_id: int) -> bool:
        """Return whether the record id is on the list."""
        statement = "SELECT 1 FROM mirror_baseline WHERE record_id = :record_id"
        return bool(self._workspace.read(statement, record_id=record_id))

    def members(self) -> int:
        """Return the number of members of the list."""
        return self._number("FROM mirror_baseline")

    # Where the snapshot differs

    def count(self, condition: str, cohorts: Sequence[int]) -> Mapping[int, int]:
        """Return by cohort how many contacts there are for which one of the conditions above holds."""
        rows = f"{FROM_RESOLVED} WHERE {condition}"
        # Most lists are of one cohort: without a GROUP BY, which sorts, it takes a third of the time.
        if len(cohorts) == 1:
            return {cohorts[0]: self._number(rows)}
        return dict(self._workspace.read(f"SELECT r.cohort, count(*) {rows} GROUP BY r.cohort"))

    def rows(self, condition: str) -> Iterator[Resolved]:
        """Yield the contacts for which one of the conditions above holds, in the order of their record ids."""
        return map(parsed, self._pages(f"SELECT {RESOLVED_COLUMNS} {FROM_RESOLVED} WHERE {condition}", "r"))

    def to_remove(self) -> Iterator[tuple[int, Resolved | None]]:
        """Yield members of the list that are not to be on it, each with the record that says so, or None."""
        for record_id, *row in self._pages(f"SELECT b.record_id, {RESOLVED_COLUMNS} {FROM_TO_REMOVE}", "b"):
            yield record_id, None if row[0] is None else parsed(tuple(row))

    def count_to_remove(self) -> int:
        """Return how many members `to_remove` yields."""
        return self._number(FROM_TO_REMOVE)

    def has_others(self) -> bool:
        """Return whether any contact was created for this snapshot, or is unsettled in the ledger."""
        ((any_unsettled, any_created),) = self._workspace.read(
            "SELECT EXISTS (SELECT 1 FROM mirror_baseline WHERE is_settled = 0), "
            "EXISTS (SELECT 1 FROM mirror_resolved WHERE is_created = 1)"
        )
        return bool(any_unsettled or any_created)

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
