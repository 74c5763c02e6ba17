"""Tries adds of earlier runs again, once all that this run asks for is done, and its STATE has left."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import LedgerError, TargetError, UnusableList
from target_hubspot_lists.hubspot.list_objects import Route, check_writable
from target_hubspot_lists.input.records import Cohort
from target_hubspot_lists.outcomes import is_applied
from target_hubspot_lists.reporting.account import Account, RequestedChange
from target_hubspot_lists.sync.kept_words import cancelled, cancelled_by_name, pipeline_of
from target_hubspot_lists.sync.plans import Plan
from target_hubspot_lists.sync.redelivery import deliver_again

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.ledger import Ledger
    from target_hubspot_lists.ledger.records import KeptAdd, KnownList, KnownRemoval
    from target_hubspot_lists.reporting.account import RequestedChanges
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.contact_properties import ContactProperties
    from target_hubspot_lists.sync.delivery import Delivery
    from target_hubspot_lists.sync.merged_contacts import MergedContacts
    from target_hubspot_lists.sync.no_properties import NoProperties
    from target_hubspot_lists.sync.resolution import Resolution, Resolver
    from target_hubspot_lists.sync.routes import Routes
    from target_hubspot_lists.sync.second_chances import SecondChances

logger = logging.getLogger(__name__)

# Adds tried again in one run: 100 calls that look addresses up. The others have their turn in the next runs.
MOST_RETRIED = 10_000


class Retrying:
    """The part of a run that no record asks for: adds that HubSpot did not know or refused in earlier runs."""

    def __init__(  # noqa: PLR0913 - the steps from an add to its outcome
        self,
        settings: Settings,
        ledger: Ledger,
        second_chances: SecondChances,
        *,
        routes: Routes,
        every: Lists,
        contacts: Contacts,
        resolver: Resolver,
        merged: MergedContacts,
        delivery: Delivery,
        properties: ContactProperties | NoProperties,
        journal: Journal,
        accounts: Accounts,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._second_chances = second_chances
        self._routes = routes
        self._every = every
        self._contacts = contacts
        self._resolver = resolver
        self._merged = merged
        self._delivery = delivery
        self._properties = properties
        self._journal = journal
        self._accounts = accounts
        self._now = now

    def run(self) -> None:
        """Try the adds that are due; one that cannot be tried or does not apply is kept until its days are over."""
        since = self._now() - timedelta(days=self._settings.retry_unapplied_days)
        match = self._second_chances.match
        streams = self._ledger.kept.streams(match) & self._accounts.streams.keys()
        if not streams:
            return
        # Of this pipeline alone: another one with a stream of the same name has its own days, and its own turns.
        lists = {stream: self._lists_of(stream) for stream in streams}
        due = self._ledger.kept.due(
            lists,
            match,
            since=since,
            until=self._second_chances.last_earlier_word,
            most=MOST_RETRIED,
        )
        if not self._settings.dry_run:
            self._ledger.kept.end(lists, match, before=since)
        by_list: dict[str, list[KeptAdd]] = {}
        for each in due:
            by_list.setdefault(each.list_id, []).append(each)
        if not by_list:
            return
        there = self._every.find_all(by_list.keys())
        led = {each.cohort_key: each for each in self._ledger.lists.all()}
        for list_id, adds in by_list.items():
            if found := there.get(list_id):
                self._try(found, adds, led)
            else:
                self._note_tried(adds)

    def _lists_of(self, stream: str) -> Collection[str]:
        """Return the lists of the pipeline that this run is of, among those that runs of the stream filled."""
        keys = self._accounts.streams[stream].lists
        came = {list_id for key in keys if (list_id := self._accounts.lists[key].list_id)}
        return pipeline_of(self._ledger.lists.lists_by_run(stream), came)

    def _try(self, found: HubSpotList, adds: Sequence[KeptAdd], led: Mapping[str | None, KnownList]) -> None:
        """Try the adds to one list, and note which of them are over."""
        elsewhere = {each for each in adds if goes_elsewhere(each, found, self._routes, led)}
        left = [
            each for each in adds if each not in elsewhere and not self._routes.of(cohort_of(each)).is_skipped
        ]
        over: set[KeptAdd] = set()
        try:
            check_writable(found)
            for problem in self._journal.lock([found], is_waited_for=False).values():
                raise problem
            removals = self._ledger.kept.removals_of(found.list_id)
            over = set(cancelled_by_name(left, removals))
            over |= self._deliver(found, [each for each in left if each not in over], removals)
        except LedgerError:
            raise
        except (UnusableList, TargetError) as problem:
            logger.warning("%s: adds of earlier runs are not tried again. %s", found, problem)
        over |= elsewhere
        self._note_tried([each for each in adds if each not in over], over)

    def _note_tried(self, adds: Collection[KeptAdd], over: Collection[KeptAdd] = ()) -> None:
        """Note that adds had their turn, also those that could not be tried: the others come first next time."""
        if not self._settings.dry_run:
            self._ledger.kept.tried(adds, over=over)

    def _deliver(
        self, found: HubSpotList, adds: Sequence[KeptAdd], removals: Collection[KnownRemoval]
    ) -> set[KeptAdd]:
        """Bring adds to HubSpot as records are, on an account of their own; return those that are over."""
        if not adds:
            return set()
        account = Account(cohort_of(adds[0]), found.name, found, is_retry=True)
        by_member: dict[Member, KeptAdd] = {self._member(each): each for each in adds}
        asked = [
            RequestedChange(member, is_member=True, position=position, account=account)
            for position, member in enumerate(by_member, start=1)
        ]
        route = Route(found.list_id, "")
        self._properties.check_lists([found])
        properties = self._properties.begin([(route, asked)], {route.key: found})
        resolution = self._resolver.resolve([(each.member, True) for each in asked], properties)
        properties.resolved(resolution)
        words, without = resolution.words(account, {each.member: each.word for each in asked})
        resolution.settle(self._accounts, without, properties.results)
        gone = set(self._cancelled(removals, words, by_member, resolution))
        for record_id in gone:
            del words.words[record_id]
        contacts = {member: resolution.record_id(member) for member in by_member}
        plans = self._merged.follow([Plan(found, (words,), resolution.created_ids)], resolution)
        properties.write(plans, resolution)
        stale = self._delivery.deliver(plans, properties.results)
        deliver_again(
            stale,
            lambda *_: False,
            resolver=self._resolver,
            properties=properties,
            delivery=self._delivery,
            accounts=self._accounts,
        )
        self._count(found, account)
        on_list = self._applied(contacts)
        return {each for member, each in by_member.items() if member in on_list or contacts[member] in gone}

    def _member(self, add: KeptAdd) -> Member:
        return int(add.member) if self._settings.are_record_ids else add.member

    def _cancelled(
        self,
        removals: Collection[KnownRemoval],
        words: RequestedChanges,
        adds: Mapping[Member, KeptAdd],
        resolution: Resolution,
    ) -> Iterator[int]:
        """Yield the contacts whom a later removal names, by whatever identifier."""
        if not words.words or not removals:
            return
        kept_since = {
            record_id: adds[record_id if words.members is None else words.members[record_id]].word
            for record_id in words.words
        }
        # A removal may name a record id that a merge retired since the contact was last looked up.
        unread = [each for each in kept_since if not resolution.has_looked_up(each)]
        merged = resolution.merged | self._merged.retired_ids(unread)
        yield from cancelled(kept_since, removals, merged, self._contacts)

    def _applied(self, contacts: Mapping[Member, int | None]) -> Collection[Member]:
        """Return the members who are on the list now; of several names of one contact one has the outcome."""
        outcomes, self._second_chances.outcomes = self._second_chances.outcomes, {}
        applied = {member for member, outcome in outcomes.items() if is_applied(outcome, is_member=True)}
        on_list = {contacts.get(member) for member in applied} - {None}
        return {member for member, record_id in contacts.items() if member in applied or record_id in on_list}

    def _count(self, found: HubSpotList, retry: Account) -> None:
        """Count on the list's account how many apply now; open one if no record of this run was about the list."""
        if not retry.applied:
            return
        of_list = (each for each in self._accounts.lists.values() if each.list_id == found.list_id)
        account = next(of_list, None)
        if account is None:
            account = Account(retry.cohort, found.name, found)
            self._accounts.lists[Route(found.list_id, "").key] = account
        account.add_retry(retry)


class NoRetrying:
    """Without a ledger, or in a mirror, nothing is tried again."""

    def run(self) -> None:
        """Nothing."""


def cohort_of(add: KeptAdd) -> Cohort:
    """Return the cohort whose record asked for an add."""
    return Cohort.from_key(add.cohort_key, add.cohort_name)


def goes_elsewhere(
    add: KeptAdd, found: HubSpotList, routes: Routes, led: Mapping[str | None, KnownList]
) -> bool:
    """Whether the cohort goes to another list now, as the settings say, else as the ledger knows it."""
    cohort = cohort_of(add)
    route = routes.of(cohort)
    if route.is_skipped:
        return False
    if route.list_id or route.legacy_id:
        return route.list_id != found.list_id
    if routes.is_configured(cohort):
        return route.name.casefold() != found.name.casefold()
    known = led.get(add.cohort_key)
    return known is not None and known.list_id != found.list_id
