"""The settings are a public contract: each explained, secrets marked, defaults as parsed."""

from __future__ import annotations

import json
from importlib import metadata
from typing import Any

import pytest
from click.testing import CliRunner

from target_hubspot_lists.settings import Settings
from target_hubspot_lists.settings_schema import TARGET_SETTINGS
from target_hubspot_lists.target import TargetHubSpotLists

DO_NOTHING_HERE = {"add_record_metadata", "load_method", "validate_records", "faker_config", "batch_config"}


@pytest.fixture(scope="module")
def about() -> dict[str, Any]:
    result = CliRunner().invoke(TargetHubSpotLists.get_singer_command(), ["--about", "--format=json"])
    assert result.exit_code == 0
    settings: dict[str, Any] = json.loads(result.stdout)["settings"]["properties"]
    return settings


def test_about_explains_every_setting(about: dict[str, Any]) -> None:
    unexplained = [
        name for name, schema in about.items() if not (schema.get("title") and schema.get("description"))
    ]

    assert unexplained == []
    assert about.keys() >= TARGET_SETTINGS.keys()


def test_about_hides_the_sdks_settings_that_do_nothing_here(about: dict[str, Any]) -> None:
    assert about.keys() & DO_NOTHING_HERE == set()


def test_secrets_are_marked(about: dict[str, Any]) -> None:
    secrets = {name for name, schema in about.items() if schema.get("secret")}

    assert secrets == {"access_token", "client_secret", "refresh_token", "ledger_url"}


def test_the_defaults_that_are_told_are_those_that_are_used() -> None:
    settings = Settings.from_config({"access_token": "pat-test"})

    told = {name: schema["default"] for name, schema in TARGET_SETTINGS.items() if "default" in schema}
    used = {name: getattr(settings, name, getattr(settings.connection, name, None)) for name in told}
    assert used == told


def test_null_is_the_default_and_an_empty_prefix_is_none() -> None:
    nothing = Settings.from_config(
        {"access_token": "pat-test", **dict.fromkeys(TARGET_SETTINGS.keys() - {"access_token"})}
    )

    assert nothing == Settings.from_config({"access_token": "pat-test"})
    assert Settings.from_config({"access_token": "pat-test", "list_name_prefix": ""}).list_name_prefix == ""


def test_backoff_comes_from_its_maintained_distribution_alone() -> None:
    assert metadata.version("python-backoff")
    with pytest.raises(metadata.PackageNotFoundError):
        metadata.version("backoff")
