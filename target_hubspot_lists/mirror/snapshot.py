"""The records of whole cohorts, held on disk while they come, and folded at the end of the input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.identifiers import are_record_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from target_hubspot_lists.identifiers import Identifier
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.ledger.workspace import Row, Workspace

ROWS_AT_ONCE = 10_000  # rows written, or read, in one step: memory stays small

LONG_RUN = 100  # rows: a run of that many is written faster by a statement of its own


def member_type(identifiers: Sequence[Identifier]) -> str:
    """Return the SQL type of a column of members: record ids, or texts."""
    return "BIGINT" if are_record_ids(identifiers) else "TEXT"


# Records that came one after the other, of one cohort, which all add their members or all remove them: the index of the
# first among the members that are not written yet, the cohort, and whether they add. A plain tuple, since where cohorts
# come by turns there is one for each record.
Run = tuple[int, int, bool]


class Snapshot:
    """The records of all cohorts of a run, in the order of the input, and the attributes of their members.

    A record is kept as its cohort's number, its member, and one integer, the word: twice its position in the input,
    plus one if it says that the member is in the cohort. So the largest word on a member is the last.
    """

    def __init__(self, workspace: Workspace, identifiers: Sequence[Identifier]) -> None:
        self._workspace = workspace
        self._kind = int if are_record_ids(identifiers) else str
        # Of the records that are not written yet: append to it, and call `write` at ROWS_AT_ONCE.
        self.members: list[Member] = []
        self._runs: list[Run] = []  # of `members`, in order
        self._position = 1  # of the first of `members`, in the order of the input
        self._attributes: dict[Member, bytes] = {}
        # By cohort, after `fold`: how many members are in it, and how many its records name.
        self._sizes: Mapping[int, tuple[int, int]] = {}
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

    def begin_run(self, cohort: int, *, is_member: bool) -> None:
        """Begin a run of a cohort, of which are all that is appended to `members` from here on."""
        self._runs.append((len(self.members), cohort, is_member))

    def write(self) -> None:
        """Write the records that have come; what is appended to `members` afterwards continues the last run."""
        rows: list[Row] = []
        members, position = self.members, self._position
        ends = [*(start for start, _, _ in self._runs[1:]), len(members)] if self._runs else []
        for (start, cohort, is_member), end in zip(self._runs, ends, strict=True):
            if end - start < LONG_RUN:
                for index in range(start, end):
                    rows.append(((position + index) << 1 | is_member, cohort, members[index]))  # noqa: PERF401 - faster
            else:
                word = (position + start) << 1 | is_member
                self._workspace.insert_numbered("mirror_records", word, cohort, members[start:end])
        self._workspace.insert("mirror_records", rows)
        self._position += len(self.members)
        self._runs = [(0, cohort, is_member) for _, cohort, is_member in self._runs[-1:]]
        self.members.clear()

    def hold(self, member: Member, attributes: bytes) -> None:
        """Keep the attributes of a member in place of those of an earlier record."""
        self._attributes[member] = attributes
        if len(self._attributes) >= ROWS_AT_ONCE:
            self._write_attributes()

    def attributes(self, members: Iterable[Member]) -> dict[Member, bytes]:
        """Return the packed attributes by member; members without any are left out.

        A record id is left out where members are texts: a removal that no record names is known by record id alone.
        """
        self._write_attributes()
        workspace, members = self._workspace, [member for member in members if isinstance(member, self._kind)]
        rows = workspace.read(
            f"SELECT member, packed FROM mirror_attributes WHERE member {workspace.among('members')}",
            members=workspace.values(members),
        )
        return {member: bytes(packed) for member, packed in rows}

    def fold(self) -> None:
        """Keep of each cohort the last word on each member, once all records are written."""
        records = "SELECT cohort, member, word FROM mirror_records"
        self._workspace.fold("mirror_last_words", ["cohort", "member"], ["word"], records)
        self._workspace.clear("mirror_records")
        sizes = self._workspace.read(
            "SELECT cohort, sum(word & 1), count(*) FROM mirror_last_words GROUP BY cohort"
        )
        self._sizes = {cohort: (int(members), distinct) for cohort, members, distinct in sizes}

    def size(self, cohort: int) -> int:
        """Return, after `fold`, how many distinct members a cohort has; not those whose last record removes them."""
        return self._sizes.get(cohort, (0, 0))[0]

    def distinct(self, cohort: int) -> int:
        """Return, after `fold`, how many distinct members the records of a cohort name, also those removed."""
        return self._sizes.get(cohort, (0, 0))[1]

    def _write_attributes(self) -> None:
        self._workspace.insert(
            "mirror_attributes",
            list(self._attributes.items()),
            on_conflict="ON CONFLICT (member) DO UPDATE SET packed = excluded.packed",
        )
        self._attributes.clear()
