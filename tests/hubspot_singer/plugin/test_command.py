"""The command line that both plugins share: settings from files, text and variables, and errors of one line."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tap_hubspot_email_events.tap import TapHubSpotEmailEvents
from target_hubspot_lists.target import TargetHubSpotLists
from tests.clocks import FakeClock
from tests.commands import Commands
from tests.factories import membership, schema_message
from tests.hubspot_emulator import HubSpotEmulator
from tests.processes import config_file

if TYPE_CHECKING:
    from pathlib import Path

    from hubspot_singer.plugin.plugins import HubSpotPlugin
    from tests.hubspot_emulator import Portal

SECRET = "pat-na1-a-secret-token"
PLUGINS = (TargetHubSpotLists, TapHubSpotEmailEvents)


@pytest.fixture(params=PLUGINS, ids=lambda plugin: plugin.name)
def plugin(request: pytest.FixtureRequest) -> type[HubSpotPlugin]:
    chosen: type[HubSpotPlugin] = request.param
    return chosen


@pytest.fixture
def commands(capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(capsys)


@pytest.fixture
def settings(plugin: type[HubSpotPlugin], hubspot: HubSpotEmulator) -> dict[str, Any]:
    """Settings with which the plugin can run."""
    own = {
        TargetHubSpotLists: {"match_by": "contact_id", "list_name_prefix": ""},
        TapHubSpotEmailEvents: {"start_date": "2026-10-20"},
    }
    return {"api_url": hubspot.url, "access_token": hubspot.token, **own[plugin]}


def variable(plugin: type[HubSpotPlugin], setting: str) -> str:
    return f"{plugin.name.upper().replace('-', '_')}_{setting.upper()}"


# Files


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (
            f'{{"access_token": "{SECRET}",\n"lists": [}}',
            'The file "{path}" given with --config is not JSON: Expecting value in line 2, column 11. Correct it.',
        ),
        (
            f'["{SECRET}"]',
            'The file "{path}" given with --config is not a JSON object. Write the settings as one.',
        ),
        ("[" * 100_000, 'The file "{path}" given with --config is nested too deeply to be read. Correct it.'),
        (
            f'{{"size": {"9" * 5000}}}',
            'The file "{path}" given with --config holds a number that is too long. Correct it.',
        ),
        (b'\xff{"a": 1}', 'The file "{path}" given with --config is not UTF-8 text. Save it as such.'),
        (
            None,
            (
                'The file "{path}" given with --config cannot be read (No such file or directory). Name a file'
                " that holds the settings as one JSON object, or write --config=ENV."
            ),
        ),
    ],
    ids=["broken", "array", "deep", "number", "bytes", "absent"],
)
def test_a_config_file_that_cannot_be_read_is_named_with_the_line_and_not_quoted(
    commands: Commands, plugin: type[HubSpotPlugin], tmp_path: Path, content: str | bytes | None, error: str
) -> None:
    path = tmp_path / "bad.json"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    ended = commands.run(plugin, "--config", str(path))

    assert ended.exit_code == 1
    assert ended.error == error.format(path=path)
    assert SECRET not in ended.stderr


def test_a_config_file_may_begin_with_a_byte_order_mark(
    commands: Commands, plugin: type[HubSpotPlugin], tmp_path: Path, settings: dict[str, Any]
) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings), "utf-8-sig")

    assert commands.run(plugin, "--config", str(path), "--check").exit_code == 0


# --check


def test_the_check_says_which_portal_it_is_and_that_the_scopes_are_there(
    commands: Commands,
    plugin: type[HubSpotPlugin],
    portal: Portal,
    hubspot: HubSpotEmulator,
    tmp_path: Path,
    settings: dict[str, Any],
) -> None:
    ended = commands.run(plugin, "--config", config_file(tmp_path, settings), "--check")

    assert ended.exit_code == 0
    assert ended.stdout == ""
    assert "The connection works." in ended.stderr
    assert f"Portal: {portal.portal_id}." in ended.stderr
    assert "are all there." in ended.stderr
    assert hubspot.calls() <= 2


def test_the_check_fails_for_a_token_that_is_not_valid(
    commands: Commands, plugin: type[HubSpotPlugin], tmp_path: Path, settings: dict[str, Any]
) -> None:
    config = config_file(tmp_path, settings | {"access_token": SECRET})

    ended = commands.run(plugin, "--config", config, "--check")

    assert ended.exit_code == 1
    assert "was answered 401" in ended.error
    assert SECRET not in ended.stderr


def test_the_check_without_settings_says_where_they_may_come_from(
    commands: Commands, plugin: type[HubSpotPlugin]
) -> None:
    ended = commands.run(plugin, "--check")

    assert ended.exit_code == 1
    assert (
        f"write --config=ENV to have them read from the environment ({variable(plugin, 'access_token')}"
        in (ended.error)
    )


def test_the_check_of_a_token_whose_scopes_are_not_told_names_those_that_are_needed(
    commands: Commands,
    plugin: type[HubSpotPlugin],
    hubspot: HubSpotEmulator,
    tmp_path: Path,
    settings: dict[str, Any],
) -> None:
    hubspot.tells_scopes = False

    ended = commands.run(plugin, "--config", config_file(tmp_path, settings), "--check")

    assert ended.exit_code == 0
    assert "Scopes: not known, since HubSpot does not return them for this token; needed are" in ended.stderr


@pytest.mark.parametrize("plugin", [TapHubSpotEmailEvents], indirect=True)
@pytest.mark.parametrize("tells_scopes", [True, False])
def test_the_check_of_the_tap_names_the_scope_that_is_missing(
    commands: Commands,
    plugin: type[HubSpotPlugin],
    portal: Portal,
    tmp_path: Path,
    settings: dict[str, Any],
    tells_scopes: bool,  # noqa: FBT001
) -> None:
    with HubSpotEmulator(portal, tokens={"pat-test": ["oauth"]}) as hubspot:
        hubspot.tells_scopes = tells_scopes
        settings |= {"api_url": hubspot.url, "access_token": "pat-test"}
        ended = commands.run(plugin, "--config", config_file(tmp_path, settings), "--check")

    assert ended.exit_code == 1
    assert "content" in ended.error
    assert "The connection works." not in ended.stderr


def test_the_check_gives_up_within_20_seconds_where_nobody_listens(
    plugin: type[HubSpotPlugin], settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed_port = server.getsockname()[1]
    clock = FakeClock()

    exit_code = plugin(
        config=settings | {"api_url": f"http://127.0.0.1:{closed_port}"}, clock=clock
    ).run_check()

    assert exit_code == 1
    assert "connection failed (Connection refused)" in caplog.text
    assert "Check the network, any proxy and api_url" in caplog.text
    assert 0 < clock.elapsed <= 20


def test_the_check_gives_up_where_hubspot_never_answers(
    plugin: type[HubSpotPlugin],
    hubspot: HubSpotEmulator,
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    hubspot.faults.hang("GET", "/account-info")

    exit_code = plugin(config=settings).run_check(seconds=0.2)

    assert exit_code == 1
    hubspot.stop()  # which ends the call under way
    for thread in threading.enumerate():
        if thread.name == "deadline":
            thread.join()
    assert (
        "The check was given up after 0.2 s without an answer from HubSpot (api_url). Check the setting, the network "
        "and any proxy." in caplog.text
    )


@pytest.mark.parametrize("is_check", [True, False])
@pytest.mark.parametrize("credentials", ["static", "oauth"])
def test_an_api_version_that_hubspot_does_not_have_yet_is_named(
    commands: Commands,
    plugin: type[HubSpotPlugin],
    hubspot: HubSpotEmulator,
    tmp_path: Path,
    settings: dict[str, Any],
    credentials: str,
    is_check: bool,  # noqa: FBT001
) -> None:
    hubspot.faults.next("*", "/2027-03/", times=None, status=404, body={"message": "No such path"})
    if credentials == "oauth":
        del settings["access_token"]
        oauth = hubspot.oauth
        settings |= {
            "client_id": oauth.client_id,
            "client_secret": oauth.client_secret,
            "refresh_token": oauth.refresh_token,
        }
    config = config_file(tmp_path, settings | {"api_version": "2027-03"})
    source = tmp_path / "input.jsonl"
    source.write_text(f"{schema_message()}\n{membership('VIP', 1)}\n")
    run = {TargetHubSpotLists: ["--input", str(source)], TapHubSpotEmailEvents: []}[plugin]

    ended = commands.run(plugin, "--config", config, *(["--check"] if is_check else run))

    if plugin is TapHubSpotEmailEvents and credentials == "static" and not is_check:
        assert ended.exit_code == 0  # the email events have one path in all versions
        return
    assert ended.exit_code == 1
    assert "HubSpot may not have API version 2027-03 yet: check api_version." in ended.error
    assert hubspot.calls("POST", "/lists") == 0


@pytest.mark.parametrize(
    ("setting", "value", "error"),
    [
        ("requests_per_10_seconds", 0, "requests_per_10_seconds must be at least 1, not '0'."),
        ("requests_per_10_seconds", -5, "requests_per_10_seconds must be at least 1, not '-5'."),
        ("requests_per_10_seconds", 2.5, "requests_per_10_seconds must be a whole number, not '2.5'."),
        ("max_concurrency", 0, "max_concurrency must be at least 1, not '0'."),
        ("max_concurrency", 101, "max_concurrency must be at most 100, not '101'."),
        ("max_concurrency", True, "max_concurrency must be a whole number, not 'True'."),
        (
            "api_version",
            "2027",
            "api_version '2027' is none of HubSpot's. Set 2026-03, a later March or September",
        ),
    ],
)
def test_an_odd_setting_of_the_connection_is_named(
    commands: Commands,
    plugin: type[HubSpotPlugin],
    hubspot: HubSpotEmulator,
    tmp_path: Path,
    settings: dict[str, Any],
    setting: str,
    value: object,
    error: str,
) -> None:
    config = config_file(tmp_path, settings | {setting: value})

    ended = commands.run(plugin, "--config", config, "--check")

    assert ended.exit_code == 1
    assert ended.error.startswith(error)
    assert hubspot.calls() == 0


@pytest.mark.parametrize(
    ("odd", "error"),
    [
        ({"flattening_enabled": True}, "flattening_enabled needs flattening_max_depth: set how many levels"),
        (
            {"stream_maps": {"email_event_open": {"__else__": 5}}},
            "stream_maps.email_event_open is not valid (anyOf): see --about for what it takes.",
        ),
    ],
)
def test_an_odd_setting_of_the_sdk_is_named_and_called_no_bug(
    commands: Commands,
    plugin: type[HubSpotPlugin],
    hubspot: HubSpotEmulator,
    tmp_path: Path,
    settings: dict[str, Any],
    odd: dict[str, Any],
    error: str,
) -> None:
    ended = commands.run(plugin, "--config", config_file(tmp_path, settings | odd), "--check")

    assert ended.exit_code == 1
    assert ended.error.startswith(error)
    assert hubspot.calls() == 0


def test_names_that_flattening_cuts_to_the_same_one_are_told(
    commands: Commands, hubspot: HubSpotEmulator, tmp_path: Path
) -> None:
    settings = {"api_url": hubspot.url, "access_token": hubspot.token, "start_date": "2026-10-20"}
    flattening = {"flattening_enabled": True, "flattening_max_depth": 2, "flattening_max_key_length": 5}

    ended = commands.run(TapHubSpotEmailEvents, "--config", config_file(tmp_path, settings | flattening))

    assert ended.exit_code == 1
    assert ended.error.startswith(
        "stream_maps or the flattening_ settings cannot be used (ValueError: Duplicate column name"
    )


@pytest.mark.parametrize("settings_of_limits", [(1, 1), (1_000_000, 100)])
def test_the_smallest_and_the_largest_limits_work(
    plugin: type[HubSpotPlugin], settings: dict[str, Any], settings_of_limits: tuple[int, int]
) -> None:
    limits = dict(zip(("requests_per_10_seconds", "max_concurrency"), settings_of_limits, strict=True))
    clock = FakeClock()

    assert plugin(config=settings | limits, clock=clock).run_check() == 0


# Variables


def test_a_setting_in_the_environment_that_the_config_lacks_ends_the_run(
    commands: Commands,
    plugin: type[HubSpotPlugin],
    hubspot: HubSpotEmulator,
    tmp_path: Path,
    settings: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable(plugin, "requests_per_10_seconds"), "50")
    config = config_file(tmp_path, settings)

    ended = commands.run(plugin, "--config", config)

    assert ended.exit_code == 1
    assert ended.error == (
        f"The run would ignore {variable(plugin, 'requests_per_10_seconds')}, set in the environment: the "
        "configuration given does not contain requests_per_10_seconds. Add --config=ENV, or put "
        "requests_per_10_seconds into the configuration, or unset "
        f"{variable(plugin, 'requests_per_10_seconds')}."
    )
    assert hubspot.calls() == 0

    ended = commands.run(plugin, "--config", config, "--config=ENV", "--check")

    assert ended.exit_code == 0


def test_what_meltano_sets_by_itself_is_no_reason_for_a_word(
    commands: Commands,
    plugin: type[HubSpotPlugin],
    tmp_path: Path,
    settings: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As Meltano 4.4 does for a plugin `...-eu` that inherits from ours, with a map and an environment's value."""
    kind = plugin.meltano_kind
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", "/project")
    monkeypatch.setenv(f"MELTANO_{kind}_NAME", f"{plugin.name}-eu")
    monkeypatch.setenv(f"MELTANO_{kind}_NAMESPACE", f"{plugin.name.replace('-', '_')}_eu")
    own, inherited = variable(plugin, ""), variable(plugin, "eu_")
    settings["stream_maps"] = {"cohort_members": {"email": "email"}}
    for prefix in (own, inherited):
        monkeypatch.setenv(f"{prefix}_DIALECT", "x")
        monkeypatch.setenv(f"{prefix}_LOG_PARSER", "singer-sdk")
        monkeypatch.setenv(f"{prefix}STREAM_MAPS", '{"cohort_members.email": "email"}')
        monkeypatch.setenv(f"{prefix}STREAM_MAPS_COHORT_MEMBERS_EMAIL", "email")
        for name, value in settings.items():
            if isinstance(value, str):
                monkeypatch.setenv(f"{prefix}{name.upper()}", value)

    for config in (config_file(tmp_path, settings), "ENV"):
        ended = commands.run(plugin, "--config", config, "--check")

        assert ended.exit_code == 0
        assert ended.warnings == []


@pytest.mark.parametrize("plugin", [TargetHubSpotLists], indirect=True)
def test_text_of_every_kind_is_taken_by_a_run(
    commands: Commands, portal: Portal, hubspot: HubSpotEmulator, tmp_path: Path, settings: dict[str, Any]
) -> None:
    (ada,) = portal.add_contacts(1)
    vip = portal.add_list("VIP")
    source = tmp_path / "input.jsonl"
    source.write_text(f"{schema_message()}\n{membership('cohort', ada)}\n")
    text = {
        "dry_run": "true",
        "max_new_lists": "50",
        "lists": json.dumps([{"cohort": "mapped", "list_id": vip.list_id}]),
        "stream_maps": json.dumps({"cohort_members": {"cohort_name": "'mapped'"}}),
        "sync_mode": "",
    }

    ended = commands.run(
        TargetHubSpotLists, "--config", config_file(tmp_path, settings | text), "--input", str(source)
    )

    assert ended.exit_code == 0, ended.stderr
    assert "VIP" in ended.stderr
    assert portal.members("VIP") == set()
    assert hubspot.calls("PUT") == 0


def test_wrong_text_is_named_with_its_setting(
    commands: Commands, plugin: type[HubSpotPlugin], tmp_path: Path, settings: dict[str, Any]
) -> None:
    config = config_file(tmp_path, settings | {"max_concurrency": "eight", "flattening_enabled": "ja"})

    ended = commands.run(plugin, "--config", config)

    assert ended.exit_code == 1
    assert ended.error == (
        "flattening_enabled must be true or false, not 'ja'. max_concurrency must be a whole number, not 'eight'."
    )


def test_a_command_starts_without_what_only_some_runs_use(plugin: type[HubSpotPlugin]) -> None:
    modules = {"sqlalchemy", "psycopg", "email_validator", "http.server", "jinja2"}
    code = f"import sys, {plugin.__module__}; print(*sorted({modules} & sys.modules.keys()))"

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert ended.stdout.split() == []
