"""Open files that name people: whatever their mode was, only their owner can read them afterwards."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OWNER_ONLY = 0o600
NOT_A_FILE = "it is not a file"
_STANDARD_STREAMS = (0, 1, 2)
# Without it, opening a FIFO waits until somebody reads from it. Windows has neither.
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)


def open_private(path: str | Path, *, append: bool = False) -> IO[bytes]:
    """Open a file to append to it or to replace its content, with mode 0600, also where it was there.

    Raises OSError where the system refuses, and where the path is no file of its own: a directory, a FIFO, a
    device, or what standard input, output or error is.
    """
    standard = [*_standard_streams()]  # before: a process without one would give its number to the file
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NO_WAIT, OWNER_ONLY)
    except OSError as error:
        # A FIFO from which nobody reads.
        raise OSError(error.errno, NOT_A_FILE) if error.errno == errno.ENXIO else error from None
    try:
        _refuse_what_is_no_file_of_its_own(os.fstat(descriptor), standard)
        Path(path).chmod(OWNER_ONLY)
        if not append:
            os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "ab")


def _refuse_what_is_no_file_of_its_own(opened: os.stat_result, standard: Iterable[os.stat_result]) -> None:
    if not stat.S_ISREG(opened.st_mode):
        raise OSError(errno.EINVAL, NOT_A_FILE)
    if any(os.path.samestat(opened, each) for each in standard):
        raise OSError(errno.EINVAL, "standard input, output or error goes there")


def _standard_streams() -> Iterator[os.stat_result]:
    for number in _STANDARD_STREAMS:
        with suppress(OSError):  # a process may be started without it
            yield os.fstat(number)
