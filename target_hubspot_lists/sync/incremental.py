"""Incremental mode: each record is one change; changes are held in a batch, and a flush applies them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from target_hubspot_lists.outcomes import Outcome
from target_hubspot_lists.reporting.account import RequestedChange, StreamAccount
from target_hubspot_lists.reporting.problems import dropped_members, unusable_lists
from target_hubspot_lists.sync.absent_lists import AbsentLists, reject
from target_hubspot_lists.sync.plans import Plan, last_words
from target_hubspot_lists.sync.unapplied_adds import ListChanges, Source, Sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.input.attributes import AttributeParser, Attributes
    from target_hubspot_lists.input.records import Cohort, Member, Membership, Rejection
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.outcomes import PropertyProblem
    from target_hubspot_lists.reporting.account import Account, RequestedChanges
    from target_hubspot_lists.sync.applier import Applier
    from target_hubspot_lists.sync.contact_properties import ContactProperties, NoProperties
    from target_hubspot_lists.sync.destinations import Destination, Destinations
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck
    from target_hubspot_lists.sync.resolution import Resolution
    from target_hubspot_lists.sync.unapplied_adds import NoUnappliedAdds, UnappliedAdds


class Incremental:
    """A run in incremental mode: takes memberships, and on flush applies all that it holds.

    A flush that raises leaves its unsettled memberships without an outcome: the run is over, and no STATE that covers
    them may be written.
    """

    def __init__(  # noqa: PLR0913 - the steps from a membership to its outcome
        self,
        destinations: Destinations,
        *,
        applier: Applier,
        properties: ContactProperties | NoProperties,
        journal: Journal,
        mailability: MailabilityCheck | NoMailabilityCheck,
        unapplied_adds: UnappliedAdds | NoUnappliedAdds,
        batch_size_rows: int,
        flush: Callable[[], None],
    ) -> None:
        """Begin with nothing held; `flush` is called when the batch is full."""
        self._destinations = destinations
        self._accounts = destinations.accounts
        self._applier = applier
        self._properties = properties
        self._journal = journal
        self._mailability = mailability
        self._unapplied_adds = unapplied_adds
        self._absent = AbsentLists(destinations.accounts, properties, journal)
        self._batch = Batch(destinations, properties, journal, size=batch_size_rows, flush=flush)
        # Called for each record: no other function is between the input and these.
        self.take, self.count = self._batch.take, self._batch.count

    @property
    def pending(self) -> int:
        """How many memberships wait for the next flush."""
        return self._batch.size

    # While the input is read

    def attribute_parser(self, stream: str, columns: Sequence[str]) -> AttributeParser | None:
        """Return what reads the mapped fields of a stream's records; None if no field is mapped."""
        return self._properties.parser(stream, columns)

    def schema(self, stream: str, cohort: Cohort | None, *, can_remove: bool) -> None:
        """Open the account of a stream."""
        del cohort
        self._accounts.streams.setdefault(stream, StreamAccount()).can_remove = can_remove

    def reject(
        self,
        stream: str,
        rejection: Rejection,
        version: int | None,  # noqa: ARG002 - it says nothing about a single change
    ) -> None:
        """Account for a record that cannot be applied."""
        account = self._destinations.of(rejection.cohort).account if rejection.cohort else None
        self._accounts.reject(stream, rejection, account)

    def pass_over(self, stream: str) -> None:
        """Do nothing: a record that is left out changes nothing."""

    def note_removals(self, stream: str) -> None:
        """Note that records of the stream can remove a member, though its SCHEMA has no column for that."""
        self._accounts.streams[stream].can_remove = True

    def activate(self, stream: str, version: int | None) -> None:
        """Do nothing: a version says nothing about a single change."""

    def streams_at_stake(self) -> frozenset[str]:
        """Return none: what a record asks for is done by the next flush."""
        return frozenset()

    # Flushes, and the end of the input

    def flush(self) -> None:
        """Apply everything held; return once each membership has its outcome."""
        if not self._batch.size:
            return
        self.count()
        to_apply = self._settle_skipped()
        lists = self._find_lists(to_apply)
        on_lists = [pending for pending in to_apply if pending.route_key in lists]
        absent = [
            pending
            for pending in to_apply
            if pending.route_key not in lists
            and self._absent.need_contacts(pending.destination.route, pending.account)
        ]
        for pending in on_lists:
            self._journal.note_streams(lists[pending.route_key], pending.sources.streams)
        to_look_up = [*on_lists, *absent]
        deleted = self._absent.deleted(pending.destination.route for pending in absent)
        self._properties.check_lists(deleted.values())
        properties, resolution = self._applier.begin(
            [(pending.destination.route, pending.asked()) for pending in to_look_up],
            {**lists, **deleted},
            _members(to_look_up),
        )
        resolution.count_found(self._accounts, _members(to_look_up))
        left = (
            self._absent.leave(
                each.destination.route, each.account, each.words, resolution, deleted.get(each.route_key)
            )
            for each in absent
        )
        leaving = [plan for plan in left if plan is not None]
        plans = _plans(
            [(each.account, each.words, lists[each.route_key]) for each in on_lists],
            resolution,
            partial(resolution.settle, self._accounts, results=properties.results),
        )
        deleted_ids = {key: each.list_id for key, each in deleted.items()}
        changes = [
            ListChanges(list_id, pending.sources, pending.account, pending.words)
            for pending in to_look_up
            if (list_id := pending.account.list_id or deleted_ids.get(pending.route_key))
        ]
        changes += _skipped_removals(self._batch, self._journal)
        self._applier.apply(plans, resolution, properties, of_absent_lists=leaving)
        self._absent.settle(leaving, properties.results)
        self._batch.clear()
        self._unapplied_adds.note(changes, resolution)
        self._mailability.end_flush()

    def finish(self) -> Sequence[str]:
        """Flush; return a sentence for each list that cannot be used, or with members that were dropped."""
        self.flush()
        return [*unusable_lists(self._accounts), *dropped_members(self._accounts)]

    def undone_streams(self) -> frozenset[str]:
        """Return none: STATE waits for all lists, whichever stream they are of."""
        return frozenset()

    def close(self) -> None:
        """Count what was taken and not flushed; all that is held is in memory."""
        self.count()

    def _settle_skipped(self) -> list[Pending]:
        """Return what is to be applied; settle what the setting `lists` leaves out."""
        to_apply: list[Pending] = []
        for pending in self._batch:
            if pending.words and not pending.destination.route.is_skipped:
                to_apply.append(pending)
                continue
            for asked in pending.asked():
                self._accounts.settle(asked, Outcome.SKIPPED)
        return to_apply

    def _find_lists(self, to_apply: Sequence[Pending]) -> Mapping[str, HubSpotList]:
        """Find or create the lists; a list is not created for removals alone, and absent lists have no members."""
        with_adds = {
            pending.route_key for pending in to_apply if any(word & 1 for word in pending.words.values())
        }
        routed = self._destinations.routed_cohorts({each.route_key: each.stream for each in to_apply})
        lists = self._destinations.find_lists(routed, with_adds)
        for pending in to_apply:
            if problem := pending.account.problem:
                reject(self._accounts, pending.asked(), problem)
            elif pending.route_key not in lists and not self._absent.need_contacts(
                pending.destination.route, pending.account
            ):
                for asked in pending.asked():
                    self._accounts.settle(asked, Outcome.NOT_A_MEMBER)
        return lists


def _skipped_removals(batch: Iterable[Pending], journal: Journal) -> Iterator[ListChanges]:
    """Yield the removals that the setting `lists` leaves out: who left is not to be added by an add kept before."""
    for pending in batch:
        if not pending.destination.route.is_skipped:
            continue
        by_list: dict[str, dict[Member, int]] = {}
        for member, word in pending.words.items():
            if not word & 1 and (list_id := journal.list_id_of(pending.sources.of(word >> 1).cohort)):
                by_list.setdefault(list_id, {})[member] = word
        for list_id, removals in by_list.items():
            yield ListChanges(list_id, pending.sources, pending.account, removals)


def _members(pending: Iterable[Pending]) -> Iterator[tuple[Member, bool]]:
    """Yield members list by list, each with whether it is to be on the list."""
    for of_list in pending:
        for member, word in of_list.words.items():
            yield member, bool(word & 1)


def _plans(
    asked: Iterable[tuple[Account, dict[Member, int], HubSpotList]],
    resolution: Resolution,
    settle: Callable[[Sequence[RequestedChange]], None],
) -> list[Plan]:
    """Return a plan a list: two routes can be one list, and two addresses one contact.

    `settle` gives an outcome to members who have no contact.
    """
    parts: dict[str, list[RequestedChanges]] = {}
    lists: dict[str, HubSpotList] = {}
    for account, by_member, hubspot_list in asked:
        words, without_contact = resolution.words(account, by_member)
        settle(without_contact)
        if words.words:
            lists[hubspot_list.list_id] = hubspot_list
            parts.setdefault(hubspot_list.list_id, []).append(words)
    created = resolution.created_ids
    return [
        Plan(hubspot_list, tuple(last_words(parts[list_id])), created)
        for list_id, hubspot_list in lists.items()
    ]


@dataclass
class Pending:
    """The memberships held for one list until the next flush: the last word on each member, see `packed`."""

    destination: Destination
    stream: str  # which filled it last
    words: dict[Member, int] = field(default_factory=dict)
    sources: Sources = field(default_factory=Sources)

    @property
    def route_key(self) -> str:
        """The key of the route, by which lists are found."""
        return self.destination.route.key

    @property
    def account(self) -> Account:
        """The account of the list."""
        return self.destination.account

    def asked(self) -> Iterator[RequestedChange]:
        """Yield the change asked for each member."""
        for member, word in self.words.items():
            yield RequestedChange.unpacked(member, word, self.account)


class Batch:
    """The last word on each member of each list since the last flush.

    Records often come cohort by cohort. What only a change of cohort or stream alters is looked up where that changes,
    and the records since are counted there, too, by `count`.
    """

    def __init__(
        self,
        destinations: Destinations,
        properties: ContactProperties | NoProperties,
        journal: Journal,
        *,
        size: int,
        flush: Callable[[], None],
    ) -> None:
        """Begin with nothing; `flush` is called as soon as there are `size` memberships."""
        self._destinations = destinations
        self._accounts = destinations.accounts
        self._properties = properties
        self._journal = journal
        self._full_size = size
        self._flush = flush
        self._by_cohort: dict[Cohort, Pending] = {}
        self._by_route: dict[str, Pending] = {}
        self._position = 0  # of the latest record, in the order of the input
        # Of the record before this one; None if the next record is to be looked up anew.
        self._cohort: Cohort | None = None
        self._stream: str | None = None
        self._pending: Pending
        self._stream_account: StreamAccount
        self._words: dict[Member, int] = {}  # those of `_pending`
        self._full_at = 0  # the number of them that makes the batch full
        # As of the last `count`: the position, the number of `_words`, and the number of memberships.
        self._counted_position = self._counted_words = self._counted = 0

    def __iter__(self) -> Iterator[Pending]:
        """Yield what is held, list by list; for some lists nothing is."""
        return iter(self._by_route.values())

    @property
    def size(self) -> int:
        """How many memberships are held."""
        return self._counted + len(self._words) - self._counted_words

    def clear(self) -> None:
        """Forget what was applied."""
        self.count()
        for pending in self:
            pending.words, pending.sources = {}, Sources()
        self._cohort, self._words = None, {}
        self._counted_words = self._counted = 0

    def count(self) -> None:
        """Bring the accounts up to date with the records taken."""
        records, new = self._position - self._counted_position, len(self._words) - self._counted_words
        if records:
            account = self._pending.account
            account.records_read += records
            account.superseded += records - new
            self._stream_account.records_read += records
            self._counted += new
            self._counted_position, self._counted_words = self._position, len(self._words)

    def take(
        self,
        stream: str,
        membership: Membership,
        version: int | None,  # noqa: ARG002 - it says nothing about a single change
        attributes: Attributes | PropertyProblem | None = None,
    ) -> None:
        """Hold a membership, and the attributes of its record, until the next flush."""
        cohort, member, is_member, _ = membership
        if cohort is not self._cohort or stream is not self._stream:
            self._turn_to(stream, cohort)
        words = self._words
        self._position = position = self._position + 1
        words[member] = position << 1 | is_member
        if attributes is not None:
            self._properties.hold(member, position, attributes)
        if len(words) >= self._full_at:
            self._flush()

    def _turn_to(self, stream: str, cohort: Cohort) -> None:
        """Look up where the records of a cohort are held."""
        self.count()
        pending = self._by_cohort.get(cohort)
        if pending is None:
            destination = self._destinations.of(cohort)
            pending = self._by_route.setdefault(destination.route.key, Pending(destination, stream))
            self._by_cohort[cohort] = pending
        pending.stream = stream
        pending.sources.turn_to(Source(stream, cohort), self._position + 1)
        self._journal.note_cohort(cohort)
        self._stream_account = self._accounts.streams[stream]
        self._stream_account.lists.add(pending.route_key)
        self._pending, self._cohort, self._stream = pending, cohort, stream
        self._words, self._counted_words = pending.words, len(pending.words)
        self._full_at = self._full_size - self._counted + self._counted_words
