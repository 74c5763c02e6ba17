"""Keeps whole cohorts on disk while they arrive, and compares them with who is on a list."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from target_hubspot_lists.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from target_hubspot_lists.input.records import Member

ROWS_AT_ONCE = 10_000  # so many are written, or read, in one step: memory stays small

# The file is a scratch pad of one run: nothing of it is read after a crash, so it need not survive one.
SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE snapshot (
    cohort INTEGER NOT NULL, member NOT NULL, is_member INTEGER NOT NULL, position INTEGER NOT NULL,
    PRIMARY KEY (cohort, member)
) WITHOUT ROWID;
CREATE TABLE resolved (
    record_id INTEGER PRIMARY KEY, member NOT NULL, is_member INTEGER NOT NULL, position INTEGER NOT NULL,
    cohort INTEGER NOT NULL, is_created INTEGER NOT NULL, properties BLOB
);
CREATE TABLE baseline (record_id INTEGER PRIMARY KEY);
CREATE TABLE looked_up (record_id INTEGER PRIMARY KEY, current INTEGER NOT NULL);
CREATE INDEX retired ON looked_up (record_id, current) WHERE current <> record_id;
CREATE TABLE attributes (member PRIMARY KEY, packed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE written (record_id INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
"""


class LastWord(NamedTuple):
    """The last record of one member, over all cohorts of a list."""

    member: Member
    is_member: bool
    position: int
    cohort: int


class Resolved(NamedTuple):
    """A last word whose contact is known."""

    record_id: int
    member: Member
    is_member: bool
    position: int
    cohort: int
    is_created: bool
    properties: bytes | None = None  # what became of those of a contact that was created


@contextmanager
def on_disk() -> Iterator[None]:
    """Say what to do where the temporary file cannot be written."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise TargetError(
            f"The temporary file of a mirror's snapshots cannot be written ({error}), and nobody was removed since: "
            "make room, or name a folder that has room in the environment variable SQLITE_TMPDIR."
        ) from error


class SnapshotStore:
    """A temporary SQLite file of this process, which nothing of it survives: it holds people."""

    def __init__(self) -> None:
        # Without a name SQLite makes a file that only its owner may read, and lets go of its name at once, so
        # that it is gone with the process, however that ends: https://www.sqlite.org/inmemorydb.html#temp_db
        self._database = sqlite3.connect("")
        self._database.executescript(SCHEMA)
        self._waiting: list[tuple[int, Member, bool, int]] = []
        self._attributes: dict[Member, bytes] = {}

    def take(self, cohort: int, member: Member, *, is_member: bool, position: int) -> None:
        """Take a record of a cohort; the last one of a member stands."""
        self._waiting.append((cohort, member, is_member, position))
        if len(self._waiting) >= ROWS_AT_ONCE:
            self._write()

    def hold(self, member: Member, attributes: bytes) -> None:
        """Hold what a record says of a person, in place of what an earlier one said."""
        self._attributes[member] = attributes
        if len(self._attributes) >= ROWS_AT_ONCE:
            self._write_attributes()

    def attributes(self, members: Iterable[Member]) -> dict[Member, bytes]:
        """What is held of these members; those of whom nothing is are left out."""
        self._write_attributes()
        query = "SELECT packed FROM attributes WHERE member = ?"
        found = ((member, self._database.execute(query, (member,)).fetchone()) for member in members)
        return {member: row[0] for member, row in found if row}

    def discard(self, cohorts: Iterable[int]) -> None:
        """Forget what these cohorts held: a newer version replaces it."""
        self._write()
        self._database.executemany("DELETE FROM snapshot WHERE cohort = ?", ((cohort,) for cohort in cohorts))

    def size(self, cohort: int) -> int:
        """How many distinct members of a cohort arrived, less those whose last record removes them."""
        self._write()
        rows = self._database.execute(
            "SELECT count(*) FROM snapshot WHERE cohort = ? AND is_member", (cohort,)
        )
        return int(rows.fetchone()[0])

    def last_words(self, cohorts: Collection[int]) -> Iterator[list[LastWord]]:
        """Yield the last word on each member of the cohorts of one list, in runs."""
        self._write()
        marks = ", ".join("?" * len(cohorts))
        # With one max() SQLite takes the other columns from the row that has it:
        # https://www.sqlite.org/lang_select.html#bareagg
        cursor = self._database.execute(
            f"SELECT member, is_member, max(position), cohort FROM snapshot WHERE cohort IN ({marks}) GROUP BY member",  # noqa: S608 - question marks alone
            tuple(cohorts),
        )
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield [
                LastWord(member, bool(is_member), position, cohort)
                for member, is_member, position, cohort in rows
            ]

    # One list at a time: its members as the snapshot has them, and as HubSpot or the ledger has them.

    def start_list(self) -> None:
        """Begin the comparison of the next list."""
        self._database.executescript("DELETE FROM resolved; DELETE FROM baseline;")

    def resolve(self, rows: Iterable[Resolved]) -> list[Resolved]:
        """Take contacts in; return the rows that lost against a later word on the same contact."""
        lost: list[Resolved] = []
        for row in rows:
            other = self.word_on(row.record_id)
            if other is not None and other.position > row.position:
                lost.append(row)
                continue
            if other is not None:
                lost.append(other)
            self._database.execute("INSERT OR REPLACE INTO resolved VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return lost

    def word_on(self, record_id: int) -> Resolved | None:
        """The word on a contact, or None if there is none."""
        row = self._database.execute("SELECT * FROM resolved WHERE record_id = ?", (record_id,)).fetchone()
        return None if row is None else _parsed(row)

    def is_on_list(self, record_id: int) -> bool:
        """Whether the contact is on the list."""
        query = "SELECT 1 FROM baseline WHERE record_id = ?"
        return self._database.execute(query, (record_id,)).fetchone() is not None

    def replace(self, record_id: int, by: int) -> list[Resolved]:
        """Give a contact the record id it has now; return the word that lost, if there was one on that id."""
        row = self.word_on(record_id)
        if row is None or by == record_id:
            return []
        self._database.execute("DELETE FROM resolved WHERE record_id = ?", (record_id,))
        return self.resolve([row._replace(record_id=by)])

    def note_current(self, record_ids: Iterable[tuple[int, int]]) -> None:
        """Take in which ids contacts have now, by record id, as HubSpot said in this run: retired ones and others."""
        self._database.executemany("INSERT OR REPLACE INTO looked_up VALUES (?, ?)", record_ids)

    def unread_to_remove(self) -> list[int]:
        """Some of those who are on the list and are not to be, and whom this run has not looked up; none at the end."""
        return self._unread(
            "FROM baseline LEFT JOIN resolved USING (record_id) "
            "WHERE (resolved.record_id IS NULL OR NOT resolved.is_member)"
        )

    def unread_to_add(self) -> list[int]:
        """Some of those who are to be on the list and are not, and whom this run has not looked up; none at the end."""
        return self._unread(
            "FROM resolved WHERE is_member AND record_id NOT IN (SELECT record_id FROM baseline)"
        )

    def sure_to_remove(self) -> int:
        """How many are on the list, are not to be, and have been looked up in this run."""
        return self._count(
            "FROM baseline JOIN looked_up USING (record_id) LEFT JOIN resolved USING (record_id) "
            "WHERE resolved.record_id IS NULL OR NOT resolved.is_member"
        )

    def follow(self) -> list[Resolved]:
        """Give contacts the ids that they have now, in snapshot and baseline; return the words that lost."""
        on_list = self._merged("SELECT record_id FROM baseline")
        for record_id, _ in on_list:
            self.drop_from_baseline(record_id)
        self.take_baseline(current for _, current in on_list)
        resolved = self._merged("SELECT record_id FROM resolved")
        return [lost for record_id, current in resolved for lost in self.replace(record_id, current)]

    def take_baseline(self, record_ids: Iterable[int]) -> None:
        """Take in who is on the list."""
        self._database.executemany(
            "INSERT OR IGNORE INTO baseline VALUES (?)", ((each,) for each in record_ids)
        )

    def drop_from_baseline(self, record_id: int) -> None:
        """Take out a contact that is gone."""
        self._database.execute("DELETE FROM baseline WHERE record_id = ?", (record_id,))

    def baseline_size(self) -> int:
        """How many are on the list."""
        return self._count("FROM baseline")

    def to_add(self) -> Iterator[Resolved]:
        """Yield those who are to be on the list and are not."""
        return self._select("is_member AND record_id NOT IN (SELECT record_id FROM baseline)")

    def staying(self) -> Iterator[Resolved]:
        """Yield those who are to be on the list and are."""
        return self._select("is_member AND record_id IN (SELECT record_id FROM baseline)")

    def away(self) -> Iterator[Resolved]:
        """Yield those who are to be off the list and are."""
        return self._select("NOT is_member AND record_id NOT IN (SELECT record_id FROM baseline)")

    def to_remove(self) -> Iterator[tuple[int, Resolved | None]]:
        """Yield who is on the list and is not to be; with the record that says so, where there is one."""
        query = (
            "SELECT baseline.record_id, resolved.member, resolved.position, resolved.cohort "
            "FROM baseline LEFT JOIN resolved USING (record_id) "
            "WHERE resolved.record_id IS NULL OR NOT resolved.is_member ORDER BY baseline.record_id"
        )
        for record_id, member, position, cohort in _rows(self._database.execute(query)):
            said = None if member is None else Resolved(record_id, member, False, position, cohort, False)
            yield record_id, said

    # A contact that is on several lists: a `PropertyMemory` of the run.

    def known_hashes(self, record_ids: Collection[int]) -> Mapping[int, bytes]:
        """What was written of these contacts; those of whom nothing was are left out."""
        query = "SELECT hashes FROM written WHERE record_id = ?"
        found = ((each, self._database.execute(query, (each,)).fetchone()) for each in record_ids)
        return {each: row[0] for each, row in found if row}

    def remember(self, hashes: Mapping[int, bytes]) -> None:
        """Remember what was written of these contacts."""
        self._database.executemany("INSERT OR REPLACE INTO written VALUES (?, ?)", hashes.items())

    def close(self) -> None:
        """Remove the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _write(self) -> None:
        with on_disk():
            self._database.executemany(
                "INSERT INTO snapshot VALUES (?, ?, ?, ?) ON CONFLICT (cohort, member) "
                "DO UPDATE SET is_member = excluded.is_member, position = excluded.position",
                self._waiting,
            )
        self._waiting.clear()

    def _write_attributes(self) -> None:
        with on_disk():
            self._database.executemany(
                "INSERT OR REPLACE INTO attributes VALUES (?, ?)", self._attributes.items()
            )
        self._attributes.clear()

    def _merged(self, among: str) -> list[tuple[int, int]]:
        """Those of the record ids that were retired, with the ids that their contacts have now."""
        retired = "current <> record_id"
        return self._database.execute(
            f"SELECT record_id, current FROM looked_up WHERE {retired} AND record_id IN ({among})"  # noqa: S608 - our own conditions
        ).fetchall()

    def _unread(self, rows: str) -> list[int]:
        unread = "record_id NOT IN (SELECT record_id FROM looked_up)"
        cursor = self._database.execute(f"SELECT record_id {rows} AND {unread} LIMIT {ROWS_AT_ONCE}")
        return [record_id for (record_id,) in cursor]

    def _count(self, rows: str) -> int:
        return int(self._database.execute(f"SELECT count(*) {rows}").fetchone()[0])

    def _select(self, condition: str) -> Iterator[Resolved]:
        query = f"SELECT * FROM resolved WHERE {condition} ORDER BY record_id"  # noqa: S608 - our own conditions
        return map(_parsed, _rows(self._database.execute(query)))


def _rows(cursor: sqlite3.Cursor) -> Iterator[Any]:
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        yield from rows


def _parsed(row: tuple[int, Member, int, int, int, int, bytes | None]) -> Resolved:
    record_id, member, is_member, position, cohort, is_created, properties = row
    return Resolved(record_id, member, bool(is_member), position, cohort, bool(is_created), properties)
