"""Holds the records of whole cohorts on disk while they arrive, and folds them at the end of the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.identifiers import are_record_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_hubspot_lists.identifiers import Identifier
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.ledger.workspace import Row, Workspace

ROWS_AT_ONCE = 10_000  # so many are written, or read, in one step: memory stays small

LONG_RUN = 100  # so many rows of one run are written faster by a statement of their own


def member_type(identifiers: Sequence[Identifier]) -> str:
    """The type of a column of members: record ids, or texts."""
    return "BIGINT" if are_record_ids(identifiers) else "TEXT"


class Run(NamedTuple):
    """Records that came one after the other, of one cohort, which all add their members or all remove them."""

    word: int  # of the first; that of each next one is larger by two
    cohort: int
    members: list[Member]

    @property
    def next_position(self) -> int:
        """The position, in the order of the input, of the record behind it."""
        return (self.word >> 1) + len(self.members)

    def rows(self) -> Iterator[Row]:
        """Yield its rows of the table of records."""
        for number, member in enumerate(self.members):
            yield self.word + 2 * number, self.cohort, member


class Snapshot:
    """The records of all cohorts of a run, in the order of the input; and what they say of people besides.

    A record is kept as its cohort's number, its member, and one integer, the word: twice its position in the input,
    plus one if it says that the member is in the cohort. So the largest word on a member is the last.
    """

    def __init__(self, workspace: Workspace, identifiers: Sequence[Identifier]) -> None:
        self._workspace = workspace
        self._kind = int if are_record_ids(identifiers) else str
        self._runs: list[Run] = []  # that are not written yet
        self._first_position = 1  # of the first of those records
        self._attributes: dict[Member, bytes] = {}
        self._sizes: Mapping[int, tuple[int, int]] = {}  # by cohort: who is in it, and of whom a record came
        member = f"member {member_type(identifiers)}"
        workspace.create("mirror_records", f"word {workspace.ordered_key}, cohort BIGINT, {member}")
        workspace.create(
            "mirror_last_words",
            f"cohort BIGINT, {member}, word BIGINT, PRIMARY KEY (cohort, member)",
            is_clustered=True,
        )
        workspace.create(
            "mirror_attributes", f"{member} PRIMARY KEY, packed {workspace.blob}", is_clustered=True
        )

    def begin_run(self, cohort: int, *, is_member: bool) -> list[Member]:
        """Begin a run of a cohort; append to the list returned the members of the records that come next.

        Append at most as many as there is `room` for, then call `write`, and begin another run.
        """
        run = Run(self._next_position << 1 | is_member, cohort, [])
        self._runs.append(run)
        return run.members

    @property
    def room(self) -> int:
        """How many records can come until they are to be written."""
        return ROWS_AT_ONCE - (self._next_position - self._first_position)

    @property
    def _next_position(self) -> int:
        return self._runs[-1].next_position if self._runs else self._first_position

    def hold(self, member: Member, attributes: bytes) -> None:
        """Hold what a record says of a person, in place of what an earlier one said."""
        self._attributes[member] = attributes
        if len(self._attributes) >= ROWS_AT_ONCE:
            self._write_attributes()

    def attributes(self, members: Iterable[Member]) -> dict[Member, bytes]:
        """Return what is held of these members; those of whom nothing is are left out.

        A member of another kind is one: who is removed without a record is known by record id alone.
        """
        self._write_attributes()
        workspace, members = self._workspace, [each for each in members if isinstance(each, self._kind)]
        rows = workspace.read(
            f"SELECT member, packed FROM mirror_attributes WHERE member {workspace.among('members')}",
            members=workspace.values(members),
        )
        return {member: bytes(packed) for member, packed in rows}

    def fold(self) -> None:
        """Fold the records of each cohort, once all of them have come: the last word on each member stands."""
        self.write()
        records = "SELECT cohort, member, word FROM mirror_records"
        self._workspace.fold("mirror_last_words", ["cohort", "member"], ["word"], records)
        self._workspace.clear("mirror_records")
        sizes = self._workspace.read(
            "SELECT cohort, sum(word & 1), count(*) FROM mirror_last_words GROUP BY cohort"
        )
        self._sizes = {cohort: (int(members), distinct) for cohort, members, distinct in sizes}

    def size(self, cohort: int) -> int:
        """Return how many distinct members a cohort has, less those whose last record removes them; after `fold`."""
        return self._sizes.get(cohort, (0, 0))[0]

    def distinct(self, cohort: int) -> int:
        """Return how many distinct members the records of a cohort name, also those removed; after `fold`."""
        return self._sizes.get(cohort, (0, 0))[1]

    def write(self) -> None:
        """Write the records that have come."""
        rows: list[Row] = []
        for run in self._runs:
            if len(run.members) < LONG_RUN:
                rows += run.rows()
                continue
            self._workspace.insert("mirror_records", rows)
            rows = []
            self._workspace.insert_run("mirror_records", run.word, run.cohort, run.members)
        self._workspace.insert("mirror_records", rows)
        self._first_position, self._runs = self._next_position, []

    def _write_attributes(self) -> None:
        self._workspace.insert(
            "mirror_attributes",
            list(self._attributes.items()),
            on_conflict="ON CONFLICT (member) DO UPDATE SET packed = excluded.packed",
        )
        self._attributes.clear()
