"""The command line: whatever ends a run is told in one line, without a trace, a token or an address."""

from __future__ import annotations

import io
import json
import logging
import sys
import traceback
from typing import IO, TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import ConfigurationError, MappingError
from singer_sdk.plugin_base import SingerCommand

from hubspot_singer.http.errors import HubSpotError
from hubspot_singer.http.redaction import redact, unforeseen
from tap_hubspot_email_events.errors import UnreadableFile

if TYPE_CHECKING:
    from types import TracebackType

HELP = (
    "Read HubSpot's email events: one incremental stream for each of the ten types, as Singer messages on standard "
    "output. See --about --format=markdown for the settings."
)


class RunEnded(SystemExit):
    """The run ends here and its last words are known; the SDK lets it pass without words of its own."""

    def __init__(self, last_words: str, *, exit_code: int = 1) -> None:
        super().__init__(exit_code)
        self.last_words = last_words


class EmailEventsCommand(SingerCommand):
    """The SDK's command, which shows a stack trace to those alone who log at the level debug."""

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - click's signature
        """Run the command; the exit code is 0, 1, or 128 and a signal's number."""
        sys.excepthook = self.excepthook
        try:
            return super().main(*args, **kwargs)
        except RunEnded as ended:
            self._say(ended.last_words, ended)
            raise
        except HubSpotError as error:
            self._say(str(error), error)
            raise SystemExit(1) from None

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's signature
        """Run what the command line asks for, its warnings logged."""
        logging.captureWarnings(capture=True)
        return click.Command.invoke(self, ctx)

    def excepthook(
        self,
        exc_type: type[BaseException],  # noqa: ARG002 - the interpreter's signature
        exc_value: BaseException,
        exc_traceback: TracebackType | None,
    ) -> None:
        """Say what nobody foresaw by its kind and place: its own text may quote a record."""
        self._say(last_words(exc_value.with_traceback(exc_traceback), self.name or ""), exc_value)

    def _say(self, words: str, error: BaseException) -> None:
        self.logger.error("%s", redact(" ".join(words.split())))
        if self.logger.isEnabledFor(logging.DEBUG):
            self.logger.debug("%s", redact("".join(traceback.format_exception(error))))


def json_file(option: str, file: IO[str] | None) -> IO[str] | None:
    """The file that was given with an option, its text known to be JSON."""
    if file is None:
        return None
    try:
        text = file.read()
        json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableFile(
            f"The file given with {option} is not JSON: {error.msg} at line {error.lineno}. Correct it."
        ) from error
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"The file given with {option} is not UTF-8 text. Save it as such.") from error
    return io.StringIO(text)


def last_words(error: BaseException, program: str) -> str:
    """What to say of an error."""
    if isinstance(error, (HubSpotError, ConfigurationError, MappingError)):
        return str(error)
    return unforeseen(error, program)
