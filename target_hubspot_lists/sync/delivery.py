"""Brings memberships to HubSpot: fold, find lists, find contacts, change lists, account for everybody."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.lists import Lists
from target_hubspot_lists.input.records import Fold
from target_hubspot_lists.journal.journal import Led
from target_hubspot_lists.journal.ledger_journal import Memory
from target_hubspot_lists.journal.property_memory import KnownProperties, LedgerProperties
from target_hubspot_lists.journal.recollection import Recollection
from target_hubspot_lists.outcomes import Outcome
from target_hubspot_lists.reporting.accounts import Account, Accounts, Asked, StreamAccount
from target_hubspot_lists.sync.applying import Applying, ListChange, created_in, keep_later
from target_hubspot_lists.sync.contact_properties import ContactProperties
from target_hubspot_lists.sync.reconciling import Reconciling
from target_hubspot_lists.sync.routes import Routes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from hubspot_singer.http import HubSpotClient
    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.input.attributes import AttributeParser, Attributes
    from target_hubspot_lists.input.records import Cohort, Membership, Rejection
    from target_hubspot_lists.journal.journal import NoLedger
    from target_hubspot_lists.ledger import Ledger
    from target_hubspot_lists.outcomes import PropertyProblem
    from target_hubspot_lists.reporting.report import Report
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.applying import Stale
    from target_hubspot_lists.sync.resolution import Resolution


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
        self._client = client
        self._settings = settings
        self.accounts = Accounts(report)
        self._routes = Routes(settings)
        self._lists = Lists(client, settings)
        self._applying = Applying(client, settings, self._lists, accounts=self.accounts)
        self.properties = ContactProperties(client, settings, self._lists)
        self._reconciling = Reconciling(self._applying.contacts, self._lists, self.accounts)
        self._last_words: dict[str, Mapping[int, Asked]] = {}  # of this flush, by list id
        self._by_route: dict[str, Held] = {}
        self._by_cohort: dict[Cohort, Held] = {}
        self._positions = itertools.count()
        self.held = 0

    @property
    def _memory(self) -> NoLedger:
        return self._applying.memory

    @property
    def seconds_verifying(self) -> float:
        """How long the run waited for memberships to show."""
        return self._applying.seconds_verifying

    @property
    def addresses_looked_up(self) -> int:
        """How many addresses HubSpot has answered for."""
        return self._applying.contacts.looked_up

    def use_ledger(self, ledger: Ledger, *, now: Callable[[], datetime]) -> None:
        """Take from a ledger what it knows, and keep in it what this run does; it is closed with the delivery."""
        settings, started = self._settings, now()
        if settings.dry_run:
            self.properties.memory = KnownProperties(ledger)
            self._applying.memory = Recollection(
                ledger, settings, self._lists, reader=self._applying.reader, started=started
            )
            return
        self.properties.memory = LedgerProperties(ledger)
        self._applying.memory = Memory(
            ledger,
            settings,
            self._client,
            self._lists,
            contacts=self._applying.contacts,
            writer=self._applying.writer,
            reader=self._applying.reader,
            started=started,
        )

    def attribute_parser(self, stream: str, columns: Sequence[str]) -> AttributeParser | None:
        """Return what reads the mapped fields of a stream's records; None if no field is mapped."""
        return self.properties.parser(stream, columns)

    def schema(self, stream: str, cohort: Cohort | None, *, can_remove: bool) -> None:
        """Open the account of a stream."""
        del cohort
        self.accounts.streams.setdefault(stream, StreamAccount()).can_remove = can_remove

    def pass_over(self, stream: str) -> None:
        """Nothing: a record that is left out changes nothing."""

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

    def reject(
        self,
        stream: str,
        rejection: Rejection,
        *,
        version: int | None = None,  # noqa: ARG002 - it says nothing about a single change
    ) -> None:
        """Account for a record that cannot be applied."""
        self.accounts.streams[stream].records_read += 1
        account = self._held_for(rejection.cohort).account if rejection.cohort else None
        self.accounts.reject(stream, rejection, account)

    def reconcile(self) -> list[str]:
        """Where the settings ask for it, read again what the ledger knows besides; return what could not be read."""
        if not self._settings.reconcile:
            return []
        self._begin_reconciling()
        return list(self._reconciling.read_lists(self._memory))

    def _begin_reconciling(self) -> None:
        if self._settings.reconcile and not self._settings.dry_run:
            self._reconciling.read_addresses(self._memory)

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
        contacts = self._applying.find_contacts(
            [
                each
                for route, members in asked
                if route.key in lists or self._memory.is_gone(route)
                for each in members
            ],
            properties,
        )
        self._leave_gone(asked, lists, contacts)
        changes = self._applying.follow(self._changes(asked, lists, contacts), contacts)
        # Before the memberships: a HubSpot workflow that enrols on the list reads the properties.
        properties.write([(change.hubspot_list, change.asked) for change in changes], contacts)
        if self._settings.dry_run:
            self._applying.foresee(changes)
            return
        self._last_words = {change.hubspot_list.list_id: change.asked for change in changes}
        self._applying.write_again(
            self._applying.write(changes, created_in(contacts)), properties, self._is_outdone
        )

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
        self._begin_reconciling()
        self._memory.lead(led)
        routes = list({each.route.key: each.route for each in led}.values())
        try:
            lists = self._lists.resolve(routes, wanted, check=self._before_writing)
        finally:
            self._memory.end_making(self._lists.not_made)
        self.accounts.lists_created = len(self._lists.created)
        self._memory.know(led, lists)
        return lists

    def _before_writing(self, lists: Iterable[HubSpotList]) -> None:
        """Raise, before anything is written, if a property has no place or another run holds a list."""
        lists = list(lists)
        self.properties.check_lists(lists)
        self._memory.lock(
            [each.name for each in lists], [each.list_id for each in lists if not each.is_foreseen]
        )
        self._memory.begin_making([each.name for each in lists if each.is_foreseen])

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
                record_id = int(each.member) if contacts is None else self._applying.record_id(each, contacts)
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
                record_id = int(each.member) if contacts is None else self._applying.record_id(each, contacts)
                if record_id is not None:
                    keep_later(last_word, record_id, each)
        by_id = {each.list_id: each for each in lists.values()}
        return [ListChange(by_id[list_id], last_word) for list_id, last_word in by_list.items() if last_word]

    def _is_outdone(self, stale: Stale, record_id: int) -> bool:
        """Whether, of a contact that has this record id now, another address has a later word on the list."""
        other = self._last_words.get(stale.hubspot_list.list_id, {}).get(record_id)
        return other is not None and other.position > stale.asked.position
