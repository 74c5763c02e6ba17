"""How far each stream has come: what the state says, and what the next state will say.

The state of a stream (version 1):

    {"version": 1,
     "replication_key": "created",
     "replication_key_value": "2026-11-20T10:00:00.000Z",
     "remembered_from": "2026-11-20T09:05:00.000Z",
     "remembered": "base64 of digests of eight bytes each"}

`replication_key_value` is where the last finished window ended: every event created before it was passed
on, and reading goes on with the events created then. It never moves back. `remembered_from` and `remembered`
are absent where nothing is remembered; see `digests.py`. A bookmark that was moved back by hand, before
`remembered_from`, brings everything from there on again. Whatever else a later version writes beside these is
kept as it is. Of a state with a later `version` only `replication_key_value` is read. A state without a
version, written by hand say, is read likewise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events import moments
from tap_hubspot_email_events.digests import Memory, digest
from tap_hubspot_email_events.errors import UnreadableState

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from tap_hubspot_email_events.events import Event, EventKey
    from tap_hubspot_email_events.windows import Window

VERSION = 1
FIRST_MOMENT_MS = 1_000  # HubSpot answers 500 to a start at 0, as other taps met it
RECENT_EVENTS = (
    10_000  # so many keys at least are kept of the events passed on last; a window has half as many
)


@dataclass(frozen=True, slots=True)
class Bookmark:
    """What a stream's state says."""

    until: int | None = None
    remembered_from: int | None = None
    remembered: str = ""

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Bookmark:
        """Read a stream's state; raises UnreadableState."""
        value = state.get("replication_key_value")
        if value is None:
            return cls()
        until = _moment(value, "replication_key_value")
        if state.get("version") != VERSION or state.get("remembered_from") is None:
            return cls(until)
        remembered = state.get("remembered", "")
        if not isinstance(remembered, str):
            raise UnreadableState("remembered is not text")
        return cls(until, _moment(state["remembered_from"], "remembered_from"), remembered)

    def memory(self, start: int) -> Memory:
        """What is remembered; what lies before the start of all reading was never passed on."""
        if self.until is None or self.remembered_from is None or self.until < self.remembered_from:
            return Memory(start if self.until is None else max(start, self.until))
        return Memory.of(self.remembered_from, self.until, self.remembered)


def check_state(state: object) -> None:
    """Refuse what has not the shape of a state: taken for none, it would read everything anew."""
    bookmarks = state.get("bookmarks") if isinstance(state, Mapping) and state else state or {}
    if isinstance(bookmarks, Mapping) and all(isinstance(each, Mapping) for each in bookmarks.values()):
        return
    raise UnreadableState(
        'The state is not an object with "bookmarks" of streams. Give the last STATE of an earlier run, or'
        " none to read from start_date on."
    )


def _moment(value: object, name: str) -> int:
    if type(value) is int and 0 <= value <= moments.LAST_MOMENT_MS:
        return value
    try:
        return moments.from_text(value if isinstance(value, str) else "")
    except ValueError as error:
        raise UnreadableState(f"{name} is not a date-time") from error


class Progress:
    """Where a stream's reading starts, which of the events read are new, and the state after each window."""

    def __init__(self, bookmark: Bookmark, *, start: int, now: int, lookback: int) -> None:
        self._until = bookmark.until
        self._known_until = bookmark.until or 0
        self._memory = bookmark.memory(max(start, FIRST_MOMENT_MS))
        self._remember_from = now - lookback
        self._recent: set[EventKey] = set()
        self._less_recent: set[EventKey] = set()
        self.start = self._first_moment(max(start, FIRST_MOMENT_MS), lookback)

    def _first_moment(self, start: int, lookback: int) -> int:
        if self._until is None:
            return start
        return max(start, min(self._until, max(self._until - lookback, self._memory.since)))

    def is_new(self, event: Event, window: Window) -> bool:
        """Whether the event was not passed on before; if it is, it counts as passed on from now on.

        An event that HubSpot sent with a window it was not created in is passed on with that window, once.
        """
        moment = window.nearest(event.created)
        if self._is_recent(event.key):
            return False
        if self._known_until <= moment < self._remember_from:
            return True
        event_digest = digest(event.content)
        is_new = event_digest not in self._memory
        self._memory.add(event_digest, moment)
        return is_new

    def _is_recent(self, key: EventKey) -> bool:
        if key in self._recent or key in self._less_recent:
            return True
        self._recent.add(key)
        if len(self._recent) >= RECENT_EVENTS:
            self._recent, self._less_recent = set(), self._recent
        return False

    def finish(self, window: Window, state: MutableMapping[str, Any]) -> None:
        """Write into the stream's state that the window is passed on."""
        self._until = max(self._until or 0, window.end)
        # What was known at the start is needed until all of it was read again, however old it is.
        if window.end >= self._known_until:
            self._memory.forget_before(self._remember_from)
        self._memory.forget_all_but_newest()
        state.update(
            version=VERSION,
            replication_key="created",
            replication_key_value=moments.to_text(self._until),
        )
        if self._memory.since < self._until:
            state["remembered_from"] = moments.to_text(self._memory.since)
            state["remembered"] = self._memory.encoded()
        else:
            state.pop("remembered_from", None)
            state.pop("remembered", None)
