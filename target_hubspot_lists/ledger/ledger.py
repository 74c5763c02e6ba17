"""What is known of one portal from run to run: contacts, lists, who is on them, and who is at work."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from target_hubspot_lists.errors import LedgerError
from target_hubspot_lists.ledger import known_lists, people
from target_hubspot_lists.ledger.database import Database, NoLedgerThere, check_can_be_made
from target_hubspot_lists.ledger.ledger_workspace import workspace
from target_hubspot_lists.ledger.locks import Locks
from target_hubspot_lists.ledger.memberships import (
    ListMembers,
    is_added_by_us,
    is_lost,
    is_member,
    is_unsettled,
)
from target_hubspot_lists.ledger.migrations import is_readable, migrate, schema_version
from target_hubspot_lists.ledger.records import RunLine

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from types import TracebackType

    from sqlalchemy import ColumnElement, Connection

    from target_hubspot_lists.ledger.records import Forgotten, KnownList, State
    from target_hubspot_lists.ledger.workspace import Workspace

WAIT_FOR_LOCK_SECONDS = 30
RETENTION = timedelta(days=90)  # for what `prune` deletes
SECONDS_PER_DAY = 86_400


class Ledger:
    """One portal's view of a database; every method is one transaction, and threads may share it.

    It holds personal data: addresses with their record ids, and which record is on which list. Who is on a list
    is kept until it is known that they left, or that the contact is gone. What is no longer of use goes after
    90 days, by `prune`: who left a list, the address of somebody who is on none, hashes of property values, the
    lines of runs. `forget_person` deletes one person at once.
    """

    def __init__(
        self, database: Database, portal_id: int, *, run_id: str, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._portal_id = portal_id
        self._run_id = run_id
        self._now = now
        self._locks = Locks(database, portal_id, run_id=run_id, now=now)

    @classmethod
    def open(
        cls, url: str, portal_id: int, *, run_id: str, now: Callable[[], datetime], create: bool = True
    ) -> Ledger:
        """Open the ledger that `url` names and bring its tables up to date; LedgerError says why it cannot.

        Without `create` a ledger that is not there yet is an error.
        """
        database = Database(url, create=create)
        try:
            with database.writing() as connection:
                migrate(connection, create=create)
        except LedgerError:
            database.close()
            raise
        return cls(database, portal_id, run_id=run_id, now=now)

    @classmethod
    def open_to_read(
        cls, url: str, portal_id: int, *, run_id: str, now: Callable[[], datetime]
    ) -> Ledger | None:
        """Open the ledger that `url` names and leave it as it is; None where there is none yet."""
        try:
            database = Database(url, create=False)
        except NoLedgerThere:
            return None
        try:
            with database.reading() as connection:
                is_there = is_readable(connection)
        except LedgerError:
            database.close()
            raise
        if not is_there:
            database.close()
            return None
        return cls(database, portal_id, run_id=run_id, now=now)

    @classmethod
    def check(cls, url: str) -> bool:
        """Try to open the ledger that `url` names, and to write to it; LedgerError says why a run could not.

        Everything stays as it is: a ledger that is not there is not made, and tables are not brought up to date.
        Returns whether it is there.
        """
        try:
            database = Database(url, create=False)
        except NoLedgerThere as absent:
            check_can_be_made(url, absent)
            return False
        try:
            with database.rehearsing() as connection:
                version = schema_version(connection)
                migrate(connection, create=True)
        finally:
            database.close()
        return version > 0

    def close(self) -> None:
        """Let go of the database, and of every lock."""
        self._locks.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Ledger({self._database!r}, portal {self._portal_id})"

    def workspace(self) -> Workspace:
        """Return where a run can keep tables of its own beside those of the ledger, as long as it is open."""
        return workspace(self._database, self._portal_id)

    # Contacts

    def record_ids(self, addresses: Collection[str], *, since: datetime) -> dict[str, int]:
        """Return the record ids of those addresses, in lower case, that were looked up at `since` or later."""
        with self._database.reading() as connection:
            return people.record_ids(connection, self._portal_id, addresses, since=int(since.timestamp()))

    def addresses(self, *, looked_up_before: datetime) -> Iterator[dict[str, int]]:
        """Yield the addresses that were not looked up since, with their record ids, a small part at a time."""
        before, after = int(looked_up_before.timestamp()), ""
        while True:
            with self._database.reading() as connection:
                page = people.addresses(connection, self._portal_id, before=before, after=after)
            if not page:
                return
            yield page
            after = next(reversed(page))

    def age_addresses(self, moment: datetime) -> None:
        """Let whatever was looked up in this second or later, by other runs, be of the second before."""
        with self._database.writing() as connection:
            people.age(connection, self._portal_id, int(moment.timestamp()))

    def remember_contacts(self, record_ids: Mapping[str, int]) -> None:
        """Note which contact each address is, as HubSpot says now."""
        with self._database.writing() as connection:
            people.remember(connection, self._portal_id, record_ids, now=self._seconds())

    def forget_record_ids(self, record_ids: Collection[int]) -> list[str]:
        """Delete all that is known of records that HubSpot reports missing; return their addresses."""
        with self._database.writing() as connection:
            return people.forget(connection, self._portal_id, record_ids)[0]

    def merge_records(self, merged: Mapping[int, int]) -> None:
        """Note which contacts records became that merges retired: addresses, lists and all are theirs now.

        On each list where any of its records was, or perhaps was, a merged contact is unsettled.
        """
        with self._database.writing() as connection:
            people.merge(connection, self._portal_id, merged, day=self._day())

    def forget_person(self, *, email: str | None = None, record_id: int | None = None) -> Forgotten:
        """Delete all that is known of a person, under every address of theirs; return how much that was."""
        with self._database.writing() as connection:
            of_address = people.record_id_of(connection, self._portal_id, email) if email else None
            record_ids = {each for each in (record_id, of_address) if each is not None}
            forgotten = people.forget(connection, self._portal_id, record_ids)[1]
        self._database.empty_log()
        return forgotten

    def property_hashes(self, record_ids: Collection[int]) -> dict[int, bytes]:
        """Return the hashes of the property values last written, where there are any."""
        with self._database.reading() as connection:
            return people.hashes(connection, self._portal_id, record_ids)

    def remember_property_hashes(self, hashes: Mapping[int, bytes]) -> None:
        """Note the hashes of property values that HubSpot has taken, in place of those known before."""
        with self._database.writing() as connection:
            people.remember_hashes(connection, self._portal_id, hashes, day=self._day())

    def prune(self, keep: timedelta = RETENTION) -> Forgotten:
        """Delete what has been of no use for so long: see the class."""
        before = int((self._now() - keep).timestamp())
        with self._database.writing() as connection:
            return people.prune(connection, self._portal_id, before=before, day=before // SECONDS_PER_DAY)

    # Lists

    def lists(self) -> list[KnownList]:
        """Return every list, once for each cohort that goes to it."""
        with self._database.reading() as connection:
            return known_lists.of_portal(connection, self._portal_id)

    def known(self, list_id: str) -> list[KnownList]:
        """Return one list, once for each cohort that goes to it; nothing where it is not known."""
        with self._database.reading() as connection:
            return known_lists.of_list(connection, self._portal_id, list_id)

    def begin_making_lists(self, names: Collection[str]) -> None:
        """Note that HubSpot is about to be asked to make lists of these names; returned means committed.

        Until `remember_list` or `end_making_lists` says what became of it, a list of that name is taken for ours:
        the run may have been killed before it could note which list it had made.
        """
        with self._database.writing() as connection:
            known_lists.begin_making(connection, self._portal_id, names, now=self._seconds())

    def end_making_lists(self, names: Collection[str]) -> None:
        """Note that HubSpot has made no list of these names for us."""
        with self._database.writing() as connection:
            known_lists.end_making(connection, self._portal_id, names)

    def is_to_be_made(self, name: str) -> bool:
        """Whether a run was about to make a list of that name, and it is not known what became of it."""
        with self._database.reading() as connection:
            return known_lists.is_to_be_made(connection, self._portal_id, name)

    def remember_list(self, known: KnownList) -> None:
        """Note a list and its cohort; that it was made by us, or read, is never taken back."""
        with self._database.writing() as connection:
            known_lists.remember(connection, self._portal_id, known)

    def rename_list(self, list_id: str, name: str) -> None:
        """Note a list's new name."""
        with self._database.writing() as connection:
            known_lists.rename(connection, self._portal_id, list_id, name)

    def name_cohort(self, cohort_key: str, name: str) -> None:
        """Note the name of a cohort whose list goes by it: until it is another one, the list is not renamed."""
        with self._database.writing() as connection:
            known_lists.name_cohort(connection, self._portal_id, cohort_key, name)

    def replace_list(self, list_id: str, new: KnownList) -> None:
        """Let a list made anew take the place of a deleted one: its cohorts, and all members as lost."""
        with self._database.writing() as connection:
            known_lists.remember(connection, self._portal_id, new)
            old_members, members = self._known(connection, list_id), self._known(connection, new.list_id)
            old_members.move_to(members.list_key)
            known_lists.redirect(connection, old_members.list_key, members.list_key)
            known_lists.move_runs(connection, self._portal_id, list_id, new.list_id)
            known_lists.forget(connection, self._portal_id, list_id)

    # Memberships

    def states(self, list_id: str, record_ids: Collection[int]) -> dict[int, State]:
        """Return the states that HubSpot confirmed; unknown and unsettled records are absent."""
        with self._database.reading() as connection:
            members = self._members_of(connection, list_id)
            return members.states(record_ids) if members else {}

    def knows_who_left(self, list_id: str) -> bool:
        """Whether of anybody it is known that they are not on a list."""
        with self._database.reading() as connection:
            members = self._members_of(connection, list_id)
            return members is not None and members.knows_who_left()

    def members(self, list_id: str) -> set[int]:
        """Return who is on a list, or perhaps is: settled as on it, or unsettled."""
        return set(self.iter_members(list_id))

    def iter_members(self, list_id: str) -> Iterator[int]:
        """Yield what `members` returns, in order, a small part in memory at a time."""
        return self._pages(list_id, is_member())

    def added_by_us(self, list_id: str) -> set[int]:
        """Return whom we put onto a list, among them those of a call of ours that was not answered."""
        return set(self._pages(list_id, is_added_by_us()))

    def unsettled(self, list_id: str) -> set[int]:
        """Return whom a call was begun for that was not answered."""
        return set(self._pages(list_id, is_unsettled()))

    def lost(self, list_id: str) -> set[int]:
        """Return who belongs on a list and is not there: `mark_lost` or `replace_list` said so, and no answer since."""
        return set(self._pages(list_id, is_lost()))

    def mark_unsettled(self, list_id: str, record_ids: Iterable[int], *, leaving: Iterable[int] = ()) -> None:
        """Note that a call about these is about to be sent; returned means committed.

        Those who are `leaving` are no longer lost: they do not belong on the list any more.
        """
        with self._database.writing() as connection:
            self._known(connection, list_id).mark_unsettled(record_ids, leaving=leaving)

    def mark_lost(self, list_id: str, record_ids: Iterable[int]) -> None:
        """Note that these belong on a list and are not there; unsettled, until an answer says otherwise."""
        with self._database.writing() as connection:
            self._known(connection, list_id).mark_lost(record_ids)

    def settle(self, list_id: str, *, on: Iterable[int], off: Iterable[int], ours: bool = True) -> None:
        """Note what HubSpot answered; `ours` says that it was this call that put `on` there.

        Without `ours` they stay ours if they were, or if an earlier call that put them there was not answered.
        """
        with self._database.writing() as connection:
            self._known(connection, list_id).settle(on=on, off=off, ours=ours)

    def take_over(self, list_id: str, members: Iterable[int]) -> None:
        """Make the list, as HubSpot has it, the state: `members` are on it, and nobody else, all or nothing.

        Who is ours stays ours, nobody becomes it. An unsettled record that is not among the members stays
        unsettled, since HubSpot may not show yet what it has accepted. Read the members first: nobody else
        can write to a SQLite ledger meanwhile.
        """
        with self._database.writing() as connection:
            of_list = self._known(connection, list_id)
            of_list.take_over(members)
            known_lists.note_reading(connection, of_list.list_key)

    # Runs

    def record_run(  # noqa: PLR0913 - what a line says
        self,
        list_id: str,
        *,
        stream: str,
        started: datetime,
        asked: int,
        outcomes: Mapping[str, int],
        is_complete: bool = True,
    ) -> None:
        """Write this run's line on a list, in place of an earlier one of this run."""
        line = RunLine(self._run_id, list_id, stream, started, self._now(), asked, outcomes, is_complete)
        with self._database.writing() as connection:
            known_lists.record_run(connection, self._portal_id, line)

    def runs(self, list_id: str) -> list[RunLine]:
        """Return the lines of all runs on a list, the newest first."""
        with self._database.reading() as connection:
            return list(known_lists.run_lines(connection, self._portal_id, list_id))

    def lists_by_run(self, stream: str) -> list[set[str]]:
        """Return the ids of the lists that each run of a stream filled; runs are forgotten by `prune`."""
        with self._database.reading() as connection:
            return known_lists.lists_by_run(connection, self._portal_id, stream)

    def lock(
        self,
        names: Collection[str],
        *,
        list_ids: Collection[str] = (),
        wait_seconds: float = WAIT_FOR_LOCK_SECONDS,
        sleep: Callable[[float], None],
    ) -> AbstractContextManager[None]:
        """Hold lists by name, in whatever case, and by id: all or none, so that no two runs wait for each other.

        After `wait_seconds` ListHeld names the run that has one. A run that died holds nothing.
        """
        return self._locks.hold(names, list_ids=list_ids, wait_seconds=wait_seconds, sleep=sleep)

    def _pages(self, list_id: str, condition: ColumnElement[bool]) -> Iterator[int]:
        """Yield record ids of a list, each page in a transaction of its own: nobody waits for the reader."""
        after = 0
        while True:
            with self._database.reading() as connection:
                members = self._members_of(connection, list_id)
                page = members.page(after, condition) if members else []
            if not page:
                return
            yield from page
            after = page[-1]

    def _members_of(self, connection: Connection, list_id: str) -> ListMembers | None:
        key = known_lists.list_key(connection, self._portal_id, list_id)
        return None if key is None else ListMembers(connection, key, self._day())

    def _known(self, connection: Connection, list_id: str) -> ListMembers:
        if (members := self._members_of(connection, list_id)) is None:
            raise LedgerError(
                f"List {list_id} is not in the ledger, yet its members are to be written there. This is a bug: "
                "please report it with the log of this run."
            )
        return members

    def _seconds(self) -> int:
        return int(self._now().timestamp())

    def _day(self) -> int:
        return self._seconds() // SECONDS_PER_DAY
