"""The README is a guide that leads somewhere, and what the documents say beside their tables is what the code does."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests import documents
from tests.factories import by_email, email_schema, record_message, schema_message
from tests.hubspot_emulator.emulator import DEFAULT_TOKEN
from tests.processes import TIMEOUT

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import Portal

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
REJECTED_ROWS = (ROOT / "docs" / "how-to" / "rejected-rows.md").read_text("utf-8")
LONGEST_README = 200  # lines: a guide, not a specification


def test_rejected_members_can_be_corrected_and_sent_again_as_the_page_says(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    report, corrected = tmp_path / "report.jsonl", tmp_path / "corrected.jsonl"
    ada = portal.add_contact("ada@example.org")
    run_target(
        email_schema(),
        by_email("VIP", "ada@example.org"),
        by_email("VIP", "ada@example.con"),
        by_email("VIP", "new@example.com"),
        match_by="email",
        report_path=str(report),
    )
    (command,) = (block.text for block in documents.blocks(REJECTED_ROWS) if block.is_run)
    subprocess.run(["/bin/sh", "-e", "-c", command], check=True, cwd=tmp_path, timeout=TIMEOUT)
    sent_again = [json.loads(line) for line in corrected.read_text("utf-8").splitlines()]

    run = run_target(
        schema_message(*sent_again[0]),
        *(record_message(**line) for line in sent_again),
        match_by="email",
        **recipe_settings(),
    )

    assert [line["member"] for line in sent_again] == ["ada@example.com"]
    assert run.exit_code == 0
    assert portal.member_emails("VIP") == {"ada@example.org", "ada@example.com", "new@example.com"}
    assert ada in portal.members("VIP")


def recipe_settings() -> dict[str, Any]:
    """The loader's settings of the recipe, over a project that mirrors."""
    (line,) = re.findall(r"^  config: (\{match_field: member.*\})$", REJECTED_ROWS, re.MULTILINE)
    settings: dict[str, Any] = yaml.safe_load(line)
    return {"sync_mode": "mirror", **settings}


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len(README.splitlines()) <= LONGEST_README


def test_the_documents_name_the_local_hubspots_own_token() -> None:
    named = set(re.findall(r"pat-na1-emulated-\d+", README + (ROOT / "meltano.yml").read_text("utf-8")))

    assert named == {DEFAULT_TOKEN}


@pytest.mark.sources
def test_every_file_that_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README + CONTRIBUTING)

    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []


@pytest.mark.sources
def test_every_module_of_the_target_that_contributors_are_sent_to_is_there() -> None:
    layers = CONTRIBUTING.partition("\n## Layers\n")[2].partition("\n## Benchmarks\n")[0]
    target = ROOT / "target_hubspot_lists"
    folders = "|".join(folder.name for folder in target.iterdir() if (folder / "__init__.py").is_file())

    named = set(re.findall(rf"\b((?:{folders})/\w+)", layers))

    assert len(named) > 10
    assert [each for each in sorted(named) if not (target / f"{each}.py").is_file()] == []


def test_every_benchmark_is_told_with_what_it_promises() -> None:
    runnable = [each for each in (ROOT / "benchmarks").glob("*.py") if "__main__" in each.read_text("utf-8")]
    told = re.findall(r"^\| `(\w+)` \|", CONTRIBUTING.partition("\n## Benchmarks\n")[2], re.MULTILINE)

    assert sorted(told) == sorted(each.stem for each in runnable)
