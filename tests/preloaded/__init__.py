"""A command that starts at once: each call of it is a fork of one process that has imported its modules already.

Meltano and Airflow import for a second or more at each call, and the tests call them a hundred times. What runs is the
same program, with the arguments, the environment, the folder and the files of the caller.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

_HERE = Path(__file__).parent
_CLIENT = """#!{python} -IS
{text}
call({socket!r})
"""


class Preloaded:
    """The command of a module in another environment, for as long as the `with` block lasts."""

    def __init__(self, python: Path, module: str, name: str) -> None:
        """Import `module` with this Python; its function `main` is the command `name`."""
        self.folder = Path(tempfile.mkdtemp(prefix="preloaded-"))  # short: a socket's path has 107 characters
        self.command = self.folder / name
        self._python, self._module = python, module

    def __enter__(self) -> Self:
        socket = str(self.folder / "socket")
        server = [str(self._python), str(_HERE / "server.py"), self._module, socket]
        # A session of its own, so that nothing that a command left behind outlives it.
        self._process = subprocess.Popen(
            server, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            self.__exit__(None, None, None)
            raise RuntimeError(f"{self._module} cannot be imported by {self._python}")
        text = (_HERE / "client.py").read_text("utf-8")
        self.command.write_text(_CLIENT.format(python=self._python, text=text, socket=socket), "utf-8")
        self.command.chmod(0o755)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        shutil.rmtree(self.folder, ignore_errors=True)  # others may have tidied /tmp up
