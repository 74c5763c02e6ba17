"""A plugin whose settings come from files, text and variables, and are checked in sentences."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, ClassVar, Self

from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import FLATTENING_CONFIG, STREAM_MAPS_CONFIG
from singer_sdk.plugin_base import PluginBase, _ConfigInput

from hubspot_singer.http import SettingsError
from hubspot_singer.plugin.files import read_config_file
from hubspot_singer.plugin.settings import DeclaredSettings
from hubspot_singer.plugin.variables import Variables, meltano_prefixes

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click


def _sound(schema: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """Return a JSON schema without alternatives that are no schema.

    The SDK has the text "null" among those of `__else__` in stream_maps, over which a validator stumbles.
    """
    if isinstance(schema, list):
        return [_sound(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: [_sound(each) for each in value if isinstance(each, dict)] if name == "anyOf" else _sound(value)
        for name, value in schema.items()
    }


# The SDK's settings that do something in these plugins. `faker_config` needs an extra that is not installed.
SDK_SETTINGS: dict[str, Any] = {
    name: _sound(schema)
    for config in (STREAM_MAPS_CONFIG, FLATTENING_CONFIG)
    for name, schema in config["properties"].items()
    if name != "faker_config"
}


class ConfiguredPlugin(PluginBase):
    """The SDK's plugin, with settings that are checked in sentences, none of which quotes a secret."""

    meltano_kind: ClassVar[str]  # LOADER or EXTRACTOR
    may_be_blank: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *, parse_env_config: bool = False, **options: Any) -> None:  # noqa: ANN401 - the SDK's
        self._reads_environment = parse_env_config
        super().__init__(parse_env_config=parse_env_config, **options)

    def check_settings(self) -> None:
        """Raise SettingsError on what the settings' JSON schema cannot say."""

    @override
    def setup_mapper(self) -> None:
        """Prepare stream_maps and flattening; raise SettingsError if they cannot be used."""
        try:
            super().setup_mapper()
        except ConfigValidationError:
            raise SettingsError(
                "flattening_enabled needs flattening_max_depth: set how many levels of nested objects become columns."
            ) from None
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise SettingsError(
                f"stream_maps or the flattening_ settings cannot be used ({type(error).__name__}: {error}). Correct"
                " them; see --about for what they take."
            ) from error

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> _ConfigInput:
        config: dict[str, Any] = {}
        for path in value:
            if path != "ENV":
                config |= read_config_file(path)
        return _ConfigInput(config=config, parse_env="ENV" in value)

    @classmethod
    def from_command_line(cls, config: _ConfigInput | None, **options: Any) -> Self:  # noqa: ANN401 - the SDK's
        """Return the plugin with the settings of the command line; raise SettingsError without any."""
        given = cls._given(config)
        return cls(config=given.config, parse_env_config=given.parse_env, **options)

    @classmethod
    def _given(cls, config: _ConfigInput | None) -> _ConfigInput:
        if not config or not (config.config or config.parse_env):
            raise SettingsError(
                "No settings are given: name a file in --config, or write --config=ENV to have them read from the "
                f"environment ({cls._env_var_prefix}ACCESS_TOKEN and so on)."
            )
        return config

    @classmethod
    def settings_of(cls, config: _ConfigInput | None) -> dict[str, Any]:
        """Return the settings of the command line without a plugin; raise SettingsError for what is wrong with them."""
        given = cls._given(config)
        variables = cls._env_var_config if given.parse_env else {}
        read, problems = cls._read_settings({**given.config, **variables}, reads_environment=given.parse_env)
        if problems:
            raise SettingsError(" ".join(problems))
        return read

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        for name, schema in SDK_SETTINGS.items():
            config_jsonschema["properties"].setdefault(name, schema)

    @classmethod
    def declared_settings(cls) -> DeclaredSettings:
        """Return the plugin's settings, its own and the SDK's."""
        schema = {**cls.config_jsonschema, "properties": dict(cls.config_jsonschema["properties"])}
        cls.append_builtin_config(schema)
        return DeclaredSettings(schema, cls.may_be_blank)

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - a property of the class
        """The settings that variables hold, as text; the SDK's own way would raise on a blank number."""
        # With no settings to look for, this reads a .env file and nothing else.
        parse_environment_config({"properties": {}}, cls._env_var_prefix)
        return cls._variables().config()

    @classmethod
    def _variables(cls) -> Variables:
        prefixes = meltano_prefixes(os.environ, cls.meltano_kind)
        return Variables(os.environ, cls._env_var_prefix, cls.declared_settings(), prefixes)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings; the SDK's own messages would quote secrets."""
        self._config, problems = self._read_settings(self._config, reads_environment=self._reads_environment)
        problems = problems or self._problems_of_its_own()
        if problems and raise_errors:
            raise SettingsError(" ".join(problems))
        return problems

    @classmethod
    def _read_settings(
        cls, config: Mapping[str, Any], *, reads_environment: bool
    ) -> tuple[dict[str, Any], list[str]]:
        """Return the settings as they are declared, and a sentence for each that is wrong; warn of unknown ones."""
        settings, variables = cls.declared_settings(), cls._variables()
        for sentence in (*settings.unknown(config), *variables.unknown()):
            cls.logger.warning("%s", sentence)
        problems = variables.problems() if reads_environment else variables.lost(config)
        read = settings.read(config)
        return read, problems or settings.problems(read)

    def _problems_of_its_own(self) -> list[str]:
        try:
            self.check_settings()
        except SettingsError as error:
            return [str(error)]
        return []
