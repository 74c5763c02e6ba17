"""Incremental mode: each record is one change, and a full batch of them is brought to HubSpot."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, cast

from target_hubspot_lists.outcomes import Outcome
from target_hubspot_lists.reporting.accounts import StreamAccount
from target_hubspot_lists.sync.applying import ListChange, created_in, keep_later
from target_hubspot_lists.sync.last_words import LastWords

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.input.attributes import AttributeParser, Attributes
    from target_hubspot_lists.input.records import Cohort, Membership, Rejection
    from target_hubspot_lists.journal.journal import NoLedger
    from target_hubspot_lists.outcomes import PropertyProblem
    from target_hubspot_lists.reporting.accounts import Asked
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.applying import Applying, Stale
    from target_hubspot_lists.sync.contact_properties import ContactProperties
    from target_hubspot_lists.sync.planning import Destination, Planning
    from target_hubspot_lists.sync.property_flush import PropertyFlush
    from target_hubspot_lists.sync.resolution import Resolution


class Held:
    """The memberships held for one list until the next flush."""

    __slots__ = ("destination", "last_words", "records", "stream")

    def __init__(self, destination: Destination, stream: str) -> None:
        self.destination = destination
        self.stream = stream  # which filled it last
        self.records = 0
        self.last_words = LastWords(destination.account)

    def take(self) -> LastWords:
        """Take out what is held: the last word on each member."""
        taken, self.last_words = self.last_words, LastWords(self.destination.account)
        taken.account.superseded += self.records - len(taken)
        self.records = 0
        return taken


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
        # The cohort and the stream of the last record, and where it is held: mostly the next one's, too.
        self._latest: tuple[Cohort, str, Held, StreamAccount] | None = None
        self._position = 0
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
        cohort, member, is_member, _ = membership
        latest = self._latest
        # The parser returns one object for all records of a cohort.
        if latest is None or latest[0] is not cohort or latest[1] != stream:
            latest = self._latest = self._hold_for(cohort, stream)
        _, _, held, of_stream = latest
        of_stream.records_read += 1
        held.last_words.account.records_read += 1
        held.records += 1
        words, position = held.last_words.words, self._position
        before = len(words)
        words[member] = position << 1 | is_member
        self.held += len(words) - before
        self._position = position + 1
        if attributes is not None:
            self._properties.hold(member, position, attributes)

    def _hold_for(self, cohort: Cohort, stream: str) -> tuple[Cohort, str, Held, StreamAccount]:
        """Return where the memberships of a cohort are held that come in a stream."""
        destination, of_stream = self._planning.destination(cohort), self._accounts.streams[stream]
        key = destination.route.key
        held = self._by_route.get(key)
        if held is None:
            held = self._by_route[key] = Held(destination, stream)
        held.stream = stream
        of_stream.lists.add(key)
        self._journal.saw(cohort)
        return cohort, stream, held, of_stream

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
        held = [each for each in self._by_route.values() if each.last_words]
        asked = [(each.destination.route, each.take()) for each in held]
        self.held = 0
        self._accounts.properties = {}
        lists = self._find_lists(asked, {each.destination.route.key: each.stream for each in held})
        properties = self._properties.begin(((route, list(each.values())) for route, each in asked), lists)
        self._accounts.properties = properties.results
        self._accounts.properties_created = len(self._properties.created)
        contacts = self._find_contacts(asked, lists, properties)
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

    def _find_contacts(
        self,
        asked: list[tuple[Route, LastWords]],
        lists: Mapping[str, HubSpotList],
        properties: PropertyFlush,
    ) -> Resolution | None:
        """Resolve the addresses for whose sake a list is to change; None where members are record ids."""
        if self._settings.match_by == "contact_id":
            return None
        to_find = [words for route, words in asked if route.key in lists or self._journal.is_gone(route)]
        return self._applying.find_contacts(
            [each for words in to_find for each in words.values()], properties
        )

    def _find_lists(
        self, asked: list[tuple[Route, LastWords]], streams: Mapping[str, str]
    ) -> Mapping[str, HubSpotList]:
        """Find or make the lists; a removal alone makes none, and on a list that is absent nobody is."""
        wanted = {route.key for route, words in asked if words.adds_anybody}
        lists = self._planning.find_lists(self._planning.led(streams), wanted)
        for route, words in asked:
            if found := lists.get(route.key):
                words.account.hubspot_list = found
            elif not self._journal.is_gone(route):
                for each in words.values():
                    self._accounts.settle(each, Outcome.NOT_A_MEMBER)
        return lists

    def _leave_gone(
        self,
        asked: list[tuple[Route, LastWords]],
        lists: Mapping[str, HubSpotList],
        contacts: Resolution | None,
    ) -> None:
        """Settle the removals from lists that were deleted in HubSpot, and that nobody is to be added to yet."""
        for route, words in asked:
            if route.key in lists or not self._journal.is_gone(route):
                continue
            left: set[int] = set()
            for each in words.values():
                record_id = int(each.member) if contacts is None else self._applying.record_id(each, contacts)
                if record_id is not None:
                    left.add(record_id)
                    self._accounts.settle(each, Outcome.NOT_A_MEMBER, record_id=record_id)
            self._journal.leave(route, left)

    def _changes(
        self,
        asked: list[tuple[Route, LastWords]],
        lists: Mapping[str, HubSpotList],
        contacts: Resolution | None,
    ) -> list[ListChange]:
        """Fold once more by list and record id: two routes can be one list, two addresses one contact."""
        by_list: dict[str, list[LastWords]] = {}
        for route, words in asked:
            if found := lists.get(route.key):
                by_list.setdefault(found.list_id, []).append(words)
        by_id = {each.list_id: each for each in lists.values()}
        changes = (
            ListChange(by_id[list_id], self._by_contact(of_list, contacts))
            for list_id, of_list in by_list.items()
        )
        return [change for change in changes if change.asked]

    def _by_contact(self, of_list: Sequence[LastWords], contacts: Resolution | None) -> Mapping[int, Asked]:
        """Return the last word on each contact of one list."""
        if contacts is None and len(of_list) == 1:
            return cast("Mapping[int, Asked]", of_list[0])  # record ids: each is a contact by itself
        last_word: dict[int, Asked] = {}
        for each in itertools.chain.from_iterable(words.values() for words in of_list):
            record_id = int(each.member) if contacts is None else self._applying.record_id(each, contacts)
            if record_id is not None:
                keep_later(last_word, record_id, each)
        return last_word

    def _is_outdone(self, stale: Stale, record_id: int) -> bool:
        """Whether, of a contact that has this record id now, another address has a later word on the list."""
        other = self._last_words.get(stale.hubspot_list.list_id, {}).get(record_id)
        return other is not None and other.position > stale.asked.position
