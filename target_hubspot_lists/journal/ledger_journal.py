"""What a run keeps in its ledger: marks before calls, answers after them, lists that are new, gone or renamed."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import LedgerError, ListHeld, UnusableList
from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.input.records import Cohort
from target_hubspot_lists.journal.recollection import Recollection
from target_hubspot_lists.journal.restoring import PuttingBack
from target_hubspot_lists.ledger import KnownList, State
from target_hubspot_lists.outcomes import Reason

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from hubspot_singer.http import HubSpotClient
    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.hubspot.found_lists import FoundLists
    from target_hubspot_lists.hubspot.list_memberships import Change, ChangeWriter, Confirmation
    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.hubspot.membership_reads import MembershipReader, Reading
    from target_hubspot_lists.journal.journal import Led
    from target_hubspot_lists.ledger import Ledger
    from target_hubspot_lists.reporting.account import Account
    from target_hubspot_lists.settings import Settings

logger = logging.getLogger(__name__)


class Memory(Recollection):
    """The memory of a run with a ledger."""

    is_kept = True

    def __init__(  # noqa: PLR0913 - all that a run asks HubSpot with
        self,
        ledger: Ledger,
        settings: Settings,
        client: HubSpotClient,
        lists: FoundLists,
        *,
        every: Lists,
        contacts: Contacts,
        writer: ChangeWriter,
        reader: MembershipReader,
        started: datetime,
    ) -> None:
        super().__init__(ledger, settings, lists, every=every, reader=reader, started=started)
        self._client = client
        self._contacts = contacts
        self._putting_back = PuttingBack(
            contacts, writer, reader, workers=settings.connection.max_concurrency, wait=client.wait
        )
        self._locks = ExitStack()
        self._locked_names: set[str] = set()
        self._locked_ids: set[str] = set()
        self._lost: dict[
            str, set[int]
        ] = {}  # by list id, whom it has lost by hand and its snapshot may not want
        self._moved: dict[int, int] = {}  # contacts whose address another one has now
        self._streams: dict[str, str] = {}
        self._forgotten: set[str] = set()  # addresses whose contacts HubSpot reported missing
        self._is_over = False

    # Lists

    @override
    def lock(
        self, lists: Collection[HubSpotList], *, is_waited_for: bool = True
    ) -> Mapping[str, UnusableList]:
        try:
            self._lock(
                [each.name for each in lists],
                [each.list_id for each in lists if not each.is_foreseen],
                is_waited_for=is_waited_for,
            )
        except UnusableList:
            # All or none were taken: which of them are free? In one order, and none is waited for.
            return dict(self._lock_each(sorted(lists, key=lambda each: each.name.casefold())))
        return {}

    def _lock_each(self, lists: Iterable[HubSpotList]) -> Iterator[tuple[str, UnusableList]]:
        for each in lists:
            try:
                self._lock([each.name], [] if each.is_foreseen else [each.list_id], is_waited_for=False)
            except UnusableList as problem:
                yield each.list_id, problem

    def _lock(self, names: Collection[str], list_ids: Collection[str], *, is_waited_for: bool = True) -> None:
        """Hold lists by name and by id, all or none; UnusableList names the run that has one."""
        new_names = {name.casefold() for name in names} - self._locked_names
        new_ids = set(list_ids) - self._locked_ids
        if new_names or new_ids:
            waits: dict[str, float] = {} if is_waited_for else {"wait_seconds": 0}
            lock = self._ledger.lock(new_names, list_ids=new_ids, sleep=self._client.wait, **waits)
            try:
                self._locks.enter_context(lock)
            except ListHeld as held:
                raise UnusableList(Reason.LIST_LOCKED, str(held)) from held
            self._locked_names |= new_names
            self._locked_ids |= new_ids

    @override
    def begin_making(self, names: Collection[str]) -> None:
        if names:
            self._ledger.begin_making_lists(names)

    @override
    def end_making(self, names: Collection[str]) -> None:
        if names:
            self._ledger.end_making_lists(names)

    @override
    def _note(self, led: Led, found: HubSpotList) -> None:
        """Keep which list a cohort goes to; read one that is new to the ledger, fill one that was made anew."""
        self._lock([], [found.list_id])  # where it was made just now, only its name was held
        self._streams[found.list_id] = led.stream
        is_replaced = self._replace(led, found)
        self._ledger.remember_list(self._known_list(led, found))
        if found.list_id not in self._ready:
            self._ready.add(found.list_id)
            if self._has_to_be_read(found):
                self.reread(found, has_snapshot=self._settings.sync_mode == "mirror")
            elif self._settings.sync_mode == "incremental" and not is_replaced:
                self.put_back(found, but_for=())

    def _known_list(self, led: Led, found: HubSpotList) -> KnownList:
        is_new = self._lists.is_new(
            found
        )  # else it is read, whoever made it: somebody may have put people there
        is_ours = is_new or self._was_made_unnoted(found)
        name = led.cohort.name if led.cohort.id else None
        key, stream = led.cohort.key, led.stream
        return KnownList(
            found.list_id, found.name, key, stream, created_by_us=is_ours, was_read=is_new, cohort_name=name
        )

    def _replace(self, led: Led, found: HubSpotList) -> bool:
        """Let a list take the place of a deleted one, with its members; a mirror brings those itself.

        Return whether it does.
        """
        old_id = self._gone.pop(led.route.key, None)
        if old_id is None or not self._ledger.known(old_id) or self._ledger.known(found.list_id):
            return False
        on_list: set[int] = set()
        if self._settings.sync_mode == "incremental":
            # The old list is let go only once its members are on the new one: a crash in between heals.
            on_list, _ = self._put_back(found, self._ledger.iter_members(old_id), known_as=old_id)
        logger.info("%s takes the place of list %s, which was deleted in HubSpot.", found, old_id)
        self._ledger.replace_list(old_id, self._known_list(led, found))
        self._ledger.settle(found.list_id, on=on_list, off=(), ours=False)
        return True

    def _has_to_be_read(self, found: HubSpotList) -> bool:
        """Whether the ledger did not make the list and has never read it, or all are read again."""
        was_read = any(each.was_read for each in self._ledger.known(found.list_id))
        return not was_read or (self._settings.reconcile and not self._lists.is_new(found))

    @override
    def reread(self, hubspot_list: HubSpotList, *, has_snapshot: bool) -> None:
        list_id = hubspot_list.list_id
        self._ready.add(list_id)
        members = set(self._reader.iter_members(hubspot_list))
        if any(each.was_read for each in self._ledger.known(list_id)):
            # Noted, or put back, before the reading is: until then the ledger says that they belong there.
            lost = self._follow_lost(list_id, members) - members
            if has_snapshot:
                self._ledger.mark_lost(list_id, lost)
                self._lost[list_id] = lost
            else:
                lost |= self._ledger.lost(list_id) - members
                on_list, left_open = self._put_back(hubspot_list, lost, known_as=list_id)
                self._ledger.mark_unsettled(list_id, left_open)
                members |= on_list
        self._ledger.take_over(list_id, members)
        logger.info("%s: read from HubSpot, %d members.", hubspot_list, len(members))

    def _follow_lost(self, list_id: str, members: set[int]) -> set[int]:
        """Return whom the ledger knows to be on a list and HubSpot does not show there, by the ids they have now."""
        lost = self._ledger.members(list_id) - self._ledger.unsettled(list_id) - members
        merged = {old: new for old, new in self._contacts.known_ids(lost).items() if old != new}
        left = self._who_left(list_id, set(merged.values()))
        self.follow({old: new for old, new in merged.items() if new not in left})
        self.forget([old for old, new in merged.items() if new in left])
        return {merged.get(each, each) for each in lost} - left

    def _put_back(
        self, hubspot_list: HubSpotList, record_ids: Iterable[int], *, known_as: str
    ) -> tuple[set[int], set[int]]:
        """Put back whom a list lost; return who is on it then, and of whom HubSpot does not show it.

        `known_as` is the id under which the ledger knows its members.
        """
        back = self._putting_back.put_back(
            hubspot_list, record_ids, moved=self._moved, who_left=partial(self._who_left, known_as)
        )
        self.count_put_back[hubspot_list.list_id] += len(back.added)
        self.follow(back.became)
        self.forget(back.missing - back.became.keys())
        if back.left_open:
            logger.warning(
                "%s: %d members that the list has lost could not be put back: HubSpot refuses them, or does not show "
                "them on the list.",
                hubspot_list,
                len(back.left_open),
            )
        return back.on_list, back.left_open

    def _who_left(self, list_id: str, record_ids: Collection[int]) -> set[int]:
        states = self._ledger.states(list_id, record_ids)
        return {record_id for record_id, state in states.items() if state is State.OFF}

    @override
    def put_back(self, hubspot_list: HubSpotList, *, but_for: Collection[int]) -> None:
        list_id = hubspot_list.list_id
        if lost := self._ledger.lost(list_id):
            on_list, _ = self._put_back(hubspot_list, lost.difference(but_for), known_as=list_id)
            self._ledger.settle(list_id, on=on_list, off=lost.intersection(but_for), ours=False)

    @override
    def let_go(self, hubspot_list: HubSpotList) -> None:
        if lost := self._lost.pop(hubspot_list.list_id, None):
            still = self._ledger.lost(hubspot_list.list_id)
            self._ledger.settle(hubspot_list.list_id, on=(), off=lost & still)

    @override
    def lost_by_hand(self, hubspot_list: HubSpotList) -> Collection[int]:
        return self._lost.get(hubspot_list.list_id, ())

    @override
    def leave(self, route: Route, record_ids: Collection[int]) -> None:
        """Settle as off whoever left a list that is gone; those who stay go onto the one made in its place."""
        old_id = self._gone[route.key]
        self._lock([route.name], [old_id])
        if not self._ledger.known(old_id):
            raise UnusableList(
                Reason.LIST_GONE,
                f'The list "{shown(route.name)}" was made anew by another run during this one: run again.',
            )
        self._ledger.settle(old_id, on=(), off=record_ids)

    # Contacts

    @override
    def remember_contacts(self, record_ids: Mapping[str, int]) -> None:
        if record_ids:
            self._ledger.remember_contacts(record_ids)

    @override
    def follow(self, merged: Mapping[int, int]) -> None:
        if merged:
            self._ledger.merge_records(merged)

    @override
    def may_mislead(self, hubspot_list: HubSpotList, *, is_member: bool) -> bool:
        # Who is added may be known as off the list under another id, who is removed as on it.
        return not is_member or self._ledger.knows_who_left(hubspot_list.list_id)

    @override
    def forget(self, record_ids: Collection[int]) -> Collection[str]:
        # All of the run, for a contact can be missing on several lists, and is in the ledger only once.
        if record_ids:
            self._forgotten.update(self._ledger.forget_record_ids(record_ids))
        return self._forgotten

    @property
    @override
    def contacts_since(self) -> datetime | None:
        if self._settings.reconcile and self._settings.contact_cache_days:
            return self._started
        return super().contacts_since

    @override
    def begin_rereading(self) -> None:
        self._ledger.age_addresses(self._started)

    @override
    def old_addresses(self) -> Iterable[Mapping[str, int]]:
        return self._ledger.addresses(looked_up_before=self._started)

    @override
    def moved(self, record_ids: Mapping[int, int]) -> None:
        self._moved |= record_ids

    # Memberships

    @override
    def begin(self, hubspot_list: HubSpotList, change: Change) -> None:
        """Mark these, committed, before calls about them are sent."""
        self._ledger.mark_unsettled(hubspot_list.list_id, change.add, leaving=change.remove)

    @override
    def confirm(self, hubspot_list: HubSpotList, confirmation: Confirmation) -> None:
        """Settle whom HubSpot added or removed; whom it left open stays unsettled."""
        self._ledger.settle(hubspot_list.list_id, on=confirmation.added, off=confirmation.removed)

    @override
    def confirm_reading(self, hubspot_list: HubSpotList, reading: Reading) -> None:
        """Settle who was read; whoever was there before stays as much ours as they were."""
        self._ledger.settle(hubspot_list.list_id, on=reading.on_list, off=reading.not_on_list, ours=False)

    @override
    def _is_trusted(self, hubspot_list: HubSpotList) -> bool:
        """It is: the list was read, or made, when this run came upon it."""
        return True

    # The end

    @override
    def end(self, accounts: Iterable[Account]) -> None:
        self._rename()
        self._record(accounts, is_complete=True)
        self._is_over = True
        self._ledger.prune()

    @override
    def close(self, accounts: Iterable[Account]) -> None:
        with suppress(LedgerError):  # it may be the ledger that the run broke off for
            if not self._is_over:
                self._record(accounts, is_complete=False)
        self._locks.close()
        self._ledger.close()

    def _record(self, accounts: Iterable[Account], *, is_complete: bool) -> None:
        """Keep a line for each list."""
        by_list: dict[str, list[Account]] = {}
        for account in accounts:
            if account.list_id in self._streams:
                by_list.setdefault(account.list_id, []).append(account)
        for list_id, of_list in by_list.items():
            outcomes = Counter[str]()
            for each in of_list:
                outcomes.update({outcome.value: count for outcome, count in each.outcomes.items()})
            self._ledger.record_run(
                list_id,
                stream=self._streams[list_id],
                started=self._started,
                asked=sum(each.asked for each in of_list),
                outcomes=outcomes,
                is_complete=is_complete,
            )

    def _rename(self) -> None:
        """Rename the lists of cohorts whose names changed; never one that `lists` names, or that several share."""
        known = self._ledger.lists()
        cohorts = Counter(each.list_id for each in known)
        names = {each.cohort_key: each.cohort_name for each in known}
        configured = {entry.cohort for entry in self._settings.lists}
        for (key, list_id), found in self._known.items():
            name = self._names.get(key)
            if name is None or name == names.get(key) or cohorts[list_id] > 1:
                continue
            is_configured = not configured.isdisjoint(Cohort.from_key(key, name))
            if is_configured or self._has_taken(found, self._settings.list_name_prefix + name, name):
                self._ledger.name_cohort(key, name)

    def _has_taken(self, found: HubSpotList, wanted: str, cohort: str) -> bool:
        """Give the list that name, if it has another one; say so, or why HubSpot does not take it."""
        if found.name.casefold() == wanted.strip().casefold():
            return True
        if obstacle := self._every.rename(found, wanted):
            logger.warning(
                '%s keeps its name: its cohort is now "%s", but %s. Rename one of them.',
                found,
                shown(cohort),
                obstacle,
            )
            return False
        self._ledger.rename_list(found.list_id, wanted)
        logger.info('%s is now named "%s", as its cohort is.', found, shown(wanted))
        return True
