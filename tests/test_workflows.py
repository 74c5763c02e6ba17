"""The workflows call targets that the Makefile has, and the Makefile documents each target."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^(\w+):(?!=)", MAKEFILE, re.MULTILINE))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

pytestmark = pytest.mark.sources


def test_every_target_that_a_workflow_calls_is_there() -> None:
    jobs = [job for path in WORKFLOWS for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values()]
    commands = [
        step["run"] for job in jobs for step in job["steps"] if step.get("run", "").startswith("make ")
    ]
    called = {target for command in commands for target in command.removeprefix("make ").split()}

    assert {"lint", "docs", "coverage", "wheel", "lowest", "newest", "audit", "sbom"} <= called <= TARGETS


def test_help_shows_every_target_that_can_be_called_by_name() -> None:
    phony = set(re.findall(r"\w+", MAKEFILE.partition(".PHONY:")[2].partition("\n")[0]))
    documented = set(re.findall(r"^(\w+):.*## ", MAKEFILE, re.MULTILINE))

    assert phony == TARGETS == documented
