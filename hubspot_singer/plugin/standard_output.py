"""Writes Singer messages to standard output, each whole."""

from __future__ import annotations

import errno
import os
import sys


def write_out(content: bytes) -> None:
    """Write all of the content to standard output now.

    Raises OSError where it is closed or full; later writes are discarded.
    """
    try:
        _write(content)
    except OSError:
        # At exit Python would write again, and report the same error.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        raise


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
