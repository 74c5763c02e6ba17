"""Every member has a named outcome, and the report says what became of each."""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import resource
import stat
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from target_hubspot_lists.errors import AccountsError
from target_hubspot_lists.input.records import Cohort
from target_hubspot_lists.outcomes import Outcome
from target_hubspot_lists.reporting.account import Account, StreamAccount
from target_hubspot_lists.reporting.accounts import Accounts
from target_hubspot_lists.reporting.text_tables import is_formula
from target_hubspot_lists.target import TargetHubSpotLists
from tests.factories import by_email, email_schema, membership, record_message, schema_message, state_message
from tests.processes import Plugin, config_file
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

OUTCOMES = [outcome.value for outcome in Outcome]


@pytest.fixture
def report_path(tmp_path: Path) -> Path:
    return tmp_path / "report.jsonl"


def lines(path: Path, kind: str) -> list[dict[str, Any]]:
    parsed = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in parsed if line["kind"] == kind]


def outcomes(path: Path) -> dict[str, str]:
    return {line["member"]: line["outcome"] for line in lines(path, "member")}


def test_the_report_names_who_is_not_in_the_state_asked_for_and_who_was_created(
    portal: Portal, run_target: TargetRunner, report_path: Path
) -> None:
    portal.add_contact("ada@example.com")

    run_target(
        email_schema(),
        by_email("VIP", "ada@example.com"),
        by_email("VIP", "new@example.com"),
        by_email("VIP", "typo@example.con"),
        by_email("VIP", "no address"),
        by_email("VIP", "gone@example.com", "remove"),
        by_email(" ", "lost@example.com"),
        match_by="email",
        report_path=str(report_path),
    )

    told = {line["member"]: line for line in lines(report_path, "member")}
    assert told.keys() == {"new@example.com", "typo@example.con", "no address", "lost@example.com"}
    assert told["new@example.com"]["outcome"] == "added"
    assert told["new@example.com"]["created"] is True
    assert told["new@example.com"]["record_id"] == portal.contact("new@example.com").record_id
    assert told["typo@example.con"]["reason"] == "refused_by_hubspot"
    assert "typo@example.con" in told["typo@example.con"]["message"]
    assert told["typo@example.con"]["correlation_id"]
    assert told["no address"]["reason"] == "invalid_member"
    assert told["lost@example.com"] | dict.fromkeys(("time", "run_id", "line")) == {
        "kind": "member",
        "run_id": None,
        "line": None,
        "time": None,
        "portal_id": portal.portal_id,
        "cohort": None,
        "cohort_id": None,
        "list_id": None,
        "list_name": None,
        "list_url": None,
        "stream": "cohort_members",
        "member": "lost@example.com",
        "identifier": None,
        "operation": "add",
        "record_id": None,
        "outcome": "rejected",
        "created": False,
        "tried_again": False,
        "reason": "missing_cohort",
        "message": None,
        "correlation_id": None,
        "properties": None,
        "property": None,
        "property_reason": None,
        "property_correlation_id": None,
        "mailability": None,
        "mailability_as_of": None,
    }


def test_all_members_are_named_where_the_user_asks_for_all(
    portal: Portal, run_target: TargetRunner, report_path: Path
) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("VIP", members=[bob])

    run_target(
        schema_message(),
        membership("VIP", ada),
        membership("VIP", bob, "remove"),
        report_path=str(report_path),
        report_members="all",
    )

    assert outcomes(report_path) == {ada: "added", bob: "removed"}


def test_the_lines_of_lists_and_run_carry_the_figures(
    portal: Portal, run_target: TargetRunner, report_path: Path
) -> None:
    ada, bob = portal.add_contacts(2)

    run_target(
        schema_message(),
        membership("VIP", ada),
        membership("VIP", bob),
        membership("VIP", 7),
        report_path=str(report_path),
    )

    (listed,) = lines(report_path, "list")
    (run,) = lines(report_path, "run")
    assert {name: listed[name] for name in ("asked", "added", "missing", "rejected", "superseded")} == {
        "asked": 3,
        "added": 2,
        "missing": 1,
        "rejected": 0,
        "superseded": 0,
    }
    assert listed["list_url"] == (
        f"https://app.hubspot.com/contacts/{portal.portal_id}/objectLists/{listed['list_id']}"
    )
    assert (run["exit_code"], run["error"], run["not_settled"], run["records_read"]) == (0, None, 0, 3)


def test_calls_of_a_list_are_those_about_its_members_and_calls_of_the_run_are_all(
    hubspot: HubSpotEmulator, run_target: TargetRunner, report_path: Path
) -> None:
    addresses = (f"new{number}@example.com" for number in range(250))

    run_target(
        email_schema(),
        *(by_email("VIP", each) for each in addresses),
        match_by="email",
        report_path=str(report_path),
    )

    (of_list,), (of_run,) = lines(report_path, "list"), lines(report_path, "run")
    assert of_list["membership_calls"] == hubspot.calls("PUT", "/memberships/") == 1
    assert of_run["calls"] == hubspot.calls() == 11
    assert "calls" not in of_list


def test_a_lists_line_tells_how_many_members_it_has_now(
    portal: Portal, run_target: TargetRunner, report_path: Path
) -> None:
    contacts = portal.add_contacts(8)
    portal.add_list("VIP", members=contacts[:5])

    run_target(
        schema_message(),
        *(membership("VIP", each) for each in contacts[3:]),
        membership("VIP", contacts[0], "remove"),
        membership("New", contacts[0]),
        batch_size_rows=2,
        report_path=str(report_path),
    )

    sizes = {line["list_name"]: line["size"] for line in lines(report_path, "list")}
    assert sizes == {name: len(portal.members(name)) for name in ("VIP", "New")} == {"VIP": 7, "New": 1}


def test_runs_append_and_a_run_id_in_the_path_makes_a_file_each(
    portal: Portal, run_target: TargetRunner, report_path: Path, tmp_path: Path
) -> None:
    (ada,) = portal.add_contacts(1)
    for _ in range(2):
        run_target(schema_message(), membership("VIP", ada), report_path=str(report_path))
        run_target(
            schema_message(), membership("VIP", ada), report_path=str(tmp_path / "each-{run_id}.jsonl")
        )

    assert len({line["run_id"] for line in lines(report_path, "run")}) == 2
    each = list(tmp_path.glob("each-*.jsonl"))
    assert len(each) == 2
    assert all(path.stem == f"each-{lines(path, 'run')[0]['run_id']}" for path in each)


@pytest.mark.parametrize("was_there", [True, False])
def test_only_the_owner_can_read_a_report(
    run_target: TargetRunner,
    report_path: Path,
    was_there: bool,  # noqa: FBT001
) -> None:
    if was_there:
        report_path.write_text('{"kind":"run"}\n')
        report_path.chmod(0o644)

    run_target(schema_message(), report_path=str(report_path))

    assert stat.S_IMODE(report_path.stat().st_mode) == 0o600
    assert len(lines(report_path, "run")) == 1 + was_there


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "fifo")
    return folder / "fifo"


@pytest.mark.parametrize(
    "place", [lambda folder: folder, fifo, lambda _: "/dev/stdout", lambda _: "/dev/null"]
)
def test_a_report_path_that_is_no_file_is_refused_before_anything_happens(
    hubspot: HubSpotEmulator, run_target: TargetRunner, tmp_path: Path, place: Callable[[Path], Path | str]
) -> None:
    run = run_target(schema_message(), report_path=str(place(tmp_path)))

    assert run.exit_code == 1
    assert "report_path" in run.error
    assert "name a file" in run.error
    assert hubspot.calls() == 0


def test_a_fifo_that_somebody_reads_is_refused_too(run_target: TargetRunner, tmp_path: Path) -> None:
    reader = os.open(path := fifo(tmp_path), os.O_RDONLY | os.O_NONBLOCK)

    run = run_target(schema_message(), report_path=str(path))
    written = os.read(reader, 100)
    os.close(reader)

    assert "it is not a file" in run.error
    assert written == b""


def test_a_report_is_not_mixed_into_the_file_that_standard_output_goes_to(
    hubspot: HubSpotEmulator, tmp_path: Path
) -> None:
    output = tmp_path / "state.json"
    config = {"api_url": hubspot.url, "access_token": hubspot.token, "report_path": str(output)}
    with (
        output.open("wb") as stdout,
        Plugin("target_hubspot_lists", "--config", config_file(tmp_path, config), stdout=stdout) as target,
    ):
        assert target.finish() == 1

    assert "standard input, output or error goes there" in target.log
    assert output.read_text() == ""


def csv_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))


def test_a_path_that_ends_in_csv_gets_the_member_lines_as_csv(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    path = tmp_path / "report.CSV"
    for address in ("nobody@@example.com", 'a "b", c'):
        run_target(
            email_schema(),
            by_email("Ömer & Łucja", address),
            by_email("Ömer & Łucja", "new@example.com"),
            match_by="email",
            report_path=str(path),
        )

    first, created, second = csv_rows(path)
    assert (first["member"], first["outcome"], first["reason"]) == (
        "nobody@@example.com",
        "rejected",
        "invalid_member",
    )
    assert (first["list_name"], first["portal_id"], first["created"]) == (
        "Ömer & Łucja",
        str(portal.portal_id),
        "false",
    )
    assert (created["member"], created["created"], created["record_id"]) == (
        "new@example.com",
        "true",
        portal.contact("new@example.com").record_id,
    )
    assert second["member"] == 'a "b", c'
    assert path.read_bytes().startswith(codecs.BOM_UTF8)  # or Excel shows other letters than these
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_field_of_a_csv_report_is_a_formula(run_target: TargetRunner, tmp_path: Path) -> None:
    formulas = ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "\t=1", "\u200f=1"]  # noqa: RUF001 - a full-width sign

    run_target(
        email_schema(),
        *(by_email(f"={number}", formula) for number, formula in enumerate(formulas)),
        match_by="email",
        report_path=str(tmp_path / "report.csv"),
    )

    rows = csv_rows(tmp_path / "report.csv")
    assert len(rows) == len(formulas)
    for row_ in rows:
        assert not [value for value in row_.values() if is_formula(value)]
        assert row_["member"].startswith("'")
        assert row_["list_name"].startswith("'=")


def test_a_csv_report_has_all_that_a_members_line_says(
    run_target: TargetRunner, report_path: Path, tmp_path: Path
) -> None:
    for path in (report_path, tmp_path / "report.csv"):
        run_target(schema_message(), membership("VIP", 7), report_path=str(path))

    (line,) = lines(report_path, "member")
    assert csv_rows(tmp_path / "report.csv")[0].keys() == line.keys() - {"kind", "line"}


def test_a_csv_file_with_other_columns_is_left_alone(
    hubspot: HubSpotEmulator, run_target: TargetRunner, tmp_path: Path
) -> None:
    path = tmp_path / "report.csv"
    path.write_text("email,plan\nada@example.com,free\n")

    run = run_target(schema_message(), report_path=str(path))

    assert "other columns" in run.error
    assert path.read_text() == "email,plan\nada@example.com,free\n"
    assert hubspot.calls() == 0


def test_a_file_that_holds_something_else_is_left_as_it_is(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    (ada,) = portal.add_contacts(1)
    path = tmp_path / "config.json"
    path.write_text('{"access_token": "pat-…"}\n')
    path.chmod(0o644)

    run = run_target(schema_message(), membership("VIP", ada), report_path=str(path))

    assert run.exit_code == 1
    assert "holds something else than a report" in run.error
    assert path.read_text() == '{"access_token": "pat-…"}\n'
    assert path.stat().st_mode & 0o777 == 0o644
    assert not portal.list_names()


def test_a_check_leaves_no_report_behind(
    run_target: TargetRunner, hubspot: HubSpotEmulator, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.csv"
    run_target(schema_message(), membership("VIP", 7), report_path=str(kept))
    before = kept.read_bytes()
    for path in (tmp_path / "report.jsonl", tmp_path / "report.csv", kept):
        config = {"api_url": hubspot.url, "access_token": hubspot.token, "report_path": str(path)}
        assert TargetHubSpotLists(config=config).run_check() == 0

    assert sorted(tmp_path.iterdir()) == [kept]
    assert kept.read_bytes() == before


def test_a_line_is_named_by_run_and_number(run_target: TargetRunner, report_path: Path) -> None:
    for _ in range(2):
        run_target(schema_message(), membership("VIP", 7), report_path=str(report_path))

    named = [(line["run_id"], line["line"]) for line in map(json.loads, report_path.read_text().splitlines())]
    assert len(set(named)) == len(named) == 6
    assert [number for _, number in named] == [1, 2, 3, 1, 2, 3]


def test_the_report_of_a_run_that_fails_says_how_far_it_got(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, report_path: Path
) -> None:
    contacts = portal.add_contacts(4)
    hubspot.faults.next("PUT", "/memberships/", status=500, after=1)

    run = run_target(
        schema_message(),
        *(membership("VIP", each) for each in contacts),
        batch_size_rows=2,
        report_path=str(report_path),
        report_members="all",
    )

    assert run.exit_code == 1
    assert outcomes(report_path) == {contacts[0]: "added", contacts[1]: "added"}
    (ended,) = lines(report_path, "run")
    assert (ended["exit_code"], ended["not_settled"]) == (1, 2)
    assert "500" in ended["error"]


def test_a_report_that_cannot_be_written_is_said_before_anything_happens(
    hubspot: HubSpotEmulator, run_target: TargetRunner, tmp_path: Path
) -> None:
    run = run_target(schema_message(), report_path=str(tmp_path / "no" / "such" / "folder.jsonl"))

    assert run.exit_code == 1
    assert "report_path" in run.error
    assert hubspot.calls() == 0


@pytest.mark.parametrize("shape", ["as it is", "in capitals", "without a schema"])
def test_lines_of_a_report_are_no_snapshot_of_a_mirror(
    portal: Portal, run_target: TargetRunner, report_path: Path, shape: str
) -> None:
    people = portal.add_contacts(3)
    portal.add_list("c_VIP", members=people)
    run_target(schema_message(), membership("VIP", "no number"), report_path=str(report_path))
    (line,) = lines(report_path, "member")
    record = {name.upper() if shape == "in capitals" else name: value for name, value in line.items()}
    columns = ["member", "cohort", "operation"] if shape == "without a schema" else [*record]

    run = run_target(
        schema_message(*columns),
        record_message(**record),
        record_message(**record | {"member": people[0]}),
        state_message({"n": 1}),
        sync_mode="mirror",
        match_field="member",
        cohort_field="cohort",
        list_name_prefix="c_",
        snapshot_end="end_of_input",
        max_removal_percent=100,
    )

    assert (run.exit_code, run.states) == (1, [])
    assert run.error.startswith('Stream "cohort_members" holds lines of a report, and sync_mode is mirror')
    assert portal.members("c_VIP") == set(people)


def test_verification_names_what_hubspot_left_open(portal: Portal, run_target: TargetRunner) -> None:
    ada, bob, cyd = portal.add_contacts(3)
    portal.add_list("VIP", members=[ada])

    run = run_target(
        schema_message(),
        membership("VIP", ada),
        membership("VIP", bob),
        membership("VIP", cyd, "remove"),
        verify_memberships=True,
    )

    figures = row(run.log, "VIP")
    assert (figures["added"], figures["already"], figures["not on it"], figures["unconfirmed"]) == (
        "1",
        "1",
        "1",
        "0",
    )


def test_a_contact_that_hubspot_accepts_and_does_not_add_is_dropped(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, report_path: Path
) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("VIP")
    hubspot.faults.next("PUT", "/memberships/", status=200, body={"recordsIdsAdded": [bob]})

    run = run_target(
        schema_message(),
        membership("VIP", ada),
        membership("VIP", bob),
        verify_memberships=True,
        report_path=str(report_path),
    )

    assert row(run.log, "VIP")["dropped"] == "1"
    assert outcomes(report_path) == {ada: "dropped"}
    assert lines(report_path, "run")[0]["seconds_verifying"] == 10


def test_a_membership_that_shows_late_is_not_called_dropped(
    portal: Portal, run_target: TargetRunner, hubspot: HubSpotEmulator
) -> None:
    (ada,) = portal.add_contacts(1)
    portal.add_list("VIP")
    hubspot.faults.accept_then_drop("PUT", "/memberships/")
    portal.quirks.membership_lag = 2

    run = run_target(schema_message(), membership("VIP", ada), verify_memberships=True)

    assert row(run.log, "VIP")["already"] == "1"
    assert row(run.log, "VIP")["dropped"] == "0"


def test_a_short_list_is_paged_where_that_is_fewer_calls(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    contacts = list(portal.add_contacts(450))
    portal.add_list("VIP", members=contacts)

    run = run_target(
        schema_message(), *(membership("VIP", each) for each in contacts), verify_memberships=True
    )

    assert row(run.log, "VIP")["already"] == "450"
    assert hubspot.calls("GET", "/memberships") == 2
    assert hubspot.calls("POST", "/memberships/batch/read") == 0


@pytest.mark.parametrize(("applied", "exit_code", "states"), [(9, 1, []), (10, 0, [{"n": 20}])])
def test_more_unapplied_than_allowed_ends_with_exit_code_1_and_no_state(
    portal: Portal, run_target: TargetRunner, applied: int, exit_code: int, states: list[object]
) -> None:
    contacts = portal.add_contacts(applied)

    run = run_target(
        schema_message(),
        state_message({"n": 0}),
        *(membership("VIP", each) for each in contacts),
        *(membership("VIP", number) for number in range(1, 21 - applied)),
        state_message({"n": 20}),
        max_unapplied_percent=50,
    )

    assert run.exit_code == exit_code
    assert run.states == states
    assert ("max_unapplied_percent" in run.log) is bool(exit_code)
    assert portal.members("VIP") == set(contacts)


def test_a_list_on_which_nothing_at_all_applied_ends_with_exit_code_1(run_target: TargetRunner) -> None:
    few = run_target(schema_message(), *(membership("VIP", number) for number in range(1, 20)))
    enough = run_target(schema_message(), *(membership("VIP", number) for number in range(1, 21)))

    assert (few.exit_code, enough.exit_code) == (0, 1)
    assert 'Of 20 memberships of list "VIP" not one was applied' in enough.error


def test_a_stream_of_which_nothing_at_all_applied_ends_with_exit_code_1(run_target: TargetRunner) -> None:
    run = run_target(schema_message(), *(membership("", number) for number in range(1, 21)))

    assert run.exit_code == 1
    assert 'stream "cohort_members"' in run.error


def test_a_stream_of_which_nothing_applied_to_any_of_many_lists_ends_with_exit_code_1(
    run_target: TargetRunner,
) -> None:
    run = run_target(
        schema_message(), *(membership(f"list {number}", 990_000 + number) for number in range(20))
    )

    assert run.exit_code == 1
    assert 'Of 20 memberships of stream "cohort_members" not one was applied' in run.error


def test_running_again_over_a_full_list_is_no_failure(portal: Portal, run_target: TargetRunner) -> None:
    contacts = portal.add_contacts(30)
    portal.add_list("VIP", members=contacts)

    run = run_target(schema_message(), *(membership("VIP", each) for each in contacts))

    assert run.exit_code == 0
    assert row(run.log, "VIP")["unconfirmed"] == "30"


def test_a_dry_run_writes_nothing_and_foresees_what_the_real_run_does(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    ada, bob = portal.add_contact("ada@example.com"), portal.add_contact("bob@example.com")
    portal.add_list("VIP", members=[bob])
    messages = [
        email_schema(),
        by_email("VIP", "ada@example.com"),
        by_email("VIP", "bob@example.com", "remove"),
        by_email("VIP", "new@example.com"),
        by_email("VIP", "bad@@example.com"),
        by_email("VIP", "bad@example"),
        by_email("VIP", "unknown@example.com", "remove"),
        by_email("New", "new@example.com"),
        by_email("New", "ada@example.com"),
        by_email("Absent", "ada@example.com", "remove"),
        state_message({"n": 1}),
    ]
    common = {"match_by": "email", "report_members": "all"}

    dry = run_target(*messages, dry_run=True, report_path=str(tmp_path / "dry"), **common)

    assert (dry.exit_code, dry.states) == (0, [])
    assert portal.list_names() == {"VIP"}
    assert portal.members("VIP") == {bob}
    assert portal.emails() == {"ada@example.com", "bob@example.com"}
    assert hubspot.calls("PUT") == hubspot.calls("POST", "/batch/create") == 0
    assert "Dry run: nothing was written" in dry.log

    real = run_target(*messages, report_path=str(tmp_path / "real"), **common)

    assert real.exit_code == 0
    assert ada in portal.members("VIP")
    foreseen, done = (
        Counter(
            (line["cohort"], line["member"], line["outcome"], line["created"])
            for line in lines(path, "member")
        )
        for path in (tmp_path / "dry", tmp_path / "real")
    )
    assert foreseen == done


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("count", [1, 150])
def test_a_dry_run_by_record_id_names_the_missing(
    portal: Portal,
    run_target: TargetRunner,
    is_there: bool,  # noqa: FBT001
    count: int,
) -> None:
    people = portal.add_contacts(count)
    if is_there:
        portal.add_list("VIP")

    run = run_target(
        schema_message(), *(membership("VIP", each) for each in people), membership("VIP", 7), dry_run=True
    )

    assert (row(run.log, "VIP")["added"], row(run.log, "VIP")["missing"]) == (str(count), "1")


def test_accounts_that_do_not_balance_end_the_run() -> None:
    accounts = Accounts(None)
    accounts.streams["members"] = StreamAccount(records_read=2)
    accounts.lists["vip"] = Account(Cohort(None, "VIP"), "VIP", records_read=2)
    accounts.lists["vip"].outcomes[Outcome.ADDED] = 1

    with pytest.raises(AccountsError, match="2 memberships asked for, 1 outcomes"):
        accounts.check()


changes = st.lists(
    st.tuples(
        st.sampled_from(["VIP", "vip", "Trial", ""]),
        st.sampled_from(
            [
                "ada@example.com",
                "ADA@example.com",
                "lovelace@example.org",
                "new@example.com",
                "bad@x",
                "",
                "@",
            ]
        ),
        st.sampled_from(["add", "remove", "merge"]),
    ),
    max_size=40,
)


@given(changes, st.booleans(), st.integers(1, 10))
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_membership_asked_for_has_exactly_one_outcome(
    hubspot: HubSpotEmulator,
    run_target: TargetRunner,
    tmp_path: Path,
    sequence: list[tuple[str, str, str]],
    verify: bool,  # noqa: FBT001
    batch_size: int,
) -> None:
    if "ada@example.com" not in hubspot.portal.emails():
        hubspot.portal.add_contact("ada@example.com", additional_emails=["lovelace@example.org"])
    path = tmp_path / "accounts.jsonl"
    path.unlink(missing_ok=True)

    run_target(
        email_schema(),
        *(by_email(cohort, email, operation) for cohort, email, operation in sequence),
        match_by="email",
        verify_memberships=verify,
        batch_size_rows=batch_size,
        report_path=str(path),
        report_members="all",
    )

    members, listed = lines(path, "member"), lines(path, "list")
    without_list = sum(line["reason"] == "missing_cohort" for line in members)
    assert lines(path, "run")[0]["not_settled"] == 0
    assert sum(line["records_read"] for line in listed) + without_list == len(sequence)
    assert sum(line["asked"] for line in listed) + without_list == len(members)
    for each in listed:
        assert each["asked"] == sum(each[outcome] for outcome in OUTCOMES)
        name = each["list_name"].casefold()  # HubSpot's spelling, known once the list is found
        of_list = Counter(line["outcome"] for line in members if (line["list_name"] or "").casefold() == name)
        assert of_list == Counter({outcome: each[outcome] for outcome in OUTCOMES if each[outcome]})


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_a_line_that_a_killed_run_left_unfinished_costs_no_line_of_the_next_run(
    run_target: TargetRunner, tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"report.{ending}"
    config = {"report_path": str(path), "report_members": "all", "match_by": "email"}
    run_target(email_schema(), by_email("VIP", "ada@example.com"), **config)
    whole = path.read_bytes()
    torn = whole[: whole.index(b"ada@example.com")]
    path.write_bytes(torn)

    run_target(email_schema(), by_email("VIP", "ben@example.com"), **config)

    left, first, *_ = path.read_bytes()[torn.rindex(b"\n") + 1 if b"\n" in torn else 0 :].splitlines()
    assert torn.endswith(left)
    assert b"ben@example.com" in first


def test_a_report_path_that_no_file_can_have_is_named(run_target: TargetRunner) -> None:
    run = run_target(email_schema(), report_path="report\0.jsonl", match_by="email")

    assert run.exit_code == 1
    assert "no file can have this name" in run.log


@pytest.mark.skipif(sys.platform == "win32", reason="files have no such limit there")
def test_a_report_that_cannot_be_completed_is_told_and_what_was_applied_stays(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    ada = portal.add_contact()
    path = tmp_path / "report.jsonl"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    hubspot.faults.call("PUT", "/memberships/", lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard)))

    try:
        run = run_target(schema_message(), membership("VIP", ada), state_message(1), report_path=str(path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert (run.exit_code, run.states) == (1, [1])
    assert f'"{path}" cannot be written (File too large)' in run.error
    assert portal.members("VIP") == {ada}
