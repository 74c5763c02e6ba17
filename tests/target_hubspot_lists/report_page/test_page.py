"""The page says what became of each list, in words, and gives away no address."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import re
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from target_hubspot_lists.ledger import KnownList
from target_hubspot_lists.report_page.command import main
from target_hubspot_lists.reporting.explanations import PROPERTY_REASONS
from target_hubspot_lists.reporting.text_tables import is_formula
from tests.factories import by_email, email_schema
from tests.processes import TIMEOUT
from tests.target_hubspot_lists.inputs import emails
from tests.target_hubspot_lists.report_page.conftest import MadePage
from tests.target_hubspot_lists.report_page.lines import (
    PORTAL,
    list_line,
    member_line,
    run_id,
    run_line,
    started,
    write,
)

if TYPE_CHECKING:
    from click.testing import Result

    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import Portal
    from tests.target_hubspot_lists.conftest import Ledgers
    from tests.target_hubspot_lists.report_page.conftest import PageMaker

ROOT = Path(__file__).parents[3]

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    '"><img src=x onerror=alert(3)>',
    "' onfocus=alert(4) autofocus x='",
    "{{ 7*191 }}",
    "<!--",
    "javascript:alert(5)",
]


def daily(days: int, **counts: Any) -> list[dict[str, Any]]:
    """A run a day on one list."""
    return [
        line
        for run in range(1, days + 1)
        for line in (list_line(run=run, **(counts or {"added": 10})), run_line(run=run))
    ]


def member_rows(page: MadePage) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(page.csv, newline="")))


# What it says


def test_a_list_of_which_all_are_in_place_is_said_to_be_in_place(page_of: PageMaker) -> None:
    page = page_of(list_line(added=3, already_member=2), run_line())

    assert "The list is in place." in page.text
    assert "5 of 5 in place" in page.text
    assert "What to do" not in page.text


def test_lists_to_look_at_come_first_with_how_many_are_not_in_place(page_of: PageMaker) -> None:
    page = page_of(
        list_line(name="Fine", list_id="1", added=3),
        list_line(name="Bad", list_id="2", added=3, missing=2),
        list_line(name="Nearly", list_id="3", added=99, missing=1),
        run_line(),
    )

    assert "2 of 3 lists need a look." in page.text
    assert "Bad\n: 2 of 5 are not in place." in page.text
    assert "Nearly\n: 1 of 100 is not in place." in page.text
    order = [page.text.index(f"{name}\n{state}") for name, state in _states("Bad", "Nearly", "Fine")]
    assert order == sorted(order)


def _states(*names: str) -> list[tuple[str, str]]:
    words = {"Bad": "Needs a look", "Nearly": "Mostly in place", "Fine": "In place"}
    return [(name, words[name]) for name in names]


def test_reasons_are_told_in_words_with_what_to_do(page_of: PageMaker) -> None:
    page = page_of(
        list_line(added=5, rejected=3, missing=1, reasons={"invalid_email": 2, "refused_by_hubspot": 1}),
        run_line(streams={"members": {"rejected_without_list": {"missing_cohort": 4}}}),
    )

    assert "Address is not well-formed\n2\n" in page.text
    assert "Correct the address in the source." in page.text
    assert "Not in HubSpot\n1\n" in page.text
    assert "No cohort\n4\n" in page.text
    assert "invalid_email" not in page.text


def test_a_reason_that_this_version_does_not_know_is_told_by_its_own_word(page_of: PageMaker) -> None:
    page = page_of(list_line(rejected=1, added=1, reasons={"eaten_by_bears": 1}), run_line())

    assert "Eaten by bears\n1\n" in page.text


def test_the_removal_of_somebody_whom_hubspot_does_not_know_is_in_place(page_of: PageMaker) -> None:
    page = page_of(list_line(missing=2, asked=2, applied=2), run_line())

    assert "The list is in place." in page.text


def test_a_list_that_takes_nobody_is_not_finished(page_of: PageMaker) -> None:
    page = page_of(
        list_line(rejected=20, reasons={"list_not_writable": 20}), run_line(exit_code=1, error="See above.")
    )

    assert "Not finished" in page.text
    assert "The list is an active list" in page.text


def test_removals_that_a_guard_held_back_are_told(page_of: PageMaker) -> None:
    page = page_of(list_line(added=1, skipped=40), run_line(exit_code=1, error="max_removal_percent"))

    assert "Held back" in page.text
    assert "40 removals are held back by a safety limit." in page.text


def test_of_many_lists_to_look_at_the_first_three_are_named_above(page_of: PageMaker) -> None:
    page = page_of(
        *(list_line(name=f"List {each}", list_id=str(each), missing=1) for each in range(5)), run_line()
    )

    assert "And 2 more: see the table of lists." in page.text


def test_one_bad_list_costs_no_other_list_its_good_name(page_of: PageMaker) -> None:
    page = page_of(
        list_line(name="Good", list_id="1", added=3),
        list_line(name="Bad", list_id="2", added=3),
        run_line(exit_code=1, error='List "Bad" (2): the snapshot would remove 9 of 10 members.'),
    )

    assert "1 of 2 lists needs a look." in page.text
    assert "Bad\n: the run did not come to its end." in page.text
    assert 'List "Bad" (2): the snapshot would remove' in page.text


def test_a_run_that_broke_off_says_how_many_have_no_outcome(page_of: PageMaker) -> None:
    page = page_of(list_line(added=2, asked=9), run_line(exit_code=1, error="500", not_settled=7))

    assert "7 of 9 memberships have no outcome" in page.text


def test_a_run_without_an_end_is_told(page_of: PageMaker) -> None:
    page = page_of(list_line(added=1), run_line(), member_line(run=2))

    assert f"Run {run_id(2)} wrote lines and never its last one" in page.text


@pytest.mark.parametrize(
    ("fields", "took"),
    [
        ({"seconds": 7_200}, "2 hours"),
        ({"seconds": None}, "30 seconds"),  # from its start to its line
        ({"seconds": None, "started": None}, "30 seconds"),  # the run's name tells its start
        ({"seconds": None, "started": None, "run_id": "by-hand"}, "unknown"),
    ],
)
def test_a_run_tells_how_long_it_took_as_far_as_its_line_does(
    page_of: PageMaker, fields: dict[str, Any], took: str
) -> None:
    page = page_of(list_line(added=1), {**run_line(), **fields})

    assert f'<td data-h="Took">{took}</td>' in page.html


def test_people_who_cannot_be_mailed_are_counted_with_the_reason(page_of: PageMaker) -> None:
    page = page_of(
        list_line(added=10, mailability={"mailable": 7, "opted_out": 2, "hard_bounced": 1}),
        member_line(outcome="added", record_id="7", mailability="opted_out"),
        run_line(),
    )

    assert "3 people on these lists cannot be mailed." in page.text
    assert "Unsubscribed\n2\n" in page.text
    assert "Can be mailed" not in page.text
    assert [row["what"] for row in member_rows(page)] == ["Cannot be mailed"]


def test_a_real_report_shows_who_cannot_be_mailed(
    page_of: PageMaker, portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    portal.add_contact("ada@example.com", hs_email_optout="true")
    portal.add_contact("bob@example.com")
    report = tmp_path / "real.jsonl"
    run_target(
        *emails(["ada@example.com", "bob@example.com"]),
        match_by="email",
        report_path=str(report),
        check_mailability=True,
    )

    page = page_of(*(json.loads(line) for line in report.read_text().splitlines()))

    assert "1 person on these lists cannot be mailed." in page.text
    assert "Unsubscribed\n1\n" in page.text
    assert [(row["what"], row["mailability"]) for row in member_rows(page)] == [
        ("Cannot be mailed", "opted_out")
    ]


def test_without_mailability_nothing_is_said_of_it(page_of: PageMaker) -> None:
    assert "annot be mailed" not in page_of(list_line(added=1), run_line()).text


def test_a_dry_run_is_left_out_beside_real_ones_and_told_as_such_alone(page_of: PageMaker) -> None:
    dry = [list_line(run=2, added=90), member_line("dry@example.com", run=2), run_line(run=2, dry_run=True)]

    beside = page_of(list_line(added=3), run_line(), *dry)
    assert "3 of 3 in place" in beside.text
    assert "1 dry run is left out" in beside.text
    assert member_rows(beside) == []

    alone = page_of(*dry)
    assert "90 of 90 in place" in alone.text
    assert "Dry run: nothing was written to HubSpot." in alone.text


def test_lines_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    report = write(tmp_path / "report.jsonl", list_line(added=1), run_line())
    with report.open("a") as file:
        file.write('{"kind":"member","member":"cut o\nnot JSON\n["list"]\n')

    page = page_by_command(tmp_path, "--report", str(report))

    assert "3 lines of report.jsonl cannot be read (the first is line 3)" in page.text
    assert "The list is in place." in page.text


def test_no_list_at_all_is_said(page_of: PageMaker) -> None:
    page = page_of(run_line())

    assert "No run brought a list to HubSpot." in page.text
    assert "Members to look at" not in page.text


def test_a_run_that_failed_before_any_list_says_why(page_of: PageMaker) -> None:
    page = page_of(run_line(exit_code=1, error="The token of portal 7 lacks crm.lists.write."))

    assert "No run brought a list to HubSpot." in page.text
    assert "The token of portal 7 lacks crm.lists.write." in page.text


# Over time


def test_a_list_is_drawn_over_time_from_its_second_run_on(page_of: PageMaker) -> None:
    assert "Over time" not in page_of(*daily(1)).text

    page = page_of(*daily(2, added=4, removed=1, missing=5))
    assert page.text.count("Over time") == 1
    assert "2 Nov 2026, 06:00\nyes\n10\n4\n1\n50 %" in page.text


def test_a_run_in_which_nobody_was_asked_for_leaves_a_gap_in_the_line(page_of: PageMaker) -> None:
    counts: list[dict[str, Any]] = [
        {"added": 4},
        {"added": 4, "missing": 1},
        {},
        {"added": 2},
        {"added": 3, "missing": 1},
    ]
    told = [
        line for run, each in enumerate(counts, 1) for line in (list_line(run=run, **each), run_line(run=run))
    ]

    page = page_of(*told)

    (path,) = re.findall(r'<path class="line" d="([^"]+)"/>', page.html)
    assert path.count("M") == 2
    assert path.count("L") == 2


def test_a_list_that_did_not_run_when_it_should_have_is_named(page_of: PageMaker) -> None:
    on_time = page_of(*daily(6), now=started(6) + timedelta(hours=47))
    late = page_of(*daily(6), now=started(6) + timedelta(days=3))

    assert "Overdue" not in on_time.text.partition("Words on this page")[0]
    assert "Lists that did not run when they should have" in late.text
    assert "VIP\n6 Nov 2026, 06:00 UTC\n3 days\nevery day, as it did until then" in late.text


def test_a_list_of_which_nothing_changed_is_not_overdue_and_one_that_a_mirror_misses_is(
    page_of: PageMaker,
) -> None:
    def page(mode: str) -> str:
        told = {"sync_mode": mode, "streams": {"members": {}}}
        runs = [
            line for run in range(1, 7) for line in (list_line(run=run, added=1), run_line(run=run, **told))
        ]
        later = [run_line(run=run, **told) for run in range(7, 12)]
        other = run_line(run=12, streams={"others": {}})
        return page_of(*runs, *later, other, now=started(12)).text

    assert "Lists that did not run when they should have" not in page("incremental")
    assert "VIP\n6 Nov 2026, 06:00 UTC\n6 days\nevery day" in page("mirror")


def test_an_interval_that_is_given_counts_from_the_first_run_on(page_of: PageMaker) -> None:
    def page(hours: int) -> str:
        now = started() + timedelta(hours=hours)
        return page_of(*daily(1), now=now, expected_every=timedelta(hours=6)).text

    assert "VIP\n1 Nov 2026, 06:00 UTC\n7 hours\nevery 6 hours" in page(7)
    assert "Lists that did not run" not in page(5)


def test_the_last_complete_run_is_the_last_that_came_to_its_end(page_of: PageMaker) -> None:
    page = page_of(*daily(2), list_line(run=3, added=1, asked=5), run_line(run=3, exit_code=1, not_settled=4))

    assert "last complete run 2 Nov 2026, 06:00 UTC" in page.text


def test_the_ledger_tells_size_and_runs_that_no_report_tells(
    page_of: PageMaker, open_ledger: Ledgers
) -> None:
    open_ledger.now = started(2) + timedelta(minutes=5)
    ledger = open_ledger(PORTAL, run_id=run_id(2))
    ledger.lists.remember_list(
        KnownList("42", "VIP", "name VIP", "members", created_by_us=True, was_read=False)
    )
    ledger.members.settle("42", on=range(1, 31), off=[])
    ledger.lists.record_run(
        "42", stream="members", started=started(2), asked=5, outcomes={"added": 4, "missing": 1}
    )
    ledger.lists.remember_list(KnownList("7", "Quiet", None, "members", created_by_us=True, was_read=False))

    page = page_of(list_line(added=10), run_line(), ledger_url=open_ledger.url, now=open_ledger.now)

    assert "30 members now" in page.text
    assert (
        "2 Nov 2026, 06:00\nyes\n5\n4\n0\n80 %\n30\n1 Nov 2026, 06:00\nyes\n10\n10\n0\n100 %\n26" in page.text
    )
    assert "Quiet\nNo run known" in page.text


def test_without_a_ledger_reports_tell_the_size_over_time(page_of: PageMaker) -> None:
    page = page_of(
        *(list_line(run=1, added=4, size=104), run_line(run=1)),
        *(list_line(run=2, removed=2, size=102), run_line(run=2)),
    )

    assert "102 members now" in page.text
    assert (
        "2 Nov 2026, 06:00\nyes\n2\n0\n2\n100 %\n102\n1 Nov 2026, 06:00\nyes\n4\n4\n0\n100 %\n104"
        in page.text
    )


def test_two_cohorts_of_one_list_are_one_list_on_the_page(page_of: PageMaker) -> None:
    first, second = list_line(added=4, size=14), list_line(added=3, missing=1, size=13)

    page = page_of(first, second | {"cohort": "Gold"}, run_line())

    assert "7 of 8 in place" in page.text
    assert "Cohorts\nGold\n,\nVIP" in page.text
    assert "17 members now" in page.text


def test_a_ledger_alone_makes_a_page(
    page_of: PageMaker, portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    portal.add_contact("ada@example.com")
    url = f"sqlite:///{tmp_path}/ledger.db"
    run_target(email_schema(), by_email("VIP", "ada@example.com"), match_by="email", ledger_url=url)

    page = page_of(ledger_url=url)

    assert "VIP\nIn place\n1 of 1" in page.text


# Members


def test_the_latest_word_on_a_member_counts(page_of: PageMaker) -> None:
    page = page_of(
        member_line("ada@example.com", run=1, outcome="rejected", reason="invalid_email"),
        member_line("bob@example.com", run=1),
        run_line(run=1),
        member_line("ada@example.com", run=2, outcome="added"),
        member_line("bob@example.com", run=2, outcome="rejected", reason="invalid_email"),
        run_line(run=2),
        show_members=True,
    )

    (row,) = member_rows(page)
    assert (row["member"], row["reason"], row["run_id"]) == ("bob@example.com", "invalid_email", run_id(2))
    assert row["since"].startswith("2026-11-01T06:00:30")  # not in place since the first run


def test_a_line_of_an_earlier_run_behind_those_of_a_later_one_counts_less(page_of: PageMaker) -> None:
    later = [member_line(run=2, outcome="dropped"), list_line(run=2, dropped=1), run_line(run=2)]
    earlier = [member_line(), list_line(missing=1), run_line()]

    page = page_of(*later, *earlier)

    (row,) = member_rows(page)
    assert (row["outcome"], row["run_id"]) == ("dropped", run_id(2))


def test_a_list_without_a_name_is_one_by_its_id(page_of: PageMaker) -> None:
    page = page_of(member_line(name=None), list_line(name=None, missing=1), run_line())

    assert [each["list_id"] for each in member_rows(page)] == ["42"]
    assert "list 42 ·" in page.text


def test_a_member_is_one_whether_or_not_its_list_was_found_yet(page_of: PageMaker) -> None:
    page = page_of(
        member_line(list_id=None, name="vip"),
        list_line(added=1),
        run_line(),
        member_line(run=2),
        run_line(run=2),
    )

    assert len(member_rows(page)) == 1
    assert "2 rows" not in page.text


def test_what_a_complete_mirror_does_not_name_any_more_is_over(page_of: PageMaker) -> None:
    first = [member_line(), list_line(missing=1), run_line(sync_mode="mirror")]
    second = [list_line(run=2, added=1)]

    over = page_of(*first, *second, run_line(run=2, sync_mode="mirror"))
    failed = page_of(*first, *second, run_line(run=2, sync_mode="mirror", exit_code=1))
    delta = page_of(*first, *second, run_line(run=2))

    assert [len(member_rows(each)) for each in (over, failed, delta)] == [0, 1, 1]


def test_addresses_are_masked_everywhere_unless_they_are_asked_for(page_of: PageMaker) -> None:
    lines = [
        member_line("ada.lovelace@example.con", outcome="rejected", reason="refused_by_hubspot",
                    message="Email address ada.lovelace@example.con is invalid"),
        member_line("Ada Lovelace", outcome="rejected", reason="invalid_member"),
        member_line("30000000001", record_id="30000000001", outcome="dropped"),
        list_line(name="of ada.lovelace@example.con", list_id="9", added=1),
        run_line(exit_code=1, error="HubSpot refused ada.lovelace@example.con"),
    ]  # fmt: skip

    masked = page_of(*lines)
    everything = masked.html + masked.csv
    assert "lovelace" not in everything.lower()
    assert "a•••@e•••.con" in masked.csv
    assert "30000000001" in everything

    shown = page_of(*lines, show_members=True)
    assert "ada.lovelace@example.con" in shown.html
    assert "ada.lovelace@example.con" in shown.csv
    assert "pass it on only to those who may see them" in shown.text


def test_a_member_whose_property_alone_was_not_written_is_told_with_its_reason(page_of: PageMaker) -> None:
    fields: dict[str, Any] = {
        "outcome": "added",
        "properties": "rejected",
        "property": "seats",
        "property_reason": "not_a_number",
    }

    page = page_of(member_line(**fields), list_line(added=1), run_line())

    (row,) = member_rows(page)
    assert (row["outcome"], row["property_reason"]) == ("added", "not_a_number")
    assert PROPERTY_REASONS["not_a_number"].what_to_do in page.html


def test_members_beyond_what_a_page_can_hold_are_in_the_csv_file(page_of: PageMaker) -> None:
    count = 8_000
    members = (
        member_line(
            f"{number}@example.com", outcome="rejected", reason="refused_by_hubspot", message="no " * 100
        )
        for number in range(count)
    )

    page = page_of(*members, list_line(rejected=count), run_line(), show_members=True)

    assert len(page.html) < 2_500_000
    assert len(member_rows(page)) == count
    rows = json.loads(page.html.partition('id="members-data">')[2].partition("</script>")[0])["rows"]
    assert 1_000 < len(rows) < count


def test_the_csv_file_has_all_members_with_reason_and_what_to_do(page_of: PageMaker) -> None:
    page = page_of(
        *(member_line(f"person{number}@example.com") for number in range(11_000)),
        list_line(missing=11_000),
        run_line(),
        show_members=True,
    )

    rows = member_rows(page)
    assert len(rows) == 11_000
    assert rows[0]["what_to_do"].startswith("Set create_contacts: true")
    assert "the first 10,000 of them are here" in page.text


# What it gives away, and to whom


def test_page_and_csv_file_are_for_their_owner_alone_also_where_they_were_there(
    page_of: PageMaker, tmp_path: Path
) -> None:
    for _ in range(2):
        page = page_of(member_line(), run_line(), folder=tmp_path)
        assert [stat.S_IMODE(path.stat().st_mode) for path in (page.path, page.csv_path)] == [0o600, 0o600]
        for path in (page.path, page.csv_path):
            path.chmod(0o644)


def test_only_the_pages_own_script_and_style_may_run(page_of: PageMaker) -> None:
    page = page_of(member_line(), list_line(missing=1), run_line())

    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page.html)
    directives = dict(each.strip().split(" ", 1) for each in policy.replace("&#39;", "'").split(";"))
    (script,) = re.findall(r"<script>(.*?)</script>", page.html, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", page.html, re.DOTALL)
    assert directives == {
        "default-src": "'none'",
        "script-src": f"'{sha256(script)}'",
        "style-src": f"'{sha256(style)}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert not re.search(r"\s(style|on\w+)=", page.html.partition("<body>")[2])
    assert not re.search(r"\b(src|srcset)=|@import|url\(", page.html)


def sha256(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@pytest.mark.parametrize("text", HOSTILE)
def test_everything_from_a_record_is_escaped(page_of: PageMaker, text: str) -> None:
    told = list_line(name=text, added=1, rejected=1, reasons={text: 1}, mailability={text: 1})
    problems = [{"property": text, "reason": text, "members": 1}]
    member = member_line(
        text, name=text, outcome="rejected", reason=text, message=text, record_id=text, property=text
    )
    page = page_of(
        member,
        told | {"cohort": text, "list_url": text, "property_problems": problems},
        run_line(exit_code=1, error=text, streams={text: {"rejected_without_list": {text: 1}}}),
        campaigns=[
            {"kind": "campaign", "campaign_id": text, "name": text, "subject": text, "sent": 2, "bounced": 1},
            {"kind": "bounce", "campaign_id": text, "category": text, "people": 1},
            *({"kind": "day", "campaign_id": text, "day": f"2026-11-0{day}"} for day in "12"),
        ],
        show_members=True,
    )

    made_by_us = page_of(member_line(), list_line(added=1), run_line()).html
    assert page.html.count("<script") == made_by_us.count("<script")
    assert "<img" not in page.html
    assert "<!--" not in page.html
    assert "1337" not in page.html
    assert 'href="javascript' not in page.html


def test_no_field_of_the_csv_file_is_a_formula(page_of: PageMaker) -> None:
    formula = '=HYPERLINK("https://evil.example")'
    page = page_of(
        member_line(formula, name=formula, outcome="rejected", reason=formula, message=formula),
        run_line(),
        show_members=True,
    )

    (row,) = member_rows(page)
    assert row["member"] == f"'{formula}"
    assert not [value for value in row.values() if is_formula(value)]


# The command


def command(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, arguments, env=environment)


def page_by_command(folder: Path, *arguments: str) -> MadePage:
    result = command(*arguments, "--output", str(folder / "made.html"))
    assert result.exit_code == 0, result.output
    return MadePage(folder / "made.html")


def refusal(*arguments: str) -> str:
    """What the command says, in one line, where it refuses."""
    result = command(*arguments)
    assert result.exit_code
    return " ".join(result.output.split())


def test_a_pattern_names_many_reports_whatever_their_order(tmp_path: Path) -> None:
    for run, name in ((2, "a"), (1, "b"), (3, "c")):
        write(tmp_path / f"report-{name}.jsonl", list_line(run=run, added=run), run_line(run=run))

    page = page_by_command(tmp_path, "--report", str(tmp_path / "report-*.jsonl"))
    twice = page_by_command(
        tmp_path,
        *("--report", str(tmp_path / "report-*.jsonl")),
        *("--report", str(tmp_path / "report-a.jsonl")),
    )

    assert "3 of 3 in place" in page.text
    assert "The latest 3 of 3 runs in the reports." in page.text
    assert "The latest 3 of 3 runs in the reports." in twice.text


def test_a_copy_of_a_report_counts_once(tmp_path: Path) -> None:
    for name in ("report", "report-copy"):
        write(tmp_path / f"{name}.jsonl", member_line(), list_line(added=3, missing=1), run_line())

    page = page_by_command(tmp_path, "--report", str(tmp_path / "report*.jsonl"))

    assert "3 of 4 in place" in page.text
    assert len(member_rows(page)) == 1


def test_it_says_where_page_and_csv_file_are(tmp_path: Path) -> None:
    report = write(tmp_path / "report.jsonl", run_line())

    result = command("--report", str(report), "--output", str(tmp_path / "out.html"))

    assert result.output == f"Page: {tmp_path}/out.html\nMembers as CSV: {tmp_path}/out-members.csv\n"


def test_nothing_to_read_is_refused_with_what_to_name(tmp_path: Path) -> None:
    missing = refusal("--report", str(tmp_path / "report-*.jsonl"))

    assert f'There is no report "{tmp_path}/report-*.jsonl": set report_path' in missing
    assert "give --report, --ledger or --campaigns" in refusal()
    assert f'There is no ledger "{tmp_path}/ledger.db"' in refusal(
        "--ledger", f"sqlite:///{tmp_path}/ledger.db"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", ["kind,run_id\nmember,1\n", '{"type":"RECORD"}\n', "\x00\xff", '{"kind":"bird"}\n']
)
def test_a_file_that_is_no_report_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.txt"
    path.write_text(content)

    assert f'"{path}" is no report of target-hubspot-lists' in refusal("--report", str(path))


@pytest.mark.skipif(
    not Path("/proc/self/mem").exists(), reason="a file that cannot be read, also not by root"
)
def test_a_report_that_cannot_be_read_is_named() -> None:
    said = refusal("--report", "/proc/self/mem")

    assert 'The report "/proc/self/mem" cannot be read (Input/output error).' in said


def test_an_empty_report_is_one_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "report.jsonl").touch()

    assert (
        "No run brought a list" in page_by_command(tmp_path, "--report", str(tmp_path / "report.jsonl")).text
    )


def test_a_report_is_not_overwritten_by_its_page(tmp_path: Path) -> None:
    report = write(tmp_path / "report.jsonl", run_line())
    before = report.read_bytes()
    link = tmp_path / "page.html"
    link.symlink_to(report)

    assert "is one of the files to read" in refusal("--report", str(report), "--output", str(link))
    assert report.read_bytes() == before


def test_somebody_elses_csv_file_is_not_overwritten(tmp_path: Path) -> None:
    report = write(tmp_path / "report.jsonl", run_line())
    other = tmp_path / "page-members.csv"
    other.write_text("email\n")

    said = refusal("--report", str(report), "--output", str(tmp_path / "page.html"))

    assert "is not a file that this command made" in said
    assert other.read_text() == "email\n"


@pytest.mark.parametrize("output", ["no/such/folder.html", "fifo"])
def test_a_page_that_cannot_be_written_is_named(tmp_path: Path, output: str) -> None:
    report = write(tmp_path / "report.jsonl", run_line())
    os.mkfifo(tmp_path / "fifo")

    said = refusal("--report", str(report), "--output", str(tmp_path / output))

    assert f'"{tmp_path}/{output}" cannot be written' in said


@pytest.mark.parametrize(("interval", "is_overdue"), [("1d", True), (" 2 W ", False), ("72h", False)])
def test_an_interval_that_is_given_says_which_lists_did_not_run(
    tmp_path: Path, interval: str, *, is_overdue: bool
) -> None:
    now = datetime.now(UTC)
    times = {"time": (now - timedelta(days=2)).isoformat()}
    started_at = {"started": (now - timedelta(days=2, minutes=1)).isoformat()}
    named = {"run_id": f"{now - timedelta(days=2):%Y%m%dT%H%M%SZ}-00000001", **times}
    report = write(
        tmp_path / "report.jsonl", {**list_line(added=1), **named}, {**run_line(), **named, **started_at}
    )

    page = page_by_command(tmp_path, "--report", str(report), "--expected-every", interval)

    assert ("Lists that did not run when they should have" in page.text) is is_overdue


@pytest.mark.parametrize("interval", ["0d", "1 fortnight", "-3h", "1.5d", ""])
def test_an_interval_that_is_none_is_refused(tmp_path: Path, interval: str) -> None:
    report = write(tmp_path / "report.jsonl", run_line())

    said = refusal("--report", str(report), "--expected-every", interval)

    assert "is no interval: write a number and m, h, d or w" in said


def test_the_targets_own_settings_in_the_environment_say_what_to_read(
    tmp_path: Path, open_ledger: Ledgers
) -> None:
    open_ledger().lists.remember_list(KnownList("7", "Quiet", None, "s", created_by_us=True, was_read=False))
    write(tmp_path / f"report-{run_id()}.jsonl", list_line(name="Told", added=1), run_line())

    result = command(
        *("--output", str(tmp_path / "page.html")),
        TARGET_HUBSPOT_LISTS_LEDGER_URL=open_ledger.url,
        TARGET_HUBSPOT_LISTS_REPORT_PATH=f"{tmp_path}/report-{{run_id}}.jsonl",
    )

    assert result.exit_code == 0, result.output
    page = MadePage(tmp_path / "page.html")
    assert "Quiet\nNo run known" in page.text
    assert "Told\nIn place" in page.text


def test_without_jinja2_the_extra_is_named(tmp_path: Path) -> None:
    report = write(tmp_path / "report.jsonl", run_line())
    module = "target_hubspot_lists.report_page.command"
    program = f"import sys; sys.modules['jinja2'] = None; from {module} import main; main()"

    done = subprocess.run(
        [sys.executable, "-c", program, "--report", str(report)],
        capture_output=True,
        check=False,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=TIMEOUT,
    )

    assert done.returncode == 1
    assert "needs jinja2, which is not installed: pip install 'target-hubspot-lists[report]'" in done.stderr
    assert not (tmp_path / "hubspot-lists.html").exists()


def test_a_real_run_makes_a_page_that_says_what_it_did(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    portal.add_contact("ada@example.com")
    report = tmp_path / "report-{run_id}.jsonl"
    run_target(
        email_schema(),
        by_email("VIP", "ada@example.com"),
        by_email("VIP", "new@example.com"),
        by_email("VIP", "typo@@example.com"),
        by_email("VIP", "gone@example.com", "remove"),
        match_by="email",
        report_path=str(report),
    )

    page = page_by_command(tmp_path, "--report", str(tmp_path / "report-*.jsonl"))

    assert "3 of 4 in place" in page.text
    assert "Not an address or a record id\n1\n" in page.text
    assert "1 contact created." in page.text
    assert [row["what"] for row in member_rows(page)] == ["Not in place", "Contact created"]
    assert f"https://app.hubspot.com/contacts/{portal.portal_id}/objectLists/" in page.html
