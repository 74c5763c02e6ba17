"""hubspot-lists-ledger shows what the ledger knows, to a person and to a script, and changes nothing by it."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from sqlalchemy.exc import DBAPIError

from target_hubspot_lists.errors import LedgerError
from target_hubspot_lists.ledger import KnownList, LedgerOverview
from target_hubspot_lists.ledger.command import main
from target_hubspot_lists.ledger.tables import lists
from tests.factories import by_email, email_schema
from tests.target_hubspot_lists.conftest import PORTAL, START, VIP

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from target_hubspot_lists.ledger import Ledger
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import Portal
    from tests.target_hubspot_lists.conftest import Ledgers


def command(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"TARGET_HUBSPOT_LISTS_LEDGER_URL": url})


def objects(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


def run(
    ledgers: Ledgers, run_id: str, *, hours: int, is_complete: bool = True, list_id: str = "42", **counts: int
) -> None:
    """A run that began so many hours after the start and took one."""
    ledgers.now = START + timedelta(hours=hours + 1)
    ledger = ledgers(run_id=run_id)
    ledger.lists.record_run(
        list_id,
        stream="members",
        started=START + timedelta(hours=hours),
        asked=sum(counts.values()),
        outcomes=counts,
        is_complete=is_complete,
    )
    ledger.close()


@pytest.fixture
def url(open_ledger: Ledgers, ledger: Ledger) -> str:
    """A ledger that knows two lists of one portal and one of another, and three runs."""
    ledger.members.settle("42", on=[1, 2], off=[3])
    ledger.members.mark_unsettled("42", [4])
    ledger.lists.remember_list(
        KnownList("7", "Trial", "name Trial ends", "members", created_by_us=False, was_read=True)
    )
    open_ledger(9, run_id="other").lists.remember_list(VIP)
    run(open_ledger, "run-1", hours=0, added=2, missing=1)
    run(open_ledger, "run-2", hours=24, removed=1)
    run(open_ledger, "run-3", hours=48, is_complete=False, added=1, rejected=1)
    return open_ledger.url


def test_lists_are_shown_with_their_members_and_their_last_complete_run(url: str) -> None:
    of_other, trial, vip = objects(command(url, "lists", "--json"))

    assert (trial["list_name"], trial["cohorts"], trial["members"]) == ("Trial", ["Trial ends"], 0)
    assert (trial["made_by_target"], trial["last_run"], trial["last_complete_run"]) == (False, None, None)
    assert (vip["portal_id"], vip["list_id"], vip["members"]) == (PORTAL, "42", 3)
    assert vip["last_run"] == (START + timedelta(hours=49)).isoformat().replace("+00:00", "Z")
    assert vip["last_complete_run"] == (START + timedelta(hours=25)).isoformat().replace("+00:00", "Z")
    assert of_other["portal_id"] == 9


def test_lists_are_a_table_for_a_person(url: str) -> None:
    result = command(url, "lists", "--portal-id", str(PORTAL))

    assert result.output.splitlines() == [
        "list   id  cohorts      portal  members              last run     last complete run",
        "Trial  7   Trial ends  1234567        0                 never                 never",
        "VIP    42  vip         1234567        3  2026-03-22 10:46 UTC  2026-03-21 10:46 UTC",
    ]


def test_runs_are_shown_the_newest_first(url: str) -> None:
    result = command(url, "runs")

    assert result.output.splitlines() == [
        "started               list  complete   portal  asked  added  removed  not applied  match rate",
        "2026-03-22 09:46 UTC  VIP   NO        1234567      2      1        0            1       50.0%",
        "2026-03-21 09:46 UTC  VIP   yes       1234567      1      0        1            0      100.0%",
        "2026-03-20 09:46 UTC  VIP   yes       1234567      3      2        0            1       66.7%",
    ]


@pytest.mark.parametrize(
    ("arguments", "run_ids"),
    [
        (["--limit", "1"], ["run-3"]),
        (["--list", "42"], ["run-3", "run-2", "run-1"]),
        (["--list", "vip", "--limit", "2"], ["run-3", "run-2"]),
        (["--portal-id", "9"], []),
    ],
)
def test_runs_can_be_narrowed(url: str, arguments: list[str], run_ids: list[str]) -> None:
    assert [each["run_id"] for each in objects(command(url, "runs", "--json", *arguments))] == run_ids


def test_a_list_without_runs_is_said_to_be_none_that_it_knows(url: str) -> None:
    result = command(url, "runs", "--list", "Customers")

    assert result.exit_code == 1
    assert 'no run of a list "Customers"' in result.output
    assert "hubspot-lists-ledger lists" in result.output


def test_an_empty_ledger_is_said_to_be_empty(open_ledger: Ledgers) -> None:
    open_ledger()

    assert command(open_ledger.url, "lists").output == "The ledger knows no list.\n"
    assert command(open_ledger.url, "runs").output == "The ledger knows no run.\n"
    assert command(open_ledger.url, "lists", "--json").output == ""


def test_the_database_itself_refuses_writes_of_what_only_reads(url: str) -> None:
    with LedgerOverview(url) as overview:
        database = overview._database  # noqa: SLF001 - what it was opened with
        with pytest.raises((LedgerError, DBAPIError)), database.writing() as connection:
            connection.execute(lists.delete())

        assert len(overview.lists()) == 3


def test_looking_at_a_ledger_leaves_its_file_as_it_was(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.db"
    portal.add_contact("ada@example.com")
    run_target(
        email_schema(),
        by_email("VIP", "ada@example.com"),
        match_by="email",
        ledger_url=f"sqlite:///{path}",
    )
    before = path.read_bytes()

    (listed,) = objects(command(f"sqlite:///{path}", "lists", "--json"))
    (ran,) = objects(command(f"sqlite:///{path}", "runs", "--json"))

    assert (listed["list_name"], listed["cohorts"], listed["members"]) == ("VIP", ["VIP"], 1)
    assert (ran["asked"], ran["outcomes"]["added"], ran["match_rate"]) == (1, 1, 1.0)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("subcommand", ["lists", "runs", "forget"])
def test_a_ledger_that_is_not_there_is_named_and_not_made(tmp_path: Path, subcommand: str) -> None:
    person = ["--portal-id", "1", "--record-id", "1"] if subcommand == "forget" else []
    result = command(f"sqlite:///{tmp_path}/ledger.db", subcommand, *person)

    assert result.exit_code == 1
    assert f'There is no ledger "{tmp_path}/ledger.db"' in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_something_else_is_no_ledger(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "notes.db") as database:
        database.execute("create table notes (text)")
    database.close()

    result = command(f"sqlite:///{tmp_path}/notes.db", "lists")

    assert result.exit_code == 1
    assert "holds no ledger" in result.output


def test_names_reach_a_terminal_on_one_line_and_without_addresses(open_ledger: Ledgers) -> None:
    odd = KnownList(
        "1", "of ada@example.com\n\x1b[31m", "name \x07x", "s", created_by_us=True, was_read=False
    )
    open_ledger().lists.remember_list(odd)

    table = command(open_ledger.url, "lists").output
    (listed,) = objects(command(open_ledger.url, "lists", "--json"))

    assert len(table.splitlines()) == 2
    assert not {"ada@example.com", "\x1b", "\x07"} & {
        part for part in ("ada@example.com", "\x1b", "\x07") if part in table
    }
    assert listed["list_name"] == odd.name  # a script wants it as it is
