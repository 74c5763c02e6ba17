"""Calls that the local HubSpot holds, so that the process which sent one can be killed meanwhile."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from tests.hubspot_emulator import HubSpotEmulator

PATIENCE = 300.0  # seconds for what takes a few, on a busy machine
SECONDS_BETWEEN_LOOKS = 0.002


class HeldCall:
    """The call of a number, which HubSpot has and does not answer before the process that sent it is killed.

    `takes_effect` says whether HubSpot handles it afterwards, though nobody is there to take the answer.
    """

    def __init__(
        self,
        hubspot: HubSpotEmulator,
        method: str = "*",
        path: str = "",
        *,
        after: int = 0,
        takes_effect: bool,
    ) -> None:
        self._takes_effect = takes_effect
        self._reached, self._released = threading.Event(), threading.Event()
        hubspot.faults.call(method, path, self._hold, after=after)

    def kill(self, process: BaseProcess) -> bool:
        """Kill the process while HubSpot has the call, and let go of it; return False if the process ended before."""
        while process.is_alive() and not self._reached.wait(SECONDS_BETWEEN_LOOKS):
            pass
        if self._reached.is_set():
            process.kill()
        process.join()
        self._released.set()
        return process.exitcode == -signal.SIGKILL

    def _hold(self) -> None:
        self._reached.set()
        self._released.wait(PATIENCE)
        if not self._takes_effect:
            raise ConnectionAbortedError


def wait_until_handled(hubspot: HubSpotEmulator) -> None:
    """Wait until HubSpot has handled every call, also those whose sender is gone."""
    until = time.monotonic() + PATIENCE
    while hubspot.in_flight and time.monotonic() < until:
        time.sleep(SECONDS_BETWEEN_LOOKS)
