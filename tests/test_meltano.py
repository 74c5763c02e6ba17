"""Meltano itself hands each setting to the plugins as its definition declares it. `make meltano` installs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.conftest import MELTANO
from tests.definitions import PLUGINS
from tests.processes import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.definitions import Plugin, Setting
    from tests.hubspot_emulator import HubSpotEmulator

TARGET, TAP = PLUGINS
EU = f"{TARGET.name}--eu"  # a second portal's plugin, which inherits from the target

pytestmark = [
    pytest.mark.sources,
    pytest.mark.skipif(not MELTANO.is_dir(), reason="Meltano is not installed: make meltano"),
]


class Project:
    """A Meltano project of a reader's own, whose plugins are the commands that this environment has installed."""

    def __init__(self, meltano: Path, folder: Path) -> None:
        self._meltano = meltano
        self.folder = folder
        self("init", "--no-usage-stats", str(folder), cwd=folder.parent)
        for plugin in PLUGINS:
            definition = str(plugin.folder / "definition.yml")
            self("add", "--no-install", "--plugin-type", plugin.kind, plugin.name, "--from-ref", definition)
        self._edit()

    def __call__(
        self,
        *arguments: str,
        cwd: Path | None = None,
        variables: Mapping[str, str] | None = None,
        fails: bool = False,
    ) -> str:
        """Run a Meltano command; return what it printed."""
        done = subprocess.run(
            [str(self._meltano), *arguments],
            check=False,
            cwd=cwd or self.folder,
            env=os.environ | dict(variables or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
        )
        assert bool(done.returncode) is fails, done.stdout
        return done.stdout

    def config(self, plugin: str, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The configuration that Meltano gives a plugin, its secrets as well."""
        printed = self("invoke", "--dump=config", plugin, variables=variables)
        given: dict[str, Any] = json.loads(printed[printed.index("{\n") :])
        return given

    def _edit(self) -> None:
        """Run what is installed here instead of installing it again; inherit a plugin for a second portal."""
        path = self.folder / "meltano.yml"
        project = yaml.safe_load(path.read_text("utf-8"))
        for of_kind in project["plugins"].values():
            for plugin in of_kind:
                plugin.pop("pip_url")
                plugin["executable"] = str(Path(sys.executable).parent / plugin["name"])
        project["plugins"]["loaders"].append({"name": EU, "inherit_from": TARGET.name})
        path.write_text(yaml.safe_dump(project, sort_keys=False), "utf-8")


@pytest.fixture(scope="module")
def project(meltano: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(meltano, tmp_path_factory.mktemp("reader") / "my-project")


# For each kind of setting a value as text, and what the plugin gets.
VALUES: Mapping[str, tuple[str, Any]] = {
    "string": ("2026-01-31", "2026-01-31"),
    "integer": ("7", 7),
    "boolean": ("true", True),
    "array": ('[{"cohort": "VIP", "list_id": "42"}]', [{"cohort": "VIP", "list_id": "42"}]),
    "object": ('{"members": {"email": "mail"}}', {"members": {"email": "mail"}}),
}


def value_of(setting: Setting) -> tuple[str, Any]:
    if setting["kind"] == "options":
        last: str = setting["options"][-1]["value"]
        return last, last
    return VALUES[setting["kind"]]


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_the_variable_of_every_setting_reaches_the_plugin(plugin: Plugin, project: Project) -> None:
    values = {setting["name"]: value_of(setting) for setting in plugin.settings}

    given = project.config(
        plugin.name, {f"{plugin.namespace}_{name}".upper(): text for name, (text, _) in values.items()}
    )

    assert {name: given.get(name) for name in values} == {name: value for name, (_, value) in values.items()}


def test_config_set_takes_every_kind_of_setting(project: Project) -> None:
    first = {(each["kind"], each.get("sensitive")): each for each in TARGET.settings}.values()
    values = {setting["name"]: value_of(setting) for setting in first}

    for name, (text, _) in values.items():
        project("config", "set", EU, name, text)

    given = project.config(EU)
    assert {kind for kind, _ in {(each["kind"], None) for each in first}} == {*VALUES, "options"}
    assert {name: given[name] for name in values} == {name: value for name, (_, value) in values.items()}


def test_an_inherited_plugin_has_variables_of_its_own(project: Project) -> None:
    variables = {"TARGET_HUBSPOT_LISTS__EU_REFRESH_TOKEN": "eu", "TARGET_HUBSPOT_LISTS_CLIENT_ID": "all"}

    assert project.config(EU, variables)["refresh_token"] == "eu"
    assert project.config(EU, variables)["client_id"] == "all"
    assert project.config(TARGET.name, variables).get("refresh_token") is None


def test_the_variables_of_a_sibling_do_not_disturb_a_run(project: Project, hubspot: HubSpotEmulator) -> None:
    (project.folder / ".env").write_text("TARGET_HUBSPOT_LISTS__EU_DRY_RUN=true\n", "utf-8")
    variables = {
        "TARGET_HUBSPOT_LISTS_API_URL": hubspot.url,
        "TARGET_HUBSPOT_LISTS_ACCESS_TOKEN": hubspot.token,
    }

    said = project("invoke", f"{TARGET.name}:check", variables=variables)

    assert "The connection works." in said
    assert "ignored" not in said


def test_a_variable_that_the_project_does_not_declare_ends_a_command_and_is_named(
    project: Project, hubspot: HubSpotEmulator
) -> None:
    path = project.folder / "meltano.yml"
    declared = path.read_text("utf-8")
    short = yaml.safe_load(declared)
    for plugin in short["plugins"]["loaders"]:
        if plugin["name"] == TARGET.name:
            plugin["settings"] = [each for each in plugin["settings"] if each["name"] != "dry_run"]
    path.write_text(yaml.safe_dump(short, sort_keys=False), "utf-8")
    variables = {
        "TARGET_HUBSPOT_LISTS_API_URL": hubspot.url,
        "TARGET_HUBSPOT_LISTS_ACCESS_TOKEN": hubspot.token,
        "TARGET_HUBSPOT_LISTS_DRY_RUN": "true",
    }

    said = project("invoke", TARGET.name, "--check", variables=variables, fails=True)
    path.write_text(declared, "utf-8")

    assert "The run would ignore TARGET_HUBSPOT_LISTS_DRY_RUN" in said


def test_the_token_of_one_environment_is_not_that_of_another(project: Project) -> None:
    with (project.folder / ".env").open("a", encoding="utf-8") as env:
        env.write("HUBSPOT_ACCESS_TOKEN=of-the-real-portal\n")
    for environment, token in (("dev", "of-the-local-one"), ("prod", "$HUBSPOT_ACCESS_TOKEN")):
        in_environment = (f"--environment={environment}", "config", "set", "--store=meltano_environment")
        project(*in_environment, TARGET.name, "access_token", token)

    given = {
        environment: project.config(TARGET.name, {"MELTANO_ENVIRONMENT": environment})["access_token"]
        for environment in ("dev", "prod")
    }

    assert given == {"dev": "of-the-local-one", "prod": "of-the-real-portal"}
