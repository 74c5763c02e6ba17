"""Brings plans to HubSpot, and gives every membership its outcome: the one place where they are settled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hubspot_singer.http import concurrently
from target_hubspot_lists.errors import UnusableList
from target_hubspot_lists.hubspot.membership_changes import Doubts
from target_hubspot_lists.hubspot.membership_reads import WAITS_BEFORE_DROPPED, Reading
from target_hubspot_lists.hubspot.membership_writes import MAX_RECORD_IDS_PER_CALL
from target_hubspot_lists.outcomes import Refusal, Seen, outcome_of
from target_hubspot_lists.reporting.account import EMPTY, NO_POSITION
from target_hubspot_lists.sync.plans import Stale, to_add

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from hubspot_singer.http import HubSpotClient
    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.membership_changes import Change, Confirmation
    from target_hubspot_lists.hubspot.membership_reads import MembershipReader
    from target_hubspot_lists.hubspot.membership_writes import ChangeWriter
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.outcomes import KnownMailability, PropertyResult
    from target_hubspot_lists.reporting.account import RequestedChange
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck
    from target_hubspot_lists.sync.merged_contacts import MergedContacts
    from target_hubspot_lists.sync.plans import Plan


class Delivery:
    """Delivers plans, several lists at once, and settles each membership by what HubSpot says of it.

    A list that turns out not to be usable costs its own members: they are rejected with the reason, and every other
    plan comes to its end.
    """

    def __init__(  # noqa: PLR0913 - what HubSpot is asked with, and who is told
        self,
        client: HubSpotClient,
        settings: Settings,
        *,
        writer: ChangeWriter,
        reader: MembershipReader,
        merged: MergedContacts,
        journal: Journal,
        accounts: Accounts,
        mailability: MailabilityCheck | NoMailabilityCheck,
    ) -> None:
        self._mailability = mailability
        self._client = client
        self._settings = settings
        self._writer = writer
        self._reader = reader
        self._merged = merged
        self._journal = journal
        self._accounts = accounts
        self._is_read_back = settings.verify_memberships or journal.is_kept  # always before a ledger records
        self.unusable: dict[str, UnusableList] = {}  # by list id, for the rest of the run
        self.seconds_verifying = 0.0

    def deliver(
        self,
        plans: Iterable[Plan],
        results: Mapping[Member, PropertyResult] = EMPTY,
        *,
        is_again: bool = False,
    ) -> list[Stale]:
        """Bring plans to HubSpot; a dry run only reads, and says what would come of them.

        Return those without an outcome whose contact has another record id now; if `is_again`, there are none.
        """
        going = [each for each in self._begin(list(plans), results) if each.left]
        if self._settings.dry_run:
            for each in going:
                each.problem = foresee(each, self._reader, by_record=self._settings.are_record_ids)
                self._reject(each)
            return []
        changes = [(each, each.plan.change(each.left)) for each in going]
        for each, change in changes:
            self._journal.begin_change(each.hubspot_list, change)
        self._send(changes)
        stale = [one for each in going for one in self._judge_missing(each, is_again=is_again)]
        for seconds in WAITS_BEFORE_DROPPED:
            known = [each for each in going if each.missing]
            if not known:
                break
            # HubSpot knows these contacts, and the list does not yet: most of them were made a moment ago.
            self._client.wait(seconds)
            self.seconds_verifying += seconds
            self._send([(each, each.plan.change(each.missing)) for each in known])
        for each in going:
            self._drop(each)
            self._verify(each)
        return stale

    def _begin(self, plans: Sequence[Plan], results: Mapping[Member, PropertyResult]) -> Iterator[UnderWay]:
        """Settle members that the journal knows to be as asked, and all members of a list that cannot be used."""
        usable = (plan for plan in plans if plan.hubspot_list.list_id not in self.unusable)
        mailability = self._mailability.of(to_add(usable))
        for plan in plans:
            each = UnderWay(plan, self._accounts, plan.record_ids, results=results, mailability=mailability)
            each.problem = self.unusable.get(plan.hubspot_list.list_id)
            if each.problem:
                self._reject(each)
            elif states := self._journal.states(plan.hubspot_list, each.left):
                each.settle_known(states)
            yield each

    def _send(self, changes: Sequence[tuple[UnderWay, Change]]) -> None:
        """Send changes, and settle the answers; ids that are not named, or called missing, are settled later."""
        for each, change in changes:
            if each.missing:
                each.missing = each.missing.difference(change.ids)
        jobs = (
            _job(self._writer, each, part)
            for each, change in changes
            for part in change.split(MAX_RECORD_IDS_PER_CALL)
        )
        for each, confirmation in concurrently(jobs, workers=self._settings.connection.max_concurrency):
            if confirmation is not None:
                self._take(each, confirmation)
        for each, _ in changes:
            if each.doubts and not each.problem:
                doubts, each.doubts = each.doubts, Doubts()
                try:
                    self._take(each, self._writer.ask_again(each.hubspot_list, doubts))
                except UnusableList as problem:
                    each.problem = problem
            self._reject(each)

    def _take(self, each: UnderWay, confirmation: Confirmation) -> None:
        self._journal.record_confirmation(each.hubspot_list, confirmation)
        each.note(confirmation)
        each.settle(confirmation.added, Seen.CHANGED, is_member=True)
        each.settle(confirmation.removed, Seen.CHANGED, is_member=False)
        refused = {one: Refusal.by_hubspot(problem) for one, problem in confirmation.refused.items()}
        each.settle(set(refused), Seen.REFUSED, refusals=refused)
        if self._is_read_back:
            each.not_named |= confirmation.open
        else:
            each.settle(confirmation.open, Seen.NOT_NAMED)

    def _judge_missing(self, each: UnderWay, *, is_again: bool) -> Iterator[Stale]:
        """Read contacts that the list calls missing: yield those with another id, and keep those that HubSpot knows.

        The rest are nobody's: they are settled as missing. What was created for this plan is known, whether or not a
        read shows it yet.
        """
        if not each.missing:
            return
        created = each.plan.created
        current = self._merged.read(each.missing - created, each.read)
        known = {one for one in each.missing if one in created or current.get(one) == one}
        nobody: set[int] = set()
        for record_id, asked in each.plan.of_these(each.missing - known).items():
            now = current.get(record_id)
            if not is_again and (isinstance(asked.member, str) or _is_followed(asked, now)):
                each.left.discard(record_id)
                yield Stale(each.hubspot_list, record_id, asked, now)
            elif is_again and now is not None:
                # Merged twice within a run: whether that contact is as asked is not known.
                each.settle({record_id}, Seen.NOT_ON_LIST if asked.is_member else Seen.ON_LIST)
            else:
                nobody.add(record_id)
        each.settle(nobody, Seen.NO_CONTACT)
        each.missing = known

    def _drop(self, each: UnderWay) -> None:
        """Settle contacts that HubSpot knows and the list still calls missing; removals may be off the list already."""
        if not each.missing:
            return
        to_remove = [one for one, is_member in each.plan.wanted(each.missing).items() if not is_member]
        off: frozenset[int] = frozenset()
        if to_remove:
            off = self._reader.read_by_record(each.hubspot_list, to_remove).not_on_list
            self._journal.record_reading(each.hubspot_list, Reading(frozenset(), off))
            each.settle(off, Seen.NOT_ON_LIST, is_member=False)
            each.settle(set(to_remove) - off, Seen.ON_LIST, is_member=False)
        each.settle(each.missing - set(to_remove), Seen.NOT_ON_LIST, is_member=True)

    def _verify(self, each: UnderWay) -> None:
        """Read back ids that HubSpot did not name; those that are not as asked after a few waits are dropped."""
        asked, hubspot_list = each.plan.wanted(each.not_named & each.left), each.hubspot_list
        if not asked:
            return
        try:
            reading, waited = self._reader.read_until_settled(hubspot_list, asked)
        except UnusableList as problem:
            each.problem = problem
            self._reject(each)
            return
        self.seconds_verifying += waited
        self._journal.record_reading(hubspot_list, reading.only_as_asked(asked))
        self._merged.read(reading.missing, {})
        off = reading.not_on_list | (reading.missing - reading.on_list)
        each.settle(reading.on_list, Seen.ON_LIST)
        each.settle(off, Seen.NOT_ON_LIST)
        each.settle(asked.keys() - reading.on_list - off, Seen.NOT_NAMED)

    def _reject(self, each: UnderWay) -> None:
        """Settle all members without an outcome of a list that cannot be used, now and for the rest of the run."""
        if each.problem:
            self.unusable[each.hubspot_list.list_id] = each.problem
            each.reject(each.problem)


def _job(
    writer: ChangeWriter, each: UnderWay, part: Change
) -> Callable[[], tuple[UnderWay, Confirmation | None]]:
    def write() -> tuple[UnderWay, Confirmation | None]:
        if each.problem is None:
            try:
                return each, writer.write(each.hubspot_list, part)
            except UnusableList as problem:
                each.problem = problem
        return each, None

    return write


def _is_followed(asked: RequestedChange, record_id_now: int | None) -> bool:
    """Return whether a change of a merged contact is sent for the contact that it became.

    Not what no record asks: a mirror removes nobody of whom it did not make sure that the snapshot lacks them.
    """
    return record_id_now is not None and asked.position != NO_POSITION


@dataclass
class UnderWay:
    """One plan, and how far its delivery has come."""

    plan: Plan
    accounts: Accounts
    left: set[int]  # contacts without an outcome
    doubts: Doubts = field(default_factory=Doubts)
    not_named: set[int] = field(default_factory=set)  # HubSpot took the call and said nothing of them
    missing: set[int] = field(default_factory=set)  # the list called them missing
    read: dict[int, int | None] = field(
        default_factory=dict
    )  # of those, who was read: the id of today, or nobody
    # What became of properties, by record id.
    results: Mapping[Member, PropertyResult] = field(default_factory=dict)
    mailability: Mapping[int, KnownMailability] = field(default_factory=dict)
    problem: UnusableList | None = None

    @property
    def hubspot_list(self) -> HubSpotList:
        """The list that is changed."""
        return self.plan.hubspot_list

    def note(self, confirmation: Confirmation) -> None:
        """Take in what HubSpot said of a part of the plan."""
        account = self.plan.account
        account.calls += confirmation.calls
        account.seconds += confirmation.seconds
        self.doubts.note(confirmation)
        self.missing |= confirmation.missing
        self.read |= confirmation.read

    def settle(
        self,
        record_ids: AbstractSet[int],
        seen: Seen,
        *,
        is_member: bool | None = None,
        is_sent: bool = True,
        refusals: Mapping[int, Refusal] = EMPTY,
    ) -> None:
        """Give contacts their outcome; `is_member` is what all of them ask, None where they differ."""
        if not record_ids:
            return
        for part in self.plan.parts:
            of_part = record_ids if len(self.plan.parts) == 1 else record_ids & part.words.keys()
            for asks, some in _apart(part.words, of_part, is_member=is_member):
                self.accounts.settle_all(
                    part,
                    some,
                    outcome_of(seen, is_member=asks, is_sent=is_sent),
                    is_member=asks,
                    created=self.plan.created,
                    refusals=refusals,
                    results=self.results,
                    mailability=self.mailability,
                )
        self.left -= record_ids

    def settle_known(self, states: Mapping[int, bool]) -> None:
        """Settle those of whom it is known that they are as asked: on the list, or off it."""
        wanted = self.plan.wanted(states.keys())
        for is_member, seen in ((True, Seen.ON_LIST), (False, Seen.NOT_ON_LIST)):
            known = {one for one, state in states.items() if state is is_member is wanted.get(one)}
            self.settle(known, seen, is_member=is_member)

    def reject(self, problem: UnusableList) -> None:
        """Settle all members without an outcome of a list that cannot be used."""
        for part in self.plan.parts:
            part.account.problem = problem
        refusal = Refusal(problem.reason, str(problem))
        self.missing = set()
        self.settle(self.left, Seen.REFUSED, refusals=dict.fromkeys(self.left, refusal))


def _apart(
    words: Mapping[int, int], record_ids: AbstractSet[int], *, is_member: bool | None
) -> Iterator[tuple[bool, AbstractSet[int]]]:
    """Yield True with those that are to be members, and False with those that are not."""
    if is_member is not None:
        yield is_member, record_ids
        return
    adds = {each for each in record_ids if words[each] & 1}
    yield True, adds
    yield False, record_ids - adds


def foresee(each: UnderWay, reader: MembershipReader, *, by_record: bool) -> UnusableList | None:
    """Settle what is left of a plan by what a real run would do; return why the list cannot be used, if it cannot.

    `by_record` says that members are record ids: then it is read whether they are anybody's.
    """
    try:
        reading = _read(each.hubspot_list, each.left, reader, by_record=by_record)
    except UnusableList as problem:
        return problem
    off = reading.not_on_list - reading.on_list
    no_contact = reading.missing - reading.on_list - off
    for some, seen in (
        (reading.on_list, Seen.ON_LIST),
        (off, Seen.NOT_ON_LIST),
        (no_contact, Seen.NO_CONTACT),
        (each.left - reading.on_list - off - no_contact, Seen.NOT_NAMED),
    ):
        each.settle(some, seen, is_sent=False)
    return None


def _read(
    hubspot_list: HubSpotList, record_ids: AbstractSet[int], reader: MembershipReader, *, by_record: bool
) -> Reading:
    """Read the members of a list; a list that is to be created has none."""
    if hubspot_list.is_to_be_created and not by_record:
        return Reading(frozenset(), frozenset(record_ids))
    reading = (reader.read_by_record if by_record else reader.read)(hubspot_list, record_ids)
    if hubspot_list.is_to_be_created:
        return Reading(frozenset(), reading.on_list | reading.not_on_list, reading.missing)
    return reading
