"""How user CPU and memory grow with the number of records: that they grow with it, and with nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks import target_speed
from benchmarks.email_event_memory import opens_of_a_day
from benchmarks.rows import Point
from tests.hubspot_emulator import Portal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.harness import Measured

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
# By the name of a curve the scenario of the target (None for the tap), and its most records: ten million events, or a
# list's ten million addresses, would need more memory in the local HubSpot than in what is measured.
CURVES = {
    "target, record ids": ("record_ids", 10_000_000),
    "target, unchanged mirror, ledger in SQLite": ("mirror_200k_sqlite", 1_000_000),
    "tap, opens": (None, 1_000_000),
}


def points(most: int) -> Iterator[Point]:
    """Measure each curve, up to so many records."""
    scenarios = {each.name: each for each in target_speed.SCENARIOS}
    for curve, (scenario, most_of_curve) in CURVES.items():
        for size in (each for each in SIZES if each <= min(most, most_of_curve)):
            ran = opens_of_a_day(size) if scenario is None else _target(scenarios[scenario], size)
            yield Point(curve, size, ran.user_seconds, ran.peak_mb)


def _target(scenario: target_speed.Scenario, size: int) -> Measured:
    """Run the target once; in a mirror on a list that an earlier run filled."""
    cohorts = -(-size // target_speed.MOST_CONTACTS)
    with target_speed.bench(replace(scenario, members=size, cohorts=cohorts), Portal()) as (at, _):
        if scenario.is_mirror:
            at.target(at.source)
        return at.target(at.source)
