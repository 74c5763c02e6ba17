"""Records a run in the ledger: marks before calls, answers after them, and which lists are new, deleted or renamed."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import ListHeld, UnusableList
from target_hubspot_lists.journal.contact_records import ContactRecords
from target_hubspot_lists.journal.list_records import ListRecords
from target_hubspot_lists.journal.lost_members import LostMembers, RestoreMembers
from target_hubspot_lists.outcomes import Reason

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from hubspot_singer.http import HubSpotClient
    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.hubspot.found_lists import FoundLists
    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.hubspot.membership_changes import Change, Confirmation
    from target_hubspot_lists.hubspot.membership_reads import MembershipReader, Reading
    from target_hubspot_lists.hubspot.membership_writes import ChangeWriter
    from target_hubspot_lists.journal.journal import Routed
    from target_hubspot_lists.ledger import Ledger
    from target_hubspot_lists.reporting.account import Account
    from target_hubspot_lists.settings import Settings


class LedgerJournal(ContactRecords):
    """The journal of a run with a ledger: members are marked before a call about them, and settled after its answer."""

    is_kept = True

    def __init__(  # noqa: PLR0913 - all that a run asks HubSpot with
        self,
        ledger: Ledger,
        settings: Settings,
        client: HubSpotClient,
        lists: FoundLists,
        *,
        portal_lists: Lists,
        contacts: Contacts,
        writer: ChangeWriter,
        reader: MembershipReader,
        started: datetime,
    ) -> None:
        super().__init__(ledger, settings, lists, portal_lists=portal_lists, reader=reader, started=started)
        workers, wait = settings.connection.max_concurrency, client.wait
        restoring = RestoreMembers(contacts, writer, reader, workers=workers, wait=wait)
        self._locks = ListLocks(ledger, wait)
        self._lost = LostMembers(ledger, contacts, restoring, reader)
        self.restored = self._lost.restored
        self._records = ListRecords(
            ledger, settings, lists, portal_lists=portal_lists, lost=self._lost, started=started
        )

    # Lists

    @override
    def lock(
        self, lists: Collection[HubSpotList], *, is_waited_for: bool = True
    ) -> Mapping[str, UnusableList]:
        return self._locks.hold(lists, is_waited_for=is_waited_for)

    @override
    def begin_creating(self, names: Collection[str]) -> None:
        self._ledger.lists.begin_creating(names)

    @override
    def end_creating(self, names: Collection[str]) -> None:
        self._ledger.lists.end_creating(names)

    @override
    def note_lists(
        self, routed: Iterable[Routed], lists: Mapping[str, HubSpotList]
    ) -> Mapping[str, UnusableList]:
        unusable = super().note_lists(routed, lists)
        self._records.write_cohorts()
        return unusable

    @override
    def _note_list(self, routed: Routed, found: HubSpotList) -> None:
        """Record a cohort's list; read it if it is new to the ledger, fill it if it was deleted and created again."""
        self._locks.take([], [found.list_id])  # of a list that was just created, only the name was held
        self._records.streams[found.list_id] = routed.stream
        old = self._deleted.pop(routed.route.key, None)
        is_replaced = old is not None and self._records.replace(routed, found, old.list_id)
        known = self._records.remember(routed, found)
        if found.list_id not in self._ready:
            self._ready.add(found.list_id)
            if self._records.must_be_read(found, known):
                self.reread(found, has_snapshot=self._settings.sync_mode == "mirror")
            elif self._settings.sync_mode == "incremental" and not is_replaced:
                self.restore_members(found, except_for=())

    @override
    def _is_trusted(self, hubspot_list: HubSpotList) -> bool:
        """Return True: this run read or created every list that it has noted."""
        return True

    @override
    def record_leavers(self, route: Route, record_ids: Collection[int]) -> None:
        old_id = self._deleted[route.key].list_id
        self._locks.take([route.name], [old_id])
        self._records.record_leavers(route, old_id, record_ids)

    @override
    def note_streams(self, hubspot_list: HubSpotList, streams: AbstractSet[str]) -> None:
        self._records.note_streams(hubspot_list.list_id, streams)

    @override
    def take_over(self, hubspot_list: HubSpotList, stream: str) -> None:
        self._ledger.lists.set_stream(hubspot_list.list_id, stream)

    # Memberships

    @override
    def begin_change(self, hubspot_list: HubSpotList, change: Change) -> None:
        self._ledger.members.mark_unsettled(hubspot_list.list_id, change.add, leaving=change.remove)

    @override
    def record_confirmation(self, hubspot_list: HubSpotList, confirmation: Confirmation) -> None:
        """Settle members that HubSpot added or removed; those that it left open stay unsettled."""
        self._ledger.members.settle(hubspot_list.list_id, on=confirmation.added, off=confirmation.removed)

    @override
    def record_reading(self, hubspot_list: HubSpotList, reading: Reading) -> None:
        """Settle members that were read; whether this target added a member stays as it was."""
        on, off = reading.on_list, reading.not_on_list
        self._ledger.members.settle(hubspot_list.list_id, on=on, off=off, ours=False)

    @override
    def note_held_back(self, hubspot_list: HubSpotList, members: int | None) -> None:
        self._ledger.lists.note_held_back(hubspot_list.list_id, members)

    # Members that a list has lost in HubSpot

    @override
    def note_moved_addresses(self, record_ids: Mapping[int, int]) -> None:
        self._lost.moved |= record_ids

    @override
    def removed_by_hand(self, hubspot_list: HubSpotList) -> Collection[int]:
        return self._lost.by_hand.get(hubspot_list.list_id, ())

    @override
    def reread(self, hubspot_list: HubSpotList, *, has_snapshot: bool) -> None:
        self._ready.add(hubspot_list.list_id)
        self._lost.reread(hubspot_list, has_snapshot=has_snapshot)

    @override
    def restore_members(self, hubspot_list: HubSpotList, *, except_for: Collection[int]) -> None:
        self._lost.restore(hubspot_list, except_for=except_for)

    @override
    def accept_losses(self, hubspot_list: HubSpotList) -> None:
        self._lost.accept(hubspot_list)

    # The end of the run

    @override
    def end(self, accounts: Iterable[Account]) -> None:
        self._records.end(accounts, self._noted, self._names)
        self._ledger.people.prune()

    @override
    def close(self, accounts: Iterable[Account]) -> None:
        self._records.close(accounts)
        self._locks.close()
        self._ledger.close()


class ListLocks:
    """The locks that a run holds on lists, until it ends."""

    def __init__(self, ledger: Ledger, wait: Callable[[float], None]) -> None:
        self._ledger = ledger
        self._wait = wait
        self._locks = ExitStack()

    def hold(
        self, lists: Collection[HubSpotList], *, is_waited_for: bool = True
    ) -> Mapping[str, UnusableList]:
        """Hold lists by name and by id; return, by list id, those that another run holds.

        They are waited for once, all together.
        """
        if not lists:
            return {}
        try:
            self.take(
                [hubspot_list.name for hubspot_list in lists],
                [hubspot_list.list_id for hubspot_list in lists if not hubspot_list.is_to_be_created],
                is_waited_for=is_waited_for,
            )
        except UnusableList:
            # None of them was taken. Take those that are free one by one, without another wait.
            return self._hold_free(lists)
        return {}

    def _hold_free(self, lists: Collection[HubSpotList]) -> Mapping[str, UnusableList]:
        held: dict[str, UnusableList] = {}
        for hubspot_list in sorted(lists, key=lambda one: one.name.casefold()):  # every run in one order
            list_ids = [] if hubspot_list.is_to_be_created else [hubspot_list.list_id]
            try:
                self.take([hubspot_list.name], list_ids, is_waited_for=False)
            except UnusableList as problem:
                held[hubspot_list.list_id] = problem
        return held

    def take(self, names: Collection[str], list_ids: Collection[str], *, is_waited_for: bool = True) -> None:
        """Hold lists by name and by id, all or none; UnusableList names the run that holds one."""
        waits: dict[str, float] = {} if is_waited_for else {"wait_seconds": 0}
        lock = self._ledger.lock(names, list_ids=list_ids, sleep=self._wait, **waits)
        try:
            self._locks.enter_context(lock)
        except ListHeld as held:
            raise UnusableList(Reason.LIST_LOCKED, str(held)) from held

    def close(self) -> None:
        """Release all of them."""
        self._locks.close()
