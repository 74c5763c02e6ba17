"""Files that only their owner can read: they name people, or hold secrets."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from hubspot_singer.plugin.errors import UnwritableFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OWNER_ONLY = 0o600
NOT_A_FILE = "it is not a file"
NOT_A_PATH = "no file can have this name"  # a null character, or half of a surrogate pair
_STANDARD_STREAMS = (0, 1, 2)
# Without it, opening a FIFO waits until another process reads from it. Windows has neither.
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)


def open_private(path: str | Path, *, append: bool = False) -> IO[bytes]:
    """Open a file to append to it or to replace its content; its mode is 0600, also if the file existed.

    Raises OSError where the system refuses, and where the path is not a regular file of its own: a directory, a FIFO,
    a device, or the file that standard input, output or error is.
    """
    # Taken first: in a process without standard streams, the file would get one of their numbers.
    standard = [*_standard_streams()]
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NO_WAIT, OWNER_ONLY)
    except OSError as error:
        # A FIFO that no process reads from.
        raise OSError(error.errno, NOT_A_FILE) if error.errno == errno.ENXIO else error from None
    except ValueError:
        raise OSError(errno.EINVAL, NOT_A_PATH) from None
    try:
        _check_is_regular_and_not_among(standard, os.fstat(descriptor))
        Path(path).chmod(OWNER_ONLY)
        if not append:
            os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "ab")


@contextmanager
def new_private_file(path: str) -> Iterator[IO[str]]:
    """Create a text file with mode 0600 and yield it; delete it if the `with` block fails.

    Raises `UnwritableFile` where a file of that name exists, or the system refuses, also while it is written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    except FileExistsError:
        raise UnwritableFile(
            f'The file "{path}" exists already and is not overwritten: name another one, or delete it.'
        ) from None
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
    except BaseException as error:
        Path(path).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise


def _unwritable(path: str, error: OSError) -> UnwritableFile:
    return UnwritableFile(f'The file "{path}" cannot be written ({error.strerror}): name another one.')


def _check_is_regular_and_not_among(standard: Iterable[os.stat_result], opened: os.stat_result) -> None:
    if not stat.S_ISREG(opened.st_mode):
        raise OSError(errno.EINVAL, NOT_A_FILE)
    if any(os.path.samestat(opened, stream) for stream in standard):
        raise OSError(errno.EINVAL, "standard input, output or error goes there")


def _standard_streams() -> Iterator[os.stat_result]:
    for number in _STANDARD_STREAMS:
        with suppress(OSError):  # a process may be started without it
            yield os.fstat(number)
