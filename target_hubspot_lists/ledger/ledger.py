"""What is known of one portal from run to run: contacts, lists, their members, and which run holds which list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from target_hubspot_lists.errors import LedgerError
from target_hubspot_lists.ledger.database import Database, NoLedgerThere, PortalView, check_can_be_made
from target_hubspot_lists.ledger.kept_adds import KeptAddStore
from target_hubspot_lists.ledger.ledger_workspace import workspace
from target_hubspot_lists.ledger.lists import ListStore
from target_hubspot_lists.ledger.locks import Locks
from target_hubspot_lists.ledger.members import MemberStore
from target_hubspot_lists.ledger.migrations import is_readable, migrate, schema_version
from target_hubspot_lists.ledger.people import PeopleStore

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from contextlib import AbstractContextManager
    from datetime import datetime
    from types import TracebackType

    from target_hubspot_lists.ledger.records import Period
    from target_hubspot_lists.ledger.workspace import Workspace

WAIT_FOR_LOCK_SECONDS = 30


class Ledger:
    """One portal's view of a database, in four stores: people, lists, members, kept adds; threads may share it.

    It holds personal data: addresses with their record ids, and which record is on which list. A membership is kept
    until the member left the list, or the contact was deleted. `people.prune` deletes unused entries after 90 days:
    members who left a list, addresses of contacts that are on none, hashes of property values, the lines of runs.
    `people.forget_person` deletes one person at once.
    """

    def __init__(
        self, database: Database, portal_id: int, *, run_id: str, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._portal_id = portal_id
        self._view = view = PortalView(database, portal_id, run_id, now)
        self.people, self.lists, self.members = PeopleStore(view), ListStore(view), MemberStore(view)
        self.kept = KeptAddStore(view)
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
        """Open the ledger that `url` names and leave it as it is; None if there is none yet."""
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
        """Close the database, and release every lock."""
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

    def period(self, since: datetime) -> Period:
        """Return the time from that moment to now, by the clock that the ledger's moments are of."""
        return self._view.period(since)

    def workspace(self) -> Workspace:
        """Return a workspace: tables of this run beside those of the ledger, as long as the ledger is open."""
        return workspace(self._database, self._portal_id)

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
