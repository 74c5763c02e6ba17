"""Lines of other versions, of other programs, and of nobody: what a line lacks is unknown, and nothing breaks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from target_hubspot_lists.report_page.command import make_page
from target_hubspot_lists.report_page.lines import ListLine, MemberLine, RunLine, moment, parse
from tests.target_hubspot_lists.report_page.lines import list_line, member_line, run_id, run_line, started

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target_hubspot_lists.report_page.conftest import PageMaker

NAMES = sorted(
    {*member_line(), *list_line(added=1, rejected=1), *run_line(), "size", "complete", "mailability"}
)

values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(
            ["member", "list", "run", run_id(1), run_id(2), "0001-01-01T00:00:00+14:00", "VIP", "42"]
        ),
    ),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=4), children, max_size=3)
    ),
    max_leaves=4,
)
# A line of a known kind, in which some fields hold anything.
odd_lines = st.builds(
    lambda told, odd: {**told, **odd},
    st.sampled_from([member_line(), list_line(added=2, missing=1), run_line(), {"kind": "bird"}]),
    st.dictionaries(st.sampled_from(NAMES), values, max_size=6),
)


@given(st.lists(odd_lines, max_size=8))
@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_lines_hold_a_page_is_made(tmp_path: Path, lines: list[dict[str, Any]]) -> None:
    report = tmp_path / "report.jsonl"
    report.write_bytes(
        b"".join(
            orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
            for each in [*lines, run_line(run=3)]
        )
    )

    make_page(
        reports=[str(report)],
        ledger_url=None,
        campaigns_file=None,
        output=tmp_path / "page.html",
        show_members=True,
        expected_every=None,
        now=started(4),
    )

    assert (tmp_path / "page.html").read_text("utf-8").rstrip().endswith("</html>")


def test_what_a_line_lacks_is_not_told() -> None:
    member, listed, run = (parse({"kind": kind, "run_id": "r"}) for kind in ("member", "list", "run"))

    assert isinstance(member, MemberLine)
    assert (member.member, member.outcome, member.is_applied) == ("", "rejected", False)
    assert isinstance(listed, ListLine)
    assert (listed.asked, listed.applied, listed.match_rate, listed.complete) == (0, 0, None, None)
    assert isinstance(run, RunLine)
    assert (run.exit_code, run.started, run.seconds) == (0, None, None)


@pytest.mark.parametrize("line", [{}, {"kind": "member"}, {"kind": "bird", "run_id": "r"}, {"run_id": "r"}])
def test_a_line_of_another_kind_is_none(line: dict[str, Any]) -> None:
    assert parse(line) is None


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-11-22T03:15:00+01:00", "2026-11-22T02:15:00+00:00"),
        ("2026-11-22 03:15:00", "2026-11-22T03:15:00+00:00"),
        ("0001-01-01T00:00:00+14:00", None),
        ("soon", None),
        (7, None),
    ],
)
def test_a_moment_is_in_utc_or_unknown(text: object, iso: str | None) -> None:
    parsed = moment(text)

    assert (parsed and parsed.isoformat()) == iso


def test_a_lines_own_word_on_its_end_counts(page_of: PageMaker) -> None:
    failed = run_line(exit_code=1, error="Out of luck.")

    assert "1 Nov 2026, 06:00" in page_of(list_line(added=1, complete=True), failed).text
    assert "none known" in page_of(list_line(added=1, complete=False), run_line()).text
    assert "none known" in page_of(list_line(added=1)).text  # a run without an end


def test_a_list_line_without_a_cohort_names_no_cohort_of_the_list(page_of: PageMaker) -> None:
    page = page_of({**list_line(added=1), "cohort": None}, run_line())

    assert "Cohort" not in page.text
    assert "list 42 ·" in page.text


def test_an_outcome_of_a_newer_version_is_told_by_its_own_word(page_of: PageMaker) -> None:
    page = page_of(member_line(outcome="lost_in_transit", reason=None), list_line(missing=1), run_line())

    told = json.loads(page.html.partition('id="members-data">')[2].partition("</script>")[0])
    assert told["reasons"][0][0] == "Lost in transit"


def test_the_run_of_a_name_that_is_no_time_has_none(page_of: PageMaker) -> None:
    page = page_of(
        {**list_line(added=1), "run_id": "by-hand"}, {**run_line(started=None), "run_id": "by-hand"}
    )

    assert "last run unknown" in page.text


@pytest.mark.parametrize("seconds", [1e300, 8.64e13, 2**63, -0.5, -3, "12", True])
def test_a_run_of_no_possible_length_has_none_and_the_page_is_made(
    page_of: PageMaker, seconds: object
) -> None:
    page = page_of(list_line(added=2), run_line(seconds=seconds))

    assert "In place" in page.text
    line = parse(run_line(seconds=seconds))
    assert isinstance(line, RunLine)
    assert line.seconds is None
