"""What a record says: pure, tested with values."""

from __future__ import annotations

from typing import Any

import pytest

from target_hubspot_lists.errors import InputError
from target_hubspot_lists.input.columns import Columns
from target_hubspot_lists.input.parsing import membership_parser
from target_hubspot_lists.input.records import (
    ADD_WORDS,
    REMOVE_WORDS,
    Cohort,
    Membership,
    Rejection,
    email_address,
    operation,
    record_id,
)
from target_hubspot_lists.outcomes import Reason
from target_hubspot_lists.settings import Settings


def settings(**config: Any) -> Settings:
    return Settings.from_config({"access_token": "pat-test", **config})


def columns(*names: str, **config: Any) -> Columns:
    return Columns.find("members", names, settings(**config))


def parse(record: dict[str, Any], **config: Any) -> Membership | Rejection:
    chosen = settings(**{"match_by": "contact_id"} | config)
    found = Columns.find("members", list(record), chosen)
    return membership_parser("members", found, chosen.identifiers, lambda _: None)(record)


@pytest.mark.parametrize("word", ADD_WORDS)
def test_each_word_for_adding_adds_in_any_case(word: str) -> None:
    assert operation(word) is True
    assert operation(f" {word.upper()} ") is True


@pytest.mark.parametrize("word", REMOVE_WORDS)
def test_each_word_for_removing_removes_in_any_case(word: str) -> None:
    assert operation(word) is False
    assert operation(word.title()) is False


@pytest.mark.parametrize(
    ("value", "meaning"), [(True, True), (False, False), (1, True), (0, False), (1.0, True)]
)
def test_booleans_and_numbers_say_add_or_remove(value: object, meaning: bool) -> None:  # noqa: FBT001
    assert operation(value) is meaning


@pytest.mark.parametrize("value", [None, "", "  ", "upsert", 2, -1, [], {}, "true!"])
def test_any_other_operation_is_unknown(value: object) -> None:
    assert operation(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (123, 123),
        ("123", 123),
        (" 00123 ", 123),
        (123.0, 123),
        ("123.0", 123),
        (2**63 - 1, 2**63 - 1),
        (str(2**63 - 1), 2**63 - 1),
    ],
)
def test_a_record_id_is_a_positive_64_bit_integer_however_it_is_written(value: object, expected: int) -> None:
    assert record_id(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        0,
        "0",
        -5,
        "-5",
        1.5,
        "1.5",
        "1e3",
        "12a",
        "٣",
        True,
        2**63,
        str(2**63),
        1e300,
        float("nan"),
        float("inf"),
        [1],
        {"id": 1},
    ],
)
def test_anything_else_is_no_record_id(value: object) -> None:
    assert record_id(value) is None


def test_a_float_too_large_to_name_one_integer_is_no_record_id() -> None:
    assert record_id(float(2**53 - 1)) == 2**53 - 1
    assert record_id(9007199254740993.0) is None  # which is read as 2**53
    assert record_id(float(2**53) * 2) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" Ada@Example.COM\n", "ada@example.com"),
        ("o'brien+x@example.co", "o'brien+x@example.co"),
        ("not an address", None),
        ("a@b@c", None),
        ("@example.com", None),
        ("ada@", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_an_address_is_trimmed_and_lower_case_and_has_one_at(value: object, expected: str | None) -> None:
    assert email_address(value) == expected


def test_columns_match_without_regard_to_case() -> None:
    found = columns("EMAIL", "COHORT_NAME", "Operation", "_SDC_DELETED_AT")

    assert (found.member, found.cohort, found.operation) == ("EMAIL", "COHORT_NAME", "Operation")
    assert found.deleted_at == "_SDC_DELETED_AT"


def test_an_exact_column_wins_over_one_of_another_case() -> None:
    assert columns("EMAIL", "email").member == "email"


def test_two_columns_that_differ_in_case_alone_are_not_guessed_between() -> None:
    with pytest.raises(InputError, match='no column "email" but EMAIL and Email'):
        columns("EMAIL", "Email")


def test_an_absent_member_column_names_the_columns_there_are_and_the_nearest() -> None:
    with pytest.raises(
        InputError, match=r'no column "email".*cohort_name, e_mail.*nearest is "e_mail".*match_field'
    ):
        columns("e_mail", "cohort_name")


def test_an_absent_column_that_a_setting_names_ends_the_run_even_where_it_has_a_default() -> None:
    assert columns("email").cohort is None
    with pytest.raises(InputError, match=r'no column "cohort_name".*cohort_field'):
        columns("email", cohort_field="cohort_name")


def test_the_stream_is_the_cohort_where_no_column_names_one() -> None:
    assert parse({"contact_id": 5}) == Membership(Cohort(None, "members"), 5, is_member=True)


def test_the_cohort_id_is_its_name_where_only_that_is_there() -> None:
    assert parse({"contact_id": 5, "cohort_id": 7}) == Membership(Cohort("7", "7"), 5, is_member=True)


def test_a_cohort_has_its_id_beside_its_name() -> None:
    assert parse({"contact_id": 5, "cohort_id": "x", "cohort_name": " VIP "}) == Membership(
        Cohort("x", "VIP"), 5, is_member=True
    )


@pytest.mark.parametrize("name", [None, "", "  ", True, ["VIP"], {"name": "VIP"}])
def test_a_blank_cohort_rejects_the_record_and_is_never_the_streams_name(name: object) -> None:
    assert parse({"contact_id": 5, "cohort_name": name}) == Rejection(Reason.MISSING_COHORT, None, "5", "add")


def test_a_soft_deleted_row_removes_whatever_its_operation_says() -> None:
    record = {
        "contact_id": 5,
        "cohort_name": "VIP",
        "operation": "add",
        "_sdc_deleted_at": "2026-01-01T00:00:00Z",
    }

    assert parse(record) == Membership(Cohort(None, "VIP"), 5, is_member=False)
    for null in (None, "", "  "):
        assert parse(record | {"_sdc_deleted_at": null}) == Membership(Cohort(None, "VIP"), 5, is_member=True)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"contact_id": 5, "cohort_name": "VIP", "operation": None}, Reason.UNKNOWN_OPERATION),
        ({"contact_id": 5, "cohort_name": "VIP", "operation": "merge"}, Reason.UNKNOWN_OPERATION),
        ({"contact_id": None, "cohort_name": "VIP", "operation": "add"}, Reason.MISSING_MEMBER),
        ({"contact_id": " ", "cohort_name": "VIP", "operation": "add"}, Reason.MISSING_MEMBER),
        ({"contact_id": "x", "cohort_name": "VIP", "operation": "add"}, Reason.INVALID_MEMBER),
    ],
)
def test_a_record_that_cannot_be_applied_says_why(record: dict[str, Any], reason: Reason) -> None:
    parsed = parse(record)

    assert isinstance(parsed, Rejection)
    assert (parsed.reason, parsed.cohort) == (reason, Cohort(None, "VIP"))
