"""Takes in the records of whole cohorts, and what stream and cohorts say of their completeness."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from target_hubspot_lists.input.attributes import packed
from target_hubspot_lists.input.records import Cohort
from target_hubspot_lists.mirror.evidence import CohortEvidence, StreamEvidence
from target_hubspot_lists.mirror.snapshots import CohortSnapshot
from target_hubspot_lists.outcomes import Reason
from target_hubspot_lists.reporting.account import StreamAccount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_hubspot_lists.input.attributes import Attributes
    from target_hubspot_lists.input.records import Membership, Rejection
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.mirror.snapshot import Snapshot
    from target_hubspot_lists.outcomes import PropertyProblem
    from target_hubspot_lists.sync.planning import Planning

# Of a record that is rejected for one of these it is not known whose it is, or whether the member stays.
UNCLEAR = frozenset({Reason.MISSING_COHORT, Reason.INVALID_COHORT, Reason.UNKNOWN_OPERATION})


class Arrivals:
    """What has arrived of each stream and cohort; the members themselves are in the snapshot's tables."""

    def __init__(self, planning: Planning, journal: Journal, snapshot: Snapshot) -> None:
        self._planning = planning
        self._accounts = planning.accounts
        self._journal = journal
        self._snapshot = snapshot
        self._streams: dict[str, StreamEvidence] = {}
        self._cohorts: dict[tuple[str, Cohort], CohortSnapshot] = {}
        self._numbers = itertools.count()
        self._position = 0
        self._latest: CohortSnapshot | None = None  # of the last record: mostly the next one's, too

    def __iter__(self) -> Iterator[CohortSnapshot]:
        """Yield the cohorts that came, one of which all records were rejected too, in the order of the input."""
        return iter(list(self._cohorts.values()))

    def started_streams(self) -> frozenset[str]:
        """Return the streams of which a record came."""
        return frozenset(name for name, stream in self._accounts.streams.items() if stream.records_read)

    def evidence(self, stream: str) -> StreamEvidence:
        """Return what the stream's messages say of its completeness."""
        return self._streams.setdefault(stream, StreamEvidence())

    def next_number(self) -> int:
        """Return a number that no cohort has yet."""
        return next(self._numbers)

    def schema(self, stream: str, cohort: Cohort | None, *, can_remove: bool) -> None:
        """A SCHEMA of the stream came; with the cohort that all of the stream is, if it is one."""
        self._accounts.streams.setdefault(stream, StreamAccount()).can_remove = can_remove
        self.evidence(stream).schema()
        if cohort is not None:
            self._arriving(stream, cohort).is_whole_stream = True
        elif was_whole := self._cohorts.get((stream, Cohort(None, stream))):
            was_whole.is_whole_stream = False  # from here on a column names the cohort

    def take(
        self,
        stream: str,
        membership: Membership,
        attributes: Attributes | PropertyProblem | None = None,
        *,
        version: int | None = None,
    ) -> None:
        """Write a membership down, unless its version was replaced by a newer one."""
        cohort, member, is_member, cohort_size = membership
        arriving = self._latest
        # The parser returns one object for all records of a cohort.
        if arriving is None or arriving.cohort is not cohort or arriving.stream != stream:
            arriving = self._latest = self._arriving(stream, cohort)
            arriving.cohort = cohort
            self._journal.saw(cohort)
            self._accounts.streams[stream].lists.add(arriving.route.key)
        of_stream, of_cohort = arriving.of_stream, arriving.evidence
        arriving.stream_account.records_read += 1
        arriving.account.records_read += 1
        if version is not None and version != of_stream.version:
            if of_stream.is_older(version):
                of_stream.other()
                arriving.account.superseded += 1
                return
            self._replace(stream)
            of_cohort = arriving.evidence
        of_stream.record(version)
        arriving.records += 1
        # All records of a cohort should tell one size.
        if is_member and (cohort_size is None or not cohort_size == of_cohort.smallest == of_cohort.largest):
            of_cohort.record(cohort_size)
        self._position = position = self._position + 1
        self._snapshot.take((position << 1 | is_member, arriving.number, member))
        if attributes is not None:
            self._snapshot.hold(member, packed(attributes))

    def reject(self, stream: str, rejection: Rejection, *, version: int | None = None) -> None:
        """Account for a record that cannot be applied, and note that the snapshot lacks it."""
        account = self._planning.destination(rejection.cohort).account if rejection.cohort else None
        self._accounts.reject(stream, rejection, account)
        evidence = self.evidence(stream)
        if evidence.is_newer(version):
            self._replace(stream)
            evidence.begin(version)
        if rejection.cohort:
            # The cohort counts as one that came, even if no other record of it does.
            self._arriving(stream, rejection.cohort).evidence.reject(
                hides_a_member=rejection.hides_a_member and not evidence.is_older(version)
            )
        evidence.other()
        evidence.unclear += rejection.reason in UNCLEAR

    def _arriving(self, stream: str, cohort: Cohort) -> CohortSnapshot:
        found = self._cohorts.get((stream, cohort))
        if found is None:
            to = self._planning.destination(cohort)
            of_stream = self.evidence(stream), self._accounts.streams[stream]
            found = CohortSnapshot(self.next_number(), stream, cohort, to.route, to.account, *of_stream)
            self._cohorts[stream, cohort] = found
        return found

    def _replace(self, stream: str) -> None:
        """Forget what came of an older version of the stream: its cohorts go on under other numbers."""
        for arriving in self._cohorts.values():
            if arriving.stream == stream:
                arriving.number = self.next_number()
                arriving.account.superseded += arriving.records
                arriving.records = 0
                arriving.evidence = CohortEvidence()
