"""Compares the snapshot of one list with who is on it, by joins: only what differs is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.hubspot.batching import in_runs
from target_hubspot_lists.identifiers import are_record_ids
from target_hubspot_lists.mirror.snapshot import ROWS_AT_ONCE, member_type
from target_hubspot_lists.reporting.asked import packed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from target_hubspot_lists.identifiers import Identifier
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.ledger.workspace import Row, Workspace

TABLES = ("mirror_words", "mirror_identified", "mirror_resolved", "mirror_baseline")


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


class Comparison:
    """One list at a time: its members as the snapshot has them, and as HubSpot or the ledger has them.

    Its tables: `words` has the last word on each member of the list's cohorts, `identified` those whose contact is
    known, `resolved` the last word on each contact, `baseline` who is on the list.
    """

    def __init__(self, workspace: Workspace, identifiers: Sequence[Identifier]) -> None:
        self._workspace = workspace
        self._are_record_ids = are_record_ids(identifiers)
        # By which the ledger knows members; None where members have several identifiers.
        self._by = identifiers[0].by if len(identifiers) == 1 else None
        self._cohorts: list[int] = []
        self._words = "mirror_words"  # or the folded records of one cohort, if no other goes to the list
        member, key = f"member {member_type(identifiers)}", f"record_id {workspace.ordered_key}"
        rest = f"cohort BIGINT, is_created INTEGER, properties {workspace.blob}"
        create = workspace.create
        create("mirror_words", f"{member} PRIMARY KEY, word BIGINT, cohort BIGINT", is_clustered=True)
        create(
            "mirror_identified",
            f"{member} PRIMARY KEY, record_id BIGINT, word BIGINT, {rest}",
            is_clustered=True,
        )
        create("mirror_resolved", f"{key}, word BIGINT, {member}, {rest}")
        create("mirror_baseline", f"{key}, is_settled INTEGER")

    # The snapshot's side

    def start(self, cohorts: Sequence[int]) -> Mapping[int, int]:
        """Begin with the next list, to which these cohorts go; return how many last words are of each cohort."""
        workspace = self._workspace
        workspace.clear(*TABLES)
        self._cohorts = list(cohorts)
        if len(cohorts) == 1:
            self._words = _words_of(cohorts[0])
            return {cohorts[0]: self._count(f"{self._words} w")}
        among = f"cohort {workspace.among('cohorts')}"
        words = workspace.latest("mirror_last_words", "member", "cohort", among)
        workspace.change(f"INSERT INTO mirror_words {words}", cohorts=workspace.values(self._cohorts))
        self._words = "mirror_words"
        return self._by_cohort("mirror_words")

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

    def identify(self, since: datetime | None, *, with_mailability: bool = False) -> None:
        """Find the contacts of members: record ids are their own, others those that a ledger knows.

        A look-up before `since` is too old; None: no look-up of the ledger counts. `with_mailability` leaves out those
        of whom it was not told then whether HubSpot mails them.
        """
        if self._are_record_ids:
            self._workspace.change(
                f"INSERT INTO mirror_identified SELECT member, member, word, cohort, 0, NULL FROM {self._words} w"
            )
        elif since is not None and self._by is not None:
            self._workspace.change(
                "INSERT INTO mirror_identified SELECT w.member, c.record_id, w.word, w.cohort, 0, NULL "
                f"FROM {self._words} w JOIN ledger_contacts c "
                "ON c.portal_id = :portal_id AND c.property = :property AND c.value = w.member "
                f"WHERE c.looked_up >= :since{HAS_MAILABILITY if with_mailability else ''}",
                portal_id=self._workspace.portal_id,
                property=self._by,
                since=int(since.timestamp()),
            )

    def unidentified(self) -> Iterator[list[LastWord]]:
        """Yield the words of members whose contact is not known, in runs; `take_contacts` may follow each."""
        after = ""
        if self._count("mirror_identified") == self._count(f"{self._words} w"):
            return
        while not self._are_record_ids and (
            rows := self._workspace.read(
                f"SELECT w.member, w.word, w.cohort FROM {self._words} w WHERE w.member > :after AND NOT EXISTS "
                "(SELECT 1 FROM mirror_identified i WHERE i.member = w.member) "
                f"ORDER BY w.member LIMIT {ROWS_AT_ONCE}",
                after=after,
            )
        ):
            yield [LastWord(member, bool(word & 1), word >> 1, cohort) for member, word, cohort in rows]
            after = rows[-1][0]

    def take_contacts(self, rows: Iterable[Resolved]) -> None:
        """Take in whose contacts members are."""
        self._workspace.insert("mirror_identified", list(map(_identified, rows)))

    def resolve(self) -> Mapping[int, int]:
        """Fold the words by contact, since several members can be one: the later stands.

        Return how many words lost, by cohort.
        """
        workspace = self._workspace
        # What a look-up told of merges after the ledger had named the contact.
        workspace.change(
            "UPDATE mirror_identified SET record_id = (SELECT current_id FROM mirror_current c "
            "WHERE c.record_id = mirror_identified.record_id) WHERE record_id IN "
            "(SELECT record_id FROM mirror_current WHERE current_id <> record_id)"
        )
        latest = workspace.latest("mirror_identified", "record_id", "member, cohort, is_created, properties")
        workspace.change(f"INSERT INTO mirror_resolved {latest}")
        if self._count("mirror_resolved") == self._count("mirror_identified"):
            return {}
        kept = self._by_cohort("mirror_resolved")
        identified = self._by_cohort("mirror_identified")
        return {cohort: number - kept.get(cohort, 0) for cohort, number in identified.items()}

    def word_on(self, record_id: int) -> Resolved | None:
        """Return the word on a contact, or None if there is none."""
        rows = self._workspace.read(
            f"SELECT {RESOLVED_COLUMNS} FROM mirror_resolved r WHERE record_id = :record_id",
            record_id=record_id,
        )
        return parsed(rows[0]) if rows else None

    def replace(self, record_id: int, by: int) -> Resolved | None:
        """Give a contact the record id that it has now; return the word that lost, if there was one on that id."""
        row = self.word_on(record_id)
        if row is None or by == record_id:
            return None
        other = self.word_on(by)
        self._delete("mirror_resolved", record_id)
        if other is not None and other.position > row.position:
            return row
        self._delete("mirror_resolved", by)
        values = (by, word_of(row), row.member, row.cohort, int(row.is_created), row.properties)
        self._workspace.insert("mirror_resolved", [values])
        return other

    # The list's side

    def take_baseline(self, record_ids: Iterable[int], *, is_settled: bool) -> None:
        """Take in who is on the list; `is_settled`: HubSpot has just said so, or settled it in an earlier run."""
        for some in in_runs(record_ids, ROWS_AT_ONCE):
            self._workspace.insert(
                "mirror_baseline",
                [(each, int(is_settled)) for each in some],
                on_conflict="ON CONFLICT (record_id) DO NOTHING",
            )

    def take_known_baseline(self, list_id: str) -> None:
        """Take in who is on the list as the ledger knows it, and who perhaps is: those are not settled."""
        self._workspace.change(
            "INSERT INTO mirror_baseline SELECT m.record_id, CASE WHEN (m.state & 4) = 0 THEN 1 ELSE 0 END "
            "FROM ledger_memberships m JOIN ledger_lists l ON l.list_key = m.list_key "
            "WHERE l.portal_id = :portal_id AND l.list_id = :list_id AND (m.state & 5) <> 0",
            portal_id=self._workspace.portal_id,
            list_id=list_id,
        )

    def drop_from_baseline(self, record_id: int) -> None:
        """Take out a contact that is gone."""
        self._delete("mirror_baseline", record_id)

    def is_on_list(self, record_id: int) -> bool:
        """Return whether the contact is on the list."""
        statement = "SELECT 1 FROM mirror_baseline WHERE record_id = :record_id"
        return bool(self._workspace.read(statement, record_id=record_id))

    def _delete(self, table: str, record_id: int) -> None:
        self._workspace.change(f"DELETE FROM {table} WHERE record_id = :record_id", record_id=record_id)

    def _by_cohort(self, table: str) -> Mapping[int, int]:
        """Count the rows of a table by their cohort's number."""
        if len(self._cohorts) == 1:
            return {self._cohorts[0]: self._count(table)}
        return dict(self._workspace.read(f"SELECT cohort, count(*) FROM {table} GROUP BY cohort"))

    def _count(self, table: str) -> int:
        return int(self._workspace.read(f"SELECT count(*) FROM {table}")[0][0])


# Whether it was told, lately enough, if HubSpot mails a contact of the ledger.
HAS_MAILABILITY = (
    " AND EXISTS (SELECT 1 FROM ledger_mailability a "
    "WHERE a.portal_id = :portal_id AND a.record_id = c.record_id AND a.looked_up >= :since)"
)
RESOLVED_COLUMNS = "r.record_id, r.word, r.member, r.cohort, r.is_created, r.properties"


def _words_of(cohort: int) -> str:
    return f"(SELECT member, word, cohort FROM mirror_last_words WHERE cohort = {cohort})"


def parsed(row: Row) -> Resolved:
    """A row of `RESOLVED_COLUMNS`."""
    record_id, word, member, cohort, is_created, properties = row
    text = None if properties is None else bytes(properties)
    return Resolved(record_id, member, bool(word & 1), word >> 1, cohort, bool(is_created), text)


def _identified(row: Resolved) -> Row:
    return (row.member, row.record_id, word_of(row), row.cohort, int(row.is_created), row.properties)


def word_of(row: Resolved) -> int:
    """Position and change in one integer, as the snapshot keeps them."""
    return packed(row.position, is_member=row.is_member)
