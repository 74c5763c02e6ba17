"""Makes lists equal to whole cohorts: who is in a snapshot is added, who is not in a proven one is removed."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import ListError
from target_hubspot_lists.hubspot.list_objects import Route, shown
from target_hubspot_lists.input.attributes import packed
from target_hubspot_lists.input.records import Cohort
from target_hubspot_lists.journal.journal import Led
from target_hubspot_lists.mirror.evidence import ArrivedCohort, CohortEvidence, StreamEvidence, gaps, unproven
from target_hubspot_lists.mirror.list_mirror import ListMirror
from target_hubspot_lists.mirror.snapshot_store import on_disk
from target_hubspot_lists.mirror.snapshots import CohortSnapshot, HeldBack, ListSnapshot
from target_hubspot_lists.outcomes import Reason
from target_hubspot_lists.reporting.accounts import Account, StreamAccount

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.input.attributes import AttributeParser, Attributes
    from target_hubspot_lists.input.records import Membership, Rejection
    from target_hubspot_lists.journal.journal import NoLedger
    from target_hubspot_lists.ledger import KnownList
    from target_hubspot_lists.mirror.snapshot_store import SnapshotStore
    from target_hubspot_lists.outcomes import PropertyProblem
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.applying import Applying
    from target_hubspot_lists.sync.contact_properties import ContactProperties
    from target_hubspot_lists.sync.planning import Planning

logger = logging.getLogger(__name__)

# Of a record that is rejected for one of these it is not known whose it is, or whether the member stays.
UNCLEAR = frozenset({Reason.MISSING_COHORT, Reason.INVALID_COHORT, Reason.UNKNOWN_OPERATION})


class Mirror:
    """A run in mirror mode: holds whole cohorts on disk, and changes lists at the end of the input."""

    held = 0  # nothing waits for a flush: all of it waits for the end of the input

    def __init__(  # noqa: PLR0913 - what an incremental run has, and where snapshots are held
        self,
        settings: Settings,
        planning: Planning,
        applying: Applying,
        properties: ContactProperties,
        journal: NoLedger,
        *,
        store: SnapshotStore,
    ) -> None:
        self._settings = settings
        self._planning = planning
        self._accounts = planning.accounts
        self._properties = properties
        self._journal = journal
        self._store = store
        self._streams: dict[str, StreamEvidence] = {}
        self._snapshots: dict[tuple[str, Cohort], CohortSnapshot] = {}
        self._positions = itertools.count()
        self._numbers = itertools.count()
        self._held_back = HeldBack()
        self._list_mirror = ListMirror(
            settings,
            applying,
            properties,
            routes=planning.routes,
            store=store,
            held_back=self._held_back,
        )

    # While the input is read

    def attribute_parser(self, stream: str, columns: Sequence[str]) -> AttributeParser | None:
        """Return what reads the mapped fields of a stream's records; None if no field is mapped."""
        return self._properties.parser(stream, columns)

    def schema(self, stream: str, cohort: Cohort | None, *, can_remove: bool) -> None:
        """A SCHEMA of the stream came; with the cohort that all of the stream is, if it is one."""
        self._accounts.streams.setdefault(stream, StreamAccount()).can_remove = can_remove
        self._evidence(stream).schema()
        if cohort is not None:
            self._snapshot(stream, cohort).is_whole_stream = True
        elif was_whole := self._snapshots.get((stream, Cohort(None, stream))):
            was_whole.is_whole_stream = False  # from here on a column names the cohort

    def activate(self, stream: str, version: int | None) -> None:
        """An ACTIVATE_VERSION of the stream came."""
        self._evidence(stream).activate(version)

    def pass_over(self, stream: str) -> None:
        """A RECORD of the stream came that a stream map filters out: what was activated was not the end."""
        self._evidence(stream).other()

    def take(
        self,
        stream: str,
        membership: Membership,
        attributes: Attributes | PropertyProblem | None = None,
        *,
        version: int | None = None,
    ) -> None:
        """Write a membership down, unless its version was replaced by a newer one."""
        self._accounts.streams[stream].records_read += 1
        evidence = self._evidence(stream)
        snapshot = self._snapshot(stream, membership.cohort)
        self._journal.saw(membership.cohort)
        snapshot.account.records_read += 1
        self._accounts.streams[stream].lists.add(snapshot.route.key)
        if evidence.is_older(version):
            evidence.other()
            snapshot.account.superseded += 1
            return
        if evidence.is_newer(version):
            self._replace(stream)
        evidence.record(version)
        snapshot.records += 1
        if membership.is_member:
            snapshot.evidence.record(membership.cohort_size)
        position = next(self._positions)
        self._store.take(
            snapshot.number, membership.member, is_member=membership.is_member, position=position
        )
        if attributes is not None:
            self._store.hold(membership.member, packed(attributes))

    def reject(self, stream: str, rejection: Rejection, *, version: int | None = None) -> None:
        """Account for a record that cannot be applied, and note that the snapshot lacks it."""
        account = self._planning.destination(rejection.cohort).account if rejection.cohort else None
        self._accounts.reject(stream, rejection, account)
        evidence = self._evidence(stream)
        if evidence.is_newer(version):
            self._replace(stream)
            evidence.begin(version)
        if rejection.cohort:
            # The cohort counts as one that came, even if no other record of it does.
            self._snapshot(stream, rejection.cohort).evidence.reject(
                hides_a_member=rejection.hides_a_member and not evidence.is_older(version)
            )
        evidence.other()
        evidence.unclear += rejection.reason in UNCLEAR

    def flush(self) -> None:
        """Nothing: lists change only at the end of the input."""

    def close(self) -> None:
        """Remove the snapshots from the disk."""
        self._store.close()

    @property
    def _ends_with_input(self) -> bool:
        """Whether the user says that the plain end of the input is a proof."""
        return self._settings.snapshot_end == "end_of_input"

    def _evidence(self, stream: str) -> StreamEvidence:
        return self._streams.setdefault(stream, StreamEvidence())

    def _snapshot(self, stream: str, cohort: Cohort) -> CohortSnapshot:
        found = self._snapshots.get((stream, cohort))
        if found is None:
            to = self._planning.destination(cohort)
            found = CohortSnapshot(next(self._numbers), stream, cohort, to.route, to.account)
            self._snapshots[stream, cohort] = found
        return found

    def _replace(self, stream: str) -> None:
        """Forget what came of an older version of the stream."""
        of_stream = [each for each in self._snapshots.values() if each.stream == stream]
        self._store.discard(each.number for each in of_stream)
        for snapshot in of_stream:
            snapshot.account.superseded += snapshot.records
            snapshot.records = 0
            snapshot.evidence = CohortEvidence()

    def started_streams(self) -> frozenset[str]:
        """The streams of which a record came."""
        return frozenset(name for name, stream in self._accounts.streams.items() if stream.records_read)

    def streams_at_stake(self) -> frozenset[str]:
        """Return the streams whose lists may change at the end of the input, so that STATE waits for them.

        Besides those of which a record came these are streams that are a cohort even where no record comes.
        """
        return self.started_streams().union(
            each.stream for each in self._snapshots.values() if self._is_current(each)
        )

    def _is_current(self, snapshot: CohortSnapshot) -> bool:
        """Whether a snapshot counts: not one of which only records of an older version came."""
        return bool(snapshot.records) or (snapshot.is_whole_stream and self._ends_with_input)

    # At the end of the input

    def finish(self) -> Sequence[str]:
        """Apply every snapshot; return what was held back, one sentence each."""
        with on_disk():
            self._finish()
        return self._held_back.problems

    def _finish(self) -> None:
        units = list(self._units())
        for unit in units:
            keys = {each.route.key for each in unit.cohorts}
            # Also those of which all records for the list were rejected: they are of members whom it has.
            streams = {each.stream: None for each in self._snapshots.values() if each.route.key in keys}
            if len(streams) > 1:
                raise ListError(
                    f"{unit.label} is fed by the streams {', '.join(streams)}: in mirror mode a list takes one "
                    "stream, else each would remove the other's members. Send each to a list of its own with lists[]."
                )
        for unit in units:
            self._list_mirror.apply(unit, self._gap(unit))
        self._judge_streams({each.stream for unit in units for each in unit.cohorts})
        self._empty_vanished(units)
        arrived = {name for each in self._snapshots.values() for name in each.cohort}
        if absent := [name for name in self._planning.routes.configured if name not in arrived]:
            names = ", ".join(map(shown, absent))
            logger.info("Not in the input, so their lists were left alone: %s.", names)

    def is_done(self, stream: str) -> bool:
        """Whether the stream's snapshot was complete and everything it asked for was done."""
        return stream not in self._held_back.streams

    def _judge_streams(self, applied: AbstractSet[str]) -> None:
        """Judge the streams that were read and led to no list, so that no STATE says that they are done."""
        for stream in sorted(self.started_streams() - applied):
            gap = self._streams[stream].gap_of_records(stream)
            if gap or not self._is_proven(stream):
                told = (
                    f"{gap or unproven(stream)}: see the reasons above, and run again with a whole snapshot."
                )
                self._held_back.note(stream, told)

    def _units(self) -> Iterator[ListSnapshot]:
        """Yield the lists that the snapshots lead to, found or made; an older version's cohorts count for nothing."""
        current = [each for each in self._snapshots.values() if self._is_current(each)]
        led = [
            Led(each.cohort, each.route, each.stream, self._planning.routes.is_configured(each.cohort))
            for each in current
        ]
        wanted = {each.route.key for each in current if self._store.size(each.number)}
        lists = self._planning.find_lists(led, wanted)
        units: dict[str, ListSnapshot] = {}
        for snapshot in current:
            found = lists.get(snapshot.route.key)
            snapshot.account.hubspot_list = found
            key = found.list_id if found else snapshot.route.key
            units.setdefault(key, ListSnapshot(found, [])).cohorts.append(snapshot)
        yield from units.values()

    # Cohorts that did not come

    def _empty_vanished(self, units: Collection[ListSnapshot]) -> None:
        """Empty the lists whose cohorts are absent from a stream proven complete, or name them."""
        taken = {each.hubspot_list.list_id for each in units if each.hubspot_list}
        vanished = [
            each
            for stream in sorted(self.started_streams())
            for each in self._vanished(stream)
            if each.list_id not in taken and not self._planning.routes.is_configured(_cohort(each))
        ]
        may_empty = self._settings.empty_vanished_cohorts
        to_empty = [each for each in vanished if may_empty and self._is_whole(each.stream)]
        if left_alone := [each for each in vanished if each not in to_empty]:
            logger.info(
                "Their cohorts are no longer in the input, and they were left alone: lists %s.",
                _named(left_alone),
            )
        if not to_empty:
            return
        there = self._planning.find_known({each.list_id for each in to_empty})
        for known in to_empty:
            if hubspot_list := there.get(known.list_id):
                if self._settings.reconcile:
                    self._journal.reread(hubspot_list, has_snapshot=True)
                self._list_mirror.apply(self._vanished_unit(known, hubspot_list), None)

    def _vanished(self, stream: str) -> list[KnownList]:
        """The lists whose cohorts did not come; none, which is said, where they may be another pipeline's."""
        cohorts = {cohort.key for of_stream, cohort in self._snapshots if of_stream == stream}
        vanished = self._journal.vanished(stream, cohorts)
        if vanished.is_certain or not vanished.lists:
            return vanished.lists
        logger.warning(
            'Runs of stream "%s" in the ledger had no cohort in common, as those of pipelines that name their streams '
            "alike. So no cohort of it counts as vanished, and lists %s were left alone. Give each pipeline a stream "
            "name of its own.",
            stream,
            _named(vanished.lists),
        )
        return []

    def _is_whole(self, stream: str) -> bool:
        """Whether all cohorts of a stream are proven to have come; a cohort's size proves only itself."""
        return self._is_proven(stream) and self.is_done(stream)

    def _is_proven(self, stream: str) -> bool:
        return self._streams[stream].is_activated or self._ends_with_input

    def _vanished_unit(self, known: KnownList, hubspot_list: HubSpotList) -> ListSnapshot:
        """The empty snapshot of a cohort that did not come."""
        cohort = _cohort(known)
        route = Route(known.list_id, known.name)
        account = self._accounts.lists[route.key] = Account(cohort, known.name, hubspot_list)
        snapshot = CohortSnapshot(next(self._numbers), known.stream, cohort, route, account)
        return ListSnapshot(hubspot_list, [snapshot])

    # Whether anybody may be removed

    def _gap(self, unit: ListSnapshot) -> str | None:
        """Why the snapshot of a list is not proven complete; None if it is."""
        cohorts = [
            ArrivedCohort(each.cohort.name, each.evidence, self._store.size(each.number))
            for each in unit.cohorts
        ]
        evidence, absent = self._evidence(unit.stream), self._absent_cohorts(unit)
        gap = next(gaps(unit.stream, evidence, cohorts, absent, ends=self._ends_with_input), None)
        return f"{unit.label}: {gap}" if gap else None

    def _absent_cohorts(self, unit: ListSnapshot) -> list[str]:
        """The cohorts that `lists` sends to the same list and that did not come."""
        if unit.hubspot_list is None:
            return []
        came = {name for each in unit.cohorts for name in each.cohort}
        return [each for each in self._planning.routes.configured_for(unit.hubspot_list) if each not in came]


def _named(lists: Iterable[KnownList]) -> str:
    return ", ".join(f'"{shown(each.name)}" ({each.list_id})' for each in lists)


def _cohort(known: KnownList) -> Cohort:
    return Cohort.from_key(known.cohort_key or "", known.cohort_name)
