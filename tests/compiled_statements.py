"""Compiled SQL that the ledgers of all tests share.

SQLAlchemy keeps the compiled statements of an engine, and each run of a test has an engine of its own: a third of the
time of a test with a ledger would go into compiling the same statements once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, event

if TYPE_CHECKING:
    from sqlalchemy import Connection


class CompiledStatements(dict[Any, Any]):
    """Compiled statements by what SQLAlchemy tells them apart by, with the kind of database instead of one engine's."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_of_any_engine(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(_of_any_engine(key), compiled)


def _of_any_engine(key: Any) -> tuple[Any, ...]:
    dialect, *rest = key
    return dialect.name, dialect.driver, dialect.server_version_info, *rest


def share() -> None:
    """Have every connection of this process look for its statements among those of all."""
    statements = CompiledStatements()

    def use_them(connection: Connection) -> None:
        # https://docs.sqlalchemy.org/en/20/core/connections.html#sqlalchemy.engine.Connection.execution_options.params.compiled_cache
        connection.execution_options(compiled_cache=statements)

    event.listen(Engine, "engine_connect", use_them)
