"""What became of reading a window: all of it, its newest part, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_hubspot_email_events.events import Event
from tap_hubspot_email_events.spools import Spool
from tap_hubspot_email_events.widths import after_trouble
from tap_hubspot_email_events.windows import Window

if TYPE_CHECKING:
    from tap_hubspot_email_events.widths import Width

Events = list[Event] | Spool  # oldest first, in memory or on disk


@dataclass(frozen=True, slots=True)
class WindowRead:
    """A window whose part from `whole_from` on was read and none of its events is missing.

    `events` holds that part; without it the window is to be asked for in two, cut at `whole_from`.
    `seen` events were met on the way, the oldest of them at `seen_from`.
    """

    window: Window
    whole_from: int
    events: Events | None
    seen: int
    seen_from: int
    calls: int
    in_order: bool = True

    @property
    def held(self) -> int:
        """How many events are held in memory."""
        return len(self.events) if isinstance(self.events, list) else 0

    @property
    def kept(self) -> Window:
        """The part that was read whole."""
        return Window(self.whole_from, self.window.end)

    @property
    def is_whole(self) -> bool:
        """Whether the window was read to its end."""
        return self.events is not None and self.whole_from == self.window.start

    def next_width(self, width: Width) -> Width:
        """The width to go on with."""
        if self.is_whole:
            return width.after_whole(self.seen, self.window.width)
        if not self.in_order or not self.seen:
            return after_trouble(self.window.width)
        remaining = self.whole_from - self.window.start
        return width.after_part(self.seen, self.window.end - self.seen_from, remaining)
