"""Keeps on disk the events of a window that is too dense for memory and cannot be cut: one millisecond."""

from __future__ import annotations

import sqlite3
import weakref
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from tap_hubspot_email_events.errors import DiskError
from tap_hubspot_email_events.events import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Spool:
    """Events of one millisecond on disk, each once, oldest first; the file is deleted with the spool."""

    def __init__(self) -> None:
        # An empty name is a file that SQLite deletes by itself. One thread fills it, another one empties it.
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self.close = weakref.finalize(self, self._database.close)
        self._database.execute(
            "CREATE TABLE events (created INTEGER, id TEXT, digest BLOB, record BLOB, campaign TEXT, app TEXT,"
            " UNIQUE (created, id))"
        )

    def add(self, events: Iterable[Event]) -> int:
        """Add the events that are not there yet, and return how many those were; raises DiskError."""
        before = self._database.total_changes
        with _disk_errors():
            self._database.execute("BEGIN")
            self._database.executemany(
                "INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?)", map(_row, events)
            )
            self._database.execute("COMMIT")
        return self._database.total_changes - before

    def __len__(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM events").fetchone()[0])

    def __iter__(self) -> Iterator[Event]:
        with _disk_errors(), closing(self._database.cursor()) as rows:
            rows.execute("SELECT created, id, digest, record, campaign, app FROM events ORDER BY created, id")
            yield from map(_event, rows)


def _row(event: Event) -> tuple[object, ...]:
    # As text: HubSpot's integers may be larger than those of SQLite.
    campaign, app = map(str, event.campaign) if event.campaign else (None, None)
    return (*event[:4], campaign, app)


def _event(row: tuple[Any, ...]) -> Event:
    created, event_id, event_digest, record, campaign, app = row
    named = None if campaign is None else (int(campaign), int(app))
    return Event(created, event_id, event_digest, record, named)


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise DiskError(
            "The events of one millisecond are too many for memory, and they cannot be kept on disk"
            f" ({error}). Make room there, or name another folder in the environment variable SQLITE_TMPDIR."
        ) from error
