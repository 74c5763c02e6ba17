"""How user CPU and memory grow with the number of records: that they grow with it, and with nothing else."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from benchmarks import target_speed
from benchmarks.email_event_memory import a_day
from benchmarks.email_events import served, tap_run
from benchmarks.rows import Point
from tests.hubspot_emulator import Portal

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
CURVES = {
    "target, record ids": ("record_ids", SIZES),
    "target, unchanged mirror, ledger in SQLite": ("mirror_200k_sqlite", SIZES),
    "tap, opens": (None, SIZES),
}


def points(most: int) -> Iterator[Point]:
    """Measure each curve, up to so many records."""
    scenarios = {each.name: each for each in target_speed.SCENARIOS}
    for curve, (scenario, sizes) in CURVES.items():
        for size in sizes:
            if size > most:
                continue
            measure = partial(_tap, size) if scenario is None else partial(_target, scenarios[scenario], size)
            user_seconds, peak_mb = measure()
            yield Point(curve, size, user_seconds, peak_mb)


def _target(scenario: target_speed.Scenario, size: int) -> tuple[float, float]:
    """Run the target once; in a mirror on a list that an earlier run filled."""
    with target_speed.bench(replace(scenario, members=size), Portal()) as (at, _):
        if scenario.is_mirror:
            at.target(at.source)
        ran = at.target(at.source)
    return ran.user_seconds, ran.peak_mb


def _tap(size: int) -> tuple[float, float]:
    """Run the tap once."""
    fill = partial(a_day, count=size)
    with served(fill, burst_limit=1_000_000) as server, tap_run(server, "email_event_open") as run:
        return run.user_seconds, run.peak_mb
