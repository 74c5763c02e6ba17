"""What both plugins add to the SDK's command: `--check` of the connection, and `--authorize` of an OAuth app."""

from __future__ import annotations

import sys
import threading
from abc import abstractmethod
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import click

from hubspot_singer.http import Connection, HubSpotError, SystemClock
from hubspot_singer.http.connection import consent_settings
from hubspot_singer.plugin.command import Action, PluginCommand, report
from hubspot_singer.plugin.configured import ConfiguredPlugin
from hubspot_singer.plugin.errors import CheckTimedOut, UnwritableFile
from hubspot_singer.plugin.private_files import new_private_file
from hubspot_singer.plugin.redirect_urls import DEFAULT_REDIRECT_URL, RedirectUrl

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from singer_sdk.plugin_base import _ConfigInput

    from hubspot_singer.http import Clock

# Long enough for HubSpot's slowest usual answer, short enough for a person who waits.
CHECK_SECONDS = 20.0

AUTHORIZE_OPTIONS = (
    click.Option(
        ["--authorize"],
        is_flag=True,
        help="Let a portal allow the OAuth app of client_id and client_secret in a browser, print the settings that"
        " it is used with, then exit.",
    ),
    click.Option(
        ["--authorize-file"],
        metavar="FILE",
        help="With --authorize: write the settings to a new file, which only its owner can read, instead.",
    ),
    click.Option(
        ["--redirect-url"],
        metavar="URL",
        default=DEFAULT_REDIRECT_URL,
        show_default=True,
        help="With --authorize: the redirect URL that the app declares; a port of this machine.",
    ),
)


class HubSpotPlugin(ConfiguredPlugin):
    """The SDK's plugin with a command that also knows `--check` and `--authorize`."""

    package_name = "target-hubspot-lists"  # the distribution that holds both plugins
    command_help: ClassVar[str]

    # What a check waits for, with the setting that names it.
    waiting_for = "HubSpot (api_url)"

    def __init__(self, *, clock: Clock | None = None, **options: Any) -> None:  # noqa: ANN401 - the SDK's
        self.clock = clock or SystemClock()
        super().__init__(**options)

    @abstractmethod
    def check_connection(self) -> Iterator[str]:
        """Yield the results of a check of the connection, line by line; raise HubSpotError for a problem."""

    @abstractmethod
    def stop_check(self) -> None:
        """Send no other request to HubSpot: the check was given up."""

    @classmethod
    @abstractmethod
    def scopes_needed(cls, settings: Mapping[str, Any]) -> Sequence[str]:
        """Return the scopes that the plugin needs with these settings; raise SettingsError where one is wrong."""

    # The command line

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        command.help = cls.command_help
        return PluginCommand(command, logger=cls.logger, actions=cls.actions())

    @classmethod
    def actions(cls) -> list[Action]:
        """Return the actions that an option makes the command do instead of a run."""
        check = click.Option(
            ["--check"],
            is_flag=True,
            help="Check the settings, the token, its scopes and the requests left today, then exit.",
        )
        return [
            Action([check], lambda asked: bool(asked["check"]), cls._run_check),
            Action(
                AUTHORIZE_OPTIONS,
                lambda asked: bool(asked["authorize"] or asked["authorize_file"]),
                cls._authorize,
            ),
        ]

    @classmethod
    def report_error(cls, error: HubSpotError) -> None:
        """Log an error as its one line; the stack trace follows where debug logging is on."""
        report(str(error), error, cls.logger)

    @classmethod
    def _run_check(cls, config: _ConfigInput, *, check: bool) -> int:  # noqa: ARG003 - the option's value
        return cls.from_command_line(config).run_check()

    @classmethod
    def _authorize(
        cls,
        config: _ConfigInput,
        *,
        authorize: bool,  # noqa: ARG003 - the option's value
        authorize_file: str | None,
        redirect_url: str,
    ) -> int:
        """Get the settings of an OAuth app, and print them or write them to a file; return the exit code."""
        # Only here, since the web server that it needs takes time to import.
        from hubspot_singer.plugin.authorizing import Authorizing  # noqa: PLC0415

        path, url = authorize_file, RedirectUrl.parse(redirect_url)
        if path is None and not sys.stdout:  # the process was started without it
            raise UnwritableFile(
                "There is no standard output to show the settings on: name a file in --authorize-file."
            )
        with nullcontext(sys.stdout) if path is None else new_private_file(path) as file:
            settings = consent_settings(cls.settings_of(config))
            authorized = Authorizing(
                Connection.from_settings(settings),
                settings["client_id"],
                settings["client_secret"],
                scopes=cls.scopes_needed(settings),
                redirect_url=url,
                clock=SystemClock(),
                show=partial(cls.logger.info, "%s"),
            ).run()
            file.write(authorized.as_json())
            file.flush()
        where = f'in "{path}"' if path else "above"
        portal = f" {authorized.portal_id}" if authorized.portal_id else ""
        cls.logger.info(
            "The portal%s allowed the access: the settings are %s. Keep them secret, give them to the plugin, for"
            " example as %sREFRESH_TOKEN and so on, and run --check.",
            portal,
            where,
            cls._env_var_prefix,
        )
        if authorized.missing:
            cls.logger.warning("The access lacks %s, which the settings need.", ", ".join(authorized.missing))
        return 0

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


def run_within(seconds: float, job: Callable[[], None]) -> bool:
    """Run a job in a thread of its own; return whether it ended within so many seconds. Raises what the job raises.

    A job that has not ended goes on: nothing can wake a thread that waits for a name server, or for a host that sends
    a byte a minute. Its thread does not keep the process from ending.
    """
    raised: list[BaseException] = []

    def run() -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            raised.append(error)

    thread = threading.Thread(target=run, name="deadline", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        return False
    if raised:
        raise raised[0]
    return True
