"""The command line: what works without HubSpot, and how an end before its time is told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tap_hubspot_email_events.tap import TapHubSpotEmailEvents
from tests.commands import Commands
from tests.tap_hubspot_email_events.catalogs import selecting
from tests.tap_hubspot_email_events.processes import arguments
from tests.tap_hubspot_email_events.singer import CAMPAIGNS, OTHER, SETTLED, STREAMS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands import Ended
    from tests.hubspot_emulator import HubSpotEmulator, Portal

SETTINGS = {
    "access_token",
    "api_url",
    "api_version",
    "client_id",
    "client_secret",
    "end_date",
    "exclude_filtered_events",
    "flattening_enabled",
    "flattening_max_depth",
    "flattening_max_key_length",
    "flattening_separator",
    "lookback_seconds",
    "max_concurrency",
    "refresh_token",
    "requests_per_10_seconds",
    "settle_seconds",
    "start_date",
    "stream_map_config",
    "stream_maps",
}
SECRET = "pat-na1-a-secret-token"


class Tap(Protocol):
    def __call__(self, *given: str) -> Ended: ...


ALL_STREAMS = sorted([*STREAMS, OTHER])


@pytest.fixture
def tap(capsys: pytest.CaptureFixture[str]) -> Tap:
    def run(*given: str) -> Ended:
        return Commands(capsys).run(TapHubSpotEmailEvents, *given)

    return run


def test_discovery_needs_no_settings(tap: Tap) -> None:
    result = tap("--discover")

    assert result.exit_code == 0
    assert [each["tap_stream_id"] for each in json.loads(result.stdout)["streams"]] == [
        *ALL_STREAMS,
        CAMPAIGNS,
    ]


def test_help_says_what_the_tap_reads_and_where_its_settings_are_told(tap: Tap) -> None:
    told = " ".join(tap("--help").stdout.split())

    assert (
        "Read HubSpot's email events, one incremental stream for each of the ten types, and its email campaigns"
        in told
    )
    assert "See --about --format=markdown for the settings." in told


def test_about_tells_every_setting_with_a_title_and_a_description(tap: Tap) -> None:
    settings = json.loads(tap("--about", "--format=json").stdout)["settings"]["properties"]

    assert set(settings) == SETTINGS
    assert [name for name, declared in settings.items() if not declared.get("title")] == []
    assert [name for name, declared in settings.items() if not declared.get("description")] == []
    assert {name for name, declared in settings.items() if declared.get("secret")} == {
        "access_token",
        "client_secret",
        "refresh_token",
    }


def test_the_schemas_can_be_had_without_hubspot(tap: Tap, tmp_path: Path) -> None:
    result = tap(*arguments(tmp_path, config={"start_date": "2026-10-20"}), "--test=schema")

    assert result.exit_code == 0
    assert [json.loads(line)["stream"] for line in result.stdout.splitlines()] == [*ALL_STREAMS, CAMPAIGNS]


def test_a_test_reads_a_record_of_each_stream(
    tap: Tap, portal: Portal, hubspot: HubSpotEmulator, tmp_path: Path
) -> None:
    for event_type in STREAMS.values():
        portal.add_events(event_type, range(SETTLED - 50, SETTLED))

    portal.add_event("REPLY", SETTLED - 1)
    portal.add_campaign(1)
    portal.add_campaign(2)

    result = tap(*arguments(tmp_path, hubspot), "--test")

    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [each["stream"] for each in records if each["type"] == "RECORD"] == [*ALL_STREAMS, CAMPAIGNS]
    assert hubspot.calls(path_contains="/email/public/v1/events") == len(ALL_STREAMS)
    assert result.errors == []


def test_a_run_from_settings_in_the_environment(
    tap: Tap, portal: Portal, hubspot: HubSpotEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal.add_event("OPEN", SETTLED - 1, id="e1")
    for name, value in {
        "API_URL": hubspot.url,
        "ACCESS_TOKEN": hubspot.token,
        "START_DATE": "2026-10-20",
        "SETTLE_SECONDS": "60",
    }.items():
        monkeypatch.setenv(f"TAP_HUBSPOT_EMAIL_EVENTS_{name}", value)

    result = tap("--config=ENV")

    assert result.exit_code == 0
    assert '"id":"e1"' in result.stdout


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"config": {}}, "start_date must be set."),
        ({"config": {"start_date": "soon", "access_token": SECRET}}, "start_date is neither a date"),
        ({"config": {"start_date": "2026-10-20"}}, "No credentials are set. Set access_token, or"),
        (
            {"config": {"start_date": "2026-10-20", "access_token": SECRET}, "state": "ada@example.com"},
            "The file given with --state is not JSON: Expecting value in line 1, column 1. Correct it.",
        ),
        (
            {
                "config": {"start_date": "2026-10-20", "access_token": SECRET},
                "catalog": {"streams": [{"tap_stream_id": "contacts", "schema": {}, "metadata": []}]},
            },
            'The catalog selects "contacts", which is no stream of this tap',
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line_that_says_what_to_do(
    tap: Tap, tmp_path: Path, files: dict[str, Any], words: str
) -> None:
    result = tap(*arguments(tmp_path, **files))

    (error,) = result.errors
    assert words in error
    assert result.exit_code == 1
    assert "Traceback" not in result.stderr
    assert SECRET not in result.stderr
    assert "ada@example.com" not in result.stderr


def test_a_number_in_the_environment_that_is_none_is_told_by_name(
    tap: Tap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAP_HUBSPOT_EMAIL_EVENTS_START_DATE", "2026-10-20")
    monkeypatch.setenv("TAP_HUBSPOT_EMAIL_EVENTS_SETTLE_SECONDS", "ada@example.com")

    result = tap("--config=ENV")

    assert result.exit_code == 1
    assert "TAP_HUBSPOT_EMAIL_EVENTS_SETTLE_SECONDS is not a whole number" in result.errors[0]
    assert "ada@example.com" not in result.stderr


def test_hubspots_refusal_is_told_in_one_line(tap: Tap, hubspot: HubSpotEmulator, tmp_path: Path) -> None:
    result = tap(*arguments(tmp_path, hubspot, config={"access_token": SECRET}))

    (error,) = result.errors
    assert "was answered 401" in error
    assert "Check that the credentials are current" in error
    assert result.exit_code == 1
    assert SECRET not in result.stderr


def test_missing_scopes_are_named(tap: Tap, portal: Portal, tmp_path: Path) -> None:
    from tests.hubspot_emulator import HubSpotEmulator  # noqa: PLC0415 - with other tokens than the fixture's

    with HubSpotEmulator(portal, tokens={"pat-na1-lists": ["crm.lists.read"]}) as hubspot:
        result = tap(*arguments(tmp_path, hubspot))

    assert "Grant the app the scopes content" in result.errors[0]


def test_a_trace_is_shown_to_those_who_ask_for_it_without_secrets(
    tap: Tap, hubspot: HubSpotEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGLEVEL", "DEBUG")

    result = tap(*arguments(tmp_path, hubspot, config={"access_token": SECRET}))

    assert "Traceback (most recent call last)" in result.stderr
    assert SECRET not in result.stderr


def test_no_token_and_no_address_is_logged_whatever_happens(
    tap: Tap, portal: Portal, hubspot: HubSpotEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGLEVEL", "DEBUG")
    for event_type in STREAMS.values():
        portal.add_event(
            event_type, SETTLED - 1, recipient="marked@example.com", created_by="marked@example.com"
        )
    for fault in ("reset", "truncate", "not_json"):
        getattr(hubspot.faults, fault)("GET", "/email", after=2)
    hubspot.faults.next("GET", "/email", after=8, status=400, body={"message": "marked@example.com is odd"})

    result = tap(*arguments(tmp_path, hubspot))

    assert result.exit_code == 1
    assert "marked@example.com" in result.stdout
    assert "marked@example.com" not in result.stderr
    assert hubspot.token not in result.stderr


def test_a_mistake_of_our_own_is_told_by_kind_and_place_alone(
    hubspot: HubSpotEmulator, tmp_path: Path
) -> None:
    script = (
        "import sys\n"
        "from tap_hubspot_email_events import tap, runs\n"
        "class Mistaken:\n"
        "    @classmethod\n"
        "    def begin(cls, *a, **k): raise KeyError('marked@example.com')\n"
        "tap.Run = Mistaken\n"
        "tap.TapHubSpotEmailEvents.cli()\n"
    )
    command = [
        sys.executable,
        "-c",
        script,
        *arguments(tmp_path, hubspot, catalog=selecting("email_event_open")),
    ]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert re.search(
        r"KeyError at <string>:5 ended the run. This is a bug in tap-hubspot-email-events", ended.stderr
    )
    assert "marked@example.com" not in ended.stderr
    assert "Traceback" not in ended.stderr
