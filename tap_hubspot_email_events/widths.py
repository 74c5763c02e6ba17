"""How wide the next window should be, judged by those read before: about five of HubSpot's pages.

Narrow enough that eight windows can be read side by side, since within one window a page can only be asked
for with the offset that the page before it brought; wide enough that few pages are half empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

PAGE_EVENTS = 1_000  # the most HubSpot sends at once; https://developers.hubspot.com/docs/api-reference/legacy/email-analytics-v1/guide
MOST_EVENTS = 4_499  # eight such windows leave room below 40 000 events for parts that wait for older ones
AIM_EVENTS = 4_000  # leaves room for what varies from one window to the next
TELLING_EVENTS = 500  # fewer say little about how many there will be in the next window
GROWTH = 2  # how much wider than one before it a window may be
TRUST = 8  # how many times as wide as what was read the rest may be and still be thought to be like it
FAR_TOO_WIDE = 2  # windows' worth of events, above which a window is not read on
SLIVER = 0.1  # a rest narrower than this share of a window is not worth a call of its own


@dataclass(frozen=True, slots=True)
class Width:
    """The width to read next; `certain` once a window of about this width was read to its end.

    While it is uncertain one window is read at a time: eight too wide ones would come to nothing together.
    """

    milliseconds: int | None = None
    certain: bool = False

    def of_next(self, remaining: int) -> int:
        """How much of what remains is the next window."""
        if self.milliseconds is None or remaining <= self.milliseconds * (1 + SLIVER):
            return remaining
        return self.milliseconds

    def after_whole(self, events: int, width: int) -> Width:
        """The width to go on with after a window of this width was read to its end."""
        known = max(self.milliseconds or 0, width)
        # Where the newest part was dense, a quiet part says little of what lies between: feel the way there.
        widest = GROWTH * known
        fitting = min(ceil(AIM_EVENTS * width / events), widest) if events else widest
        if events < TELLING_EVENTS:
            fitting = max(fitting, self.milliseconds or 0)
        return Width(fitting, certain=self.certain or events >= TELLING_EVENTS)

    def after_part(self, events: int, width: int, remaining: int) -> Width:
        """The width to go on with after only the newest part of a window was read."""
        fitting = max(AIM_EVENTS * width // max(events, 1), 1)
        if self.milliseconds is not None:
            fitting = min(fitting, self.milliseconds)
        # The newest part may have been a burst in a quiet time, so the rest is not thought to be like it.
        if fitting * TRUST < remaining:
            return Width(ceil(remaining / TRUST), certain=False)
        return Width(fitting, certain=True)


def after_trouble(width: int) -> Width:
    """The width to go on with where such a window could not be read for another reason than its size."""
    return Width(max(width // 2, 1), certain=False)


def is_far_too_wide(events: int, width_read: int, width: int) -> bool:
    """Whether a window seems to hold so many events that its older part is better asked for anew."""
    return events * width > FAR_TOO_WIDE * MOST_EVENTS * width_read
