"""Brings memberships to HubSpot: fold, find lists, find contacts, change lists, account for everybody."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from hubspot_http import concurrently
from target_hubspot_lists.accounts import Account, Accounts, Asked, StreamAccount
from target_hubspot_lists.changes import MAX_RECORD_IDS_PER_CALL, Change, ChangeWriter
from target_hubspot_lists.contact_properties import ContactProperties
from target_hubspot_lists.contacts import Contacts
from target_hubspot_lists.ledger_memory import Memory
from target_hubspot_lists.lists import Lists
from target_hubspot_lists.memberships import Fold
from target_hubspot_lists.memory import Led, NoLedger
from target_hubspot_lists.outcomes import Outcome, Refusal
from target_hubspot_lists.property_memory import KnownProperties, LedgerProperties
from target_hubspot_lists.recollection import Recollection
from target_hubspot_lists.routes import Routes
from target_hubspot_lists.verification import MembershipReader, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from hubspot_http import HubSpotClient
    from target_hubspot_lists.attributes import Attributes
    from target_hubspot_lists.changes import Confirmation
    from target_hubspot_lists.hubspot_lists import HubSpotList
    from target_hubspot_lists.ledger import Ledger
    from target_hubspot_lists.memberships import Cohort, Membership, Rejection
    from target_hubspot_lists.outcomes import PropertyProblem
    from target_hubspot_lists.property_flush import PropertyFlush
    from target_hubspot_lists.report import Report
    from target_hubspot_lists.resolution import Resolution
    from target_hubspot_lists.routes import Route
    from target_hubspot_lists.settings import Settings


@dataclass
class Held:
    """The memberships held for one list until the next flush."""

    route: Route
    account: Account
    fold: Fold
    stream: str = ""  # which filled it last

    def take(self) -> list[Asked]:
        """Take out what is held: one entry per member."""
        fold, self.fold = self.fold, Fold()
        self.account.superseded += fold.superseded
        return [Asked(member, is_member, position, self.account) for member, is_member, position in fold]


class Stale(NamedTuple):
    """A membership whose remembered record id HubSpot no longer knows."""

    hubspot_list: HubSpotList
    record_id: int
    asked: Asked


@dataclass(frozen=True)
class ListChange:
    """What a flush asks of one list: by record id the last word, at most one a contact."""

    hubspot_list: HubSpotList
    asked: Mapping[int, Asked]

    @property
    def account(self) -> Account:
        """On whose account the calls are; two routes can lead to one list."""
        return next(iter(self.asked.values())).account

    def jobs(self, writer: ChangeWriter) -> Iterator[partial[tuple[ListChange, Confirmation]]]:
        """Yield the calls that make the change, to be run in any order."""
        change = Change(
            add=tuple(record_id for record_id, asked in self.asked.items() if asked.is_member),
            remove=tuple(record_id for record_id, asked in self.asked.items() if not asked.is_member),
        )
        for part in change.split(MAX_RECORD_IDS_PER_CALL):
            yield partial(self._write, writer, part)

    def _write(self, writer: ChangeWriter, part: Change) -> tuple[ListChange, Confirmation]:
        return self, writer.write(self.hubspot_list, part)


class Delivery:
    """One run: takes memberships, and on flush brings all it holds to HubSpot.

    A flush that raises leaves its unsettled memberships without an outcome: the run is over, and no STATE
    that covers them may leave.
    """

    def __init__(
        self,
        client: HubSpotClient,
        settings: Settings,
        report: Report | None = None,
    ) -> None:
        workers = settings.connection.max_concurrency
        self._client = client
        self._settings = settings
        self._workers = workers
        self._routes = Routes(settings)
        self._lists = Lists(client, settings)
        self._contacts = Contacts(
            client, workers=workers, create=settings.create_contacts, dry_run=settings.dry_run
        )
        self._writer = ChangeWriter(client, self._lists)
        self._reader = MembershipReader(client, workers=workers)
        self.properties = ContactProperties(client, settings, self._lists)
        self._memory: NoLedger = NoLedger()
        self._last_words: dict[str, Mapping[int, Asked]] = {}  # of this flush, by list id
        self._by_route: dict[str, Held] = {}
        self._by_cohort: dict[Cohort, Held] = {}
        self._positions = itertools.count()
        self.accounts = Accounts(report)
        self.held = 0
        self.seconds_verifying = 0.0

    @property
    def addresses_looked_up(self) -> int:
        """How many addresses HubSpot has answered for."""
        return self._contacts.looked_up

    def use_ledger(self, ledger: Ledger, *, now: Callable[[], datetime]) -> None:
        """Take from a ledger what it knows, and keep in it what this run does; it is closed with the delivery."""
        settings, started = self._settings, now()
        if settings.dry_run:
            self.properties.memory = KnownProperties(ledger)
            self._memory = Recollection(ledger, settings, self._lists, started=started)
            return
        self.properties.memory = LedgerProperties(ledger)
        self._memory = Memory(
            ledger,
            settings,
            self._client,
            self._lists,
            contacts=self._contacts,
            writer=self._writer,
            reader=self._reader,
            started=started,
        )

    def add_stream(self, stream: str, *, can_remove: bool) -> None:
        """Open the account of a stream."""
        self.accounts.streams.setdefault(stream, StreamAccount()).can_remove = can_remove

    def take(
        self,
        stream: str,
        membership: Membership,
        attributes: Attributes | PropertyProblem | None = None,
        *,
        version: int | None = None,  # noqa: ARG002 - it says nothing about a single change
    ) -> None:
        """Hold a membership, and what its record says of the person, until the next flush."""
        held = self._held_for(membership.cohort)
        held.stream = stream
        self._memory.saw(membership.cohort)
        held.account.records_read += 1
        of_stream = self.accounts.streams[stream]
        of_stream.records_read += 1
        of_stream.lists.add(held.route.key)
        position = next(self._positions)
        self.held += held.fold.take(membership.member, is_member=membership.is_member, position=position)
        if attributes is not None:
            self.properties.hold(membership.member, position, attributes)

    def reject(self, stream: str, rejection: Rejection) -> None:
        """Account for a record that cannot be applied."""
        self.accounts.streams[stream].records_read += 1
        account = self._held_for(rejection.cohort).account if rejection.cohort else None
        self.accounts.reject(stream, rejection, account)

    def end(self) -> None:
        """Keep in the ledger what the run did, once all of its input was brought to HubSpot."""
        self._memory.end(self.accounts.lists.values())

    def close(self) -> None:
        """Give back what the run holds besides memory."""
        for account in self.accounts.lists.values():
            account.put_back += self._memory.count_put_back.pop(account.list_id or "", 0)
        self._memory.close(self.accounts.lists.values())

    def flush(self) -> None:
        """Bring everything held to HubSpot; return once each membership has its outcome."""
        if not self.held:
            return
        asked = [(held.route, held.take()) for held in self._by_route.values() if len(held.fold)]
        self.held = 0
        self.accounts.properties = {}
        lists = self._find_lists(asked)
        properties = self.properties.begin(asked, lists)
        self.accounts.properties = properties.results
        self.accounts.properties_created = len(self.properties.created)
        contacts = self._find_contacts(
            [
                each
                for route, members in asked
                if route.key in lists or self._memory.is_gone(route)
                for each in members
            ],
            properties,
        )
        self._leave_gone(asked, lists, contacts)
        changes = self._changes(asked, lists, contacts)
        # Before the memberships: a HubSpot workflow that enrols on the list reads the properties.
        properties.write([(change.hubspot_list, change.asked) for change in changes], contacts)
        if self._settings.dry_run:
            self._foresee(self._without_known(changes, created=set()))
            return
        self._last_words = {change.hubspot_list.list_id: change.asked for change in changes}
        self._write_again(self._write(changes, _created(contacts)), properties)

    def _held_for(self, cohort: Cohort) -> Held:
        held = self._by_cohort.get(cohort)
        if held is None:
            route = self._routes.of(cohort)
            held = self._by_route.get(route.key)
            if held is None:
                account = self.accounts.lists[route.key] = Account(cohort, route.name or cohort.name)
                held = self._by_route[route.key] = Held(route, account, Fold())
            self._by_cohort[cohort] = held
        return held

    def _find_lists(self, asked: list[tuple[Route, list[Asked]]]) -> Mapping[str, HubSpotList]:
        """Find or make the lists; a removal alone makes none, and on a list that is absent nobody is."""
        wanted = {route.key for route, members in asked if any(each.is_member for each in members)}
        lists = self._resolve_lists(list(self._led({route.key for route, _ in asked})), wanted)
        for route, members in asked:
            if found := lists.get(route.key):
                members[0].account.hubspot_list = found
            elif not self._memory.is_gone(route):
                for each in members:
                    self.accounts.settle(each, Outcome.NOT_A_MEMBER)
        return lists

    def _led(self, keys: Collection[str]) -> Iterator[Led]:
        """Yield the cohorts that go to the lists with these route keys."""
        for cohort, held in self._by_cohort.items():
            if held.route.key in keys:
                yield Led(cohort, held.route, held.stream, self._routes.is_configured(cohort))

    def _resolve_lists(self, led: Collection[Led], wanted: Collection[str]) -> Mapping[str, HubSpotList]:
        """Find or make the lists of cohorts, by route key: by the ledger, else as their routes say."""
        self._memory.lead(led)
        routes = list({each.route.key: each.route for each in led}.values())
        lists = self._lists.resolve(routes, wanted, check=self._before_writing)
        self.accounts.lists_created = len(self._lists.created)
        self._memory.know(led, lists)
        return lists

    def _before_writing(self, lists: Iterable[HubSpotList]) -> None:
        """Raise, before anything is written, if a property has no place or another run holds a list."""
        lists = list(lists)
        self.properties.check_lists(lists)
        self._memory.lock([each.name for each in lists])

    def _find_contacts(self, asked: list[Asked], properties: PropertyFlush) -> Resolution | None:
        """Resolve addresses to record ids, creating contacts only for those that are to be on a list."""
        if self._settings.match_by == "contact_id":
            return None
        return self._resolve_addresses(asked, properties)

    def _resolve_addresses(self, asked: Iterable[Asked], properties: PropertyFlush) -> Resolution:
        """Resolve the addresses that are not known well enough; of the others the remembered contact stands."""
        asked = list(asked)
        addresses = dict.fromkeys(str(each.member) for each in asked)
        known = self._memory.record_ids(addresses)
        unknown = [each for each in addresses if each not in known]
        to_create = {str(each.member) for each in asked if each.is_member}
        resolution = self._contacts.resolve(unknown, to_create, properties)
        self._memory.remember_contacts(resolution.record_ids)
        resolution.record_ids |= known
        properties.resolved(resolution)
        self.accounts.contacts_created += len(resolution.created) + len(resolution.foreseen)
        return resolution

    def _leave_gone(
        self,
        asked: list[tuple[Route, list[Asked]]],
        lists: Mapping[str, HubSpotList],
        contacts: Resolution | None,
    ) -> None:
        """Settle the removals from lists that were deleted in HubSpot, and that nobody is to be added to yet."""
        for route, members in asked:
            if route.key in lists or not self._memory.is_gone(route):
                continue
            left: set[int] = set()
            for each in members:
                record_id = int(each.member) if contacts is None else self._record_id(each, contacts)
                if record_id is not None:
                    left.add(record_id)
                    self.accounts.settle(each, Outcome.NOT_A_MEMBER, record_id=record_id)
            self._memory.leave(route, left)

    def _changes(
        self,
        asked: list[tuple[Route, list[Asked]]],
        lists: Mapping[str, HubSpotList],
        contacts: Resolution | None,
    ) -> list[ListChange]:
        """Fold once more by list and record id: two routes can be one list, two addresses one contact."""
        by_list: dict[str, dict[int, Asked]] = {}
        for route, members in asked:
            if (found := lists.get(route.key)) is None:
                continue
            last_word = by_list.setdefault(found.list_id, {})
            for each in members:
                record_id = int(each.member) if contacts is None else self._record_id(each, contacts)
                if record_id is not None:
                    _keep_later(last_word, record_id, each)
        by_id = {each.list_id: each for each in lists.values()}
        return [ListChange(by_id[list_id], last_word) for list_id, last_word in by_list.items() if last_word]

    def _record_id(self, asked: Asked, contacts: Resolution) -> int | None:
        """The record id of an address; None, and accounted for, where there is none."""
        address = str(asked.member)
        if record_id := contacts.record_ids.get(address):
            return record_id
        if refusal := contacts.refused.get(address):
            self.accounts.settle(asked, Outcome.REJECTED, refusal=refusal)
        elif address in contacts.foreseen and asked.is_member:
            self.accounts.settle(asked, Outcome.ADDED, created=True)
        else:
            self.accounts.settle(asked, Outcome.MISSING)
        return None

    def _write(
        self, changes: Sequence[ListChange], created: set[int], *, is_again: bool = False
    ) -> list[Stale]:
        """Change the lists, and give each contact its outcome; `created` are the contacts made for it.

        Return those without an outcome whose record id was remembered and is no longer known; not `is_again`.
        """
        changes = list(self._without_known(changes, created))
        left_open: dict[str, dict[int, Asked]] = {}
        stale: list[Stale] = []
        for change in changes:
            self._memory.begin(change.hubspot_list, change.asked)
        jobs = (job for change in changes for job in change.jobs(self._writer))
        for change, confirmation in concurrently(jobs, workers=self._workers):
            change.account.calls += confirmation.calls
            change.account.seconds += confirmation.seconds
            self._memory.confirm(change.hubspot_list, confirmation)
            forgotten = self._memory.forget(confirmation.missing)
            for record_id in (*confirmation.change.add, *confirmation.change.remove):
                asked, outcome = change.asked[record_id], _outcome(record_id, confirmation)
                if outcome is Outcome.UNCONFIRMED and self._is_read_back:
                    left_open.setdefault(change.hubspot_list.list_id, {})[record_id] = asked
                    continue
                if outcome is Outcome.MISSING and asked.member in forgotten and not is_again:
                    stale.append(Stale(change.hubspot_list, record_id, asked))
                    continue
                refused = confirmation.refused.get(record_id)
                self.accounts.settle(
                    asked,
                    outcome,
                    record_id=record_id,
                    created=record_id in created,
                    refusal=Refusal.by_hubspot(refused) if refused else None,
                )
        for change in changes:
            self._verify(change.hubspot_list, left_open.get(change.hubspot_list.list_id, {}), created)
        return stale

    @property
    def _is_read_back(self) -> bool:
        """Whether ids that HubSpot leaves open are read: always before the ledger records them."""
        return self._settings.verify_memberships or self._memory.is_kept

    def _without_known(self, changes: Iterable[ListChange], created: set[int]) -> Iterator[ListChange]:
        """Yield what is left of the changes without those who are known to be as asked, who get their outcome."""
        for change in changes:
            states = self._memory.states(change.hubspot_list, change.asked)
            unknown: dict[int, Asked] = {}
            for record_id, asked in change.asked.items():
                if states.get(record_id) is not asked.is_member:
                    unknown[record_id] = asked
                    continue
                outcome = Outcome.ALREADY_MEMBER if asked.is_member else Outcome.NOT_A_MEMBER
                self.accounts.settle(asked, outcome, record_id=record_id, created=record_id in created)
            if unknown:
                yield ListChange(change.hubspot_list, unknown)

    def _write_again(self, stale: Collection[Stale], properties: PropertyFlush) -> None:
        """Look up once more those whose remembered contact is gone, and bring them to HubSpot as who they are now."""
        if not stale:
            return
        contacts = self._resolve_addresses([each.asked for each in stale], properties)
        lists = {each.hubspot_list.list_id: each.hubspot_list for each in stale}
        by_list: dict[str, dict[int, Asked]] = {}
        for each in stale:
            record_id = self._record_id(each.asked, contacts)
            if record_id is None:
                continue
            if self._is_outdone(each, record_id):
                each.asked.account.superseded += 1
                continue
            _keep_later(by_list.setdefault(each.hubspot_list.list_id, {}), record_id, each.asked)
        changes = [ListChange(lists[list_id], asked) for list_id, asked in by_list.items()]
        properties.write([(change.hubspot_list, change.asked) for change in changes], contacts)
        self._write(changes, _created(contacts), is_again=True)

    def _is_outdone(self, stale: Stale, record_id: int) -> bool:
        """Whether, of a contact that has this record id now, another address has a later word on the list."""
        other = self._last_words.get(stale.hubspot_list.list_id, {}).get(record_id)
        return other is not None and other.position > stale.asked.position

    def _verify(self, hubspot_list: HubSpotList, asked: Mapping[int, Asked], created: set[int]) -> None:
        """Read back what HubSpot left open, and call dropped whoever is not as asked after a few waits."""
        if not asked:
            return
        wanted = {record_id: each.is_member for record_id, each in asked.items()}
        reading, waited = self._reader.read_until_settled(hubspot_list, wanted)
        self.seconds_verifying += waited
        self._memory.confirm_reading(hubspot_list, reading.of_those_as(wanted))
        for record_id, each in asked.items():
            if record_id in reading.on_list:
                outcome = Outcome.ALREADY_MEMBER if each.is_member else Outcome.DROPPED
            elif record_id in reading.not_on_list:
                outcome = Outcome.DROPPED if each.is_member else Outcome.NOT_A_MEMBER
            else:
                outcome = Outcome.UNCONFIRMED
            self.accounts.settle(each, outcome, record_id=record_id, created=record_id in created)

    def _foresee(self, changes: Iterable[ListChange]) -> None:
        """Say what a real run would do, as far as reading tells."""
        for change in changes:
            if change.hubspot_list.is_foreseen:
                reading = Reading(frozenset(), frozenset(change.asked))
            else:
                reading = self._reader.read(change.hubspot_list, change.asked)
            for record_id, asked in change.asked.items():
                if record_id in reading.on_list:
                    outcome = Outcome.ALREADY_MEMBER if asked.is_member else Outcome.REMOVED
                elif record_id in reading.not_on_list:
                    outcome = Outcome.ADDED if asked.is_member else Outcome.NOT_A_MEMBER
                else:
                    outcome = Outcome.MISSING if record_id in reading.missing else Outcome.UNCONFIRMED
                self.accounts.settle(asked, outcome, record_id=record_id)


def _created(contacts: Resolution | None) -> set[int]:
    return {contacts.record_ids[each] for each in contacts.created} if contacts else set()


def _outcome(record_id: int, confirmation: Confirmation) -> Outcome:
    if record_id in confirmation.refused:
        return Outcome.REJECTED
    if record_id in confirmation.added:
        return Outcome.ADDED
    if record_id in confirmation.removed:
        return Outcome.REMOVED
    if record_id in confirmation.missing:
        return Outcome.MISSING
    # HubSpot does not name the ids that were members already (or were none): it left this one open.
    return Outcome.UNCONFIRMED


def _keep_later(last_word: dict[int, Asked], record_id: int, asked: Asked) -> None:
    other = last_word.get(record_id)
    if other is None:
        last_word[record_id] = asked
        return
    earlier, later = sorted((other, asked), key=lambda each: each.position)
    earlier.account.superseded += 1
    last_word[record_id] = later
