"""How wide the next window should be, judged by those read before: about four of HubSpot's pages.

Narrow enough that eight windows can be read side by side, since within a window a page can only be asked for with
the offset that the page before it brought; wide enough that few pages are half empty. A window that turns out to
hold more than fits costs nothing: its newest part is kept, and only full pages of it were read.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_hubspot_email_events.windows import WindowRead

# The figures below were chosen by simulation: events spread evenly, over working days, and in 1 to 30 bursts.
PAGE_EVENTS = 1_000  # the most HubSpot sends at once; https://developers.hubspot.com/docs/api-reference/legacy/email-analytics-v1/guide
MOST_EVENTS = 3_999  # of a window in memory: eight such windows leave room below 40,000 for what waits
MOST_BYTES = 5_999_999  # of a window in memory: eight such windows leave room below 64 MB for what waits
DEVIATIONS = 2  # standard deviations that are left free, so that few windows hold more than fits
TELLING_EVENTS = 500  # fewer do not predict how many the next window has
GROWTH = 4  # how much wider than one before it a window may be
SPARSE_GROWTH = 8  # the same after a window of few events
MOST_SIDE_BY_SIDE = 8  # windows
EXTRAPOLATED_WINDOWS = 8  # for so many fitting windows the density of the part that was read is assumed
FEW_EVENTS = 10_000  # so many may wait in memory while what is older than them is read
FAR_TOO_WIDE = 8  # windows' worth of events, above which a window of unknown density is not read on
MIN_REMAINING_SHARE = 0.1  # a remainder narrower than this share of a window is not worth a call of its own


@dataclass(frozen=True, slots=True)
class Width:
    """The width to read next, and how many windows of it may be read side by side.

    While the density of what comes is not known, one window is read at a time. As long as windows turn out as
    expected, their number doubles, so that at the end of a burst not many narrow windows are in flight.
    """

    milliseconds: int | None = None
    side_by_side: int = 1
    is_known: bool = False

    def of_next(self, remaining: int) -> int:
        """Return how much of what remains is the next window."""
        if self.milliseconds is None or remaining <= self.milliseconds * (1 + MIN_REMAINING_SHARE):
            return remaining
        return self.milliseconds

    def after(self, read: WindowRead) -> Width:
        """Return the width to go on with behind a window that was read."""
        if read.is_whole:
            return self._after_whole(read)
        if not read.seen or not read.in_order:
            return Width(max(read.window.width // 2, 1))
        fitting = max(wanted_events(read) * read.width_seen // read.seen, 1)
        if self.is_known:
            return Width(
                min(fitting, self.milliseconds or fitting), max(self.side_by_side // 2, 1), is_known=True
            )
        if fitting * EXTRAPOLATED_WINDOWS < read.width_left:
            return Width(ceil(read.width_left / 2))
        return Width(fitting, 2, is_known=True)

    def _after_whole(self, read: WindowRead) -> Width:
        width = read.window.width
        if read.seen < TELLING_EVENTS:
            return Width(max(width * SPARSE_GROWTH, self.milliseconds or 0), is_known=True)
        most = wanted_events(read)
        is_expected = read.seen * 2 >= most
        return Width(
            min(ceil(most * width / read.seen), width * GROWTH),
            min(self.side_by_side * 2, MOST_SIDE_BY_SIDE) if is_expected else 1,
            is_known=True,
        )

    def is_burst(self, read: WindowRead, held: int) -> bool:
        """Return whether the older part of a window is best read on as it is, from its newest event down.

        So it is where the window was expected to fit, and where what is left seems to be little.
        """
        if not read.seen or not read.in_order:
            return False
        left = read.seen * read.width_left // read.width_seen
        return self.is_known or held + left <= FEW_EVENTS


def wanted_events(read: WindowRead) -> int:
    """Return how many events a window should hold: fewer if events are large, or few were read to estimate from."""
    most = min(MOST_EVENTS, MOST_BYTES * read.held // read.size) if read.size else MOST_EVENTS
    spread = sqrt(most + most * most / max(read.seen, 1))
    return max(int(most - DEVIATIONS * spread), most // 2, 1)


def is_far_too_wide(events: int, width_seen: int, width: int) -> bool:
    """Return whether a window seems to hold so many events that its older part is better asked for anew."""
    return events * width > FAR_TOO_WIDE * MOST_EVENTS * width_seen
