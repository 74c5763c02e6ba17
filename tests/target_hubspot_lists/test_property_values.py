"""Values become what HubSpot takes for the property's type, or are told not to fit; nothing is guessed."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_hubspot_lists.hubspot.properties import Option, PropertyDefinition
from target_hubspot_lists.input.property_values import LONGEST_TEXT, DoesNotFit, is_empty, property_text
from target_hubspot_lists.outcomes import PropertyReason

if TYPE_CHECKING:
    from datetime import date

OPTIONS = (
    Option("free", "Free plan"),
    Option("pro", "Pro plan"),
    Option("PRO", "Old pro"),
    Option("7", "Seven"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
TYPES = ["string", "number", "bool", "enumeration", "date", "datetime", "phone_number"]


def definition(kind: str, field_type: str = "", options: tuple[Option, ...] = OPTIONS) -> PropertyDefinition:
    return PropertyDefinition("plan", "Plan", kind, field_type, "g", options=options)


def refusal(kind: str, value: object, field_type: str = "") -> str:
    with pytest.raises(DoesNotFit) as refused:
        property_text(definition(kind, field_type), value)
    return refused.value.reason


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("string", " as it is ", " as it is "),
        ("string", 7.0, "7"),
        ("string", 1e22, "10000000000000000000000"),
        ("string", True, "true"),
        ("phone_number", "+44 20 7946 0000", "+44 20 7946 0000"),
        ("number", 7, "7"),
        ("number", 7.0, "7"),
        ("number", 0.1, "0.1"),
        ("number", " -1.50 ", "-1.50"),
        ("number", "+.5", "0.5"),
        ("number", "1e3", "1000"),
        ("number", 1e-7, "0.0000001"),
        ("bool", True, "true"),
        ("bool", 0, "false"),
        ("bool", 1.0, "true"),
        ("bool", " Yes ", "true"),
        ("bool", "OFF", "false"),
        ("enumeration", "free", "free"),
        ("enumeration", "Free plan", "free"),
        ("enumeration", " fRee PLAN ", "free"),
        ("enumeration", "pro", "pro"),
        ("enumeration", "PRO", "PRO"),
        ("enumeration", 7, "7"),
        ("date", "2026-03-01", "2026-03-01"),
        ("date", "2026-03-01T23:30:00-05:00", "2026-03-02"),
        ("date", "2026-03-01 10:00:00", "2026-03-01"),
        ("date", 1_772_323_200_000, "2026-03-01"),
        ("date", 1_772_323_200, "2026-03-01"),
        ("date", "1772323200000", "2026-03-01"),
        ("date", "0987-01-02", "0987-01-02"),
        ("date", -1_500_000_000, "1922-06-20"),
        ("datetime", "2026-03-01", "2026-03-01T00:00:00.000Z"),
        ("datetime", "2026-03-01T10:00:00.123456+02:00", "2026-03-01T08:00:00.123Z"),
        ("datetime", "2026-03-01t10:00:00z", "2026-03-01T10:00:00.000Z"),
        ("datetime", 1_772_323_200.5, "2026-03-01T00:00:00.500Z"),
    ],
)
def test_a_value_that_fits_becomes_hubspots_text(kind: str, value: object, text: str) -> None:
    assert property_text(definition(kind), value) == text


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("string", {"a": 1}, "not_text"),
        ("string", ["a"], "not_text"),
        ("string", math.nan, "not_text"),
        ("string", "x" * (LONGEST_TEXT + 1), "too_long"),
        ("number", "1,5", "not_a_number"),
        ("number", "1,000", "not_a_number"),
        ("number", "1_000", "not_a_number"),
        ("number", "٣", "not_a_number"),
        ("number", "nan", "not_a_number"),
        ("number", "1e999", "not_a_number"),
        ("number", "1e9999999999", "not_a_number"),
        ("number", math.inf, "not_a_number"),
        ("number", True, "not_a_number"),
        ("bool", "maybe", "not_a_bool"),
        ("bool", 2, "not_a_bool"),
        ("enumeration", "Pro", "not_an_option"),  # either of two
        ("enumeration", "gold", "not_an_option"),
        ("enumeration", "free;pro", "not_an_option"),
        ("enumeration", ["free"], "not_an_option"),
        ("date", "01/03/2026", "not_a_date"),
        ("date", "2026-02-30", "not_a_date"),
        ("date", "20260301", "not_a_date"),
        ("date", 2026, "not_a_date"),
        ("date", True, "not_a_date"),
        ("date", 1e300, "not_a_date"),
        ("date", "0001-01-01T00:00:00+10:00", "not_a_date"),
        ("datetime", "yesterday", "not_a_datetime"),
        ("datetime", math.nan, "not_a_datetime"),
    ],
)
def test_a_value_that_does_not_fit_is_told_why(kind: str, value: object, reason: str) -> None:
    assert refusal(kind, value) == reason


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["Pro plan", "free", "pro"], "pro;free"),
        ("free;Pro plan;", "free;pro"),
        (";free", ";free"),
        ("Free plan", "free"),
        ([7], "7"),
    ],
)
def test_a_multi_checkbox_takes_lists_and_joined_text(value: object, text: str) -> None:
    assert property_text(definition("enumeration", "checkbox"), value) == text


def test_a_null_in_a_list_of_options_says_nothing() -> None:
    plan = definition("enumeration", "checkbox")

    assert property_text(plan, ["free", None, " ", "Pro plan"]) == "free;pro"
    assert is_empty([None, ""])
    assert not is_empty([None, False])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Food; Drinks", "food"),
        (" food; drinks ", "food"),
        ("Seven;Food; Drinks;free", "7;food;free"),
        (";Food; Drinks", ";food"),
        ("Food;free", "only_food;free"),
        (["Food; Drinks", "Food"], "food;only_food"),
    ],
)
def test_the_label_of_an_option_may_hold_the_separator(value: object, text: str) -> None:
    options = (*OPTIONS, Option("food", "Food; Drinks"), Option("only_food", "Food"))

    assert property_text(definition("enumeration", "checkbox", options), value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "true"),
        (0, "false"),
        ("y", "true"),
        (" NO ", "false"),
        (True, "true"),
        ("Yes", "true"),
        ("off", "false"),
    ],
)
def test_a_boolean_checkbox_takes_what_a_bool_takes(value: object, text: str) -> None:
    options = (Option("true", "Yes"), Option("false", "No"))

    assert property_text(definition("enumeration", "booleancheckbox", options), value) == text
    assert property_text(definition("enumeration", "booleancheckbox", ()), value) == text
    assert property_text(definition("bool", "booleancheckbox", options), value) == text


def test_an_option_of_a_boolean_checkbox_comes_before_what_a_bool_takes() -> None:
    options = (Option("true", "0"), Option("false", "1"))

    assert property_text(definition("enumeration", "booleancheckbox", options), 1) == "false"
    with pytest.raises(DoesNotFit) as refused:
        property_text(definition("enumeration", "booleancheckbox", options), "perhaps")
    assert refused.value.reason == "not_a_bool"


@pytest.mark.parametrize("value", [["free", "gold"], ["free", False], "free;gold", ";", ";;", [["free"]]])
def test_one_option_that_does_not_exist_spoils_a_multi_checkbox(value: object) -> None:
    assert refusal("enumeration", value, "checkbox") == "not_an_option"


def test_options_that_hubspot_keeps_elsewhere_are_left_to_its_judgement() -> None:
    assert property_text(definition("enumeration", options=()), 123) == "123"


def test_an_option_of_one_value_that_is_the_label_of_another_means_the_value() -> None:
    crossed = (Option("a", "b"), Option("b", "a"))

    assert property_text(definition("enumeration", options=crossed), "a") == "a"


@pytest.mark.parametrize("value", [None, "", " \t", []])
def test_null_and_blank_say_nothing(value: object) -> None:
    assert is_empty(value)


@given(
    kind=st.sampled_from(TYPES),
    field_type=st.sampled_from(["", "checkbox"]),
    value=JSON.filter(lambda value: not is_empty(value)),
)
def test_whatever_comes_ends_in_text_that_fits_or_in_a_reason(
    kind: str, field_type: str, value: object
) -> None:
    try:
        text = property_text(definition(kind, field_type), value)
    except DoesNotFit as refused:
        assert refused.reason in PropertyReason  # noqa: PT017 - either end is fine, each is checked
    else:
        assert len(text) <= LONGEST_TEXT
        assert property_text(definition(kind, field_type), text) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=9))
def test_a_number_keeps_its_value(number: Decimal) -> None:
    assert Decimal(property_text(definition("number"), str(number))) == number


@given(st.datetimes(min_value=datetime(1500, 1, 1), max_value=datetime(2500, 1, 1)), st.integers(-840, 840))  # noqa: DTZ001
def test_a_moment_is_the_same_in_any_zone_and_form(naive: datetime, minutes: int) -> None:
    moment = naive.replace(microsecond=0, tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(minutes=minutes))).isoformat()
    forms: list[object] = [moment.isoformat(), elsewhere, naive.replace(microsecond=0).isoformat(sep=" ")]
    if moment.year < 1965 or moment.year > 1974:
        forms.append(int(moment.timestamp()) * 1000)

    assert {property_text(definition("datetime"), form) for form in forms} == {
        f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"
    }
    assert {property_text(definition("date"), form) for form in forms} == {f"{moment:%Y-%m-%d}"}


@given(st.dates())
def test_a_day_is_that_day(day: date) -> None:
    assert property_text(definition("date"), day.isoformat()) == day.isoformat()
