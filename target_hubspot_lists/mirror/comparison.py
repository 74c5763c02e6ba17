"""Joins the snapshot of one list with the contacts that are known, and folds it by contact."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.identifiers import are_record_ids
from target_hubspot_lists.mirror.snapshot import ROWS_AT_ONCE, member_type
from target_hubspot_lists.reporting.account import packed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_hubspot_lists.identifiers import Identifier
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.journal.journal import Period
    from target_hubspot_lists.ledger.workspace import Row, Workspace


class LastWord(NamedTuple):
    """The last record of one member, over all cohorts of a list."""

    member: Member
    is_member: bool
    position: int
    cohort: int

    @property
    def found_by(self) -> None:
        """None: the contact is not known."""


class Resolved(NamedTuple):
    """A last word whose contact is known."""

    record_id: int
    member: Member
    is_member: bool
    position: int
    cohort: int
    is_created: bool
    properties: bytes | None = None  # the packed PropertyResult of a contact that was created
    # Of several identifiers, the place of the one by which HubSpot knows the contact.
    found_by: int | None = None


class Comparison:
    """One list at a time: its members as the snapshot has them, with their contacts.

    The table `mirror_words` has the last word on each member of the list's cohorts, `mirror_resolved` the last word on
    each contact. Until `resolve`, a member whose contact is not known has a row in `mirror_resolved` as well, with the
    negated word in place of a record id: HubSpot's ids are positive, and no word is there twice. So one statement
    divides known members from unknown ones, whatever other runs write to the ledger meanwhile.
    """

    def __init__(self, workspace: Workspace, identifiers: Sequence[Identifier]) -> None:
        self._workspace = workspace
        self._are_record_ids = are_record_ids(identifiers)
        # By which the ledger knows members; None where members have several identifiers.
        self._by = identifiers[0].by if len(identifiers) == 1 else None
        self._cohorts: Sequence[int] = ()  # those that go to the list, by their numbers
        self._last_words: Mapping[int, int] = {}  # by cohort, how many there are
        self._without_contact: Counter[int] = Counter()  # by cohort, how many of them have no contact yet
        self._words = "mirror_words"  # or the folded records of one cohort, if no other goes to the list
        member = f"member {member_type(identifiers)}"
        workspace.create(
            "mirror_words", f"{member} PRIMARY KEY, word BIGINT, cohort BIGINT", is_clustered=True
        )
        workspace.create(
            "mirror_resolved",
            f"record_id {workspace.ordered_key}, word BIGINT, {member}, cohort BIGINT, is_created INTEGER, "
            f"properties {workspace.blob}, found_by INTEGER",
        )

    def start(self, cohorts: Sequence[int]) -> Mapping[int, int]:
        """Begin with the next list, which these cohorts go to; return by cohort the number of distinct members."""
        workspace = self._workspace
        workspace.clear("mirror_words", "mirror_resolved")
        self._without_contact.clear()
        self._cohorts = cohorts
        if len(cohorts) == 1:
            self._words = f"(SELECT member, word, cohort FROM mirror_last_words WHERE cohort = {cohorts[0]})"
        else:
            self._words = "mirror_words"
            workspace.fold(
                self._words,
                ["member"],
                ["word", "cohort"],
                f"SELECT member, word, cohort FROM mirror_last_words WHERE cohort {workspace.among('cohorts')}",
                cohorts=workspace.values(cohorts),
            )
        self._last_words = self._by_cohort(self._words)
        return self._last_words

    def words(self) -> Iterator[LastWord]:
        """Yield the last word on each member of the list's cohorts."""
        after: Member = 0 if self._are_record_ids else ""
        while rows := self._workspace.read(
            f"SELECT member, word, cohort FROM {self._words} w WHERE member > :after "
            f"ORDER BY member LIMIT {ROWS_AT_ONCE}",
            after=after,
        ):
            for member, word, cohort in rows:
                yield LastWord(member, bool(word & 1), word >> 1, cohort)
            after = rows[-1][0]

    def identify(self, lookups_valid_in: Period | None, *, with_mailability: bool = False) -> None:
        """Find the contacts of members: record ids are their own, others those that a ledger knows.

        A lookup counts if it was made in that time; None: no lookup of the ledger counts. `with_mailability` leaves
        out contacts whose mailability the ledger does not know.
        """
        contact, of_ledger = "-w.word", ""
        values: dict[str, object] = {}
        if self._are_record_ids:
            contact = "w.member"
        elif lookups_valid_in is not None and self._by is not None:
            contact = "COALESCE(c.record_id, -w.word)"
            of_ledger = (
                "LEFT JOIN ledger_contacts c ON c.portal_id = :portal_id AND c.property = :property "
                "AND c.value = w.member AND c.looked_up BETWEEN :since AND :until"
                f"{HAS_MAILABILITY if with_mailability else ''}"
            )
            values = {
                "portal_id": self._workspace.portal_id,
                "property": self._by,
                "since": int(lookups_valid_in.since.timestamp()),
                "until": int(lookups_valid_in.until.timestamp()),
            }
        self._workspace.fold(
            "mirror_resolved",
            ["record_id"],
            ["word", "member", "cohort", "is_created"],
            f"SELECT {contact} AS record_id, w.word, w.member, w.cohort, 0 AS is_created "
            f"FROM {self._words} w {of_ledger}",
            **values,
        )

    def unidentified(self) -> Iterator[list[LastWord]]:
        """Yield the words of members whose contact is not known, in runs; `take_contacts` may follow each."""
        after = 0
        while rows := self._workspace.read(
            "SELECT member, word, cohort FROM mirror_resolved WHERE record_id < :after "
            f"ORDER BY record_id DESC LIMIT {ROWS_AT_ONCE}",
            after=after,
        ):
            words = [LastWord(member, bool(word & 1), word >> 1, cohort) for member, word, cohort in rows]
            self._without_contact.update(word.cohort for word in words)
            yield words
            after = -rows[-1][1]

    def take_contacts(self, rows: Iterable[Resolved]) -> None:
        """Insert members whose contact was looked up; of several words on one contact the latest stands."""
        latest: dict[int, Resolved] = {}
        for row in rows:
            self._without_contact[row.cohort] -= 1
            if row.record_id not in latest or latest[row.record_id].position < row.position:
                latest[row.record_id] = row
        columns = ("word", "member", "cohort", "is_created", "properties", "found_by")
        changes = ", ".join(f"{column} = excluded.{column}" for column in columns)
        self._workspace.insert(
            "mirror_resolved",
            [_values(row) for row in latest.values()],
            on_conflict=f"ON CONFLICT (record_id) DO UPDATE SET {changes} WHERE excluded.word > mirror_resolved.word",
        )

    def resolve(self) -> Mapping[int, int]:
        """Delete members without a contact, and follow merges: each contact is left with its last word.

        Return by cohort how many words were replaced by a later one on the same contact.
        """
        if self._without_contact:
            self._workspace.change("DELETE FROM mirror_resolved WHERE record_id < 0")
        # Merges of which a lookup told after the ledger had named the contact.
        for record_id, current_id in self.retired("mirror_resolved"):
            self.replace(record_id, current_id)
        kept = self._by_cohort("mirror_resolved")
        return {
            cohort: number - self._without_contact[cohort] - kept.get(cohort, 0)
            for cohort, number in self._last_words.items()
        }

    def retired(self, table: str) -> list[tuple[int, int]]:
        """Return the record ids of a table that merges retired, each with the id that the contact has now."""
        rows = self._workspace.read(
            "SELECT record_id, current_id FROM mirror_current WHERE current_id <> record_id "
            f"AND record_id IN (SELECT record_id FROM {table})"
        )
        return [(record_id, current_id) for record_id, current_id in rows]

    def word_on(self, record_id: int) -> Resolved | None:
        """Return the word on a contact, or None if there is none."""
        rows = self._workspace.read(
            f"SELECT {RESOLVED_COLUMNS} FROM mirror_resolved r WHERE record_id = :record_id",
            record_id=record_id,
        )
        return parsed(rows[0]) if rows else None

    def replace(self, record_id: int, current_id: int) -> Resolved | None:
        """Give a contact its new record id; return the word that is superseded, if that id had one already."""
        row = self.word_on(record_id)
        if row is None or current_id == record_id:
            return None
        other = self.word_on(current_id)
        delete = "DELETE FROM mirror_resolved WHERE record_id = :record_id"
        self._workspace.change(delete, record_id=record_id)
        if other is not None and other.position > row.position:
            return row
        self._workspace.change(delete, record_id=current_id)
        self._workspace.insert("mirror_resolved", [_values(row._replace(record_id=current_id))])
        return other

    def _by_cohort(self, table: str) -> Mapping[int, int]:
        """Count the rows of a table, which are of the list's cohorts, by their cohort's number."""
        if len(self._cohorts) == 1:  # to count all of them is faster
            return {self._cohorts[0]: self._workspace.read(f"SELECT count(*) FROM {table} w")[0][0]}
        return dict(self._workspace.read(f"SELECT cohort, count(*) FROM {table} w GROUP BY cohort"))


# The ledger knows, from a lookup that is recent enough, whether HubSpot mails the contact.
HAS_MAILABILITY = (
    " AND EXISTS (SELECT 1 FROM ledger_mailability a "
    "WHERE a.portal_id = :portal_id AND a.record_id = c.record_id AND a.looked_up BETWEEN :since AND :until)"
)
RESOLVED_COLUMNS = "r.record_id, r.word, r.member, r.cohort, r.is_created, r.properties, r.found_by"


def parsed(row: Row) -> Resolved:
    """Parse a row of `RESOLVED_COLUMNS`."""
    record_id, word, member, cohort, is_created, properties, found_by = row
    text = None if properties is None else bytes(properties)
    return Resolved(record_id, member, bool(word & 1), word >> 1, cohort, bool(is_created), text, found_by)


def _values(row: Resolved) -> Row:
    """Return the row of `mirror_resolved`."""
    word = packed(row.position, is_member=row.is_member)
    return (row.record_id, word, row.member, row.cohort, int(row.is_created), row.properties, row.found_by)
