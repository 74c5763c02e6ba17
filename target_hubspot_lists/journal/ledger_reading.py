"""Reads what earlier runs recorded in the ledger: for a real run, and for a dry run, which writes nothing."""

from __future__ import annotations

import itertools
import logging
import sys
from abc import abstractmethod
from collections import Counter
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import ListError, UnusableList
from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.journal.earlier_lists import (
    KnownCohorts,
    cohort_of_list,
    is_as_routed,
    list_id_to_look_for,
    warn_if_sent_elsewhere,
)
from target_hubspot_lists.journal.former_names import FormerNames
from target_hubspot_lists.journal.journal import DeletedList, Journal, ListOwners, VanishedLists
from target_hubspot_lists.journal.no_journal import UnwrittenJournal
from target_hubspot_lists.ledger import State

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from target_hubspot_lists.hubspot.found_lists import FoundLists
    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.hubspot.membership_reads import MembershipReader
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.journal.journal import Routed
    from target_hubspot_lists.ledger import KnownList, Ledger, Period
    from target_hubspot_lists.outcomes import KnownMailability
    from target_hubspot_lists.reporting.account import Account
    from target_hubspot_lists.settings import Settings

logger = logging.getLogger(__name__)


class LedgerReader(Journal):
    """The half of a journal that only reads the ledger."""

    def __init__(  # noqa: PLR0913 - what a list is found and read with
        self,
        ledger: Ledger,
        settings: Settings,
        lists: FoundLists,
        *,
        portal_lists: Lists,
        reader: MembershipReader,
        started: datetime,
    ) -> None:
        self.restored = Counter[str]()
        self._reader = reader
        self._ready: set[str] = set()  # ids of the lists that this run has found, and read if it must
        self._ledger = ledger
        self._settings = settings
        self._lists = lists
        self._portal_lists = portal_lists
        self._started = started
        self._deleted: dict[str, DeletedList] = {}  # by route key
        self._replaced: dict[str, str] = {}  # by list id, the deleted list in whose place this run uses it
        self._noted: dict[tuple[str, str], HubSpotList] = {}  # by cohort key and list id
        self._names: dict[str, str] = {}  # by cohort key, the last name of a cohort that has an id
        self._first_routed: dict[str, Routed] = {}  # by cohort key

    # Lists

    @override
    def note_cohort(self, cohort: Cohort) -> None:
        if cohort.id is not None:
            self._names[cohort.key] = cohort.name

    @override
    def list_id_of(self, cohort: Cohort) -> str | None:
        known = self._of_earlier_runs.find(cohort)
        return known.list_id if known else None

    @cached_property
    def _of_earlier_runs(self) -> KnownCohorts:  # read once, since many cohorts may have one name
        return KnownCohorts(self._ledger.lists.all())

    @override
    def restore_routes(self, routed: Collection[Routed]) -> None:
        """Find the lists of earlier runs in one call.

        If the setting `lists` names another list for the cohort now, that one is found by its name.
        """
        new = [one for one in routed if not self._lists.has(one.route)]
        if not new:
            return
        _refuse_shared_ids(new, self._first_routed)
        known = KnownCohorts(self._ledger.lists.all())
        wanted: dict[str, tuple[Routed, str]] = {}
        for one in new:
            if list_id := list_id_to_look_for(one, known.find(one.cohort)):
                wanted.setdefault(one.route.key, (one, list_id))
        if self._settings.sync_mode == "incremental":  # a mirror brings all members
            warn_if_sent_elsewhere(new, known)
        existing = self._portal_lists.find_all({list_id for _, list_id in wanted.values()})
        for one, list_id in wanted.values():
            found = existing.get(list_id)
            if found is None:
                name = known.list_names.get(list_id, one.route.name)
                self._deleted[one.route.key] = DeletedList(list_id, name)
            elif is_as_routed(one, found):
                self._lists.use(one.route, found)

    @override
    def note_lists(
        self, routed: Iterable[Routed], lists: Mapping[str, HubSpotList]
    ) -> Mapping[str, UnusableList]:
        """Note each cohort's list; return those that cannot be read or locked, or that are another cohort's."""
        unusable: dict[str, UnusableList] = {}
        former_names = FormerNames(self._ledger, self._names)
        for one in routed:
            found = lists.get(one.route.key)
            if found is not None and (one.cohort.key, found.list_id) not in self._noted:
                if old := self._deleted.get(one.route.key):
                    self._replaced[found.list_id] = old.list_id
                try:
                    former_names.claim(one, found)
                    self._note_list(one, found)
                    self._noted[one.cohort.key, found.list_id] = found
                except UnusableList as problem:
                    unusable[one.route.key] = problem
        return unusable

    @abstractmethod
    def _note_list(self, routed: Routed, found: HubSpotList) -> None:
        """Note that a cohort goes to a list; UnusableList if it cannot be read, or another run holds it."""

    @abstractmethod
    def _is_trusted(self, hubspot_list: HubSpotList) -> bool:
        """Return whether what the ledger says of a list's members still holds."""

    @override
    def deleted_list(self, route: Route) -> DeletedList | None:
        return self._deleted.get(route.key)

    @override
    def is_created_by_us(self, hubspot_list: HubSpotList) -> bool:
        """Return whether this run or an earlier one created the list; having read it is not enough."""
        known = self._ledger.lists.find(hubspot_list.list_id)
        # A run that was about to create a list of that name may have ended before it noted which one it created.
        return bool(known and known.created_by_us) or self._ledger.lists.is_being_created(hubspot_list.name)

    @override
    def owners(self, hubspot_list: HubSpotList) -> ListOwners:
        """A list in the place of a deleted one has the owners of that one, too."""
        old_id = self._replaced.get(hubspot_list.list_id)
        return _owners(self._ledger, [each for each in (hubspot_list.list_id, old_id) if each])

    @override
    def vanished_lists(self, stream: str, cohorts: Collection[str]) -> VanishedLists:
        return _vanished(self._ledger, stream, cohorts)

    @override
    def unread_lists(self) -> list[KnownList]:
        if not self._settings.reconcile:
            return []
        known = self._ledger.lists.all()
        return [one for one in known if one.cohort_key is not None and one.list_id not in self._ready]

    # Contacts

    @property
    @override
    def lookups_valid_in(self) -> Period | None:
        since = self._lookups_valid_since()
        return None if since is None else self._ledger.period(since)

    def _lookups_valid_since(self) -> datetime | None:
        """Return `contact_cache_days` before the run's start; None with `reconcile`, or with 0 days."""
        days = 0 if self._settings.reconcile else self._settings.contact_cache_days
        return self._started - timedelta(days=days) if days else None

    @override
    def record_ids(self, by: str, values: Collection[str]) -> Mapping[str, int]:
        if (since := self._lookups_valid_since()) is None:
            return {}
        return self._ledger.people.record_ids(
            values, by=by, since=since, with_mailability=self._settings.check_mailability
        )

    @override
    def last_known(self, by: str, values: Collection[str]) -> Mapping[str, int]:
        return self._ledger.people.record_ids(values, by=by) if values else {}

    @override
    def known_mailability(self, record_ids: Collection[int]) -> Mapping[int, KnownMailability]:
        since = self._lookups_valid_since()
        return {} if since is None else self._ledger.people.mailability(record_ids, since=since)

    @override
    def known_hashes(self, record_ids: Collection[int]) -> Mapping[int, bytes]:
        return self._ledger.people.property_hashes(record_ids)

    # Memberships

    @override
    def states(self, hubspot_list: HubSpotList, record_ids: Collection[int]) -> Mapping[int, bool]:
        if not self._is_trusted(hubspot_list):
            return {}
        states = self._ledger.members.states(hubspot_list.list_id, record_ids)
        return {record_id: state is State.ON for record_id, state in states.items()}

    @override
    def knows_members(self, hubspot_list: HubSpotList) -> bool:
        return self._is_trusted(hubspot_list)

    @override
    def added_by_us(self, hubspot_list: HubSpotList) -> Collection[int]:
        return self._ledger.members.added_by_us(hubspot_list.list_id)

    @override
    def members_before_held_back(self, hubspot_list: HubSpotList) -> int | None:
        return self._ledger.lists.members_before_held_back(hubspot_list.list_id)


class DryRunJournal(LedgerReader, UnwrittenJournal):
    """The journal of a dry run with a ledger: it logs what a real run would restore, and writes nothing."""

    @override
    def reread(self, hubspot_list: HubSpotList, *, has_snapshot: bool) -> None:
        """Log how many members a real run would restore; with a snapshot the mirror says so itself."""
        self._ready.add(hubspot_list.list_id)
        if has_snapshot:
            return
        lost = set(self._ledger.members.iter_members(hubspot_list.list_id))
        if lost:
            lost.difference_update(self._reader.iter_members(hubspot_list))
        if lost:
            logger.info(
                "%s: up to %d members of earlier runs would be put back, whom it has lost in HubSpot.",
                hubspot_list,
                len(lost),
            )

    @override
    def _note_list(self, routed: Routed, found: HubSpotList) -> None:
        is_first = found.list_id not in self._ready
        self._ready.add(found.list_id)
        if is_first and self._settings.reconcile and self._settings.sync_mode == "incremental":
            self.reread(found, has_snapshot=False)
        old = self._deleted.pop(routed.route.key, None)
        if old and self._settings.sync_mode == "incremental":
            logger.info(
                "%s would take the place of list %s, which was deleted in HubSpot, with all its members.",
                found,
                old.list_id,
            )

    @override
    def _is_trusted(self, hubspot_list: HubSpotList) -> bool:
        """Return whether the list was read before; else a real run would begin by reading it."""
        known = self._ledger.lists.find(hubspot_list.list_id)
        return not self._settings.reconcile and known is not None and known.was_read

    @override
    def close(self, accounts: Iterable[Account]) -> None:
        self._ledger.close()


def _refuse_shared_ids(routed: Collection[Routed], first_routed: dict[str, Routed]) -> None:
    """Raise ListError if two streams use one id for two cohorts: in the ledger they would be one cohort.

    `first_routed` holds, by cohort key, the first route of the run; it is filled.
    """
    for one in routed:
        first = first_routed.setdefault(one.cohort.key, one)
        if first.stream != one.stream and first.cohort.name != one.cohort.name:
            raise ListError(
                f'Streams "{first.stream}" and "{one.stream}" have a cohort with {shown(one.cohort.key)} each, named '
                f'"{shown(first.cohort.name)}" and "{shown(one.cohort.name)}": an id must stand for one cohort. Take '
                "the column out of one of them with stream_maps, or name another one in cohort_id_field."
            )


def _owners(ledger: Ledger, list_ids: Collection[str]) -> ListOwners:
    """Return the cohorts and streams that fill any of these lists, and the stream that filled the first one last."""
    known = [one for list_id in list_ids for one in ledger.lists.known(list_id)]
    cohorts = [cohort_of_list(each) for each in known if each.cohort_key]
    streams = frozenset[str]().union(*map(ledger.lists.streams, list_ids))
    return ListOwners(cohorts, known[0].stream if known else None, streams)


def _vanished(ledger: Ledger, stream: str, cohorts: Collection[str]) -> VanishedLists:
    """Return the lists that runs of the stream filled, and none of whose cohorts are in `cohorts`."""
    known = ledger.lists.all()
    came = {one.list_id for one in known if one.cohort_key in cohorts}
    runs = {frozenset(list_ids) for list_ids in (came, *ledger.lists.lists_by_run(stream))}
    filled = frozenset().union(*runs)
    lists = [
        one
        for one in known
        if one.stream == stream
        and one.cohort_key is not None
        and one.list_id in filled
        and one.list_id not in came
    ]
    are_apart = any(one.isdisjoint(other) for one, other in itertools.combinations(runs, 2))
    of_others = ledger.lists.filled_by_others(stream) if lists else frozenset()
    return VanishedLists(
        [one for one in lists if one.list_id not in of_others],
        is_certain=not are_apart,
        shared=[one for one in lists if one.list_id in of_others],
    )
