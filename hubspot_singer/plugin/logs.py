"""Keeps each record of the log to one readable line, without tokens and addresses, whoever writes it.

Names of streams, columns and cohorts come from the source, and may hold anything: line ends, which would make a
second line of the log, control characters, which a terminal obeys, and people's addresses.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from typing import Any

from hubspot_singer.http import redact

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

ERASE_LINE = "\r\x1b[K"  # of a terminal: what stands on the line is replaced by what follows

# Control characters, line ends, half pairs, and marks that turn the direction of what follows.
_UNREADABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def one_line(text: str) -> str:
    r"""Return the text on one line, unreadable characters as Python writes them: `\n`, `\x1b`."""
    return _UNREADABLE.sub(lambda found: repr(found[0])[1:-1], text)


def keep_log_readable() -> None:
    """Make every log record from now on safe to show. An exception's trace follows its record, line by line."""
    logging.setLogRecordFactory(_record)


class TerminalFormatter(logging.Formatter):
    """The message alone; its level in front where it is a warning or an error. A progress bar gives way to it."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        level = f"{record.levelname}: " if record.levelno > logging.INFO else ""
        return f"{ERASE_LINE}{level}{super().format(record)}"


def _record(*args: Any, **kwargs: Any) -> logging.LogRecord:  # noqa: ANN401 - as logging calls it
    record = logging.LogRecord(*args, **kwargs)
    if record.msg == "METRIC: %s":
        return record  # the SDK's formatter takes its argument apart
    try:
        message = record.getMessage()
    except (TypeError, ValueError):  # a message that does not fit its arguments must not end the run
        message = str(record.msg)
    message = one_line(redact(message))
    if record.exc_info and record.exc_info[1] is not None:
        trace = redact("".join(traceback.format_exception(record.exc_info[1])))
        message = "\n".join([message, *map(one_line, trace.splitlines())])
    # A formatter may show the message, its parts, or the exception itself: there is only the message now.
    record.msg, record.args, record.exc_info = message, None, None
    return record
