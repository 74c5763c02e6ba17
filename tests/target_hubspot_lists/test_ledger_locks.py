"""Two runs never hold one list; a run that died holds nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from target_hubspot_lists.errors import LedgerError
from tests.target_hubspot_lists.conftest import PORTAL, Ledgers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HOLDS_A_LOCK = """
import sys, time
from datetime import UTC, datetime
from target_hubspot_lists.ledger import Ledger
ledger = Ledger.open(sys.argv[1], int(sys.argv[2]), run_id="other-run", now=lambda: datetime(2026, 3, 20, tzinfo=UTC))
with ledger.lock(["VIP", "Beta"], sleep=time.sleep):
    print("held", flush=True)
    sys.stdin.read()
print("let go", flush=True)
sys.stdin.close()
"""


class OtherRun:
    """A process that holds the lists VIP and Beta until it is told to let go, or killed."""

    def __init__(self, url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDS_A_LOCK, url, str(PORTAL)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.read_line() == b"held\n"

    def read_line(self) -> bytes:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def let_go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.read_line() == b"let go\n"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def other_run(ledger_url: str) -> Iterator[OtherRun]:
    run = OtherRun(ledger_url)
    yield run
    run.kill()
    for stream in (run.process.stdin, run.process.stdout):
        if stream:
            stream.close()


class Waits:
    """Sleeping that takes no time; after so many seconds something happens."""

    def __init__(self, *, seconds: float = 0, action: Callable[[], object] | None = None) -> None:
        self.total = 0.0
        self._seconds = seconds
        self._action = action

    def __call__(self, seconds: float) -> None:
        self.total += seconds
        if self._action and self.total >= self._seconds:
            action, self._action = self._action, None
            action()


def test_a_list_that_another_process_holds_is_waited_for_thirty_seconds_and_its_run_named(
    open_ledger: Ledgers, other_run: OtherRun
) -> None:
    waits = Waits()

    with (
        pytest.raises(
            LedgerError, match=r'List "vip" is held by run other-run on .+ since 2026-03-20T00:00:00\+00:00'
        ) as refused,
        open_ledger().lock(["Other", "vip"], sleep=waits),
    ):
        pytest.fail("the lock was taken twice")

    assert waits.total == pytest.approx(30)
    assert str(other_run.process.pid) in str(refused.value)


def test_who_waited_in_vain_holds_nothing(open_ledger: Ledgers, other_run: OtherRun) -> None:
    assert other_run.process.poll() is None
    with (
        pytest.raises(LedgerError),
        open_ledger().lock(["Another", "VIP"], wait_seconds=0, sleep=Waits()),
    ):
        pytest.fail("the lock was taken twice")

    waits = Waits()
    with open_ledger(run_id="run-2").lock(["Another"], sleep=waits):
        assert waits.total == 0


def test_a_list_is_taken_as_soon_as_the_other_process_lets_go(
    open_ledger: Ledgers, other_run: OtherRun
) -> None:
    waits = Waits(seconds=3, action=other_run.let_go)

    with open_ledger().lock(["VIP"], sleep=waits):
        assert waits.total == pytest.approx(3)


def test_a_killed_process_holds_nothing(open_ledger: Ledgers, other_run: OtherRun, tmp_path: Path) -> None:
    ledger = open_ledger()
    other_run.kill()

    # Postgres notices in moments that the connection is gone.
    with ledger.lock(["vip", "beta"], sleep=lambda _: time.sleep(0.01)):
        assert other_run.process.poll() == -signal.SIGKILL

    ledger.close()
    assert {path.name for path in tmp_path.iterdir()} <= {"ledger.db"}


def test_runs_hold_different_lists_and_portals_side_by_side(open_ledger: Ledgers) -> None:
    waits = Waits()

    with (
        open_ledger(run_id="run-1").lock(["VIP"], sleep=waits),
        open_ledger(run_id="run-2").lock(["Beta"], sleep=waits),
        open_ledger(PORTAL + 1, run_id="run-3").lock(["VIP"], sleep=waits),
    ):
        assert waits.total == 0


def test_two_runs_of_one_process_exclude_each_other_too(open_ledger: Ledgers) -> None:
    first, second = open_ledger(run_id="run-1"), open_ledger(run_id="run-2")

    with (
        first.lock(["VIP"], sleep=Waits()),
        pytest.raises(LedgerError, match="run run-1"),
        second.lock(["VIP"], wait_seconds=0, sleep=Waits()),
    ):
        pytest.fail("the lock was taken twice")
    with second.lock(["VIP"], wait_seconds=0, sleep=Waits()):
        pass


def test_a_run_may_hold_a_list_within_its_own_hold(open_ledger: Ledgers) -> None:
    first, second = open_ledger(run_id="run-1"), open_ledger(run_id="run-2")

    with first.lock(["VIP"], sleep=Waits()):
        with first.lock(["VIP", "Beta"], sleep=Waits()):
            pass
        with pytest.raises(LedgerError), second.lock(["VIP"], wait_seconds=0, sleep=Waits()):
            pytest.fail("the inner hold let go what the outer one holds")
        with second.lock(["Beta"], wait_seconds=0, sleep=Waits()):
            pass


def test_two_runs_of_one_id_are_refused_on_a_file(tmp_path: Path) -> None:
    ledgers = Ledgers(f"sqlite:///{tmp_path}/ledger.db")
    first, second = ledgers(run_id="run-1"), ledgers(run_id="run-1")

    with first, second, first.lock(["VIP"], sleep=lambda _: None):
        with (
            pytest.raises(LedgerError, match=r"cannot be made or locked.*use each run id once"),
            second.lock(["Beta"], sleep=lambda _: None),
        ):
            pass
        with pytest.raises(LedgerError), second.lock(["VIP"], sleep=lambda _: None):
            pass


def test_a_closed_ledger_holds_nothing(open_ledger: Ledgers) -> None:
    first = open_ledger(run_id="run-1")
    hold = first.lock(["VIP"], sleep=Waits())
    hold.__enter__()

    first.close()

    with open_ledger(run_id="run-2").lock(["VIP"], wait_seconds=5, sleep=lambda _: None):
        pass
