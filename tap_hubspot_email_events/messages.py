"""Writes Singer messages with orjson, in few large writes, and everything up to a STATE at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from singer_sdk.singerlib.encoding.simple import Message

from hubspot_singer.plugin.errors import RunEnded
from hubspot_singer.plugin.standard_output import write_out
from tap_hubspot_email_events.kinds import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_hubspot_email_events.records import Record

FLUSH_BYTES = 64 * 1024


class MessageWriter(GenericSingerWriter[str, Message]):
    """Holds records back until there is a block of them, or a message that others wait for."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._bytes = 0

    def serialize_message(self, message: Message) -> str:
        """Return the message as a line without its end."""
        return orjson.dumps(message.to_dict(), default=str).decode()

    def write_message(self, message: Message) -> None:
        """Write the message, and all before it, now: others wait for it."""
        self._lines.append(f"{self.format_message(message)}\n".encode())
        self.flush()

    def write_record(self, stream: str, record: Record) -> None:
        """Write a record soon."""
        self.write_records(stream, [to_json(record, orjson.OPT_UTC_Z)])

    def write_records(self, stream: str, records: Iterable[bytes]) -> None:
        """Write records, each of them JSON, soon."""
        head = b'{"type":"RECORD","stream":%b,"record":' % orjson.dumps(stream)
        end = b',"time_extracted":%b}\n' % orjson.dumps(datetime.now(UTC), option=orjson.OPT_UTC_Z)
        lines = b"".join([head + record + end for record in records])
        self._lines.append(lines)
        self._bytes += len(lines)
        if self._bytes >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is held back."""
        content, self._lines, self._bytes = b"".join(self._lines), [], 0
        try:
            write_out(content)
        except OSError as error:
            raise RunEnded(
                f"Standard output takes no more messages ({error.strerror}): whoever reads them has ended, or has no"
                " room. Look there first; the next run goes on from the last STATE that was kept."
            ) from error
