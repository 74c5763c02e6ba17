"""Who is on which list, as far as HubSpot has confirmed; members of a call without an answer count as unknown."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, MetaData, Table, case, exists, literal, select, true, update

from target_hubspot_lists.errors import LedgerError
from target_hubspot_lists.ledger.records import State
from target_hubspot_lists.ledger.statements import (
    VALUES_PER_STATEMENT,
    among,
    chunks,
    ids_as_rows,
    insert_into,
)
from target_hubspot_lists.ledger.tables import lists, memberships

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from sqlalchemy import ColumnElement, Connection, Select

    from target_hubspot_lists.ledger.database import PortalView

# The bits of a membership's state. With none of them set, HubSpot confirmed that the record is not on the list.
ON = 1  # HubSpot's last answer was that it is on the list
OURS = 2  # this target added it
UNSETTLED = 4  # a call about it was begun, and no answer was recorded; or it was merged
LOST = (
    8  # always with UNSETTLED: it belongs on the list and is missing there (the list is new, or has lost it)
)
MERGED = 16  # always with ON and UNSETTLED: no call was begun, but HubSpot may not have kept it on the list in a merge

_COLUMNS = ("list_key", "record_id", "state", "day")
_state, _record_id = memberships.c.state, memberships.c.record_id
# The members of a list that is taken over, as HubSpot named them, until the transaction ends.
_named = Table(
    "ledger_named",
    MetaData(),
    Column("record_id", BigInteger, primary_key=True, autoincrement=False),
    prefixes=["TEMPORARY"],
)


class MemberStore:
    """The memberships of a portal's lists; every method is one transaction, `_pages` one for each page."""

    def __init__(self, view: PortalView) -> None:
        self._view = view

    def states(self, list_id: str, record_ids: Collection[int]) -> dict[int, State]:
        """Return the states that HubSpot confirmed; unknown, unsettled and merged records are absent."""
        found: dict[int, State] = {}
        with self._view.database.reading() as connection:
            for chunk in chunks(record_ids):
                asked = among(connection, _record_id, chunk)
                rows = connection.execute(
                    select(_record_id, _state).where(self._is_on(list_id), asked, ~is_unsettled())
                ).all()
                found.update((record_id, State.ON if state & ON else State.OFF) for record_id, state in rows)
        return found

    def known(self, record_ids: Collection[int]) -> set[int]:
        """Return those of some records that are, or were not long ago, on any list."""
        of_portal = memberships.c.list_key.in_(list_keys(self._view.portal_id))
        known = set[int]()
        with self._view.database.reading() as connection:
            for chunk in chunks(record_ids):
                known.update(
                    connection.scalars(
                        select(_record_id).where(of_portal, among(connection, _record_id, chunk)).distinct()
                    )
                )
        return known

    def has_former_members(self, list_id: str) -> bool:
        """Return whether HubSpot confirmed of any record that it is not on a list."""
        off = select(_record_id).where(self._is_on(list_id), _state == 0).limit(1)
        with self._view.database.reading() as connection:
            return connection.scalar(off) is not None

    def all(self, list_id: str) -> set[int]:
        """Return the members of a list, settled or unsettled."""
        return set(self.iter_members(list_id))

    def iter_members(self, list_id: str) -> Iterator[int]:
        """Yield what `all` returns, in order, with one page in memory at a time."""
        return self._pages(list_id, is_member())

    def added_by_us(self, list_id: str) -> set[int]:
        """Return the members that this target added, also by a call that was not answered."""
        return set(self._pages(list_id, (_state.bitwise_and(OURS) != 0) | _is_unanswered()))

    def unsettled(self, list_id: str) -> set[int]:
        """Return the records of calls that were begun and not answered."""
        return set(self._pages(list_id, _state.bitwise_and(UNSETTLED | MERGED) == UNSETTLED))

    def lost(self, list_id: str) -> set[int]:
        """Return the members that `mark_lost` or `replace_list` marked as lost, and no answer has settled since."""
        return set(self._pages(list_id, _state.bitwise_and(LOST) != 0))

    def _pages(self, list_id: str, condition: ColumnElement[bool]) -> Iterator[int]:
        """Yield record ids of a list, each page in a transaction of its own, so that no writer waits for the reader."""
        last = 0
        while True:
            page = (
                select(_record_id)
                .where(self._is_on(list_id), _record_id > last, condition)
                .order_by(_record_id)
                .limit(VALUES_PER_STATEMENT)
            )
            with self._view.database.reading() as connection:
                record_ids = list(connection.scalars(page))
            if not record_ids:
                return
            yield from record_ids
            last = record_ids[-1]

    def mark_unsettled(self, list_id: str, record_ids: Iterable[int], *, leaving: Iterable[int] = ()) -> None:
        """Note that a call about these is about to be sent; returned means committed.

        Records that are `leaving` are no longer lost: they do not belong on the list any more.
        """
        # If HubSpot says of an unanswered record that it is on the list already, it was our call that added it.
        called = _state.bitwise_or(UNSETTLED).bitwise_and(~MERGED)
        again = case((_is_unanswered(), _state.bitwise_or(OURS)), else_=called)
        with self._writing(list_id) as rows:
            rows.upsert(record_ids, UNSETTLED, again)
            rows.upsert(leaving, UNSETTLED, again.bitwise_and(~LOST))

    def mark_lost(self, list_id: str, record_ids: Iterable[int]) -> None:
        """Note that these belong on a list and are missing there; unsettled, until an answer says otherwise."""
        with self._writing(list_id) as rows:
            rows.upsert(record_ids, UNSETTLED | LOST, _state.bitwise_and(OURS).bitwise_or(UNSETTLED | LOST))

    def settle(self, list_id: str, *, on: Iterable[int], off: Iterable[int], ours: bool = True) -> None:
        """Note what HubSpot answered; `ours` says that it was this call that added `on`.

        Without `ours` they stay ours if they were, or if an earlier call that added them was not answered.
        """
        with self._writing(list_id) as rows:
            if ours:
                rows.upsert(on, ON | OURS, literal(ON | OURS))
            else:
                rows.upsert(on, ON, _on_and_ours_as_before())
            rows.upsert(off, 0, literal(0))

    def take_over(self, list_id: str, members: Iterable[int]) -> None:
        """Record a list as HubSpot has it: `members` are on it, and no other record; all or nothing.

        Members that are ours stay ours, and no other becomes ours. An unsettled record that is not among the members
        stays unsettled, since HubSpot may not show yet what it has accepted. Read the members first: no other run can
        write to a SQLite ledger meanwhile.
        """
        with self._writing(list_id) as rows:
            connection = rows.connection
            _named.create(connection, checkfirst=False)
            for chunk in chunks(members):
                named = select(ids_as_rows(connection, chunk).c.value).where(true())
                insert = insert_into(connection, _named).from_select(["record_id"], named)
                connection.execute(insert.on_conflict_do_nothing())
            rows.upsert_from(_named.c.record_id, ON, _on_and_ours_as_before())
            was_on = _state.bitwise_and(ON | UNSETTLED) == ON
            is_named = exists().where(_named.c.record_id == _record_id)
            others = update(memberships).where(memberships.c.list_key == rows.list_key, was_on, ~is_named)
            connection.execute(others.values(state=0, day=rows.day))
            _named.drop(connection, checkfirst=False)
            connection.execute(update(lists).where(lists.c.list_key == rows.list_key).values(was_read=True))

    def _is_on(self, list_id: str) -> ColumnElement[bool]:
        """Return the condition that a row is of this list; of a list that is not known there is none."""
        return memberships.c.list_key == _list_key(self._view.portal_id, list_id).scalar_subquery()

    @contextmanager
    def _writing(self, list_id: str) -> Iterator[_ListRows]:
        """Lend the rows of a list, which must be known, for one transaction."""
        with self._view.database.writing() as connection:
            list_key = known_list_key(connection, self._view.portal_id, list_id)
            yield _ListRows(connection, list_key, self._view.day())


@dataclass(frozen=True)
class _ListRows:
    """The rows of one list within a transaction of that day."""

    connection: Connection
    list_key: int
    day: int

    def upsert(self, record_ids: Iterable[int], state: int, if_known: ColumnElement[int]) -> None:
        """Give records a state: `state` if nothing is known of them, else `if_known`."""
        for chunk in chunks(record_ids):
            self.upsert_from(ids_as_rows(self.connection, chunk).c.value, state, if_known)

    def upsert_from(self, record_ids: ColumnElement[int], state: int, if_known: ColumnElement[int]) -> None:
        """Do the same for the record ids in a column of another table."""
        # SQLite takes ON CONFLICT for a join's ON unless the select has a WHERE:
        # https://www.sqlite.org/lang_upsert.html#parsing_ambiguity
        new = select(literal(self.list_key), record_ids, literal(state), literal(self.day)).where(true())
        insert = insert_into(self.connection, memberships).from_select(_COLUMNS, new)
        self.connection.execute(
            insert.on_conflict_do_update(
                index_elements=["list_key", "record_id"],
                set_={"state": if_known, "day": self.day},
                where=_state != if_known,  # an unchanged list of a million members writes nothing
            )
        )


def list_keys(portal_id: int) -> Select[int]:
    """Select the numbers that stand for a portal's lists."""
    return select(lists.c.list_key).where(lists.c.portal_id == portal_id)


def known_list_key(connection: Connection, portal_id: int, list_id: str) -> int:
    """Return the number that stands for a list in the tables; LedgerError if the ledger does not know the list."""
    if (list_key := connection.scalar(_list_key(portal_id, list_id))) is None:
        raise LedgerError(
            f"List {list_id} is not in the ledger, yet its members are to be written there. This is a bug: "
            "please report it with the log of this run."
        )
    return list_key


def _list_key(portal_id: int, list_id: str) -> Select[int]:
    return select(lists.c.list_key).where(lists.c.portal_id == portal_id, lists.c.list_id == list_id)


def move_members(connection: Connection, old_key: int, new_key: int, *, day: int) -> None:
    """Make the members of one list lost members of another, unless they are known to be on that one."""
    state = _state.bitwise_and(OURS).bitwise_or(UNSETTLED | LOST)
    moved = select(literal(new_key), _record_id, state, literal(day)).where(
        memberships.c.list_key == old_key, is_member()
    )
    insert = insert_into(connection, memberships).from_select(_COLUMNS, moved)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["list_key", "record_id"],
            set_={"state": insert.excluded.state, "day": insert.excluded.day},
            where=_state.bitwise_and(ON | UNSETTLED) != ON,
        )
    )


def merged_state(states: Iterable[int]) -> int | None:
    """Return the state of a contact that several records were merged into; None, unknown, if all were off the list.

    Unsettled in any case: that HubSpot keeps a merged contact on the lists of each of its records is not documented.
    It is ours only if no other source added one of the records. A record that is off the list was removed by the
    source, so that the contact is not looked for among the members that the list has lost.
    """
    states = list(states)
    on_list = [state for state in states if state & (ON | UNSETTLED)]
    if not on_list:
        return None
    is_certain = all(state & ON and (state & MERGED or not state & UNSETTLED) for state in states)
    is_ours = all(state & OURS or not state & ON for state in on_list)
    bits = [bit for bit in (ON, LOST) if any(state & bit for state in on_list)]
    return sum(bits, UNSETTLED | (OURS if is_ours else 0) | (MERGED if is_certain else 0))


def is_member() -> ColumnElement[bool]:
    """Return the condition that a record is on the list, or may be since a call about it was not answered."""
    return _state.bitwise_and(ON | UNSETTLED) != 0


def is_unsettled() -> ColumnElement[bool]:
    """Return the condition that a call about a record was begun and no answer recorded, or that it was merged."""
    return _state.bitwise_and(UNSETTLED) != 0


def _is_unanswered() -> ColumnElement[bool]:
    """Return the condition that a record is unsettled, and was not known to be on the list before."""
    return _state.bitwise_and(ON | UNSETTLED) == UNSETTLED


def _on_and_ours_as_before() -> ColumnElement[int]:
    return _state.bitwise_and(OURS).bitwise_or(ON)
