"""The command line of both plugins: the SDK's, with `--check`, and one line for whatever ends a run."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import ConfigurationError, MappingError
from singer_sdk.logging import ConsoleFormatter
from singer_sdk.plugin_base import SingerCommand

from hubspot_singer.http import HubSpotError, redact
from hubspot_singer.plugin.errors import RunEnded, unexpected_error
from hubspot_singer.plugin.logs import TerminalFormatter, keep_log_readable, one_line
from hubspot_singer.plugin.standard_output import all_shown, lost_output

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType


@dataclass(frozen=True)
class Action:
    """What a command does instead of a run where one of its options asks for it.

    `run` is given the settings of the command line and the options' values by their names; it returns the exit code.
    """

    options: Sequence[click.Option]
    is_asked: Callable[[Mapping[str, Any]], bool]
    run: Callable[..., int]

    def take(self, params: dict[str, Any]) -> dict[str, Any]:
        """Take the options' values out of the command's parameters."""
        return {str(option.name): params.pop(str(option.name)) for option in self.options}


class PluginCommand(SingerCommand):
    """The SDK's command, with actions beside a run; its exit code is 0, 1, or 128 and a signal's number."""

    def __init__(
        self,
        command: click.Command,
        *,
        logger: logging.Logger,
        actions: Sequence[Action],
    ) -> None:
        super().__init__(
            name=command.name,
            callback=command.callback,
            params=[*command.params, *(option for action in actions for option in action.options)],
            context_settings=command.context_settings,
            help=command.help,
            logger=logger,
        )
        self._actions = actions

    @override
    def main(self, *args: Any, **kwargs: Any) -> Any:
        sys.excepthook = self.excepthook
        keep_log_readable()
        shorten_log_on_terminals()
        try:
            with all_shown():
                return super().main(*args, **kwargs)
        except RunEnded as ended:
            report(ended.last_words, ended, self.logger)
            raise
        except HubSpotError as error:
            report(str(error), error, self.logger)
            raise SystemExit(1) from None
        except OSError as error:
            if (words := lost_output(error)) is None:
                raise
            report(words, error, self.logger)
            raise SystemExit(1) from None

    @override
    def invoke(self, ctx: click.Context) -> Any:
        logging.captureWarnings(capture=True)
        asked = [(action, action.take(ctx.params)) for action in self._actions]
        if not ctx.params.get("about"):
            for action, values in asked:
                if action.is_asked(values):
                    ctx.exit(action.run(ctx.params["config"], **values))
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


def shorten_log_on_terminals() -> None:
    """Leave time and logger out of the lines of a terminal, where a table would not fit behind them.

    A log that goes to a file or to another program, or whose form the user chose, stays as it is.
    """
    if not (sys.stderr and sys.stderr.isatty()):  # a process may be started without one
        return
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, ConsoleFormatter):
            handler.setFormatter(TerminalFormatter())


def report(words: str, error: BaseException, logger: logging.Logger) -> None:
    """Log what ended a run as one line; the stack trace follows where debug logging is on."""
    logger.error("%s", one_line(redact(" ".join(words.split()))))
    logger.debug("The stack:", exc_info=error)
