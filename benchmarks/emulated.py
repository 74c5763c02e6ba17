"""Runs the tap against an emulated portal, each in a process of its own, and measures the tap."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import resource
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from tests.hubspot_emulator.portal import Portal

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

NOW = 1_795_000_000  # seconds; 2026-11-18, the emulator's time in all measurements
SETTLED_MS = (NOW - 300) * 1000  # what the tap reads up to
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Emulated:
    """An emulated portal in another process."""

    url: str
    token: str
    connection: Connection

    def seen(self) -> dict[str, Any]:
        """What the portal was asked so far."""
        self.connection.send("seen")
        seen: dict[str, Any] = self.connection.recv()
        return seen


@contextmanager
def emulated(fill: Callable[[Portal], None], **options: Any) -> Iterator[Emulated]:  # noqa: ANN401 - the emulator's
    """Serve a portal that `fill` put events into."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, fill, options))
    process.start()
    url, token = ours.recv()
    try:
        yield Emulated(url, token, ours)
    finally:
        ours.send("stop")
        process.join()


def _serve(connection: Connection, fill: Callable[[Portal], None], options: dict[str, Any]) -> None:
    from tests.hubspot_emulator.clocks import StoppedClock  # noqa: PLC0415 - only the other process needs it
    from tests.hubspot_emulator.emulator import HubSpotEmulator  # noqa: PLC0415
    from tests.hubspot_emulator.portal import Portal  # noqa: PLC0415

    is_limited = "burst_limit" in options
    offset = NOW - time.time()
    clock = (lambda: time.time() + offset) if is_limited else StoppedClock(NOW)
    portal = Portal(clock=clock)
    fill(portal)
    with HubSpotEmulator(portal, clock=clock, **options) as hubspot:
        connection.send((hubspot.url, hubspot.token))
        while connection.recv() == "seen":
            events = [request for request in hubspot.requests if "email/public" in request.target]
            connection.send(
                {
                    "calls": len(events),
                    "refused": hubspot.calls(status=429),
                    "times": [request.at for request in events],
                }
            )


@dataclass(frozen=True)
class Measured:
    """What a run of the tap took."""

    exit_code: int
    seconds: float
    peak_bytes: int
    output: Path
    log: str


@contextmanager
def run_tap(hubspot: Emulated, state: dict[str, Any] | None = None, **settings: Any) -> Iterator[Measured]:  # noqa: ANN401
    """Run the tap to its end, its records in a file."""
    config = {"api_url": hubspot.url, "access_token": hubspot.token, **settings}
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "state.json").write_text(json.dumps(state or {}))
        command = [sys.executable, "-m", "tap_hubspot_email_events", "--config", str(folder / "config.json")]
        command += ["--state", str(folder / "state.json")]
        output = folder / "output.jsonl"
        before = time.perf_counter()
        with output.open("wb") as records, (folder / "log").open("wb") as log:
            tap = subprocess.Popen(command, cwd=ROOT, stdout=records, stderr=log)
            _, status, usage = _wait4(tap.pid)
        seconds = time.perf_counter() - before
        yield Measured(status, seconds, usage.ru_maxrss * 1024, output, (folder / "log").read_text())


def _wait4(pid: int) -> tuple[int, int, resource.struct_rusage]:
    import os  # noqa: PLC0415

    pid, status, usage = os.wait4(pid, 0)
    return pid, os.waitstatus_to_exitcode(status), usage
