"""The README's commands work as written, and what it lists is what the code does."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from hubspot_singer.http.retries import RETRIED_STATUSES
from target_hubspot_lists.input.property_values import WORDS
from target_hubspot_lists.input.records import ADD_WORDS, REMOVE_WORDS
from target_hubspot_lists.outcomes import Outcome, PropertyOutcome, PropertyReason, Reason
from tests.factories import by_email, email_schema, record_message, schema_message
from tests.hubspot_emulator.emulator import DEFAULT_TOKEN
from tests.processes import TIMEOUT

if TYPE_CHECKING:
    from tests.conftest import TargetRunner
    from tests.hubspot_emulator import Portal

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PORT = "8765"  # which the README names


def block_after(mark: str) -> str:
    """The commands of the first block after a mark."""
    return re.split(r"^```(?:sh)?$", README.partition(mark)[2], maxsplit=2, flags=re.MULTILINE)[1]


def words(label: str) -> list[str]:
    (line,) = re.findall(rf"^- \*\*{label}\*\*: (.*)$", README, re.MULTILINE)
    return re.findall(r"`(\w+)`", line)


@pytest.fixture
def path_of_venv(tmp_path: Path) -> str:
    """A PATH on which the plugin's command is found as in an environment that has it installed."""
    command = tmp_path / "target-hubspot-lists"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m target_hubspot_lists "$@"\n')
    command.chmod(0o755)
    return os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]])


def test_the_commands_to_try_it_out_do_what_the_readme_says(path_of_venv: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    commands = block_after("<!-- tried by tests/test_readme.py -->").replace(PORT, port)
    commands = commands.replace(". .venv/bin/activate\n", "")  # which is on the PATH here

    done = subprocess.run(
        ["/bin/bash", "-m", "-e", "-u", "-c", f"trap 'kill $(jobs -p)' EXIT\n{commands}"],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"PATH": path_of_venv},
        text=True,
        timeout=TIMEOUT,
    )

    (state,) = [line for line in done.stdout.splitlines() if line.startswith("{")]
    (row,) = re.findall(r"Beta testers  .*%", done.stderr)
    assert f"`{state}`" in README
    assert f"\n{row}\n" in README


def test_rejected_members_can_be_mended_and_sent_again_as_the_readme_says(
    portal: Portal, run_target: TargetRunner, tmp_path: Path
) -> None:
    report, mended = tmp_path / "report.jsonl", tmp_path / "mended.jsonl"
    ada = portal.add_contact("ada@example.org")
    run_target(
        email_schema(),
        by_email("VIP", "ada@example.org"),
        by_email("VIP", "ada@example.con"),
        by_email("VIP", "new@example.com"),
        match_by="email",
        report_path=str(report),
    )
    command = block_after("Members that were rejected")
    subprocess.run(["/bin/sh", "-e", "-c", command], check=True, cwd=tmp_path, timeout=TIMEOUT)
    sent_again = [json.loads(line) for line in mended.read_text("utf-8").splitlines()]

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
    (line,) = re.findall(r"^  config: (\{match_field: member.*\})$", README, re.MULTILINE)
    settings: dict[str, Any] = yaml.safe_load(line)
    return {"sync_mode": "mirror", **settings}


def test_the_readme_names_the_local_hubspots_own_token() -> None:
    assert f"ACCESS_TOKEN={DEFAULT_TOKEN}\n" in README
    assert f"access_token: {DEFAULT_TOKEN}\n" in (ROOT / "meltano.yml").read_text("utf-8")
    assert f"http://127.0.0.1:{PORT}\n" in (ROOT / "meltano.yml").read_text("utf-8")


def test_the_words_that_add_and_remove_are_those_of_the_code() -> None:
    assert words("add") == ADD_WORDS
    assert words("remove") == REMOVE_WORDS


def test_the_words_of_a_boolean_are_those_of_the_code() -> None:
    (row,) = re.findall(r"^\| boolean \| (.*)$", README, re.MULTILINE)

    assert re.findall(r"`(\w+)`", row) == list(WORDS)


def test_the_statuses_that_are_retried_are_those_of_the_code() -> None:
    (row,) = re.findall(r"^\| (408[^|]*)\|", README, re.MULTILINE)

    assert {int(status) for status in re.findall(r"\d{3}", row)} == RETRIED_STATUSES


@pytest.mark.sources
def test_every_file_that_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README + CONTRIBUTING)

    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_every_benchmark_is_told_with_what_it_promises() -> None:
    runnable = [each for each in (ROOT / "benchmarks").glob("*.py") if "__main__" in each.read_text("utf-8")]
    told = re.findall(r"^\| `(\w+)` \|", CONTRIBUTING.partition("\n## Benchmarks\n")[2], re.MULTILINE)

    assert sorted(told) == sorted(each.stem for each in runnable)


def test_every_heading_that_the_readme_links_to_is_there_and_every_chapter_is_linked_from_its_top() -> None:
    chapters = [_anchor(title) for title in re.findall(r"^## (.+)$", README, re.MULTILINE)]
    headings = [_anchor(title) for title in re.findall(r"^###? (.+)$", README, re.MULTILINE)]
    links = re.findall(r"\]\(#([^)]+)\)", README)
    contents = re.findall(r"\]\(#([^)]+)\)", README.partition("\n## ")[0])

    assert [link for link in links if link not in headings] == []
    assert contents == [each for each in chapters if each != "more"]


def _anchor(title: str) -> str:
    """What a heading's title is in a link."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def test_every_outcome_and_every_reason_is_explained() -> None:
    of_properties = (*PropertyOutcome, *PropertyReason)
    unexplained = [word for word in (*Outcome, *Reason, *of_properties) if f"`{word}`" not in README]

    assert unexplained == []
