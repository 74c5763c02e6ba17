"""What databases do to a ledger: no driver, no room, no rights, a connection lost, several at once."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from target_hubspot_lists.ledger import Ledger, State
from tests import forked_target
from tests.processes import TIMEOUT
from tests.target_hubspot_lists.conftest import PORTAL, START, VIP
from tests.target_hubspot_lists.inputs import ADD_AND_REMOVE, adds, now

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal
    from tests.postgres import PostgresServer
    from tests.target_hubspot_lists.conftest import Ledgers

WITHOUT_PSYCOPG = """
import sys
from datetime import UTC, datetime
sys.modules["psycopg"] = None
from target_hubspot_lists.errors import LedgerError
from target_hubspot_lists.ledger import Ledger
try:
    Ledger.open("postgresql://user:hunter2@host/database", 1, run_id="run", now=lambda: datetime.now(UTC))
except LedgerError as error:
    print(error)
"""


def test_without_the_driver_it_is_said_how_to_install_it() -> None:
    said = subprocess.run(
        [sys.executable, "-c", WITHOUT_PSYCOPG], capture_output=True, text=True, check=True, timeout=TIMEOUT
    ).stdout

    assert "pip install 'target-hubspot-lists[postgres]'" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("form", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_form_of_a_postgres_url_is_taken(postgres: PostgresServer, form: str) -> None:
    url = postgres.new_url().replace("postgresql://", f"{form}://")

    with Ledger.open(url, PORTAL, run_id="run-1", now=lambda: START) as ledger:
        ledger.lists.remember_list(VIP)
        assert ledger.lists.all() == [VIP]


def test_a_user_who_may_make_no_tables_is_told_so_before_anything_is_sent(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, postgres: PostgresServer
) -> None:
    url = make_url(postgres.new_url())
    schema = str(url.query["options"]).partition("=")[2]
    with psycopg.connect(host=str(url.query["host"]), user="tests", dbname="postgres") as connection:
        connection.execute(f"CREATE ROLE reader_of_{schema} LOGIN")
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO reader_of_{schema}")
    as_reader = url.set(username=f"reader_of_{schema}").render_as_string(hide_password=False)

    run = run_target(*adds(portal.add_contacts(1)), ledger_url=as_reader)

    assert run.exit_code == 1
    assert "permission denied" in run.error
    assert hubspot.calls("PUT") == 0


def test_a_run_that_loses_its_database_ends_and_the_next_heals_it(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, postgres: PostgresServer
) -> None:
    contacts = list(portal.add_contacts(4))
    url = postgres.new_url()

    def lose() -> None:
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'target-hubspot-lists'"
                )
            )
        engine.dispose()

    hubspot.faults.call("PUT", ADD_AND_REMOVE, lose)
    lost = run_target(*adds(contacts), ledger_url=url, batch_size_rows=2)
    assert lost.exit_code == 1
    assert "ledger" in lost.error
    assert portal.members("VIP") == set(contacts[:2])

    run = run_target(*adds(contacts), ledger_url=url, batch_size_rows=2)

    assert run.exit_code == 0
    assert portal.members("VIP") == set(contacts)
    with Ledger.open(url, portal.portal_id, run_id="reader", now=now) as ledger:
        states = ledger.members.states(portal.hubspot_list("VIP").list_id, [int(each) for each in contacts])
    assert states == {int(each): State.ON for each in contacts}


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process's files")
def test_a_full_disk_ends_the_run_and_the_next_heals_it(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, sqlite_url: str
) -> None:
    contacts = list(portal.add_contacts(50))
    config = {"api_url": hubspot.url, "access_token": hubspot.token, "ledger_url": sqlite_url}
    config |= {"match_by": "contact_id", "list_name_prefix": ""}
    assert run_target(*adds(contacts[:1]), ledger_url=sqlite_url).exit_code == 0

    # Nothing can be written from the moment on in which HubSpot has the first call.
    hubspot.faults.call(
        "PUT", ADD_AND_REMOVE, lambda: resource.prlimit(process.pid or 0, resource.RLIMIT_FSIZE, (0, 0))
    )
    process = forked_target.start(config, *adds(contacts))
    process.join(TIMEOUT)
    assert process.exitcode == 1

    run = run_target(*adds(contacts), ledger_url=sqlite_url)

    assert run.exit_code == 0
    assert portal.members("VIP") == set(contacts)


def test_many_may_open_a_new_ledger_at_once(ledger_url: str) -> None:
    begin = threading.Barrier(8)

    def open_and_note(number: int) -> None:
        begin.wait(TIMEOUT)
        with Ledger.open(ledger_url, PORTAL, run_id=f"run-{number}", now=lambda: START) as ledger:
            ledger.people.remember_contacts({f"{number}@example.com": number})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(open_and_note, range(8)))

    with Ledger.open(ledger_url, PORTAL, run_id="reader", now=lambda: START) as ledger:
        assert (
            len(ledger.people.record_ids([f"{number}@example.com" for number in range(8)], since=START)) == 8
        )


def test_a_person_can_be_forgotten_while_a_run_is_going_on(open_ledger: Ledgers, ledger: Ledger) -> None:
    ledger.people.remember_contacts({"ada@example.com": 1})
    ledger.members.mark_unsettled("42", [1, 2])
    other = open_ledger(run_id="run-2")
    with ledger.lock(["VIP"], sleep=lambda _: None):
        first = other.people.forget_person(email="ada@example.com")
        again = other.people.forget_person(email="ada@example.com", record_id=1)

        ledger.members.settle("42", on=[2], off=())

    assert (first.identifiers, first.memberships, again.anything) == (1, 1, False)
    assert ledger.members.all("42") == {2}
