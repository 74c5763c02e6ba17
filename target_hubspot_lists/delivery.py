"""Brings memberships to HubSpot: fold, find lists, find contacts, change lists, account for everybody."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from hubspot_http import concurrently
from target_hubspot_lists.changes import MAX_RECORD_IDS_PER_CALL, Change, ChangeWriter
from target_hubspot_lists.contacts import Contacts, NotCreated
from target_hubspot_lists.lists import Lists, Routes
from target_hubspot_lists.memberships import Fold
from target_hubspot_lists.outcomes import ListTally, Outcome, StreamTally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hubspot_http import HubSpotClient
    from target_hubspot_lists.changes import Confirmation
    from target_hubspot_lists.contacts import Resolution
    from target_hubspot_lists.lists import HubSpotList, Route
    from target_hubspot_lists.memberships import Cohort, Member, Membership, Rejection
    from target_hubspot_lists.settings import Settings


class Asked(NamedTuple):
    """What was asked for one contact of one list: the last word on it, and on whose account."""

    member: Member
    is_member: bool
    position: int
    account: Account


@dataclass
class Account:
    """The memberships held for one list, and their accounts over the whole run."""

    route: Route
    tally: ListTally
    fold: Fold

    def take_fold(self) -> list[Asked]:
        """Take out what is held: one entry per member."""
        fold, self.fold = self.fold, Fold()
        self.tally.superseded += fold.superseded
        return [Asked(member, is_member, position, self) for member, is_member, position in fold]


@dataclass(frozen=True)
class ListChange:
    """What a flush asks of one list: by record id the last word, at most one a contact."""

    hubspot_list: HubSpotList
    asked: Mapping[int, Asked]

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

    def __init__(self, client: HubSpotClient, settings: Settings) -> None:
        self._settings = settings
        self._workers = settings.connection.max_concurrency
        self._routes = Routes(settings)
        self._lists = Lists(client, settings)
        self._contacts = Contacts(client, workers=self._workers, create=settings.create_contacts)
        self._writer = ChangeWriter(client, self._lists)
        self._accounts: dict[str, Account] = {}
        self._accounts_by_cohort: dict[Cohort, Account] = {}
        self._positions = itertools.count()
        self.held = 0
        self.streams: dict[str, StreamTally] = {}
        self.contacts_created = 0

    @property
    def tallies(self) -> Iterable[ListTally]:
        """The accounts of each list, in the order in which the lists were first named."""
        return [account.tally for account in self._accounts.values()]

    @property
    def lists_created(self) -> int:
        """How many lists this run made."""
        return len(self._lists.created)

    def take(self, membership: Membership) -> None:
        """Hold a membership until the next flush."""
        account = self._account(membership.cohort)
        account.tally.records_read += 1
        self.held += account.fold.take(
            membership.member, is_member=membership.is_member, position=next(self._positions)
        )

    def reject(self, stream: str, rejection: Rejection) -> None:
        """Account for a record that cannot be applied."""
        if rejection.cohort is None:
            self.streams.setdefault(stream, StreamTally()).reasons[rejection.reason] += 1
            return
        tally = self._account(rejection.cohort).tally
        tally.records_read += 1
        tally.outcomes[Outcome.REJECTED] += 1
        tally.reasons[rejection.reason] += 1

    def flush(self) -> None:
        """Bring everything held to HubSpot; return once each membership has its outcome."""
        if not self.held:
            return
        asked = [
            (account.route, account.take_fold()) for account in self._accounts.values() if len(account.fold)
        ]
        self.held = 0
        lists = self._find_lists(asked)
        contacts = self._find_contacts(
            [each for route, members in asked if route.key in lists for each in members]
        )
        changes = self._changes(asked, lists, contacts)
        jobs = (job for change in changes for job in change.jobs(self._writer))
        for change, confirmation in concurrently(jobs, workers=self._workers):
            self._settle(change, confirmation)

    def check_accounts(self) -> None:
        """Raise AccountsError unless every membership asked for has its outcome."""
        for tally in self.tallies:
            tally.check()

    def _account(self, cohort: Cohort) -> Account:
        account = self._accounts_by_cohort.get(cohort)
        if account is None:
            route = self._routes.of(cohort)
            account = self._accounts.get(route.key)
            if account is None:
                account = self._accounts[route.key] = Account(
                    route, ListTally(route.name or cohort.name), Fold()
                )
            self._accounts_by_cohort[cohort] = account
        return account

    def _find_lists(self, asked: list[tuple[Route, list[Asked]]]) -> Mapping[str, HubSpotList]:
        """Find or make the lists; a removal alone makes none, and on a list that is absent nobody is."""
        wanted = {route.key for route, members in asked if any(each.is_member for each in members)}
        lists = self._lists.resolve([route for route, _ in asked], wanted)
        for route, members in asked:
            if found := lists.get(route.key):
                tally = members[0].account.tally
                tally.label, tally.list_id = found.name, found.list_id
            else:
                for each in members:
                    _account_for(each, Outcome.NOT_A_MEMBER)
        return lists

    def _find_contacts(self, asked: list[Asked]) -> Resolution | None:
        """Resolve addresses to record ids, creating contacts only for those that are to be on a list."""
        if self._settings.match_by == "contact_id":
            return None
        addresses = dict.fromkeys(str(each.member) for each in asked)
        to_create = {str(each.member) for each in asked if each.is_member}
        resolution = self._contacts.resolve(addresses, to_create)
        self.contacts_created += len(resolution.created)
        return resolution

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
                record_id = _record_id(each, contacts)
                if record_id is not None:
                    _keep_later(last_word, record_id, each)
        by_id = {each.list_id: each for each in lists.values()}
        return [ListChange(by_id[list_id], last_word) for list_id, last_word in by_list.items() if last_word]

    def _settle(self, change: ListChange, confirmation: Confirmation) -> None:
        """Account for every record id of one call."""
        for record_id in (*confirmation.change.add, *confirmation.change.remove):
            asked = change.asked[record_id]
            if refused := confirmation.refused.get(record_id):
                _account_for(asked, Outcome.REJECTED, NotCreated.by_hubspot(refused))
            else:
                _account_for(asked, _outcome(record_id, confirmation))
        tally = next(iter(change.asked.values())).account.tally
        tally.calls += confirmation.calls
        tally.seconds += confirmation.seconds


def _outcome(record_id: int, confirmation: Confirmation) -> Outcome:
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
    earlier.account.tally.superseded += 1
    last_word[record_id] = later


def _record_id(asked: Asked, contacts: Resolution | None) -> int | None:
    """The record id of a member; None, and accounted for, where there is none."""
    if contacts is None:
        return int(asked.member)
    address = str(asked.member)
    if record_id := contacts.record_ids.get(address):
        return record_id
    if refusal := contacts.refused.get(address):
        _account_for(asked, Outcome.REJECTED, refusal)
    else:
        _account_for(asked, Outcome.MISSING)
    return None


def _account_for(asked: Asked, outcome: Outcome, refusal: NotCreated | None = None) -> None:
    tally = asked.account.tally
    tally.outcomes[outcome] += 1
    if refusal:
        tally.reasons[refusal.reason] += 1
