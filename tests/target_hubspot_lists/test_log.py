"""What the source names reaches the log as one readable line, and names nobody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.target import TargetHubSpotLists
from tests.commands import Commands
from tests.factories import record_message, schema_message
from tests.processes import config_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hubspot_emulator import HubSpotEmulator, Portal

# What a name from the source may hold, and what of it must not be in the log.
ODD_NAMES = {
    "VIP\n2026-01-01 | ERROR | forged": "\n2026-01-01 | ERROR | forged",
    "VIP\x1b[31m\x07\rx": "\x1b",
    "VIP\u2028\u202e": "\u2028",
    "ada\uff20example.com": "\uff20example",
    '"john doe"@example.com': "john doe",
    "ada@example.com": "ada@",
}


@pytest.fixture
def commands(capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(capsys)


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("place", ["stream", "column", "cohort"])
@pytest.mark.parametrize("broken", [False, True], ids=["run", "failing run"])
def test_a_name_from_the_source_makes_no_line_of_its_own_and_names_nobody(
    commands: Commands,
    portal: Portal,
    hubspot: HubSpotEmulator,
    tmp_path: Path,
    name: str,
    place: str,
    broken: bool,  # noqa: FBT001
) -> None:
    (ada,) = portal.add_contacts(1)
    names = {"stream": "members", "column": "cohort", "cohort": "VIP", place: name}
    record: dict[str, Any] = {"contact_id": ada, names["column"]: names["cohort"]}
    messages = [
        schema_message(*record, stream=names["stream"]),
        record_message(names["stream"], **record),
        record_message(names["stream"], **record | {"contact_id": "nobody"}),
    ]
    source = tmp_path / "input.jsonl"
    source.write_text("".join(f"{message}\n" for message in messages))
    settings = {
        "api_url": hubspot.url,
        "access_token": hubspot.token,
        "match_by": "contact_id",
        "cohort_field": "no such column" if broken and place != "cohort" else names["column"],
        "create_lists": not broken,
    }

    ended = commands.run(
        TargetHubSpotLists, "--config", config_file(tmp_path, settings), "--input", str(source)
    )

    assert ended.exit_code == broken
    assert len(ended.errors) == broken
    assert ODD_NAMES[name] not in ended.stderr
    lines = ended.stderr.splitlines()
    assert all(line[:4].isdigit() and line.count(" | ") >= 3 for line in lines), json.dumps(lines)
