"""What both plugins add to the SDK's: their settings as text or variables, and their command."""

from __future__ import annotations

import os
import sys
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import FLATTENING_CONFIG, STREAM_MAPS_CONFIG
from singer_sdk.plugin_base import PluginBase, _ConfigInput

from hubspot_singer.http import HubSpotError, SettingsError, SystemClock
from hubspot_singer.plugin.command import PluginCommand, report
from hubspot_singer.plugin.deadlines import run_within
from hubspot_singer.plugin.errors import CheckTimedOut
from hubspot_singer.plugin.files import read_config_file
from hubspot_singer.plugin.settings import DeclaredSettings
from hubspot_singer.plugin.variables import Variables, meltano_prefixes

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import click

    from hubspot_singer.http import Clock

# The SDK's settings that do something in these plugins. `faker_config` needs an extra that is not installed.
SDK_SETTINGS: dict[str, Any] = {
    name: schema
    for config in (STREAM_MAPS_CONFIG, FLATTENING_CONFIG)
    for name, schema in config["properties"].items()
    if name != "faker_config"
}


# Long enough for HubSpot's slowest usual answer, short enough for a person who waits.
CHECK_SECONDS = 20.0


class HubSpotPlugin(PluginBase):
    """The SDK's plugin, with settings that are checked in sentences, and a command with `--check`."""

    package_name = "target-hubspot-lists"  # the distribution that holds both plugins
    command_help: ClassVar[str]
    meltano_kind: ClassVar[str]  # LOADER or EXTRACTOR
    may_be_blank: ClassVar[frozenset[str]] = frozenset()

    # What a check waits for, and the settings that lead there.
    waiting_for = "HubSpot (api_url)"

    def __init__(
        self,
        *,
        parse_env_config: bool = False,
        clock: Clock | None = None,
        **options: Any,  # noqa: ANN401 - the SDK's
    ) -> None:
        self.clock = clock or SystemClock()
        self._reads_environment = parse_env_config
        super().__init__(parse_env_config=parse_env_config, **options)

    @abstractmethod
    def check_connection(self) -> Iterator[str]:
        """Yield what a check of the connection finds, line by line; raise HubSpotError where something is wrong."""

    @abstractmethod
    def stop_check(self) -> None:
        """Send no other request to HubSpot: the check was given up."""

    def check_settings(self) -> None:
        """Raise SettingsError on what the settings' JSON schema cannot say."""

    # The command line

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        command.help = cls.command_help
        return PluginCommand(command, logger=cls.logger, check=cls._run_check)

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
        if not config or not (config.config or config.parse_env):
            raise SettingsError(
                "No settings are given: name a file in --config, or write --config=ENV to have them read from the "
                f"environment ({cls._env_var_prefix}ACCESS_TOKEN and so on)."
            )
        return cls(config=config.config, parse_env_config=config.parse_env, **options)

    @classmethod
    def report_error(cls, error: HubSpotError) -> None:
        """Log an error as its one line; the stack trace follows where debug logging is on."""
        report(str(error), error, cls.logger)

    @classmethod
    def _run_check(cls, config: _ConfigInput) -> int:
        return cls.from_command_line(config).run_check()

    def run_check(self, seconds: float = CHECK_SECONDS) -> int:
        """Check the connection within so many seconds, log what was found, and return the exit code."""
        lines: list[str] = []

        def check() -> None:
            lines.extend(self.check_connection())

        try:
            if not run_within(seconds, check):
                self.stop_check()
                raise CheckTimedOut(seconds, self.waiting_for)
        except HubSpotError as error:
            self._log(lines)
            self.report_error(error)
            return 1
        self._log(["The connection works.", *lines])
        return 0

    def _log(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.logger.info("%s", line)

    # Settings

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
        settings, variables = self.declared_settings(), self._variables()
        for sentence in (*settings.unknown(self._config), *variables.unknown()):
            self.logger.warning("%s", sentence)
        problems = variables.problems() if self._reads_environment else variables.lost(self._config)
        self._config = settings.read(self._config)
        problems = problems or settings.problems(self._config) or self._problems_of_its_own()
        if problems and raise_errors:
            raise SettingsError(" ".join(problems))
        return problems

    def _problems_of_its_own(self) -> list[str]:
        try:
            self.check_settings()
        except SettingsError as error:
            return [str(error)]
        return []
