"""What a ledger keeps of who is on which list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.errors import LedgerError
from target_hubspot_lists.ledger import known_lists
from target_hubspot_lists.ledger.memberships import (
    ListMembers,
    is_added_by_us,
    is_lost,
    is_member,
    is_unsettled,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from sqlalchemy import ColumnElement, Connection

    from target_hubspot_lists.ledger.portal_view import PortalView
    from target_hubspot_lists.ledger.records import State


class MemberStore:
    """The memberships of a portal's lists; every method is one transaction, and `_pages` one for each page."""

    def __init__(self, view: PortalView) -> None:
        self._view = view

    def states(self, list_id: str, record_ids: Collection[int]) -> dict[int, State]:
        """Return the states that HubSpot confirmed; unknown and unsettled records are absent."""
        with self._view.database.reading() as connection:
            members = members_of(self._view, connection, list_id)
            return members.states(record_ids) if members else {}

    def knows_who_left(self, list_id: str) -> bool:
        """Whether of anybody it is known that they are not on a list."""
        with self._view.database.reading() as connection:
            members = members_of(self._view, connection, list_id)
            return members is not None and members.knows_who_left()

    def all(self, list_id: str) -> set[int]:
        """Return who is on a list, or perhaps is: settled as on it, or unsettled."""
        return set(self.iter_members(list_id))

    def iter_members(self, list_id: str) -> Iterator[int]:
        """Yield what `all` returns, in order, a small part in memory at a time."""
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
        with self._view.database.writing() as connection:
            known_members(self._view, connection, list_id).mark_unsettled(record_ids, leaving=leaving)

    def mark_lost(self, list_id: str, record_ids: Iterable[int]) -> None:
        """Note that these belong on a list and are not there; unsettled, until an answer says otherwise."""
        with self._view.database.writing() as connection:
            known_members(self._view, connection, list_id).mark_lost(record_ids)

    def settle(self, list_id: str, *, on: Iterable[int], off: Iterable[int], ours: bool = True) -> None:
        """Note what HubSpot answered; `ours` says that it was this call that put `on` there.

        Without `ours` they stay ours if they were, or if an earlier call that put them there was not answered.
        """
        with self._view.database.writing() as connection:
            known_members(self._view, connection, list_id).settle(on=on, off=off, ours=ours)

    def take_over(self, list_id: str, members: Iterable[int]) -> None:
        """Make the list, as HubSpot has it, the state: `members` are on it, and nobody else, all or nothing.

        Who is ours stays ours, nobody becomes it. An unsettled record that is not among the members stays
        unsettled, since HubSpot may not show yet what it has accepted. Read the members first: nobody else
        can write to a SQLite ledger meanwhile.
        """
        with self._view.database.writing() as connection:
            of_list = known_members(self._view, connection, list_id)
            of_list.take_over(members)
            known_lists.note_reading(connection, of_list.list_key)

    def _pages(self, list_id: str, condition: ColumnElement[bool]) -> Iterator[int]:
        """Yield record ids of a list, each page in a transaction of its own: nobody waits for the reader."""
        after = 0
        while True:
            with self._view.database.reading() as connection:
                members = members_of(self._view, connection, list_id)
                page = members.page(after, condition) if members else []
            if not page:
                return
            yield from page
            after = page[-1]


def members_of(view: PortalView, connection: Connection, list_id: str) -> ListMembers | None:
    """Return the memberships of a list within a transaction; None where the list is not known."""
    key = known_lists.list_key(connection, view.portal_id, list_id)
    return None if key is None else ListMembers(connection, key, view.day())


def known_members(view: PortalView, connection: Connection, list_id: str) -> ListMembers:
    """Return the memberships of a list that must be known."""
    if (members := members_of(view, connection, list_id)) is None:
        raise LedgerError(
            f"List {list_id} is not in the ledger, yet its members are to be written there. This is a bug: "
            "please report it with the log of this run."
        )
    return members
