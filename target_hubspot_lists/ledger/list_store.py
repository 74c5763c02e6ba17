"""What a ledger keeps of lists: which cohorts go to each, and what runs did to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.ledger import kept_adds, known_lists
from target_hubspot_lists.ledger.member_store import known_members
from target_hubspot_lists.ledger.records import RunLine

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from target_hubspot_lists.ledger.portal_view import PortalView
    from target_hubspot_lists.ledger.records import KnownList


class ListStore:
    """The lists of a portal; every method is one transaction."""

    def __init__(self, view: PortalView) -> None:
        self._view = view

    def all(self) -> list[KnownList]:
        """Return every list, once for each cohort that goes to it."""
        with self._view.database.reading() as connection:
            return known_lists.of_portal(connection, self._view.portal_id)

    def known(self, list_id: str) -> list[KnownList]:
        """Return one list, once for each cohort that goes to it; nothing where it is not known."""
        with self._view.database.reading() as connection:
            return known_lists.of_list(connection, self._view.portal_id, list_id)

    def begin_making_lists(self, names: Collection[str]) -> None:
        """Note that HubSpot is about to be asked to make lists of these names; returned means committed.

        Until `remember_list` or `end_making_lists` says what became of it, a list of that name is taken for ours:
        the run may have been killed before it could note which list it had made.
        """
        with self._view.database.writing() as connection:
            known_lists.begin_making(connection, self._view.portal_id, names, now=self._view.seconds())

    def end_making_lists(self, names: Collection[str]) -> None:
        """Note that HubSpot has made no list of these names for us."""
        with self._view.database.writing() as connection:
            known_lists.end_making(connection, self._view.portal_id, names)

    def is_to_be_made(self, name: str) -> bool:
        """Whether a run was about to make a list of that name, and it is not known what became of it."""
        with self._view.database.reading() as connection:
            return known_lists.is_to_be_made(connection, self._view.portal_id, name)

    def remember_list(self, known: KnownList) -> None:
        """Note a list and its cohort; that it was made by us, or read, is never taken back."""
        with self._view.database.writing() as connection:
            known_lists.remember(connection, self._view.portal_id, known)

    def rename_list(self, list_id: str, name: str) -> None:
        """Note a list's new name."""
        with self._view.database.writing() as connection:
            known_lists.rename(connection, self._view.portal_id, list_id, name)

    def name_cohort(self, cohort_key: str, name: str) -> None:
        """Note the name of a cohort whose list goes by it: until it is another one, the list is not renamed."""
        with self._view.database.writing() as connection:
            known_lists.name_cohort(connection, self._view.portal_id, cohort_key, name)

    def replace_list(self, list_id: str, new: KnownList) -> None:
        """Let a list made anew take the place of a deleted one: its cohorts, and all members as lost."""
        with self._view.database.writing() as connection:
            known_lists.remember(connection, self._view.portal_id, new)
            old_members, members = (
                known_members(self._view, connection, list_id),
                known_members(self._view, connection, new.list_id),
            )
            old_members.move_to(members.list_key)
            known_lists.redirect(connection, old_members.list_key, members.list_key)
            known_lists.move_runs(connection, self._view.portal_id, list_id, new.list_id)
            kept_adds.move(connection, self._view.portal_id, list_id, new.list_id)
            known_lists.forget(connection, self._view.portal_id, list_id)

    def record_run(  # noqa: PLR0913 - what a line says
        self,
        list_id: str,
        *,
        stream: str,
        started: datetime,
        asked: int,
        outcomes: Mapping[str, int],
        is_complete: bool = True,
    ) -> None:
        """Write this run's line on a list, in place of an earlier one of this run."""
        line = RunLine(
            self._view.run_id, list_id, stream, started, self._view.now(), asked, outcomes, is_complete
        )
        with self._view.database.writing() as connection:
            known_lists.record_run(connection, self._view.portal_id, line)

    def runs(self, list_id: str) -> list[RunLine]:
        """Return the lines of all runs on a list, the newest first."""
        with self._view.database.reading() as connection:
            return list(known_lists.run_lines(connection, self._view.portal_id, list_id))

    def lists_by_run(self, stream: str) -> list[set[str]]:
        """Return the ids of the lists that each run of a stream filled; runs are forgotten by `prune`."""
        with self._view.database.reading() as connection:
            return known_lists.lists_by_run(connection, self._view.portal_id, stream)
