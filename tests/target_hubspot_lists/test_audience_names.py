"""A list's property has a name that HubSpot takes, the same in every run, and its own."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_hubspot_lists.hubspot.audience_names import (
    distinct_name,
    marked_list_id,
    property_description,
    property_label,
    property_name,
)

NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


@pytest.mark.parametrize(
    ("list_name", "name"),
    [
        ("amplitude_VIP", "amplitude_vip"),
        ("Reads every newsletter!", "reads_every_newsletter"),
        ("  _Café & Größe_ ", "cafe_grosse"),
        ("VIP", "vip"),
        ("x" * 100, "x" * 100),
    ],
)
def test_a_name_is_that_of_the_list_in_plain_letters(list_name: str, name: str) -> None:
    assert property_name(list_name) == name


@pytest.mark.parametrize(
    ("list_name", "start"),
    [
        ("東京", "cohort_"),
        ("!!!", "cohort_"),
        ("2026 trial", "cohort_2026_trial_"),
        ("x" * 101, "x" * 91 + "_"),
    ],
)
def test_what_does_not_make_a_name_gets_a_prefix_and_a_digest(list_name: str, start: str) -> None:
    assert re.fullmatch(re.escape(start) + r"[0-9a-f]{8}", property_name(list_name))


@given(st.text(min_size=1))
def test_every_name_is_one_that_hubspot_takes_whatever_the_list_is_called(list_name: str) -> None:
    for name in (property_name(list_name), distinct_name(list_name)):
        assert NAME.fullmatch(name)
    assert property_name(list_name) == property_name(list_name)
    assert property_label(list_name).endswith("(audience status)")


@given(st.text(alphabet=st.characters(codec="ascii"), min_size=1))
def test_names_ignore_case_as_hubspot_does(list_name: str) -> None:
    assert property_name(list_name.upper()) == property_name(list_name.lower())
    assert distinct_name(list_name.upper()) == distinct_name(list_name.lower())


@given(st.sets(st.text(alphabet="aA1! é東", min_size=1, max_size=5), min_size=2))
def test_different_lists_have_distinct_names(list_names: set[str]) -> None:
    different = {name.lower() for name in list_names}

    assert len({distinct_name(name) for name in list_names}) == len(different)


@given(st.text(), st.integers(1, 10**12).map(str))
def test_a_description_marks_its_list_whatever_the_list_is_called(list_name: str, list_id: str) -> None:
    assert marked_list_id(property_description(f"{list_name} (list 7)", list_id)) == list_id
    assert marked_list_id("Whatever somebody wrote.") is None
