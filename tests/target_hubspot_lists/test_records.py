"""Values of records, and the keys by which cohorts are known again: pure, tested with values."""

from __future__ import annotations

import pytest

from target_hubspot_lists.input.records import Cohort, Rejection, as_asked, positive_integer, says_deleted
from target_hubspot_lists.outcomes import Reason


@pytest.mark.parametrize(
    ("cohort", "key"),
    [
        (Cohort("7", "VIP customers"), "id 7"),
        (Cohort(None, "VIP customers"), "name VIP customers"),
        (Cohort(None, "id 7"), "name id 7"),
        (Cohort("name 7", "VIP customers"), "id name 7"),
    ],
)
def test_a_cohort_is_known_again_by_its_key(cohort: Cohort, key: str) -> None:
    assert cohort.key == key
    assert Cohort.from_key(key, "VIP customers") == cohort


def test_a_cohort_with_an_id_whose_name_is_not_known_is_named_by_its_id() -> None:
    assert Cohort.from_key("id 7") == Cohort("7", "7")


@pytest.mark.parametrize("value", [1, "1", " 1 ", 1.0, "1.0"])
def test_the_smallest_record_id_is_one(value: object) -> None:
    assert positive_integer(value) == 1


@pytest.mark.parametrize("value", [0, "0", 0.0, -1, "-1"])
def test_nothing_below_one_is_a_record_id(value: object) -> None:
    assert positive_integer(value) is None


@pytest.mark.parametrize("value", [None, "", " ", False, "False", 0, 0.0, "0"])
def test_what_says_that_there_is_no_time_does_not_delete(value: object) -> None:
    assert says_deleted(value) is False


def test_a_rejection_hides_no_member_unless_it_says_so() -> None:
    assert not Rejection(Reason.MISSING_COHORT, None, "", "").hides_a_member


def test_a_report_shows_the_first_320_characters_of_a_member() -> None:
    assert as_asked("x" * 320 + "y") == "x" * 320
    assert as_asked(None) == ""
