"""The plugins beside what cannot be undercut: the input decoded and no more, the calls needed, the limit allowed."""

from __future__ import annotations

import statistics
import time
from math import ceil
from typing import TYPE_CHECKING

import orjson

from benchmarks import email_event_calls, email_event_pace, start_up, target_speed
from benchmarks.email_event_memory import a_day, opens_of_a_day
from benchmarks.email_events import SETTLED, served, tap_run
from benchmarks.rows import Row
from tests.hubspot_emulator import Portal
from tests.hubspot_emulator.events import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEMBERS_A_CALL = 10_000  # that HubSpot's add-and-remove takes
FIXED_CALLS = 3  # account details, scopes, and the lists
PAGE = 1_000  # events
EVENTS, FEW_EVENTS = 200_000, 1_000
DECODED = "the same lines decoded and no more"


def target_rows(runs: int) -> Iterator[Row]:
    """Measure the target."""
    by_name = {each.name: each for each in target_speed.SCENARIOS}
    # A list that is not there is made: one call more.
    for name, members, calls in (
        ("record_ids", "record ids onto a new list", FIXED_CALLS + 1),
        ("mirror_200k_sqlite", "addresses of an unchanged mirror, ledger in SQLite", FIXED_CALLS),
    ):
        scenario = by_name[name]
        figures = target_speed.measure(scenario, runs)
        what = f"target, {scenario.members:,} {members}"
        micro, loop = (
            statistics.median(values) / scenario.members * 1e6
            for values in ([each.target for each in figures], [each.loop for each in figures])
        )
        yield Row(f"{what}: user CPU", micro, "µs a record", loop, DECODED)
        needed = calls + (0 if scenario.is_mirror else ceil(scenario.members / MEMBERS_A_CALL))
        yield Row(f"{what}: calls", figures[0].calls, "calls", needed, "the calls needed")
        yield Row(f"{what}: peak memory", max(each.peak_mb for each in figures), "MB")


def start_rows(runs: int) -> Iterator[Row]:
    """Measure what the commands take to start."""
    for name, plain in start_up.PAIRS.items():
        ours, plains = (
            statistics.median(start_up.user_seconds(start_up.COMMANDS[each]) for _ in range(runs))
            for each in (name, plain)
        )
        yield Row(f"{name} --version: user CPU", ours, "s", plains, "a plugin of the SDK that does nothing")


def tap_rows(runs: int) -> Iterator[Row]:
    """Measure the tap."""
    del runs  # calls are the same in each run
    scenarios: tuple[tuple[str, Callable[[Portal], None]], ...] = (
        ("evenly", email_event_calls.fill_evenly),
        ("in bursts", email_event_calls.fill_in_bursts),
    )
    for name, fill in scenarios:
        with served(fill, burst_limit=190) as server, tap_run(server) as run:
            calls, keys = len(server.times()), [(each["stream"], each["id"]) for each in run.records()]
        what = f"tap, {email_event_calls.TOTAL:,} events of ten types in 30 days, {name}"
        yield Row(f"{what}: calls for events", calls, "calls", email_event_calls.PAGES, "the pages they fill")
        yield Row(
            f"{what}: events lost or doubled",
            abs(len(set(keys)) - email_event_calls.TOTAL) + len(keys) - len(set(keys)),
            "events",
        )
    few, many = opens_of_a_day(FEW_EVENTS), opens_of_a_day(EVENTS)
    micro = (many.user_seconds - few.user_seconds) / (EVENTS - FEW_EVENTS) * 1e6
    what = f"tap, {EVENTS:,} opens of a day"
    yield Row(
        f"{what}: user CPU", micro, "µs a record", _decoding() * 1e6, "the same pages decoded and no more"
    )
    yield Row(f"{what}: peak memory", many.peak_mb, "MB")


def pace_rows(runs: int) -> Iterator[Row]:
    """Measure how much of HubSpot's limit the tap uses."""
    del runs
    limit = email_event_pace.LIMIT
    with (
        served(email_event_pace.fill, burst_limit=limit, latency=email_event_pace.LATENCY) as server,
        tap_run(server, "email_event_processed"),
    ):
        times, refused = server.times(), server.refused()
    _, *used = email_event_pace.shares(times)
    calls = sum(used) / len(used) * limit
    yield Row(
        "tap, calls of 100 ms each: pace after the first 10 s",
        calls,
        "calls per 10 s",
        limit,
        "the limit allowed",
    )
    yield Row("tap, calls of 100 ms each: answers that said 429", refused, "answers")


def _decoding() -> float:
    """Return the seconds of an event when pages of them are decoded and no more."""
    portal = Portal(clock=lambda: SETTLED / 1000 + 300)
    a_day(portal, count=20 * PAGE)
    wanted, before, pages = Wanted(0, SETTLED, "OPEN"), None, []
    for _ in range(20):
        texts, before = portal.events.page(wanted, before, PAGE)
        pages.append(f'{{"hasMore":true,"offset":"x","events":[{",".join(texts)}]}}'.encode())
    began = time.process_time()
    for page in pages:
        orjson.loads(page)
    return (time.process_time() - began) / (len(pages) * PAGE)
