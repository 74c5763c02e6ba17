"""Who is on which list, as far as HubSpot has confirmed; what it has not answered for counts as unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, MetaData, Table, case, exists, literal, select, true, update

from target_hubspot_lists.ledger.records import State
from target_hubspot_lists.ledger.statements import (
    VALUES_PER_STATEMENT,
    among,
    chunks,
    ids_as_rows,
    insert_into,
)
from target_hubspot_lists.ledger.tables import memberships

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import ColumnElement, Connection

# The bits of a membership's state; none of them set: HubSpot confirmed that the record is not on the list.
ON = 1  # when HubSpot last answered, it was on the list
OURS = 2  # we put it there
UNSETTLED = 4  # a call about it was begun, and no answer was recorded
LOST = (
    8  # beside UNSETTLED: it belongs on the list, and is not there, for the list was made anew or has lost it
)

_state, _record_id = memberships.c.state, memberships.c.record_id
# Of a list that is taken over: who HubSpot says is on it, until the transaction ends.
_named = Table(
    "ledger_named",
    MetaData(),
    Column("record_id", BigInteger, primary_key=True, autoincrement=False),
    prefixes=["TEMPORARY"],
)
_COLUMNS = ("list_key", "record_id", "state", "day")


@dataclass(frozen=True)
class ListMembers:
    """The memberships of one list, within a transaction of that day."""

    connection: Connection
    list_key: int
    day: int

    def states(self, record_ids: Collection[int]) -> dict[int, State]:
        """The states that HubSpot confirmed; unknown and unsettled records are absent."""
        found: dict[int, State] = {}
        for chunk in chunks(record_ids):
            settled = _state.bitwise_and(UNSETTLED) == 0
            asked = among(self.connection, _record_id, chunk)
            rows = self.connection.execute(
                select(_record_id, _state).where(self._on_this_list, asked, settled)
            ).all()
            found.update((record_id, State.ON if state & ON else State.OFF) for record_id, state in rows)
        return found

    def knows_who_left(self) -> bool:
        """Whether HubSpot confirmed of anybody that they are not on the list."""
        off = select(_record_id).where(self._on_this_list, _state == 0).limit(1)
        return self.connection.scalar(off) is not None

    def page(self, after: int, condition: ColumnElement[bool]) -> list[int]:
        """The next record ids for which the condition holds, in order."""
        return list(
            self.connection.scalars(
                select(_record_id)
                .where(self._on_this_list, _record_id > after, condition)
                .order_by(_record_id)
                .limit(VALUES_PER_STATEMENT)
            )
        )

    def mark_unsettled(self, record_ids: Iterable[int], *, leaving: Iterable[int] = ()) -> None:
        """Note that a call about these is about to be sent; those who are to leave do not belong there any more."""
        # Unanswered before, and asked again: should HubSpot say that it is on the list already, it was that call.
        again = case((_is_unanswered(), _state.bitwise_or(OURS)), else_=_state.bitwise_or(UNSETTLED))
        self._upsert(record_ids, UNSETTLED, again)
        self._upsert(leaving, UNSETTLED, again.bitwise_and(~LOST))

    def mark_lost(self, record_ids: Iterable[int]) -> None:
        """Note that these belong on the list, and are not there."""
        self._upsert(record_ids, UNSETTLED | LOST, _state.bitwise_and(OURS).bitwise_or(UNSETTLED | LOST))

    def settle(self, *, on: Iterable[int], off: Iterable[int], ours: bool) -> None:
        """Note what HubSpot answered; who was put there by us before stays ours."""
        if ours:
            self._upsert(on, ON | OURS, literal(ON | OURS))
        else:
            self._upsert(on, ON, _on_and_ours_as_before())
        self._upsert(off, 0, literal(0))

    def take_over(self, members: Iterable[int]) -> None:
        """Make these the members; who is unsettled and not among them stays so."""
        _named.create(self.connection, checkfirst=False)
        for chunk in chunks(members):
            rows = select(ids_as_rows(self.connection, chunk).c.value).where(true())
            insert = insert_into(self.connection, _named).from_select(["record_id"], rows)
            self.connection.execute(insert.on_conflict_do_nothing())
        self._upsert_rows(_named.c.record_id, ON, _on_and_ours_as_before())
        self._settle_off_others()
        _named.drop(self.connection, checkfirst=False)

    def move_to(self, list_key: int) -> None:
        """Make everybody who is on this list lost on another, which is new."""
        state = _state.bitwise_and(OURS).bitwise_or(UNSETTLED | LOST)
        members = select(literal(list_key), _record_id, state, literal(self.day)).where(
            self._on_this_list, is_member()
        )
        self.connection.execute(memberships.insert().from_select(_COLUMNS, members))

    @property
    def _on_this_list(self) -> ColumnElement[bool]:
        return memberships.c.list_key == self.list_key

    def _settle_off_others(self) -> None:
        was_on = _state.bitwise_and(ON | UNSETTLED) == ON
        is_named = exists().where(_named.c.record_id == _record_id)
        others = update(memberships).where(self._on_this_list, was_on, ~is_named)
        self.connection.execute(others.values(state=0, day=self.day))

    def _upsert(self, record_ids: Iterable[int], state: int, if_known: ColumnElement[int]) -> None:
        """Give records a state: one if nothing is known of them, another if something is."""
        for chunk in chunks(record_ids):
            self._upsert_rows(ids_as_rows(self.connection, chunk).c.value, state, if_known)

    def _upsert_rows(self, record_ids: ColumnElement[int], state: int, if_known: ColumnElement[int]) -> None:
        # SQLite takes ON CONFLICT for a join's ON unless the select has a WHERE:
        # https://www.sqlite.org/lang_upsert.html#parsing_ambiguity
        new = select(literal(self.list_key), record_ids, literal(state), literal(self.day)).where(true())
        insert = insert_into(self.connection, memberships).from_select(_COLUMNS, new)
        self.connection.execute(
            insert.on_conflict_do_update(
                index_elements=["list_key", "record_id"],
                set_={"state": if_known, "day": self.day},
                where=_state != if_known,  # a list of a million that did not change writes nothing
            )
        )


def merged_state(states: Iterable[int]) -> int | None:
    """The state of a contact that several records became; None, unknown, where all of them were off the list.

    Unsettled in any case: that HubSpot keeps a merged contact on the lists of each of its records is not documented.
    It is ours only where no other one was put there by somebody else.
    """
    members = [each for each in states if each & (ON | UNSETTLED)]
    if not members:
        return None
    is_ours = all(each & OURS or not each & ON for each in members)
    bits = [bit for bit in (ON, LOST) if any(each & bit for each in members)]
    return sum(bits, UNSETTLED | (OURS if is_ours else 0))


def is_member() -> ColumnElement[bool]:
    """On the list, or perhaps on it since a call about it was not answered."""
    return _state.bitwise_and(ON | UNSETTLED) != 0


def is_added_by_us() -> ColumnElement[bool]:
    """Put onto the list by us, or by a call of ours that was not answered."""
    return (_state.bitwise_and(OURS) != 0) | _is_unanswered()


def is_unsettled() -> ColumnElement[bool]:
    """A call about it was begun, and no answer recorded."""
    return _state.bitwise_and(UNSETTLED) != 0


def is_lost() -> ColumnElement[bool]:
    """It belongs on the list, and is not there as far as is known."""
    return _state.bitwise_and(LOST) != 0


def _is_unanswered() -> ColumnElement[bool]:
    """Unsettled, and not known to have been on the list before."""
    return _state.bitwise_and(ON | UNSETTLED) == UNSETTLED


def _on_and_ours_as_before() -> ColumnElement[int]:
    return _state.bitwise_and(OURS).bitwise_or(ON)
