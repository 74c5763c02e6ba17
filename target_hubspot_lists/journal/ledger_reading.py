"""Reads what earlier runs recorded in the ledger, also for a dry run, which writes nothing."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import ListError, UnusableList
from target_hubspot_lists.journal.journal import Vanished
from target_hubspot_lists.ledger import State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from target_hubspot_lists.hubspot.found_lists import FoundLists
    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.hubspot.membership_reads import MembershipReader
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.journal.journal import Routed
    from target_hubspot_lists.ledger import KnownList, Ledger
    from target_hubspot_lists.settings import Settings


class LedgerReading(ABC):
    """The part of a journal that only reads the ledger: a dry run and a real one have it in common."""

    def __init__(  # noqa: PLR0913 - what a list is found and read with
        self,
        ledger: Ledger,
        settings: Settings,
        lists: FoundLists,
        *,
        every: Lists,
        reader: MembershipReader,
        started: datetime,
    ) -> None:
        self.count_put_back = Counter[str]()  # by list id, members besides those whom the records name
        self._reader = reader
        self._ready: set[str] = set()  # lists that this run came upon
        self._ledger = ledger
        self._settings = settings
        self._lists = lists
        self._every = every
        self._started = started
        self._gone: dict[str, str] = {}  # by route key, the list that HubSpot no longer has
        self._known: dict[tuple[str, str], HubSpotList] = {}  # by cohort key and list id
        self._names: dict[str, str] = {}  # by cohort key, of those with an id, the name last seen
        self._first_routed: dict[str, Routed] = {}  # by cohort key

    # Lists

    def note_cohort(self, cohort: Cohort) -> None:
        """Note a cohort's name: the last one seen names its list."""
        if cohort.id is not None:
            self._names[cohort.key] = cohort.name

    def restore_routes(self, routed: Collection[Routed]) -> None:
        """Find the lists of earlier runs in one call; a list that `lists` names otherwise now is found by its name."""
        new = [each for each in routed if not self._lists.has(each.route)]
        if not new:
            return
        self._refuse_namesakes(new)
        by_cohort = {each.cohort_key: each for each in self._ledger.lists.all()}
        wanted: dict[str, tuple[Routed, str]] = {}
        for each in new:
            if list_id := _list_id(each, by_cohort.get(each.cohort.key)):
                wanted.setdefault(each.route.key, (each, list_id))
        there = self._every.find_all({list_id for _, list_id in wanted.values()})
        for each, list_id in wanted.values():
            found = there.get(list_id)
            if found is None:
                self._gone[each.route.key] = list_id
            elif not each.is_configured or each.route.list_id or _is_named(found, each.route):
                self._lists.adopt(each.route, found)

    def know(self, routed: Iterable[Routed], lists: Mapping[str, HubSpotList]) -> Mapping[str, UnusableList]:
        """Note each cohort's list; ListError if it is another cohort's. Return those that cannot be read or locked."""
        unusable: dict[str, UnusableList] = {}
        for each in routed:
            found = lists.get(each.route.key)
            if found is not None and (each.cohort.key, found.list_id) not in self._known:
                self._refuse_anothers(each, found)
                try:
                    self._note(each, found)
                except UnusableList as problem:
                    unusable[each.route.key] = problem
                else:
                    self._known[each.cohort.key, found.list_id] = found
        return unusable

    @abstractmethod
    def _note(self, routed: Routed, found: HubSpotList) -> None:
        """Note that a cohort goes to a list; UnusableList if that cannot be read, or another run holds it."""

    @abstractmethod
    def _is_trusted(self, hubspot_list: HubSpotList) -> bool:
        """Whether what the ledger says of a list stands."""

    def gone_list(self, route: Route) -> str | None:
        """Return the id of the list that earlier runs filled, if it is deleted in HubSpot and not made anew."""
        return self._gone.get(route.key)

    def is_ours(self, hubspot_list: HubSpotList) -> bool:
        """Whether this run or an earlier one made the list; having read it is not enough."""
        known = self._ledger.lists.known(hubspot_list.list_id)
        return any(each.created_by_us for each in known) or self._was_made_unnoted(hubspot_list)

    def _was_made_unnoted(self, hubspot_list: HubSpotList) -> bool:
        """Whether a run that was about to make a list of that name ended before it noted which it had made."""
        return self._ledger.lists.is_being_created(hubspot_list.name)

    def vanished(self, stream: str, cohorts: Collection[str]) -> Vanished:
        """The lists that runs of this stream filled, the last one too, none of whose cohorts came."""
        known = self._ledger.lists.all()
        came = {each.list_id for each in known if each.cohort_key in cohorts}
        runs = {frozenset(each) for each in (came, *self._ledger.lists.lists_by_run(stream))}
        filled = frozenset().union(*runs)
        lists = [
            each
            for each in known
            if each.stream == stream
            and each.cohort_key is not None
            and each.list_id in filled
            and each.list_id not in came
        ]
        return Vanished(lists, is_certain=not any(map(_are_apart, itertools.combinations(runs, 2))))

    def unread_lists(self) -> list[KnownList]:
        """The lists to which cohorts of earlier runs go, and which this run has not come upon."""
        known = {each.list_id: each for each in self._ledger.lists.all() if each.cohort_key is not None}
        return [each for list_id, each in known.items() if list_id not in self._ready]

    def _refuse_namesakes(self, routed: Collection[Routed]) -> None:
        """Raise where two streams mean two cohorts by one id: to the ledger they would be one, and share a list."""
        for each in routed:
            first = self._first_routed.setdefault(each.cohort.key, each)
            if first.stream != each.stream and first.cohort.name != each.cohort.name:
                raise ListError(
                    f'Streams "{first.stream}" and "{each.stream}" have a cohort with {each.cohort.key} each, named '
                    f'"{first.cohort.name}" and "{each.cohort.name}": an id must stand for one cohort. Take the '
                    "column out of one of them with stream_maps, or name another one in cohort_id_field."
                )

    def _refuse_anothers(self, routed: Routed, found: HubSpotList) -> None:
        """Raise where a cohort has the former name of another one, whose list still bears that name."""
        if routed.is_configured:
            return
        for known in self._ledger.lists.known(found.list_id):
            name = self._names.get(known.cohort_key or "")
            if known.cohort_key != routed.cohort.key and name not in {None, routed.cohort.name}:
                raise ListError(
                    f'{found} is the list of the cohort with {known.cohort_key}, which is now named "{name}", '
                    f'and the one with {routed.cohort.key} has its former name "{routed.cohort.name}": rename the list '
                    "in HubSpot, or name one for each of them in lists[]."
                )

    # Contacts

    @property
    def contacts_since(self) -> datetime | None:
        """From `contact_cache_days` ago; None if reconciling, or with 0 days."""
        days = self._settings.contact_cache_days
        if self._settings.reconcile or not days:
            return None
        return self._started - timedelta(days=days)

    def record_ids(self, by: str, values: Collection[str]) -> Mapping[str, int]:
        """The contacts of values that were looked up lately enough."""
        since = self.contacts_since
        if since is None:
            return {}
        return self._ledger.people.record_ids(
            values, by=by, since=since, with_mailability=self._settings.check_mailability
        )

    def last_known(self, by: str, values: Collection[str]) -> Mapping[str, int]:
        """The contacts of values that were ever looked up."""
        return self._ledger.people.record_ids(values, by=by) if values else {}

    # Memberships

    def states(self, hubspot_list: HubSpotList, record_ids: Collection[int]) -> Mapping[int, bool]:
        """Return by record id whether the contact is on the list, as HubSpot confirmed it."""
        if not self._is_trusted(hubspot_list):
            return {}
        states = self._ledger.members.states(hubspot_list.list_id, record_ids)
        return {record_id: state is State.ON for record_id, state in states.items()}

    def knows_members(self, hubspot_list: HubSpotList) -> bool:
        """Return whether the ledger knows the members: the list was created by this target, or read."""
        return self._is_trusted(hubspot_list)

    def added_by_us(self, hubspot_list: HubSpotList) -> Collection[int]:
        """Whom this target put onto the list."""
        return self._ledger.members.added_by_us(hubspot_list.list_id)

    # Properties

    def known_hashes(self, record_ids: Collection[int]) -> Mapping[int, bytes]:
        """Return the hashes of the properties last written; see `PropertyMemory`."""
        return self._ledger.people.property_hashes(record_ids)


def _list_id(routed: Routed, known: KnownList | None) -> str | None:
    """The list to look for by id: the configured one, else that of earlier runs unless another is configured."""
    if routed.route.list_id or known is None:
        return routed.route.list_id
    is_other = routed.is_configured and known.name.casefold() != routed.route.name.casefold()
    return None if is_other else known.list_id


def _is_named(hubspot_list: HubSpotList, route: Route) -> bool:
    return hubspot_list.name.casefold() == route.name.casefold()


def _are_apart(runs: tuple[Collection[str], Collection[str]]) -> bool:
    """Whether two runs had no list in common."""
    return set(runs[0]).isdisjoint(runs[1])
