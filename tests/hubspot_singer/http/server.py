"""A loopback server that answers with one scripted step after another; a step may misbehave."""

from __future__ import annotations

import json
import socket
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Step = Callable[["Handler"], None]


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    content: bytes
    connection: tuple[str, int]

    @property
    def token(self) -> str | None:
        return self.headers.get("Authorization")

    @property
    def body(self) -> object:
        return json.loads(self.content)


@dataclass
class ScriptedServer:
    """Serves the steps in order; once they are used up, `then` for ever."""

    then: Step | None = None
    steps: list[Step] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._http = Http(("127.0.0.1", 0), Handler)
        self._http.script = self
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def will(self, *steps: Step) -> None:
        self.steps.extend(steps)

    def take(self, seen: Seen) -> Step:
        with self._lock:
            self.seen.append(seen)
            return self.steps.pop(0) if self.steps else self.then or reply()


class Http(ThreadingHTTPServer):
    script: ScriptedServer
    daemon_threads = False
    block_on_close = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = (
        True  # or a body, sent behind its head, waits 40 ms for the head's acknowledgement
    )
    server: Http
    date: str | None = None
    timeout = 2  # seconds for which a kept connection may idle, should a test forget to close its client

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        seen = Seen(
            self.command, parts.path, parse_qs(parts.query), dict(self.headers), content, self.client_address
        )
        self.server.script.take(seen)(self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's names

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self.date or super().date_time_string(timestamp)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
        """Keep the test's output clean."""


def reply(status: int = 200, body: object = None, **headers: str) -> Step:
    """Answer; `retry_after="3"` is the header `Retry-After: 3`. Bytes go out as they are."""
    content = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()

    def step(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return step


def truncated(body: bytes = b'{"results": [', *, promised: int = 100, status: int = 200) -> Step:
    """Promise more of the body than is sent, then hang up."""

    def step(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(promised))
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return step


def reset(handler: Handler) -> None:
    """Reset the connection instead of answering."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.close_connection = True
    handler.connection.close()


def hang_up(handler: Handler) -> None:
    """Close the connection instead of answering."""
    handler.close_connection = True


def silence(handler: Handler) -> None:
    """Answer nothing until the server is closed."""
    handler.server.script.closing.wait(5)
    handler.close_connection = True


def stalled(handler: Handler) -> None:
    """Send half an answer and nothing more until the server is closed."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"{")
    silence(handler)
