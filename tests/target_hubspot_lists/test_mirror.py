"""A mirror removes who is not in a snapshot, and nobody unless the snapshot is proven complete."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_hubspot_lists.mirror.evidence import CohortEvidence, StreamEvidence
from target_hubspot_lists.mirror.guards import Removal
from tests.factories import (
    activate_version,
    by_email,
    email_schema,
    membership,
    record_message,
    schema_message,
    state_message,
)
from tests.target_hubspot_lists.logs import row
from tests.target_hubspot_lists.mirrors import SIZED, mirror, of_version, sized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal


def test_a_snapshot_of_the_size_it_tells_makes_the_list_equal_to_the_cohort(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(run_target, SIZED, *sized(people[1:], 3), state_message({"n": 1}))

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(people[1:])
    assert run.states == [{"n": 1}]
    figures = row(run.log, "c_VIP")
    assert (figures["asked"], figures["added"], figures["removed"], figures["already"]) == (
        "4",
        "1",
        "1",
        "2",
    )
    assert hubspot.calls("PUT") == 2


def test_an_unchanged_cohort_sends_nothing(
    hubspot: HubSpotEmulator, run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(run_target, SIZED, *sized(people[:3], 3))

    assert run.exit_code == 0
    assert hubspot.calls("PUT") == 0


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param(lambda r: [SIZED, *r], id="plain end"),
        pytest.param(lambda r: [SIZED, *r, state_message({"n": 1})], id="dies right after a STATE"),
        pytest.param(
            lambda r: [SIZED, activate_version(1), *of_version(r, 1)], id="ACTIVATE_VERSION first (SDK)"
        ),
        pytest.param(
            lambda r: [SIZED, activate_version(1), *of_version(r, 1), SIZED, activate_version(1)],
            id="once per parent, crash after the second",
        ),
        pytest.param(
            lambda r: [SIZED, *of_version(r, 1), activate_version(1), *of_version(r[:1], 1)],
            id="more after ACTIVATE_VERSION",
        ),
        pytest.param(
            lambda r: [SIZED, *of_version(r, 1), activate_version(2)], id="another version activated"
        ),
        pytest.param(
            lambda r: [SIZED, *of_version(r, 2), activate_version(2), *of_version(r[:1], 1)],
            id="an older record after ACTIVATE_VERSION",
        ),
        pytest.param(
            lambda r: [
                SIZED,
                *of_version(r, 1),
                activate_version(1),
                *of_version([membership("VIP", "nobody")], 1),
            ],
            id="a rejected record after ACTIVATE_VERSION",
        ),
        pytest.param(lambda r: [SIZED, *r, activate_version(2)], id="records without a version"),
        pytest.param(
            lambda r: [SIZED, *of_version(r, 1), activate_version(1), SIZED],
            id="a SCHEMA after ACTIVATE_VERSION",
        ),
    ],
)
def test_what_proves_nothing_removes_nobody_adds_the_new_and_exits_1(
    portal: Portal, run_target: TargetRunner, people: list[str], messages: Any
) -> None:
    records = [membership("VIP", people[0]), membership("VIP", people[3])]

    run = mirror(run_target, *messages(records))

    assert run.exit_code == 1
    assert "nothing proves that stream" in run.error
    assert portal.members("c_VIP") == set(people)
    assert run.states == []


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param(lambda r: [SIZED, *of_version(r, 1), activate_version(1)], id="last (classic)"),
        pytest.param(
            lambda r: [SIZED, activate_version(1), *of_version(r, 1), activate_version(1)],
            id="first and last",
        ),
        pytest.param(
            lambda r: [
                SIZED,
                *of_version([membership("VIP", 999)], 1),
                *of_version(r, 2),
                activate_version(2),
            ],
            id="two versions in one run",
        ),
        pytest.param(
            lambda r: [
                SIZED,
                *of_version(r, 2),
                *of_version([membership("VIP", 999)], 1),
                *of_version(r[:1], 2),
                activate_version(2),
            ],
            id="an older record in between",
        ),
    ],
)
def test_an_activate_version_behind_its_records_is_a_proof(
    portal: Portal, run_target: TargetRunner, people: list[str], messages: Any
) -> None:
    records = [membership("VIP", people[0]), membership("VIP", people[3])]

    run = mirror(run_target, *messages(records), state_message({"n": 1}))

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {people[0], people[3]}
    assert run.states == [{"n": 1}]
    assert row(run.log, "c_VIP")["missing"] == "0"


def test_a_new_version_of_a_stream_replaces_nothing_of_another_stream(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    columns = ("contact_id", "cohort_name", "cohort_size")

    run = mirror(
        run_target,
        schema_message(*columns, stream="one"),
        *sized(people[:1], 1, stream="one"),
        schema_message(*columns, stream="two"),
        *of_version(sized(people[:2], 2, "Other", stream="two"), 1),
        *of_version(sized(people[3:], 1, "Other", stream="two"), 2),
    )

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {people[0]}
    assert portal.members("c_Other") == {people[3]}


def test_the_plain_end_is_a_proof_only_where_the_user_says_so(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(run_target, schema_message(), membership("VIP", people[0]), snapshot_end="end_of_input")

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {people[0]}


@pytest.mark.parametrize(
    ("arrived", "sizes", "words"),
    [
        ([0, 1], [3, 3], "2 of 3 distinct members"),
        ([0, 1, 1], [3, 3, 3], "3 records came, of 2 distinct members"),
        ([0, 1], [2, 3], "do not agree how many"),
        ([0, 1, 3], [2, 2, 2], "3 of 2 distinct members"),
    ],
)
def test_another_number_of_members_than_told_removes_nobody(
    portal: Portal,
    run_target: TargetRunner,
    people: list[str],
    arrived: list[int],
    sizes: list[int],
    words: str,
) -> None:
    records = [sized([people[each]], size)[0] for each, size in zip(arrived, sizes, strict=True)]

    run = mirror(run_target, SIZED, *records, state_message({"n": 1}), snapshot_end="end_of_input")

    assert run.exit_code == 1
    assert words in run.error
    assert portal.members("c_VIP") >= set(people[:3])
    assert run.states == []


def test_a_soft_deleted_row_takes_its_member_out(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(
        run_target,
        schema_message("contact_id", "cohort_name", "_sdc_deleted_at"),
        record_message(contact_id=people[0], cohort_name="VIP", _sdc_deleted_at=None),
        record_message(contact_id=people[1], cohort_name="VIP", _sdc_deleted_at=None),
        record_message(contact_id=people[1], cohort_name="VIP", _sdc_deleted_at="2026-01-01"),
        record_message(contact_id=people[3], cohort_name="VIP", _sdc_deleted_at="2026-01-01"),
        snapshot_end="end_of_input",
    )

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {people[0]}
    figures = row(run.log, "c_VIP")
    assert (figures["asked"], figures["removed"], figures["not on it"], figures["already"]) == (
        "4",
        "2",
        "1",
        "1",
    )


def test_the_guard_holds_back_a_large_share_and_applies_adds(
    portal: Portal, run_target: TargetRunner
) -> None:
    contacts = list(portal.add_contacts(21))
    portal.add_list("c_VIP", members=contacts[:20])

    run = mirror(
        run_target,
        SIZED,
        *sized([*contacts[:15], contacts[20]], 16),
        state_message({"n": 1}),
        max_removal_percent=20,
    )

    assert run.exit_code == 1
    assert "would remove 5 of 20 members, more than max_removal_percent (20)" in run.error
    assert portal.members("c_VIP") == set(contacts)
    assert row(run.log, "c_VIP")["skipped"] == "5"
    assert run.states == []


def test_the_guard_lets_a_small_share_go(portal: Portal, run_target: TargetRunner) -> None:
    contacts = list(portal.add_contacts(20))
    portal.add_list("c_VIP", members=contacts)

    run = mirror(run_target, SIZED, *sized(contacts[:16], 16), max_removal_percent=20)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(contacts[:16])


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(("percent", "members_left"), [(99, 3), (100, 0)])
def test_an_empty_snapshot_empties_a_list_only_where_everything_is_allowed(
    portal: Portal, run_target: TargetRunner, percent: int, members_left: int
) -> None:
    run = mirror(
        run_target,
        schema_message("contact_id", stream="VIP"),
        snapshot_end="end_of_input",
        max_removal_percent=percent,
    )

    assert len(portal.members("c_VIP")) == members_left
    assert run.exit_code == (1 if members_left else 0)


def test_an_empty_stream_proves_nothing_by_itself(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(run_target, schema_message("contact_id", stream="VIP"), activate_version(1, stream="VIP"))

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(people[:3])


def test_a_source_that_dies_before_its_first_row_changes_nothing(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(run_target, SIZED, snapshot_end="end_of_input")

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(people[:3])


def test_a_list_of_somebody_elses_is_only_added_to(portal: Portal, run_target: TargetRunner) -> None:
    ada, bob = portal.add_contacts(2)
    by_hand = portal.add_list("VIP", members=[ada])
    messages = [SIZED, *sized([bob], 1)]

    run = mirror(run_target, *messages, list_name_prefix="")

    assert run.exit_code == 1
    assert f'lists: [{{"cohort": "VIP", "list_id": "{by_hand.list_id}"}}]' in run.error
    assert portal.members("VIP") == {ada, bob}

    entry = {"cohort": "VIP", "list_id": by_hand.list_id}
    run = mirror(run_target, *messages, list_name_prefix="", lists=[entry])

    assert run.exit_code == 0
    assert portal.members("VIP") == {bob}


def test_a_cohort_that_is_gone_from_a_stream_is_left_alone(portal: Portal, run_target: TargetRunner) -> None:
    ada, bob = portal.add_contacts(2)
    portal.add_list("c_VIP", members=[ada])
    portal.add_list("c_Gone", members=[bob])

    run = mirror(run_target, SIZED, *sized([ada], 1), lists=[{"cohort": "Gone", "list_name": "c_Gone"}])

    assert run.exit_code == 0
    assert portal.members("c_Gone") == {bob}
    assert run.log.count("Gone") == 1
    said = 'No record of this run was about these cohorts of lists[], so their lists were left alone: "Gone".'
    assert said in run.log


def test_two_cohorts_that_lead_to_one_list_are_one_snapshot(portal: Portal, run_target: TargetRunner) -> None:
    ada, bob, cyd = portal.add_contacts(3)
    target_list = portal.add_list("c_All", members=[cyd])

    run = mirror(
        run_target,
        SIZED,
        *sized([ada, bob], 2, "North"),
        *sized([bob], 1, "South"),
        lists=[
            {"cohort": "North", "list_id": target_list.list_id},
            {"cohort": "South", "list_name": "c_all"},
        ],
    )

    assert run.exit_code == 0
    assert portal.members("c_All") == {ada, bob}


def test_lists_of_one_cohort_and_of_several_follow_each_other(
    portal: Portal, run_target: TargetRunner
) -> None:
    ada, bob, cyd = portal.add_contacts(3)

    run = mirror(
        run_target,
        SIZED,
        *sized([ada], 1, "First"),
        *sized([ada, bob], 2, "North"),
        *sized([bob, cyd], 2, "South"),
        *sized([cyd], 1, "Last"),
        lists=[{"cohort": each, "list_name": "c_All"} for each in ("North", "South")],
    )

    assert run.exit_code == 0
    assert portal.members("c_First") == {ada}
    assert portal.members("c_All") == {ada, bob, cyd}
    assert portal.members("c_Last") == {cyd}
    assert "have no outcome" not in run.log


def test_a_list_fed_by_two_streams_ends_the_run_before_any_removal(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(
        run_target,
        schema_message("contact_id", "cohort_name", "cohort_size", stream="one"),
        schema_message("contact_id", "cohort_name", "cohort_size", stream="two"),
        *sized(people[:1], 1, stream="one"),
        *sized(people[1:2], 1, stream="two"),
    )

    assert run.exit_code == 1
    assert "fed by the streams one, two" in run.error
    assert portal.members("c_VIP") == set(people[:3])
    assert hubspot.calls("PUT") == 0


def test_a_schema_that_changes_in_the_middle_is_one_snapshot(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(
        run_target,
        SIZED,
        *sized(people[:1], 2),
        schema_message("contact_id", "cohort_name", "cohort_size", "more"),
        *sized(people[3:], 2),
    )

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {people[0], people[3]}


@pytest.mark.parametrize("bad", [{"cohort_name": " "}, {"cohort_name": "VIP", "operation": "merge"}])
def test_records_whose_meaning_is_unclear_keep_everybody_of_their_stream(
    portal: Portal, run_target: TargetRunner, people: list[str], bad: dict[str, str]
) -> None:
    run = mirror(
        run_target,
        schema_message("contact_id", "cohort_name", "cohort_size", "operation"),
        record_message(contact_id=people[0], cohort_name="VIP", cohort_size=1, operation="add"),
        record_message(contact_id=people[1], cohort_size=1, **({"operation": "add"} | bad)),
    )

    assert run.exit_code == 1
    assert "1 records of stream" in run.error
    assert portal.members("c_VIP") == set(people[:3])


def test_states_leave_for_the_streams_that_are_done(run_target: TargetRunner, people: list[str]) -> None:
    columns = ("contact_id", "cohort_name", "cohort_size")

    run = mirror(
        run_target,
        state_message({"before": 0}),
        schema_message(*columns, stream="whole"),
        *sized(people[:1], 1, stream="whole"),
        state_message({"whole": 1}),
        schema_message(*columns, stream="half"),
        *sized(people[1:2], 2, "Other", stream="half"),
        state_message({"half": 1}),
    )

    assert run.exit_code == 1
    assert run.states == [{"before": 0}, {"whole": 1}]


def test_a_merged_contact_stays_under_its_new_id(portal: Portal, run_target: TargetRunner) -> None:
    ada, lovelace, bob = portal.add_contacts(3)
    merged = portal.merge(ada, lovelace)
    portal.add_list("c_VIP", members=[merged, bob])

    run = mirror(run_target, SIZED, *sized([ada], 1))

    assert run.exit_code == 0
    assert portal.members("c_VIP") == {merged}
    assert row(run.log, "c_VIP")["already"] == "1"


def test_members_by_email_are_found_and_created(portal: Portal, run_target: TargetRunner) -> None:
    old = portal.add_contact("old@example.com")
    portal.add_contact("ada@example.com", additional_emails=["lovelace@example.org"])
    portal.add_list("c_VIP", members=[old])

    run = mirror(
        run_target,
        email_schema(),
        by_email("VIP", "ADA@example.com"),
        by_email("VIP", "lovelace@example.org"),
        by_email("VIP", "new@example.com"),
        by_email("VIP", "bad@example"),
        match_by="email",
        snapshot_end="end_of_input",
    )

    assert run.exit_code == 0
    assert portal.member_emails("c_VIP") == {"ada@example.com", "new@example.com"}
    figures = row(run.log, "c_VIP")
    assert (figures["asked"], figures["added"], figures["removed"], figures["rejected"]) == (
        "4",
        "2",
        "1",
        "1",
    )


def test_a_dry_run_of_a_mirror_says_who_would_go(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    run = mirror(run_target, SIZED, *sized(people[1:], 3), state_message({"n": 1}), dry_run=True)

    assert run.exit_code == 0
    assert portal.members("c_VIP") == set(people[:3])
    assert hubspot.calls("PUT") == 0
    assert run.states == []
    assert (row(run.log, "c_VIP")["added"], row(run.log, "c_VIP")["removed"]) == ("1", "1")


def test_a_signal_in_the_middle_removes_nobody(
    portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    class Interrupted:
        """Input in the middle of which a signal comes."""

        def __init__(self) -> None:
            self._chunks = ["\n".join([SIZED, *sized(people[:1], 1)]) + "\n", ""]

        def read(self, _size: int) -> bytes:
            chunk = self._chunks.pop(0)
            if not chunk:
                signal.raise_signal(signal.SIGTERM)
            return chunk.encode()

    run = run_target.on(Interrupted(), sync_mode="mirror", list_name_prefix="c_", max_removal_percent=100)

    assert run.exit_code == 143
    assert portal.members("c_VIP") == set(people[:3])


def test_a_run_that_breaks_off_between_adds_and_removals_is_mended_by_the_next(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner, people: list[str]
) -> None:
    messages = [SIZED, *sized(people[1:], 3), state_message({"n": 1})]
    hubspot.faults.next("PUT", "/memberships/", status=500, after=1)

    broken = mirror(run_target, *messages)
    mended = mirror(run_target, *messages)

    assert (broken.exit_code, broken.states) == (1, [])
    assert (mended.exit_code, mended.states) == (0, [{"n": 1}])
    assert portal.members("c_VIP") == set(people[1:])


@pytest.mark.parametrize(
    ("members", "to_remove", "percent", "is_too_much"),
    [
        (20, 4, 20, False),
        (20, 5, 20, True),
        (19, 18, 20, False),
        (19, 19, 20, True),
        (1, 1, 99, True),
        (1, 1, 100, False),
        (1000, 1, 0, True),
        (10, 1, 0, False),
        (5, 0, 0, False),
        (0, 0, 0, False),
    ],
)
def test_the_guard(members: int, to_remove: int, percent: int, is_too_much: bool) -> None:  # noqa: FBT001
    assert Removal(members, to_remove).is_too_much(percent) is is_too_much


def test_a_cohort_is_complete_where_every_record_tells_the_number_that_arrived() -> None:
    assert told(3, 3, 3).gap(3) is None
    assert told(3, 3).gap(2) == "2 of 3 distinct members arrived"
    assert "do not agree" in (told(2, 3, 3).gap(3) or "")
    assert "1 of its records do not say" in (told(2, 2, None).gap(2) or "")
    assert told(None, None).gap(2) is None
    assert not told(None, None).is_sized


def told(*sizes: int | None) -> CohortEvidence:
    evidence = CohortEvidence()
    for size in sizes:
        evidence.record(size)
    return evidence


steps = st.lists(
    st.one_of(
        st.tuples(st.just("record"), st.sampled_from([None, 1, 2, 3])),
        st.tuples(st.just("activate"), st.sampled_from([1, 2, 3])),
        st.tuples(st.just("schema"), st.none()),
    )
)


@given(steps)
def test_only_the_last_message_of_a_stream_can_prove_it(sequence: Sequence[tuple[str, int | None]]) -> None:
    evidence = StreamEvidence()
    for kind, version in sequence:
        if kind == "schema":
            evidence.schema()
        elif kind == "activate":
            evidence.activate(version)
        elif evidence.is_older(version):
            evidence.other()
        else:
            evidence.record(version)

    if evidence.is_activated:
        kind, version = sequence[-1]
        newest = max(each or 0 for kind, each in sequence if kind == "record")
        first = sequence.index(("record", newest))
        assert ("record", None) not in sequence[first:]
        behind_schema = sequence[
            max((i for i, (k, _) in enumerate(sequence) if k == "schema"), default=-1) + 1 :
        ]
        assert kind == "activate"
        assert version == newest
        assert ("record", newest) in behind_schema
