"""A PostgreSQL server of the tests' own: in a temporary folder, on a Unix socket, gone with them.

On a port of loopback as well, where one is asked for: some clients know no sockets.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psycopg

if TYPE_CHECKING:
    from types import TracebackType

START_SECONDS = 60
USER = "tests"


class NoServer(Exception):
    """PostgreSQL's server is not installed; the text says so."""


def find_binary(name: str) -> str:
    """The path of one of the server's programs: Debian keeps them off PATH, one folder for each version."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = shutil.which(name) or next((str(path) for path in reversed(versions)), None)
    if found is None:
        raise NoServer(f"PostgreSQL's {name} is neither on PATH nor in /usr/lib/postgresql/*/bin.")
    return found


class PostgresServer:
    """A server that lives as long as its `with` block; it trusts everybody who can reach its socket."""

    def __init__(self, port: int | None = None) -> None:
        self._port = port
        self._initdb, self._postgres = find_binary("initdb"), find_binary("postgres")
        # A socket's path may have 107 characters, which pytest's own folders exceed.
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._schemas = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def new_url(self) -> str:
        """The URL of an empty schema that nobody else uses."""
        schema = f"ledger_{next(self._schemas)}"
        with psycopg.connect(**self._address) as connection:
            connection.execute(f"CREATE SCHEMA {schema}")
        return (
            f"postgresql://{USER}@/postgres?host={self._folder}"
            f"&options=-csearch_path%3D{schema}&connect_timeout=30"
        )

    @property
    def tcp_url(self) -> str:
        """The URL of the database, for a client that knows no sockets and insists on a password."""
        return f"postgresql://{USER}:secret@127.0.0.1:{self._port}/postgres"

    @property
    def _address(self) -> dict[str, Any]:
        address = {"host": str(self._folder), "user": USER, "dbname": "postgres"}
        return address | ({"port": self._port} if self._port else {})

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _start(self) -> None:
        options: dict[str, Any] = {"cwd": self._folder}
        if os.geteuid() == 0:
            # PostgreSQL refuses to be run by root.
            user, group = _somebody_else()
            os.chown(self._folder, user, group)
            options |= {"user": user, "group": group, "extra_groups": []}
        cluster = self._folder / "cluster"
        make = [
            "--pgdata",
            str(cluster),
            "--auth",
            "trust",
            "--username",
            USER,
            "--no-sync",
            "--encoding=UTF8",
        ]
        subprocess.run([self._initdb, *make, "--locale=C"], check=True, stdout=subprocess.DEVNULL, **options)
        # The port names the socket, too; where nobody asked for one it is PostgreSQL's own.
        listen = ["-h", "127.0.0.1", "-p", str(self._port)] if self._port else ["-h", ""]
        serve = ["-D", str(cluster), "-k", str(self._folder), *listen, "-c", "fsync=off"]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen([self._postgres, *serve], stderr=log, stdout=log, **options)
        self._wait_until_it_answers(self._process)

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < until:
            try:
                psycopg.connect(**self._address).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError(f"The server does not start: {(self._folder / 'log').read_text()}")

    def _stop(self) -> None:
        if self._process:
            # Immediate shutdown: https://www.postgresql.org/docs/current/server-shutdown.html
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(START_SECONDS)
        shutil.rmtree(self._folder)


def _somebody_else() -> tuple[int, int]:
    """The ids of a user and a group that are not root's."""
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        account = pwd.getpwnam("nobody")
    return account.pw_uid, account.pw_gid
