"""Which cohorts count as vanished: those of the same pipeline that came before, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.ledger import Ledger
from tests.factories import membership, record_message, schema_message
from tests.target_hubspot_lists.conftest import START
from tests.target_hubspot_lists.logs import row
from tests.target_hubspot_lists.mirrors import mirror

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import Portal

SECONDS_PER_DAY = 86_400


@pytest.fixture
def contacts(portal: Portal) -> list[str]:
    return list(portal.add_contacts(3))


def bring(
    run_target: TargetRunner,
    url: str,
    contacts: Sequence[str],
    *cohorts: str,
    stream: str = "members",
    **config: Any,
) -> Run:
    """Mirror cohorts, each with all contacts; what did not come is emptied."""
    records = [membership(cohort, each, stream=stream) for cohort in cohorts for each in contacts]
    settings = {"ledger_url": url, "snapshot_end": "end_of_input", "empty_vanished_cohorts": True} | config
    return mirror(run_target, schema_message(stream=stream), *records, **settings)


@pytest.mark.parametrize("empties", [True, False])
def test_two_pipelines_that_name_their_streams_alike_empty_no_list_of_each_other(
    portal: Portal, run_target: TargetRunner, ledger_url: str, contacts: list[str], *, empties: bool
) -> None:
    runs = [
        bring(run_target, ledger_url, contacts, *cohorts, empty_vanished_cohorts=empties)
        for cohorts in (["A", "AA"], ["B"], ["A", "AA"], ["B"], ["A"])
    ]

    assert [run.exit_code for run in runs] == [0] * 5
    assert [portal.members(name) for name in ("c_A", "c_AA", "c_B")] == [set(contacts)] * 3
    assert "no cohort in common" not in runs[0].log
    others = [{"c_A", "c_AA"}, {"c_B"}, {"c_A", "c_AA"}, {"c_AA", "c_B"}]
    for run, named in zip(runs[1:], others, strict=True):
        (line,) = [line for line in run.log.splitlines() if "had no cohort in common" in line]
        assert 'Runs of stream "members" in the ledger' in line
        assert {name for name in ("c_A", "c_AA", "c_B") if f'"{name}" (' in line} == named


def test_a_list_that_no_remembered_run_filled_is_left_alone(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    bring(run_target, sqlite_url, contacts, "A")
    run_target.clock.sleep(
        91 * SECONDS_PER_DAY
    )  # the line about that run is forgotten at the end of the next

    runs = [bring(run_target, sqlite_url, contacts, "B") for _ in range(2)]

    assert [run.exit_code for run in runs] == [0, 0]
    assert portal.members("c_A") == set(contacts)


def test_with_a_stream_name_of_its_own_each_pipeline_empties_what_vanishes_of_its_own(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    for cohorts, stream in ((["A", "AA"], "first"), (["B"], "second"), (["A"], "first"), (["B"], "second")):
        assert bring(run_target, sqlite_url, contacts, *cohorts, stream=stream).exit_code == 0

    assert portal.members("c_AA") == set()
    assert portal.members("c_A") == portal.members("c_B") == set(contacts)


def test_what_vanishes_is_emptied_while_each_two_runs_have_a_cohort_in_common(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    for cohorts in (["A", "B"], ["A", "C"], ["A", "C", "D"], ["A", "D"]):
        assert bring(run_target, sqlite_url, contacts, *cohorts).exit_code == 0
        run_target.clock.sleep(SECONDS_PER_DAY)

    assert portal.members("c_B") == portal.members("c_C") == set()
    assert portal.members("c_A") == portal.members("c_D") == set(contacts)


def test_a_list_that_was_made_anew_is_the_same_cohorts_as_before(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    bring(run_target, sqlite_url, contacts, "A", "B")
    portal.rename_list("c_A", "Old")
    portal.delete_list("Old")
    bring(run_target, sqlite_url, contacts, "A", "B")

    run = bring(run_target, sqlite_url, contacts, "A")

    assert run.exit_code == 0
    assert portal.members("c_B") == set()
    assert portal.members("c_A") == set(contacts)


def test_a_vanished_cohorts_list_that_was_deleted_is_no_problem(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    bring(run_target, sqlite_url, contacts, "A", "B", "C")
    portal.delete_list("c_B")

    run = bring(run_target, sqlite_url, contacts, "A")

    assert run.exit_code == 0
    assert portal.members("c_A") == set(contacts)
    assert portal.members("c_C") == set()


def test_where_nothing_came_nothing_is_known_to_have_vanished(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    bring(run_target, sqlite_url, contacts, "A")
    rejected = [membership("B", "no record id", stream="members")]
    settings = {"ledger_url": sqlite_url, "snapshot_end": "end_of_input", "empty_vanished_cohorts": True}

    mirror(run_target, schema_message(stream="members"), *rejected, **settings)

    assert portal.members("c_A") == set(contacts)


def test_a_vanished_cohorts_list_that_another_run_holds_costs_itself_only(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    everything: dict[str, Any] = {"max_removal_percent": 100}
    bring(run_target, sqlite_url, contacts, "A", "B", "C", **everything)
    other = Ledger.open(sqlite_url, portal.portal_id, run_id="run-2", now=lambda: START)

    with other, other.lock(["c_B"], sleep=lambda _: None):
        run = bring(run_target, sqlite_url, contacts, "A", **everything)

    assert run.exit_code == 1
    assert "run-2" in run.error
    assert portal.members("c_A") == portal.members("c_B") == set(contacts)
    assert portal.members("c_C") == set()
    assert bring(run_target, sqlite_url, contacts, "A", **everything).exit_code == 0
    assert portal.members("c_B") == set()


COLUMNS = ("contact_id", "cohort_name", "cohort_id")


def with_ids(*cohorts: tuple[str | None, str], members: Sequence[str]) -> list[str]:
    """A stream of whole cohorts, each with an id and a name."""
    return [
        schema_message(*COLUMNS),
        *(
            record_message(contact_id=each, cohort_id=cohort_id, cohort_name=name)
            for cohort_id, name in cohorts
            for each in members
        ),
    ]


def mirror_all(run_target: TargetRunner, url: str, *messages: str, **config: Any) -> Run:
    return mirror(
        run_target,
        *messages,
        ledger_url=url,
        snapshot_end="end_of_input",
        empty_vanished_cohorts=True,
        **config,
    )


@pytest.mark.parametrize(
    "earlier",
    [
        pytest.param([[(None, "VIP"), (None, "vip"), (None, "Two")]], id="two cohorts"),
        pytest.param([[(None, "VIP"), (None, "Two")], [("1", "VIP"), (None, "Two")]], id="ids began"),
    ],
)
def test_a_list_of_two_cohorts_that_both_vanish_is_emptied_once_and_told(
    portal: Portal,
    run_target: TargetRunner,
    sqlite_url: str,
    contacts: list[str],
    earlier: list[list[tuple[str | None, str]]],
) -> None:
    for cohorts in earlier:
        mirror_all(run_target, sqlite_url, *with_ids(*cohorts, members=contacts))

    run = mirror_all(run_target, sqlite_url, *with_ids((None, "Two"), members=contacts))

    assert run.exit_code == 0
    assert (portal.members("c_VIP"), portal.members("c_Two")) == (set(), set(contacts))
    assert row(run.log, "c_VIP")["removed"] == "3"


def test_a_list_is_left_alone_if_lists_names_one_of_its_cohorts_or_the_list(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    cohorts = [(None, "VIP"), (None, "vip"), ("1", "Old"), (None, "Two")]
    mirror_all(run_target, sqlite_url, *with_ids(*cohorts, members=contacts))
    lists = [
        {"cohort": "vip", "list_id": portal.hubspot_list("c_VIP").list_id},
        {"cohort": "New", "list_id": portal.hubspot_list("c_Old").list_id},
    ]

    run = mirror_all(run_target, sqlite_url, *with_ids((None, "Two"), members=contacts), lists=lists)

    assert run.exit_code == 0
    assert (portal.members("c_VIP"), portal.members("c_Old")) == (set(contacts), set(contacts))


def test_a_cohort_that_lists_skips_by_a_name_that_the_ledger_does_not_know_keeps_its_list(
    portal: Portal, run_target: TargetRunner, sqlite_url: str, contacts: list[str]
) -> None:
    cohorts = [("1", "Old"), (None, "Plain"), ("2", "Two")]
    mirror_all(run_target, sqlite_url, *with_ids(*cohorts, members=contacts))
    lists = [{"cohort": "New", "skip": True}]
    renamed = with_ids(("1", "New"), *cohorts[1:], members=contacts)
    assert mirror_all(run_target, sqlite_url, *renamed, lists=lists).exit_code == 0

    run = mirror_all(run_target, sqlite_url, *with_ids(cohorts[2], members=contacts), lists=lists)

    assert run.exit_code == 0
    assert (portal.members("c_Old"), portal.members("c_Plain")) == (set(contacts), set())
    assert 'lists[] skips "New"' in run.log
    mirror_all(run_target, sqlite_url, *with_ids(cohorts[2], members=contacts))
    assert portal.members("c_Old") == set()
