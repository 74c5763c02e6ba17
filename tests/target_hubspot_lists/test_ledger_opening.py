"""Opening a ledger: its file is private, its schema brought up to date, and no error shows a password."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, inspect, make_url, text

import target_hubspot_lists.ledger as ledgers
from target_hubspot_lists.errors import LedgerError
from target_hubspot_lists.ledger import Ledger, LedgerOverview
from target_hubspot_lists.ledger.database import Database
from target_hubspot_lists.ledger.migrations import MIGRATIONS, migrate, schema_version
from target_hubspot_lists.ledger.tables import metadata
from tests.target_hubspot_lists.conftest import PORTAL, START, VIP

ADA, BOB = "ada@example.com", "bob@example.com"

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from tests.postgres import PostgresServer
    from tests.target_hubspot_lists.conftest import Ledgers

PASSWORD = "hunter2/secret"


def open_at(url: str) -> Ledger:
    return Ledger.open(url, PORTAL, run_id="run-1", now=lambda: START)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_and_all_beside_it_are_for_their_owner_alone(tmp_path: Path) -> None:
    with (
        open_at(f"sqlite:///{tmp_path}/ledger.db") as ledger,
        ledger.lock(["VIP"], sleep=lambda _: None),
    ):
        ledger.lists.remember_list(VIP)
        files = {path.name: mode(path) for path in tmp_path.iterdir()}

    assert {"ledger.db", "ledger.db-wal", "ledger.db-shm"} < files.keys()
    assert set(files.values()) == {0o600}
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.db"]


def test_a_relative_path_is_taken_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sub").mkdir()

    open_at("sqlite:///sub/ledger.db").close()

    assert (tmp_path / "sub" / "ledger.db").exists()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=f'There is no folder "{tmp_path}/gone" for the ledger'):
        open_at(f"sqlite:///{tmp_path}/gone/ledger.db")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_text("These are my notes, and no database at all." * 100)

    with pytest.raises(LedgerError, match=r"cannot be opened \(file is not a database\)"):
        open_at(f"sqlite:///{path}")


@pytest.fixture
def folder_of_nobody() -> Iterator[Path]:
    """A folder of a user who is not root, as whom the test then runs."""
    folder = Path(tempfile.mkdtemp())
    if os.geteuid() != 0:
        yield folder
    else:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
        yield folder
        os.seteuid(0)
    shutil.rmtree(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="users are another thing there")
def test_a_read_only_file_is_refused_at_once(folder_of_nobody: Path) -> None:
    path = folder_of_nobody / "ledger.db"
    open_at(f"sqlite:///{path}").close()
    path.chmod(0o400)

    with pytest.raises(LedgerError, match=r"\(attempt to write a readonly database\)"):
        open_at(f"sqlite:///{path}")


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://user:{PASSWORD}@host/database",
        f"postgresql+asyncpg://user:{PASSWORD}@host/database",
        f"nonsense {PASSWORD}",
        f"postgresql://user:{PASSWORD}@host:port/database",
        f"postgresql://user:p@ss{PASSWORD}@127.0.0.1:1/database",
        "postgresql://user:hunter2%2Fsecret@127.0.0.1:1/database",
        "postgresql://127.0.0.1:1/database?user=me&password=hunter2%2Fsecret",
        f"postgresql://127.0.0.1:1/database?no_such_option={PASSWORD}",
        f"postgresql://user:{PASSWORD}@/database?host=one&host=two&port=1&port=2&port=3",
        f"sqlite:///{'secret' * 60}.db",
        "",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:ledger.db?mode=ro&uri=true",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_showing_a_password(url: str) -> None:
    with pytest.raises(LedgerError) as refused:
        open_at(url)

    assert "ledger_url" in str(refused.value)
    assert "\n" not in str(refused.value)
    for part in ("hunter2", "secret", "p@ss", "ss" + PASSWORD):
        assert part not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_database_that_does_not_answer_is_told_with_the_reason() -> None:
    with pytest.raises(LedgerError, match=r"cannot be opened \(.*refused.*\): check ledger_url"):
        open_at("postgresql://user:hunter2@127.0.0.1:1/database")


def test_what_is_shown_of_a_ledger_is_its_portal_and_not_its_url(ledger: Ledger) -> None:
    assert repr(ledger) in {f"Ledger(Database({name}), portal {PORTAL})" for name in ("sqlite", "postgresql")}


def test_an_error_of_the_database_shows_neither_person_nor_password(
    open_ledger: Ledgers, ledger: Ledger
) -> None:
    run_sql(open_ledger.url, "DROP TABLE ledger_contacts")

    with pytest.raises(LedgerError, match="cannot be read or written") as refused:
        ledger.people.remember_contacts({"ada@example.com": 1})

    assert "ada" not in str(refused.value)
    assert refused.value.__suppress_context__
    assert ledger.lists.all() == [VIP]


def test_a_ledger_of_the_first_version_is_brought_up_to_date(open_ledger: Ledgers) -> None:
    database = Database(open_ledger.url, create=True)
    with database.writing() as connection:
        migrate(connection, create=True, migrations=MIGRATIONS[:1])
        for statement in (
            "INSERT INTO ledger_lists VALUES (1, :portal, '42', 'VIP', 'members', TRUE, FALSE)",
            "INSERT INTO ledger_cohorts VALUES (:portal, 'vip', 1)",
            "INSERT INTO ledger_runs VALUES (:portal, 'run-0', '42', 'members', 1, 2, 3, '{}')",
        ):
            connection.execute(text(statement).bindparams(portal=PORTAL))
    database.close()

    [known] = open_ledger().lists.all()
    assert (known.list_id, known.cohort_key, known.cohort_name) == ("42", "vip", None)
    [line] = open_ledger.runs("42")
    assert (line.run_id, line.asked, line.is_complete) == ("run-0", 3, True)


def test_a_ledger_that_knows_only_addresses_keeps_them_and_learns_other_identifiers(
    open_ledger: Ledgers,
) -> None:
    database = Database(open_ledger.url, create=True)
    with database.writing() as connection:
        migrate(connection, create=True, migrations=MIGRATIONS[:3])
        rows = [
            (PORTAL, "bob@example.com", 2),
            (PORTAL, "ada@example.com", 1),
            (PORTAL + 1, "ada@example.com", 9),
        ]
        for portal, address, record_id in rows:
            statement = text("INSERT INTO ledger_contacts VALUES (:portal, :address, :record_id, 1774000000)")
            connection.execute(statement.bindparams(portal=portal, address=address, record_id=record_id))
    database.close()

    people = open_ledger().people

    assert people.record_ids([ADA, BOB]) == {ADA: 1, BOB: 2}
    people.remember_contacts({ADA: 3}, by="customer_id")
    people.remember_contacts({ADA: 4})
    assert people.record_ids([ADA], by="customer_id") == {ADA: 3}
    assert people.record_ids([ADA]) == {ADA: 4}
    assert open_ledger(PORTAL + 1).people.record_ids([ADA]) == {ADA: 9}


def test_a_ledger_of_the_version_before_held_back_removals_keeps_its_lists(open_ledger: Ledgers) -> None:
    database = Database(open_ledger.url, create=True)
    with database.writing() as connection:
        migrate(connection, create=True, migrations=MIGRATIONS[:6])
        row = "INSERT INTO ledger_lists VALUES (1, :portal, '42', 'VIP', 'members', TRUE, TRUE)"
        connection.execute(text(row).bindparams(portal=PORTAL))
    database.close()

    lists = open_ledger().lists

    assert [(known.list_id, known.created_by_us, known.was_read) for known in lists.all()] == [
        ("42", True, True)
    ]
    assert lists.members_before_held_back("42") is None
    lists.note_held_back("42", 25)
    assert lists.members_before_held_back("42") == 25


def test_an_old_schema_is_migrated_and_keeps_what_it_knows(open_ledger: Ledgers, ledger: Ledger) -> None:
    def add_a_column(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE ledger_lists ADD COLUMN colour TEXT"))

    ledger.close()
    database = Database(open_ledger.url, create=False)

    with database.writing() as connection:
        migrate(connection, create=False, migrations=[*MIGRATIONS, add_a_column])

    with database.reading() as connection:
        assert schema_version(connection) == len(MIGRATIONS) + 1
        rows = connection.execute(text("SELECT name, colour FROM ledger_lists")).all()
    assert [(row.name, row.colour) for row in rows] == [("VIP", None)]
    database.close()


def test_a_migration_that_fails_leaves_the_ledger_as_it_was(open_ledger: Ledgers, ledger: Ledger) -> None:
    def fail_half_way(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE ledger_lists ADD COLUMN colour TEXT"))
        connection.execute(text("ALTER TABLE no_such_table ADD COLUMN colour TEXT"))

    database = Database(open_ledger.url, create=False)
    with pytest.raises(LedgerError), database.writing() as connection:
        migrate(connection, create=False, migrations=[*MIGRATIONS, fail_half_way])
    database.close()

    assert ledger.lists.all() == [VIP]
    assert open_ledger().lists.all() == [VIP]


def test_a_ledger_of_a_newer_version_is_refused(open_ledger: Ledgers, ledger: Ledger) -> None:
    ledger.close()
    run_sql(open_ledger.url, "UPDATE ledger_schema SET version = 99")

    with pytest.raises(
        LedgerError, match=r"newer version of target-hubspot-lists \(schema 99; this one knows \d+\)"
    ):
        open_ledger()


def test_what_the_package_does_not_have_is_told_as_of_any_module() -> None:
    with pytest.raises(AttributeError, match=r"'target_hubspot_lists\.ledger' has no attribute 'Nothing'"):
        ledgers.Nothing  # noqa: B018 - to read it is the test


@pytest.mark.parametrize(
    ("version", "words"), [(99, "newer version of target-hubspot-lists"), (1, "the next real run does")]
)
def test_what_only_reads_refuses_a_ledger_of_another_version(
    open_ledger: Ledgers, ledger: Ledger, version: int, words: str
) -> None:
    ledger.close()
    run_sql(open_ledger.url, f"UPDATE ledger_schema SET version = {version}")  # noqa: S608

    with pytest.raises(LedgerError, match=words):
        LedgerOverview(open_ledger.url)
    with pytest.raises(LedgerError, match=words):
        Ledger.open_to_read(open_ledger.url, PORTAL, run_id="run-2", now=lambda: START)


def test_rows_that_postgres_does_not_take_end_the_run(postgres: PostgresServer) -> None:
    database = Database(postgres.new_url(), create=True)

    with (
        closing(database),
        pytest.raises(LedgerError, match="cannot be read or written"),
        database.copying("COPY pg_temp.absent FROM STDIN") as write,
    ):
        write("ada@example.com\n")


def test_a_folder_in_which_no_ledger_can_be_made_is_told(folder_of_nobody: Path) -> None:
    folder_of_nobody.chmod(0o500)
    url = f"sqlite:///{folder_of_nobody}/ledger.db"

    with pytest.raises(LedgerError, match=r"cannot be made \(Permission denied\): name a file"):
        open_at(url)
    with pytest.raises(
        LedgerError, match="cannot be made: name a file in ledger_url that this user may write"
    ):
        Ledger.check(url)


def test_the_tables_are_as_the_statements_see_them(open_ledger: Ledgers, ledger: Ledger) -> None:
    ledger.close()
    engine = create_engine(driver_url(open_ledger.url))
    in_database = inspect(engine)

    assert sorted(in_database.get_table_names()) == sorted(metadata.tables)
    for name, table in metadata.tables.items():
        there = {column["name"]: column["nullable"] for column in in_database.get_columns(name)}
        # SQLite calls a rowid alias nullable, though it never is.
        assert {**there, "list_key": False} == {
            **{column.name: column.nullable for column in table.columns},
            "list_key": False,
        }
        assert set(in_database.get_pk_constraint(name)["constrained_columns"]) == {
            column.name for column in table.primary_key
        }
    engine.dispose()


def test_two_runs_may_open_a_new_ledger_at_once(open_ledger: Ledgers) -> None:
    first, second = open_ledger(run_id="run-1"), open_ledger(run_id="run-2")

    first.lists.remember_list(VIP)

    assert second.lists.all() == [VIP]


def test_sqlite_syncs_every_commit_and_logs_ahead(tmp_path: Path) -> None:
    with open_at(f"sqlite:///{tmp_path}/ledger.db"):
        connection = sqlite3.connect(tmp_path / "ledger.db")
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()


def driver_url(url: str) -> str:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


def run_sql(url: str, statement: str) -> None:
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_a_lost_connection_ends_the_run_since_its_locks_are_lost_too(postgres: PostgresServer) -> None:
    url = postgres.new_url()
    ledger = open_at(url)
    with ledger.lock(["VIP"], sleep=lambda _: None):
        run_sql(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'target-hubspot-lists'",
        )

        for _ in range(2):  # it is not connected anew
            with pytest.raises(LedgerError):
                ledger.lists.remember_list(VIP)

    with (
        Ledger.open(url, PORTAL, run_id="run-2", now=lambda: START) as other,
        other.lock(["VIP"], wait_seconds=0, sleep=lambda _: None),
    ):
        assert other.lists.all() == []
    ledger.close()
