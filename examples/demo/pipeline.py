"""The project's own Meltano pipeline, with an installation, a state and a warehouse that are the demo's alone."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from examples.demo.commands import Commands

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "examples" / "requirements-meltano.txt"


@dataclass(frozen=True)
class Said:
    """What the plugins wrote in one run of Meltano."""

    log: Path

    def by(self, plugin: str) -> Iterator[str]:
        """Yield the lines of one plugin."""
        for line in self.log.read_text("utf-8").splitlines():
            entry = parsed(line)
            if plugin in {entry.get("string_id"), entry.get("name")}:
                yield from str(entry.get("event", "")).splitlines()


@dataclass(frozen=True)
class Pipeline:
    """Meltano in a folder, and what is passed to the plugins."""

    folder: Path
    url: str
    token: str

    @property
    def commands(self) -> Commands:
        """Return the commands, run in the project's folder."""
        return Commands(ROOT, self.folder / "logs")

    @property
    def warehouse(self) -> Path:
        """Return the folder of the warehouse."""
        return self.folder / "warehouse"

    @property
    def reports(self) -> str:
        """Return the pattern of the files in which the target tells of single members, one for each run."""
        return str(self.folder / "report-*.jsonl")

    @property
    def campaigns(self) -> Path:
        """Return the file of the campaigns' figures."""
        return self.warehouse / "campaigns.jsonl"

    @property
    def page(self) -> Path:
        """Return the page of what happened."""
        return self.folder / "page.html"

    @property
    def ledger_url(self) -> str:
        """Return where the target remembers lists and members from run to run."""
        return f"sqlite:///{self.folder / 'ledger.db'}"

    def newest_report(self) -> Path:
        """Return the report of the last run."""
        return max(self.folder.glob("report-*.jsonl"))

    def make_page(self) -> None:
        """Make the page of the reports, the ledger and the campaigns."""
        command = (sys.executable, "-m", "target_hubspot_lists.report_page.command")
        read = ("--report", self.reports, "--ledger", self.ledger_url, "--campaigns", str(self.campaigns))
        self.commands.run("hubspot-lists-report", *command, *read, "--output", str(self.page))

    def install(self) -> None:
        """Install Meltano, unless it is there, and then the plugins that meltano.yml names."""
        venv = self.folder / "meltano"
        mark, wanted = venv / ".installed", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
        if not mark.is_file() or mark.read_text("utf-8") != wanted:
            python = str(venv / "bin" / "python")
            self.commands.run("Make room for Meltano", sys.executable, "-m", "venv", "--clear", str(venv))
            pip = (python, "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes")
            self.commands.run("Install Meltano", *pip, "--requirement", str(REQUIREMENTS))
            mark.write_text(wanted, "utf-8")
        self.meltano("install")

    def forget(self) -> None:
        """Forget what earlier demos left: Meltano's state, the warehouse, the ledger, the reports, the page."""
        for pattern in ("meltano.db*", "ledger.db*", "report*.jsonl", "page*"):
            for file in self.folder.glob(pattern):
                file.unlink()
        shutil.rmtree(self.warehouse, ignore_errors=True)
        self.warehouse.mkdir(parents=True)

    def meltano(self, *arguments: str) -> Said:
        """Run a Meltano command; return what was said in it."""
        # An empty file of settings: those of the project's .env are for the real HubSpot.
        no_settings = self.folder / "no-settings.env"
        no_settings.write_text("", "utf-8")
        executable = str(self.folder / "meltano" / "bin" / "meltano")
        options = ("--log-format", "json", "--env-file", str(no_settings), "--environment", "local")
        log = self.commands.run(
            f"meltano {' '.join(arguments)}", executable, *options, *arguments, environment=self._environment
        )
        return Said(log)

    def events(self) -> int:
        """Count the events in the warehouse."""
        return sum(map(_rows, self.warehouse.glob("email_event_*.csv")))

    @property
    def _environment(self) -> Mapping[str, str]:
        return {
            "MELTANO_DATABASE_URI": f"sqlite:///{self.folder / 'meltano.db'}",
            "DUCKDB_WAREHOUSE": str(self.warehouse),
            "TARGET_CSV_OUTPUT_PATH": str(self.warehouse),
            "TAP_WAREHOUSE_COHORTS_PATH": str(self.warehouse / "cohorts.jsonl"),
            "TAP_HUBSPOT_EMAIL_EVENTS_API_URL": self.url,
            "TAP_HUBSPOT_EMAIL_EVENTS_ACCESS_TOKEN": self.token,
            "TARGET_HUBSPOT_LISTS_API_URL": self.url,
            "TARGET_HUBSPOT_LISTS_ACCESS_TOKEN": self.token,
            "TARGET_HUBSPOT_LISTS_LEDGER_URL": self.ledger_url,
            "TARGET_HUBSPOT_LISTS_REPORT_PATH": str(self.folder / "report-{run_id}.jsonl"),
            "TAP_HUBSPOT_LISTS_REPORT_PATH": self.reports,
        }


def parsed(line: str) -> Mapping[str, object]:
    """Return a line of a log as the object it is; an empty one for a line of anything else."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _rows(file: Path) -> int:
    with file.open(encoding="utf-8", newline="") as lines:
        return sum(1 for _ in csv.reader(lines)) - 1
