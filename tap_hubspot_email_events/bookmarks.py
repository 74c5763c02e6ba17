"""How far each stream of events has come: what its state says, and what its next state will say.

The state of a stream (version 2):

    {"version": 2,
     "replication_key": "created",
     "replication_key_value": "2026-11-20T10:00:00.000Z",
     "read_from": "2026-01-01T00:00:00.000Z",
     "remembered": "base64 of digests of eight bytes each"}

`replication_key_value` is the exclusive end of the last window that was passed on: every event created since
`read_from` and before it was passed on. It never moves back. The next run reads on from `lookback` before it, for
events that turned up late or were changed. `remembered` has the digests (see `digests.py`) of the newest events of
the lookback. It is in the last STATE of a run alone, which keeps the others small. Events that are remembered are not
passed on again; other events of the lookback are, under the same key.

A state of version 1 has no `read_from`, and a `remembered_from` that is of no use any more. Of a state of a later
version, or of none (written by hand, say), only `replication_key_value` is read. What else is in a state is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events import moments
from tap_hubspot_email_events.digests import pack, unpack
from tap_hubspot_email_events.errors import UnreadableState

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

    from tap_hubspot_email_events.events import Event
    from tap_hubspot_email_events.windows import Window

VERSION = 2
KNOWN_VERSIONS = (1, 2)
REMEMBERED = "remembered"
FIRST_MOMENT_MS = 1_000  # HubSpot answers 500 to a start at 0, as other taps met it
MOST_REMEMBERED = 20_000  # digests; 213 kB of base64
SLACK = 2  # so many times as many are held before the oldest are dropped


@dataclass(frozen=True, slots=True)
class Bookmark:
    """What a stream's state says; times in epoch milliseconds."""

    until: int | None = None
    read_from: int | None = None
    remembered: frozenset[bytes] = frozenset()

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Bookmark:
        """Parse a stream's state; raises UnreadableState."""
        value = state.get("replication_key_value")
        if value is None:
            return cls()
        until = _moment(value, "replication_key_value")
        if state.get("version") not in KNOWN_VERSIONS:
            return cls(until)
        read_from = state.get("read_from")
        return cls(
            until,
            None if read_from is None else _moment(read_from, "read_from"),
            _remembered(state.get(REMEMBERED, "")),
        )


def check_state(state: object) -> None:
    """Raise UnreadableState for what has not the shape of a state: taken for none, it would read everything anew."""
    bookmarks = state.get("bookmarks") if isinstance(state, Mapping) and state else state or {}
    if isinstance(bookmarks, Mapping) and all(isinstance(each, Mapping) for each in bookmarks.values()):
        return
    raise UnreadableState(
        'The state is not an object with "bookmarks" of streams. Give the last STATE of an earlier run, or'
        " none to read from start_date on."
    )


def without_memory(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of a tap as it is written between windows: with bookmarks alone."""
    return {
        name: value
        if name != "bookmarks"
        else {
            stream: {key: each for key, each in of_stream.items() if key != REMEMBERED}
            for stream, of_stream in value.items()
        }
        for name, value in state.items()
    }


def _moment(value: object, name: str) -> int:
    if type(value) is int and 0 <= value <= moments.LAST_MOMENT_MS:
        return value
    try:
        return moments.from_text(value if isinstance(value, str) else "")
    except ValueError as error:
        raise UnreadableState(f"{name} is not a date-time") from error


def _remembered(value: object) -> frozenset[bytes]:
    if not isinstance(value, str):
        raise UnreadableState(f"{REMEMBERED} is not text")
    return frozenset(unpack(value))


@dataclass(slots=True)
class StreamProgress:
    """How far a stream comes in one run: where it starts, which of the events read are new, and its next state.

    Times are in epoch milliseconds. `known` has what is remembered of the events before `known_until`, the bookmark
    of the run before; `remembered` has the digests of events that this run passed on, with their times.
    """

    start: int
    read_from: int
    lookback: int
    until: int | None = None
    known_until: int = 0
    known: frozenset[bytes] = frozenset()
    remembered: dict[bytes, int] = field(default_factory=dict)

    @classmethod
    def of(cls, bookmark: Bookmark, *, start: int, lookback: int) -> StreamProgress:
        """Return the progress of a run that goes on `lookback` before the bookmark, and never before `start`."""
        earliest = max(start, FIRST_MOMENT_MS)
        until = bookmark.until
        if until is None:
            return cls(earliest, earliest, lookback)
        start = max(earliest, until - lookback)
        is_gap = earliest > until  # what lies between is not read
        is_new = is_gap or bookmark.read_from is None
        read_from = earliest if is_new else min(bookmark.read_from or start, start)
        return cls(start, read_from, lookback, until, until, bookmark.remembered)

    def new(self, events: Iterable[Event]) -> list[Event]:
        """Return those of the events that are not known to have been passed on before."""
        known_until, known = self.known_until, self.known
        return [event for event in events if event.created >= known_until or event.digest not in known]

    def remember(self, events: Iterable[Event], window: Window) -> None:
        """Remember events of a window, those that were known too, as far as its end looks back to them."""
        since = window.end - self.lookback
        self.remembered.update((event.digest, event.created) for event in events if event.created >= since)
        if len(self.remembered) > SLACK * MOST_REMEMBERED:
            self._forget_all_but_newest()

    def finish(self, window: Window, state: MutableMapping[str, Any]) -> None:
        """Write into the stream's state that the window was passed on."""
        self.until = window.end if self.until is None else max(self.until, window.end)
        # The bookmark does not move before all of the lookback was read: so long what is known stays known.
        if window.end >= self.known_until:
            self.known = frozenset()
        since = self.until - self.lookback
        self.remembered = {each: created for each, created in self.remembered.items() if created >= since}
        state.pop(REMEMBERED, None)
        state.pop("remembered_from", None)
        state.update(
            version=VERSION,
            replication_key="created",
            replication_key_value=moments.to_text(self.until),
            read_from=moments.to_text(self.read_from),
        )

    def write_memory(self, state: MutableMapping[str, Any]) -> None:
        """Write into the stream's state which events are remembered; nothing changes before the first window."""
        self._forget_all_but_newest()
        older = sorted(self.known)[: MOST_REMEMBERED - len(self.remembered)]
        if digests := {*self.remembered, *older}:
            state[REMEMBERED] = pack(digests)

    def _forget_all_but_newest(self) -> None:
        if len(self.remembered) > MOST_REMEMBERED:
            newest = sorted(self.remembered.items(), key=itemgetter(1), reverse=True)[:MOST_REMEMBERED]
            self.remembered = dict(newest)
