"""Ledgers to test on, SQLite files and schemas of a real Postgres server; and people on a list."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from target_hubspot_lists.ledger import KnownList, Ledger, LedgerOverview
from tests import compiled_statements
from tests.postgres import NoServer, PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_hubspot_lists.ledger import RunInLedger
    from tests.hubspot_emulator import Portal

compiled_statements.share()

START = datetime(2026, 3, 20, 9, 46, 40, tzinfo=UTC)
PORTAL = 1234567
VIP = KnownList("42", "VIP", "vip", "members", created_by_us=True, was_read=False)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    try:
        server = PostgresServer()
    except NoServer as reason:
        pytest.skip(str(reason))
    with server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger could be: an empty folder, or an empty schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_url()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Where a ledger could be, for tests to which the kind of database is nothing."""
    return f"sqlite:///{tmp_path}/memory.db"


@dataclass
class Ledgers:
    """Opens ledgers on one database, at a time that tests move on."""

    url: str
    now: datetime = START
    opened: list[Ledger] = field(default_factory=list)

    def __call__(self, portal_id: int = PORTAL, *, run_id: str = "run-1", create: bool = True) -> Ledger:
        ledger = Ledger.open(self.url, portal_id, run_id=run_id, now=lambda: self.now, create=create)
        self.opened.append(ledger)
        return ledger

    def days_pass(self, days: float) -> None:
        self.now += timedelta(days=days)

    def runs(self, list_id: str) -> list[RunInLedger]:
        """What runs did to a list of PORTAL, the newest first, as the ledger's command reads it."""
        with LedgerOverview(self.url) as overview:
            return overview.runs([PORTAL], of_list=list_id)


@pytest.fixture
def open_ledger(ledger_url: str) -> Iterator[Ledgers]:
    ledgers = Ledgers(ledger_url)
    yield ledgers
    for ledger in ledgers.opened:
        ledger.close()


@pytest.fixture
def ledger(open_ledger: Ledgers) -> Ledger:
    """A ledger that knows one list, 42."""
    ledger = open_ledger()
    ledger.lists.remember_list(VIP)
    return ledger


@pytest.fixture
def people(portal: Portal) -> list[str]:
    """Four contacts, the first three of them on the list."""
    contacts = list(portal.add_contacts(4))
    portal.add_list("c_VIP", members=contacts[:3])
    return contacts
