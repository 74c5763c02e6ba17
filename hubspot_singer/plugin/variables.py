"""Reads a plugin's settings from environment variables, and finds variables that a run would ignore."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubspot_singer.plugin.settings import nearest, unmet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hubspot_singer.plugin.settings import DeclaredSettings

_SEPARATOR = re.compile(r"(?<!\\)\.")


@dataclass(frozen=True)
class Variables:
    """The environment's variables of a plugin: a prefix and a setting's name in capitals."""

    environ: Mapping[str, str]
    prefix: str
    settings: DeclaredSettings
    # Other prefixes that Meltano gives the plugin's variables where it runs under another name.
    other_prefixes: tuple[str, ...] = ()

    @property
    def are_from_meltano(self) -> bool:
        """Whether Meltano runs the plugin."""
        return "MELTANO_PROJECT_ROOT" in self.environ

    def config(self) -> dict[str, Any]:
        """Return the settings that variables hold, as text, or as objects where Meltano had taken them apart."""
        config: dict[str, Any] = {
            name: self.environ[variable] for variable, name in self._set_by(self.prefix)
        }
        if self.are_from_meltano:
            for name in config.keys() & set(self.settings.objects):
                config[name] = _nested(config[name])
        return config

    def problems(self) -> list[str]:
        """Return one sentence for each variable that does not hold what its setting takes."""
        return [
            f"{variable} is not {wanted}: correct it, or leave it out for the default."
            for variable, name in self._set_by(self.prefix)
            if (wanted := unmet(self.environ[variable], self.settings.declared[name]))
        ]

    def lost(self, config: Mapping[str, Any]) -> list[str]:
        """Return a sentence that names the variables whose settings the config given does not contain, if any.

        Meltano hands every variable to the process, but puts only the settings that its definition of the plugin
        declares into the config: a `DRY_RUN=true` that got lost on this way would write for real.
        """
        prefixes = dict.fromkeys((self.prefix, *self.other_prefixes))
        found = (each for prefix in prefixes for each in self._set_by(prefix))
        lost = {name: variable for variable, name in found if config.get(name) is None}
        if not lost:
            return []
        names, variables = " and ".join(lost), " and ".join(lost.values())
        advice = (
            f"Declare {names} under the plugin's settings in meltano.yml, as its definition.yml does"
            if self.are_from_meltano
            else f"Add --config=ENV, or put {names} into the configuration"
        )
        sentence = (
            f"The run would ignore {variables}, set in the environment: the configuration given does not contain"
            f" {names}. {advice}, or unset {variables}."
        )
        return [sentence]

    def unknown(self) -> list[str]:
        """Return one sentence for each variable that has the plugin's prefix and is not a setting."""
        known = [self.prefix + name.upper() for name in self.settings.declared]
        return [
            f"The environment variable {name} is no setting; it is ignored.{nearest(name, known)}"
            for name in sorted(self.environ)
            if name.startswith(self.prefix) and not self._is_explained(name)
        ]

    def _set_by(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield each variable with this prefix that sets a setting, with the setting's name."""
        for name in self.settings.declared:
            variable = prefix + name.upper()
            if self.settings.is_set(name, self.environ.get(variable)):
                yield variable, name

    def _is_explained(self, variable: str) -> bool:
        """Tell whether a variable is a setting, or one that Meltano or the SDK knows."""
        for prefix in (self.prefix, *self.other_prefixes):
            suffix = variable.removeprefix(prefix)
            if suffix != variable and self._is_known(suffix):
                return True
        return False

    def _is_known(self, suffix: str) -> bool:
        names = {name.upper() for name in self.settings.declared}
        return (
            suffix in names
            or suffix == "LOGLEVEL"
            # Meltano's own: https://docs.meltano.com/concepts/plugins#plugin-extras
            or suffix.startswith("_")
            # Meltano takes nested settings apart: stream_maps.members.email is ..._STREAM_MAPS_MEMBERS_EMAIL.
            or any(suffix.startswith(f"{name.upper()}_") for name in self.settings.objects)
        )


def meltano_prefixes(environ: Mapping[str, str], kind: str) -> tuple[str, ...]:
    """Return the prefixes by which Meltano names the variables of the plugin that it runs.

    `kind` is `LOADER` or `EXTRACTOR`. A plugin that inherits from ours has a name, and so a prefix, of its own.
    """
    names = (environ.get(f"MELTANO_{kind}_{what}", "") for what in ("NAME", "NAMESPACE"))
    # As Meltano writes a name: https://docs.meltano.com/guide/configuration#configuring-settings
    prefixes = (re.sub(r"[^A-Za-z0-9]", "_", name).upper() for name in names if name)
    return tuple(dict.fromkeys(f"{prefix}_" for prefix in prefixes))


def _nested(text: str) -> Any:  # noqa: ANN401 - what the text says
    """Return the object that a variable of Meltano's holds, in which keys of nested objects are joined by dots.

    A dot behind a backslash belongs to the key. What is not the text of an object is returned as it is.
    """
    try:
        flat = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(flat, dict):
        return text
    nested: dict[str, Any] = {}
    for path, value in flat.items():
        *parents, key = (part.replace(r"\.", ".") for part in _SEPARATOR.split(path))
        inner = nested
        for parent in parents:
            if not isinstance(inner.get(parent), dict):
                inner[parent] = {}
            inner = inner[parent]
        inner[key] = value
    return nested
