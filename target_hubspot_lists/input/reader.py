"""Reads Singer messages line by line, and calls the target between chunks and while no input arrives."""

from __future__ import annotations

import io
import json
import queue
import select
import sys
import threading
from collections import Counter
from operator import length_hint
from typing import IO, TYPE_CHECKING, Any, Protocol

import orjson
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from singer_sdk.singerlib.json import deserialize_json

from target_hubspot_lists.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

CHUNK_BYTES = 1 << 20
CHUNKS_AHEAD = 8
IDLE_SECONDS = 0.2  # how long a signal, or a flush that is due, may wait for a line to arrive


class Attendant(Protocol):
    """What the reader calls between chunks of lines; the target."""

    def has_to_stop(self) -> bool:
        """Return whether no more input may be taken."""

    def attend(self) -> None:
        """Do what is due by now, such as a flush; called between chunks and while no input arrives."""


class MessageReader(GenericSingerReader[bytes]):
    """The SDK's reader, but on bytes, on a thread of its own, and with errors that quote no record."""

    def __init__(self, attendant: Attendant) -> None:
        super().__init__()
        self._attendant = attendant
        self._lines_given = 0
        self._chunk: list[bytes] = []  # the lines of the last chunk
        self._lines: Iterator[bytes] = iter(())  # those of them that are still to come
        self._has_ended = False  # from then on there is only what stands behind the last line end

    @property
    def default_input(self) -> IO[bytes]:
        """Standard input, as bytes; a process that was started without one has nothing to read."""
        return sys.stdin.buffer if sys.stdin else io.BytesIO()

    def process_lines(
        self,
        file_input: IO[Any] | None,
        callbacks: dict[str, Callable[[dict[str, Any]], None]],
    ) -> Counter[str]:
        """Hand each message to the callback for its type until the input ends or the attendant says stop."""
        counts: Counter[str] = Counter()
        loads, take_record = orjson.loads, callbacks["RECORD"]
        chunks = self._chunks(file_input or self.default_input)
        for lines in whole_lines(chunks):
            records = 0
            self._lines_given += len(lines)
            self._chunk, self._lines = lines, iter(lines)
            if self._attendant.has_to_stop():  # a signal from here on calls `stop`
                break
            for line in self._lines:
                try:
                    message = loads(line)
                    is_record = message["type"] == "RECORD"
                except (orjson.JSONDecodeError, LookupError, TypeError):
                    is_record = False
                if is_record:
                    take_record(message)
                    records += 1
                else:
                    self._take_other(line, callbacks, counts)
            counts["RECORD"] += records
        return counts

    def stop(self) -> None:
        """Take no further line; a signal handler may call this.

        The lines of the current chunk are deleted, which ends the loop over them: no check is needed for each line.
        """
        self._chunk.clear()

    def _take_other(
        self, line: bytes, callbacks: Mapping[str, Callable[[dict[str, Any]], None]], counts: Counter[str]
    ) -> None:
        """Take a line that is no RECORD: another message, a blank line, or a line that is no message."""
        if not line or line.isspace():
            return
        message = self.deserialize_json(line)
        message_type = message.get("type")
        if message_type is None:
            raise self.error("has no type", "use a tap that writes Singer messages.")
        if (callback := callbacks.get(str(message_type))) is None:
            raise self.error(
                f"is a message of type {str(message_type)[:40]!r}, which this target does not know",
                "use a tap that writes Singer messages.",
            )
        callback(message)
        counts[str(message_type)] += 1

    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        """Parse a line; STATE keeps its numbers as written, since it is passed on."""
        message = self._parse(line)
        if not isinstance(message, dict):
            raise self.error("is not a JSON object", "use a tap that writes Singer messages.")
        return deserialize_json(line) if message.get("type") == "STATE" else message

    def _parse(self, line: bytes) -> object:
        try:
            return orjson.loads(line)
        except orjson.JSONDecodeError:
            # orjson refuses NaN and Infinity, which Python's own json, and so many a tap, writes: they say
            # as little as null. And it refuses half a surrogate pair, which no address and no name can hold.
            try:
                message = json.loads(line, parse_constant=lambda _: None)
                return json.loads(_without_half_pairs(json.dumps(message, ensure_ascii=False)))
            except (ValueError, RecursionError):
                if self._has_ended:
                    raise self.error(
                        "is cut off",
                        "the tap ended before all of it was written. See in the tap's log why, then run again.",
                    ) from None
                raise self.error(
                    "is not JSON",
                    "only Singer messages may be on the tap's standard output. Run the tap alone to see it.",
                ) from None

    def error(self, what: str, advice: str) -> InputError:
        """Return the error for the current line, with its number; it never quotes the line."""
        # Lines are counted only here: the iterator knows how many of the chunk's lines are left.
        number = self._lines_given - length_hint(self._lines)
        return InputError(f"Line {number} of the input {what}: {advice}")

    def _chunks(self, file_input: IO[Any]) -> Iterator[bytes]:
        """Yield chunks as they arrive; call the attendant between chunks and while none arrives."""
        chunks: queue.Queue[bytes | OSError] = queue.Queue(CHUNKS_AHEAD)
        # A daemon thread: nothing can wake a thread that waits for a silent tap.
        source = getattr(file_input, "buffer", file_input)
        threading.Thread(target=_read_into, args=(chunks, source), name="stdin", daemon=True).start()
        while not self._attendant.has_to_stop():
            try:
                chunk = chunks.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                self._attendant.attend()
                continue
            if isinstance(chunk, OSError):
                raise InputError(
                    f"The input cannot be read any further ({chunk.strerror}): see what becomes of the tap."
                ) from chunk
            if not chunk:
                self._has_ended = True
                return
            yield chunk
            self._attendant.attend()


def whole_lines(chunks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines that each chunk completes, without line ends; then what follows the last line end.

    The parts of a line that is longer than a chunk are joined once, when its end is there: a line of 64 MB takes twice
    as long as one of 32 MB.
    """
    parts: list[bytes] = []
    for chunk in chunks:
        end, is_ended, rest = chunk.partition(b"\n")
        parts.append(end)
        if is_ended:
            first = b"".join(parts)
            *lines, last = rest.split(b"\n")
            parts = [last]
            yield [first, *lines]
    if line := b"".join(parts):
        yield [line]


def _without_half_pairs(text: str) -> str:
    return text.encode(errors="surrogatepass").decode(errors="replace")


def _read(raw: IO[Any]) -> bytes | str:
    """Read what is there; a pipe that does not block and holds nothing yet has not ended."""
    chunk: bytes | str | None = raw.read(CHUNK_BYTES)
    while chunk is None:
        select.select([raw], [], [])
        chunk = raw.read(CHUNK_BYTES)
    return chunk


def _read_into(chunks: queue.Queue[bytes | OSError], file_input: IO[Any]) -> None:
    """Read until the end; an empty chunk says that it is the end, an error that reading failed."""
    # Unbuffered, so that a line is not held back until a buffer is full, and so that no lock of a buffer
    # is held when the interpreter ends while this thread waits.
    raw = getattr(file_input, "raw", file_input)
    try:
        while chunk := _read(raw):
            chunks.put(chunk.encode() if isinstance(chunk, str) else chunk)
        chunks.put(b"")
    except OSError as error:
        chunks.put(error)
