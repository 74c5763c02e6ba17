"""A day and a half of hourly runs with what changes between them; `python -m tests.soak` lets months pass."""

from __future__ import annotations

import sys
from itertools import islice

import pytest

from tests.new_ledgers import NewLedgers
from tests.soak.curves import BOUNDS, Bound, Curve, curves
from tests.soak.months import Result, Soak, lasting_problems, soak, soaks_of_seed

BOUND = Bound("open files", times=1.1, more=1)


@pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is read from /proc")
def test_for_a_day_lists_and_events_are_exact_and_nothing_grows() -> None:
    with NewLedgers() as ledgers:
        result = soak(Soak("mirror", "email", "sqlite", 7, runs=36, hours_apart=1), ledgers)

    assert not result.problems, "\n".join([*result.problems, str(result)])
    assert result.late_events > 100
    assert {each.bound.figure for each in result.curves} >= {
        each.figure for each in BOUNDS if not each.is_of_retention
    }


def test_a_figure_that_goes_on_growing_is_found() -> None:
    growing, rising_at_first = [*range(80)], [*range(30), *[30] * 50]

    assert not Curve(BOUND, growing).is_flat
    assert Curve(BOUND, rising_at_first).is_flat


@pytest.mark.parametrize(
    ("by_runs", "problems"),
    [
        ({400: Result()}, []),
        ({400: Result(["grows"], has_only_grown=True), 800: Result()}, []),
        ({400: Result(["grows"], has_only_grown=True), 800: Result(["grows more"])}, ["grows more"]),
        ({400: Result(["a crash"])}, ["a crash"]),
    ],
)
def test_a_figure_that_grew_must_grow_in_twice_as_many_runs(
    by_runs: dict[int, Result], problems: list[str]
) -> None:
    asked = Soak("mirror", "email", "sqlite", 7, 400, 24)

    assert lasting_problems(asked, lambda each: by_runs[each.runs]) == problems


def test_a_curve_tells_its_middle_its_end_and_its_bound() -> None:
    curve = Curve(BOUND, [0, 0, 0, 10, 10, 0, 12, 12])

    assert str(curve) == "open files: 10 in the middle, 12 at the end, at most 12"
    assert curve.is_flat


def test_what_a_ledger_keeps_for_90_days_need_not_be_flat_before() -> None:
    samples = [{"ledger lines of runs": float(number)} for number in range(80)]

    assert list(curves(samples, past_retention=False)) == []
    assert [each.is_flat for each in curves(samples, past_retention=True)] == [False]


@pytest.mark.parametrize(("runs", "hours", "passes"), [(720, 1, False), (240, 24, False), (400, 24, True)])
def test_the_middle_of_the_runs_says_whether_they_pass_the_retention(
    runs: int,
    hours: int,
    passes: bool,  # noqa: FBT001
) -> None:
    assert Soak("mirror", "email", "sqlite", 7, runs, hours).passes_retention is passes


def test_a_soak_is_repeated_by_its_text() -> None:
    soaks = list(soaks_of_seed(7, ["none", "sqlite"]))

    assert [Soak.parse(str(each)) for each in soaks] == soaks
    assert len({(each.mode, each.match_by, each.ledger, each.runs) for each in soaks}) == 16


def test_the_first_soaks_of_a_seed_have_each_kind_of_ledger() -> None:
    first = islice(soaks_of_seed(7, ["none", "sqlite", "postgres"]), 3)

    assert {each.ledger for each in first} == {"none", "sqlite", "postgres"}
