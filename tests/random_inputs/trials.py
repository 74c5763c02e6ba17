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
from tests.matches import MATCHES
from tests.random_histories.naming import COLUMNS
from tests.random_inputs.generating import CONTROL, CONTROL_MEMBERS, MARK, Shape, hostile_lines

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
    (match_by,) = random.choices(list(MATCHES), (4, 2, 2, 2))
    clock = FakeClock()
    portal = Portal(clock=clock.time)
    portal.add_property("plan")
    portal.add_property("customer_id", unique=True)
    people = [_person(portal, number) for number in range(CONTROL_MEMBERS)]
    shape = Shape(COLUMNS[match_by], has_cohort_ids=random.random() < 0.3, is_broken=random.random() < 0.2)
    control = [{column: each[column] for column in shape.columns} for each in people]
    if match_by == "fallbacks":  # whom HubSpot knows by a number, by an address, or by both
        for number, each in enumerate(control):
            if blank := ("customer_id", "email", None)[number % 3]:
                each[blank] = None
    lines = list(hostile_lines(random, shape, records=records, control=control))
    with tempfile.TemporaryDirectory() as folder, HubSpotEmulator(portal) as hubspot:
        report = Path(folder) / random.choice(["report.jsonl", "report.csv"])
        url = ledgers.new_url(random.choice(ledgers.kinds))
        config = {
            "api_url": hubspot.url,
            "access_token": hubspot.token,
            **MATCHES[match_by],
            "sync_mode": random.choice(["incremental", "mirror"]),
            "max_new_lists": 10_000,
            "batch_size_rows": random.choice([50, 1000]),
            "report_path": str(report),
            "report_members": random.choice(["unapplied", "all"]),
            "max_unapplied_percent": 100,
            **({"ledger_url": url} if url else {}),
            **_properties(random),
        }
        ended = run(lines, config, clock)
        expected = {str(each["contact_id"]) for each in people}
        return [*_problems(ended, portal, expected, shape), *_problems_of_report(report, random)]


def _person(portal: Portal, number: int) -> dict[str, str | None]:
    """Add a contact; return the columns that a source may name it by."""
    address, customer = f"{MARK}control{number}@example.com", f"{MARK}-control-{number}"
    record_id = portal.add_contact(address, customer_id=customer)
    return {"email": address, "contact_id": record_id, "customer_id": customer}


def _properties(random: Random) -> dict[str, Any]:
    mappings = [{"field": "plan", "property": "plan"}]
    return random.choice([{}, {"property_mappings": mappings}, {"audience_status_property": True}])


def _problems(ended: Ended, portal: Portal, control: set[str], shape: Shape) -> Iterator[str]:
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
    may_end_early = ended.exit_code and (shape.is_broken or shape.has_cohort_ids)
    if on_list != control and not may_end_early:
        yield f"exit {ended.exit_code}, but {len(control - on_list)} of the plain members are not on their list"
    if on_list - control:
        yield f"{len(on_list - control)} members are on the list of the plain ones who are none of them"
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
