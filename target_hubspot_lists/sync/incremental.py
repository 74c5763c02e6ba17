"""Incremental mode: each record is one change, and a full batch of them is brought to HubSpot."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_hubspot_lists.input.records import Fold
from target_hubspot_lists.outcomes import Outcome
from target_hubspot_lists.reporting.accounts import Asked, StreamAccount
from target_hubspot_lists.sync.applying import ListChange, created_in, keep_later

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.input.attributes import AttributeParser, Attributes
    from target_hubspot_lists.input.records import Cohort, Membership, Rejection
    from target_hubspot_lists.journal.journal import NoLedger
    from target_hubspot_lists.outcomes import PropertyProblem
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.applying import Applying, Stale
    from target_hubspot_lists.sync.contact_properties import ContactProperties
    from target_hubspot_lists.sync.planning import Destination, Planning
    from target_hubspot_lists.sync.resolution import Resolution


@dataclass
class Held:
    """The memberships held for one list until the next flush."""

    destination: Destination
    stream: str  # which filled it last
    fold: Fold = field(default_factory=Fold)

    def take(self) -> list[Asked]:
        """Take out what is held: one entry per member."""
        fold, self.fold = self.fold, Fold()
        account = self.destination.account
        account.superseded += fold.superseded
        return [Asked(member, is_member, position, account) for member, is_member, position in fold]


class Incremental:
    """A run in incremental mode: takes memberships, and on flush brings all it holds to HubSpot.

    A flush that raises leaves its unsettled memberships without an outcome: the run is over, and no STATE
    that covers them may leave.
    """

    def __init__(
        self,
        settings: Settings,
        planning: Planning,
        applying: Applying,
        properties: ContactProperties,
        journal: NoLedger,
    ) -> None:
        self._settings = settings
        self._planning = planning
        self._accounts = planning.accounts
        self._applying = applying
        self._properties = properties
        self._journal = journal
        self._last_words: dict[str, Mapping[int, Asked]] = {}  # of this flush, by list id
        self._by_route: dict[str, Held] = {}
        self._positions = itertools.count()
        self.held = 0

    # While the input is read

    def attribute_parser(self, stream: str, columns: Sequence[str]) -> AttributeParser | None:
        """Return what reads the mapped fields of a stream's records; None if no field is mapped."""
        return self._properties.parser(stream, columns)

    def schema(self, stream: str, cohort: Cohort | None, *, can_remove: bool) -> None:
        """Open the account of a stream."""
        del cohort
        self._accounts.streams.setdefault(stream, StreamAccount()).can_remove = can_remove

    def take(
        self,
        stream: str,
        membership: Membership,
        attributes: Attributes | PropertyProblem | None = None,
        *,
        version: int | None = None,  # noqa: ARG002 - it says nothing about a single change
    ) -> None:
        """Hold a membership, and what its record says of the person, until the next flush."""
        destination = self._planning.destination(membership.cohort)
        key = destination.route.key
        held = self._by_route.get(key)
        if held is None:
            held = self._by_route[key] = Held(destination, stream)
        held.stream = stream
        self._journal.saw(membership.cohort)
        destination.account.records_read += 1
        of_stream = self._accounts.streams[stream]
        of_stream.records_read += 1
        of_stream.lists.add(key)
        position = next(self._positions)
        self.held += held.fold.take(membership.member, is_member=membership.is_member, position=position)
        if attributes is not None:
            self._properties.hold(membership.member, position, attributes)

    def reject(
        self,
        stream: str,
        rejection: Rejection,
        *,
        version: int | None = None,  # noqa: ARG002 - it says nothing about a single change
    ) -> None:
        """Account for a record that cannot be applied."""
        account = self._planning.destination(rejection.cohort).account if rejection.cohort else None
        self._accounts.reject(stream, rejection, account)

    def pass_over(self, stream: str) -> None:
        """Nothing: a record that is left out changes nothing."""

    def activate(self, stream: str, version: int | None) -> None:
        """Nothing: a version says nothing of a single change."""

    def streams_at_stake(self) -> frozenset[str]:
        """Return none: what a record asks for is done by the next flush."""
        return frozenset()

    # What is held, and the end of the input

    def flush(self) -> None:
        """Bring everything held to HubSpot; return once each membership has its outcome."""
        if not self.held:
            return
        held = [each for each in self._by_route.values() if len(each.fold)]
        asked = [(each.destination.route, each.take()) for each in held]
        self.held = 0
        self._accounts.properties = {}
        lists = self._find_lists(asked, {each.destination.route.key: each.stream for each in held})
        properties = self._properties.begin(asked, lists)
        self._accounts.properties = properties.results
        self._accounts.properties_created = len(self._properties.created)
        contacts = self._applying.find_contacts(
            [
                each
                for route, members in asked
                if route.key in lists or self._journal.is_gone(route)
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

    def finish(self) -> Sequence[str]:
        """Flush; return a sentence for each list with members that were dropped."""
        self.flush()
        return list(self._accounts.dropped())

    def is_done(self, stream: str) -> bool:
        """Return whether no member was dropped: STATE covers the members of every stream."""
        del stream
        return not self._accounts.has_dropped

    def close(self) -> None:
        """Nothing: all that is held is in memory."""

    def _find_lists(
        self, asked: list[tuple[Route, list[Asked]]], streams: Mapping[str, str]
    ) -> Mapping[str, HubSpotList]:
        """Find or make the lists; a removal alone makes none, and on a list that is absent nobody is."""
        wanted = {route.key for route, members in asked if any(each.is_member for each in members)}
        lists = self._planning.find_lists(self._planning.led(streams), wanted)
        for route, members in asked:
            if found := lists.get(route.key):
                members[0].account.hubspot_list = found
            elif not self._journal.is_gone(route):
                for each in members:
                    self._accounts.settle(each, Outcome.NOT_A_MEMBER)
        return lists

    def _leave_gone(
        self,
        asked: list[tuple[Route, list[Asked]]],
        lists: Mapping[str, HubSpotList],
        contacts: Resolution | None,
    ) -> None:
        """Settle the removals from lists that were deleted in HubSpot, and that nobody is to be added to yet."""
        for route, members in asked:
            if route.key in lists or not self._journal.is_gone(route):
                continue
            left: set[int] = set()
            for each in members:
                record_id = int(each.member) if contacts is None else self._applying.record_id(each, contacts)
                if record_id is not None:
                    left.add(record_id)
                    self._accounts.settle(each, Outcome.NOT_A_MEMBER, record_id=record_id)
            self._journal.leave(route, left)

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
