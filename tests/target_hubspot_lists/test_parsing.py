"""The function that reads a stream's records: pure, tested with several records, since it remembers cohorts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.identifiers import packed
from target_hubspot_lists.input.columns import Columns
from target_hubspot_lists.input.parsing import is_removal, membership_parser
from target_hubspot_lists.input.records import LONGEST_COHORT, Cohort, Membership, Rejection
from target_hubspot_lists.outcomes import Reason
from target_hubspot_lists.settings import Settings

if TYPE_CHECKING:
    from target_hubspot_lists.input.parsing import Parse

BY_NUMBER_OR_ADDRESS: dict[str, Any] = {
    "match_by": "property",
    "match_property": "customer_id",
    "match_fallbacks": [{"match_by": "email"}],
}
NAME, ID = "cohort_name", "cohort_id"


def parser(*names: str, **config: Any) -> Parse:
    chosen = settings(**config)
    columns = Columns.find("members", names, chosen)
    return membership_parser("members", columns, chosen.identifiers, lambda _: None)


def settings(**config: Any) -> Settings:
    return Settings.from_config({"access_token": "pat-test", "match_by": "contact_id"} | config)


def cohort_of(read: Membership | Rejection) -> Cohort | None:
    assert isinstance(read, Membership)
    return read.cohort


def reason_of(read: Membership | Rejection) -> Reason:
    assert isinstance(read, Rejection)
    return read.reason


# The change


@pytest.mark.parametrize(
    ("word", "is_member"), [("add", True), (" aDD ", True), (1, True), ("exited", False), ("eXited", False)]
)
def test_an_operation_is_read_however_it_is_spelt(word: object, *, is_member: bool) -> None:
    read = parser("contact_id", NAME, "operation")({"contact_id": 7, NAME: "VIP", "operation": word})

    assert read == Membership(Cohort(None, "VIP"), 7, is_member)


@pytest.mark.parametrize("deleted_at", [None, "", False, 0])
def test_a_row_that_is_not_deleted_adds_where_no_column_names_the_operation(deleted_at: object) -> None:
    read = parser("contact_id", NAME, "_sdc_deleted_at")(
        {"contact_id": 7, NAME: "VIP", "_sdc_deleted_at": deleted_at}
    )

    assert read == Membership(Cohort(None, "VIP"), 7, is_member=True)


@pytest.mark.parametrize(
    ("record", "removes"),
    [
        ({"operation": "remove"}, True),
        ({"operation": "add"}, False),
        ({"operation": "no such word"}, False),
        ({"operation": "add", "_sdc_deleted_at": "2026-03-01T00:00:00Z"}, True),
        ({"operation": "remove", "_sdc_deleted_at": "no date"}, False),
    ],
)
def test_a_record_removes_only_if_it_says_so(record: dict[str, Any], *, removes: bool) -> None:
    names = ("contact_id", NAME, "operation", "_sdc_deleted_at")

    assert is_removal(record, Columns.find("members", names, settings())) is removes


# The member


@pytest.mark.parametrize(
    ("number", "address", "member"),
    [
        ("A-1", "ada@example.com", ["A-1", "ada@example.com"]),
        (17, " ADA@example.com ", ["17", "ada@example.com"]),
        (None, "ada@example.com", [None, "ada@example.com"]),
        ("A-1", "no address", ["A-1", None]),
        ("A-1", None, ["A-1", None]),
    ],
)
def test_a_member_has_all_its_identifiers(number: object, address: object, member: list[str | None]) -> None:
    read = parser("customer_id", "email", NAME, **BY_NUMBER_OR_ADDRESS)(
        {"customer_id": number, "email": address, NAME: "VIP"}
    )

    assert read == Membership(Cohort(None, "VIP"), packed(member), is_member=True)


@pytest.mark.parametrize(
    ("number", "address", "reason"),
    [(None, "", Reason.MISSING_MEMBER), (None, "no address", Reason.INVALID_MEMBER)],
)
def test_a_record_is_rejected_only_if_none_of_its_identifiers_can_be_used(
    number: object, address: object, reason: Reason
) -> None:
    read = parser("customer_id", "email", NAME, **BY_NUMBER_OR_ADDRESS)(
        {"customer_id": number, "email": address, NAME: "VIP"}
    )

    assert reason_of(read) is reason


# The size of the cohort


@pytest.mark.parametrize(
    ("value", "size"), [(3, 3), ("3", 3), (3.0, 3), (0, None), (None, None), ("x", None)]
)
def test_the_size_of_the_cohort_is_read_where_a_column_tells_it(value: object, size: int | None) -> None:
    read = parser("contact_id", NAME, "cohort_size")({"contact_id": 7, NAME: "VIP", "cohort_size": value})

    assert read == Membership(Cohort(None, "VIP"), 7, is_member=True, cohort_size=size)


def test_a_size_that_no_column_of_the_schema_holds_is_not_read() -> None:
    read = parser("contact_id", NAME)({"contact_id": 7, NAME: "VIP", "cohort_size": 3})

    assert read == Membership(Cohort(None, "VIP"), 7, is_member=True)


# The cohort


@pytest.mark.parametrize(
    ("columns", "cohort"),
    [
        ({NAME: "VIP"}, Cohort(None, "VIP")),
        ({ID: "c1"}, Cohort("c1", "c1")),
        ({ID: "c1", NAME: "VIP"}, Cohort("c1", "VIP")),
        ({ID: 7, NAME: "VIP"}, Cohort("7", "VIP")),
        ({ID: None, NAME: "VIP"}, Cohort(None, "VIP")),
    ],
)
def test_a_cohort_that_repeats_is_parsed_once(columns: dict[str, object], cohort: Cohort) -> None:
    parse = parser("contact_id", *columns)
    first, second = (cohort_of(parse({"contact_id": member, **columns})) for member in (7, 8))

    assert first == cohort
    assert second is first


@pytest.mark.parametrize("columns", [{NAME: " "}, {ID: ""}, {ID: "c1", NAME: None}])
def test_a_blank_cohort_rejects_each_record_that_has_it(columns: dict[str, object]) -> None:
    parse = parser("contact_id", *columns)

    assert [reason_of(parse({"contact_id": member, **columns})) for member in (7, 8)] == [
        Reason.MISSING_COHORT,
        Reason.MISSING_COHORT,
    ]


@pytest.mark.parametrize("value", [True, ["x"], {"x": 1}])
def test_what_is_neither_text_nor_a_number_is_no_cohort_though_one_was_named_before(value: object) -> None:
    parse = parser("contact_id", NAME, ID)
    for known in (1, "x"):
        parse({"contact_id": 7, ID: known, NAME: 1})

    assert cohort_of(parse({"contact_id": 7, ID: value, NAME: 1})) == Cohort(None, "1")
    assert reason_of(parse({"contact_id": 7, ID: 1, NAME: value})) is Reason.MISSING_COHORT


@pytest.mark.parametrize("columns", [(NAME,), (ID,), (ID, NAME)])
def test_a_cohort_has_no_nul_and_is_not_too_long(columns: tuple[str, ...]) -> None:
    parse = parser("contact_id", *columns)

    def read(text: str) -> Membership | Rejection:
        return parse({"contact_id": 7, **dict.fromkeys(columns, "x"), columns[0]: text})

    assert cohort_of(read("x" * LONGEST_COHORT))
    assert reason_of(read("x" * (LONGEST_COHORT + 1))) is Reason.INVALID_COHORT
    assert reason_of(read("x\0")) is Reason.INVALID_COHORT
