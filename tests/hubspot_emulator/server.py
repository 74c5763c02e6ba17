"""The socket side: HTTP/1.1 with connections kept alive, and the ways a connection can fail."""

from __future__ import annotations

import select
import socket
import struct
import sys
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import Answer
from tests.hubspot_emulator.faults import Kind
from tests.hubspot_emulator.traffic import Incoming

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hubspot_emulator.emulator import HubSpotEmulator
    from tests.hubspot_emulator.faults import Fault
    from tests.hubspot_emulator.traffic import Request

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close sends RST
_STATUSES = frozenset(HTTPStatus)
_DRIPPED_BYTES = 64
_POLL = 0.02  # seconds between looks at a connection that is left hanging


class Server(ThreadingHTTPServer):
    """Answers on loopback; every connection has a thread, and all of them end with `server_close`."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, port: int, emulator: HubSpotEmulator) -> None:
        self.emulator = emulator
        self._connections: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server for this machine's name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)
        if self.emulator.stopping.is_set():
            _end(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def close_connections(self) -> None:
        """End the reads of idle connections, so that their threads end."""
        with self._lock:
            for connection in self._connections:
                _end(connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep a mistake of the emulator's for the end of the `with` block; a client that hung up is none."""
        del request, client_address
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, ConnectionError):
            self.emulator.crashes.append(error)


class Handler(BaseHTTPRequestHandler):
    """Reads requests off one connection, and answers them or fails as the script says."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65_537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        incoming = Incoming(self.command, self.path, self.headers, content)
        request = self.server.emulator.record(incoming)
        try:
            self._serve(incoming, request)
        finally:
            self.server.emulator.done()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Print nothing: requests are recorded instead."""

    def _serve(self, incoming: Incoming, request: Request) -> None:
        emulator = self.server.emulator
        struck = emulator.faults.take(incoming.method, incoming.target)
        for each in struck:
            self._prelude(each)
        fault = struck[-1] if struck else None
        if fault is None or fault.takes_effect or fault.kind in {Kind.HOOK, Kind.DELAY}:
            answer = emulator.answer(incoming, request)
        else:
            answer = Answer(HTTPStatus.NO_CONTENT)
            request.count_inputs(incoming.content)
        if fault is None:
            self._send(answer, request)
        else:
            self._misbehave(fault, answer, request)

    def _prelude(self, fault: Fault) -> None:
        if fault.kind is Kind.DELAY:
            if self.server.emulator.stopping.wait(fault.seconds):
                raise ConnectionAbortedError  # nothing takes effect once the emulator has stopped
        elif fault.function is not None:
            fault.function()

    def _misbehave(self, fault: Fault, answer: Answer, request: Request) -> None:
        """Send the portal's answer, or something else, or nothing."""
        match fault.kind:
            case Kind.RESET:
                self._reset()
            case Kind.HANG:
                self._hang()
            case Kind.TRUNCATE:
                self.close_connection = True
                self._send(answer, request, length=len(answer.payload()) // 2)
            case Kind.DRIP:
                self._send(answer, request, pause=fault.seconds)
            case Kind.CHANGE if fault.change is not None:
                self._send(fault.change(answer), request)
            case _:
                self._send(fault.answer or answer, request)

    def _send(
        self, answer: Answer, request: Request, *, length: int | None = None, pause: float | None = None
    ) -> None:
        """Send an answer: the first so many bytes of its body, or all of it with a pause behind each few."""
        request.status = answer.status
        payload = answer.payload()
        head = self._head(answer, len(payload))
        if pause is None:
            self.wfile.write(head + payload[:length])
            return
        for piece in batched(head + payload, _DRIPPED_BYTES):
            self.wfile.write(piece)
            if self.server.emulator.stopping.wait(pause):
                raise ConnectionAbortedError

    def _head(self, answer: Answer, length: int) -> bytes:
        headers = {
            "Date": formatdate(self.server.emulator.portal.clock(), usegmt=True),
            "Content-Type": "application/json;charset=utf-8",
            **answer.headers,
        }
        if answer.status != HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(length)
        phrase = HTTPStatus(answer.status).phrase if answer.status in _STATUSES else "Unknown"
        lines = [
            f"HTTP/1.1 {answer.status} {phrase}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _reset(self) -> None:
        """Close with a reset, not with an orderly end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        socket.close(self.connection.detach())

    def _hang(self) -> None:
        """Say nothing until the client gives up or the emulator stops."""
        self.close_connection = True
        while not self.server.emulator.stopping.wait(_POLL):
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return


def batched(content: bytes, size: int) -> Iterator[bytes]:
    """Cut bytes into pieces of a size; the last may be shorter."""
    return (content[start : start + size] for start in range(0, len(content), size))


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # the client was faster
        connection.shutdown(socket.SHUT_RDWR)
