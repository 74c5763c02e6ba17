"""Which contact an address is, for how long that is believed, and how a person is forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from target_hubspot_lists.ledger import Forgotten, State, statements
from target_hubspot_lists.ledger.command import main
from target_hubspot_lists.outcomes import Mailability
from tests.target_hubspot_lists.conftest import PORTAL, START, VIP

if TYPE_CHECKING:
    from pathlib import Path

    from target_hubspot_lists.ledger import Ledger
    from tests.target_hubspot_lists.conftest import Ledgers

ADA, BOB = "ada@example.com", "bob@example.com"


def test_an_address_is_known_in_whatever_case(ledger: Ledger) -> None:
    ledger.people.remember_contacts({"Ada@Example.com": 1})

    assert ledger.people.record_ids(["ADA@example.com", BOB], since=START) == {ADA: 1}


def test_an_address_is_believed_since_its_last_look_up(open_ledger: Ledgers, ledger: Ledger) -> None:
    ledger.people.remember_contacts({ADA: 1, BOB: 2})
    open_ledger.days_pass(7)
    ledger.people.remember_contacts({BOB: 3})

    assert ledger.people.record_ids([ADA, BOB], since=START) == {ADA: 1, BOB: 3}
    assert ledger.people.record_ids([ADA, BOB], since=START + timedelta(seconds=1)) == {BOB: 3}


def test_more_addresses_than_one_statement_takes_are_remembered(ledger: Ledger) -> None:
    many = {f"{number}@example.com": number for number in range(1, statements.VALUES_PER_STATEMENT + 10)}

    ledger.people.remember_contacts(many)

    assert ledger.people.record_ids(many, since=START) == many


def test_odd_addresses_come_back_as_they_went_in(ledger: Ledger) -> None:
    odd = {"o'brien@example.com": 1, 'a"b@example.com': 2, "jörg@exämple.de": 3, "back\\slash@example.com": 4}

    ledger.people.remember_contacts(odd)

    assert ledger.people.record_ids(odd, since=START) == odd


def test_records_that_hubspot_reports_missing_are_forgotten_with_their_addresses(ledger: Ledger) -> None:
    ledger.people.remember_contacts({ADA: 1, "ada@work.example.com": 1, BOB: 2})
    ledger.members.settle("42", on=[1, 2], off=())

    addresses = ledger.people.forget_record_ids([1, 99])

    assert sorted(addresses) == [ADA, "ada@work.example.com"]
    assert ledger.people.record_ids([ADA, "ada@work.example.com", BOB], since=START) == {BOB: 2}
    assert ledger.members.all("42") == {2}


def test_property_hashes_come_back_by_record(ledger: Ledger) -> None:
    hashes = {1: b"\x00" * 16, 2: b"\xff" * 48, 3: b""}

    ledger.people.remember_property_hashes(hashes, {})
    ledger.people.remember_property_hashes({1: b"changed!"}, hashes)

    assert ledger.people.property_hashes([1, 2, 3, 4]) == hashes | {1: b"changed!"}


def test_of_property_hashes_that_another_run_has_changed_nothing_is_known(ledger: Ledger) -> None:
    known = {1: b"a" * 16, 2: b"b" * 16}
    ledger.people.remember_property_hashes(known, {})
    ledger.people.remember_property_hashes({2: b"of another run", 3: b"of another run"}, known)

    ledger.people.remember_property_hashes(dict.fromkeys((1, 2, 3, 4), b"new"), known)

    assert ledger.people.property_hashes([1, 2, 3, 4]) == {1: b"new", 2: b"", 3: b"", 4: b"new"}


@pytest.mark.parametrize("who", [{"email": "Ada@example.com "}, {"record_id": 1}])
def test_a_person_is_forgotten_under_every_address_and_on_every_list(
    ledger: Ledger, who: dict[str, str | int]
) -> None:
    know_ada_and_bob(ledger)

    forgotten = ledger.people.forget_person(**who)  # type: ignore[arg-type]

    assert forgotten == Forgotten(identifiers=2, memberships=2, property_hashes=1, lists_to_read=1)
    assert ledger.people.record_ids([ADA, "ada@work.example.com", BOB], since=START) == {BOB: 2}
    assert ledger.members.states("42", [1, 2]) == {2: State.ON}
    assert ledger.members.states("43", [1, 2]) == {}
    assert ledger.people.property_hashes([1, 2]) == {}


def test_a_person_is_forgotten_in_one_portal_alone(open_ledger: Ledgers, ledger: Ledger) -> None:
    other = open_ledger(PORTAL + 1)
    for each in (ledger, other):
        know_ada_and_bob(each)

    ledger.people.forget_person(email=ADA)

    assert other.people.record_ids([ADA], since=START) == {ADA: 1}
    assert other.members.states("42", [1]) == {1: State.ON}
    assert other.people.property_hashes([1]) == {1: b"12345678"}


def test_nothing_of_a_forgotten_person_is_left_in_the_file(tmp_path: Path, open_ledger: Ledgers) -> None:
    ledger = open_ledger()
    ledger.people.remember_contacts({"nobody-else@example.com": 1})
    if open_ledger.url.startswith("sqlite"):
        assert any(b"nobody-else" in path.read_bytes() for path in tmp_path.iterdir())

    ledger.people.forget_person(record_id=1)

    assert not any(b"nobody-else" in path.read_bytes() for path in tmp_path.iterdir())


def test_what_is_of_no_use_any_more_goes_after_ninety_days(open_ledger: Ledgers, ledger: Ledger) -> None:
    ledger.people.remember_contacts({ADA: 1, BOB: 2, "eve@example.com": 3, "joe@example.com": 4})
    ledger.members.settle("42", on=[1], off=[2])
    ledger.members.mark_unsettled("42", [3])
    ledger.people.remember_property_hashes({1: b"12345678"}, {})
    ledger.lists.record_run("42", stream="members", started=START, asked=3, outcomes={})

    open_ledger.days_pass(89)
    assert not ledger.people.prune().anything
    assert open_ledger.runs("42")
    open_ledger.days_pass(2)
    pruned = ledger.people.prune()

    assert pruned == Forgotten(identifiers=2, memberships=1, property_hashes=1)
    everybody = [ADA, BOB, "eve@example.com", "joe@example.com"]
    assert ledger.people.record_ids(everybody, since=START) == {ADA: 1, "eve@example.com": 3}
    assert ledger.members.all("42") == {1, 3}
    assert ledger.members.states("42", [1, 2, 3]) == {1: State.ON}
    assert open_ledger.runs("42") == []


def test_what_a_clock_that_was_ahead_has_dated_goes_with_what_is_of_no_use(
    open_ledger: Ledgers, ledger: Ledger
) -> None:
    open_ledger.days_pass(365)
    ledger.people.remember_contacts({ADA: 1, BOB: 2})
    ledger.members.settle("42", on=[1], off=[2])
    ledger.people.remember_property_hashes({1: b"12345678"}, {})
    ledger.lists.begin_creating(["Trial"])
    ledger.lists.record_run("42", stream="members", started=START, asked=3, outcomes={})
    open_ledger.now = START
    ledger.people.remember_contacts({"eve@example.com": 3})
    open_ledger.now = START - timedelta(hours=23)  # as the clock of another machine may be

    pruned = ledger.people.prune()

    assert pruned == Forgotten(identifiers=1, memberships=1, property_hashes=1)
    assert ledger.people.record_ids([ADA, BOB, "eve@example.com"]) == {ADA: 1, "eve@example.com": 3}
    assert ledger.members.all("42") == {1}
    assert not ledger.lists.is_being_created("Trial")
    assert open_ledger.runs("42")


def test_a_look_up_from_the_future_counts_as_the_last_one_and_not_as_a_fresh_one(
    open_ledger: Ledgers, ledger: Ledger
) -> None:
    ledger.people.remember_contacts({ADA: 1})
    ledger.people.remember_mailability({1: Mailability.MAILABLE})
    open_ledger.now = START - timedelta(seconds=1)

    assert ledger.people.record_ids([ADA]) == {ADA: 1}
    assert ledger.people.record_ids([ADA], since=START - timedelta(days=7)) == {}
    assert ledger.people.mailability([1], since=START - timedelta(days=7)) == {}


def test_one_portal_prunes_nothing_of_another(open_ledger: Ledgers, ledger: Ledger) -> None:
    ledger.people.remember_contacts({ADA: 1})
    ledger.members.settle("42", on=(), off=[1])
    open_ledger.days_pass(100)

    open_ledger(PORTAL + 1).people.prune()

    assert ledger.people.record_ids([ADA], since=START) == {ADA: 1}
    assert ledger.members.states("42", [1]) == {1: State.OFF}


def test_a_forgotten_persons_lists_are_to_be_read_again_and_no_other_ones(
    open_ledger: Ledgers, ledger: Ledger
) -> None:
    other = open_ledger(PORTAL + 1)
    other.lists.remember_list(VIP)
    for list_id in ("43", "44"):
        ledger.lists.remember_list(replace(VIP, list_id=list_id, cohort_key=list_id))
    for store, list_id in ((ledger, "42"), (ledger, "43"), (ledger, "44"), (other, "42")):
        store.members.take_over(list_id, [1, 2] if list_id == "42" else [2])
    ledger.members.mark_unsettled("43", [1])  # a call that was not answered: the person may be on it

    forgotten = ledger.people.forget_person(record_id=1)

    assert forgotten.lists_to_read == 2
    assert {each.list_id: each.was_read for each in ledger.lists.all()} == {
        "42": False,
        "43": False,
        "44": True,
    }
    assert [each.was_read for each in other.lists.all()] == [True]


def test_the_command_says_what_it_forgot(open_ledger: Ledgers, ledger: Ledger) -> None:
    know_ada_and_bob(ledger)

    said = run_command("--portal-id", str(PORTAL), "--email", ADA, url=open_ledger.url)
    again = run_command("--portal-id", str(PORTAL), "--email", ADA, url=open_ledger.url)

    deleted = "addresses and other identifiers 2, list memberships 2, property hashes 1"
    deleted += ", adds to be tried again 0, mailability 0"
    lists = "Lists that the next run reads from HubSpot again, since the person was on them: 1."
    assert said == (0, f"Deleted for portal {PORTAL}: {deleted}.\n{lists}\n")
    assert again[0] == 0
    assert again[1].startswith(f"The ledger knows nothing of this person in portal {PORTAL}.")
    assert ledger.people.record_ids([ADA, BOB], since=START) == {BOB: 2}


def test_the_command_makes_no_ledger_where_there_is_none(tmp_path: Path, ledger_url: str) -> None:
    exit_code, said = run_command("--portal-id", "1", "--record-id", "1", url=ledger_url)

    assert exit_code == 1
    assert "no ledger" in said
    assert list(tmp_path.iterdir()) == []


def test_the_command_names_no_list_to_read_again_for_a_person_who_was_on_none(
    open_ledger: Ledgers, ledger: Ledger
) -> None:
    ledger.people.remember_contacts({ADA: 1})
    ledger.close()

    exit_code, said = run_command("--portal-id", str(PORTAL), "--email", ADA, url=open_ledger.url)

    assert exit_code == 0
    assert "addresses and other identifiers 1, list memberships 0" in said
    assert "reads from HubSpot again" not in said


def test_the_command_wants_to_know_whom(tmp_path: Path) -> None:
    exit_code, said = run_command("--portal-id", "1", url=f"sqlite:///{tmp_path}/ledger.db")

    assert exit_code == 2
    assert "Name the person: give --email, --record-id or --property." in said


def know_ada_and_bob(ledger: Ledger) -> None:
    ledger.lists.remember_list(VIP)
    ledger.lists.remember_list(replace(VIP, list_id="43", cohort_key="other"))
    ledger.people.remember_contacts({ADA: 1, "ada@work.example.com": 1, BOB: 2})
    ledger.members.settle("42", on=[1, 2], off=())
    ledger.members.settle("43", on=(), off=[1])
    ledger.people.remember_property_hashes({1: b"12345678"}, {})


def run_command(*arguments: str, url: str) -> tuple[int, str]:
    """Run the command with the URL in the environment; return exit code and output."""
    result = CliRunner().invoke(main, ["forget", *arguments], env={"TARGET_HUBSPOT_LISTS_LEDGER_URL": url})
    return result.exit_code, result.output


def test_two_runs_may_learn_of_the_same_merges_at_once(open_ledger: Ledgers, ledger: Ledger) -> None:
    retired = {number: number % 10 + 1000 for number in range(1, 200)}
    ledger.people.remember_contacts({f"contact{number}@example.com": number for number in retired})
    ledger.members.settle("42", on=retired, off=())
    others = [open_ledger(run_id=f"run-{number}") for number in range(2, 6)]

    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(other.people.merge_records, retired) for other in others]:
            done.result()

    assert ledger.members.all("42") == set(retired.values())
    assert set(ledger.people.record_ids(["contact7@example.com"], since=START).values()) == {1007}
