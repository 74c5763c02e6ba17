"""Numbers, shares, moments and people in the words of the page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_hubspot_lists.outcomes import LIST_REASONS, Outcome, PropertyReason, Reason
from target_hubspot_lists.report_page.histories import overdue, usual_interval
from target_hubspot_lists.report_page.lines import MemberLine, parse
from target_hubspot_lists.report_page.members_table import masked, masked_text
from target_hubspot_lists.report_page.wording import at, every, one_line, percent, share, span
from target_hubspot_lists.reporting import explanations
from target_hubspot_lists.reporting.text_tables import is_formula
from tests.target_hubspot_lists.report_page.lines import member_line, started

DAY = timedelta(days=1)


def test_every_outcome_and_every_reason_has_its_words() -> None:
    for home, codes in (
        (explanations.OUTCOMES, Outcome),
        (explanations.REASONS, Reason),
        (explanations.PROPERTY_REASONS, PropertyReason),
    ):
        assert [code for code in codes if code not in home] == []
        for each in home.values():
            assert each.title
            assert each.meaning.endswith((".", ")"))
    assert explanations.REASONS.keys() >= LIST_REASONS


def test_every_reason_says_what_to_do() -> None:
    for home in (explanations.REASONS, explanations.PROPERTY_REASONS):
        assert [code for code, each in home.items() if not each.what_to_do] == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (2 / 3, "66.7 %"),
        (0.5, "50 %"),
        (0.9999, "above 99.9 %"),
        (0.0001, "below 0.1 %"),
        (None, "-"),
    ],
)
def test_a_share_is_100_or_0_percent_only_where_it_is_exactly(value: float | None, text: str) -> None:
    assert percent(value) == text


def test_a_share_of_nothing_is_a_dash() -> None:
    assert share(0, 0) == "-"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (90, "90 seconds"),
        (3_600, "1 hour"),
        (5_400, "90 minutes"),
        (86_400, "1 day"),
        (100_000, "28 hours"),
        (864_000, "10 days"),
    ],
)
def test_a_span_has_one_unit(seconds: int, text: str) -> None:
    assert span(timedelta(seconds=seconds)) == text


def test_an_interval_of_one_unit_names_the_unit_alone() -> None:
    assert (every(DAY), every(6 * DAY)) == ("every day", "every 6 days")


def test_a_moment_is_in_utc_and_may_be_unknown() -> None:
    assert at(datetime(2026, 11, 2, 3, 4, tzinfo=UTC)) == "2 Nov 2026, 03:04 UTC"
    assert at(None) == "unknown"


def test_text_of_a_record_is_one_short_line() -> None:
    assert one_line("a\x00\n\t b\u202e\x1b[31m") == "a b [31m"
    persian = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"  # with a joiner that the word needs
    assert one_line(persian) == persian
    assert len(one_line("x" * 500)) == 200


def line(**fields: object) -> MemberLine:
    parsed = parse(member_line(**fields))  # type: ignore[arg-type]
    assert isinstance(parsed, MemberLine)
    return parsed


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("ada.lovelace@mail.example.com", "a•••@m•••.com"),
        ("ada@example", "a•••@e•••"),
        ("ada@example.somebodysname", "a•••@e•••"),
        ("a@b@c.de", "a•••@c•••.de"),
        ("Ada Lovelace", "A•••"),
        ("", ""),
        ("@", "•••@•••"),
    ],
)
def test_an_address_is_masked(address: str, text: str) -> None:
    assert masked_text(address) == text


def test_a_record_id_is_no_address_and_a_telephone_number_is_no_record_id() -> None:
    assert masked(line(member="30000000001", record_id="30000000001")) == "30000000001"
    assert masked(line(member="30000000001", identifier="contact_id")) == "30000000001"
    assert masked(line(member="491701234567", record_id="7", identifier="property")) == "4•••"


@given(st.text(min_size=2, max_size=20), st.text(min_size=2, max_size=20))
def test_no_more_than_two_letters_and_the_last_label_of_an_address_are_shown(local: str, domain: str) -> None:
    shown = masked_text(f"{local}@{domain}.com")

    assert re.fullmatch(r".•••@.•••\.com", shown, re.DOTALL)


@given(st.text())
def test_a_field_behind_a_quote_is_never_a_formula(text: str) -> None:
    assert not is_formula(f"'{text}")


def test_a_habit_is_told_from_the_fourth_run_on() -> None:
    assert usual_interval([started(run) for run in range(1, 4)]) is None
    assert usual_interval([started(run) for run in range(1, 5)]) == DAY


def test_runs_by_hand_one_after_another_are_no_habit() -> None:
    starts = [started() + timedelta(minutes=minute) for minute in range(10)]

    assert overdue(starts, started(30)) is None


def test_a_list_that_runs_when_there_is_a_change_has_no_habit() -> None:
    starts = [started(run) for run in (1, 2, 6, 7, 15, 17, 26)]

    assert usual_interval(starts) is None
    assert overdue(starts, started(90)) is None


def test_a_list_whose_input_was_read_without_a_change_had_its_chance() -> None:
    starts = [started(run) for run in range(1, 7)]

    assert overdue(starts, started(12)) is not None
    assert overdue(starts, started(12), last_read=started(11)) is None


def test_one_long_pause_does_not_change_a_habit() -> None:
    starts = [started(run) for run in (1, 2, 3, 4, 10, 11, 12)]

    assert usual_interval(starts) == DAY
    found = overdue(starts, started(15))
    assert found is not None
    assert (found.since_last_run, found.interval) == (3 * DAY, DAY)


def test_a_list_that_never_ran_is_not_overdue() -> None:
    assert overdue([], started(), DAY) is None
