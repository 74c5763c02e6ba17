"""What a ledger keeps of adds that are tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.ledger import kept_adds

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from target_hubspot_lists.ledger.portal_view import PortalView
    from target_hubspot_lists.ledger.records import KeptAdd, KnownRemoval


class KeptStore:
    """Adds that did not apply, and the removals from their lists since; every method is one transaction."""

    def __init__(self, view: PortalView) -> None:
        self._view = view

    def has_any(self, list_id: str) -> bool:
        """Return whether an add to a list is kept."""
        with self._view.database.reading() as connection:
            return kept_adds.has_any(connection, self._view.portal_id, list_id)

    def last_word(self) -> int:
        """Return the largest number of a word of which anything is kept; a later word needs a larger one."""
        with self._view.database.reading() as connection:
            return kept_adds.last_word(connection, self._view.portal_id)

    def note(
        self,
        list_id: str,
        matched_by: str,
        heard: Iterable[str],
        *,
        adds: Sequence[KeptAdd],
        removals: Sequence[KnownRemoval],
    ) -> None:
        """Take in what records say of members of a list: it replaces what was kept of these members."""
        portal_id = self._view.portal_id
        with self._view.database.writing() as connection:
            kept_adds.replace(connection, portal_id, list_id, matched_by, heard)
            kept_adds.keep(connection, portal_id, adds, now=self._view.seconds())
            kept_adds.note_removals(connection, portal_id, removals)

    def streams(self, matched_by: str) -> set[str]:
        """Return the streams of which adds by these match settings are kept."""
        with self._view.database.reading() as connection:
            return kept_adds.streams(connection, self._view.portal_id, matched_by)

    def due(
        self,
        lists: Mapping[str, Collection[str]],
        matched_by: str,
        *,
        since: datetime,
        until: int,
        most: int,
    ) -> list[KeptAdd]:
        """Return adds to these lists of each stream, kept since then and up to that word, so many at most.

        First come those that were not tried for the longest time.
        """
        with self._view.database.reading() as connection:
            return kept_adds.due(
                connection,
                self._view.portal_id,
                lists,
                matched_by,
                kept_since=int(since.timestamp()),
                until=until,
                most=most,
            )

    def removals_of(self, list_id: str) -> list[KnownRemoval]:
        """Return the removals from a list since an add to it is kept."""
        with self._view.database.reading() as connection:
            return kept_adds.removals_of(connection, self._view.portal_id, list_id)

    def tried(self, adds: Collection[KeptAdd], *, over: Collection[KeptAdd]) -> None:
        """Note which adds were tried again without success, and forget those that are over."""
        with self._view.database.writing() as connection:
            kept_adds.tried(connection, self._view.portal_id, adds, now=self._view.seconds())
            kept_adds.forget(connection, self._view.portal_id, over)

    def forget_list(self, list_id: str) -> None:
        """Forget what is kept of a list."""
        with self._view.database.writing() as connection:
            kept_adds.forget_list(connection, self._view.portal_id, list_id)

    def end(self, lists: Mapping[str, Collection[str]], matched_by: str, *, before: datetime) -> None:
        """Forget adds to these lists of each stream kept before then, and the removals that no add is left for."""
        with self._view.database.writing() as connection:
            kept_adds.end(connection, self._view.portal_id, lists, matched_by, before=int(before.timestamp()))
