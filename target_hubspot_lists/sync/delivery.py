"""Sends plans to HubSpot, and gives every membership its outcome: the one place where they are settled."""

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
from target_hubspot_lists.sync.plans import Resend, to_add

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
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck
    from target_hubspot_lists.sync.merged_contacts import MergedContacts
    from target_hubspot_lists.sync.plans import Plan


class Delivery:
    """Delivers plans, several lists at once, and settles each membership by HubSpot's answer.

    If a list turns out not to be usable, its own members are rejected with the reason, and the other plans go on.
    """

    def __init__(  # noqa: PLR0913 - what sends, what reads, and where the answers are recorded
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
        is_resend: bool = False,
    ) -> list[Resend]:
        """Send plans to HubSpot, or in a dry run only read; return the changes to send again, none after a resend.

        `results` says by record id what became of properties.
        """
        deliveries = [each for each in self._start(list(plans), results) if each.remaining]
        if self._settings.dry_run:
            for delivery in deliveries:
                settle_dry_run(delivery, self._reader, by_record=self._settings.are_record_ids)
                self._reject_if_unusable(delivery)
            return []
        changes = [(delivery, delivery.plan.change(delivery.remaining)) for delivery in deliveries]
        for delivery, change in changes:
            self._journal.begin_change(delivery.hubspot_list, change)
        self._send(changes)
        resends = [
            resend for delivery in deliveries for resend in self._judge_missing(delivery, is_resend=is_resend)
        ]
        for seconds in WAITS_BEFORE_DROPPED:
            known = [delivery for delivery in deliveries if delivery.missing]
            if not known:
                break
            # HubSpot knows these contacts, and the list does not yet: most of them were created a moment ago.
            self._client.wait(seconds)
            self.seconds_verifying += seconds
            self._send([(delivery, delivery.plan.change(delivery.missing)) for delivery in known])
        for delivery in deliveries:
            self._drop_missing(delivery)
            self._verify(delivery)
        return resends

    def _start(
        self, plans: Sequence[Plan], results: Mapping[Member, PropertyResult]
    ) -> Iterator[ListDelivery]:
        """Settle members that the journal knows to be as asked, and all members of a list that cannot be used."""
        usable = (plan for plan in plans if plan.hubspot_list.list_id not in self.unusable)
        mailability = self._mailability.of(to_add(usable))
        for plan in plans:
            delivery = ListDelivery(plan, self._accounts, plan.record_ids, results, mailability)
            delivery.problem = self.unusable.get(plan.hubspot_list.list_id)
            if delivery.problem:
                self._reject_if_unusable(delivery)
            elif states := self._journal.states(plan.hubspot_list, delivery.remaining):
                delivery.settle_known(states)
            yield delivery

    def _send(self, changes: Sequence[tuple[ListDelivery, Change]]) -> None:
        """Send changes, and settle the answers; ids that are not named, or called missing, are settled later."""
        for delivery, change in changes:
            if delivery.missing:
                delivery.missing.difference_update(change.ids)
        jobs = (
            _job(self._writer, delivery, part)
            for delivery, change in changes
            for part in change.split(MAX_RECORD_IDS_PER_CALL)
        )
        for delivery, confirmation in concurrently(jobs, workers=self._settings.connection.max_concurrency):
            if confirmation is not None:
                self._take(delivery, confirmation)
        for delivery, _ in changes:
            if delivery.doubts and not delivery.problem:
                doubts, delivery.doubts = delivery.doubts, Doubts()
                try:
                    self._take(delivery, self._writer.ask_again(delivery.hubspot_list, doubts))
                except UnusableList as problem:
                    delivery.problem = problem
            self._reject_if_unusable(delivery)

    def _take(self, delivery: ListDelivery, confirmation: Confirmation) -> None:
        """Record and settle what HubSpot answered to a part of a plan."""
        self._journal.record_confirmation(delivery.hubspot_list, confirmation)
        delivery.note(confirmation)
        delivery.settle(confirmation.added, Seen.CHANGED, is_member=True)
        delivery.settle(confirmation.removed, Seen.CHANGED, is_member=False)
        refused = {record_id: Refusal.by_hubspot(why) for record_id, why in confirmation.refused.items()}
        delivery.settle(set(refused), Seen.REFUSED, refusals=refused)
        if self._is_read_back:
            delivery.not_named |= confirmation.open
        else:
            delivery.settle(confirmation.open, Seen.NOT_NAMED)

    def _judge_missing(self, delivery: ListDelivery, *, is_resend: bool) -> Iterator[Resend]:
        """Read contacts that the list calls missing: yield changes to send again, and keep contacts that HubSpot knows.

        The others have no contact, and are settled as missing. A contact that was created for this plan is known,
        whether or not a read shows it yet.
        """
        if not delivery.missing:
            return
        created = delivery.plan.created
        current = self._merged.read(delivery.missing - created, delivery.read)
        known = {each for each in delivery.missing if each in created or current.get(each) == each}
        without_contact: set[int] = set()
        for record_id, asked in delivery.plan.asked_of(delivery.missing - known).items():
            current_id = current.get(record_id)
            # Not a removal that no record asks for: a mirror removes only who is known to be absent from the snapshot.
            is_followed = current_id is not None and asked.position != NO_POSITION
            if not is_resend and (isinstance(asked.member, str) or is_followed):
                delivery.remaining.discard(record_id)
                yield Resend(delivery.hubspot_list, record_id, asked, current_id)
            elif is_resend and current_id is not None:
                # Merged twice within a run: whether that contact is as asked is not known.
                delivery.settle({record_id}, Seen.NOT_ON_LIST if asked.is_member else Seen.ON_LIST)
            else:
                without_contact.add(record_id)
        delivery.settle(without_contact, Seen.NO_CONTACT)
        delivery.missing = known

    def _drop_missing(self, delivery: ListDelivery) -> None:
        """Settle contacts that HubSpot knows and the list still calls missing; removals may be off the list already."""
        wanted = delivery.plan.wanted(delivery.missing)
        to_remove = [record_id for record_id, is_member in wanted.items() if not is_member]
        if to_remove:
            off = self._reader.read_by_record(delivery.hubspot_list, to_remove).not_on_list
            self._journal.record_reading(delivery.hubspot_list, Reading(frozenset(), off))
            delivery.settle(off, Seen.NOT_ON_LIST, is_member=False)
            delivery.settle(set(to_remove) - off, Seen.ON_LIST, is_member=False)
        delivery.settle(delivery.missing - set(to_remove), Seen.NOT_ON_LIST, is_member=True)

    def _verify(self, delivery: ListDelivery) -> None:
        """Read back ids that HubSpot did not name; those that are not as asked after a few waits are dropped."""
        wanted = delivery.plan.wanted(delivery.not_named & delivery.remaining)
        if not wanted:
            return
        try:
            reading, waited = self._reader.read_until_settled(delivery.hubspot_list, wanted)
        except UnusableList as problem:
            delivery.problem = problem
            self._reject_if_unusable(delivery)
            return
        self.seconds_verifying += waited
        self._journal.record_reading(delivery.hubspot_list, reading.only_as_asked(wanted))
        self._merged.read(reading.missing, {})
        not_on_list = reading.not_on_list | (reading.missing - reading.on_list)
        delivery.settle(reading.on_list, Seen.ON_LIST)
        delivery.settle(not_on_list, Seen.NOT_ON_LIST)
        delivery.settle(wanted.keys() - reading.on_list - not_on_list, Seen.NOT_NAMED)

    def _reject_if_unusable(self, delivery: ListDelivery) -> None:
        """Reject the remaining members of a list that cannot be used, now and for the rest of the run."""
        if delivery.problem:
            self.unusable[delivery.hubspot_list.list_id] = delivery.problem
            delivery.reject(delivery.problem)


def _job(
    writer: ChangeWriter, delivery: ListDelivery, part: Change
) -> Callable[[], tuple[ListDelivery, Confirmation | None]]:
    def write() -> tuple[ListDelivery, Confirmation | None]:
        if delivery.problem is None:
            try:
                return delivery, writer.write(delivery.hubspot_list, part)
            except UnusableList as problem:
                delivery.problem = problem
        return delivery, None

    return write


@dataclass
class ListDelivery:
    """The delivery of one plan: which of its members have no outcome yet, and what HubSpot said of them."""

    plan: Plan
    accounts: Accounts
    remaining: set[int]  # record ids without an outcome
    results: Mapping[Member, PropertyResult]  # what became of properties, by record id
    mailability: Mapping[int, KnownMailability]  # by record id
    doubts: Doubts = field(default_factory=Doubts)
    not_named: set[int] = field(default_factory=set)  # HubSpot accepted the call and did not name them
    missing: set[int] = field(default_factory=set)  # HubSpot's list called them missing
    # Of the missing ones that were read, the record id of today, or None for no contact.
    read: dict[int, int | None] = field(default_factory=dict)
    problem: UnusableList | None = None

    @property
    def hubspot_list(self) -> HubSpotList:
        """The list that is changed."""
        return self.plan.hubspot_list

    def note(self, confirmation: Confirmation) -> None:
        """Note what HubSpot answered to a part of the plan."""
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
        """Give contacts their outcome; `is_member` is what all of them ask, None if they differ."""
        if not record_ids:
            return
        for part in self.plan.parts:
            of_part = record_ids if len(self.plan.parts) == 1 else record_ids & part.words.keys()
            by_direction: dict[bool, AbstractSet[int]]
            if is_member is None:
                adds = {record_id for record_id in of_part if part.words[record_id] & 1}
                by_direction = {True: adds, False: of_part - adds}
            else:
                by_direction = {is_member: of_part}
            for asks, of_direction in by_direction.items():
                self.accounts.settle_all(
                    part,
                    of_direction,
                    outcome_of(seen, is_member=asks, is_sent=is_sent),
                    is_member=asks,
                    created=self.plan.created,
                    refusals=refusals,
                    results=self.results,
                    mailability=self.mailability,
                )
        self.remaining -= record_ids

    def settle_known(self, states: Mapping[int, bool]) -> None:
        """Settle contacts that are known to be as asked; `states` has by record id whether each is on the list."""
        wanted = self.plan.wanted(states.keys())
        for is_member, seen in ((True, Seen.ON_LIST), (False, Seen.NOT_ON_LIST)):
            as_asked = {each for each, state in states.items() if state is is_member is wanted.get(each)}
            self.settle(as_asked, seen, is_member=is_member)

    def reject(self, problem: UnusableList) -> None:
        """Reject all members without an outcome, since the list cannot be used."""
        for part in self.plan.parts:
            part.account.problem = problem
        self.missing = set()
        self.settle(self.remaining, Seen.REFUSED, refusals=dict.fromkeys(self.remaining, problem.refusal))


def settle_dry_run(delivery: ListDelivery, reader: MembershipReader, *, by_record: bool) -> None:
    """Read the list, and settle what remains by what a real run would do; note if the list cannot be used.

    `by_record` says that members are record ids: then some may be no contact's. Others were looked up before.
    """
    hubspot_list, remaining = delivery.hubspot_list, delivery.remaining
    try:
        if hubspot_list.is_to_be_created and not by_record:
            reading = Reading(frozenset(), frozenset(remaining))
        else:
            reading = (reader.read_by_record if by_record else reader.read)(hubspot_list, remaining)
    except UnusableList as problem:
        delivery.problem = problem
        return
    if hubspot_list.is_to_be_created:  # it has no members yet
        reading = Reading(frozenset(), reading.on_list | reading.not_on_list, reading.missing)
    not_on_list = reading.not_on_list - reading.on_list
    without_contact = reading.missing - reading.on_list - not_on_list
    not_named = remaining - reading.on_list - not_on_list - without_contact
    delivery.settle(reading.on_list, Seen.ON_LIST, is_sent=False)
    delivery.settle(not_on_list, Seen.NOT_ON_LIST, is_sent=False)
    delivery.settle(without_contact, Seen.NO_CONTACT, is_sent=False)
    delivery.settle(not_named, Seen.NOT_NAMED, is_sent=False)
