"""The command as its caller starts it: hands over what it was given, and ends as the fork ends.

Needs Python alone, and imports little, since each call does so.
"""

import json
import os
import socket
import sys


def call(path: str) -> None:
    """Have the server at this socket run the command; exit with its exit code."""
    given = {"arguments": sys.argv, "folder": os.getcwd(), "environment": dict(os.environ)}  # noqa: PTH109
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        socket.send_fds(server, [b"{"], [0, 1, 2])
        server.sendall(json.dumps(given).encode()[1:])
        server.shutdown(socket.SHUT_WR)
        answer = server.recv(16)
    sys.exit(int(answer or 1))
