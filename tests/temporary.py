"""Where the files of the tests go: into memory if there is room, since a database waits for a disk at each commit."""

from __future__ import annotations

import os
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108  # a folder in memory, on Linux
ROOM = 2 * 1024**3  # bytes; the tests that install plugins with Meltano take the most of it


def folder_in_memory(folder: Path = MEMORY) -> Path | None:
    """Return the folder in memory; None where there is none, or where the tests' files do not fit in."""
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return None
    return folder if is_fit(os.statvfs(folder)) else None


def is_fit(system: os.statvfs_result) -> bool:
    """Whether this file system has the room and runs programs: a container's is often of 64 MB, and runs none."""
    return not system.f_flag & os.ST_NOEXEC and system.f_bavail * system.f_frsize >= ROOM
