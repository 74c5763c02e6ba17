"""Writes what Meltano and the README must say of each plugin from what the plugin says of itself.

`make definitions` writes it; test_definitions.py fails where a file says something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tap_hubspot_email_events.tap import TapHubSpotEmailEvents
from target_hubspot_lists.target import TargetHubSpotLists

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from singer_sdk.plugin_base import PluginBase

ROOT = Path(__file__).parent.parent
Setting = dict[str, Any]

# Meltano's word for each JSON type; never `decimal`, with which Meltano 4.4 cannot write a plugin's config.
KINDS = {"boolean": "boolean", "integer": "integer", "array": "array", "object": "object"}
LINE_WIDTH = 1_000_000  # of YAML: no value is broken
# Settings that the SDK adds to every plugin; the README has one row for all of them.
SDK_SETTINGS = ("stream_map", "faker_config", "flattening_")


@dataclass(frozen=True)
class Plugin:
    """One plugin, and what its code does not say: its label, and which settings most people need."""

    of: type[PluginBase]
    label: str
    short: Sequence[str]
    keywords: Sequence[str]
    # One of these sets of settings must be there.
    required_settings: Sequence[Sequence[str]]

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
    def short_settings(self) -> list[Setting]:
        by_name = {setting["name"]: setting for setting in self.settings}
        return [by_name[name] for name in self.short]


PLUGINS = (
    Plugin(
        of=TargetHubSpotLists,
        label="HubSpot Lists",
        short=(
            "access_token",
            "client_id",
            "client_secret",
            "refresh_token",
            "api_url",
            "match_by",
            "match_field",
            "cohort_field",
            "operation_field",
            "lists",
            "list_name_prefix",
            "create_lists",
            "sync_mode",
            "ledger_url",
            "create_contacts",
            "report_path",
            "requests_per_10_seconds",
        ),
        keywords=("hubspot", "marketing", "meltano_sdk", "reverse_etl"),
        required_settings=(("access_token",), ("client_id", "client_secret", "refresh_token")),
    ),
    Plugin(
        of=TapHubSpotEmailEvents,
        label="HubSpot Email Events",
        short=(
            "access_token",
            "client_id",
            "client_secret",
            "refresh_token",
            "api_url",
            "start_date",
            "end_date",
            "exclude_filtered_events",
            "lookback_seconds",
            "settle_seconds",
            "requests_per_10_seconds",
        ),
        keywords=("api", "email", "hubspot", "marketing", "meltano_sdk"),
        required_settings=(
            ("access_token", "start_date"),
            ("client_id", "client_secret", "refresh_token", "start_date"),
        ),
    ),
)


def config_schema(plugin: type[PluginBase]) -> dict[str, Any]:
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


def files() -> Iterator[tuple[Path, str]]:
    """Yield each file that says something of a plugin, with the text that it should have."""
    meltano, readme = ((ROOT / name).read_text("utf-8") for name in ("meltano.yml", "README.md"))
    for plugin in PLUGINS:
        yield plugin.folder / "definition.yml", definition(plugin, plugin.short_settings, SHORT)
        yield (
            plugin.folder / "definition-hub.yml",
            definition(plugin, plugin.settings, FULL, hub_only(plugin)),
        )
        mark = f"settings of {plugin.name}"
        meltano = between(meltano, f"    # {mark}", "    # end of settings", indented(plugin.settings))
        readme = between(readme, f"<!-- {mark} -->", "<!-- end of settings -->", table(plugin.settings))
    yield ROOT / "meltano.yml", meltano
    yield ROOT / "README.md", readme


SHORT = """\
# {label}: the settings most people need, for a Meltano project of your own:
#   meltano add --no-install --plugin-type {kind} {name} --from-ref THIS_FILE
# Then set its pip_url to where you have the package from, and run `meltano install`.
# Written by `make definitions`; definition-hub.yml beside it has every setting.
"""
FULL = """\
# {label}: every setting, in the form of Meltano Hub. Written by `make definitions`.
"""


def definition(
    plugin: Plugin, settings: Iterable[Setting], comment: str, more: Mapping[str, Any] | None = None
) -> str:
    """A plugin definition file: https://docs.meltano.com/concepts/plugins/#custom-plugin-definition."""
    plugin_kind = "loader" if plugin.name.startswith("target-") else "extractor"
    heading = comment.format(label=plugin.label, name=plugin.name, kind=plugin_kind, folder=plugin.namespace)
    return heading + as_yaml(
        {
            "name": plugin.name,
            "namespace": plugin.namespace,
            "label": plugin.label,
            "description": description(plugin.of),
            **(more or {}),
            "pip_url": "target-hubspot-lists",
            "executable": plugin.name,
            "capabilities": [capability.value for capability in plugin.of.capabilities],
            "settings_group_validation": [list(group) for group in plugin.required_settings],
            "settings": list(settings),
        }
    )


def hub_only(plugin: Plugin) -> Mapping[str, Any]:
    """What the Hub wants to know besides."""
    return {
        "domain_url": "https://www.hubspot.com/",
        "keywords": list(plugin.keywords),
        "maintenance_status": "active",
    }


def description(plugin: type[PluginBase]) -> str:
    """The first sentence of the plugin's class."""
    return (plugin.__doc__ or "").strip().partition("\n")[0]


def as_yaml(value: object) -> str:
    """YAML in the order given, a line for each value, as Meltano writes it."""
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=LINE_WIDTH)
    return text


def indented(settings: Sequence[Setting]) -> str:
    """The settings as they stand in a plugin of meltano.yml."""
    return "".join(f"    {line}\n" for line in as_yaml({"settings": settings}).splitlines())


def table(settings: Iterable[Setting]) -> str:
    """The settings as the README shows them."""
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
