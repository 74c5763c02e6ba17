"""The tests' files lie in memory only where there is room for them, and where programs can be started."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.temporary import ROOM, folder_in_memory, is_fit

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = 4096  # bytes


@pytest.mark.parametrize(
    ("blocks", "flags", "fit"),
    [(ROOM // BLOCK, 0, True), (ROOM // BLOCK - 1, 0, False), (ROOM // BLOCK, os.ST_NOEXEC, False)],
)
def test_a_file_system_needs_room_and_has_to_run_programs(blocks: int, flags: int, *, fit: bool) -> None:
    system = os.statvfs_result((BLOCK, BLOCK, blocks, blocks, blocks, 0, 0, 0, flags, 255))

    assert is_fit(system) is fit


def test_without_a_folder_in_memory_the_files_go_to_the_disk(tmp_path: Path) -> None:
    assert folder_in_memory(tmp_path / "shm") is None
