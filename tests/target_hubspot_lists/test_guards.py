"""When a mirror may remove members in spite of a whole snapshot: pure, tested with values."""

from __future__ import annotations

import pytest

from target_hubspot_lists.hubspot.list_objects import HubSpotList
from target_hubspot_lists.input.records import Cohort
from target_hubspot_lists.mirror.guards import Removal, entries, not_ours


@pytest.mark.parametrize(
    ("to_remove", "unusable", "is_too_much"),
    [
        (10, 0, False),  # as many as max_removal_percent allows
        (11, 0, True),
        (8, 2, False),
        (8, 3, True),  # three of the eight may be in the snapshot
        (5, 50, False),  # no more of them than there are removals
        (6, 50, True),
        (0, 50, False),
    ],
)
def test_a_row_without_a_usable_member_counts_with_the_removals(
    to_remove: int,
    unusable: int,
    is_too_much: bool,  # noqa: FBT001
) -> None:
    removal = Removal(members=100, to_remove=to_remove, unusable=unusable)

    assert removal.is_too_much(10) is is_too_much


@pytest.mark.parametrize(
    ("members", "before", "to_remove", "is_too_much"),
    [
        (225, 25, 25, True),  # everybody there was
        (225, 25, 6, True),  # more than a fifth of 25
        (225, 25, 5, False),
        (225, None, 25, False),
        (20, 25, 4, False),  # the smaller of both counts
        (20, 25, 5, True),
        (40, 10, 9, True),  # too large a share of the 40: having had 10 allows no more
        (40, 10, 8, False),  # of so few any share may go
        (40, 10, 10, True),
        (5, 0, 1, True),
        (225, 25, 0, False),
    ],
)
def test_members_that_runs_added_whose_removals_were_held_back_make_no_share_smaller(
    members: int,
    before: int | None,
    to_remove: int,
    is_too_much: bool,  # noqa: FBT001
) -> None:
    removal = Removal(members, to_remove, members_before=before)

    assert removal.is_too_much(20) is is_too_much
    assert removal.is_too_much(100) is False


def a_list(name: str) -> HubSpotList:
    return HubSpotList("42", name, "MANUAL", "0-1")


def test_the_line_to_paste_has_the_cohort_as_it_is_spelt() -> None:
    assert 'lists: [{"cohort": "Köln", "list_id": "42"}]' in not_ours(a_list("Köln"), Cohort(None, "Köln"))


@pytest.mark.parametrize(
    ("cohorts", "named", "end"), [("a", 1, "}]"), ("abc", 3, "}]"), ("abcd", 3, "}] and so on")]
)
def test_the_line_to_paste_names_three_cohorts_at_most(cohorts: str, named: int, end: str) -> None:
    line = entries(a_list("VIP"), [Cohort(None, each) for each in cohorts])

    assert line.count('"list_id": "42"') == named
    assert line.endswith(end)
