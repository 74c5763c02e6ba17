"""Which list each cohort goes to, as the settings say: pure, HubSpot is not asked."""

from __future__ import annotations

from typing import Any

import pytest

from target_hubspot_lists.input.records import Cohort
from target_hubspot_lists.settings import Settings
from target_hubspot_lists.sync.destinations import MOST_NAMED, Routes

NO_RECORD = "No record of this run was about these cohorts of lists[]: "


def routes(*entries: dict[str, Any], **legacy: str) -> Routes:
    settings = Settings.from_config({"access_token": "pat-test", "lists": list(entries)})
    return Routes(settings, legacy)


def unmatched(entries: list[str], *in_records: Cohort) -> str | None:
    of = routes(*({"cohort": each, "list_name": "x"} for each in entries))
    for cohort in in_records:
        of.of(cohort)
    return of.unmatched()


def named(*names: str) -> list[Cohort]:
    return [Cohort(None, name) for name in names]


def test_nothing_is_unmatched_if_no_record_came_or_each_entry_has_its_cohort() -> None:
    assert unmatched(["VIP"]) is None
    assert unmatched([], *named("VIP")) is None
    assert unmatched(["VIP", "c1"], *named("VIP"), Cohort("c1", "Beta")) is None


@pytest.mark.parametrize(
    ("entry", "in_records", "suggestion"),
    [
        ("vip", ["Vixen", "VIP"], ' (did you mean "VIP"?)'),
        ("VIPS 2026", ["VIPS 2025", "Beta"], ' (did you mean "VIPS 2025"?)'),
        ("VIPS 2026", ["Newsletter"], ""),
    ],
)
def test_an_entry_that_no_record_named_comes_with_the_nearest_cohort(
    entry: str, in_records: list[str], suggestion: str
) -> None:
    assert unmatched([entry], *named(*in_records)) == f'{NO_RECORD}"{entry}"{suggestion}.'


def test_an_id_is_suggested_as_a_name_is() -> None:
    assert unmatched(["C1"], Cohort("c1", "Beta")) == f'{NO_RECORD}"C1" (did you mean "c1"?).'


def test_of_many_entries_that_no_record_named_some_are_named_and_the_others_counted() -> None:
    names = [f"{number:03}" for number in range(MOST_NAMED + 2)]

    listed = ", ".join(f'"{name}"' for name in names[:MOST_NAMED])
    assert unmatched(names[:MOST_NAMED], *named("x")) == f"{NO_RECORD}{listed}."
    assert unmatched(names, *named("x")) == f"{NO_RECORD}{listed} and 2 more."


def test_a_cohort_is_configured_by_its_id_or_its_name() -> None:
    of = routes({"cohort": "VIP", "list_name": "x"}, {"cohort": "c1", "list_id": "7"})

    assert of.is_configured(Cohort(None, "VIP"))
    assert of.is_configured(Cohort("c2", "VIP"))
    assert of.is_configured(Cohort("c1", "Beta"))
    assert not of.is_configured(Cohort("c2", "Beta"))
    assert not of.is_configured(Cohort(None, "Beta"))


def test_an_entry_leads_to_its_id_or_to_the_id_that_its_legacy_list_has_today() -> None:
    of = routes({"cohort": "A", "list_id": "7"}, {"cohort": "B", "legacy_list_id": "70"}, **{"70": "8"})

    assert [of.of(Cohort(None, each)).list_id for each in "ABC"] == ["7", "8", None]
