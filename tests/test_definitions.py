"""What Meltano and the documents say of the plugins' settings is what the plugins say of themselves."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from tests import definitions
from tests.definitions import PLUGINS, ROOT
from tests.hub_rules import definition_schema
from tests.hubspot_emulator.emulator import DEFAULT_TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.definitions import Plugin

KINDS = {"string", "integer", "boolean", "array", "object", "options"}  # of those that Meltano has
MELTANO = definitions.project()
PROJECT_PLUGINS = {each["name"]: each for kind in MELTANO["plugins"].values() for each in kind}

pytestmark = pytest.mark.sources
every_plugin = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)


@functools.cache
def about(plugin: Plugin) -> dict[str, Any]:
    """What the command itself says of its settings."""
    command = [sys.executable, "-m", plugin.namespace, "--about", "--format=json"]
    said = subprocess.run(command, capture_output=True, check=True, cwd=ROOT, text=True).stdout
    properties: dict[str, Any] = json.loads(said)["settings"]["properties"]
    return properties


def definition_file(plugin: Plugin) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((plugin.folder / "definition.yml").read_text("utf-8"))
    return loaded


def definitions_of(plugin: Plugin) -> list[dict[str, Any]]:
    """The two places that a Meltano project takes the plugin from."""
    return [definition_file(plugin), PROJECT_PLUGINS[plugin.name]]


@pytest.mark.parametrize(
    ("path", "text"), [pytest.param(*each, id=each[0].name) for each in definitions.files()]
)
def test_every_file_says_what_the_code_says(path: Path, text: str) -> None:
    assert path.read_text("utf-8") == text, "run `make definitions`"


@every_plugin
def test_definitions_have_the_names_defaults_and_secrets_that_about_shows(plugin: Plugin) -> None:
    settings = about(plugin)
    for definition in definitions_of(plugin):
        said = {each["name"]: each for each in definition["settings"]}

        assert list(said) == list(settings)
        assert {name: each["value"] for name, each in said.items() if "value" in each} == {
            name: schema["default"] for name, schema in settings.items() if "default" in schema
        }
        assert {name for name, each in said.items() if each.get("sensitive")} == {
            name for name, schema in settings.items() if schema.get("secret")
        }


@every_plugin
def test_a_setting_has_a_kind_that_takes_its_values(plugin: Plugin) -> None:
    for name, schema in about(plugin).items():
        for definition in definitions_of(plugin):
            setting = next(each for each in definition["settings"] if each["name"] == name)
            types = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])

            assert setting["kind"] in KINDS
            assert setting["kind"] in {"string", "options"} or setting["kind"] in types
            assert [option["value"] for option in setting.get("options", [])] == [
                value for value in schema.get("enum", []) if value is not None
            ]


@every_plugin
def test_every_setting_has_a_label_and_says_what_it_is(plugin: Plugin) -> None:
    for definition in definitions_of(plugin):
        assert all(setting["label"] and setting["description"] for setting in definition["settings"])


@every_plugin
def test_there_is_one_definition_file_and_it_cannot_lead_to_somebody_elses_package(plugin: Plugin) -> None:
    assert [each.name for each in plugin.folder.glob("*.yml")] == ["definition.yml"]
    assert definition_file(plugin)["pip_url"] == "../target-hubspot-lists"


@every_plugin
def test_the_definition_file_keeps_the_rules_of_meltano_hub(plugin: Plugin) -> None:
    jsonschema.validate(definition_file(plugin), definition_schema(plugin.kind))


@every_plugin
@pytest.mark.parametrize(
    "wrong",
    [
        {"quality": "best"},
        {"qualty": "gold"},
        {"variant": None},
        {"capabilities": ["sync"]},
        {"settings": [{"name": "access_token", "kind": "secret"}]},
        {"supported_python_versions": ["3"]},
    ],
    ids=str,
)
def test_the_rules_of_meltano_hub_refuse_what_the_hub_would(plugin: Plugin, wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(definition_file(plugin) | wrong, definition_schema(plugin.kind))


def test_with_an_address_the_definitions_link_to_the_project() -> None:
    hooks = {"custom": {"repository": "https://example.com/owner/name"}}

    assert definitions.project_links({"tool": {"hatch": {"metadata": {"hooks": hooks}}}}) == {
        "repo": "https://example.com/owner/name",
        "docs": "https://example.com/owner/name/blob/main/docs/index.md",
    }


@every_plugin
def test_meltano_calls_the_plugin_as_the_wheel_installs_it(plugin: Plugin) -> None:
    scripts = (ROOT / "pyproject.toml").read_text("utf-8")
    for definition in definitions_of(plugin):
        assert definition["name"] == definition["executable"] == plugin.name
        assert definition["namespace"] == plugin.name.replace("-", "_")
        assert definition["capabilities"] == [each.value for each in plugin.of.capabilities]
    assert f'{plugin.name} = "{plugin.namespace}.' in scripts


@every_plugin
def test_the_reference_has_a_row_for_every_setting(plugin: Plugin) -> None:
    page = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")
    rows = page.partition(f"<!-- table: settings of {plugin.name} -->")[2].partition("<!-- end of table -->")[
        0
    ]
    own = [name for name in about(plugin) if not name.startswith(definitions.SDK_SETTINGS)]

    assert re.findall(r"^\| `(\w+)`", rows, re.MULTILINE) == own


def test_what_a_reader_sees_of_the_project_first_is_short() -> None:
    assert len((ROOT / "meltano.yml").read_text("utf-8").splitlines()) <= 80


def test_the_token_of_the_real_hubspot_has_a_name_that_the_local_one_is_never_sent() -> None:
    local, production = (
        {
            plugin["name"]: plugin["config"]
            for of_kind in environment["config"]["plugins"].values()
            for plugin in of_kind
        }
        for environment in MELTANO["environments"]
    )

    assert {config["access_token"] for config in production.values()} == {"$HUBSPOT_ACCESS_TOKEN"}
    assert {config["access_token"] for config in local.values()} == {DEFAULT_TOKEN}
    assert not [config for config in production.values() if "api_url" in config]


def test_meltano_asks_no_hub_and_sends_no_statistics() -> None:
    assert MELTANO["send_anonymous_usage_stats"] is False
    assert "version" not in MELTANO  # Meltano 4 warns of it
    own = [plugin for plugin in PROJECT_PLUGINS.values() if "inherit_from" not in plugin]
    for plugin in own:
        assert plugin["namespace"], "without it Meltano looks the plugin up"
        assert re.fullmatch(r"-e \.(\[\w+\])?|[\w-]+==[\d.]+", plugin["pip_url"])


def test_every_command_of_a_plugin_is_one_that_the_package_installs() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    executables = {
        command.get("executable", plugin.name)
        for plugin in definitions.PLUGINS
        for command in definitions.commands(plugin).values()
    }

    assert executables == set(scripts)


def test_every_scheduled_job_runs_plugins_that_there_are() -> None:
    jobs = {job["name"]: job["tasks"] for job in MELTANO["jobs"]}

    assert {schedule["job"] for schedule in MELTANO["schedules"]} <= set(jobs)
    for tasks in jobs.values():
        for task in tasks:
            for name, _, command in (each.partition(":") for each in task.split()):
                assert name in PROJECT_PLUGINS
                assert not command or command in PROJECT_PLUGINS[name]["commands"]
