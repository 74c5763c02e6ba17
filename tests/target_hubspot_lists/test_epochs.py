"""Numbers for dates and date-times: epochs in the unit that the mapping names, else in the one that makes sense."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_hubspot_lists.hubspot.properties import PropertyDefinition
from target_hubspot_lists.input.property_values import DoesNotFit, property_text
from target_hubspot_lists.outcomes import PropertyReason
from tests.factories import record_message, schema_message
from tests.target_hubspot_lists.logs import row

if TYPE_CHECKING:
    from tests.conftest import Run, TargetRunner
    from tests.hubspot_emulator import HubSpotEmulator, Portal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DATE_TIME = PropertyDefinition("seen", "", "datetime", "date", "")
moments = st.datetimes(datetime(1900, 1, 1), datetime(2100, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def seconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(seconds=1)


def text(moment: datetime) -> str:
    return f"{moment.replace(microsecond=0):%Y-%m-%dT%H:%M:%S}.000Z"


def run_with(run_target: TargetRunner, contact: str, value: object, kind: str, unit: str | None) -> Run:
    mapping = {"field": "moment", "property": kind} | ({"unit": unit} if unit else {})
    record = record_message(contact_id=contact, cohort_name="VIP", operation="add", moment=value)
    schema = schema_message("contact_id", "cohort_name", "operation", "moment")
    return run_target(schema, record, property_mappings=[mapping])


@pytest.mark.parametrize(
    ("kind", "value", "unit", "written"),
    [
        # Days from 1968 to 1973 are small numbers of milliseconds, too.
        ("date", -50_000_000_000, "ms", "1968-06-01"),
        ("date", -50_000_000_000, None, "1968-06-01"),
        ("date", 94_694_400_000, None, "1973-01-01"),
        ("date", 94_694_400_000, "ms", "1973-01-01"),
        ("date", 94_694_400, None, "1973-01-01"),
        ("date", 94_694_400, "s", "1973-01-01"),
        ("date", 86_400, None, "1970-01-02"),
        ("date", 86_400_000, "ms", "1970-01-02"),
        ("date", 0, None, "1970-01-01"),
        ("date", -2_208_988_800, None, "1900-01-01"),
        ("date", 4_133_894_400, None, "2100-12-31"),
        ("date", 4_133_980_800, None, "1970-02-17"),  # as seconds it would be 2101
        ("date", -2_208_988_801_000, None, "1899-12-31"),
        # With a unit a number is what it says, whatever it looks like.
        ("date", 1_772_323_200, "ms", "1970-01-21"),
        ("date", 20_260_301, "s", "1970-08-23"),
        ("date", 7_258_118_400, "s", "2200-01-01"),
        ("date", "1772323200", "s", "2026-03-01"),
        ("date", "86400000", "ms", "1970-01-02"),
        ("datetime", 1_772_323_200_500, "ms", "2026-03-01T00:00:00.500Z"),
        ("datetime", "1772323200.5", "s", "2026-03-01T00:00:00.500Z"),
        # Text that is a date stays one.
        ("date", "2026-03-01", "ms", "2026-03-01"),
    ],
)
def test_a_number_is_a_moment_in_the_unit_of_its_mapping(
    portal: Portal, run_target: TargetRunner, kind: str, value: object, unit: str | None, written: str
) -> None:
    portal.add_property(kind, kind, "date")
    (ada,) = portal.add_contacts(1)

    run = run_with(run_target, ada, value, kind, unit)

    assert run.exit_code == 0
    assert portal.contact(ada).properties == {kind: written}
    assert row(run.log, "VIP")["properties_updated"] == "1"


@pytest.mark.parametrize("value", [2026, 1900, 20_260_301, 21_001_231, "20260301", 10**30, -(10**16), True])
def test_a_number_that_is_hardly_an_epoch_rejects_the_attributes_and_not_the_member(
    portal: Portal, run_target: TargetRunner, value: object
) -> None:
    portal.add_property("date", "date", "date")
    (ada,) = portal.add_contacts(1)

    run = run_with(run_target, ada, value, "date", None)

    assert portal.members("VIP") == {ada}
    assert portal.contact(ada).properties == {}
    assert "1 not_a_date" in run.log


@given(moments)
def test_seconds_without_a_unit_are_seconds_from_1900_to_2100(moment: datetime) -> None:
    number = seconds(moment)
    looks_like_a_year_or_day = 1900 <= number <= 2100 or 19_000_101 <= number <= 21_001_231

    if not looks_like_a_year_or_day:
        assert property_text(DATE_TIME, number) == text(moment)


@given(moments)
def test_milliseconds_without_a_unit_are_milliseconds_but_for_weeks_around_1970(moment: datetime) -> None:
    if abs(moment - EPOCH) > timedelta(days=48):
        assert property_text(DATE_TIME, seconds(moment) * 1000) == text(moment)


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_with_a_unit_every_moment_is_itself(moment: datetime) -> None:
    shown = f"{moment.year:04}{text(moment)[text(moment).index('-') :]}"

    assert property_text(DATE_TIME, seconds(moment), "s") == shown
    assert property_text(DATE_TIME, seconds(moment) * 1000, "ms") == shown


@given(st.floats() | st.integers(), st.sampled_from([None, "ms", "s"]))
def test_whatever_number_comes_is_a_moment_or_rejected(number: float, unit: Any) -> None:
    try:
        assert property_text(DATE_TIME, number, unit).endswith("Z")
    except DoesNotFit as problem:
        assert problem.reason is PropertyReason.NOT_A_DATETIME  # noqa: PT017 - either end is fine


def test_a_unit_for_a_property_that_is_no_date_ends_the_run_before_anything_is_written(
    hubspot: HubSpotEmulator, portal: Portal, run_target: TargetRunner
) -> None:
    portal.add_property("plan")
    (ada,) = portal.add_contacts(1)

    run = run_with(run_target, ada, "x", "plan", "ms")

    assert run.exit_code == 1
    assert '"plan" is no date' in run.error
    assert hubspot.calls("PUT") == hubspot.calls(path_contains="batch/update") == 0


def test_a_unit_that_there_is_not_is_refused_as_a_setting(portal: Portal, run_target: TargetRunner) -> None:
    portal.add_property("date", "date", "date")

    run = run_with(run_target, "1", 0, "date", "minutes")

    assert run.exit_code == 1
    assert "property_mappings" in run.error
