"""Writes what Meltano and the documents must say of each plugin from what the plugin says of itself.

`make definitions` writes it; test_definitions.py fails where a file says something else.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tap_hubspot_email_events.tap import TapHubSpotEmailEvents
from target_hubspot_lists.target import TargetHubSpotLists

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hubspot_singer.plugin.plugins import HubSpotPlugin

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
# The Meltano projects of this repository: where one has a plugin of ours, it declares all its settings.
PROJECTS = (
    ROOT / "meltano" / "tap-hubspot-email-events.yml",
    ROOT / "meltano" / "target-hubspot-lists.yml",
    ROOT / "examples" / "side_by_side" / "meltano" / "target-hubspot-lists.yml",
)
Setting = dict[str, Any]

# Meltano's word for each JSON type; never `decimal`, with which Meltano 4.4 cannot write a plugin's config.
KINDS = {"boolean": "boolean", "integer": "integer", "array": "array", "object": "object"}
# What `meltano invoke PLUGIN:COMMAND` runs. Meltano gives a command no config file, but every setting as a variable.
COMMANDS = {
    "check": {
        "args": "--config=ENV --check",
        "description": "Check the settings, the token, its scopes and the requests left today.",
    },
    "authorize": {
        "args": "--config=ENV --authorize",
        "description": "Let a portal allow the OAuth app in a browser, and print the settings to use it with.",
    },
}
# Installed commands of the target beside its own: they read the ledger and the reports that the settings name.
COMMANDS_OF_THE_TARGET = COMMANDS | {
    "properties": {
        "args": "--config=ENV --properties",
        "description": "List the portal's contact properties that property_mappings can name.",
    },
    "report": {
        "executable": "hubspot-lists-report",
        "args": "",
        "description": "Make a page of the reports and the ledger; needs the extra report.",
    },
    "lists": {
        "executable": "hubspot-lists-ledger",
        "args": "lists",
        "description": "Show each list that the ledger knows, its members and its last complete run.",
    },
    "runs": {
        "executable": "hubspot-lists-ledger",
        "args": "runs",
        "description": "Show what each run did to each list, as the ledger knows.",
    },
    "forget": {
        "executable": "hubspot-lists-ledger",
        "args": "forget",
        "description": "Delete all that the ledger knows of one person.",
    },
}
LINE_WIDTH = 1_000_000  # of YAML: no value is broken
# Settings that the SDK adds to every plugin; the documents name them in one sentence.
SDK_SETTINGS = ("stream_map", "faker_config", "flattening_")


@dataclass(frozen=True)
class Plugin:
    """One plugin, and what its code does not say: its label, its keywords, and which settings it needs."""

    of: type[HubSpotPlugin]
    label: str
    keywords: Sequence[str]
    # One of these sets of settings must be there.
    required_settings: Sequence[Sequence[str]]
    # Which streams Meltano selects. It says "selected" of all of them where nothing is said, whatever their default is.
    select: Sequence[str] = ()

    @property
    def name(self) -> str:
        return self.of.name

    @property
    def namespace(self) -> str:
        return self.name.replace("-", "_")

    @property
    def folder(self) -> Path:
        return ROOT / self.namespace

    @property
    def settings(self) -> list[Setting]:
        return [
            meltano_setting(name, schema) for name, schema in config_schema(self.of)["properties"].items()
        ]

    @property
    def kind(self) -> str:
        """Meltano's word for a kind of plugin: `loader` or `extractor`."""
        return self.of.meltano_kind.lower()


PLUGINS = (
    Plugin(
        of=TargetHubSpotLists,
        label="HubSpot Lists",
        keywords=("hubspot", "marketing", "meltano_sdk", "reverse_etl"),
        required_settings=(("access_token",), ("client_id", "client_secret", "refresh_token")),
    ),
    Plugin(
        of=TapHubSpotEmailEvents,
        label="HubSpot Email Events",
        keywords=("api", "email", "hubspot", "marketing", "meltano_sdk"),
        required_settings=(
            ("access_token", "start_date"),
            ("client_id", "client_secret", "refresh_token", "start_date"),
        ),
        select=("*.*", "!email_event_other.*"),
    ),
)


def config_schema(plugin: type[HubSpotPlugin]) -> dict[str, Any]:
    """The plugin's settings as `--about` shows them: its own and those of the SDK that it keeps."""
    schema: dict[str, Any] = {"type": "object", "properties": dict(plugin.config_jsonschema["properties"])}
    plugin.append_builtin_config(schema)
    return schema


def meltano_setting(name: str, schema: Mapping[str, Any]) -> Setting:
    """Say a setting in Meltano's words and order: https://docs.meltano.com/reference/settings/#settings."""
    setting: Setting = {"name": name, "kind": kind(schema)}
    if "default" in schema:
        setting["value"] = schema["default"]
    setting |= {"label": schema["title"], "description": " ".join(schema["description"].split())}
    if schema.get("secret"):
        setting["sensitive"] = True
    if "enum" in schema:
        setting["options"] = [{"label": str(value), "value": value} for value in words(schema)]
    return setting


def words(schema: Mapping[str, Any]) -> list[str]:
    """The words that a setting takes; that it may be null goes without saying."""
    return [value for value in schema["enum"] if value is not None]


def kind(schema: Mapping[str, Any]) -> str:
    """Meltano's kind of a setting; one that takes text beside numbers is text."""
    if "enum" in schema:
        return "options"
    types = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"]) - {"null"}
    return KINDS.get(types.pop(), "string") if len(types) == 1 else "string"


# Files


def project() -> dict[str, Any]:
    """The Meltano project of this repository, with what its meltano.yml includes."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
    plugins: dict[str, list[Any]] = {}
    for pattern in loaded.pop("include_paths"):
        for path in sorted(ROOT.glob(pattern)):
            for kind, of_kind in yaml.safe_load(path.read_text("utf-8"))["plugins"].items():
                plugins.setdefault(kind, []).extend(of_kind)
    return loaded | {"plugins": plugins}


def files() -> Iterator[tuple[Path, str]]:
    """Yield each file that says something of a plugin, with the text that it should have."""
    projects = {path: path.read_text("utf-8") for path in PROJECTS}
    for plugin in PLUGINS:
        yield plugin.folder / "definition.yml", definition(plugin)
        mark = f"settings of {plugin.name}"
        for path, text in projects.items():
            if f"# {mark}\n" in text:
                projects[path] = between(text, f"    # {mark}", "    # end of settings", in_project(plugin))
    yield from projects.items()


COMMENT = """\
# {label}, with every setting, for a Meltano project of your own and for Meltano Hub. With this repository in
# ../target-hubspot-lists, seen from the project's folder:
#   meltano add --plugin-type {kind} {name} --from-ref ../target-hubspot-lists/{folder}/definition.yml
# Written by `make definitions`.
"""
# No package index holds the name yet, and whoever takes it there must not get into anybody's project.
PIP_URL = "../target-hubspot-lists"
VARIANT = "hubspot-singer"


def definition(plugin: Plugin) -> str:
    """A plugin definition file: https://docs.meltano.com/concepts/plugins/#custom-plugin-definition.

    Every setting is declared, since Meltano passes on no other; beside them stands what the Hub's schema wants:
    https://github.com/meltano/hub/tree/main/schemas/plugin_definitions.
    """
    comment = COMMENT.format(label=plugin.label, name=plugin.name, kind=plugin.kind, folder=plugin.namespace)
    return comment + as_yaml(
        {
            "name": plugin.name,
            "namespace": plugin.namespace,
            "variant": VARIANT,
            "label": plugin.label,
            "description": description(plugin.of),
            "domain_url": "https://www.hubspot.com/",
            "logo_url": f"/assets/logos/{plugin.kind}s/hubspot.png",  # which the Hub has
            **project_links(PYPROJECT),
            "keywords": list(plugin.keywords),
            "maintenance_status": "active",
            "quality": "unknown",
            "supported_python_versions": python_versions(PYPROJECT),
            "pip_url": PIP_URL,
            "executable": plugin.name,
            "capabilities": [capability.value for capability in plugin.of.capabilities],
            **({"select": list(plugin.select)} if plugin.select else {}),
            "commands": commands(plugin),
            "settings_group_validation": [list(group) for group in plugin.required_settings],
            "settings": plugin.settings,
        }
    )


def commands(plugin: Plugin) -> Mapping[str, Any]:
    """What `meltano invoke PLUGIN:COMMAND` runs: https://docs.meltano.com/concepts/project/#plugin-commands."""
    return COMMANDS_OF_THE_TARGET if plugin.of is TargetHubSpotLists else COMMANDS


def project_links(pyproject: Mapping[str, Any]) -> Mapping[str, str]:
    """The links to the project, where pyproject.toml has its address."""
    repository = pyproject["tool"]["hatch"]["metadata"]["hooks"]["custom"]["repository"]
    return {"repo": repository, "docs": f"{repository}/blob/main/docs/index.md"} if repository else {}


def python_versions(pyproject: Mapping[str, Any]) -> list[str]:
    """The versions of Python that the classifiers name."""
    before = "Programming Language :: Python :: 3."
    return [
        each.rpartition(" ")[2] for each in pyproject["project"]["classifiers"] if each.startswith(before)
    ]


def description(plugin: type[HubSpotPlugin]) -> str:
    """The first sentence of the plugin's class."""
    return (plugin.__doc__ or "").strip().partition("\n")[0]


def as_yaml(value: object) -> str:
    """YAML in the order given, a line for each value, as Meltano writes it."""
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=LINE_WIDTH)
    return text


def in_project(plugin: Plugin) -> str:
    """The commands and settings as they stand in a plugin of a Meltano project."""
    lines = as_yaml({"commands": commands(plugin), "settings": plugin.settings}).splitlines()
    return "".join(f"    {line}\n" for line in lines)


def table(settings: Iterable[Setting]) -> str:
    """The settings as the documents show them."""
    own = [setting for setting in settings if not setting["name"].startswith(SDK_SETTINGS)]
    rows = [("setting", "kind", "default", "what it is"), ("---", "---", "---", "---"), *map(_row, own)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(setting: Setting) -> tuple[str, str, str, str]:
    kind = " or ".join(f"`{option['value']}`" for option in setting.get("options", ())) or setting["kind"]
    if setting.get("sensitive"):
        kind = "secret"
    default = f"`{yaml_word(setting['value'])}`" if "value" in setting else ""
    return f"`{setting['name']}`", kind, default, setting["description"].replace("|", "\\|")


def yaml_word(value: object) -> str:
    """A default as one writes it in meltano.yml."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def between(text: str, start: str, end: str, new: str) -> str:
    """Put the new lines between the line that starts a part and the next one that ends it."""
    before, found, rest = text.partition(f"{start}\n")
    _, ended, after = rest.partition(f"{end}\n")
    if not (found and ended):
        raise ValueError(f"there is no part from {start!r} to {end!r}")
    return f"{before}{found}{new}{ended}{after}"


def main() -> None:
    """Write the files."""
    for path, text in files():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
