"""Incremental mode: each record is one change; a batch of them is held, and brought to HubSpot."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import UnusableList
from target_hubspot_lists.outcomes import Outcome, Refusal
from target_hubspot_lists.reporting.account import RequestedChange, StreamAccount
from target_hubspot_lists.reporting.problems import dropped_members, unusable_lists
from target_hubspot_lists.sync.plans import Plan, last_words
from target_hubspot_lists.sync.redelivery import deliver_again
from target_hubspot_lists.sync.second_chances import Heard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.input.attributes import AttributeParser, Attributes
    from target_hubspot_lists.input.records import Cohort, Member, Membership, Rejection
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.outcomes import PropertyProblem
    from target_hubspot_lists.reporting.account import Account, RequestedChanges
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.sync.contact_properties import ContactProperties
    from target_hubspot_lists.sync.delivery import Delivery
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck
    from target_hubspot_lists.sync.merged_contacts import MergedContacts
    from target_hubspot_lists.sync.no_properties import NoProperties
    from target_hubspot_lists.sync.planning import Destination, Planning
    from target_hubspot_lists.sync.plans import Stale
    from target_hubspot_lists.sync.property_flush import Flush
    from target_hubspot_lists.sync.resolution import Resolution, Resolver
    from target_hubspot_lists.sync.second_chances import NoSecondChances, SecondChances


class Incremental:
    """A run in incremental mode: takes memberships, and on flush brings all it holds to HubSpot.

    A flush that raises leaves its unsettled memberships without an outcome: the run is over, and no STATE
    that covers them may leave.
    """

    def __init__(  # noqa: PLR0913 - the steps from a membership to its outcome
        self,
        planning: Planning,
        *,
        resolver: Resolver,
        merged: MergedContacts,
        delivery: Delivery,
        properties: ContactProperties | NoProperties,
        journal: Journal,
        mailability: MailabilityCheck | NoMailabilityCheck,
        second_chances: SecondChances | NoSecondChances,
        batch_size_rows: int,
        flush: Callable[[], None],
    ) -> None:
        """Begin with nothing held; `flush` is called when there are as many memberships as a batch has."""
        self._second_chances = second_chances
        self._mailability = mailability
        self._planning = planning
        self._accounts = planning.accounts
        self._resolver = resolver
        self._merged = merged
        self._delivery = delivery
        self._properties = properties
        self._journal = journal
        self._batch = Batch(planning, properties, journal, most=batch_size_rows, flush=flush)
        # Each record takes this way: there is no other step on it.
        self.take, self.count = self._batch.take, self._batch.count

    @property
    def held(self) -> int:
        """How many memberships wait for the next flush."""
        return self._batch.held

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
        if not self._batch.held:
            return
        self.count()
        every = list(_not_skipped(self._batch, self._accounts))
        lists = self._find_lists(every)
        there = [each for each in every if each.destination.route.key in lists]
        gone = [each for each in every if each.destination.route.key not in lists and self._is_gone(each)]
        properties = self._properties.begin([(each.destination.route, each.asked()) for each in there], lists)
        self._accounts.properties_created = len(self._properties.created)
        resolution = self._resolver.resolve(_members([*there, *gone]), properties)
        properties.resolved(resolution)
        resolution.count_found(self._accounts, _members([*there, *gone]))
        for each in gone:
            self._leave(each, resolution)
        plans = _plans(
            [(each.destination.account, each.words, lists[each.destination.route.key]) for each in there],
            resolution,
            partial(resolution.settle, self._accounts, results=properties.results),
        )
        plans = self._merged.follow(plans, resolution)
        # Before the memberships: a HubSpot workflow that enrols on the list reads the properties.
        properties.write(plans, resolution)
        stale = self._delivery.deliver(plans, properties.results)
        heard = list(_heard([*there, *gone], self._journal))
        self._batch.clear()
        self._deliver_again(stale, plans, properties)
        self._second_chances.note(heard, resolution)
        self._mailability.end_flush()

    def finish(self) -> Sequence[str]:
        """Flush; return a sentence for each list that cannot be used, or with members that were dropped."""
        self.flush()
        return [*unusable_lists(self._accounts), *dropped_members(self._accounts)]

    def is_done(self, stream: str) -> bool:
        """Return whether every list was as asked: STATE covers the members of every stream."""
        del stream
        return not self._accounts.holds_state

    def close(self) -> None:
        """Count what was taken and not flushed; all that is held is in memory."""
        self.count()

    def _find_lists(self, every: Sequence[Held]) -> Mapping[str, HubSpotList]:
        """Find or make the lists; a removal alone makes none, and on a list that is absent nobody is."""
        wanted = {
            each.destination.route.key for each in every if any(word & 1 for word in each.words.values())
        }
        routed = self._planning.routed_cohorts({each.destination.route.key: each.stream for each in every})
        lists = self._planning.find_lists(routed, wanted)
        for each in every:
            to = each.destination
            if to.account.problem:
                self._reject(each.asked(), to.account.problem)
            elif to.route.key not in lists and not self._is_gone(each):
                for asked in each.asked():
                    self._accounts.settle(asked, Outcome.NOT_A_MEMBER)
        return lists

    def _is_gone(self, held: Held) -> bool:
        """Whether the list was deleted in HubSpot, and members of earlier runs are to stay off the next one."""
        to = held.destination
        return to.account.problem is None and self._journal.deleted_list_id(to.route) is not None

    def _reject(self, every: Iterable[RequestedChange], problem: UnusableList) -> None:
        refusal = Refusal(problem.reason, str(problem))
        for asked in every:
            self._accounts.settle(asked, Outcome.REJECTED, refusal=refusal)

    def _leave(self, held: Held, resolution: Resolution) -> None:
        """Settle the removals from a list that was deleted in HubSpot, and that nobody is to be added to yet."""
        to = held.destination
        words, without = resolution.words(to.account, held.words)
        resolution.settle(self._accounts, without, {})
        try:
            self._journal.record_leavers(to.route, words.words.keys())
        except UnusableList as problem:
            to.account.problem = problem
            self._reject([words.asked(each) for each in words.words], problem)
        else:
            self._accounts.settle_all(words, words.words.keys(), Outcome.NOT_A_MEMBER, is_member=False)

    def _deliver_again(self, stale: Sequence[Stale], plans: Sequence[Plan], properties: Flush) -> None:
        by_list = {each.hubspot_list.list_id: each for each in plans}

        def is_superseded(each: Stale, record_id: int) -> bool:
            other = by_list[each.hubspot_list.list_id].asked(record_id)
            return other is not None and other.position > each.asked.position

        deliver_again(
            stale,
            is_superseded,
            resolver=self._resolver,
            properties=properties,
            delivery=self._delivery,
            accounts=self._accounts,
        )


def _not_skipped(batch: Batch, accounts: Accounts) -> Iterator[Held]:
    """Yield what is held, and settle what the setting `lists` leaves out."""
    for each in batch:
        if each.words and not each.destination.route.is_skipped:
            yield each
            continue
        for asked in each.asked():
            accounts.settle(asked, Outcome.SKIPPED)


def _heard(every: Iterable[Held], journal: Journal) -> Iterator[Heard]:
    """Yield what was said of each list that is there, and of those that were deleted in HubSpot."""
    for each in every:
        to = each.destination
        if list_id := to.account.list_id or journal.deleted_list_id(to.route):
            yield Heard(list_id, each.stream, to.account, each.words)


def _members(every: Sequence[Held]) -> Iterator[tuple[Member, bool]]:
    """Yield who is asked for, list by list, and whether they are to be on it."""
    for each in every:
        for member, word in each.words.items():
            yield member, bool(word & 1)


def _plans(
    asked: Iterable[tuple[Account, dict[Member, int], HubSpotList]],
    resolution: Resolution,
    settle: Callable[[Sequence[RequestedChange]], None],
) -> list[Plan]:
    """Fold once more by list and record id: two routes can be one list, two addresses one contact.

    `settle` gives an outcome to members who have no contact.
    """
    parts: dict[str, list[RequestedChanges]] = {}
    by_id: dict[str, HubSpotList] = {}
    for account, of_account, hubspot_list in asked:
        words, without = resolution.words(account, of_account)
        settle(without)
        if words.words:
            by_id[hubspot_list.list_id] = hubspot_list
            parts.setdefault(hubspot_list.list_id, []).append(words)
    created = resolution.created_ids
    return [Plan(each, tuple(last_words(parts[list_id])), created) for list_id, each in by_id.items()]


@dataclass
class Held:
    """The memberships held for one list until the next flush: the last word on each member: see `packed`."""

    destination: Destination
    stream: str  # which filled it last
    words: dict[Member, int] = field(default_factory=dict)

    def asked(self) -> Iterator[RequestedChange]:
        """Yield what is asked of each member."""
        account = self.destination.account
        for member, word in self.words.items():
            yield RequestedChange.unpacked(member, word, account)


class Batch:
    """The last word on each member of each list since the last flush.

    Records often come cohort by cohort. What only a change of cohort or stream alters is looked up where that changes,
    and the records since are counted there, too, by `count`.
    """

    def __init__(
        self,
        planning: Planning,
        properties: ContactProperties | NoProperties,
        journal: Journal,
        *,
        most: int,
        flush: Callable[[], None],
    ) -> None:
        """Begin with nothing; `flush` is called as soon as there are `most` memberships."""
        self._planning = planning
        self._accounts = planning.accounts
        self._properties = properties
        self._journal = journal
        self._most = most
        self._flush = flush
        self._by_cohort: dict[Cohort, Held] = {}
        self._by_route: dict[str, Held] = {}
        self._position = 0  # of the record in hand, in the order of the input
        # Of the record before this one; None if the next record is to be looked at anew.
        self._cohort: Cohort | None = None
        self._stream: str | None = None
        self._held: Held
        self._of_stream: StreamAccount
        self._words: dict[Member, int] = {}  # the ones of `_held`
        self._full_at = 0  # the number of them that makes the batch full
        # As of the last `count`: the position, the number of `_words`, and the number of memberships.
        self._counted_position = self._counted_words = self._counted = 0

    def __iter__(self) -> Iterator[Held]:
        """Yield what is held, list by list; of some nothing is."""
        return iter(self._by_route.values())

    @property
    def held(self) -> int:
        """How many memberships are held."""
        return self._counted + len(self._words) - self._counted_words

    def clear(self) -> None:
        """Let go of what was brought to HubSpot."""
        self.count()
        for each in self:
            each.words = {}
        self._cohort, self._words = None, {}
        self._counted_words = self._counted = 0

    def count(self) -> None:
        """Bring the accounts up to date with the records taken."""
        records, new = self._position - self._counted_position, len(self._words) - self._counted_words
        if records:
            account = self._held.destination.account
            account.records_read += records
            account.superseded += records - new
            self._of_stream.records_read += records
            self._counted += new
            self._counted_position, self._counted_words = self._position, len(self._words)

    def take(
        self,
        stream: str,
        membership: Membership,
        version: int | None,  # noqa: ARG002 - it says nothing about a single change
        attributes: Attributes | PropertyProblem | None = None,
    ) -> None:
        """Hold a membership, and what its record says of the person, until the next flush."""
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
        """Look up where records of a cohort are held."""
        self.count()
        held = self._by_cohort.get(cohort)
        if held is None:
            destination = self._planning.destination(cohort)
            held = self._by_route.setdefault(destination.route.key, Held(destination, stream))
            self._by_cohort[cohort] = held
        held.stream = stream
        self._journal.note_cohort(cohort)
        self._of_stream = self._accounts.streams[stream]
        self._of_stream.lists.add(held.destination.route.key)
        self._held, self._cohort, self._stream = held, cohort, stream
        self._words, self._counted_words = held.words, len(held.words)
        self._full_at = self._most - self._counted + self._counted_words
