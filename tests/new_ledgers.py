"""Makes new ledgers: SQLite files in a temporary folder, schemas of a temporary Postgres server."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.postgres import NoServer, PostgresServer
from tests.temporary import MEMORY

if TYPE_CHECKING:
    from types import TracebackType

PASSWORD = "s3cret-of-the-ledger"  # the tests' server asks for none, but no output may hold it


class NewLedgers:
    """Gives URLs of new ledgers; all of them are deleted with the `with` block."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ledgers-", dir=MEMORY if MEMORY.is_dir() else None))
        self._numbers = itertools.count(1)
        try:
            self._server: PostgresServer | None = PostgresServer()
        except NoServer:
            self._server = None

    @property
    def kinds(self) -> list[str]:
        """Return the kinds of ledger that this machine can make."""
        return ["none", "sqlite"] if self._server is None else ["none", "sqlite", "postgres"]

    def new_url(self, kind: str) -> str | None:
        """Return the URL of an empty ledger, or None for "none"."""
        if kind == "sqlite":
            return f"sqlite:///{self._folder / f'ledger{next(self._numbers)}.db'}"
        if kind == "postgres" and self._server is not None:
            return self._server.new_url().replace("://tests@", f"://tests:{PASSWORD}@")
        return None

    def __enter__(self) -> Self:
        if self._server is not None:
            self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.__exit__(kind, error, trace)
        shutil.rmtree(self._folder)
