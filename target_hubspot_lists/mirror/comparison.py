"""Joins the snapshot of one list with the contacts that are known, and folds it by contact."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.identifiers import are_record_ids, joined, names_of, unpacked
from target_hubspot_lists.mirror.snapshot import ROWS_AT_ONCE, member_type
from target_hubspot_lists.reporting.account import packed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_hubspot_lists.identifiers import Identifier
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.ledger import Period
    from target_hubspot_lists.ledger.workspace import Row, Workspace


class LastWord(NamedTuple):
    """The last record of one member, over all cohorts of a list."""

    member: Member
    is_member: bool
    position: int
    cohort: int

    @classmethod
    def from_row(cls, row: Row) -> LastWord:
        """Parse a row of a member, a word and a cohort."""
        member, word, cohort = row
        return cls(member, bool(word & 1), word >> 1, cohort)

    @property
    def word(self) -> int:
        """Whether it adds, and its position, in one number."""
        return packed(self.position, is_member=self.is_member)

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


class Unidentified:
    """The members of `mirror_resolved` whose contact is not known.

    With several identifiers, members may share one, directly or through others: `mirror_names` has their identifiers.
    """

    def __init__(self, workspace: Workspace, identifiers: Sequence[Identifier]) -> None:
        self._workspace = workspace
        self._properties = [each.by for each in identifiers]
        if len(identifiers) > 1:
            workspace.create("mirror_names", "name TEXT, word BIGINT")

    def runs(self) -> Iterator[list[LastWord]]:
        """Yield the words of these members, in runs: members that share an identifier are in one."""
        apart: set[int] = set()
        run: list[int] = []
        for words_of_person in self._persons() if len(self._properties) > 1 else ():
            apart.update(words_of_person)
            run += words_of_person
            if len(run) >= ROWS_AT_ONCE:
                yield self._with_members(run)
                run = []
        if run:
            yield self._with_members(run)
        for words in self._pages():
            remaining = [each for each in words if each.word not in apart] if apart else words
            if remaining:
                yield remaining

    def _persons(self) -> list[list[int]]:
        """Return the words of members that share an identifier, in a list for each person."""
        self._workspace.clear("mirror_names")
        for words in self._pages():
            names = ((each, names_of(self._properties, unpacked(str(each.member)))) for each in words)
            rows = [(f"{by}={value}", each.word) for each, of_member in names for by, value in of_member]
            self._workspace.insert("mirror_names", rows)
        shared = "SELECT name, min(word) AS first FROM mirror_names GROUP BY name HAVING count(*) > 1"
        pairs = self._workspace.read(
            f"SELECT s.first, n.word FROM mirror_names n JOIN ({shared}) s ON s.name = n.name ORDER BY n.word"
        )
        return joined(pairs)

    def _with_members(self, words: Sequence[int]) -> list[LastWord]:
        """Return these words of members whose contact is not known."""
        rows = self._workspace.read(
            f"SELECT member, word, cohort FROM mirror_resolved WHERE record_id {self._workspace.among('ids')} "
            "ORDER BY word",
            ids=self._workspace.values([-word for word in words]),
        )
        return [LastWord.from_row(row) for row in rows]

    def _pages(self) -> Iterator[list[LastWord]]:
        """Yield the words of members whose contact is not known, in the order of the input."""
        after = 0
        while rows := self._workspace.read(
            "SELECT member, word, cohort FROM mirror_resolved WHERE record_id < :after "
            f"ORDER BY record_id DESC LIMIT {ROWS_AT_ONCE}",
            after=after,
        ):
            yield [LastWord.from_row(row) for row in rows]
            after = -rows[-1][1]


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
        self._unidentified = Unidentified(workspace, identifiers)
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
            yield from map(LastWord.from_row, rows)
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
                "since": lookups_valid_in.since,
                "until": lookups_valid_in.until,
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
        """Yield the words of members whose contact is not known, in runs; `take_contacts` may follow each.

        Members that share an identifier, directly or through others, are in one run.
        """
        for words in self._unidentified.runs():
            self._without_contact.update(each.cohort for each in words)
            yield words

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
