from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from hubspot_singer.http import Stopped
from hubspot_singer.http.clocks import Stop
from hubspot_singer.http.limits import RequestBudget
from hubspot_singer.http.rate_limiter import RateLimiter
from tests.hubspot_singer.http.server import reply

if TYPE_CHECKING:
    from tests.clocks import FakeClock
    from tests.hubspot_singer.http.conftest import Connect
    from tests.hubspot_singer.http.server import Handler, ScriptedServer


def test_threads_share_one_budget(clock: FakeClock) -> None:
    limiter = RateLimiter(RequestBudget(cap=20, concurrency=8), clock, Stop())
    sent: list[float] = []

    def send() -> None:
        with limiter.slot():
            sent.append(clock.monotonic())

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: send(), range(100)))

    assert limiter.calls == 100
    assert max(sum(now - 10 + 1e-6 < time <= now for time in sent) for now in sent) <= 20


def test_a_failed_request_gives_its_turn_back(clock: FakeClock) -> None:
    limiter = RateLimiter(RequestBudget(cap=None, concurrency=1), clock, Stop())

    for _ in range(3):
        with pytest.raises(OSError, match="broken"), limiter.slot():
            raise OSError("broken")

    assert limiter.calls == 3


def test_a_stop_ends_the_wait_for_a_turn(clock: FakeClock) -> None:
    stop = Stop()
    limiter = RateLimiter(RequestBudget(cap=1, concurrency=8), clock, stop)
    with limiter.slot():
        pass
    clock.after(3, lambda: setattr(stop, "requested", True))

    with pytest.raises(Stopped), limiter.slot():
        pass

    assert clock.elapsed == pytest.approx(3, abs=0.3)


def test_a_stop_ends_the_wait_for_an_answer_under_way(clock: FakeClock) -> None:
    stop = Stop()
    limiter = RateLimiter(RequestBudget(cap=None, concurrency=1), clock, stop)

    def wait_for_turn() -> None:
        with limiter.slot():
            pass

    with ThreadPoolExecutor(1) as threads, limiter.slot():
        waiting = threads.submit(wait_for_turn)
        stop.requested = True

        with pytest.raises(Stopped):
            waiting.result(timeout=5)


def test_the_client_learns_the_limit_from_the_answers(server: ScriptedServer, connect: Connect) -> None:
    left = iter(range(189, 0, -1))

    def answer(handler: Handler) -> None:
        headers = {
            "X_HubSpot_RateLimit_Max": "190",
            "X_HubSpot_RateLimit_Remaining": str(next(left)),
            "X_HubSpot_RateLimit_Interval_Milliseconds": "10000",
        }
        reply(200, {}, **headers)(handler)

    server.then = answer
    client = connect()
    client.get("/a")
    client.get("/b")

    assert (client.limits.requests, client.limits.remaining, client.limits.used) == (185, 188, 2)


def test_the_clients_own_cap_is_kept(server: ScriptedServer, connect: Connect, clock: FakeClock) -> None:
    client = connect(requests_per_10_seconds=5)

    for _ in range(11):
        client.get("/a")

    assert len(server.seen) == 11
    assert 20 <= clock.elapsed < 21
