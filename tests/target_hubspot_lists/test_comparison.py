"""The tables of a mirror tell exactly where a snapshot and a list differ, wherever they are kept."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_hubspot_lists.identifiers import Identifier
from target_hubspot_lists.ledger import Ledger
from target_hubspot_lists.ledger.workspace import PrivateFile
from target_hubspot_lists.mirror import differences as where
from target_hubspot_lists.mirror.comparison import Comparison, LastWord, Resolved
from target_hubspot_lists.mirror.differences import Differences
from target_hubspot_lists.mirror.snapshot import LONG_RUN, Snapshot
from target_hubspot_lists.mirror.stores import WrittenProperties
from tests.target_hubspot_lists.conftest import START, VIP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_hubspot_lists.identifiers import MatchBy
    from target_hubspot_lists.ledger.workspace import Workspace
    from tests.target_hubspot_lists.conftest import Ledgers

ODD_ADDRESSES = [
    "a\\b@example.com",
    "tab\there@example.com",
    "\\n@example.com",
    "line\nend@example.com",
    "'; drop table x; --@example.com",
    "müller@例え.jp",
    "%s:name@example.com",
    "a@example.com",
]


class Tables(NamedTuple):
    """What a mirror keeps while it compares."""

    snapshot: Snapshot
    comparison: Comparison
    differences: Differences


def tables(workspace: Workspace, match_by: MatchBy = "contact_id") -> Tables:
    workspace.create("mirror_current", f"record_id {workspace.ordered_key}, current_id BIGINT")
    identifiers = [Identifier.from_setting({"match_by": match_by})]
    return Tables(
        Snapshot(workspace, identifiers), Comparison(workspace, identifiers), Differences(workspace)
    )


@pytest.fixture(params=["private", "sqlite", "postgres"])
def workspace(request: pytest.FixtureRequest) -> Iterator[Workspace]:
    """Where a mirror can keep tables; `ledger_url` would run each test once more."""
    if request.param == "private":
        with closing(PrivateFile()) as private:
            yield private
        return
    url = request.getfixturevalue("sqlite_url")
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").new_url()
    with Ledger.open(url, 1, run_id="run-1", now=lambda: datetime.now(UTC)) as ledger:
        yield ledger.workspace()


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 5), st.booleans())), st.sets(st.integers(1, 7)))
def test_the_tables_tell_exactly_the_difference(
    records: list[tuple[int, int, bool]], on_list: set[int]
) -> None:
    with closing(PrivateFile()) as private:
        check_difference(tables(private), records, on_list)


def test_the_difference_is_the_same_wherever_the_tables_are(workspace: Workspace) -> None:
    records = [(0, 1, True), (0, 2, True), (1, 2, False), (1, 3, True), (1, 4, False), (0, 1, True)]

    check_difference(tables(workspace), records, {1, 4, 6, 7})


def add(kept: Tables, cohort: int, *, is_member: bool, members: Sequence[int | str]) -> None:
    """Let records of these members arrive, one after the other."""
    kept.snapshot.begin_run(cohort, is_member=is_member)
    kept.snapshot.members.extend(members)
    kept.snapshot.write()


def check_difference(kept: Tables, records: list[tuple[int, int, bool]], on_list: set[int]) -> None:
    last = {member: is_member for _, member, is_member in records}
    of_cohort = {(cohort, member): is_member for cohort, member, is_member in records}
    for cohort, member, is_member in records:
        add(kept, cohort, is_member=is_member, members=[member])
    kept.snapshot.fold()
    started = kept.comparison.start([0, 1])
    kept.comparison.identify(None)
    lost = kept.comparison.resolve()
    kept.differences.take_members([*on_list, *on_list], is_settled=True)

    wanted = {member for member, is_member in last.items() if is_member}
    assert sum(started.values()) == len(last)
    assert not any(lost.values())
    for cohort in (0, 1):
        assert kept.snapshot.size(cohort) == sum(
            is_member for (of, _), is_member in of_cohort.items() if of == cohort
        )
    found = {name: ids(kept, name) for name in (where.TO_ADD, where.ALREADY_MEMBER, where.NOT_A_MEMBER)}
    assert found[where.TO_ADD] == wanted - on_list
    assert found[where.ALREADY_MEMBER] == wanted & on_list
    assert found[where.NOT_A_MEMBER] == last.keys() - wanted - on_list
    assert {record_id for record_id, _ in kept.differences.to_remove()} == on_list - wanted
    said = {record_id for record_id, row in kept.differences.to_remove() if row}
    assert said == (on_list - wanted) & last.keys()
    assert kept.differences.members() == len(on_list)
    assert sum(kept.differences.count(where.ALREADY_MEMBER_COUNTED, [0, 1]).values()) == len(wanted & on_list)


def test_runs_of_any_length_keep_the_order_of_the_input(workspace: Workspace) -> None:
    kept = tables(workspace)
    runs = [
        (0, True, range(1, 2 * LONG_RUN)),
        (1, True, [1]),
        (0, False, range(3, 1, -1)),
        (1, False, range(2, 90)),
    ]
    for cohort, is_member, members in runs * 2:
        kept.snapshot.begin_run(cohort, is_member=is_member)
        kept.snapshot.members.extend(members)
    kept.snapshot.write()
    kept.snapshot.members.append(7)  # goes on with the last run
    kept.snapshot.write()
    kept.snapshot.fold()
    kept.comparison.start([0, 1])
    records = [(member, is_member, cohort) for cohort, is_member, run in runs * 2 for member in run]
    records.append((7, False, 1))
    last = {
        member: LastWord(member, is_member, position, cohort)
        for position, (member, is_member, cohort) in enumerate(records, start=1)
    }

    assert {word.member: word for word in kept.comparison.words()} == last


def ids(kept: Tables, condition: str) -> set[int]:
    return {row.record_id for row in kept.differences.rows(condition)}


def words_of_one_contact(kept: Tables) -> Sequence[LastWord]:
    """The words on two addresses, a removal and then an add, of which it is not known yet that they are one contact."""
    add(kept, 0, is_member=False, members=["lovelace@example.org"])
    add(kept, 0, is_member=True, members=["ada@example.com"])
    kept.snapshot.fold()
    kept.comparison.start([0])
    kept.comparison.identify(None)
    (words,) = kept.comparison.unidentified()
    return words


def test_two_members_that_are_one_contact_keep_the_later_word(workspace: Workspace) -> None:
    kept = tables(workspace, "email")
    words = words_of_one_contact(kept)

    kept.comparison.take_contacts(Resolved(7, *word, is_created=False) for word in words)
    lost = kept.comparison.resolve()

    assert set(words) == {
        LastWord("ada@example.com", True, 2, 0),
        LastWord("lovelace@example.org", False, 1, 0),
    }
    assert lost == {0: 1}
    assert [row.member for row in kept.differences.rows(where.TO_ADD)] == ["ada@example.com"]


def test_the_later_word_stands_in_whatever_order_contacts_are_found(workspace: Workspace) -> None:
    kept = tables(workspace, "email")
    words = words_of_one_contact(kept)
    later_first = sorted(words, key=lambda word: word.position, reverse=True)

    kept.comparison.take_contacts(Resolved(7, *word, is_created=False) for word in later_first)
    kept.comparison.resolve()

    word = kept.comparison.word_on(7)
    assert word is not None
    assert (word.member, word.is_member) == ("ada@example.com", True)


def test_a_contact_without_a_word_has_none_under_its_new_record_id_either(workspace: Workspace) -> None:
    kept = tables(workspace)
    add(kept, 0, is_member=True, members=[7])
    kept.snapshot.fold()
    kept.comparison.start([0])
    kept.comparison.identify(None)
    kept.comparison.resolve()

    assert kept.comparison.replace(8, 9) is None
    assert kept.comparison.replace(7, 7) is None
    assert kept.comparison.word_on(9) is None
    assert kept.comparison.word_on(7) is not None


@pytest.mark.parametrize("times", [1, LONG_RUN])
def test_addresses_come_back_as_they_were_whatever_they_hold(workspace: Workspace, times: int) -> None:
    kept = tables(workspace, "email")
    add(kept, 0, is_member=True, members=ODD_ADDRESSES * times)
    for position, address in enumerate(ODD_ADDRESSES):
        kept.snapshot.hold(address, f"[{position}]".encode())
    kept.snapshot.fold()
    kept.comparison.start([0])
    kept.comparison.identify(None)

    (words,) = kept.comparison.unidentified()

    assert sorted(str(word.member) for word in words) == sorted(ODD_ADDRESSES)
    positions = range(1, len(ODD_ADDRESSES) * times + 1)
    assert sorted(word.position for word in words) == list(positions[-len(ODD_ADDRESSES) :])
    assert kept.snapshot.attributes(ODD_ADDRESSES) == {
        address: f"[{position}]".encode() for position, address in enumerate(ODD_ADDRESSES)
    }


def test_what_was_held_of_a_person_last_stands(workspace: Workspace) -> None:
    kept = tables(workspace, "email")
    kept.snapshot.hold("ada@example.com", b"[1]")
    kept.snapshot.attributes([])
    kept.snapshot.hold("ada@example.com", b"[2]")

    assert kept.snapshot.attributes(["ada@example.com", "bob@example.com"]) == {"ada@example.com": b"[2]"}


def test_of_a_record_id_nothing_is_held_where_members_are_addresses(workspace: Workspace) -> None:
    kept = tables(workspace, "email")
    kept.snapshot.hold("7", b"[1]")

    assert kept.snapshot.attributes([7]) == {}


def test_what_was_written_of_contacts_is_remembered(workspace: Workspace) -> None:
    written = WrittenProperties(workspace)
    written.remember({1: b"a\x00\\", 2: b"b"})
    written.remember({2: b"c"})

    assert written.known_hashes([1, 2, 3]) == {1: b"a\x00\\", 2: b"c"}


def test_a_ledger_names_contacts_that_were_looked_up_lately_and_who_is_on_a_list(
    open_ledger: Ledgers,
) -> None:
    ledger = open_ledger()
    ledger.lists.remember_list(VIP)
    ledger.people.remember_contacts({"old@example.com": 9})
    open_ledger.days_pass(1)
    ledger.people.remember_contacts({"ada@example.com": 1, "bob@example.com": 2, "gone@example.com": 3})
    ledger.members.settle("42", on=[1, 2, 5], off=[3])
    ledger.members.mark_unsettled("42", [2, 4])
    kept = tables(ledger.workspace(), "email")
    people = ["ada@example.com", "bob@example.com", "gone@example.com", "old@example.com", "new@example.com"]
    add(kept, 0, is_member=True, members=people)
    kept.snapshot.fold()
    kept.comparison.start([0])

    kept.comparison.identify(ledger.period(open_ledger.now))
    unknown = {word.member for words in kept.comparison.unidentified() for word in words}
    kept.comparison.resolve()
    kept.differences.take_known_members("42")

    assert open_ledger.now != START
    assert unknown == {"old@example.com", "new@example.com"}
    assert ids(kept, where.TO_ADD) == {3}
    assert ids(kept, where.ALREADY_MEMBER) == {1, 2}
    assert ids(kept, where.ALREADY_MEMBER_COUNTED) == {1}
    assert ids(kept, where.ALREADY_MEMBER_OTHERS) == {2}
    assert {record_id for record_id, _ in kept.differences.to_remove()} == {4, 5}


def test_a_ledger_of_another_portal_tells_nothing(open_ledger: Ledgers) -> None:
    open_ledger(portal_id=1).people.remember_contacts({"ada@example.com": 1})
    ledger = open_ledger(portal_id=2)
    kept = tables(ledger.workspace(), "email")
    add(kept, 0, is_member=True, members=["ada@example.com"])
    kept.snapshot.fold()
    kept.comparison.start([0])

    kept.comparison.identify(ledger.period(START))

    ((word,),) = kept.comparison.unidentified()
    assert word.member == "ada@example.com"
