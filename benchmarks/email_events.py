"""What the benchmarks of the tap share: a portal in one process, the tap in another, and what a run took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe, get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.hubspot_emulator import HubSpotEmulator, Portal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

NOW = 1_795_000_000  # seconds; the portal's time when a benchmark starts
SETTLED = (NOW - 300) * 1_000  # milliseconds; what the tap reads up to
DAY = 86_400_000
START_DATE = "2026-10-19"  # thirty days before
MEGABYTE = 1_000_000
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
def served(fill: Callable[[Portal], None], **options: Any) -> Iterator[Server]:  # noqa: ANN401 - the emulator's
    """Serve a portal that `fill` puts events into, from a process of its own."""
    ours, theirs = Pipe()
    process = get_context("spawn").Process(target=_serve, args=(theirs, fill, options))
    process.start()
    theirs.close()  # so that the other process's end is heard here
    url, token = ours.recv()
    try:
        yield Server(url, token, ours)
    finally:
        ours.send("stop")
        process.join()


def _serve(connection: Connection, fill: Callable[[Portal], None], options: dict[str, Any]) -> None:
    ahead = NOW - time.time()
    portal = Portal(clock=lambda: time.time() + ahead)
    fill(portal)
    with HubSpotEmulator(portal, **options) as hubspot:
        connection.send((hubspot.url, hubspot.token))
        while (question := connection.recv()) != "stop":
            times = [request.time for request in list(hubspot.requests) if request.path == PATH]
            connection.send(times if question == "times" else hubspot.calls(status=429))


@dataclass(frozen=True)
class Measured:
    """One run of the tap: its exit code, its time, its peak resident memory, and where its records are."""

    exit_code: int
    seconds: float
    processor_seconds: float
    peak_mb: float
    output: Path
    log: str

    def records(self) -> Iterator[dict[str, Any]]:
        """The records, one after another."""
        with self.output.open() as lines:
            for line in lines:
                message = json.loads(line)
                if message["type"] == "RECORD":
                    yield {"stream": message["stream"], **message["record"]}


@contextmanager
def tap_run(server: Server, *streams: str, **settings: Any) -> Iterator[Measured]:  # noqa: ANN401
    """Run the tap to its end, its records in a file; without streams all of them are read."""
    config = {"api_url": server.url, "access_token": server.token, "start_date": START_DATE, **settings}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.json").write_text(json.dumps(config))
        command = [sys.executable, "-m", "tap_hubspot_email_events", "--config", str(folder / "config.json")]
        if streams:
            (folder / "catalog.json").write_text(json.dumps(_catalog(streams)))
            command += ["--catalog", str(folder / "catalog.json")]
        yield measured(command, folder)


def measured(command: list[str], folder: Path) -> Measured:
    """Run a command, its output and its log in files of the folder."""
    output, log = folder / "output.jsonl", folder / "log"
    began = time.monotonic()
    with output.open("wb") as written, log.open("wb") as logged:
        process = subprocess.Popen(command, stdout=written, stderr=logged)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Measured(
        process.returncode,
        time.monotonic() - began,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MEGABYTE,
        output,
        log.read_text(),
    )


def _catalog(streams: tuple[str, ...]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tap_hubspot_email_events", "--discover"]
    catalog: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    catalog["streams"] = [each for each in catalog["streams"] if each["tap_stream_id"] in streams]
    for entry in catalog["streams"]:
        (root,) = [each for each in entry["metadata"] if not each["breadcrumb"]]
        root["metadata"]["selected"] = True
    return catalog


def promise(what: str, *, kept: bool) -> bool:
    """Print whether a promise is kept."""
    print(f"{'kept  ' if kept else 'BROKEN'}  {what}")
    return kept


def table(log: str) -> str:
    """The table at the end of a run's log."""
    return log[log.index("stream  ") :] if "stream  " in log else log
