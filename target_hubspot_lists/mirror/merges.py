"""Follows merged contacts before anybody is removed: one person must not pass for two."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from target_hubspot_lists.mirror.snapshot_store import Resolved, SnapshotStore
    from target_hubspot_lists.sync.applying import Applying
    from target_hubspot_lists.sync.resolution import Resolution

logger = logging.getLogger(__name__)


class Merges:
    """Gives contacts the record ids that they have since they were merged, in a snapshot and on its list."""

    def __init__(self, applying: Applying, store: SnapshotStore) -> None:
        self._applying = applying
        self._store = store

    def learn(self, contacts: Resolution) -> None:
        """Take in what a look-up by address has told of record ids."""
        looked_up = set(contacts.record_ids.values()) - contacts.remembered
        self._store.note_current((each, each) for each in looked_up)
        self._store.note_current(contacts.merged.items())

    def follow(self, is_too_much: Callable[[int], bool]) -> list[Resolved]:
        """Give contacts on the list and in the snapshot the ids they have now; return the words that lost.

        Read are those who would be removed, until so many of them are no part of the snapshot that nobody is going
        to be; then, unless nobody is left to remove, those who would be added.
        """
        lost = self._store.follow()
        while record_ids := self._store.unread_to_remove():
            if is_too_much(self._store.sure_to_remove()):
                return lost
            self._read(record_ids)
            lost += self._store.follow()
        if next(self._store.to_remove(), None) is None:
            return lost
        while record_ids := self._store.unread_to_add():
            self._read(record_ids)
        return lost + self._store.follow()

    def missing(self, record_ids: Collection[int]) -> set[int]:
        """Return those of the record ids that are nobody's, as far as the token may read contacts."""
        return set(record_ids) - self._applying.contacts.known_ids(record_ids).keys()

    def _read(self, record_ids: Collection[int]) -> None:
        """Look up who these record ids are now; whoever HubSpot does not know keeps the id that there is."""
        merged: dict[int, int] = {}
        for asked, found in self._applying.contacts.current(record_ids):
            merged |= dict.fromkeys((asked, *found.merged), found.record_id)
        self._store.note_current((each, each) for each in record_ids)
        self._store.note_current((each, each) for each in merged.values())
        self._store.note_current(merged.items())
        self._applying.memory.follow({old: new for old, new in merged.items() if old != new})
