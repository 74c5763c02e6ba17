"""Keeps on disk what a mirror was told of whether HubSpot mails its members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.outcomes import KnownMailability, Mailability

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from target_hubspot_lists.ledger.workspace import Workspace


class MailabilityOnDisk:
    """What a run was told, from the look-up of a member until all lists that the member is on are done."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        workspace.create(
            "mirror_mailability", f"record_id {workspace.ordered_key}, mailability TEXT, looked_up BIGINT"
        )

    def keep(self, known: Mapping[int, KnownMailability]) -> None:
        """Keep this of contacts, in place of what was kept."""
        self._workspace.insert(
            "mirror_mailability",
            [(record_id, each.mailability.value, each.looked_up) for record_id, each in known.items()],
            on_conflict="ON CONFLICT (record_id) DO UPDATE SET "
            "mailability = excluded.mailability, looked_up = excluded.looked_up",
        )

    def kept(self, record_ids: Collection[int]) -> Mapping[int, KnownMailability]:
        """Return what is kept of these contacts."""
        rows = self._workspace.read(
            "SELECT record_id, mailability, looked_up FROM mirror_mailability "
            f"WHERE record_id {self._workspace.among('record_ids')}",
            record_ids=self._workspace.values(list(record_ids)),
        )
        return {record_id: KnownMailability(Mailability(code), moment) for record_id, code, moment in rows}

    def end_flush(self) -> None:
        """Nothing: a member of the next list may be one of this list."""
