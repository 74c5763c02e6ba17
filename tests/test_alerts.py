"""The conditions of docs/how-to/alerts.md hold for the lists that they are about, and for no others."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from target_hubspot_lists.ledger import KnownList, Ledger
from tests.processes import TIMEOUT

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "how-to" / "alerts.md").read_text("utf-8")

pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")


def block_after(heading: str) -> str:
    """The commands of the last block of a chapter."""
    chapter = re.split(r"^#{2,3} ", PAGE.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    *_, last = re.findall(r"^```sh\n(.*?)^```$", chapter, re.MULTILINE | re.DOTALL)
    return str(last)


def found_by(commands: str, folder: Path, **environment: str) -> list[dict[str, Any]]:
    """What the commands print, a JSON object a line."""
    command = folder / "hubspot-lists-ledger"
    module = "target_hubspot_lists.ledger.command"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n')
    command.chmod(0o755)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    done = subprocess.run(
        ["/bin/bash", "-e", "-o", "pipefail", "-c", commands],
        capture_output=True,
        check=True,
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **environment},
        timeout=TIMEOUT,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_alert_on_a_low_match_rate_is_about_the_lists_that_have_one(tmp_path: Path) -> None:
    rates = {"VIP": 0.95, "Trial": 0.8, "Empty": None}
    entries = [{"event": "VIP", "hubspot_list": {"list_name": n, "match_rate": r}} for n, r in rates.items()]
    log = ["not JSON", '{"event":"Run completed"}', *map(json.dumps, entries)]
    (tmp_path / "run.log").write_text("".join(f"{line}\n" for line in log))

    found = found_by(block_after("The match rate of a list fell"), tmp_path)

    assert found == [{"list_name": "Trial", "match_rate": 0.8}]


def test_the_alert_on_lists_without_a_complete_run_for_a_day_is_about_those(tmp_path: Path) -> None:
    ages = {"fresh": (timedelta(hours=2), True), "stale": (timedelta(hours=30), True)}
    ages["broke off"] = (timedelta(hours=2), False)
    url = f"sqlite:///{tmp_path}/ledger.db"
    for name, (age, is_complete) in ages.items():
        then = datetime.now(UTC) - age
        with Ledger.open(url, 1, run_id=name, now=lambda then=then: then) as ledger:  # type: ignore[misc]
            ledger.lists.remember_list(
                KnownList(name, name, None, "members", created_by_us=True, was_read=False)
            )
            ledger.lists.record_run(
                name, stream="members", started=then, asked=1, outcomes={}, is_complete=is_complete
            )

    commands = block_after("A list had no complete run for a day")
    found = {
        each["list_name"]: each["last_complete_run"]
        for each in found_by(commands, tmp_path, TARGET_HUBSPOT_LISTS_LEDGER_URL=url)
    }

    assert found.keys() == {"stale", "broke off"}
    assert found["broke off"] is None
