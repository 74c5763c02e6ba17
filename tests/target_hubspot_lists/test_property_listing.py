"""`--properties`: which contact properties of the portal can be mapped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.target import TargetHubSpotLists
from tests.commands import Commands
from tests.processes import config_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.commands import Ended
    from tests.hubspot_emulator import HubSpotEmulator, Portal


@pytest.fixture
def listed(
    tmp_path: Path, hubspot: HubSpotEmulator, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Run the command with these arguments; only the connection is configured."""

    def run(*arguments: str, **settings: Any) -> Ended:
        config = {"api_url": hubspot.url, "access_token": hubspot.token, **settings}
        path = config_file(tmp_path, config)
        return Commands(capsys).run(TargetHubSpotLists, f"--config={path}", *arguments)

    return run


def test_the_table_shows_what_can_be_written_and_nothing_else(
    portal: Portal, listed: Callable[..., Ended]
) -> None:
    portal.add_property("plan", "enumeration", "select", options=["free", "pro"])
    portal.add_property("tags", "enumeration", "checkbox", options=[f"tag {number}" for number in range(30)])
    portal.add_property("seats", "number", "number")
    portal.add_property("score", "number", "number", read_only=True)
    portal.add_property("diagnosis", sensitivity="sensitive")
    portal.add_property("gone")
    portal.properties.archive("gone")

    ended = listed("--properties")

    assert ended.exit_code == 0
    lines = {line.split()[0]: line for line in ended.stdout.splitlines()}
    assert lines["name"].split() == ["name", "label", "type", "options"]
    assert lines["plan"].endswith("enumeration           free, pro")
    assert "enumeration, several  tag 0, tag 1, " in lines["tags"]
    assert lines["tags"].endswith("more")
    assert {"seats", "diagnosis", "firstname"} <= lines.keys()
    assert not {"score", "gone", "createdate", "num_associated_deals"} & lines.keys()


def test_json_has_every_option(portal: Portal, listed: Callable[..., Ended]) -> None:
    portal.add_property("tags", "enumeration", "checkbox", options=[f"tag {number}" for number in range(30)])

    ended = listed("--properties=json")

    (tags,) = [each for each in json.loads(ended.stdout) if each["name"] == "tags"]
    assert tags["field_type"] == "checkbox"
    assert [each["value"] for each in tags["options"]] == [f"tag {number}" for number in range(30)]


def test_a_label_of_several_lines_stays_in_its_line(portal: Portal, listed: Callable[..., Ended]) -> None:
    portal.add_property("plan", "enumeration", "select", options=["a\nb", "\x1b[31mred", "x" * 200])

    ended = listed("--properties")

    (line,) = [line for line in ended.stdout.splitlines() if line.startswith("plan ")]
    assert line.endswith(r"a\nb, \x1b[31mred, and 1 more")


def test_a_token_that_may_not_read_properties_is_told_so(
    hubspot: HubSpotEmulator, listed: Callable[..., Ended]
) -> None:
    hubspot.faults.next("GET", "/crm/properties/", status=403, body={"category": "MISSING_SCOPES"})

    ended = listed("--properties")

    assert ended.exit_code == 1
    assert "403 MISSING_SCOPES" in ended.error
    assert ended.stdout == ""


def test_a_wrong_setting_is_named(listed: Callable[..., Ended]) -> None:
    assert listed("--properties", access_token=None).error.startswith("No credentials are set.")
