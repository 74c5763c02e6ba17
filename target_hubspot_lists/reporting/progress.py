"""Logs the progress of a long run: a line each 30 seconds, or a live bar on a terminal."""

from __future__ import annotations

import io
import logging
import shutil
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Self

from hubspot_singer.plugin.logs import ERASE_LINE

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 30.0
SECONDS_BETWEEN_BARS = 0.5
BAR_WIDTH = 24  # characters


@dataclass(frozen=True)
class RunProgress:
    """The counts of a run so far: memberships read and done, calls, share of the rate limit used, contacts.

    `addresses_to_send` counts the addresses of all look-ups and creates that are known to be needed so far.
    """

    read: int
    done: int
    calls: int
    limit_share: float
    addresses_to_send: int = 0
    addresses_sent: int = 0
    looked_up: int = 0
    created: int = 0

    @property
    def share(self) -> float:
        """The share of the known work that is done, from 0 to 1: look-ups, creates and memberships."""
        steps = self.read + self.addresses_to_send
        return (self.done + self.addresses_sent) / steps if steps else 0.0

    def line(self, seconds_left: float | None) -> str:
        """Return the progress line. It estimates no end of the run, since the size of the input is not known."""
        parts = [f"{self.done:,} of {self.read:,} memberships done"]
        if self.looked_up:
            parts.append(f"{self.looked_up:,} addresses looked up")
        if self.created:
            parts.append(f"{self.created:,} contacts created")
        parts.append(f"{self.calls:,} calls, {self.limit_share:.0%} of the portal's limit in use")
        if seconds_left is not None:
            parts.append(f"about {_duration(seconds_left)} for those read so far")
        return "; ".join(parts) + "."

    def bar(self) -> str:
        """The live bar."""
        filled = round(self.share * BAR_WIDTH)
        return f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}]"


class ProgressLog:
    """Logs the progress of a run, or draws a bar, in a thread of its own until the `with` block ends."""

    def __init__(self, progress: Callable[[], RunProgress], *, stream: IO[str] | None = None) -> None:
        self._progress = progress
        self._stream = stream or sys.stderr or io.StringIO()  # a process may be started without one
        self._is_live = self._stream.isatty()
        self._ended = threading.Event()
        self._started = time.monotonic()
        self._calls_logged = 0
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def log(self) -> None:
        """Log a line if calls were made since the last line; a structured log has the counts as a field."""
        progress = self._progress()
        if progress.calls > self._calls_logged:
            self._calls_logged = progress.calls
            line = progress.line(self._seconds_left(progress))
            logger.info("%s", line, extra={"hubspot_progress": asdict(progress)})

    def draw(self) -> None:
        """Redraw the bar."""
        progress = self._progress()
        if progress.read:
            text = f"{progress.bar()} {progress.line(self._seconds_left(progress))}"
            # Text wider than the terminal would leave a line behind each time it is redrawn.
            self._stream.write(f"{ERASE_LINE}{text[: shutil.get_terminal_size().columns - 1]}")
            self._stream.flush()

    def _seconds_left(self, progress: RunProgress) -> float | None:
        """Return an estimate for the memberships read so far; None before any work is done."""
        elapsed = time.monotonic() - self._started
        if not progress.share or elapsed < SECONDS_BETWEEN_BARS:
            return None
        return elapsed / progress.share * (1 - progress.share)

    def _run(self) -> None:
        seconds, show = (
            (SECONDS_BETWEEN_BARS, self.draw) if self._is_live else (SECONDS_BETWEEN_LINES, self.log)
        )
        while not self._ended.wait(seconds):
            show()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        if self._is_live:
            self._stream.write(ERASE_LINE)
            self._stream.flush()


def _duration(seconds: float) -> str:
    minutes, remaining = divmod(round(seconds), 60)
    return f"{minutes} min" if minutes else f"{remaining} s"
