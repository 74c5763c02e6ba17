"""Who is on which list: only what HubSpot confirmed is known, and a crash at any point shows."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from target_hubspot_lists.errors import LedgerError
from target_hubspot_lists.ledger import State, statements
from tests.target_hubspot_lists.conftest import PORTAL, VIP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_hubspot_lists.ledger import Ledger
    from tests.target_hubspot_lists.conftest import Ledgers

ON, OFF = State.ON, State.OFF
LARGEST = 2**63 - 1  # record ids are HubSpot's "long"


def test_what_hubspot_confirmed_is_known_and_nothing_else(ledger: Ledger) -> None:
    ledger.members.settle("42", on=[1, LARGEST], off=[2])

    assert ledger.members.states("42", [1, 2, 3, LARGEST]) == {1: ON, 2: OFF, LARGEST: ON}
    assert ledger.members.all("42") == {1, LARGEST}


def test_an_unsettled_pair_is_unknown_and_counts_as_a_member(ledger: Ledger) -> None:
    ledger.members.settle("42", on=[1], off=[2])

    ledger.members.mark_unsettled("42", [1, 2, 3])

    assert ledger.members.states("42", [1, 2, 3]) == {}
    assert ledger.members.all("42") == ledger.members.unsettled("42") == {1, 2, 3}


def test_an_answer_settles(ledger: Ledger) -> None:
    ledger.members.mark_unsettled("42", [1, 2, 3])

    ledger.members.settle("42", on=[1], off=[2])

    assert ledger.members.states("42", [1, 2, 3]) == {1: ON, 2: OFF}
    assert ledger.members.unsettled("42") == {3}


def test_whom_we_added_is_told_from_who_was_there_already(ledger: Ledger) -> None:
    ledger.members.mark_unsettled("42", [1, 2])

    ledger.members.settle("42", on=[1], off=())
    ledger.members.settle("42", on=[2], off=(), ours=False)

    assert ledger.members.added_by_us("42") == {1}
    assert ledger.members.all("42") == {1, 2}


def test_who_was_added_by_us_stays_ours_when_found_there_again(ledger: Ledger) -> None:
    ledger.members.settle("42", on=[1], off=())

    ledger.members.mark_unsettled("42", [1])
    ledger.members.settle("42", on=[1], off=(), ours=False)

    assert ledger.members.added_by_us("42") == {1}


def test_who_left_and_was_put_there_by_somebody_else_is_not_ours(ledger: Ledger) -> None:
    ledger.members.settle("42", on=[1], off=())
    ledger.members.settle("42", on=(), off=[1])

    ledger.members.settle("42", on=[1], off=(), ours=False)

    assert ledger.members.added_by_us("42") == set()


def test_whom_a_call_without_an_answer_put_there_is_ours_after_the_rerun(ledger: Ledger) -> None:
    ledger.members.mark_unsettled("42", [1])
    assert ledger.members.added_by_us("42") == {1}

    ledger.members.mark_unsettled(
        "42", [1]
    )  # the rerun sends it again, and HubSpot says: on the list already
    ledger.members.settle("42", on=[1], off=(), ours=False)

    assert ledger.members.added_by_us("42") == {1}


def test_taking_a_list_over_makes_it_the_state(ledger: Ledger) -> None:
    ledger.members.settle("42", on=[1, 2], off=[3])

    ledger.members.take_over("42", [2, 3, 4])

    assert ledger.members.states("42", range(6)) == {1: OFF, 2: ON, 3: ON, 4: ON}
    assert ledger.members.all("42") == {2, 3, 4}
    assert ledger.members.added_by_us("42") == {2}
    assert ledger.lists.all() == [replace(VIP, was_read=True)]


def test_taking_over_settles_who_is_there_and_leaves_others_unsettled(ledger: Ledger) -> None:
    ledger.members.mark_unsettled("42", [1, 2])

    ledger.members.take_over("42", [1])

    assert ledger.members.states("42", [1, 2]) == {1: ON}
    assert ledger.members.unsettled("42") == {2}


def test_a_list_that_could_not_be_read_to_its_end_is_not_taken_over(ledger: Ledger) -> None:
    def breaks_off() -> Iterable[int]:
        yield 2
        raise ConnectionError

    ledger.members.settle("42", on=[1], off=())
    with pytest.raises(ConnectionError):
        ledger.members.take_over("42", breaks_off())

    assert ledger.members.states("42", [1, 2]) == {1: ON}
    assert ledger.lists.all() == [VIP]


def test_a_list_made_anew_gets_cohort_and_members_of_the_deleted_one(ledger: Ledger) -> None:
    ledger.members.settle("42", on=[1, 2], off=[3])
    ledger.members.settle("42", on=[4], off=(), ours=False)
    new = replace(VIP, list_id="43")

    ledger.lists.replace_list("42", new)

    assert ledger.lists.all() == [new]
    assert ledger.members.unsettled("43") == {1, 2, 4}
    assert ledger.members.states("43", [1, 2, 3, 4]) == {}
    assert ledger.members.all("42") == set()

    ledger.members.settle("43", on=[1, 2, 4], off=(), ours=False)

    assert ledger.members.added_by_us("43") == {1, 2}


def test_repeats_and_more_than_one_statement_takes_are_fine(ledger: Ledger) -> None:
    many = range(1, statements.VALUES_PER_STATEMENT + 10)

    ledger.members.mark_unsettled("42", [*many, 1, 1])
    ledger.members.settle("42", on=[*many, 2, 2], off=())

    assert ledger.members.states("42", many) == dict.fromkeys(many, ON)
    assert list(ledger.members.iter_members("42")) == list(many)


def test_members_of_a_list_that_is_not_known_are_a_bug_and_not_lost(ledger: Ledger) -> None:
    assert ledger.members.all("7") == set()
    assert ledger.members.states("7", [1]) == {}
    with pytest.raises(LedgerError, match="List 7 is not in the ledger"):
        ledger.members.mark_unsettled("7", [1])


def test_portals_and_lists_share_a_database_and_nothing_else(open_ledger: Ledgers, ledger: Ledger) -> None:
    other = open_ledger(PORTAL + 1)
    other.lists.remember_list(VIP)
    ledger.lists.remember_list(replace(VIP, list_id="43", cohort_key="other"))

    ledger.members.settle("42", on=[1], off=())

    assert other.members.states("42", [1]) == {}
    assert ledger.members.states("43", [1]) == {}


def test_lists_of_one_ledger_have_their_members_apart(ledger: Ledger) -> None:
    other = replace(VIP, list_id="43", cohort_key="other")
    ledger.lists.remember_list(other)
    ledger.members.settle("42", on=[1], off=())
    ledger.members.mark_unsettled("42", [2])

    ledger.members.take_over("43", [3])
    ledger.lists.replace_list("43", replace(other, list_id="44"))

    assert (ledger.members.all("42"), ledger.members.unsettled("42"), ledger.members.added_by_us("42")) == (
        {1, 2},
        {2},
        {1, 2},
    )
    assert (ledger.members.all("44"), ledger.members.unsettled("44"), ledger.members.added_by_us("44")) == (
        {3},
        {3},
        {3},
    )


def test_a_merged_contact_is_sent_again_and_is_of_no_call_until_one_begins(ledger: Ledger) -> None:
    ledger.members.settle("42", on=[1, 3], off=[4])
    ledger.people.merge_records({1: 2, 3: 4})

    assert ledger.members.states("42", [2, 4]) == {}
    assert ledger.members.all("42") == {2, 4}
    assert ledger.members.unsettled("42") == {4}  # the source removed one of its records

    ledger.people.merge_records({2: 5})
    assert ledger.members.unsettled("42") == {4}
    ledger.members.mark_unsettled("42", (), leaving=[5])
    assert ledger.members.unsettled("42") == {4, 5}


KILLED_IN_A_CALL = """
import sys, time
from datetime import UTC, datetime
from target_hubspot_lists.ledger import Ledger
ledger = Ledger.open(sys.argv[1], int(sys.argv[2]), run_id="killed", now=lambda: datetime.now(UTC))
with ledger.lock(["VIP"], sleep=time.sleep):
    ledger.members.mark_unsettled("42", [1, 2])
    print("marked", flush=True)
    sys.stdin.read()
"""


def test_a_run_killed_between_call_and_answer_leaves_pairs_unsettled_and_no_lock(
    open_ledger: Ledgers, ledger: Ledger
) -> None:
    ledger.members.settle("42", on=[1], off=())
    ledger.close()
    with subprocess.Popen(
        [sys.executable, "-c", KILLED_IN_A_CALL, open_ledger.url, str(PORTAL)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"marked\n"
        child.send_signal(signal.SIGKILL)
        child.wait()

    rerun = open_ledger(run_id="rerun")

    assert rerun.members.unsettled("42") == {1, 2}
    assert rerun.members.states("42", [1, 2]) == {}
    waits: list[float] = []
    with rerun.lock(["VIP"], wait_seconds=5, sleep=waits.append):
        rerun.members.settle("42", on=[1, 2], off=())
    assert rerun.members.states("42", [1, 2]) == {1: ON, 2: ON}


@dataclass
class Model:
    """What a ledger knows of one list, as dicts and sets."""

    settled: dict[int, State] = field(default_factory=dict)
    unsettled: set[int] = field(default_factory=set)
    ours: set[int] = field(default_factory=set)
    was_on: set[int] = field(default_factory=set)  # when they became unsettled

    def mark(self, ids: set[int]) -> None:
        self.ours |= (ids & self.unsettled) - self.was_on
        self.was_on |= {each for each in ids - self.unsettled if self.settled.get(each) is ON}
        self.unsettled |= ids
        for each in ids:
            self.settled.pop(each, None)

    def settle(self, on: set[int], off: set[int], *, ours: bool) -> None:
        self._set(on, ON)
        self._set(off, OFF)
        self.ours = (self.ours | on if ours else self.ours) - off

    def take_over(self, members: set[int]) -> None:
        left = {each for each, state in self.settled.items() if state is ON} - members
        self.settle(members, left, ours=False)
        self.ours -= {each for each, state in self.settled.items() if state is OFF}

    def _set(self, ids: set[int], state: State) -> None:
        self.unsettled -= ids
        self.was_on -= ids
        self.settled |= dict.fromkeys(ids, state)

    def members(self) -> set[int]:
        return {each for each, state in self.settled.items() if state is ON} | self.unsettled

    def added_by_us(self) -> set[int]:
        return self.ours | (self.unsettled - self.was_on)


IDS = st.sets(st.integers(1, 8), max_size=6)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("mark"), IDS),
        st.tuples(st.just("settle"), IDS, IDS, st.booleans()),
        st.tuples(st.just("take over"), IDS),
        st.tuples(st.just("forget"), IDS),
    ),
    max_size=8,
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example has a list of its own
)
@given(steps=STEPS)
def test_any_history_leaves_what_the_model_says(ledger: Ledger, steps: list[tuple[object, ...]]) -> None:
    model = Model()
    list_id = f"list {len(ledger.lists.all())}"
    ledger.lists.remember_list(replace(VIP, list_id=list_id))

    for step in steps:
        match step:
            case "mark", set() as ids:
                ledger.members.mark_unsettled(list_id, ids)
                model.mark(ids)
            case "settle", set() as on, set() as off, bool() as ours:
                ledger.members.settle(list_id, on=on - off, off=off, ours=ours)
                model.settle(on - off, off, ours=ours)
            case "take over", set() as ids:
                ledger.members.take_over(list_id, ids)
                model.take_over(ids)
            case "forget", set() as ids:
                ledger.people.forget_record_ids(ids)
                _forget(model, ids)

    assert ledger.members.states(list_id, range(10)) == model.settled
    assert ledger.members.all(list_id) == model.members()
    assert ledger.members.added_by_us(list_id) == model.added_by_us()
    assert ledger.members.unsettled(list_id) == model.unsettled


def _forget(model: Model, ids: set[int]) -> None:
    for each in ids:
        model.settled.pop(each, None)
    model.unsettled -= ids
    model.ours -= ids
    model.was_on -= ids
