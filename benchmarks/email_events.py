"""What the benchmarks of the tap share: a portal in a process of its own, and runs of the tap against it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe, get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness import measured, plugin_command
from tests.hubspot_emulator import HubSpotEmulator, Portal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from benchmarks.harness import Measured

NOW = 1_795_000_000  # seconds; the portal's time when a benchmark starts
SETTLED = (NOW - 300) * 1_000  # milliseconds; what the tap reads up to
DAY = 86_400_000
START_DATE = "2026-10-19"  # thirty days before
PATH = "/email/public/v1/events"


@dataclass(frozen=True)
class Server:
    """A portal that another process serves."""

    url: str
    token: str
    connection: Connection

    def times(self) -> list[float]:
        """When events were asked for, in the portal's seconds."""
        times: list[float] = self._told("times")
        return times

    def refused(self) -> int:
        """How many requests were answered 429."""
        refused: int = self._told("refused")
        return refused

    def _told(self, what: str) -> Any:  # noqa: ANN401 - what the other process says
        self.connection.send(what)
        return self.connection.recv()


@contextmanager
def served(
    fill: Callable[[Portal], None],
    *,
    now: float = NOW,
    prepare: Callable[[HubSpotEmulator], None] | None = None,
    **options: Any,  # noqa: ANN401 - the emulator's
) -> Iterator[Server]:
    """Serve a portal that `fill` puts events into, from a process of its own; its time begins at `now`."""
    ours, theirs = Pipe()
    process = get_context("spawn").Process(target=_serve, args=(theirs, fill, now, prepare, options))
    process.start()
    theirs.close()  # so that the other process's end is heard here
    url, token = ours.recv()
    try:
        yield Server(url, token, ours)
    finally:
        ours.send("stop")
        process.join()


def _serve(
    connection: Connection,
    fill: Callable[[Portal], None],
    now: float,
    prepare: Callable[[HubSpotEmulator], None] | None,
    options: dict[str, Any],
) -> None:
    ahead = now - time.time()
    portal = Portal(clock=lambda: time.time() + ahead)
    fill(portal)
    with HubSpotEmulator(portal, **options) as hubspot:
        if prepare is not None:
            prepare(hubspot)
        connection.send((hubspot.url, hubspot.token))
        while (question := connection.recv()) != "stop":
            times = [request.time for request in list(hubspot.requests) if request.path == PATH]
            connection.send(times if question == "times" else hubspot.calls(status=429))


@contextmanager
def tap_run(server: Server, *streams: str, **settings: Any) -> Iterator[Measured]:  # noqa: ANN401
    """Run the tap to its end, its records in a file; without streams all of them are read."""
    config = {"api_url": server.url, "access_token": server.token, "start_date": START_DATE, **settings}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = plugin_command("tap_hubspot_email_events", config, folder)
        if streams:
            (folder / "catalog.json").write_text(json.dumps(_catalog(streams)))
            command += ["--catalog", str(folder / "catalog.json")]
        yield measured(command, folder)


def _catalog(streams: tuple[str, ...]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tap_hubspot_email_events", "--discover"]
    catalog: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    catalog["streams"] = [each for each in catalog["streams"] if each["tap_stream_id"] in streams]
    for entry in catalog["streams"]:
        (root,) = [each for each in entry["metadata"] if not each["breadcrumb"]]
        root["metadata"]["selected"] = True
    return catalog


def table(log: str) -> str:
    """The table at the end of a run's log."""
    return log[log.index("stream  ") :] if "stream  " in log else log
