"""The members of a list before a mirror changes it, as HubSpot or the ledger has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.batching import in_chunks
from target_hubspot_lists.mirror.snapshot import ROWS_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_hubspot_lists.ledger.workspace import Workspace


class Baseline:
    """The record ids of the members of one list at a time, in the table `mirror_baseline`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        workspace.create("mirror_baseline", f"record_id {workspace.ordered_key}, is_settled INTEGER")

    def clear(self) -> None:
        """Empty the table, for the next list."""
        self._workspace.clear("mirror_baseline")

    def take(self, record_ids: Iterable[int], *, is_settled: bool) -> None:
        """Insert members of the list; `is_settled`: HubSpot has confirmed them, in this run or an earlier one."""
        for some in in_chunks(record_ids, ROWS_AT_ONCE):
            self._workspace.insert(
                "mirror_baseline",
                [(each, int(is_settled)) for each in some],
                on_conflict="ON CONFLICT (record_id) DO NOTHING",
            )

    def take_known(self, list_id: str) -> None:
        """Insert the members that the ledger knows; those whose last call was not answered are not settled."""
        self._workspace.change(
            "INSERT INTO mirror_baseline SELECT m.record_id, CASE WHEN (m.state & 4) = 0 THEN 1 ELSE 0 END "
            "FROM ledger_memberships m JOIN ledger_lists l ON l.list_key = m.list_key "
            "WHERE l.portal_id = :portal_id AND l.list_id = :list_id AND (m.state & 5) <> 0",
            portal_id=self._workspace.portal_id,
            list_id=list_id,
        )

    def drop(self, record_id: int) -> None:
        """Delete a record id whose contact is gone."""
        statement = "DELETE FROM mirror_baseline WHERE record_id = :record_id"
        self._workspace.change(statement, record_id=record_id)

    def has(self, record_id: int) -> bool:
        """Return whether the record id is on the list."""
        statement = "SELECT 1 FROM mirror_baseline WHERE record_id = :record_id"
        return bool(self._workspace.read(statement, record_id=record_id))
