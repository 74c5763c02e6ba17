"""Writes Singer messages to standard output, each whole."""

from __future__ import annotations

import errno
import os
import sys


def write_out(content: bytes) -> None:
    """Write to standard output, all of it, now.

    Raises OSError where it takes no more; what is written there afterwards goes nowhere.
    """
    try:
        _write(content)
    except OSError:
        # At exit Python would try again, and complain.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        raise


def _write(content: bytes) -> None:
    """With PYTHONUNBUFFERED a write that a signal interrupts takes a part alone, and says how much."""
    if not sys.stdout:  # the process was started without one
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:  # somebody reads the messages in this process
        sys.stdout.write(content.decode())
        return
    left = memoryview(content)
    while left:
        left = left[binary.write(left) :]
    binary.flush()
