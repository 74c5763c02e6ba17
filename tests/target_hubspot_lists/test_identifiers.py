"""Whether two members are one person, by their identifiers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_hubspot_lists.identifiers import are_one

if TYPE_CHECKING:
    from target_hubspot_lists.identifiers import Name

ADA: Name = ("email", "ada@example.com")
BOB: Name = ("email", "bob@example.com")
K1: Name = ("customer_id", "K-1")
K2: Name = ("customer_id", "K-2")
PHONE: Name = ("phone", "5551234")


@pytest.mark.parametrize(
    ("names", "others", "is_one"),
    [
        ([K1, ADA], [K1, ADA], True),
        ([K1, ADA], [K1, BOB], True),  # the first property that both have decides
        ([K1, ADA], [K2, ADA], False),
        ([K1, ADA], [ADA], True),
        ([K1, ADA], [BOB], False),
        ([ADA, BOB], [BOB], True),  # two columns of one property: one of them is enough
        ([K1], [ADA], False),  # no property in common: nothing says that they are one
        ([K1], [PHONE], False),
        ([PHONE], [PHONE], False),  # a property by which the settings do not match says nothing
        ([], [ADA], False),
    ],
)
def test_members_are_one_if_the_first_property_that_both_have_has_one_value(
    names: list[Name], others: list[Name], *, is_one: bool
) -> None:
    properties = ("customer_id", "email")

    assert are_one(properties, names, others) is is_one
    assert are_one(properties, others, names) is is_one
