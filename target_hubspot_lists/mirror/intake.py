"""Takes the records of whole cohorts, and what proves that streams and cohorts are complete."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from target_hubspot_lists.input.attributes import packed
from target_hubspot_lists.input.records import Cohort
from target_hubspot_lists.mirror.evidence import CohortEvidence, StreamEvidence
from target_hubspot_lists.mirror.list_snapshot import CohortSnapshot
from target_hubspot_lists.mirror.snapshot import ROWS_AT_ONCE
from target_hubspot_lists.outcomes import Reason
from target_hubspot_lists.reporting.account import StreamAccount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_hubspot_lists.input.attributes import Attributes
    from target_hubspot_lists.input.records import Membership, Rejection
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.mirror.snapshot import Snapshot
    from target_hubspot_lists.outcomes import PropertyProblem
    from target_hubspot_lists.sync.destinations import Destinations

# A record that is rejected for one of these may be of any cohort, or of a member who stays.
UNCLEAR = frozenset({Reason.MISSING_COHORT, Reason.INVALID_COHORT, Reason.UNKNOWN_OPERATION})


class Intake:
    """The streams and cohorts that have come so far; the members themselves are in the snapshot's tables.

    Records often come cohort by cohort. Those that come one after the other and differ only in their member are a run:
    whatever they have in common is looked up, and counted, once for the run.
    """

    def __init__(self, destinations: Destinations, journal: Journal, snapshot: Snapshot) -> None:
        self._destinations = destinations
        self._accounts = destinations.accounts
        self._journal = journal
        self._snapshot = snapshot
        self._streams: dict[str, StreamEvidence] = {}
        self._cohorts: dict[tuple[str, Cohort], CohortSnapshot] = {}
        self._numbers = itertools.count()
        # What the records of the present run have in common; no cohort if the next record begins a run.
        self._cohort: Cohort | None = None
        self._stream: str | None = None
        self._version: int | None = None
        self._is_member: bool | None = None
        self._current: CohortSnapshot
        self._size: int | None = None  # of the cohort, as its records say until now
        self._members = snapshot.members
        self._counted = 0  # how many of those the accounts have

    def __iter__(self) -> Iterator[CohortSnapshot]:
        """Yield the cohorts that came, also those of which all records were rejected, in the order of the input."""
        return iter(list(self._cohorts.values()))

    def started_streams(self) -> frozenset[str]:
        """Return the streams of which a record came."""
        self.count()
        return frozenset(name for name, stream in self._accounts.streams.items() if stream.records_read)

    def evidence(self, stream: str) -> StreamEvidence:
        """Return what the stream's messages say of its completeness, with all records that came."""
        self.count()
        return self._streams.setdefault(stream, StreamEvidence())

    def next_number(self) -> int:
        """Return a number that no cohort has yet."""
        return next(self._numbers)

    def schema(self, stream: str, cohort: Cohort | None, *, can_remove: bool) -> None:
        """A SCHEMA of the stream came; with the cohort that the whole stream is, if it is one."""
        self._accounts.streams.setdefault(stream, StreamAccount()).can_remove = can_remove
        self.evidence(stream).schema()
        if cohort is not None:
            self._cohort_snapshot(stream, cohort).is_whole_stream = True
        elif was_whole := self._cohorts.get((stream, Cohort(None, stream))):
            was_whole.is_whole_stream = False  # from here on a column names the cohort

    def count(self) -> None:
        """Bring accounts and evidence up to date with the records taken."""
        if records := len(self._members) - self._counted:
            self._counted = len(self._members)
            current = self._current
            current.stream_account.records_read += records
            current.account.records_read += records
            current.records += records
            current.stream_evidence.record(self._version, records)

    def take(
        self,
        stream: str,
        membership: Membership,
        version: int | None,
        attributes: Attributes | PropertyProblem | None = None,
    ) -> None:
        """Add a membership to the snapshot, unless its version was replaced by a newer one."""
        cohort, member, is_member, cohort_size = membership
        # The parser returns one object for all records of a cohort.
        is_same_run = cohort is self._cohort and is_member is self._is_member
        if not (is_same_run and version == self._version and stream is self._stream):
            current = self._cohort_snapshot(stream, cohort)
            if not current.records:
                self._journal.note_cohort(cohort)
                current.stream_account.lists.add(current.route.key)
            if version is not None and version != current.stream_evidence.version:
                if current.stream_evidence.is_older(version):
                    self._count_replaced(current)
                    return
                self._begin_version(stream, version)
            self._begin_run(current, version, is_member=is_member)
            self._cohort, self._stream = cohort, stream
        # All records of members should say one size; the size in a record that removes a member does not count.
        if is_member and (cohort_size is None or cohort_size != self._size):
            self._current.evidence.record(cohort_size)
            self._size = cohort_size
        self._members.append(member)
        if attributes is not None:
            self._snapshot.hold(member, packed(attributes))
        if len(self._members) >= ROWS_AT_ONCE:
            self.write()

    def write(self) -> None:
        """Count what has been taken, and write it to the snapshot's tables."""
        self.count()
        self._snapshot.write()
        self._counted = 0

    def _begin_run(self, current: CohortSnapshot, version: int | None, *, is_member: bool) -> None:
        """Note what the records that come now have in common."""
        self.count()
        self._current, self._version, self._is_member = current, version, is_member
        evidence = current.evidence
        self._size = evidence.largest if evidence.smallest == evidence.largest else None
        self._snapshot.begin_run(current.number, is_member=is_member)

    def _count_replaced(self, current: CohortSnapshot) -> None:
        """Count a record of a version that a newer one replaced."""
        self.count()
        self._cohort = None  # the next record begins a run
        current.stream_evidence.other()
        current.stream_account.records_read += 1
        current.account.records_read += 1
        current.account.superseded += 1

    def reject(self, stream: str, rejection: Rejection, version: int | None) -> None:
        """Account for a record that cannot be applied, and note that the snapshot lacks it."""
        self.count()
        self._cohort = None  # the next record begins a run
        account = self._destinations.of(rejection.cohort).account if rejection.cohort else None
        self._accounts.reject(stream, rejection, account)
        evidence = self.evidence(stream)
        if version is not None and evidence.is_newer(version):
            self._begin_version(stream, version)
        if rejection.cohort:
            # The cohort counts as one that came, even if no other record of it does.
            self._cohort_snapshot(stream, rejection.cohort).evidence.reject(
                hides_a_member=rejection.hides_a_member and not evidence.is_older(version)
            )
        evidence.other()
        evidence.unclear += rejection.reason in UNCLEAR

    def _cohort_snapshot(self, stream: str, cohort: Cohort) -> CohortSnapshot:
        """Return what has come of a cohort; begin it if this is the first record."""
        found = self._cohorts.get((stream, cohort))
        if found is None:
            destination = self._destinations.of(cohort)
            found = self._cohorts[stream, cohort] = CohortSnapshot(
                self.next_number(),
                stream,
                cohort,
                destination.route,
                destination.account,
                self.evidence(stream),
                self._accounts.streams[stream],
            )
        return found

    def _begin_version(self, stream: str, version: int) -> None:
        """Forget what came of an older version of the stream: its cohorts go on under other numbers."""
        self.evidence(stream).begin(version)
        for cohort in self._cohorts.values():
            if cohort.stream == stream:
                cohort.number = self.next_number()
                cohort.account.superseded += cohort.records
                cohort.records = 0
                cohort.evidence = CohortEvidence()
