"""What Meltano Hub asks of a plugin definition: the rules of its JSON schemas, written down here.

https://github.com/meltano/hub/tree/9d28b36a64bf1ba18d6b0dd6936d8f14d2eaa0ba/schemas (of 2026-08-02):
plugin_definitions/ (extractors, loaders, hub_metadata) and common/ (common, base_setting, ..._specific).
Left out are keys that no setting here has a use for: value_processor, value_post_processor, oauth, requires, ext_repo.
"""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}

SETTING_KINDS = [
    "array",
    "boolean",
    "date_iso8601",
    "decimal",
    "email",
    "file",
    "hidden",
    "integer",
    "oauth",
    "object",
    "options",
    "password",
    "string",
]
SETTING: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        **dict.fromkeys(
            ["name", "label", "placeholder", "description", "tooltip", "documentation", "env", "docs"], TEXT
        ),
        "aliases": TEXTS,
        "value": {},
        "kind": {"enum": SETTING_KINDS},
        "options": {
            "type": "array",
            "items": {"type": "object", "properties": {"label": TEXT, "value": TEXT}},
        },
        "hidden": {"type": "boolean"},
        "sensitive": {"type": "boolean"},
    },
}
COMMON: dict[str, Any] = {
    **dict.fromkeys(
        [
            "definition",
            "description",
            "docs",
            "executable",
            "label",
            "log_parser",
            "name",
            "namespace",
            "next_steps",
            "pip_url",
            "prereq",
            "python",
            "repo",
            "settings_preamble",
            "usage",
            "variant",
        ],
        TEXT,
    ),
    "commands": {"type": "object"},
    "domain_url": {"type": ["string", "null"]},
    "hidden": {"type": "boolean"},
    "keywords": TEXTS,
    "logo_url": {"type": ["string", "null"]},
    "maintenance_status": {"enum": ["active", "beta", "development", "inactive", "unknown"]},
    "quality": {"enum": ["gold", "silver", "bronze", "unknown"]},
    "settings": {"type": "array", "items": SETTING},
    "settings_group_validation": {"type": "array", "items": TEXTS},
    "supported_python_versions": {"type": "array", "items": {"type": "string", "pattern": r"^3\.\d+$"}},
}
CAPABILITIES = {
    "extractor": [
        "about",
        "activate-version",
        "batch",
        "catalog",
        "discover",
        "log-based",
        "properties",
        "schema-flattening",
        "state",
        "stream-maps",
        "structured-logging",
        "test",
    ],
    "loader": [
        "about",
        "activate-version",
        "batch",
        "datatype-failsafe",
        "hard-delete",
        "schema-flattening",
        "soft-delete",
        "stream-maps",
        "structured-logging",
        "target-schema",
        "validate-records",
    ],
}
OWN: dict[str, dict[str, Any]] = {
    "extractor": {"metadata": {"type": "object"}, "schema": {"type": "object"}, "select": TEXTS},
    "loader": {"dialect": {}, "target_schema": {}},
}


def definition_schema(kind: str) -> dict[str, Any]:
    """Return the JSON schema of the definition of an `extractor` or a `loader`."""
    capabilities = {"type": "array", "items": {"enum": CAPABILITIES[kind]}}
    return {
        "type": "object",
        "required": ["name", "namespace", "quality", "variant"],
        "additionalProperties": False,
        "properties": COMMON | OWN[kind] | {"capabilities": capabilities},
    }
