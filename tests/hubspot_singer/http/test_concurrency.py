from __future__ import annotations

import signal
import threading
import time
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import pytest

from hubspot_singer.http import concurrently

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Failed(Exception):
    pass


def threads() -> int:
    return sum(thread.name.startswith("hubspot") for thread in threading.enumerate())


def fail(name: str = "failed") -> int:
    raise Failed(name)


def test_every_result_comes_once() -> None:
    jobs = (partial(abs, number) for number in range(100))

    assert sorted(concurrently(jobs, workers=8)) == list(range(100))
    assert threads() == 0


def test_no_job_is_no_result() -> None:
    assert list(concurrently([], workers=8)) == []


def test_a_result_comes_as_soon_as_it_is_there() -> None:
    slow_may_end = threading.Event()
    jobs: list[Callable[[], object]] = [lambda: slow_may_end.wait(5), lambda: "fast"]

    results = concurrently(jobs, workers=2)

    assert next(results) == "fast"
    slow_may_end.set()
    assert list(results) == [True]


def test_at_most_so_many_jobs_run_and_all_workers_are_used() -> None:
    meeting = threading.Barrier(3)  # breaks unless three jobs are there at once
    lock, now, most = threading.Lock(), 0, 0

    def job() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        meeting.wait(5)
        with lock:
            now -= 1

    list(concurrently([job] * 9, workers=3))

    assert most == 3


def test_jobs_are_taken_only_when_a_worker_is_free() -> None:
    taken = 0

    def jobs() -> Iterator[Callable[[], int]]:
        nonlocal taken
        for number in count():
            taken += 1
            yield partial(abs, number)

    results = concurrently(jobs(), workers=2)
    for _ in range(3):
        next(results)
    results.close()  # type: ignore[attr-defined]  # a generator

    assert taken <= 3 + 2


def test_after_a_failure_nothing_starts_and_what_runs_is_yielded_first() -> None:
    has_failed = threading.Event()
    taken = []

    def run_on() -> str:
        has_failed.wait(5)
        time.sleep(0.02)
        return "ran on"

    def fail_first() -> str:
        has_failed.set()
        raise Failed("first")

    def jobs() -> Iterator[Callable[[], str]]:
        for job in (run_on, fail_first, str):
            taken.append(job)
            yield job

    results = concurrently(jobs(), workers=2)

    assert next(results) == "ran on"
    with pytest.raises(Failed, match="first"):
        next(results)
    assert taken == [run_on, fail_first]
    assert threads() == 0


def test_of_two_failures_the_first_is_raised() -> None:
    has_failed = threading.Event()

    def first() -> None:
        has_failed.set()
        fail("first")

    def second() -> None:
        has_failed.wait(5)
        time.sleep(0.02)
        fail("second")

    with pytest.raises(Failed, match="first"):
        list(concurrently([second, first], workers=2))


def test_a_failure_to_make_a_job_lets_the_others_finish() -> None:
    def jobs() -> Iterator[Callable[[], int]]:
        yield lambda: 1
        fail("no more jobs")

    results = concurrently(jobs(), workers=2)

    assert next(results) == 1
    with pytest.raises(Failed, match="no more jobs"):
        next(results)


def test_a_consumer_that_leaves_early_leaves_no_thread_behind() -> None:
    results = concurrently((lambda: 1 for _ in count()), workers=4)
    next(results)

    results.close()  # type: ignore[attr-defined]  # a generator

    assert threads() == 0


def test_a_signal_that_raises_in_the_consumer_leaves_no_thread_behind() -> None:
    class Interrupted(BaseException):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupted

    finished = threading.Event()

    def job() -> None:
        time.sleep(0.05)
        signal.raise_signal(signal.SIGUSR1)
        time.sleep(0.05)
        finished.set()

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(Interrupted):
            list(concurrently([job], workers=2))
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert finished.is_set()
    assert threads() == 0
