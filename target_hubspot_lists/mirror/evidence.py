"""The proof that a snapshot is complete. Pure, since a wrong answer removes members who never left.

A tap that crashed looks to a target like the plain end of its input, and STATE proves nothing: taps write it when
they are stopped, and may write none when they end. So no member is removed without one of three proofs: the
cohort's size, an ACTIVATE_VERSION after the records, or the end of the input if the user says that it is a proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.hubspot.list_objects import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COHORTS_SHOWN = 5  # of those that leave a list without a proof, in its sentence


@dataclass
class StreamEvidence:
    """What a stream's messages say of its completeness.

    ACTIVATE_VERSION comes first from some taps, last from others, and once a parent from nested streams, so it
    proves something only if it comes after records of its version, with nothing of the stream after it.
    """

    version: int | None = None
    records_since_schema: int = 0
    records_without_version: int = 0  # since the current version began: it says nothing of them
    is_activated: bool = False
    # Rejected records of unknown cohorts, or of members of whom it is unknown whether they stay.
    unclear: int = 0

    def schema(self) -> None:
        """A SCHEMA came, changed or not: the records after it may be of the next parent."""
        self.records_since_schema = 0
        self.is_activated = False

    def is_newer(self, version: int | None) -> bool:
        """Return whether a record of this version begins a snapshot that replaces the one so far."""
        return version is not None and (self.version is None or version > self.version)

    def is_older(self, version: int | None) -> bool:
        """Return whether a record of this version belongs to a snapshot that was replaced."""
        return version is not None and self.version is not None and version < self.version

    def begin(self, version: int | None) -> None:
        """A snapshot of a newer version begins."""
        self.version = version
        self.records_since_schema = 0
        self.records_without_version = 0

    def record(self, version: int | None, number: int = 1) -> None:
        """A number of RECORDs of no older version came, one after the other."""
        self.is_activated = False
        if version is None:
            self.records_without_version += number
            return
        if self.is_newer(version):
            self.begin(version)
        self.records_since_schema += number

    def other(self) -> None:
        """Anything else of the stream came: the ACTIVATE_VERSION was not the end of it."""
        self.is_activated = False

    def activate(self, version: int | None) -> None:
        """An ACTIVATE_VERSION came."""
        is_current = version is not None and version == self.version
        self.is_activated = is_current and self.records_since_schema > 0 and not self.records_without_version

    def gap_of_records(self, stream: str) -> str | None:
        """Return why it is not known which members to remove, if records say too little; None if they do not."""
        if not self.unclear:
            return None
        return f'{self.unclear:,} records of stream "{stream}" name no cohort or no known operation'


@dataclass
class CohortEvidence:
    """What the records of a cohort say of its size."""

    smallest: int | None = None
    largest: int | None = None
    records_without_size: int = 0
    rejected: int = 0
    unusable: int = 0  # rejected records of members of the cohort, of which it is not known who they are

    def reject(self, *, hides_a_member: bool) -> None:
        """A RECORD came that cannot be applied."""
        self.rejected += 1
        self.unusable += hides_a_member

    def record(self, size: int | None) -> None:
        """A RECORD of a member came; not of one who left, since its size may be of another day."""
        if size is None:
            self.records_without_size += 1
            return
        self.smallest = size if self.smallest is None else min(size, self.smallest)
        self.largest = size if self.largest is None else max(size, self.largest)

    @property
    def is_sized(self) -> bool:
        """Whether any record says how many members there are: then only that many are complete."""
        return self.largest is not None

    def gap(self, arrived: int, repeated: int = 0, removed: int = 0) -> str | None:
        """Return why not all members have come, by the size in the records; None if they have, or if no record has one.

        `arrived` counts distinct members, `removed` those whom their last record removes, `repeated` further records
        on one of either.
        """
        if self.largest is None:
            return None
        if self.records_without_size:
            return (
                f"{self.records_without_size:,} of its records do not say as a whole number how many members it has "
                "(cohort_size)"
            )
        if self.smallest != self.largest:
            return f"its records do not agree how many members it has ({self.smallest:,} to {self.largest:,})"
        if arrived == self.largest:
            return None
        told = [f"{removed:,} removed by {'its' if removed == 1 else 'their'} last record"] if removed else []
        told += [f"{self.rejected:,} rejected"] if self.rejected else []
        besides = f" ({', '.join(told)})" if told else ""
        if repeated <= removed:  # a removed member has a record that added it as well
            members = "member" if self.largest == 1 else "members"
            return f"{arrived:,} of {self.largest:,} distinct {members} arrived{besides}"
        distinct = arrived + removed
        return (
            f"{distinct + repeated:,} records came, of {distinct:,} distinct {'member' if distinct == 1 else 'members'}"
            f"{besides}: addresses are compared in lower case, and cohort_size, which is {self.largest:,}, has to "
            "count distinct members (in SQL: of select distinct cohort_name, lower(trim(email)))"
        )


class ArrivedCohort(NamedTuple):
    """One cohort of a list's snapshot: how many distinct members came, and what its records say of that."""

    name: str
    evidence: CohortEvidence
    members: int
    repeated: int  # further records of the same members
    removed: int = 0  # distinct members whom their last record removes


def gaps(
    stream_name: str,
    stream: StreamEvidence,
    cohorts: Sequence[ArrivedCohort],
    absent: Sequence[str],
    *,
    ends: bool,
) -> Iterator[str]:
    """Yield why the snapshot of a list is not proven complete, the most important reason first.

    `cohorts` are those that came, `absent` those that `lists` sends there and that did not come; `ends` says that
    the plain end of the input is a proof.
    """
    if gap := stream.gap_of_records(stream_name):
        yield f"{gap}, so it is not known which members to remove. No member was removed: correct the source."
    cohort_gaps = [
        f'of cohort "{shown(cohort.name)}" {gap}'
        for cohort in cohorts
        if (gap := cohort.evidence.gap(cohort.members, cohort.repeated, cohort.removed))
    ]
    if cohort_gaps:
        yield f"{_joined(cohort_gaps, '; ')}. No member was removed: run again with a complete snapshot."
    if ends:
        return
    if absent:
        names = _joined([f'"{shown(each)}"' for each in absent], ", ")
        yield (
            f"lists[] sends {names} there as well, and no such cohort came, so it is not known which of its members "
            "stay. No member was removed: run again with all its cohorts, or take those that no longer exist out of "
            "lists[]."
        )
    if not stream.is_activated and not all(each.evidence.is_sized for each in cohorts):
        yield (
            f"{unproven(stream_name)}, since a tap that breaks off looks just the same. No member was removed. Give "
            "it a column cohort_size (in SQL: count(*) over (partition by cohort_name)), use a tap that ends with "
            "ACTIVATE_VERSION, or set snapshot_end: end_of_input if you know that the tap never breaks off."
        )
    if not any(each.members for each in cohorts):
        yield (
            "the snapshot has no members, and only the end of the input can prove an empty one. No member was removed: "
            "set snapshot_end: end_of_input if you know that the tap never breaks off."
        )


def _joined(cohorts: Sequence[str], separator: str) -> str:
    more = f" and so on for {len(cohorts):,} cohorts" if len(cohorts) > COHORTS_SHOWN else ""
    return separator.join(cohorts[:COHORTS_SHOWN]) + more


def unproven(stream: str) -> str:
    """Return the clause on a stream whose end nothing proves."""
    return f'nothing proves that stream "{stream}" brought the whole cohort'
