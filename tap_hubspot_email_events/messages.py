"""Writes Singer messages with orjson, in few large writes, and everything up to a STATE at once."""

from __future__ import annotations

import sys

import orjson
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from singer_sdk.singerlib.encoding.simple import Message, RecordMessage

FLUSH_CHARACTERS = 64 * 1024


class MessageWriter(GenericSingerWriter[str, Message]):
    """Holds records back until there is a block of them, or a message that others wait for."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._characters = 0

    def serialize_message(self, message: Message) -> str:
        """The message as a line without its end."""
        return orjson.dumps(message.to_dict(), default=str).decode()

    def write_message(self, message: Message) -> None:
        """Write the message now, or soon if it is a record."""
        line = self.format_message(message) + "\n"
        self._lines.append(line)
        self._characters += len(line)
        if self._characters >= FLUSH_CHARACTERS or not isinstance(message, RecordMessage):
            self.flush()

    def flush(self) -> None:
        """Write what is held back."""
        text, self._lines, self._characters = "".join(self._lines), [], 0
        sys.stdout.write(text)
        sys.stdout.flush()
