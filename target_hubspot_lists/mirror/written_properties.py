"""Remembers for one run what was written of contacts that are on several lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from target_hubspot_lists.ledger.workspace import Workspace


class WrittenProperties:
    """The `PropertyMemory` of a mirror without a ledger."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        workspace.create(
            "mirror_written", f"record_id {workspace.ordered_key}, hashes {workspace.blob} NOT NULL"
        )

    def known_hashes(self, record_ids: Collection[int]) -> Mapping[int, bytes]:
        """Return the hashes of the values written, by record id; contacts without any are left out."""
        rows = self._workspace.read(
            f"SELECT record_id, hashes FROM mirror_written WHERE record_id {self._workspace.among('record_ids')}",
            record_ids=self._workspace.values(list(record_ids)),
        )
        return {record_id: bytes(hashes) for record_id, hashes in rows}

    def remember(self, hashes: Mapping[int, bytes]) -> None:
        """Remember what was written of these contacts."""
        self._workspace.insert(
            "mirror_written",
            list(hashes.items()),
            on_conflict="ON CONFLICT (record_id) DO UPDATE SET hashes = excluded.hashes",
        )
