"""The command line of both plugins: the SDK's, with `--check`, and one line for whatever ends a run."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import ConfigurationError, MappingError
from singer_sdk.plugin_base import SingerCommand

from hubspot_singer.http import HubSpotError, redact
from hubspot_singer.plugin.consent import DEFAULT_REDIRECT_URL
from hubspot_singer.plugin.errors import RunEnded, unexpected_error
from hubspot_singer.plugin.logs import keep_log_readable, one_line

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from singer_sdk.plugin_base import _ConfigInput


class PluginCommand(SingerCommand):
    """The SDK's command; its exit code is 0, 1, or 128 and a signal's number."""

    def __init__(
        self,
        command: click.Command,
        *,
        logger: logging.Logger,
        check: Callable[[_ConfigInput], int],
        authorize: Callable[[_ConfigInput, str, str | None], int],
    ) -> None:
        super().__init__(
            name=command.name,
            callback=command.callback,
            params=[*command.params, *_own_options()],
            context_settings=command.context_settings,
            help=command.help,
            logger=logger,
        )
        self._check = check
        self._authorize = authorize

    @override
    def main(self, *args: Any, **kwargs: Any) -> Any:
        sys.excepthook = self.excepthook
        keep_log_readable()
        try:
            return super().main(*args, **kwargs)
        except RunEnded as ended:
            report(ended.last_words, ended, self.logger)
            raise
        except HubSpotError as error:
            report(str(error), error, self.logger)
            raise SystemExit(1) from None

    @override
    def invoke(self, ctx: click.Context) -> Any:
        logging.captureWarnings(capture=True)
        names = ("check", "authorize", "redirect_url", "authorize_file")
        is_check, is_consent, redirect_url, path = (ctx.params.pop(name) for name in names)
        if ctx.params.get("about"):
            return click.Command.invoke(self, ctx)
        if is_consent or path:
            ctx.exit(self._authorize(ctx.params["config"], redirect_url, path))
        if is_check:
            ctx.exit(self._check(ctx.params["config"]))
        return click.Command.invoke(self, ctx)

    @override
    def excepthook(
        self, exc_type: type[BaseException], exc_value: BaseException, exc_traceback: TracebackType | None
    ) -> None:
        if isinstance(exc_value, ConfigurationError | MappingError):
            words = str(exc_value)
        else:
            words = unexpected_error(exc_value.with_traceback(exc_traceback), str(self.name))
        report(words, exc_value, self.logger)


def report(words: str, error: BaseException, logger: logging.Logger) -> None:
    """Log what ended a run as one line; the stack trace follows where debug logging is on."""
    logger.error("%s", one_line(redact(" ".join(words.split()))))
    logger.debug("The stack:", exc_info=error)


def _own_options() -> list[click.Option]:
    """What both plugins' commands take beside the SDK's options."""
    return [
        click.Option(
            ["--check"],
            is_flag=True,
            help="Check the settings, the token, its scopes and the requests left today, then exit.",
        ),
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
    ]
