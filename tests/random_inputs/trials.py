"""Runs the target on a hostile input, and says what must not have happened."""

from __future__ import annotations

import csv
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from target_hubspot_lists.report_page.command import main as make_page
from tests.clocks import FakeClock
from tests.hubspot_emulator import HubSpotEmulator, Portal
from tests.in_process import run
from tests.random_inputs.generating import CONTROL, CONTROL_MEMBERS, MARK, hostile_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.in_process import Ended
    from tests.new_ledgers import NewLedgers

RECORDS = 500  # of one input
SCRIPT = "<script>alert(1)</script>"


@dataclass(frozen=True)
class Case:
    """The number that an input is made from."""

    seed: int

    def __str__(self) -> str:
        return str(self.seed)

    @classmethod
    def parse(cls, text: str) -> Case:
        return cls(int(text))


def cases_of_seed(seed: int) -> Iterator[Case]:
    """Yield a seed's cases, without an end."""
    while True:
        yield Case(seed)
        seed += 1


def try_case(case: Case, ledgers: NewLedgers, *, records: int = RECORDS) -> list[str]:
    """Run the target on one input, and return what was wrong."""
    random = Random(case.seed)
    by_email = random.random() < 0.7
    clock = FakeClock()
    portal = Portal(clock=clock.time)
    portal.add_property("plan")
    addresses = [f"control{number}@example.com" for number in range(CONTROL_MEMBERS)]
    ids = [portal.add_contact(each) for each in addresses]
    control = addresses if by_email else ids
    lines = list(hostile_lines(random, records=records, by_email=by_email, control=control))
    with tempfile.TemporaryDirectory() as folder, HubSpotEmulator(portal) as hubspot:
        report = Path(folder) / random.choice(["report.jsonl", "report.csv"])
        url = ledgers.new_url(random.choice(ledgers.kinds))
        config = {
            "api_url": hubspot.url,
            "access_token": hubspot.token,
            "match_by": "email" if by_email else "contact_id",
            "sync_mode": random.choice(["incremental", "mirror"]),
            "max_new_lists": 10_000,
            "batch_size_rows": random.choice([50, 1000]),
            "report_path": str(report),
            "report_members": random.choice(["problems", "all"]),
            "max_unapplied_percent": 100,
            **({"ledger_url": url} if url else {}),
            **_properties(random),
        }
        ended = run(lines, config, clock)
        return [*_problems(ended, portal, set(ids)), *_problems_of_report(report, random)]


def _properties(random: Random) -> dict[str, Any]:
    mappings = [{"field": "plan", "property": "plan"}]
    return random.choice([{}, {"property_mappings": mappings}, {"audience_status_property": True}])


def _problems(ended: Ended, portal: Portal, control: set[str]) -> Iterator[str]:
    if ended.crash:
        yield f"a crash: {ended.crash}"
    if "This is a bug" in ended.log:
        yield "the log tells of a bug"
    if ended.exit_code not in {0, 1}:
        yield f"exit {ended.exit_code}"
    shown = [line for line in ended.output.splitlines() if MARK in line.casefold()]
    if shown:
        yield f"a member is named: {shown[0][:300]!r}"
    if any(not line.isprintable() for line in ended.log.split("\n")):
        yield "a character of the log cannot be read"
    name = f"amplitude_{CONTROL}"
    on_list = set(portal.members(name)) if name in portal.list_names() else set()
    if ended.exit_code == 0 and on_list != control:
        yield f"exit 0, but {len(control - on_list)} of the plain members are not on their list"
    if ended.exit_code and not ended.errors:
        yield "exit 1 without a word"


def _problems_of_report(report: Path, random: Random) -> Iterator[str]:
    if not report.exists():
        return
    if report.suffix == ".csv":
        with report.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.reader(lines))
        if any(len(row) != len(rows[0]) for row in rows):
            yield "a line of the CSV report has another number of cells"
        formulas = [cell for row in rows for cell in row if cell.strip()[:1] in {"=", "+", "@"}]
        if formulas:
            yield f"a cell of the CSV report is a formula: {formulas[0]!r}"
        return
    for line in report.read_bytes().splitlines():  # of text, other characters would end a line as well
        json.loads(line)
    if random.random() < 0.1:
        yield from _problems_of_page(report)


def _problems_of_page(report: Path) -> Iterator[str]:
    page = report.with_suffix(".html")
    result = CliRunner().invoke(make_page, ["--report", str(report), "--output", str(page)])
    if result.exit_code:
        yield f"no page is made: {result.output}"
        return
    text = page.read_text("utf-8")
    if SCRIPT in text:
        yield "a name in the page is not escaped"
    if MARK in text:
        yield "a member is named in the page"
