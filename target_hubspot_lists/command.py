"""The command line: the SDK's, with a check of the connection, and without people in what it logs."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import click
from singer_sdk.plugin_base import SingerCommand

from hubspot_singer.http.redaction import unforeseen

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from types import TracebackType

HELP = (
    "Put cohorts onto HubSpot lists: reads Singer messages from standard input, applies each "
    "membership as an add or a remove, and writes STATE once HubSpot has confirmed it. "
    "See --about --format=markdown for the settings."
)


def with_check(command: click.Command) -> click.Command:
    """Give the SDK's command an option that checks the connection, and our own way to log what is a bug."""
    command.__class__ = DiscreetCommand
    command.params.append(
        click.Option(
            ["--check"],
            is_flag=True,
            help="Check the token, its scopes and the budget left today, read no input, and exit.",
        )
    )
    command.help = HELP
    return command


class DiscreetCommand(SingerCommand):
    """The SDK's command; but an unforeseen error is logged without its text, which may hold a person."""

    @override
    def excepthook(
        self, exc_type: type[BaseException], exc_value: BaseException, exc_traceback: TracebackType | None
    ) -> None:
        if self.logger.isEnabledFor(logging.DEBUG):
            super().excepthook(exc_type, exc_value, exc_traceback)
            return
        self.logger.error("%s", unforeseen(exc_value.with_traceback(exc_traceback), str(self.name)))
