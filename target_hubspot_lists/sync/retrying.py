"""Tries adds of earlier runs again, once all that this run asks for is done and its STATE has been written."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import LedgerError, TargetError, UnusableList
from target_hubspot_lists.hubspot.list_objects import Route, check_writable, route_keys
from target_hubspot_lists.input.records import Cohort
from target_hubspot_lists.outcomes import is_applied
from target_hubspot_lists.reporting.account import Account, RequestedChange
from target_hubspot_lists.sync.plans import Plan
from target_hubspot_lists.sync.unapplied_adds import (
    cancelled_by_contact,
    cancelled_by_name,
    lists_of_pipeline,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
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
    from target_hubspot_lists.sync.applier import Applier
    from target_hubspot_lists.sync.contact_properties import ContactProperties, NoProperties
    from target_hubspot_lists.sync.destinations import Routes
    from target_hubspot_lists.sync.merged_contacts import MergedContacts
    from target_hubspot_lists.sync.resolution import Resolution
    from target_hubspot_lists.sync.unapplied_adds import UnappliedAdds

logger = logging.getLogger(__name__)

# Adds tried again in one run: 100 calls that look addresses up. The others have their turn in the next runs.
MOST_RETRIED = 10_000


class Retrying:
    """Tries again, after the records of a run, adds that HubSpot did not know or refused in earlier runs."""

    def __init__(  # noqa: PLR0913 - the steps from an add to its outcome
        self,
        settings: Settings,
        ledger: Ledger,
        unapplied_adds: UnappliedAdds,
        *,
        routes: Routes,
        lists: Lists,
        contacts: Contacts,
        merged: MergedContacts,
        properties: ContactProperties | NoProperties,
        applier: Applier,
        journal: Journal,
        accounts: Accounts,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._unapplied_adds = unapplied_adds
        self._routes = routes
        self._lists = lists
        self._contacts = contacts
        self._merged = merged
        self._properties = properties
        self._applier = applier
        self._journal = journal
        self._accounts = accounts
        self._now = now

    def run(self) -> None:
        """Try the adds that are due; one that cannot be tried or does not apply is kept until its days are over."""
        since = self._now() - timedelta(days=self._settings.retry_unapplied_days)
        match, kept = self._unapplied_adds.match, self._ledger.kept
        # Of this pipeline alone: another one with a stream of the same name has its own days, and its own turns.
        lists = {
            stream: self._lists_of(stream) for stream in kept.streams(match) & self._accounts.streams.keys()
        }
        if not lists:
            return
        due = kept.due(
            lists,
            match,
            since=since,
            until=self._unapplied_adds.last_earlier_word,
            most=MOST_RETRIED,
        )
        if not self._settings.dry_run:
            kept.end(lists, match, before=since)
        by_list: dict[str, list[KeptAdd]] = {}
        for add in due:
            by_list.setdefault(add.list_id, []).append(add)
        if not by_list:
            return
        existing = self._lists.find_all(by_list.keys())
        known = {known.cohort_key: known for known in self._ledger.lists.all()}
        for list_id, adds in by_list.items():
            if hubspot_list := existing.get(list_id):
                self._retry(hubspot_list, adds, known)
            else:
                self._note_tried(adds)

    def _lists_of(self, stream: str) -> Collection[str]:
        """Return the lists of the pipeline that this run is of, among those that runs of the stream filled."""
        keys = self._accounts.streams[stream].lists
        of_this_run = {list_id for key in keys if (list_id := self._accounts.lists[key].list_id)}
        by_run = self._ledger.lists.lists_by_run(stream, with_kept_adds=True)
        return lists_of_pipeline(by_run, of_this_run)

    def _retry(
        self, hubspot_list: HubSpotList, adds: Sequence[KeptAdd], known: Mapping[str | None, KnownList]
    ) -> None:
        """Try the adds to one list, and note which of them are over."""
        moved = {add for add in adds if goes_to_another_list(add, hubspot_list, self._routes, known)}
        to_try = [add for add in adds if add not in moved and not self._routes.of(cohort_of(add)).is_skipped]
        over: set[KeptAdd] = set()
        try:
            check_writable(hubspot_list)
            if problem_of_run := problem_with(hubspot_list, self._accounts, self._journal):
                raise problem_of_run
            for problem in self._journal.lock([hubspot_list], is_waited_for=False).values():
                raise problem
            removals = self._ledger.kept.removals_of(hubspot_list.list_id)
            over = set(cancelled_by_name(to_try, removals))
            if to_try := [add for add in to_try if add not in over]:
                over |= self._apply(hubspot_list, to_try, removals)
        except LedgerError:
            raise
        except (UnusableList, TargetError) as problem:
            logger.warning("%s: adds of earlier runs are not tried again. %s", hubspot_list, problem)
        over |= moved
        self._note_tried([add for add in adds if add not in over], over)

    def _note_tried(self, adds: Collection[KeptAdd], over: Collection[KeptAdd] = ()) -> None:
        """Note that adds had their turn, also those that could not be tried: the others come first next time."""
        if not self._settings.dry_run:
            self._ledger.kept.tried(adds, over=over)

    def _apply(
        self, hubspot_list: HubSpotList, adds: Sequence[KeptAdd], removals: Collection[KnownRemoval]
    ) -> set[KeptAdd]:
        """Apply adds as those of records are, on an account of their own; return those that are over."""
        account = Account(
            cohort_of(adds[0]),
            hubspot_list.name,
            hubspot_list,
            is_retry=True,
            lacks_values=bool(self._settings.property_mappings),
        )
        by_member: dict[Member, KeptAdd] = {
            int(add.member) if self._settings.are_record_ids else add.member: add for add in adds
        }
        asked = [
            RequestedChange(member, is_member=True, position=position, account=account)
            for position, member in enumerate(by_member, start=1)
        ]
        route = Route(hubspot_list.list_id, "")
        self._properties.check_lists([hubspot_list])
        properties, resolution = self._applier.begin(
            [(route, asked)], {route.key: hubspot_list}, [(member, True) for member in by_member]
        )
        words, without_contact = resolution.words(account, {each.member: each.word for each in asked})
        resolution.settle(self._accounts, without_contact, properties.results)
        cancelled = self._cancelled(removals, words, by_member, resolution)
        for record_id in cancelled:
            del words.words[record_id]
        contacts = {member: resolution.record_id(member) for member in by_member}
        self._applier.apply(
            [Plan(hubspot_list, (words,), resolution.created_ids)],
            resolution,
            properties,
            is_superseded=lambda *_: False,
        )
        self._count(hubspot_list, account)
        on_list = self._applied(contacts)
        return {
            add for member, add in by_member.items() if member in on_list or contacts[member] in cancelled
        }

    def _cancelled(
        self,
        removals: Collection[KnownRemoval],
        words: RequestedChanges,
        adds: Mapping[Member, KeptAdd],
        resolution: Resolution,
    ) -> set[int]:
        """Return the contacts that a later removal names, by whatever identifier."""
        if not words.words or not removals:
            return set()
        kept_since = {
            record_id: adds[record_id if words.members is None else words.members[record_id]].word
            for record_id in words.words
        }
        # A removal may name a record id that a merge retired since the contact was last looked up.
        unread = [record_id for record_id in kept_since if not resolution.has_looked_up(record_id)]
        merged = resolution.merged | self._merged.retired_ids(unread)
        return set(cancelled_by_contact(kept_since, removals, merged, self._contacts))

    def _applied(self, contacts: Mapping[Member, int | None]) -> Collection[Member]:
        """Return the members who are on the list now; of several names of one contact one has the outcome."""
        outcomes, self._unapplied_adds.outcomes = self._unapplied_adds.outcomes, {}
        applied = {member for member, outcome in outcomes.items() if is_applied(outcome, is_member=True)}
        on_list = {contacts.get(member) for member in applied} - {None}
        return {member for member, record_id in contacts.items() if member in applied or record_id in on_list}

    def _count(self, hubspot_list: HubSpotList, retry: Account) -> None:
        """Count on the list's account how many apply now; open one if no record of this run was about the list."""
        if not retry.applied:
            return
        same_list = (each for each in self._accounts.lists.values() if each.list_id == hubspot_list.list_id)
        account = next(same_list, None)
        if account is None:
            account = Account(retry.cohort, hubspot_list.name, hubspot_list)
            self._accounts.lists[Route(hubspot_list.list_id, "").key] = account
        account.add_retry(retry)


def problem_with(hubspot_list: HubSpotList, accounts: Accounts, journal: Journal) -> UnusableList | None:
    """Return why records of this run about the list were rejected: a removal among them was not noted as such."""
    keys = route_keys(hubspot_list)
    unusable = ((key, account) for key, account in accounts.lists.items() if account.problem)
    for key, account in unusable:
        if key in keys or hubspot_list.list_id in {account.list_id, journal.list_id_of(account.cohort)}:
            return account.problem
    return None


def cohort_of(add: KeptAdd) -> Cohort:
    """Return the cohort whose record asked for an add."""
    return Cohort.from_key(add.cohort_key, add.cohort_name)


def goes_to_another_list(
    add: KeptAdd, hubspot_list: HubSpotList, routes: Routes, known: Mapping[str | None, KnownList]
) -> bool:
    """Return whether the add's cohort goes to another list now, by the settings, else by the ledger.

    `known` has the ledger's lists by cohort key.
    """
    cohort = cohort_of(add)
    route = routes.of(cohort)
    if route.is_skipped:
        return False
    if route.list_id or route.legacy_id:
        return route.list_id != hubspot_list.list_id
    if routes.is_configured(cohort):
        return route.name.casefold() != hubspot_list.name.casefold()
    of_ledger = known.get(add.cohort_key)
    return of_ledger is not None and of_ledger.list_id != hubspot_list.list_id
