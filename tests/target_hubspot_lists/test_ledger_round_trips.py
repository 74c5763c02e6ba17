"""A ledger on a distant Postgres: a run asks the server few times for each list, as each time costs a round trip."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.factories import state_message
from tests.target_hubspot_lists import mirrors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import Portal
    from tests.postgres import PostgresServer

STATE = {"n": 1}
BYTES = 1 << 16
SOCKET = ".s.PGSQL.5432"  # as the server names it in its folder
FEW, MANY = 1, 3  # lists


class CountingProxy:
    """Passes connections on to a Postgres server, and counts how often its clients ask."""

    def __init__(self, server_url: str) -> None:
        (self._server,) = parse_qs(urlsplit(server_url).query)["host"]
        self._folder = tempfile.mkdtemp(prefix="proxy-")
        self.url = server_url.replace(self._server, self._folder)
        self.requests = 0
        self._ending = ExitStack()
        self._ending.callback(shutil.rmtree, self._folder)
        self._listening = self._ending.enter_context(socket.socket(socket.AF_UNIX))
        self._listening.bind(str(Path(self._folder, SOCKET)))
        self._listening.listen()

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:  # the test is over
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(Path(self._server, SOCKET)))
            for way in ((client, server, 1), (server, client, 0)):
                threading.Thread(target=self._pass_on, args=way, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, counted: int) -> None:
        # The thread of the other way may have closed both.
        with source, sink, suppress(OSError):
            while received := source.recv(BYTES):
                self.requests += counted
                sink.sendall(received)


@pytest.fixture
def proxy(postgres: PostgresServer) -> Iterator[CountingProxy]:
    with CountingProxy(postgres.new_url()) as proxy:
        yield proxy


def mirror(run_target: TargetRunner, proxy: CountingProxy, portal: Portal, lists: int, left: int) -> Run:
    """Mirror lists of three contacts each; the first of them is `left` contacts further on than in another run."""
    records: list[str] = []
    for number in range(lists):
        members = [
            portal.contact(f"contact{number * 10 + left + each}@example.com").record_id for each in range(3)
        ]
        records += mirrors.sized(members, 3, cohort=f"Cohort {number}")
    run = mirrors.mirror(run_target, mirrors.SIZED, *records, state_message(STATE), ledger_url=proxy.url)
    assert (run.exit_code, run.states) == (0, [STATE]), run.log
    return run


@pytest.mark.parametrize(("left", "most"), [pytest.param(0, 50, id="none"), pytest.param(1, 110, id="some")])
def test_a_list_costs_a_bounded_number_of_requests(
    portal: Portal, run_target: TargetRunner, proxy: CountingProxy, left: int, most: int
) -> None:
    portal.add_contacts(50)
    mirror(run_target, proxy, portal, MANY, 0)
    needed = {}
    for lists in (FEW, MANY):
        before = proxy.requests
        mirror(run_target, proxy, portal, lists, left)
        needed[lists] = proxy.requests - before
        mirror(run_target, proxy, portal, MANY, 0)

    assert (needed[MANY] - needed[FEW]) / (MANY - FEW) < most
