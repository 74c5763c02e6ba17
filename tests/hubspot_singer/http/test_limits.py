from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubspot_singer.http.limits import Limits, RateLimit, RequestBudget
from tests.hubspot_singer.http.simulation import INTERVAL, Simulation

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

BUDGETS = [100, 110, 190, 250]
LATENCIES = [0.05, 0.1, 0.2, 0.3]


def evenly(per_interval: float) -> Callable[[Random], float]:
    return lambda _: INTERVAL / per_interval


def at_random(per_interval: float) -> Callable[[Random], float]:
    return lambda random: random.expovariate(per_interval / INTERVAL)


@pytest.mark.parametrize("requests", BUDGETS)
@pytest.mark.parametrize("latency", LATENCIES)
def test_alone_no_request_is_refused_and_the_limit_is_kept_busy(requests: int, latency: float) -> None:
    outcome = Simulation(requests, latency).run()

    assert outcome.refused == 0
    assert outcome.busy >= 0.92


@pytest.mark.parametrize("requests", BUDGETS)
@pytest.mark.parametrize("latency", [0.05, 0.3])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_beside_others_nobody_is_refused_and_the_limit_is_kept_busy(
    requests: int, latency: float, share: float
) -> None:
    outcome = Simulation(requests, latency, others=evenly(share * requests)).run()

    assert (outcome.refused, outcome.others_refused) == (0, 0)
    assert outcome.busy >= 0.90


@pytest.mark.parametrize("requests", [100, 250])
@pytest.mark.parametrize("others_start", [-20, 40])
def test_beside_others_who_send_at_random_a_refusal_is_rare(requests: int, others_start: float) -> None:
    outcomes = [
        Simulation(
            requests, 0.15, seed=seed, others=at_random(0.3 * requests), others_start=others_start
        ).run()
        for seed in range(3)
    ]

    assert sum(outcome.refused for outcome in outcomes) <= 2  # in three runs of 80 s
    assert all(outcome.busy >= 0.85 for outcome in outcomes)


def test_others_who_leave_hardly_any_room_are_not_pushed_aside() -> None:
    outcome = Simulation(100, 0.1, others=evenly(97)).run()

    assert outcome.refused <= 5
    assert outcome.others_refused <= 5


@settings(max_examples=25, deadline=None)
@given(
    requests=st.integers(100, 300),
    latency=st.floats(0.001, 3),
    concurrency=st.integers(1, 40),
    seed=st.integers(0, 1000),
    headers_share=st.sampled_from([0.0, 0.5, 1.0]),
    straggler_share=st.sampled_from([0.0, 0.05]),
)
def test_alone_no_request_is_ever_refused_whatever_the_latency(
    requests: int, latency: float, concurrency: int, seed: int, headers_share: float, straggler_share: float
) -> None:
    outcome = Simulation(
        requests,
        latency,
        concurrency=concurrency,
        seed=seed,
        headers_share=headers_share,
        straggler_share=straggler_share,
        seconds=35,
    ).run()

    assert outcome.refused == 0
    assert outcome.most_under_way <= concurrency


@pytest.mark.parametrize("cap", [1, 7, 50, 99])
def test_the_cap_is_kept(cap: int) -> None:
    outcome = Simulation(190, 0.1, cap=cap).run()

    assert 0.9 * cap / 190 - 0.001 <= outcome.busy <= cap / 190


def test_a_cap_above_the_limit_changes_nothing() -> None:
    assert Simulation(100, 0.1, cap=1000).run() == Simulation(100, 0.1).run()


@pytest.mark.parametrize(("cap", "allowed", "at_once"), [(None, 97, 49), (10, 10, 5)])
def test_a_short_run_is_not_spread(cap: int | None, allowed: int, at_once: int) -> None:
    budget = RequestBudget(cap=cap, concurrency=100)

    for _ in range(at_once):
        assert budget.seconds_to_wait(0.0) == 0.0
        budget.note_sent(0.0)

    assert budget.seconds_to_wait(0.0) == pytest.approx(0.8 * 10 / allowed)


def test_what_others_use_is_told_apart_from_what_we_use() -> None:
    budget = RequestBudget(cap=None, concurrency=8)
    for left in (59, 58, 57):
        budget.note_answer(budget.note_sent(0.0), 0.1, RateLimit(100, 10.0, left))

    assert budget.limits(0.1) == Limits(requests=53, interval=10.0, used=3, remaining=57)


def test_the_first_request_is_counted_until_an_interval_after_its_answer() -> None:
    budget = RequestBudget(cap=1, concurrency=8)

    sent = budget.note_sent(0.0)
    assert budget.seconds_to_wait(5.0) is None
    budget.note_answer(sent, 7.0, None)

    assert budget.seconds_to_wait(7.0) == 10.0
    assert budget.seconds_to_wait(17.0) == 0.0


def test_a_pause_holds_everybody_back_and_is_never_shortened() -> None:
    budget = RequestBudget(cap=None, concurrency=8)
    budget.pause(10.0)
    budget.pause(5.0)

    assert budget.seconds_to_wait(4.0) == 6.0
    assert budget.seconds_to_wait(10.0) == 0.0


def test_before_the_first_answer_a_hundred_in_ten_seconds_are_assumed() -> None:
    limits = RequestBudget(cap=None, concurrency=8).limits(0.0)

    assert limits == Limits(requests=97, interval=10.0, used=0)
    assert limits.share_used == 0.0


def test_the_daily_limit_is_passed_on() -> None:
    budget = RequestBudget(cap=None, concurrency=8)
    budget.note_answer(budget.note_sent(0.0), 0.1, RateLimit(190, 10.0, 189, daily=1000, daily_remaining=900))

    limits = budget.limits(0.2)

    assert (limits.daily, limits.daily_remaining, limits.remaining) == (1000, 900, 189)
    assert limits.share_used == pytest.approx(1 / 185)


HEADERS = {
    "X-HubSpot-RateLimit-Max": "190",
    "X-HubSpot-RateLimit-Remaining": "0",
    "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
}


def test_the_headers_are_read() -> None:
    daily = {"X-HubSpot-RateLimit-Daily": "650000", "X-HubSpot-RateLimit-Daily-Remaining": "12"}

    assert RateLimit.from_headers(HEADERS) == RateLimit(190, 10.0, 0)
    assert RateLimit.from_headers(HEADERS | daily) == RateLimit(190, 10.0, 0, 650_000, 12)


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("value", [None, "", "many", "-1"])
def test_headers_that_are_absent_or_odd_say_nothing(name: str, value: str | None) -> None:
    headers = {key: text for key, text in HEADERS.items() if key != name}

    assert RateLimit.from_headers(headers if value is None else headers | {name: value}) is None


def test_no_more_than_all_of_the_limit_is_used() -> None:
    assert Limits(requests=10, interval=10.0, used=5).share_used == 0.5
    assert Limits(requests=10, interval=10.0, used=15).share_used == 1.0


def test_where_others_use_the_whole_limit_one_request_at_a_time_is_left() -> None:
    budget = RequestBudget(cap=None, concurrency=8)
    budget.note_answer(budget.note_sent(0.0), 0.1, RateLimit(100, 10.0, 0))

    assert budget.limits(0.1).requests == 1
    assert budget.seconds_to_wait(5.0) == pytest.approx(5.1)
    assert budget.seconds_to_wait(10.2) == 0.0
