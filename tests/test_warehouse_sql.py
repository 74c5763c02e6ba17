"""The SQL of examples/ over what a real target writes: outcomes in DuckDB and Postgres, campaigns in DuckDB."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from target_hubspot_lists.report_page.campaigns import read_campaigns
from target_hubspot_lists.report_page.reading import ListKeys, read_reports
from tests import definitions, documents
from tests.factories import by_email, email_schema
from tests.postgres import NoServer, PostgresServer
from tests.processes import TIMEOUT
from tests.target_hubspot_lists.report_page.lines import (
    list_line,
    member_line,
    numbered,
    run_id,
    run_line,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import Portal

    Row = dict[str, Any]
    Line = dict[str, Any]
    Ask = Callable[[Sequence[Line], str], list[Row]]

ROOT = Path(__file__).parent.parent
VIEWS = ROOT / "examples" / "outcome_views.sql"


def duckdb(folder: Path, *arguments: str) -> str:
    """Run DuckDB's command line over a folder as the warehouse."""
    beside = Path(sys.executable).parent / "duckdb"
    if (command := str(beside) if beside.exists() else shutil.which("duckdb")) is None:
        pytest.skip("DuckDB's command is not installed: make test installs it")
    done = subprocess.run(
        [command, "-no-init", "-bail", *arguments],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"DUCKDB_WAREHOUSE": str(folder)},
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def write_csv(path: Path, rows: Sequence[Line]) -> None:
    """Write rows as target-csv does: a column for each name, what is nested as JSON."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {name: json.dumps(v) if isinstance(v, dict | list) else v for name, v in row.items()}
            )


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    try:
        server = PostgresServer()
    except NoServer as reason:
        pytest.skip(str(reason))
    with server:
        yield server


@pytest.fixture(params=["duckdb", "postgres"])
def ask(request: pytest.FixtureRequest, tmp_path: Path) -> Ask:
    """Load lines into a warehouse, and ask a view."""
    if request.param == "duckdb":
        return lambda lines, view: in_duckdb(tmp_path, lines, view)
    server: PostgresServer = request.getfixturevalue("postgres")
    return lambda lines, view: in_postgres(server, lines, view)


def in_duckdb(folder: Path, lines: Sequence[Line], view: str) -> list[Row]:
    for old in folder.glob("hubspot_list_report-*.csv"):
        old.unlink()
    write_csv(folder / "hubspot_list_report-1.csv", numbered(lines))
    query = folder / "query.sql"
    query.write_text(
        f".read examples/outcomes.sql\n.mode json\n.output {folder}/answer.json\nselect * from {view};\n"
    )
    duckdb(folder, "-f", str(query))
    answer = (folder / "answer.json").read_text()
    return list(json.loads(answer)) if answer.strip(" \n[]{}") else []


# The types that a target makes of the lines: https://hub.meltano.com/loaders/target-postgres
TYPES = {bool: "boolean", int: "bigint", float: "numeric", dict: "jsonb", list: "jsonb", str: "text"}


def in_postgres(server: PostgresServer, lines: Sequence[Line], view: str) -> list[Row]:
    with psycopg.connect(server.new_url(), row_factory=psycopg.rows.dict_row) as connection:
        connection.execute("set timezone to 'America/New_York'")  # which is nothing to what the views say
        types: dict[str, str] = {}
        for line in lines:
            for name, value in line.items():
                if value is not None or name not in types:
                    types[name] = "timestamp" if name == "time" else TYPES.get(type(value), "text")
        columns = ", ".join(f'"{name}" {kind}' for name, kind in {"line": "bigint", **types}.items())
        connection.execute(f"create table hubspot_list_report ({columns})")
        for line in numbered(lines):
            values = {n: json.dumps(v) if types.get(n) == "jsonb" else v for n, v in line.items()}
            names, marks = ", ".join(f'"{name}"' for name in values), ", ".join(["%s"] * len(values))
            insert = f"insert into hubspot_list_report ({names}) values ({marks})"  # noqa: S608 - names of ours
            connection.execute(insert, list(values.values()))
        connection.execute(VIEWS.read_text("utf-8"))
        return [dict(row) for row in connection.execute(f"select * from {view}")]  # noqa: S608 - a view of ours


def test_the_duckdb_that_is_tested_is_the_one_that_meltano_installs() -> None:
    utilities = definitions.project()["plugins"]["utilities"]
    (installed,) = [each["pip_url"] for each in utilities if each["name"] == "duckdb"]

    assert f'"{installed}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_who_is_not_in_place_is_told_with_since_when_and_why(ask: Ask) -> None:
    rejected = {"outcome": "rejected", "reason": "invalid_email"}
    rows = ask(
        [
            member_line("ada@example.com", run=1),
            member_line("mended@example.com", run=1, **rejected),
            member_line("relapsed@example.com", run=1, outcome="added", created=True),
            list_line(run=1, added=1, missing=1, rejected=1),
            run_line(run=1),
            member_line("ada@example.com", run=2, **rejected),
            member_line("mended@example.com", run=2, outcome="added", created=True),
            member_line("relapsed@example.com", run=2, outcome="dropped"),
            member_line("gone@example.com", run=2, operation="remove"),
            list_line(run=2, added=1, missing=1, rejected=1),
            run_line(run=2),
        ],
        "members_not_in_place order by member",
    )

    told = [(row["member"], row["outcome"], row["reason"], str(row["since"])[:10]) for row in rows]
    assert told == [
        ("ada@example.com", "rejected", "invalid_email", "2026-11-01"),
        ("relapsed@example.com", "dropped", None, "2026-11-02"),
    ]
    assert {row["list_name"] for row in rows} == {"VIP"}


def test_what_a_complete_mirror_does_not_name_any_more_is_over(ask: Ask) -> None:
    lines = [member_line(), list_line(missing=1), run_line(), list_line(run=2, added=1)]

    assert ask([*lines, run_line(run=2, sync_mode="mirror")], "members_not_in_place") == []
    assert len(ask([*lines, run_line(run=2, sync_mode="mirror", exit_code=1)], "members_not_in_place")) == 1
    assert len(ask([*lines, run_line(run=2)], "members_not_in_place")) == 1


def test_a_dry_run_says_nothing_of_the_lists(ask: Ask) -> None:
    dry = [member_line(run=2), list_line(run=2, missing=1), run_line(run=2, dry_run=True)]

    lines = [list_line(added=1), run_line(), *dry]
    assert ask(lines, "members_not_in_place") == []
    assert [row["runs"] for row in ask(lines, "match_rate_by_list_and_day")] == [1]


def test_lines_that_were_loaded_twice_count_once(tmp_path: Path) -> None:
    lines = numbered([list_line(added=4, missing=1), member_line(), run_line()])
    write_csv(tmp_path / "hubspot_list_report-0.csv", lines)

    (row,) = in_duckdb_beside(tmp_path, lines, "match_rate_by_list_and_day")

    assert (row["asked"], row["runs"]) == (5, 1)


def in_duckdb_beside(folder: Path, lines: Sequence[Line], view: str) -> list[Row]:
    """The same lines in a second file, as when a pipeline broke off and ran again."""
    first = (folder / "hubspot_list_report-0.csv").read_bytes()
    rows = in_duckdb(folder, lines, view)
    (folder / "hubspot_list_report-0.csv").write_bytes(first)
    query = f".read examples/outcomes.sql\n.mode json\n.output {folder}/answer.json\nselect * from {view};\n"
    (folder / "query.sql").write_text(query)
    duckdb(folder, "-f", str(folder / "query.sql"))
    again: list[Row] = json.loads((folder / "answer.json").read_text())
    assert again == rows
    return again


def test_the_match_rate_is_told_by_list_and_day(ask: Ask) -> None:
    rows = ask(
        [
            list_line(run=1, added=8, missing=1, rejected=1),
            list_line(run=1, name="Trial", list_id="7", added=5),
            run_line(run=1),
            list_line(run=2, added=3, missing=1),
            run_line(run=2),
        ],
        "match_rate_by_list_and_day order by list_name, day",
    )

    told = [(row["list_name"], str(row["day"]), row["asked"], float(row["match_rate"])) for row in rows]
    assert told == [
        ("Trial", "2026-11-01", 5, 1.0),
        ("VIP", "2026-11-01", 10, 0.8),
        ("VIP", "2026-11-02", 4, 0.75),
    ]


def test_who_cannot_be_mailed_is_told_with_why(ask: Ask) -> None:
    rows = ask(
        [
            member_line("ada@example.com", outcome="added", mailability="opted_out"),
            member_line("bob@example.com", outcome="added", mailability="mailable"),
            member_line("cyd@example.com", outcome="added"),
            list_line(added=3, mailability={"opted_out": 1, "mailable": 1}),
            run_line(),
        ],
        "members_who_cannot_be_mailed",
    )

    assert [(row["member"], row["why"]) for row in rows] == [("ada@example.com", "opted_out")]


def test_the_last_complete_run_of_each_list_is_told(ask: Ask) -> None:
    (row,) = ask(
        [
            list_line(added=1, skipped=0),
            run_line(),
            list_line(run=2, skipped=0),
            run_line(run=2, exit_code=1),
        ],
        "last_complete_run_by_list",
    )

    assert str(row["last_complete_run"])[:10] == "2026-11-01"
    assert str(row["last_run"])[:10] == "2026-11-02"


def test_a_real_report_is_understood(
    ask: Ask, portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    portal.add_contact("ada@example.com")
    report = tmp_path / "report.jsonl"
    run_target(
        email_schema(),
        by_email("VIP", "ada@example.com"),
        by_email("VIP", "typo@@example.com"),
        by_email("VIP", "gone@example.com", "remove"),
        match_by="email",
        report_path=str(report),
    )
    lines = [json.loads(line) for line in report.read_text().splitlines()]

    (row,) = ask(lines, "members_not_in_place")
    (rate,) = ask(lines, "match_rate_by_list_and_day")

    assert (row["member"], row["reason"], row["operation"]) == ("typo@@example.com", "invalid_member", "add")
    assert (rate["asked"], rate["in_place"]) == (3, 2)


def test_a_real_report_says_who_cannot_be_mailed(
    ask: Ask, portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    portal.add_contact("ada@example.com", hs_email_optout="true")
    portal.add_contact("bob@example.com")
    portal.add_contact("cyd@example.com", hs_email_quarantined="true")
    report = tmp_path / "report.jsonl"
    run_target(
        email_schema(),
        *(by_email("VIP", f"{name}@example.com") for name in ("ada", "bob", "cyd")),
        match_by="email",
        report_path=str(report),
        report_members="all",
        check_mailability=True,
    )
    lines = [json.loads(line) for line in report.read_text().splitlines()]

    rows = ask(lines, "members_who_cannot_be_mailed order by member")

    assert [(row["member"], row["why"]) for row in rows] == [
        ("ada@example.com", "opted_out"),
        ("cyd@example.com", "quarantined"),
    ]
    assert str(rows[0]["as_of"])[:10] == "2026-03-20"


told_of = st.tuples(
    st.integers(1, 4),
    st.sampled_from(["VIP", "vip", "Trial"]),
    st.sampled_from([None, "42"]),
    st.sampled_from(["ada@example.com", "bob@example.com"]),
    st.sampled_from(["missing", "rejected", "added", "dropped", "of a newer version"]),
    st.sampled_from(["add", "remove"]),
)


@given(
    st.lists(told_of, max_size=12, unique_by=lambda each: each[0:2] + each[3:4]),
    st.sets(st.integers(1, 4)),
    st.sets(st.integers(1, 3)),
)
@hypothesis_settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_warehouse_and_page_name_the_same_members(
    tmp_path: Path, members: list[tuple[Any, ...]], mirrors: set[int], dry: set[int]
) -> None:
    lines: list[Line] = []
    ids = {"vip": "42", "trial": "7"}
    for run in range(1, 5):
        for each, name, list_id, member, outcome, operation in members:
            if each == run:
                told = ids[name.lower()] if list_id else None
                lines.append(
                    member_line(member, run=run, name=name, list_id=told, outcome=outcome, operation=operation,
                                created=outcome == "added")
                )  # fmt: skip
        lines.append(list_line(run=run, added=1))
        lines.append(list_line(run=run, name="Trial", list_id="7", added=1))
        mode = "mirror" if run in mirrors else "incremental"
        lines.append(run_line(run=run, sync_mode=mode, dry_run=run in dry))

    report = write(tmp_path / "report.jsonl", *lines)
    of_page = {
        (key.list_id, member, told.line.outcome, run_of(told.line.run_id))
        for (key, member), told in read_reports([report], ListKeys()).members.items()
        if not told.line.is_applied
    }

    rows = in_duckdb(tmp_path, lines, "hubspot_report_members where not is_in_place")
    assert {(row["list"], row["member"], row["outcome"], run_of(row["run_id"])) for row in rows} == of_page


def run_of(name: str) -> int:
    return next(number for number in range(1, 5) if run_id(number) == name)


# Campaigns

EVENTS: dict[str, list[tuple[str, dict[str, str]]]] = {
    "sent": [("ada", {}), ("bob", {}), ("cyd", {}), ("dan", {})],
    "delivered": [("ada", {}), ("bob", {}), ("cyd", {})],
    "open": [
        ("ada", {"filtered_event": "False"}),
        ("ada", {"filtered_event": ""}),
        ("bot", {"filtered_event": "True"}),
        ("bob", {"created": "2026-11-03 09:00:00+00:00"}),
    ],
    "click": [("ada", {})],
    "bounce": [("dan", {"category": "UNKNOWN_USER"})],
    "status_change": [
        ("bob", {"portal_subscription_status": "UNSUBSCRIBED"}),
        ("cyd", {"subscriptions": '[{"id":7,"status":"UNSUBSCRIBED"}]'}),
        ("ada", {"portal_subscription_status": "SUBSCRIBED", "subscriptions": "[]"}),
    ],
    "spam_report": [],
    "dropped": [("eve", {})],
    "processed": [],
    "deferred": [],
}
TYPE_OF = {"status_change": "STATUSCHANGE", "spam_report": "SPAMREPORT"}


def write_events(folder: Path) -> None:
    """One campaign's events, a file for each stream, as target-csv writes them."""
    for stream, events in EVENTS.items():
        rows = [
            {
                "id": f"{stream}-{number}",
                "created": "2026-11-02 08:00:00+00:00",
                "type": TYPE_OF.get(stream, stream.upper()),
                "user_id": f"{person}@example.com",
                "app_id": "113",
                "email_campaign_id": "310",
                "filtered_event": "",
                "subject": "Notes",
                "category": "",
                "portal_subscription_status": "",
                "subscriptions": "",
                **fields,
            }
            for number, (person, fields) in enumerate(events)
        ]
        columns = ["id", "created", "type", "user_id", "app_id", "email_campaign_id", "filtered_event"]
        write_csv(folder / f"email_event_{stream}-1.csv", rows or [dict.fromkeys(columns, "")])
        if not rows:
            (folder / f"email_event_{stream}-1.csv").write_text(f"{','.join(columns)}\n")


def test_a_campaigns_figures_are_found_in_the_warehouse(tmp_path: Path) -> None:
    write_events(tmp_path)

    duckdb(tmp_path, "-f", "examples/campaigns.sql")

    (campaign,) = read_campaigns(tmp_path / "campaigns.jsonl")
    assert (campaign.name, str(campaign.sent_at)) == ("Notes", "2026-11-02 08:00:00+00:00")
    assert campaign.people == {
        "sent": 4,
        "delivered": 3,
        "opened": 2,
        "clicked": 1,
        "dropped": 1,
        "bounced": 1,
        "unsubscribed": 2,
        "reported_spam": 0,
    }
    assert campaign.bounces == {"UNKNOWN_USER": 1}
    assert [(str(day), people["opened"]) for day, people in campaign.days.items()] == [
        ("2026-11-02", 1),
        ("2026-11-03", 1),
    ]


def test_a_campaign_goes_by_its_name_where_campaigns_are_loaded(tmp_path: Path) -> None:
    write_events(tmp_path)
    columns = ("id", "app_id", "name", "subject")
    for number, name in enumerate(("Old name", "November, to customers")):
        row = dict(zip(columns, ("310", "113", name, "Notes"), strict=True))
        write_csv(tmp_path / f"email_campaigns-{number}.csv", [row])

    duckdb(tmp_path, "-f", "examples/campaigns.sql")
    funnel = duckdb(tmp_path, "-f", "examples/funnel.sql")

    (campaign,) = read_campaigns(tmp_path / "campaigns.jsonl")
    assert (campaign.name, campaign.subject) == ("November, to customers", "Notes")
    assert re.search(r"^November, to customers +4 +3 +2 +1 *$", funnel, re.MULTILINE)


def test_outcomes_are_shown_as_a_table(tmp_path: Path) -> None:
    write_csv(
        tmp_path / "hubspot_list_report-1.csv", numbered([member_line(), list_line(missing=1), run_line()])
    )

    shown = duckdb(tmp_path, "-f", "examples/outcomes.sql")

    assert [re.split(r" {2,}", line.strip()) for line in io.StringIO(shown)][2] == [
        "VIP",
        "ada@example.com",
        "add",
        "missing",
        "2026-11-01",
    ]


def test_the_view_of_the_page_on_the_loop_says_who_opened_and_did_not_click(postgres: PostgresServer) -> None:
    page = (ROOT / "docs" / "how-to" / "email-loop.md").read_text("utf-8")
    (view,) = (block.text for block in documents.blocks(page) if block.mark == "file: readers.sql")
    events = (
        "(user_id text, email_campaign_id bigint, app_id bigint, created timestamptz, filtered_event bool)"
    )

    with psycopg.connect(postgres.new_url()) as connection:
        connection.execute(f"create table email_event_open {events}; create table email_event_click {events}")
        connection.execute("create table email_campaigns (id bigint, app_id bigint, name text)")
        connection.execute("insert into email_campaigns values (4, 113, 'November notes'), (5, 113, 'Other')")
        opened = [
            ("reader@example.com", 4, 1, False),
            ("clicker@example.com", 4, 1, False),
            ("late@example.com", 4, 20, False),
            ("bot@example.com", 4, 1, True),
            ("elsewhere@example.com", 5, 1, False),
        ]
        clicked = [("clicker@example.com", 4, 1, False), ("reader@example.com", 5, 1, False)]
        values = "values (%s, %s, 113, now() - %s * interval '1 day', %s)"
        connection.cursor().executemany(f"insert into email_event_open {values}", opened)
        connection.cursor().executemany(f"insert into email_event_click {values}", clicked)
        connection.execute(view)
        rows = connection.execute("select email, operation from readers order by email").fetchall()

    assert rows == [
        ("clicker@example.com", "remove"),
        ("late@example.com", "remove"),
        ("reader@example.com", "add"),
    ]
