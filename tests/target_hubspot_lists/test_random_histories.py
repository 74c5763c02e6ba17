"""A sample of random histories, and their generator; `python -m tests.random_histories` performs them at length."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.hubspot_emulator import Portal
from tests.new_ledgers import NewLedgers
from tests.random_histories.histories import History, random_history, shrunk
from tests.random_histories.mailability import OPTED_OUT, problem_of_report
from tests.random_histories.steps import AddContact, Merge, Run, SourceChanges
from tests.random_histories.variants import Variant

if TYPE_CHECKING:
    from pathlib import Path

# The same sample each time: a failure belongs to the change that made it.
SEED = int(os.environ.get("RANDOM_SEED", "20260320"))
HISTORIES = int(os.environ.get("RANDOM_HISTORIES", "60"))
PARTS = 2  # which are performed side by side

PLAIN = Variant(
    is_mirror=False,
    match_by="email",
    ledger="none",
    has_ids=False,
    prefix="c_",
    batch_size=1000,
    was_there=False,
    creates=True,
    asks_mailability=False,
    lag=0.0,
)


@pytest.mark.parametrize("part", range(PARTS))
def test_after_any_history_the_lists_have_the_members_that_the_source_says(part: int) -> None:
    wrong = []
    with NewLedgers() as ledgers:
        for seed in range(SEED + part, SEED + HISTORIES, PARTS):
            history = random_history(seed, ledgers.kinds)
            if problem := history.problem(ledgers):
                wrong.append(f"{problem}\n    python -m tests.random_histories --seed {seed} --cases 1")

    assert not wrong, "\n".join([f"seed {SEED}", *wrong])


def test_of_two_numbers_of_a_merged_contact_the_last_change_counts_though_hubspot_forgot_its_number() -> None:
    steps = (
        SourceChanges(((0, 1, True),)),
        Run(),
        SourceChanges(((0, 0, True), (0, 1, False))),
        Merge(0, 1, "new"),
    )
    history = History(replace(PLAIN, match_by="property", ledger="sqlite"), steps)

    with NewLedgers() as ledgers:
        assert history.problem(ledgers) is None


@pytest.mark.parametrize(
    ("member", "counts", "is_right"),
    [
        ({"mailability": "opted_out"}, {"opted_out": 1}, True),
        ({"mailability": "mailable"}, {"mailable": 1}, False),
        ({"mailability": "opted_out"}, {}, False),
        ({"mailability": "opted_out", "outcome": "missing"}, {}, True),
        ({"mailability": None}, {"opted_out": 1}, False),
    ],
)
def test_a_report_is_right_if_it_tells_of_each_member_what_holds_and_counts_it(
    tmp_path: Path, member: dict[str, str | None], counts: dict[str, int], *, is_right: bool
) -> None:
    portal = Portal()
    record_id = portal.add_contact("ada@example.com", **OPTED_OUT)
    of_member: dict[str, Any] = {
        "kind": "member",
        "operation": "add",
        "outcome": "added",
        "record_id": record_id,
        **member,
    }
    lines: list[dict[str, Any]] = [of_member, {"kind": "list", "mailability": counts}]
    path = tmp_path / "report.jsonl"
    path.write_text("".join(json.dumps({"run_id": "run-1", **each}) + "\n" for each in lines))

    assert (problem_of_report(path, portal) is None) is is_right


def test_a_history_is_written_as_text_and_read_again() -> None:
    histories = [random_history(seed, ["none", "sqlite", "postgres"]) for seed in range(200)]

    assert [History.parse(str(each)) for each in histories] == histories


def test_a_seed_gives_the_same_history_again() -> None:
    first, again, other = (random_history(seed, ["none"]) for seed in (SEED, SEED, SEED + 1))

    assert first == again
    assert first != other


def test_a_history_is_cut_down_to_what_goes_wrong() -> None:
    changes = SourceChanges(((0, 1, True), (1, 2, True)))
    steps = (AddContact(), changes, AddContact(), Run("SIGKILL", 3), AddContact())

    def problem(history: History) -> str | None:
        has_run = any(isinstance(each, Run) for each in history.steps)
        made = [
            change for each in history.steps if isinstance(each, SourceChanges) for change in each.changes
        ]
        return "wrong" if has_run and (1, 2, True) in made else None

    short = shrunk(History(PLAIN, steps), problem)

    assert short.steps == (SourceChanges(((1, 2, True),)), Run())
