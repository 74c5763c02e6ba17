"""Gives a job a deadline that holds whatever the job waits for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def run_within(seconds: float, job: Callable[[], None]) -> bool:
    """Run a job in a thread of its own; return whether it ended within so many seconds, and raise what it raised.

    A job that has not ended is left alone: nothing can wake a thread that waits for a name server, or for a host
    that sends a byte a minute. Its thread does not keep the process from ending.
    """
    raised: list[BaseException] = []

    def run() -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            raised.append(error)

    thread = threading.Thread(target=run, name="deadline", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        return False
    if raised:
        raise raised[0]
    return True
