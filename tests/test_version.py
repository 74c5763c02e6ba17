"""The version is one: that of the package, of the changelog, of the commands, and of what HubSpot is told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.processes import TIMEOUT

if TYPE_CHECKING:
    from tests.hubspot_emulator import HubSpotEmulator

ROOT = Path(__file__).parent.parent
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
# The modules of the plugins, and what a check of each must be told beside the address and the token.
MODULES: dict[str, dict[str, str]] = {
    "target_hubspot_lists": {},
    "tap_hubspot_email_events": {"START_DATE": "2026-01-01"},
}


def test_the_newest_section_of_the_changelog_is_that_of_the_version_and_has_a_date() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")

    headings = re.findall(r"^## (?!Unreleased$)(.*)$", changelog, re.MULTILINE)
    sections = [re.fullmatch(r"(\d+\.\d+\.\d+) \((\d{4}-\d\d-\d\d)\)", heading) for heading in headings]
    dates = [date.fromisoformat(section[2]) for section in sections if section]

    assert sections[0]
    assert sections[0][1] == VERSION
    assert len(dates) == len(headings)
    assert dates == sorted(dates, reverse=True)


@pytest.mark.parametrize("module", MODULES)
def test_a_plugin_tells_its_version(module: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", module, "--version"],
        capture_output=True,
        check=True,
        text=True,
        timeout=TIMEOUT,
    )

    assert told.stdout.startswith(f"{module.replace('_', '-')} v{VERSION},")


@pytest.mark.parametrize("module", MODULES)
def test_hubspot_is_told_which_plugin_calls_and_its_version(module: str, hubspot: HubSpotEmulator) -> None:
    settings = {"API_URL": hubspot.url, "ACCESS_TOKEN": hubspot.token} | MODULES[module]
    variables = {f"{module.upper()}_{name}": value for name, value in settings.items()}

    subprocess.run(
        [sys.executable, "-m", module, "--config=ENV", "--check"],
        capture_output=True,
        check=True,
        env=os.environ | variables,
        timeout=TIMEOUT,
    )

    assert {request.user_agent for request in hubspot.requests} == {f"{module.replace('_', '-')}/{VERSION}"}
