"""Writes Singer messages to standard output, each whole; says so where it takes no more."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator


# What a write to a full disk, or to what is closed, ends in; some systems know no quota.
TAKES_NO_MORE = frozenset(
    getattr(errno, name, None) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EIO", "EPIPE", "EBADF")
) - {None}


def write_out(content: bytes) -> None:
    """Write all of the content to standard output now.

    Raises OSError where it is closed or full; later writes are discarded.
    """
    try:
        _write(content)
    except OSError:
        _discard_later_writes()
        raise


def lost_output(error: OSError) -> str | None:
    """Return a sentence for an error of standard output, which is closed or full; None for any other error.

    Later writes to it are discarded. An error of a file that was opened by its name would say the name; all files that
    the commands write have errors of their own.
    """
    if error.errno not in TAKES_NO_MORE or error.filename is not None:
        return None
    _discard_later_writes()
    return (
        f"Standard output takes no more ({error.strerror}): what was to be shown is lost. Run the command again where"
        " there is room for it."
    )


@contextmanager
def all_shown() -> Iterator[None]:
    """Write out what is buffered at the end of the `with` block; at exit an error of that could not be told."""
    try:
        yield
    finally:
        if sys.stdout:
            sys.stdout.flush()


class PrintingCommand(click.Command):
    """A command that says in one line where standard output takes no more."""

    @override
    def main(self, *args: Any, **kwargs: Any) -> Any:
        with _told_in_one_line():
            return super().main(*args, **kwargs)


class PrintingGroup(PrintingCommand, click.Group):
    """A group of such commands."""


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    try:
        with all_shown():
            yield
    except OSError as error:
        if (words := lost_output(error)) is None:
            raise
        click.echo(f"Error: {words}", err=True)
        raise SystemExit(1) from None


def _discard_later_writes() -> None:
    """Let nothing else be written: at exit Python would write again, and report the same error."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def _write(content: bytes) -> None:
    """Write until everything is taken: with PYTHONUNBUFFERED a signal can cut a write short."""
    if not sys.stdout:  # the process was started without one
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:  # a test or a program reads the messages in this process
        sys.stdout.write(content.decode())
        return
    left = memoryview(content)
    while left:
        left = left[binary.write(left) :]
    binary.flush()
