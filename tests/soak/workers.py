"""A process in which one run follows another, and that tells after each run what it holds."""

from __future__ import annotations

import gc
import os
import threading
from contextlib import suppress
from multiprocessing import Pipe, get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.clocks import START
from tests.in_process import run
from tests.tap_hubspot_email_events.tap_runs import run_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from multiprocessing.connection import Connection
    from multiprocessing.sharedctypes import Synchronized
    from types import TracebackType

    from tests.in_process import Ended as EndedTarget
    from tests.tap_hubspot_email_events.tap_runs import Ended as EndedTap

MEGABYTE = 1_000_000
_CONTEXT = get_context("spawn")


class SharedClock:
    """Time that passes in this process and in the worker while somebody sleeps in either."""

    def __init__(self) -> None:
        self._elapsed: Synchronized[float] = _CONTEXT.Value("d", 0.0)

    def monotonic(self) -> float:
        return self._elapsed.value

    def time(self) -> float:
        return START + self._elapsed.value

    def sleep(self, seconds: float) -> None:
        with self._elapsed.get_lock():
            self._elapsed.value += seconds


class Worker:
    """The process; it ends with the `with` block. HubSpot is in another one, so that its memory does not count."""

    def __init__(self, clock: SharedClock) -> None:
        self._connection, self._theirs = Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(self._theirs, clock))

    def run_target(self, messages: Iterable[str], config: dict[str, Any]) -> EndedTarget:
        """Run the target."""
        ended: EndedTarget = self._answer(_run_target, [*messages], config)
        return ended

    def run_tap(
        self, config: dict[str, Any], *, state: dict[str, Any] | None, catalog: dict[str, Any]
    ) -> EndedTap:
        """Run the tap."""
        ended: EndedTap = self._answer(_run_tap, config, state, catalog)
        return ended

    def held(self) -> dict[str, float]:
        """Return what the process holds now."""
        held: dict[str, float] = self._answer(_held)
        return held

    def _answer(self, function: Callable[..., Any], *values: Any) -> Any:
        self._connection.send((function, values))
        return self._connection.recv()

    def __enter__(self) -> Self:
        self._process.start()
        self._theirs.close()  # so that the end of the process is heard here
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._process.join()


def _serve(connection: Connection, clock: SharedClock) -> None:
    with suppress(EOFError):  # the end of the `with` block
        while True:
            function, values = connection.recv()
            connection.send(function(clock, *values))


def _run_target(clock: SharedClock, messages: list[str], config: dict[str, Any]) -> EndedTarget:
    return run(messages, config, clock)


def _run_tap(
    clock: SharedClock, config: dict[str, Any], state: dict[str, Any] | None, catalog: dict[str, Any]
) -> EndedTap:
    return run_tap(config, clock, state=state, catalog=catalog)


def _held(clock: SharedClock) -> dict[str, float]:
    del clock
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return {
        "open files": len(list(Path("/proc/self/fd").iterdir())),
        "threads": threading.active_count(),
        "live objects": len(gc.get_objects()),
        "memory, MB": pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE,
    }
