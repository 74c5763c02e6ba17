"""What Postgres does not store, a NUL (U+0000) or a long name, costs its own record and nothing else."""

from __future__ import annotations

import string
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import record_message, schema_message, state_message

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import Portal

COLUMNS = ("email", "cohort_name", "cohort_id", "operation", "plan")
NUL = "\x00"
LONG = "".join(Random(1).choices(string.ascii_letters, k=9_000))  # that compresses to no less


def person(email: str, cohort_name: str = "VIP", **fields: Any) -> str:
    return record_message(email=email, cohort_name=cohort_name, operation="add", **fields)


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of a ledger: none, SQLite or Postgres."""
    if request.param is None:
        return {}
    return {"ledger_url": request.getfixturevalue("postgres").new_url()}


@pytest.mark.parametrize("ledger", [None, "postgres"], indirect=True)
@pytest.mark.parametrize("sync_mode", ["incremental", "mirror"])
@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (person(f"ada{NUL}@example.com"), "invalid_member"),
        (person(f"ada@example.com{NUL}"), "invalid_member"),
        (person(NUL), "invalid_member"),
        (person("ada@example.com", f"VIP{NUL}"), "invalid_cohort"),
        (person("ada@example.com", NUL), "invalid_cohort"),
        (person("ada@example.com", cohort_id=f"c1{NUL}"), "invalid_cohort"),
        (person("ada@example.com", cohort_id=LONG), "invalid_cohort"),
        (person("ada@example.com", LONG), "invalid_cohort"),
    ],
)
def test_a_record_with_a_nul_in_member_or_cohort_is_rejected_alone(
    portal: Portal,
    run_target: TargetRunner,
    ledger: dict[str, str],
    sync_mode: str,
    bad: str,
    reason: str,
) -> None:
    settings = {"match_by": "email", "sync_mode": sync_mode, "snapshot_end": "end_of_input", **ledger}
    messages = [schema_message(*COLUMNS), bad, person("bob@example.com"), state_message({"n": 1})]

    run = run_target(*messages, **settings)
    again = run_target(*messages, **settings)

    assert portal.list_names() == {"VIP"}
    assert portal.member_emails("VIP") == {"bob@example.com"}
    assert f"1 {reason}" in run.log
    # A mirror cannot tell whose the record of a garbled cohort is: it removes nobody and says so.
    is_told = sync_mode == "mirror" and reason == "invalid_cohort"
    for each in (run, again):
        assert (each.exit_code, each.states) == ((1, []) if is_told else (0, [{"n": 1}]))


@pytest.mark.parametrize("ledger", [None, "postgres"], indirect=True)
def test_a_nul_in_a_column_that_is_not_read_changes_nothing(
    portal: Portal, run_target: TargetRunner, ledger: dict[str, str]
) -> None:
    run = run_target(
        schema_message(*COLUMNS), person("bob@example.com", plan=f"pro{NUL}"), match_by="email", **ledger
    )

    assert run.exit_code == 0
    assert portal.member_emails("VIP") == {"bob@example.com"}


@pytest.mark.parametrize("ledger", [None, "postgres"], indirect=True)
def test_a_nul_in_the_name_of_a_stream_is_said_before_anything_is_written(
    portal: Portal, run_target: TargetRunner, ledger: dict[str, str]
) -> None:
    stream = f"members{NUL}"
    record = record_message(stream, contact_id=1, cohort_name="VIP", operation="add")

    run = run_target(schema_message(stream=stream), record, **ledger)

    assert run.exit_code == 1
    assert "NUL character (U+0000)" in run.error
    assert portal.list_names() == set()


@pytest.mark.parametrize("ledger", ["postgres"], indirect=True)
def test_the_longest_cohort_id_that_is_taken_fits_into_the_ledger(
    portal: Portal, run_target: TargetRunner, ledger: dict[str, str]
) -> None:
    cohort_id = "".join(chr(Random(number).randrange(0x10000, 0x10FFFF)) for number in range(500))

    run = run_target(
        schema_message(*COLUMNS),
        person("ada@example.com", cohort_id=cohort_id),
        match_by="email",
        **ledger,
    )

    assert run.exit_code == 0
    assert portal.member_emails("VIP") == {"ada@example.com"}
