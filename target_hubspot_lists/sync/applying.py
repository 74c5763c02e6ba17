"""Applies to lists what they are to become: finds the contacts, sends the changes, gives everybody an outcome."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from hubspot_singer.http import MissingScopes, concurrently
from target_hubspot_lists.hubspot.list_memberships import (
    MAX_RECORD_IDS_PER_CALL,
    Change,
    Doubts,
)
from target_hubspot_lists.hubspot.membership_reads import WAITS_BEFORE_DROPPED, Reading
from target_hubspot_lists.outcomes import Outcome, Refusal
from target_hubspot_lists.reporting.accounts import NO_RECORD
from target_hubspot_lists.sync.last_words import LastWords, record_ids_asked
from target_hubspot_lists.sync.resolution import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from hubspot_singer.http import HubSpotClient
    from target_hubspot_lists.hubspot.contact_answers import Found
    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.hubspot.list_memberships import ChangeWriter, Confirmation
    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.membership_reads import MembershipReader
    from target_hubspot_lists.journal.journal import NoLedger
    from target_hubspot_lists.reporting.accounts import Account, Accounts, Asked
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.property_flush import PropertyFlush
    from target_hubspot_lists.sync.resolution import Resolution


logger = logging.getLogger(__name__)


class Stale(NamedTuple):
    """A membership whose record id HubSpot no longer knows, with the one that its contact has now, if it was merged."""

    hubspot_list: HubSpotList
    record_id: int
    asked: Asked
    record_id_now: int | None


@dataclass
class Unsettled:
    """What HubSpot did not settle: by list whom it left open, and of the missing what a read said of them."""

    left_open: dict[str, dict[int, Asked]] = field(default_factory=dict)
    read: dict[int, int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class ListChange:
    """What a flush asks of one list: by record id the last word, at most one a contact."""

    hubspot_list: HubSpotList
    asked: Mapping[int, Asked]

    @property
    def account(self) -> Account:
        """On whose account the calls are; two routes can lead to one list."""
        return next(iter(self.asked.values())).account

    def with_ids(self, merged: Mapping[int, int]) -> ListChange:
        """The same about the contacts that records became; of several words on one the latest."""
        last_word: dict[int, Asked] = {}
        for record_id, asked in self.asked.items():
            keep_later(last_word, merged.get(record_id, record_id), asked)
        return ListChange(self.hubspot_list, last_word)

    def jobs(self, writer: ChangeWriter) -> Iterator[partial[tuple[ListChange, Confirmation]]]:
        """Yield the calls that make the change, to be run in any order."""
        change = Change(
            add=record_ids_asked(self.asked, is_member=True),
            remove=record_ids_asked(self.asked, is_member=False),
        )
        for part in change.split(MAX_RECORD_IDS_PER_CALL):
            yield partial(self._write, writer, part)

    def _write(self, writer: ChangeWriter, part: Change) -> tuple[ListChange, Confirmation]:
        return self, writer.write(self.hubspot_list, part)


class Applying:
    """How memberships come to be: whatever mode a run is in, each of them ends in one outcome here."""

    def __init__(  # noqa: PLR0913 - what HubSpot is asked with
        self,
        client: HubSpotClient,
        settings: Settings,
        *,
        contacts: Contacts,
        writer: ChangeWriter,
        reader: MembershipReader,
        memory: NoLedger,
        accounts: Accounts,
    ) -> None:
        self._client = client
        self._settings = settings
        self.workers = settings.connection.max_concurrency
        self.contacts = contacts
        self.writer = writer
        self.reader = reader
        self.memory = memory
        self.accounts = accounts
        self.seconds_verifying = 0.0
        self._may_read_contacts = True

    def find_contacts(self, asked: list[Asked], properties: PropertyFlush) -> Resolution | None:
        """Resolve addresses to record ids, creating contacts only for those that are to be on a list."""
        if self._settings.match_by == "contact_id":
            return None
        return self._resolve(asked, properties)

    def _resolve(self, asked: Iterable[Asked], properties: PropertyFlush) -> Resolution:
        """Resolve the addresses that are not known well enough; of the others the remembered contact stands."""
        asked = list(asked)
        addresses = dict.fromkeys(str(each.member) for each in asked)
        known = self.memory.record_ids(addresses)
        unknown = [each for each in addresses if each not in known]
        to_create = {str(each.member) for each in asked if each.is_member}
        resolution = resolve(self.contacts, unknown, to_create, properties)
        self.memory.follow(resolution.merged)
        self.memory.remember_contacts(resolution.record_ids)
        known = {address: resolution.merged.get(each, each) for address, each in known.items()}
        resolution.remembered = set(known.values()) - set(resolution.record_ids.values())
        resolution.record_ids |= known
        properties.resolved(resolution)
        self.accounts.contacts_created += len(resolution.created) + len(resolution.foreseen)
        return resolution

    def record_id(self, asked: Asked, contacts: Resolution) -> int | None:
        """The record id of an address; None, and accounted for, where there is none."""
        address = str(asked.member)
        if record_id := contacts.record_ids.get(address):
            return record_id
        if refusal := contacts.refused.get(address):
            self.accounts.settle(asked, Outcome.REJECTED, refusal=refusal)
        elif address in contacts.foreseen and asked.is_member:
            self.accounts.settle(asked, Outcome.ADDED, created=True)
        else:
            self.accounts.settle(asked, Outcome.MISSING)
        return None

    def follow(self, changes: Sequence[ListChange], contacts: Resolution | None) -> list[ListChange]:
        """Give contacts the record ids that they have now, before a ledger's words on the old ones are trusted.

        Read are those whom a word is sent about that could leave a wrong one under another id of theirs.
        """
        merged: dict[int, int] = {}
        for change in changes:
            to_send = self._doubtful(change, contacts)
            for asked, found in self._current(to_send):
                merged |= dict.fromkeys((asked, *found.merged), found.record_id)
        merged = {old: new for old, new in merged.items() if old != new}
        if not merged:
            return list(changes)
        self.memory.follow(merged)
        if contacts:
            contacts.record_ids |= {
                address: merged[each] for address, each in contacts.record_ids.items() if each in merged
            }
        return [change.with_ids(merged) for change in changes]

    def _doubtful(self, change: ListChange, contacts: Resolution | None) -> list[int]:
        """Those of a change who are to be sent, and whose other record ids this run has not read."""
        if not self.memory.is_kept:
            return []
        words = [
            each for each in (False, True) if self.memory.may_mislead(change.hubspot_list, is_member=each)
        ]
        some = {
            record_id: asked
            for record_id, asked in change.asked.items()
            if asked.is_member in words and (contacts is None or record_id in contacts.remembered)
        }
        states = self.memory.states(change.hubspot_list, some)
        return [each for each, asked in some.items() if states.get(each) is not asked.is_member]

    def _current(self, record_ids: Collection[int]) -> Iterable[tuple[int, Found]]:
        """Yield who these record ids are now; nobody where the token may not read contacts, which is said once."""
        if not self._may_read_contacts:
            return
        try:
            yield from self.contacts.current(record_ids)
        except MissingScopes as refused:
            self._may_read_contacts = False
            logger.warning("Contacts that were merged are not followed: %s", refused)

    def write(
        self, changes: Sequence[ListChange], created: set[int], *, is_again: bool = False
    ) -> list[Stale]:
        """Change the lists, and give each contact its outcome; `created` are the contacts made for it.

        Return those without an outcome whose contact has another record id now; not `is_again`.
        """
        changes = list(self._without_known(changes, created))
        for change in changes:
            self.memory.begin(change.hubspot_list, change.asked)
        unsettled = Unsettled()
        missing = self._settle_sent(changes, created, unsettled)
        stale, known = self._judge_missing(missing, created, unsettled.read, is_again=is_again)
        for seconds in WAITS_BEFORE_DROPPED:
            if not known:
                break
            # HubSpot knows these contacts, and the list does not yet: most of them were made a moment ago.
            self._client.wait(seconds)
            self.seconds_verifying += seconds
            known = self._settle_sent(known, created, unsettled)
        self._drop(known, created)
        for change in changes:
            left_open = unsettled.left_open.get(change.hubspot_list.list_id, {})
            self._verify(change.hubspot_list, left_open, created)
        return stale

    def _settle_sent(
        self, changes: Sequence[ListChange], created: set[int], unsettled: Unsettled
    ) -> list[ListChange]:
        """Send changes and settle what HubSpot says, but of those that it leaves open and those that it calls missing.

        Return the latter.
        """
        missing: dict[str, tuple[HubSpotList, dict[int, Asked]]] = {}
        for change, confirmation in self._send(changes):
            hubspot_list = change.hubspot_list
            change.account.calls += confirmation.calls
            change.account.seconds += confirmation.seconds
            self.memory.confirm(hubspot_list, confirmation)
            unsettled.read |= confirmation.read
            for record_id in self._left_to_settle(change, confirmation, created):
                if record_id in confirmation.doubtful:
                    continue
                asked, outcome = change.asked[record_id], _outcome(record_id, confirmation)
                if outcome is Outcome.UNCONFIRMED and self._is_read_back:
                    unsettled.left_open.setdefault(hubspot_list.list_id, {})[record_id] = asked
                    continue
                if outcome is Outcome.MISSING:
                    missing.setdefault(hubspot_list.list_id, (hubspot_list, {}))[1][record_id] = asked
                    continue
                refused = confirmation.refused.get(record_id)
                self.accounts.settle(
                    asked,
                    outcome,
                    record_id=record_id,
                    created=record_id in created,
                    refusal=Refusal.by_hubspot(refused) if refused else None,
                )
        return [ListChange(hubspot_list, asked) for hubspot_list, asked in missing.values()]

    def _left_to_settle(
        self, change: ListChange, confirmation: Confirmation, created: set[int]
    ) -> Collection[int]:
        """Count those who are as asked, where nothing else is to be told of them; return the others."""
        is_told = created or self.accounts.properties or self.accounts.names_everybody
        refused = confirmation.refused or confirmation.doubtful
        if is_told or refused or not isinstance(change.asked, LastWords):
            return confirmation.change.ids
        account, added, removed = change.asked.account, confirmation.added, confirmation.removed
        self.accounts.settle_as_asked(account, Outcome.ADDED, len(added))
        self.accounts.settle_as_asked(account, Outcome.REMOVED, len(removed))
        missing = confirmation.missing - added - removed
        if self._is_read_back:
            return confirmation.open | missing
        unconfirmed = len(confirmation.change) - len(added) - len(removed) - len(missing)
        self.accounts.settle_as_asked(account, Outcome.UNCONFIRMED, unconfirmed)
        return missing

    def _judge_missing(
        self,
        missing: Sequence[ListChange],
        created: set[int],
        read: Mapping[int, int | None],
        *,
        is_again: bool,
    ) -> tuple[list[Stale], list[ListChange]]:
        """Read whom lists call missing: return the contacts that have another id, and those that HubSpot knows.

        The rest are nobody's: they are settled as missing, and the ledger forgets them. What was created for this
        change is known, whether or not a read shows it yet. `read` are those that were read already.
        """
        current = self._read_missing({each for change in missing for each in change.asked} - created, read)
        stale: list[Stale] = []
        known: list[ListChange] = []
        for change in missing:
            of_list: dict[int, Asked] = {}
            for record_id, asked in change.asked.items():
                now = record_id if record_id in created else current.get(record_id)
                if now == record_id:
                    of_list[record_id] = asked
                elif not is_again and (isinstance(asked.member, str) or _is_followed(asked, now)):
                    stale.append(Stale(change.hubspot_list, record_id, asked, now))
                else:
                    # Merged twice within a run: whether that contact is as asked is not known.
                    is_lost = is_again and now is not None
                    self.accounts.settle(
                        asked, Outcome.DROPPED if is_lost else Outcome.MISSING, record_id=record_id
                    )
            if of_list:
                known.append(ListChange(change.hubspot_list, of_list))
        return stale, known

    def _read_missing(self, record_ids: Collection[int], read: Mapping[int, int | None]) -> Mapping[int, int]:
        """Return the ids that these contacts have now, and let the ledger follow; it forgets those that are nobody's.

        Nothing is forgotten, and nobody found, where the token may not read contacts.
        """
        current = {asked: now for asked, now in read.items() if now is not None and asked in record_ids}
        if to_read := set(record_ids) - read.keys():
            current |= {asked: found.record_id for asked, found in self._current(to_read)}
        self.memory.follow({old: new for old, new in current.items() if old != new})
        if self._may_read_contacts:
            self.memory.forget(set(record_ids) - current.keys())
        return current

    def _drop(self, changes: Sequence[ListChange], created: set[int]) -> None:
        """Settle contacts that HubSpot knows and a list still calls missing; who is to leave may not be on it."""
        for change in changes:
            to_remove = [each for each, asked in change.asked.items() if not asked.is_member]
            off: frozenset[int] = frozenset()
            if to_remove:
                reading = self.reader.read_by_record(change.hubspot_list, to_remove)
                off = reading.not_on_list
                self.memory.confirm_reading(change.hubspot_list, Reading(frozenset(), off))
            for record_id, asked in change.asked.items():
                outcome = Outcome.NOT_A_MEMBER if record_id in off else Outcome.DROPPED
                self.accounts.settle(asked, outcome, record_id=record_id, created=record_id in created)

    def _send(self, changes: Sequence[ListChange]) -> Iterator[tuple[ListChange, Confirmation]]:
        """Yield what HubSpot says of each part of the changes; at the end, of those that it left in doubt.

        That a list refuses every change comes last: by then every other list has what HubSpot says of it.
        """
        doubts = {change.hubspot_list.list_id: Doubts() for change in changes}
        jobs = (job for change in changes for job in change.jobs(self.writer))
        for change, confirmation in concurrently(jobs, workers=self.workers):
            doubts[change.hubspot_list.list_id].note(confirmation)
            yield change, confirmation
        for change in changes:
            if of_list := doubts[change.hubspot_list.list_id]:
                yield change, self.writer.ask_again(change.hubspot_list, of_list)

    @property
    def _is_read_back(self) -> bool:
        """Whether ids that HubSpot leaves open are read: always before the ledger records them."""
        return self._settings.verify_memberships or self.memory.is_kept

    def _without_known(self, changes: Iterable[ListChange], created: set[int]) -> Iterator[ListChange]:
        """Yield what is left of the changes without those who are known to be as asked, who get their outcome."""
        for change in changes:
            states = self.memory.states(change.hubspot_list, change.asked)
            if change.asked and not states:
                yield change
                continue
            unknown: dict[int, Asked] = {}
            for record_id, asked in change.asked.items():
                if states.get(record_id) is not asked.is_member:
                    unknown[record_id] = asked
                    continue
                outcome = Outcome.ALREADY_MEMBER if asked.is_member else Outcome.NOT_A_MEMBER
                self.accounts.settle(asked, outcome, record_id=record_id, created=record_id in created)
            if unknown:
                yield ListChange(change.hubspot_list, unknown)

    def write_again(
        self, stale: Collection[Stale], properties: PropertyFlush, is_outdone: Callable[[Stale, int], bool]
    ) -> None:
        """Bring those to HubSpot as who they are now whose record ids were retired, or whose contacts are gone.

        Addresses are looked up once more, unless the ledger knows whose they are now.
        """
        if not stale:
            return
        by_address = [each.asked for each in stale if isinstance(each.asked.member, str)]
        contacts = self._resolve(by_address, properties) if by_address else None
        lists = {each.hubspot_list.list_id: each.hubspot_list for each in stale}
        by_list: dict[str, dict[int, Asked]] = {}
        for each in stale:
            record_id = each.record_id_now
            if contacts and isinstance(each.asked.member, str):
                record_id = self.record_id(each.asked, contacts)
            if record_id is None:
                continue
            if is_outdone(each, record_id):
                each.asked.account.superseded += 1
                continue
            keep_later(by_list.setdefault(each.hubspot_list.list_id, {}), record_id, each.asked)
        changes = [ListChange(lists[list_id], asked) for list_id, asked in by_list.items()]
        properties.write([(change.hubspot_list, change.asked) for change in changes], contacts)
        self.write(changes, created_in(contacts), is_again=True)

    def _verify(self, hubspot_list: HubSpotList, asked: Mapping[int, Asked], created: set[int]) -> None:
        """Read back what HubSpot left open, and call dropped whoever is not as asked after a few waits."""
        if not asked:
            return
        wanted = {record_id: each.is_member for record_id, each in asked.items()}
        reading, waited = self.reader.read_until_settled(hubspot_list, wanted)
        self.seconds_verifying += waited
        self.memory.confirm_reading(hubspot_list, reading.of_those_as(wanted))
        self._read_missing(reading.missing, {})
        for record_id, each in asked.items():
            if record_id in reading.on_list:
                outcome = Outcome.ALREADY_MEMBER if each.is_member else Outcome.DROPPED
            elif record_id in reading.not_on_list | reading.missing:
                outcome = Outcome.DROPPED if each.is_member else Outcome.NOT_A_MEMBER
            else:
                outcome = Outcome.UNCONFIRMED
            self.accounts.settle(each, outcome, record_id=record_id, created=record_id in created)

    def foresee(self, changes: Iterable[ListChange]) -> None:
        """Say what a real run would do, as far as a ledger and reading tell."""
        for change in self._without_known(changes, created=set()):
            reading = self._read_before(change)
            for record_id, asked in change.asked.items():
                if record_id in reading.on_list:
                    outcome = Outcome.ALREADY_MEMBER if asked.is_member else Outcome.REMOVED
                elif record_id in reading.not_on_list:
                    outcome = Outcome.ADDED if asked.is_member else Outcome.NOT_A_MEMBER
                else:
                    outcome = Outcome.MISSING if record_id in reading.missing else Outcome.UNCONFIRMED
                self.accounts.settle(asked, outcome, record_id=record_id)

    def _read_before(self, change: ListChange) -> Reading:
        """Read who is on a list that a dry run would change; of record ids also whether they are anybody's."""
        by_record = self._settings.match_by == "contact_id"
        if change.hubspot_list.is_foreseen and not by_record:
            return Reading(frozenset(), frozenset(change.asked))
        read = self.reader.read_by_record if by_record else self.reader.read
        reading = read(change.hubspot_list, change.asked)
        if change.hubspot_list.is_foreseen:
            return Reading(frozenset(), reading.on_list | reading.not_on_list, reading.missing)
        return reading


def created_in(contacts: Resolution | None) -> set[int]:
    """The contacts that a resolution made."""
    return {contacts.record_ids[each] for each in contacts.created} if contacts else set()


def _outcome(record_id: int, confirmation: Confirmation) -> Outcome:
    if record_id in confirmation.refused:
        return Outcome.REJECTED
    if record_id in confirmation.added:
        return Outcome.ADDED
    if record_id in confirmation.removed:
        return Outcome.REMOVED
    if record_id in confirmation.missing:
        return Outcome.MISSING
    # HubSpot does not name the ids that were members already (or were none): it left this one open.
    return Outcome.UNCONFIRMED


def _is_followed(asked: Asked, record_id_now: int | None) -> bool:
    """Whether what is asked of a merged contact is asked of the one that it is now.

    Not what no record asks: a mirror removes nobody of whom it did not make sure that the snapshot lacks them.
    """
    return record_id_now is not None and asked.position != NO_RECORD


def keep_later(last_word: dict[int, Asked], record_id: int, asked: Asked) -> None:
    """Keep of two words on one contact the later, and account for the other."""
    other = last_word.get(record_id)
    if other is None:
        last_word[record_id] = asked
        return
    earlier, later = sorted((other, asked), key=lambda each: each.position)
    earlier.account.superseded += 1
    last_word[record_id] = later
