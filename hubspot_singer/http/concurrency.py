"""Runs jobs concurrently in a pool of threads, and leaves no thread behind."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

T = TypeVar("T")

# The system may deliver a signal to any thread. Python runs its handler in the main thread, once that one is awake.
WAKE_UP_SECONDS = 0.2


def concurrently(jobs: Iterable[Callable[[], T]], *, workers: int) -> Iterator[T]:
    """Yield the results of jobs in the order in which they finish, with at most `workers` jobs running.

    A job is taken from `jobs` only when a worker is free for it. After the first exception, of a job or of
    `jobs` itself, no other job is started; those that run are awaited, their results are yielded, and then
    that exception is raised.
    """
    executor = ThreadPoolExecutor(workers, thread_name_prefix="hubspot")
    try:
        yield from _results(iter(jobs), executor, workers)
    finally:
        # Also when the consumer stops early, or a signal handler raises in its thread.
        executor.shutdown(wait=True, cancel_futures=True)


def _results(jobs: Iterator[Callable[[], T]], executor: ThreadPoolExecutor, workers: int) -> Iterator[T]:
    running: dict[Future[T], None] = {}  # in the order they were started
    failure = _start(jobs, executor, running, workers)
    while running:
        done, _ = wait(running, timeout=WAKE_UP_SECONDS, return_when=FIRST_COMPLETED)
        finished = [job for job in running if job in done]
        for job in finished:
            del running[job]
            failure = failure or job.exception()
        failure = failure or _start(jobs, executor, running, workers)
        yield from (job.result() for job in finished if job.exception() is None)
    if failure is not None:
        raise failure


def _start(
    jobs: Iterator[Callable[[], T]],
    executor: ThreadPoolExecutor,
    running: dict[Future[T], None],
    workers: int,
) -> BaseException | None:
    """Start jobs until every worker has one; return the exception that the iterable of jobs raised, if any."""
    while len(running) < workers:
        try:
            job = next(jobs)
        except StopIteration:
            return None
        except Exception as error:  # noqa: BLE001 - raised again by the caller, once the jobs that run are finished
            return error
        running[executor.submit(job)] = None
    return None
