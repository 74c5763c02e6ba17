"""What proves a snapshot complete: pure, tested with values, since a wrong answer removes members who never left."""

from __future__ import annotations

import pytest

from target_hubspot_lists.mirror.evidence import ArrivedCohort, CohortEvidence, StreamEvidence, gaps

NEVER_ENDS = 'nothing proves that stream "members" brought the whole cohort, since a tap that breaks off'
EMPTY = "the snapshot has no members, and only the end of the input can prove an empty one."


def sized(*sizes: int | None) -> CohortEvidence:
    evidence = CohortEvidence()
    for size in sizes:
        evidence.record(size)
    return evidence


def stream_of(*records: int | None) -> StreamEvidence:
    """A stream after a SCHEMA and records of these versions."""
    stream = StreamEvidence()
    stream.schema()
    for version in records:
        stream.record(version)
    return stream


# Versions


def test_the_first_version_and_each_higher_one_begin_a_snapshot() -> None:
    stream = StreamEvidence()

    assert stream.is_newer(7)
    assert not stream.is_newer(None)
    stream.begin(7)
    assert [stream.is_newer(each) for each in (6, 7, 8)] == [False, False, True]
    assert not stream.is_newer(None)


def test_a_lower_version_is_of_a_snapshot_that_was_replaced() -> None:
    stream = StreamEvidence()

    assert not stream.is_older(7)
    stream.begin(7)
    assert [stream.is_older(each) for each in (6, 7, 8, None)] == [True, False, False, False]


# ACTIVATE_VERSION


def test_a_version_activated_behind_its_records_proves_the_snapshot() -> None:
    stream = stream_of(7)
    assert not stream.is_activated

    stream.activate(7)

    assert stream.is_activated


@pytest.mark.parametrize("records", [(), (None,), (7, None), (None, 7, None)])
def test_a_version_proves_nothing_without_records_of_its_own_or_beside_records_without_one(
    records: tuple[int | None, ...],
) -> None:
    stream = stream_of(*records)

    stream.activate(7)

    assert not stream.is_activated


@pytest.mark.parametrize("version", [6, 8, None])
def test_another_version_or_none_proves_nothing(version: int | None) -> None:
    stream = stream_of(7)

    stream.activate(version)

    assert not stream.is_activated


def test_records_without_a_version_before_the_current_one_began_do_not_matter() -> None:
    stream = stream_of(None, 7)

    stream.activate(7)

    assert stream.is_activated


def test_whatever_comes_behind_an_activated_version_takes_its_proof_away() -> None:
    streams = [stream_of(7) for _ in range(4)]
    for stream in streams:
        stream.activate(7)

    streams[0].schema()
    streams[1].record(7)
    streams[2].record(None)
    streams[3].other()

    assert not any(each.is_activated for each in streams)


def test_a_version_that_is_activated_behind_a_schema_without_records_proves_nothing() -> None:
    stream = stream_of(7)
    stream.schema()

    stream.activate(7)

    assert not stream.is_activated


def test_a_version_is_proven_by_its_records_behind_the_last_schema() -> None:
    stream = stream_of(7)
    stream.schema()

    stream.record(7)
    stream.activate(7)

    assert stream.is_activated


def test_of_a_stream_nothing_has_come_at_first() -> None:
    stream = StreamEvidence(version=7)
    stream.activate(7)
    assert not stream.is_activated

    stream.record(7)
    stream.activate(7)

    assert stream.is_activated


def test_a_newer_version_forgets_the_records_of_the_one_before() -> None:
    stream = stream_of(7, None, 7)

    stream.begin(8)
    stream.activate(8)

    assert not stream.is_activated
    stream.record(8)
    stream.activate(8)
    assert stream.is_activated


# Records that say too little


def test_records_of_which_it_is_not_known_whose_they_are_leave_a_gap() -> None:
    stream = stream_of(7)
    assert stream.gap_of_records("members") is None

    stream.unclear = 1_200

    assert stream.gap_of_records("members") == (
        '1,200 records of stream "members" name no cohort or no known operation'
    )


def test_a_rejected_record_hides_a_member_or_does_not() -> None:
    evidence = CohortEvidence()
    assert (evidence.rejected, evidence.unusable) == (0, 0)

    evidence.reject(hides_a_member=True)
    evidence.reject(hides_a_member=False)

    assert (evidence.rejected, evidence.unusable) == (2, 1)


# The size of a cohort


def test_a_cohort_without_any_size_has_no_gap_and_no_proof() -> None:
    assert sized().gap(3) is None
    assert sized(None).gap(3) is None
    assert not sized(None).is_sized
    assert sized(0).is_sized


def test_as_many_distinct_members_as_the_size_are_complete() -> None:
    assert sized(2, 2).gap(2) is None
    assert sized(2, 2).gap(2, repeated=1) is None


@pytest.mark.parametrize("arrived", [1, 3])
def test_fewer_or_more_members_than_the_size_leave_a_gap(arrived: int) -> None:
    assert sized(2).gap(arrived) == f"{arrived} of 2 distinct members arrived"


def test_a_gap_of_the_only_member_is_told_in_the_singular() -> None:
    assert sized(1).gap(0) == "0 of 1 distinct member arrived"


def test_a_gap_tells_how_many_were_rejected() -> None:
    evidence = sized(1_002)
    evidence.reject(hides_a_member=True)

    assert evidence.gap(1_001) == "1,001 of 1,002 distinct members arrived (1 rejected)"


def test_a_gap_tells_of_members_who_came_more_than_once() -> None:
    gap = sized(3).gap(2, repeated=1)

    assert gap is not None
    assert gap.startswith("3 records came, of 2 distinct members: addresses are compared in lower case")
    assert "cohort_size, which is 3, has to count distinct members" in gap


def test_a_record_without_a_size_among_others_with_one_leaves_a_gap() -> None:
    assert sized(1, None).gap(1) == (
        "1 of its records do not say as a whole number how many members it has (cohort_size)"
    )


@pytest.mark.parametrize("sizes", [(2, 3), (3, 2), (3, 2, 3), (2, 3, 2)])
def test_sizes_that_differ_leave_a_gap(sizes: tuple[int, ...]) -> None:
    assert sized(*sizes).gap(3) == "its records do not agree how many members it has (2 to 3)"


# A list


def told(
    stream: StreamEvidence, *cohorts: ArrivedCohort, absent: tuple[str, ...] = (), ends: bool = False
) -> list[str]:
    return list(gaps("members", stream, cohorts, absent, ends=ends))


def arrived(evidence: CohortEvidence, members: int, repeated: int = 0) -> ArrivedCohort:
    return ArrivedCohort("VIP", evidence, members, repeated)


def activated() -> StreamEvidence:
    stream = stream_of(7)
    stream.activate(7)
    return stream


def test_each_of_the_three_proofs_is_enough() -> None:
    assert told(stream_of(None), arrived(sized(2), 2)) == []
    assert told(activated(), arrived(sized(None), 2)) == []
    assert told(stream_of(None), arrived(sized(None), 2), ends=True) == []


def test_the_plain_end_of_the_input_proves_nothing() -> None:
    (reason,) = told(stream_of(None), arrived(sized(None), 2))

    assert reason.startswith(NEVER_ENDS)


@pytest.mark.parametrize(
    ("arrived", "repeated", "removed", "expected"),
    [
        (0, 0, 1, "0 of 2 distinct members arrived (1 removed by its last record)"),
        (1, 1, 1, "1 of 2 distinct members arrived (1 removed by its last record)"),
        (0, 2, 2, "0 of 2 distinct members arrived (2 removed by their last record)"),
        (1, 2, 1, "4 records came, of 2 distinct members (1 removed by its last record): addresses"),
    ],
)
def test_members_whom_a_record_removes_are_told_as_such(
    arrived: int, repeated: int, removed: int, expected: str
) -> None:
    gap = sized(2).gap(arrived, repeated, removed)
    assert gap is not None
    assert gap.startswith(expected)


def test_every_cohort_of_a_list_must_say_its_size() -> None:
    (reason,) = told(stream_of(None), arrived(sized(2), 2), arrived(sized(None), 1))

    assert reason.startswith(NEVER_ENDS)


def test_a_gap_of_one_cohort_is_one_of_the_list_whatever_ends_the_input() -> None:
    cohorts = arrived(sized(2), 2), arrived(sized(3), 1), arrived(sized(4), 1, 1)
    for reasons in (told(activated(), *cohorts), told(activated(), *cohorts, ends=True)):
        (reason,) = reasons
        assert reason.startswith(
            'of cohort "VIP" 1 of 3 distinct members arrived; of cohort "VIP" 2 records came, of 1 distinct member:'
        )
        assert reason.endswith("No member was removed: run again with a complete snapshot.")


def test_unclear_records_are_a_gap_whatever_ends_the_input() -> None:
    stream = activated()
    stream.unclear = 1

    for reasons in (told(stream, arrived(sized(2), 2)), told(stream, arrived(sized(2), 2), ends=True)):
        (reason,) = reasons
        assert reason.startswith('1 records of stream "members" name no cohort')


def test_a_cohort_of_the_list_that_did_not_come_is_a_gap_unless_the_end_proves_it_empty() -> None:
    (reason,) = told(activated(), arrived(sized(2), 2), absent=("A", "B"))

    assert reason.startswith('lists[] sends "A", "B" there as well, and no such cohort came')
    assert told(activated(), arrived(sized(2), 2), absent=("A",), ends=True) == []


def test_only_the_end_of_the_input_proves_a_snapshot_without_members() -> None:
    (reason,) = told(activated(), arrived(sized(0), 0), arrived(sized(0), 0))

    assert reason.startswith(EMPTY)
    assert told(activated(), arrived(sized(0), 0), ends=True) == []
    assert told(activated(), arrived(sized(0), 0), arrived(sized(1), 1)) == []


def test_the_weightiest_reason_comes_first() -> None:
    stream = stream_of(None)
    stream.unclear = 1

    reasons = told(stream, arrived(sized(), 0), arrived(sized(2), 0), absent=("B",))

    assert [each.split()[0] for each in reasons] == ["1", "of", "lists[]", "nothing", "the"]
