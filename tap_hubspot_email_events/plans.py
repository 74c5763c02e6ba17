"""The plan of one stream: which windows are to be read, are being read, and are read but not yet passed on.

Whatever happens to a window, the stretches of a plan lie side by side from its start to its end, so that each
millisecond is passed on once, in order.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from tap_hubspot_email_events.widths import Width
from tap_hubspot_email_events.windows import Window

if TYPE_CHECKING:
    from tap_hubspot_email_events.reads import WindowRead


class Stage(Enum):
    """How far a stretch has come."""

    UNREAD = auto()
    UNDER_WAY = auto()
    READ = auto()


@dataclass(slots=True)
class Stretch:
    """A window and how far it has come."""

    window: Window
    stage: Stage = Stage.UNREAD
    read: WindowRead | None = None

    @property
    def events_held(self) -> int:
        """How many events wait here."""
        return self.read.held if self.read is not None else 0


@dataclass(slots=True)
class Plan:
    """A stream's stretches, oldest first, and the width its next window should have."""

    stretches: deque[Stretch] = field(default_factory=deque)
    width: Width = field(default_factory=Width)

    @classmethod
    def of(cls, start: int, end: int) -> Plan:
        """A plan for the span; there is nothing to do where it ends before it starts."""
        return cls(deque([Stretch(Window(start, end))] if start < end else ()))

    @property
    def is_done(self) -> bool:
        """Whether everything was passed on."""
        return not self.stretches

    @property
    def is_begun(self) -> bool:
        """Whether anything was read or is being read."""
        return any(stretch.stage is not Stage.UNREAD for stretch in self.stretches)

    @property
    def is_asked_for(self) -> bool:
        """Whether nothing is left to be asked for, and nothing is likely to be."""
        stages = {stretch.stage for stretch in self.stretches}
        return Stage.UNREAD not in stages and (self.width.certain or Stage.UNDER_WAY not in stages)

    @property
    def events_held(self) -> int:
        """How many events wait to be passed on."""
        return sum(stretch.events_held for stretch in self.stretches)

    def next_window(self) -> Window | None:
        """Take the oldest unread window, unless one under way must first tell how wide it should be."""
        if not self.width.certain and any(each.stage is Stage.UNDER_WAY for each in self.stretches):
            return None
        for index, stretch in enumerate(self.stretches):
            if stretch.stage is Stage.UNREAD:
                return self._take(index, stretch.window)
        return None

    def _take(self, index: int, unread: Window) -> Window:
        width = self.width.of_next(unread.width)
        taken, rest = unread.cut(unread.start + width)
        self._replace(index, Stretch(taken, Stage.UNDER_WAY), Stretch(rest))
        return taken

    def came_back(self, read: WindowRead) -> None:
        """Put a window that was under way where it belongs: as read, or in part to be read again."""
        if not self.stretches:  # abandoned meanwhile
            return
        index = self._index_of(read.window)
        older, newer = read.window.cut(read.whole_from)
        stage = Stage.UNREAD if read.events is None else Stage.READ
        self._replace(index, Stretch(older), Stretch(newer, stage, read if read.events is not None else None))
        self.width = read.next_width(self.width)

    def failed(self, window: Window) -> None:
        """Put a window that could not be read back among the unread."""
        if self.stretches:
            self.stretches[self._index_of(window)].stage = Stage.UNREAD

    def take_oldest(self) -> WindowRead | None:
        """Hand over the oldest stretch for good, if it is read."""
        if not self.stretches or self.stretches[0].stage is not Stage.READ:
            return None
        return self.stretches.popleft().read

    def forget_newest(self) -> int:
        """Give up the newest events held, to be read again later; says how many."""
        for stretch in reversed(self.stretches):
            if stretch.events_held:
                forgotten = stretch.events_held
                stretch.stage, stretch.read = Stage.UNREAD, None
                return forgotten
        return 0

    def abandon(self) -> None:
        """Nothing else of this plan is wanted."""
        self.stretches.clear()

    def _index_of(self, window: Window) -> int:
        return next(index for index, each in enumerate(self.stretches) if each.window == window)

    def _replace(self, index: int, *stretches: Stretch) -> None:
        del self.stretches[index]
        for stretch in reversed(stretches):
            if stretch.window.width:
                self.stretches.insert(index, stretch)
