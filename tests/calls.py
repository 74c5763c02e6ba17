"""What a run costs in calls, as formulas that the documents show; test_calls.py counts the calls of real runs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# Members of the runs that are counted: by address, those that HubSpot knows and those it does not.
KNOWN, NEW = 700, 300
# With fallbacks, how many of them the first identifier does not find, and the second one neither.
LEFT = 500
# What the first run with `audience_status_property` costs more: the group of a new portal, and the list's property.
FIRST_STATUS = 3

BY_ID: Mapping[str, Any] = {"match_by": "contact_id"}
BY_EMAIL: Mapping[str, Any] = {"match_by": "email"}
BY_PROPERTY: Mapping[str, Any] = {"match_by": "property", "match_property": "customer_id"}
WITH_FALLBACKS: Mapping[str, Any] = {
    **BY_PROPERTY,
    "match_fallbacks": [{"match_by": "contact_id"}, {"match_by": "email"}],
}
MAPPED: Mapping[str, Any] = {"property_mappings": [{"field": "company", "property": "company"}]}
FILLED: Mapping[str, Any] = {**MAPPED, "property_policy": "fill_empty"}
STATUS: Mapping[str, Any] = {"audience_status_property": True}
MAILED: Mapping[str, Any] = {"check_mailability": True}


@dataclass(frozen=True)
class Cost:
    """What one choice of settings costs: `calls` is a sum of numbers and of fractions, each rounded up.

    In a fraction N stands for all members, `known` for those whose address HubSpot knows, `new` for the others. With
    fallbacks `left` are those whom the first identifier does not find.
    """

    settings: str
    calls: str
    config: Mapping[str, Any] = field(repr=False)

    def of(self, *, known: int, new: int) -> int:
        """Return the number of calls for so many members."""
        members = {"N": known + new, "known": known, "new": new, "left": LEFT}
        total = 0
        for term in self.calls.replace(",", "").split(" + "):
            what, _, per_call = term.partition(" / ")
            total += math.ceil(members[what] / int(per_call)) if per_call else int(what)
        return total


COSTS = (
    Cost("`match_by: contact_id`", "3 + N / 10,000", BY_ID),
    Cost("… and `property_mappings`", "3 + N / 10,000 + 1 + N / 100", {**BY_ID, **MAPPED}),
    Cost(
        "… and `property_policy: fill_empty`, where all are to be filled",
        "3 + N / 10,000 + 1 + N / 100 + N / 100",
        {**BY_ID, **FILLED},
    ),
    Cost("… and `audience_status_property`", "3 + N / 10,000 + 1 + N / 100", {**BY_ID, **STATUS}),
    Cost("… and both", "3 + N / 10,000 + 1 + N / 100", {**BY_ID, **MAPPED, **STATUS}),
    Cost("… and `check_mailability`", "3 + N / 10,000 + N / 100", {**BY_ID, **MAILED}),
    Cost("`match_by: email`", "3 + N / 10,000 + N / 100 + new / 100", BY_EMAIL),
    Cost(
        "… and `property_mappings`",
        "3 + N / 10,000 + N / 100 + new / 100 + 1 + known / 100",
        {**BY_EMAIL, **MAPPED},
    ),
    Cost(
        "… and `property_policy: fill_empty`, where all are to be filled",
        "3 + N / 10,000 + N / 100 + new / 100 + 1 + known / 100",
        {**BY_EMAIL, **FILLED},
    ),
    Cost(
        "… and `audience_status_property`",
        "3 + N / 10,000 + N / 100 + new / 100 + 1 + known / 100",
        {**BY_EMAIL, **STATUS},
    ),
    Cost(
        "… and both",
        "3 + N / 10,000 + N / 100 + new / 100 + 1 + known / 100",
        {**BY_EMAIL, **MAPPED, **STATUS},
    ),
    Cost("… and `check_mailability`", "3 + N / 10,000 + N / 100 + new / 100", {**BY_EMAIL, **MAILED}),
    Cost("`match_by: property`", "4 + N / 10,000 + N / 100", BY_PROPERTY),
    Cost(
        "… and two `match_fallbacks`, a record id and an address",
        "4 + N / 10,000 + N / 100 + left / 100 + left / 100 + new / 100",
        WITH_FALLBACKS,
    ),
)
