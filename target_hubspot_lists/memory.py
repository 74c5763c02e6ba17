"""What a run takes from its ledger and leaves in it; without a ledger nothing, and the run asks HubSpot."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from hubspot_http import concurrently
from target_hubspot_lists.changes import MAX_RECORD_IDS_PER_CALL, Change
from target_hubspot_lists.errors import ListError
from target_hubspot_lists.hubspot_lists import shown
from target_hubspot_lists.ledger import KnownList, State
from target_hubspot_lists.memberships import Cohort

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from hubspot_http import HubSpotClient
    from target_hubspot_lists.accounts import Account
    from target_hubspot_lists.changes import ChangeWriter, Confirmation
    from target_hubspot_lists.hubspot_lists import HubSpotList
    from target_hubspot_lists.ledger import Ledger
    from target_hubspot_lists.lists import Lists
    from target_hubspot_lists.routes import Route
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.verification import MembershipReader, Reading

logger = logging.getLogger(__name__)


class Led(NamedTuple):
    """A cohort of this run, and where it is to go."""

    cohort: Cohort
    route: Route
    stream: str
    is_configured: bool  # the setting `lists` names the cohort


class LedgerProperties:
    """Remembers in the ledger what was written of contacts' properties: a `PropertyMemory`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def known_hashes(self, record_ids: Collection[int]) -> Mapping[int, bytes]:
        """What was remembered of these contacts; those of which nothing is known are left out."""
        return self._ledger.property_hashes(record_ids)

    def remember(self, hashes: Mapping[int, bytes]) -> None:
        """Remember this of these contacts instead of what was known."""
        self._ledger.remember_property_hashes(hashes)


class NoLedger:
    """The memory of a run without a ledger: it knows nothing, keeps nothing, and costs nothing."""

    is_kept = False  # whether there is a ledger: then nothing is recorded that was not read or confirmed

    def __init__(self) -> None:
        self.count_put_back = Counter[str]()  # by list id, members besides those whom the records name

    def lock(self, names: Collection[str]) -> None:
        """Keep other runs off these lists until this one ends."""

    def lead(self, led: Collection[Led]) -> None:
        """Let cohorts go to the lists that they went to in earlier runs, where HubSpot still has them."""

    def know(self, led: Collection[Led], lists: Mapping[str, HubSpotList]) -> None:
        """Learn the lists of these cohorts, by route key, so that what is known of each can be trusted."""

    def saw(self, cohort: Cohort) -> None:
        """Note that a record named the cohort so."""

    def record_ids(self, addresses: Collection[str]) -> Mapping[str, int]:
        """The contacts of those addresses that need not be looked up."""
        del addresses
        return {}

    def remember_contacts(self, record_ids: Mapping[str, int]) -> None:
        """Keep which contact each address is, as HubSpot said just now."""

    def looked_up_before(self, record_ids: Mapping[str, int]) -> list[int]:
        """Of these contacts, by address, those that were not looked up in this run."""
        del record_ids
        return []

    def forget(self, record_ids: Collection[int]) -> Collection[str]:
        """Forget contacts that HubSpot no longer knows; return the addresses of all forgotten in this run."""
        del record_ids
        return ()

    def states(self, hubspot_list: HubSpotList, record_ids: Collection[int]) -> Mapping[int, bool]:
        """Who of these is on the list, and who is not; of whom nothing is certain is left out."""
        del hubspot_list, record_ids
        return {}

    def begin(self, hubspot_list: HubSpotList, record_ids: Collection[int]) -> None:
        """Note that calls about these are about to be sent."""

    def confirm(self, hubspot_list: HubSpotList, confirmation: Confirmation) -> None:
        """Note what HubSpot answered."""

    def confirm_reading(self, hubspot_list: HubSpotList, reading: Reading) -> None:
        """Note who was read to be on the list, and who not to be."""

    def members(self, hubspot_list: HubSpotList) -> Iterable[int] | None:
        """Who is on the list, or perhaps is; None where only HubSpot knows."""
        del hubspot_list
        return None

    def added_by_us(self, hubspot_list: HubSpotList) -> Collection[int]:
        """Whom this target put onto the list."""
        del hubspot_list
        return ()

    def is_ours(self, hubspot_list: HubSpotList) -> bool:
        """Whether this target made the list."""
        del hubspot_list
        return False

    def put_back(self, hubspot_list: HubSpotList) -> None:
        """Where the list was made anew, put back whom a mirror neither added nor removed."""

    def is_gone(self, route: Route) -> bool:
        """Whether the list that earlier runs filled is deleted in HubSpot, and nobody asked for another one yet."""
        del route
        return False

    def leave(self, route: Route, record_ids: Collection[int]) -> None:
        """Note who left a list that is gone, so that they are not put onto the one made in its place."""

    def vanished(self, streams: Collection[str], cohorts: Collection[str]) -> list[KnownList]:
        """The lists that these streams filled last, and whose cohorts are none of these keys."""
        del streams, cohorts
        return []

    def end(self, accounts: Iterable[Account]) -> None:
        """Keep what the run did, once its input has ended; rename lists whose cohorts were renamed."""

    def close(self) -> None:
        """Let go of the ledger, and of every lock."""


class Memory(NoLedger):
    """The memory of a run with a ledger."""

    is_kept = True

    def __init__(  # noqa: PLR0913 - all that a run asks HubSpot with
        self,
        ledger: Ledger,
        settings: Settings,
        client: HubSpotClient,
        lists: Lists,
        *,
        writer: ChangeWriter,
        reader: MembershipReader,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__()
        self._ledger = ledger
        self._settings = settings
        self._client = client
        self._lists = lists
        self._writer = writer
        self._reader = reader
        self._started = now()
        self._locks = ExitStack()
        self._locked: set[str] = set()
        self._gone: dict[str, str] = {}  # by route key, the list that HubSpot no longer has
        self._anew: set[str] = set()  # lists in the place of deleted ones
        self._known: dict[tuple[str, str], HubSpotList] = {}  # by cohort key and list id
        self._ready: set[str] = set()  # lists whose state may be trusted
        self._streams: dict[str, str] = {}
        self._names: dict[str, str] = {}  # by cohort key, of those with an id, the name last seen
        self._forgotten: set[str] = set()  # addresses whose contacts HubSpot reported missing

    # Lists

    def lock(self, names: Collection[str]) -> None:
        """Keep other runs off these lists; LedgerError names the run that has one for too long."""
        if new := {name.casefold() for name in names} - self._locked:
            self._locks.enter_context(self._ledger.lock(new, sleep=self._client.wait))
            self._locked |= new

    def lead(self, led: Collection[Led]) -> None:
        """Find the lists of earlier runs in one call; whose name matters are looked up by it."""
        new = [each for each in led if not self._lists.has(each.route)]
        if not new:
            return
        by_cohort = {each.cohort_key: each for each in self._ledger.lists()}
        wanted: dict[str, tuple[Led, str]] = {}
        for each in new:
            if list_id := _list_id(each, by_cohort.get(each.cohort.key)):
                wanted.setdefault(each.route.key, (each, list_id))
        there = self._lists.find_all({list_id for _, list_id in wanted.values()})
        for each, list_id in wanted.values():
            found = there.get(list_id)
            if found is None:
                self._gone[each.route.key] = list_id
            elif not each.is_configured or each.route.list_id or _is_named(found, each.route):
                self._lists.adopt(each.route, found)

    def know(self, led: Collection[Led], lists: Mapping[str, HubSpotList]) -> None:
        """Note each cohort's list; read one that is new to the ledger, and fill one that was made anew."""
        for each in led:
            found = lists.get(each.route.key)
            if found is None or (each.cohort.key, found.list_id) in self._known:
                continue
            self._refuse_anothers(each, found)
            self._known[each.cohort.key, found.list_id] = found
            self._streams[found.list_id] = each.stream
            self._replace(each, found)
            self._remember(each, found)
            if found.list_id not in self._ready:
                self._ready.add(found.list_id)
                self._take_over(found)

    def _refuse_anothers(self, led: Led, found: HubSpotList) -> None:
        """Raise where a cohort has the former name of another one, whose list still bears that name."""
        if led.cohort.id is None or led.is_configured:
            return
        for known in self._ledger.lists():
            name = self._names.get(known.cohort_key or "")
            if (
                known.list_id == found.list_id
                and known.cohort_key != led.cohort.key
                and name not in {None, led.cohort.name}
            ):
                raise ListError(
                    f'{found} is the list of the cohort with {known.cohort_key}, which is now named "{name}", '
                    f'and the one with {led.cohort.key} has its former name "{led.cohort.name}": rename the list in '
                    "HubSpot, or name one for each of them in lists[]."
                )

    def _remember(self, led: Led, found: HubSpotList) -> None:
        self._ledger.remember_list(self._known_list(led, found))

    def _known_list(self, led: Led, found: HubSpotList) -> KnownList:
        is_new = self._lists.is_new(found)
        name = led.cohort.name if led.cohort.id else None
        key, stream = led.cohort.key, led.stream
        return KnownList(
            found.list_id, found.name, key, stream, created_by_us=is_new, was_read=is_new, cohort_name=name
        )

    def _replace(self, led: Led, found: HubSpotList) -> None:
        """Let a list take the place of a deleted one, with its members; a mirror brings those itself."""
        old_id = self._gone.pop(led.route.key, None)
        known_ids = {each.list_id for each in self._ledger.lists()}
        if old_id is None or old_id not in known_ids or found.list_id in known_ids:
            return
        on_list: set[int] = set()
        if self._settings.sync_mode == "incremental":
            # The old list is let go only once its members are on the new one: a crash in between heals.
            on_list, _ = self._put_on(found, self._ledger.iter_members(old_id))
        logger.info("%s takes the place of list %s, which was deleted in HubSpot.", found, old_id)
        self._ledger.replace_list(old_id, self._known_list(led, found))
        self._ledger.settle(found.list_id, on=on_list, off=(), ours=False)
        self._anew.add(found.list_id)

    def _take_over(self, found: HubSpotList) -> None:
        """Read a list that the ledger did not make and has never read, or all where that is asked for."""
        was_read = any(
            each.list_id == found.list_id and (each.was_read or each.created_by_us)
            for each in self._ledger.lists()
        )
        if was_read and not (self._settings.reconcile and not self._lists.is_new(found)):
            return
        members = set(self._reader.iter_members(found))
        if was_read and self._settings.sync_mode == "incremental":
            # Put back before the reading is noted: until then the ledger says that they belong there.
            lost = self._ledger.members(found.list_id) - members - self._ledger.unsettled(found.list_id)
            on_list, left_open = self._put_on(found, lost)
            self._ledger.mark_unsettled(found.list_id, left_open)
            members |= on_list
        self._ledger.take_over(found.list_id, members)
        logger.info("%s: read from HubSpot, %d members.", found, len(members))

    def _put_on(self, hubspot_list: HubSpotList, record_ids: Iterable[int]) -> tuple[set[int], set[int]]:
        """Put contacts onto a list besides what the records say; return who is on it then, and who may not be."""
        change = Change(add=tuple(record_ids), remove=())
        added: set[int] = set()
        missing: set[int] = set()
        left_open: set[int] = set()
        refused: set[int] = set()
        jobs = (_writing(self._writer, hubspot_list, part) for part in change.split(MAX_RECORD_IDS_PER_CALL))
        for confirmation in concurrently(jobs, workers=self._settings.connection.max_concurrency):
            added |= confirmation.added
            missing |= confirmation.missing
            refused |= confirmation.refused.keys()
            left_open |= confirmation.open
        self.count_put_back[hubspot_list.list_id] += len(added)
        on_list = added
        if left_open:
            reading, _ = self._reader.read_until_settled(hubspot_list, dict.fromkeys(left_open, True))
            on_list = added | reading.on_list
            missing |= reading.missing
        self.forget(missing)
        return on_list, (refused | left_open) - on_list - missing

    def put_back(self, hubspot_list: HubSpotList) -> None:
        """Put back whom the deleted list had and the mirror, held back, neither added nor removed."""
        if hubspot_list.list_id in self._anew:
            on_list, _ = self._put_on(hubspot_list, self._ledger.unsettled(hubspot_list.list_id))
            self._ledger.settle(hubspot_list.list_id, on=on_list, off=(), ours=False)

    def is_gone(self, route: Route) -> bool:
        """Whether the list that earlier runs filled is deleted in HubSpot, and not made anew."""
        return route.key in self._gone

    def leave(self, route: Route, record_ids: Collection[int]) -> None:
        """Settle as off whoever left a list that is gone; those who stay go onto the one made in its place."""
        self.lock([route.name])
        old_id = self._gone[route.key]
        if all(each.list_id != old_id for each in self._ledger.lists()):
            raise ListError(
                f'The list "{shown(route.name)}" was made anew by another run during this one: run again.'
            )
        self._ledger.settle(old_id, on=(), off=record_ids)

    def is_ours(self, hubspot_list: HubSpotList) -> bool:
        """Whether this run or an earlier one made the list; having read it is not enough."""
        return any(
            each.list_id == hubspot_list.list_id and each.created_by_us for each in self._ledger.lists()
        )

    def vanished(self, streams: Collection[str], cohorts: Collection[str]) -> list[KnownList]:
        """The lists that these streams filled last, none of whose cohorts came."""
        known = self._ledger.lists()
        came = {each.list_id for each in known if each.cohort_key in cohorts}
        return [
            each
            for each in known
            if each.stream in streams and each.cohort_key is not None and each.list_id not in came
        ]

    # Contacts

    def record_ids(self, addresses: Collection[str]) -> Mapping[str, int]:
        """The contacts of addresses looked up within `contact_cache_days`, or if reconciling in this run."""
        days = 0 if self._settings.reconcile else self._settings.contact_cache_days
        return self._ledger.record_ids(addresses, since=self._started - timedelta(days=days))

    def remember_contacts(self, record_ids: Mapping[str, int]) -> None:
        """Keep which contact each address is."""
        if record_ids:
            self._ledger.remember_contacts(record_ids)

    def looked_up_before(self, record_ids: Mapping[str, int]) -> list[int]:
        """Of these contacts, by address, those whose address an earlier run looked up."""
        fresh = self._ledger.record_ids(record_ids.keys(), since=self._started)
        return [record_id for address, record_id in record_ids.items() if address not in fresh]

    def forget(self, record_ids: Collection[int]) -> Collection[str]:
        """Forget contacts that HubSpot no longer knows; return the addresses of all forgotten in this run."""
        # All, for a contact can be missing on several lists, and is in the ledger only once.
        if record_ids:
            self._forgotten.update(self._ledger.forget_record_ids(record_ids))
        return self._forgotten

    # Memberships

    def states(self, hubspot_list: HubSpotList, record_ids: Collection[int]) -> Mapping[int, bool]:
        """Who of these HubSpot confirmed to be on the list, and who not to be."""
        states = self._ledger.states(hubspot_list.list_id, record_ids)
        return {record_id: state is State.ON for record_id, state in states.items()}

    def begin(self, hubspot_list: HubSpotList, record_ids: Collection[int]) -> None:
        """Mark these, committed, before calls about them are sent."""
        self._ledger.mark_unsettled(hubspot_list.list_id, record_ids)

    def confirm(self, hubspot_list: HubSpotList, confirmation: Confirmation) -> None:
        """Settle whom HubSpot added or removed; whom it left open stays unsettled."""
        self._ledger.settle(hubspot_list.list_id, on=confirmation.added, off=confirmation.removed)

    def confirm_reading(self, hubspot_list: HubSpotList, reading: Reading) -> None:
        """Settle who was read; whoever was there before stays as much ours as they were."""
        self._ledger.settle(hubspot_list.list_id, on=reading.on_list, off=reading.not_on_list, ours=False)
        self.forget(reading.missing)

    def members(self, hubspot_list: HubSpotList) -> Iterator[int]:
        """Who is on the list, with those of calls that were not answered."""
        return self._ledger.iter_members(hubspot_list.list_id)

    def added_by_us(self, hubspot_list: HubSpotList) -> Collection[int]:
        """Whom this target put onto the list."""
        return self._ledger.added_by_us(hubspot_list.list_id)

    # The end

    def saw(self, cohort: Cohort) -> None:
        """Note a cohort's name: the last one seen names its list."""
        if cohort.id is not None:
            self._names[cohort.key] = cohort.name

    def end(self, accounts: Iterable[Account]) -> None:
        """Rename lists of renamed cohorts, keep a line for each list, and drop what is of no more use."""
        self._rename()
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
            )
        self._ledger.prune()

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
        if obstacle := self._lists.rename(found, wanted):
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

    def close(self) -> None:
        """Let go of the ledger, and of every lock."""
        self._locks.close()
        self._ledger.close()


def _list_id(led: Led, known: KnownList | None) -> str | None:
    """The list to look for by id: the configured one, else that of earlier runs unless another is configured."""
    if led.route.list_id or known is None:
        return led.route.list_id
    is_other = led.is_configured and known.name.casefold() != led.route.name.casefold()
    return None if is_other else known.list_id


def _is_named(hubspot_list: HubSpotList, route: Route) -> bool:
    return hubspot_list.name.casefold() == route.name.casefold()


def _writing(writer: ChangeWriter, hubspot_list: HubSpotList, part: Change) -> Callable[[], Confirmation]:
    return lambda: writer.write(hubspot_list, part)
