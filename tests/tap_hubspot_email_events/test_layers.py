"""What knows what: events and windows know neither Singer nor HTTP, and the tap does not know the target."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tap_hubspot_email_events

PACKAGE = Path(tap_hubspot_email_events.__file__).parent
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py"))
MEET_SINGER = {"catalogs", "command", "complaints", "messages", "streams", "tap"}
PURE = {
    "bookmarks",
    "columns",
    "digests",
    "errors",
    "events",
    "kinds",
    "moments",
    "objects",
    "plans",
    "reads",
    "report",
    "schemas",
    "user_agents",
    "widths",
    "windows",
}


def imported(module: str) -> set[str]:
    tree = ast.parse((PACKAGE / f"{module}.py").read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


@pytest.mark.parametrize("module", MODULES)
def test_the_tap_does_not_know_the_target(module: str) -> None:
    assert not [name for name in imported(module) if name.startswith(("target_", "tests"))]


@pytest.mark.parametrize("module", sorted(set(MODULES) - MEET_SINGER))
def test_singer_is_met_at_the_edge_alone(module: str) -> None:
    assert not [name for name in imported(module) if name.startswith("singer_sdk")]


@pytest.mark.parametrize("module", sorted(PURE))
def test_what_is_known_of_events_and_windows_asks_nobody(module: str) -> None:
    assert not [name for name in imported(module) if name.startswith(("hubspot_http", "requests"))]
