"""Imports a module once, and runs its function `main` in a fork for each call. Needs Python alone, and that module."""

import contextlib
import importlib
import json
import os
import select
import socket
import sys
from collections.abc import Callable
from typing import Any


def serve(module: str, path: str) -> None:
    """Answer calls at this socket until standard input ends, as it does with the process that holds it open."""
    main = importlib.import_module(module).main
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        while server in select.select([server, sys.stdin], [], [])[0]:
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _answer(connection, main)
            connection.close()
            _bury()


def _bury() -> None:
    """Collect the forks that have answered, so that their time counts as this process's."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _answer(connection: socket.socket, main: Callable[[], int | None]) -> None:
    """Run the command in a fork of its own, which ends as any process does, and tell its exit code."""
    start, files, _, _ = socket.recv_fds(connection, 1, 3)
    given = json.loads(start + b"".join(iter(lambda: connection.recv(65_536), b"")))
    command = os.fork()
    if command == 0:
        connection.close()
        _become(given, files)
        sys.exit(main())
    _, status = os.waitpid(command, 0)
    connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(given: dict[str, Any], files: list[int]) -> None:
    """Take on the arguments, the folder, the environment and the standard streams of the caller."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(given["folder"])
    os.environ.clear()
    os.environ.update(given["environment"])
    sys.argv = given["arguments"]


if __name__ == "__main__":
    serve(*sys.argv[1:])
