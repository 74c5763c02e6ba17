"""Progress of a long run: honest figures, in lines or as a bar."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from target_hubspot_lists.reporting.progress import ERASE_LINE, Progress, Standing

if TYPE_CHECKING:
    import pytest

HALF = Standing(read=1000, done=500, looked_up=700, calls=12, limit_share=0.93)


def test_the_line_tells_what_is_done_of_what_was_read_so_far() -> None:
    assert HALF.line(None) == (
        "500 of 1,000 memberships read so far are done; 700 addresses looked up; "
        "12 calls, 93% of the portal's limit in use."
    )
    assert HALF.line(200.0).endswith("; about 3 min for those read so far.")


def test_a_line_is_told_only_where_calls_were_made(caplog: pytest.LogCaptureFixture) -> None:
    standings = [HALF, HALF, replace(HALF, calls=13)]
    progress = Progress(lambda: standings.pop(0), stream=io.StringIO())

    with caplog.at_level("INFO"):
        for _ in range(3):
            progress.tell()

    assert [record.getMessage().count("13 calls") for record in caplog.records] == [0, 1]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_that_is_gone_in_the_end() -> None:
    terminal = Terminal()

    with Progress(lambda: HALF, stream=terminal) as progress:
        progress.draw()

    assert terminal.getvalue().startswith(f"{ERASE_LINE}[############............] 500 of 1,000")
    assert terminal.getvalue().endswith(ERASE_LINE)


def test_a_bar_fits_into_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    terminal = Terminal()

    with Progress(lambda: HALF, stream=terminal) as progress:
        progress.draw()

    bar = terminal.getvalue().removeprefix(ERASE_LINE).removesuffix(ERASE_LINE)
    assert len(bar) == 59
