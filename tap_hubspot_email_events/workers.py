"""Threads that do not keep a process alive: after a signal it does not wait for an answer that may never come."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Workers(Generic[T]):
    """Runs jobs side by side, at most so many at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._threads: list[threading.Thread] = []
        self._jobs: SimpleQueue[tuple[Future[T], Callable[[], T]] | None] = SimpleQueue()

    def start(self, job: Callable[[], T]) -> Future[T]:
        """Run the job as soon as a thread is free."""
        future: Future[T] = Future()
        self._jobs.put((future, job))
        if len(self._threads) < self._most:
            thread = threading.Thread(target=self._work, name="windows", daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def close(self) -> None:
        """Let each thread end after its present job."""
        for _ in self._threads:
            self._jobs.put(None)
        self._threads.clear()

    def _work(self) -> None:
        while (taken := self._jobs.get()) is not None:
            future, job = taken
            try:
                future.set_result(job())
            except BaseException as error:  # noqa: BLE001 - raised again by Future.result
                future.set_exception(error)
