"""Values of records, and the keys by which cohorts are known again: pure, tested with values."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from target_hubspot_lists.input.records import (
    LARGEST_RECORD_ID,
    LONGEST_VALUE,
    Cohort,
    Rejection,
    as_asked,
    email_address,
    is_blank,
    iso_moment,
    name_text,
    operation,
    positive_integer,
    property_value,
    says_deleted,
)
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


@pytest.mark.parametrize(
    "value", [LARGEST_RECORD_ID, str(LARGEST_RECORD_ID), f" {LARGEST_RECORD_ID} ", f"{LARGEST_RECORD_ID}.0"]
)
def test_the_largest_record_id_is_the_largest_64_bit_integer(value: object) -> None:
    assert positive_integer(value) == LARGEST_RECORD_ID


@pytest.mark.parametrize("value", [2**63, str(2**63), f" {2**63}", "1" * 20, "9" * 19 + ".0", float(2**63)])
def test_nothing_above_it_is_a_record_id(value: object) -> None:
    assert positive_integer(value) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (float(2**53 - 1), 2**53 - 1),
        ("0042", 42),
        ("42.000", 42),
        (float(2**53), None),  # it may have been written as 2**53 + 1
        (1.5, None),
        (float("inf"), None),
        (float("nan"), None),
        ("42.", None),
        ("42.5", None),
        ("4 2", None),
        ("4e2", None),
        ("٤٢", None),  # digits of another script
        ("²", None),
        ("+42", None),
        (True, None),
        (None, None),
        ("", None),
        ([42], None),
    ],
)
def test_a_record_id_is_an_integer_digits_or_an_exact_float(value: object, number: int | None) -> None:
    assert positive_integer(value) == number


@pytest.mark.parametrize(
    ("value", "is_member"),
    [
        (True, True),
        (False, False),
        (1, True),
        (0, False),
        (1.0, True),
        ("1", True),
        (" Entered ", True),
        ("REALIZED", True),
        ("Exited", False),
        ("left", False),
        ("leave", None),
        (2, None),
        ("", None),
        (None, None),
        (["add"], None),
    ],
)
def test_an_operation_is_one_of_the_words_that_sources_use(value: object, *, is_member: bool | None) -> None:
    assert operation(value) is is_member


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (" Ada@Example.COM ", "ada@example.com"),
        ("a@b", "a@b"),
        ("@example.com", None),
        ("ada@", None),
        ("ada", None),
        ("ada@example@com", None),
        ("ada\0@example.com", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_an_address_has_one_at_sign_with_something_around_it(value: object, address: str | None) -> None:
    assert email_address(value) == address


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" K 17 ", "K 17"),
        (17, "17"),
        (17.0, "17"),
        (17.5, "17.5"),
        (-float(2**53 - 1), str(-(2**53 - 1))),
        (10**30, str(10**30)),
        ("x" * LONGEST_VALUE, "x" * LONGEST_VALUE),
        ("x" * (LONGEST_VALUE + 1), None),
        (float(2**53), None),
        (-float(2**53), None),
        (float("inf"), None),
        (float("nan"), None),
        ("K\0", None),
        (" ", None),
        (True, None),
        (None, None),
        (["K"], None),
    ],
)
def test_a_customer_number_is_text_or_a_number_that_is_exact(value: object, text: str | None) -> None:
    assert property_value(value) == text


def test_a_name_may_be_a_number_of_any_size() -> None:
    assert name_text(float(2**60)) == str(2**60)
    assert name_text(0.5) == "0.5"
    assert name_text("\t") is None


@pytest.mark.parametrize(
    ("value", "is_one"), [(None, True), ("", True), (" \n", True), ("x", False), (0, False), (False, False)]
)
def test_null_and_blank_text_are_blank(value: object, *, is_one: bool) -> None:
    assert is_blank(value) is is_one


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-20", datetime(2026, 3, 20, tzinfo=UTC)),
        (" 2026-03-20 09:46:40 ", datetime(2026, 3, 20, 9, 46, 40, tzinfo=UTC)),
        ("2026-03-20t09:46:40z", datetime(2026, 3, 20, 9, 46, 40, tzinfo=UTC)),
        ("2026-03-20T09:46:40+02:00", datetime(2026, 3, 20, 7, 46, 40, tzinfo=UTC)),
        ("20260320", None),
        ("2026-03-20T", None),
        ("2026-02-30", None),
        ("0001-01-01T00:00:00+14:00", None),  # before the first moment
        ("2026-W12-5", None),
        ("NaT", None),
    ],
)
def test_a_moment_is_a_date_with_dashes_alone_or_with_a_time(text: str, moment: datetime | None) -> None:
    found = iso_moment(text)

    assert found == moment
    assert found is None or found.utcoffset() == UTC.utcoffset(None)


@pytest.mark.parametrize(
    "value", ["2026-03-20", "2026-03-20T09:46:40Z", date(2026, 3, 20), datetime(2026, 3, 20, tzinfo=UTC)]
)
def test_a_moment_deletes(value: object) -> None:
    assert says_deleted(value) is True


@pytest.mark.parametrize("value", ["NaT", "true", True, 1, 1.0, 1774000000, {}, ["2026-03-20"]])
def test_what_may_be_a_moment_and_may_not_decides_nothing(value: object) -> None:
    assert says_deleted(value) is None


@pytest.mark.parametrize("value", [None, "", " ", False, "False", 0, 0.0, "0"])
def test_what_says_that_there_is_no_time_does_not_delete(value: object) -> None:
    assert says_deleted(value) is False


def test_a_rejection_hides_no_member_unless_it_says_so() -> None:
    assert not Rejection(Reason.MISSING_COHORT, None, "", "").hides_a_member


def test_a_report_shows_the_first_320_characters_of_a_member() -> None:
    assert as_asked("x" * 320 + "y") == "x" * 320
    assert as_asked(None) == ""
    assert as_asked(0) == "0"
    assert as_asked({"a": "b"}) == "{'a': 'b'}"
