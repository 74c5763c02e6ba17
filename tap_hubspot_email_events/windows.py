"""Spans of time that lie side by side, to the millisecond: nothing is read twice and nothing between them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The milliseconds from `start` up to, and without, `end`."""

    start: int
    end: int

    @property
    def width(self) -> int:
        """How many milliseconds the window covers."""
        return self.end - self.start

    @property
    def is_one_millisecond(self) -> bool:
        """Whether the window cannot be cut."""
        return self.width == 1

    @property
    def last(self) -> int:
        """The last millisecond within: HubSpot's `endTimestamp` is inclusive."""
        return self.end - 1

    def nearest(self, moment_ms: int) -> int:
        """The millisecond of the window that lies nearest."""
        return min(max(moment_ms, self.start), self.last)

    def cut(self, at: int) -> tuple[Window, Window]:
        """The two windows on either side of a millisecond, which belongs to the later one."""
        return Window(self.start, at), Window(at, self.end)
