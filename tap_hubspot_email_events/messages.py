"""Writes Singer messages with orjson, in few large writes, and everything up to a STATE at once."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from singer_sdk.singerlib.encoding.simple import Message

from hubspot_singer.plugin.errors import RunEnded

if TYPE_CHECKING:
    from tap_hubspot_email_events.events import Record

FLUSH_CHARACTERS = 64 * 1024
LINE = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z


class MessageWriter(GenericSingerWriter[str, Message]):
    """Holds records back until there is a block of them, or a message that others wait for."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._characters = 0

    def serialize_message(self, message: Message) -> str:
        """The message as a line without its end."""
        return orjson.dumps(message.to_dict(), default=str).decode()

    def write_message(self, message: Message) -> None:
        """Write the message, and all before it, now: others wait for it."""
        self._lines.append(self.format_message(message) + "\n")
        self.flush()

    def write_record(self, stream: str, record: Record) -> None:
        """Write a record soon."""
        message = {
            "type": "RECORD",
            "stream": stream,
            "record": record,
            "time_extracted": datetime.now(UTC),
        }
        line = orjson.dumps(message, option=LINE).decode()
        self._lines.append(line)
        self._characters += len(line)
        if self._characters >= FLUSH_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        """Write what is held back."""
        text, self._lines, self._characters = "".join(self._lines), [], 0
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError as error:
            # Nothing else can be written there; at exit Python would try again, and complain.
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
            raise RunEnded(
                f"Standard output takes no more messages ({error.strerror}): whoever reads them has ended, or has no"
                " room. Look there first; the next run goes on from the last STATE that was kept."
            ) from error
