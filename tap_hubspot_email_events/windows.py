"""Windows: spans of time that lie side by side, to the millisecond, so that nothing is read twice or left out.

A window is half-open. HubSpot is asked for the events up to and including the window's exclusive end, and those
created at the end or later are dropped: so it does not matter whether HubSpot's `endTimestamp` is inclusive. Once
HubSpot has shown that it is, the window's last millisecond is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_hubspot_email_events.events import Event
    from tap_hubspot_email_events.spools import Spool


@dataclass(frozen=True, slots=True)
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
        """The last millisecond of the window."""
        return self.end - 1

    def cut(self, at: int) -> tuple[Window, Window]:
        """Return the two windows on either side of a millisecond, which belongs to the later one."""
        return Window(self.start, at), Window(at, self.end)


@dataclass(frozen=True, slots=True)
class WindowRead:
    """The result of reading a window: all of it, its newest part, or nothing.

    The part from `whole_from` on was read completely and `events` holds it, oldest first, in memory or on disk.
    Without `events` nothing was read; the window is to be read again in two, cut at `whole_from`.
    `seen` events were met on the way, the oldest of them at `seen_from`; `passed_over` were not for the stream.
    `size` is the bytes of the records in memory. `warning` is a sentence about a problem of the window; `is_incomplete`
    says that HubSpot seems to have events of it that cannot be read.
    """

    window: Window
    whole_from: int
    events: list[Event] | Spool | None
    seen: int
    seen_from: int
    calls: int
    size: int = 0
    in_order: bool = True
    passed_over: int = 0
    warning: str | None = None
    is_incomplete: bool = False

    @property
    def held(self) -> int:
        """How many events are held in memory."""
        return len(self.events) if isinstance(self.events, list) else 0

    @property
    def kept(self) -> Window:
        """The part that was read completely."""
        return Window(self.whole_from, self.window.end)

    @property
    def width_seen(self) -> int:
        """How many milliseconds the part covers in which events were met."""
        return self.window.end - self.seen_from

    @property
    def width_left(self) -> int:
        """How many milliseconds the part covers that was not read completely."""
        return self.whole_from - self.window.start

    @property
    def is_whole(self) -> bool:
        """Whether the window was read to its end."""
        return self.events is not None and self.whole_from == self.window.start
