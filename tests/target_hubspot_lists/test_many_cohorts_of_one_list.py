"""Thousands of cohorts that go to one list: what a run asks its ledger grows no faster than their number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, event

from tests.factories import record_message, schema_message, state_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import Portal
    from tests.target_hubspot_lists.conftest import Ledgers

STATE = {"n": 1}
FEW, MANY = 200, 400  # cohorts


@dataclass
class Counts:
    """What a run asked its ledger."""

    statements: int = 0
    rows: int = 0


@pytest.fixture
def counts() -> Iterator[Counts]:
    """Count the statements that are sent to a ledger in SQLite, and the rows that are read."""
    counts = Counts()

    def count_statement(*_: Any) -> None:
        counts.statements += 1

    def count_rows(connection: Any, _record: Any) -> None:
        def row(_cursor: Any, values: tuple[Any, ...]) -> tuple[Any, ...]:
            counts.rows += 1
            return values

        connection.row_factory = row

    event.listen(Engine, "before_cursor_execute", count_statement)
    event.listen(Engine, "connect", count_rows)
    yield counts
    event.remove(Engine, "before_cursor_execute", count_statement)
    event.remove(Engine, "connect", count_rows)


def one_list(cohorts: int) -> list[dict[str, str]]:
    """The setting `lists` that sends cohorts with names of their own to one list."""
    return [{"cohort": f"Cohort {number}", "list_name": f"{cohorts} cohorts"} for number in range(cohorts)]


def records(
    members: list[str], cohorts: int, *, is_one_name: bool = True, operation: str = "add", size: int = 1
) -> list[str]:
    """A record for each cohort, of one member after the other."""
    return [
        schema_message("contact_id", "cohort_id", "cohort_name", "operation", "cohort_size"),
        *(
            record_message(
                contact_id=members[number % len(members)],
                cohort_id=f"id {number}",
                cohort_name="VIP" if is_one_name else f"Cohort {number}",
                cohort_size=size,
                operation=operation,
            )
            for number in range(cohorts)
        ),
        state_message(STATE),
    ]


@pytest.mark.parametrize("sync_mode", ["incremental", "mirror"])
@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("is_one_name", [True, False])
def test_what_a_ledger_is_asked_grows_with_the_number_of_cohorts_and_no_faster(
    portal: Portal,
    run_target: TargetRunner,
    sqlite_url: str,
    counts: Counts,
    sync_mode: str,
    *,
    is_one_name: bool,
    dry_run: bool,
) -> None:
    members = list(portal.add_contacts(5))
    asked: dict[tuple[int, str], Counts] = {}
    for cohorts in (FEW, MANY):
        settings: dict[str, Any] = {
            "sync_mode": sync_mode,
            "ledger_url": sqlite_url.replace(".db", f"-{cohorts}.db"),
            "list_name_prefix": f"{cohorts} ",
        }
        prepared = run_target(*records(members, 1), **settings)  # a dry run needs a ledger that is there
        assert prepared.exit_code == 0, prepared.log
        messages = records(members, cohorts, is_one_name=is_one_name)
        lists = [] if is_one_name else one_list(cohorts)
        for turn in ("first run", "second run"):
            counts.statements = counts.rows = 0
            run = run_target(*messages, **settings, lists=lists, dry_run=dry_run)
            assert run.exit_code == 0, run.log
            asked[cohorts, turn] = Counts(counts.statements, counts.rows)

    for turn in ("first run", "second run"):
        few, many = asked[FEW, turn], asked[MANY, turn]
        assert many.statements - few.statements < MANY - FEW, turn
        assert many.rows - few.rows < 10 * (MANY - FEW), turn


@pytest.mark.parametrize("sync_mode", ["incremental", "mirror"])
def test_a_ledger_knows_every_cohort_of_a_list_whatever_flush_it_came_in(
    portal: Portal, run_target: TargetRunner, open_ledger: Ledgers, sync_mode: str
) -> None:
    members = list(portal.add_contacts(5))

    run = run_target(
        *records(members, 25), sync_mode=sync_mode, batch_size_rows=4, ledger_url=open_ledger.url
    )

    assert (run.exit_code, run.states) == (0, [STATE]), run.log
    known = open_ledger(portal.portal_id, create=False).lists.all()
    assert {each.cohort_key for each in known} == {f"id id {number}" for number in range(25)}
    assert {(each.name, each.cohort_name, each.created_by_us, each.was_read) for each in known} == {
        ("VIP", "VIP", True, True)
    }
    assert portal.members("VIP") == set(members)


def test_a_removal_from_many_skipped_cohorts_still_ends_an_add_that_was_kept(
    portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    settings: dict[str, Any] = {"match_by": "email", "ledger_url": ledger_url, "create_contacts": False}
    emails = [f"person{number}@example.com" for number in range(3)]
    schema = schema_message("email", "cohort_id", "cohort_name", "operation")

    def run(operation: str, people: list[str], **config: Any) -> Run:
        return run_target(
            schema,
            *(
                record_message(email=each, cohort_id=number, cohort_name="VIP", operation=operation)
                for number, each in enumerate(people)
            ),
            state_message(STATE),
            **settings,
            **config,
        )

    assert run("add", emails, max_unapplied_percent=100).exit_code == 0
    assert run("remove", emails[:2], lists=[{"cohort": "VIP", "skip": True}]).exit_code == 0
    contacts = [portal.add_contact(each) for each in emails]
    run_target(schema, record_message(email="x@example.com", cohort_id=2, cohort_name="VIP"), **settings)

    assert portal.members("VIP") == {contacts[2]}


@pytest.mark.parametrize("sync_mode", ["incremental", "mirror"])
@pytest.mark.parametrize("has_ledger", [True, False])
def test_many_ids_under_one_name_are_told_once_with_what_to_check(
    portal: Portal, run_target: TargetRunner, ledger_url: str, sync_mode: str, *, has_ledger: bool
) -> None:
    members = list(portal.add_contacts(5))

    run = run_target(
        *records(members, 1_200),
        sync_mode=sync_mode,
        ledger_url=ledger_url if has_ledger else None,
        batch_size_rows=500,
    )

    assert run.exit_code == 0
    told = [line for line in run.log.splitlines() if "cohort_id_field" in line]
    assert " ".join(told) == (
        'WARNING 1,200 cohorts with the name "VIP" and different ids go to list "VIP": check that cohort_id_field '
        "names the id of the cohort and not that of the person. If cohorts have no id, take that column out of the "
        "stream with stream_maps."
    )
    assert run.log.count("lead to one list") == 1


@pytest.mark.parametrize(
    ("cohorts", "config"),
    [
        pytest.param(19, {}, id="few"),
        pytest.param(40, {"lists": [{"cohort": "VIP", "skip": True}]}, id="skipped"),
    ],
)
def test_a_few_ids_under_one_name_or_a_cohort_that_is_left_out_are_no_mistake(
    portal: Portal, run_target: TargetRunner, cohorts: int, config: dict[str, Any]
) -> None:
    run = run_target(*records(list(portal.add_contacts(5)), cohorts), **config)

    assert run.exit_code == 0
    assert "cohort_id_field" not in run.log


def test_many_cohorts_with_names_of_their_own_may_share_a_list_by_the_setting(
    portal: Portal, run_target: TargetRunner
) -> None:
    messages = records(list(portal.add_contacts(5)), 100, is_one_name=False)

    run = run_target(*messages, lists=one_list(100))

    assert run.exit_code == 0
    assert "cohort_id_field" not in run.log


def test_another_list_for_a_name_with_many_ids_is_told_once(
    portal: Portal, run_target: TargetRunner, ledger_url: str
) -> None:
    members = list(portal.add_contacts(5))
    run_target(*records(members, 30), ledger_url=ledger_url)

    run = run_target(
        *records(members, 30), ledger_url=ledger_url, lists=[{"cohort": "VIP", "list_name": "Gold"}]
    )

    assert run.exit_code == 0
    assert run.log.count("to another list than in earlier runs") == 1


@pytest.mark.parametrize(
    ("records_of", "size", "lists", "told"),
    [
        pytest.param(100, 9, [], '; of cohort "VIP" 1 of 9 distinct members arrived', id="incomplete"),
        pytest.param(1, 1, one_list(100), ', "Cohort 5"', id="absent"),
    ],
)
def test_a_mirror_that_holds_a_list_of_many_cohorts_back_names_only_a_few_of_them(
    portal: Portal,
    run_target: TargetRunner,
    records_of: int,
    size: int,
    lists: list[dict[str, str]],
    told: str,
) -> None:
    messages = records(list(portal.add_contacts(5)), records_of, is_one_name=not lists, size=size)

    run = run_target(*messages, sync_mode="mirror", lists=lists)

    assert run.exit_code == 1
    assert run.error.count(told) < 5
    assert f"and so on for {100 if not lists else 99} cohorts" in run.error
    assert len(run.error) < 700
