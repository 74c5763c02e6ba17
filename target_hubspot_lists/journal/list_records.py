"""Records lists in the ledger: which cohort goes to each, what the run did to it, and its name at the end."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict

from target_hubspot_lists.errors import LedgerError, UnusableList
from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.journal.renaming import Renaming
from target_hubspot_lists.ledger import KnownList
from target_hubspot_lists.outcomes import Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from target_hubspot_lists.hubspot.found_lists import FoundLists
    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.journal.journal import Routed
    from target_hubspot_lists.journal.lost_members import LostMembers
    from target_hubspot_lists.ledger import Ledger
    from target_hubspot_lists.reporting.account import Account
    from target_hubspot_lists.settings import Settings

logger = logging.getLogger(__name__)


class ListRecords:
    """The lists of a run, as they are written into the ledger."""

    def __init__(  # noqa: PLR0913 - what a list is found, filled and renamed with
        self,
        ledger: Ledger,
        settings: Settings,
        lists: FoundLists,
        *,
        portal_lists: Lists,
        lost: LostMembers,
        started: datetime,
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._lists = lists
        self._renaming = Renaming(ledger, settings, portal_lists)
        self._lost = lost
        self._started = started
        self._has_ended = False
        self.streams: dict[str, str] = {}  # by list id, the stream that filled it
        self._noted_streams: dict[str, set[str]] = {}  # by list id, what the ledger has of this run
        self._recorded: dict[str, KnownList] = {}  # by list id, as this run has recorded it last
        self._unwritten: list[KnownList] = []  # further cohorts of those lists

    # When the run finds a list

    def remember(self, routed: Routed, found: HubSpotList) -> KnownList | None:
        """Record a cohort's list; return what earlier runs, or this run for another cohort, had recorded of the list.

        Of a list that this run has recorded, further cohorts wait for `write_cohorts`: there may be thousands.
        """
        recorded = self._recorded.get(found.list_id)
        if recorded is not None and self._stream_to_record(routed, recorded) == recorded.stream:
            self._unwritten.append(replace(recorded, **_cohort_columns(routed.cohort)))
            return recorded
        self.write_cohorts()
        known = self._ledger.lists.find(found.list_id)
        entry = self._entry(routed, found, known)
        if known and known.stream != entry.stream:
            self._ledger.lists.add_streams(found.list_id, {known.stream})
        self._ledger.lists.remember_list(entry)
        self._recorded[found.list_id] = entry
        return known

    def write_cohorts(self) -> None:
        """Record all cohorts that wait for it, in one statement."""
        if self._unwritten:
            self._ledger.lists.remember_cohorts(self._unwritten)
            self._unwritten = []

    def note_streams(self, list_id: str, streams: AbstractSet[str]) -> None:
        """Record the streams that fill a list in this run, besides those that are recorded."""
        noted = self._noted_streams.setdefault(list_id, {self.streams[list_id]})
        if new := streams - noted:
            self._ledger.lists.add_streams(list_id, new)
            noted |= new

    def _entry(self, routed: Routed, found: HubSpotList, known: KnownList | None) -> KnownList:
        """Return what is to be recorded of a cohort's list; `known` is of it, or of the one that it replaces."""
        # A list that this run did not create must be read, whoever created it: somebody may have added members.
        is_new = self._lists.is_new(found)
        return KnownList(
            found.list_id,
            found.name,
            stream=self._stream_to_record(routed, known),
            created_by_us=is_new or self._ledger.lists.is_being_created(found.name),
            was_read=is_new,
            **_cohort_columns(routed.cohort),
        )

    def _stream_to_record(self, routed: Routed, known: KnownList | None) -> str:
        """Return the stream that counts as the one that filled a list last; see `Journal.take_over`."""
        return known.stream if known and self._settings.sync_mode == "mirror" else routed.stream

    def must_be_read(self, found: HubSpotList, known: KnownList | None) -> bool:
        """Return whether no run created or read the list, or `reconcile` asks for every list to be read again."""
        was_read = known is not None and known.was_read
        return not self._lists.is_new(found) and (self._settings.reconcile or not was_read)

    def replace(self, routed: Routed, found: HubSpotList, old_id: str) -> bool:
        """Put a list in the place of a deleted one, with its members; a mirror brings the members itself.

        Return False if the ledger does not know the old list: another run has put a list in its place.
        """
        known = self._ledger.lists.find(old_id)
        if known is None:
            return False
        self.write_cohorts()
        on_list: set[int] = set()
        if self._settings.sync_mode == "incremental":
            # The ledger keeps the old list until its members are on the new one: a crash in between heals.
            on_list, _ = self._lost.add_again(
                found, self._ledger.members.iter_members(old_id), recorded_under=old_id
            )
        logger.info("%s takes the place of list %s, which was deleted in HubSpot.", found, old_id)
        self._ledger.lists.replace_list(old_id, self._entry(routed, found, known))
        for list_id in (old_id, found.list_id):
            self._recorded.pop(list_id, None)
        self._ledger.members.settle(found.list_id, on=on_list, off=(), ours=False)
        return True

    def record_leavers(self, route: Route, old_id: str, record_ids: Collection[int]) -> None:
        """Settle members who left a deleted list as off it; those who stay are added to the list in its place."""
        if self._ledger.lists.find(old_id) is None:
            raise UnusableList(
                Reason.LIST_GONE,
                f'The list "{shown(route.name)}" was made anew by another run during this one: run again.',
            )
        self._ledger.members.settle(old_id, on=(), off=record_ids)

    # When the run ends

    def end(
        self,
        accounts: Iterable[Account],
        lists: Mapping[tuple[str, str], HubSpotList],
        cohort_names: Mapping[str, str],
    ) -> None:
        """Rename lists as their cohorts are named now, and write the lines of a run that came to its end."""
        self._renaming.rename_all(lists, cohort_names)
        self._record_run(accounts, is_complete=True)
        self._has_ended = True

    def close(self, accounts: Iterable[Account]) -> None:
        """Write the lines of a run that broke off."""
        with suppress(LedgerError):  # the run may have ended because of the ledger
            if not self._has_ended:
                self._record_run(accounts, is_complete=False)

    def _record_run(self, accounts: Iterable[Account], *, is_complete: bool) -> None:
        """Write the run's line of each list: how many members were asked for, and how many had each outcome."""
        by_list: dict[str, list[Account]] = {}
        for account in accounts:
            if account.list_id in self.streams:
                by_list.setdefault(account.list_id, []).append(account)
        for list_id, of_list in by_list.items():
            outcomes = Counter[str]()
            for account in of_list:
                outcomes.update({outcome.value: count for outcome, count in account.outcomes.items()})
            self._ledger.lists.record_run(
                list_id,
                stream=self.streams[list_id],
                started=self._started,
                asked=sum(account.asked for account in of_list),
                outcomes=outcomes,
                is_complete=is_complete,
            )


class _CohortColumns(TypedDict):
    cohort_key: str
    cohort_name: str | None


def _cohort_columns(cohort: Cohort) -> _CohortColumns:
    """Return what the ledger keeps of a cohort: without an id its name is its key."""
    return {"cohort_key": cohort.key, "cohort_name": cohort.name if cohort.id else None}
