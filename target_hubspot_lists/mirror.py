"""Makes lists equal to whole cohorts: who is in a snapshot is added, who is not in a proven one is removed."""

from __future__ import annotations

import itertools
import logging
import sys
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from hubspot_http import concurrently
from target_hubspot_lists.accounts import Account, Asked
from target_hubspot_lists.attributes import HeldAttributes, packed, unpacked
from target_hubspot_lists.batches import MAX_INPUTS_PER_CALL
from target_hubspot_lists.changes import MAX_RECORD_IDS_PER_CALL
from target_hubspot_lists.delivery import Delivery, ListChange
from target_hubspot_lists.errors import ListError
from target_hubspot_lists.hubspot_lists import shown
from target_hubspot_lists.memberships import Cohort
from target_hubspot_lists.memory import Led
from target_hubspot_lists.outcomes import Outcome, PropertyResult, Reason
from target_hubspot_lists.property_flush import PropertyFlush
from target_hubspot_lists.resolution import Resolution
from target_hubspot_lists.routes import Route
from target_hubspot_lists.snapshot_store import Resolved, SnapshotStore, on_disk
from target_hubspot_lists.snapshots import CohortEvidence, Removal, StreamEvidence
from target_hubspot_lists.verification import Reading

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from hubspot_http import HubSpotClient
    from target_hubspot_lists.attributes import Attributes
    from target_hubspot_lists.delivery import Stale
    from target_hubspot_lists.hubspot_lists import HubSpotList
    from target_hubspot_lists.ledger import KnownList
    from target_hubspot_lists.memberships import Member, Membership, Rejection
    from target_hubspot_lists.outcomes import PropertyProblem
    from target_hubspot_lists.report import Report
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.snapshot_store import LastWord

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass
class CohortSnapshot:
    """One cohort of one stream, as far as it has arrived."""

    number: int
    stream: str
    cohort: Cohort
    route: Route
    account: Account
    evidence: CohortEvidence = field(default_factory=CohortEvidence)
    records: int = 0
    is_whole_stream: bool = False  # its cohort is the stream itself, so that even no record speaks of it


@dataclass
class ListSnapshot:
    """All cohorts that lead to one list: the unit of a mirror."""

    hubspot_list: HubSpotList | None
    cohorts: list[CohortSnapshot]
    unclear: int = 0  # members whom HubSpot did not let be looked up, and who may be on the list

    @property
    def label(self) -> str:
        """How messages name the list."""
        return str(self.hubspot_list) if self.hubspot_list else f'List "{shown(self.cohorts[0].route.name)}"'

    @property
    def stream(self) -> str:
        """The one stream that feeds it."""
        return self.cohorts[0].stream

    def account(self, number: int) -> Account:
        """The account of a cohort."""
        return next(each.account for each in self.cohorts if each.number == number)


class Mirror(Delivery):
    """A run in mirror mode: holds whole cohorts on disk, and changes lists at the end of the input."""

    def __init__(self, client: HubSpotClient, settings: Settings, report: Report | None = None) -> None:
        super().__init__(client, settings, report)
        self._store = SnapshotStore()
        self.properties.memory = self._store  # unless a ledger remembers them for longer
        self._streams: dict[str, StreamEvidence] = {}
        self._snapshots: dict[tuple[str, Cohort], CohortSnapshot] = {}
        self._numbers = itertools.count()
        self._incomplete: set[str] = set()  # streams of which a removal is left undone
        self.problems: list[str] = []

    # While the input is read

    def schema(self, stream: str, cohort: Cohort | None) -> None:
        """A SCHEMA of the stream came; with the cohort that all of the stream is, if it is one."""
        self._evidence(stream).schema()
        if cohort is not None:
            self._snapshot(stream, cohort).is_whole_stream = True

    def activate(self, stream: str, version: int | None) -> None:
        """An ACTIVATE_VERSION of the stream came."""
        self._evidence(stream).activate(version)

    def pass_over(self, stream: str) -> None:
        """A RECORD of the stream came that a stream map filters out."""
        self._evidence(stream).other()

    @override
    def take(
        self,
        stream: str,
        membership: Membership,
        attributes: Attributes | PropertyProblem | None = None,
        *,
        version: int | None = None,
    ) -> None:
        self.accounts.streams[stream].records_read += 1
        evidence = self._evidence(stream)
        snapshot = self._snapshot(stream, membership.cohort)
        self._memory.saw(membership.cohort)
        snapshot.account.records_read += 1
        self.accounts.streams[stream].lists.add(snapshot.route.key)
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

    @override
    def reject(self, stream: str, rejection: Rejection) -> None:
        super().reject(stream, rejection)
        if rejection.cohort:
            # The cohort counts as one that came, even if no other record of it does.
            self._snapshot(stream, rejection.cohort).evidence.rejected += 1
        evidence = self._evidence(stream)
        evidence.other()
        # Of these it is not known whose they are, or whether they stay.
        evidence.unclear += rejection.reason in {Reason.MISSING_COHORT, Reason.UNKNOWN_OPERATION}

    @override
    def close(self) -> None:
        self._store.close()
        super().close()

    def _evidence(self, stream: str) -> StreamEvidence:
        return self._streams.setdefault(stream, StreamEvidence())

    def _snapshot(self, stream: str, cohort: Cohort) -> CohortSnapshot:
        found = self._snapshots.get((stream, cohort))
        if found is None:
            held = self._held_for(cohort)
            found = CohortSnapshot(next(self._numbers), stream, cohort, held.route, held.account)
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
        return frozenset(name for name, stream in self.accounts.streams.items() if stream.records_read)

    # At the end of the input

    def finish(self) -> None:
        """Apply every snapshot; `problems` then says what was held back, and `is_done` which streams are done."""
        with on_disk():
            self._finish()

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
            self._apply(unit, self._gap(unit))
        self._judge_streams({each.stream for unit in units for each in unit.cohorts})
        self._empty_vanished(units)
        arrived = {name for each in self._snapshots.values() for name in each.cohort}
        if absent := [name for name in self._routes.configured if name not in arrived]:
            names = ", ".join(map(shown, absent))
            logger.info("Not in the input, so their lists were left alone: %s.", names)

    def is_done(self, stream: str) -> bool:
        """Whether the stream's snapshot was complete and everything it asked for was done."""
        return stream not in self._incomplete

    def _judge_streams(self, applied: AbstractSet[str]) -> None:
        """Judge the streams that were read and led to no list, so that no STATE says that they are done."""
        for stream in sorted(self.started_streams() - applied):
            if gap := self._gap_of_stream(stream) or self._gap_of_unproven_stream(stream):
                self._hold_back(stream, f"{gap}: see the reasons above, and run again with a whole snapshot.")

    def _hold_back(self, stream: str, problem: str) -> None:
        """Note why not all that a stream asks for is done."""
        self._incomplete.add(stream)
        self.problems.append(problem)

    def _units(self) -> Iterator[ListSnapshot]:
        """Yield the lists that the snapshots lead to, found or made; an older version's cohorts count for nothing."""
        may_be_empty = self._settings.snapshot_end == "end_of_input"
        current = [
            each
            for each in self._snapshots.values()
            if each.records or (each.is_whole_stream and may_be_empty)
        ]
        led = [
            Led(each.cohort, each.route, each.stream, self._routes.is_configured(each.cohort))
            for each in current
        ]
        wanted = {each.route.key for each in current if self._store.size(each.number)}
        lists = self._resolve_lists(led, wanted)
        units: dict[str, ListSnapshot] = {}
        for snapshot in current:
            found = lists.get(snapshot.route.key)
            snapshot.account.hubspot_list = found
            key = found.list_id if found else snapshot.route.key
            units.setdefault(key, ListSnapshot(found, [])).cohorts.append(snapshot)
        yield from units.values()

    def _apply(self, unit: ListSnapshot, gap: str | None) -> None:
        """Make one list equal to its snapshot, or if there is a gap in that only add to it."""
        store = self._store
        self.properties.make_for([unit.hubspot_list] if unit.hubspot_list else [])
        self.accounts.properties_created = len(self.properties.created)
        store.start_list()
        for snapshot in unit.cohorts:
            snapshot.account.superseded += snapshot.records  # less the last words, in `_resolve`
            snapshot.records = 0
        for words in store.last_words([each.number for each in unit.cohorts]):
            self._resolve(unit, words)
        if gap := gap or _gap_of_unclear_members(unit):
            self._hold_back(unit.stream, gap)
        if unit.hubspot_list is None:
            for row in store.away():
                self._settle(unit, row, Outcome.NOT_A_MEMBER)
            return
        if not unit.hubspot_list.is_foreseen:
            members = self._memory.members(unit.hubspot_list)
            store.take_baseline(self._reader.iter_members(unit.hubspot_list) if members is None else members)
        if self._memory.is_kept and not gap:
            self._follow_merges_of_list(unit.hubspot_list)
        self._follow_merges(unit)
        stale: list[Stale] = []
        for rows in _runs(store.staying()):
            stale += self._stay(unit, unit.hubspot_list, rows)
        for row in store.away():
            self._settle(unit, row, Outcome.NOT_A_MEMBER)
        stale += self._add(unit, unit.hubspot_list)
        # Only now: it changes the snapshot that the steps before went through.
        self._write_again(stale, self._begin_properties(each.asked.member for each in stale))
        self._remove(unit, unit.hubspot_list, gap)

    def _begin_properties(self, members: Iterable[Member], created: Iterable[Resolved] = ()) -> PropertyFlush:
        """Begin to write what is held of these members; those created for this snapshot have theirs."""
        held = {member: unpacked(each) for member, each in self._store.attributes(members).items()}
        results: dict[Member, PropertyResult] = {
            row.record_id: PropertyResult.unpacked(row.properties) for row in created if row.properties
        }
        flush = PropertyFlush(self.properties, HeldAttributes.of(held), results)
        self.accounts.properties = flush.results
        return flush

    def _resolve(self, unit: ListSnapshot, words: list[LastWord]) -> None:
        """Find the contacts of a run of members; each of them is one membership asked for."""
        flush = self._begin_properties(word.member for word in words)
        asked = []
        for word in words:
            account = unit.account(word.cohort)
            account.superseded -= 1
            asked.append(Asked(word.member, word.is_member, word.position, account))
        if unit.hubspot_list is not None:
            route = unit.cohorts[0].route
            flush.expect([(route, asked)], {route.key: unit.hubspot_list})
        contacts = self._find_contacts(asked, flush)
        created = contacts.created if contacts else ()
        if contacts:
            unit.unclear += sum(each.is_member and each.member in contacts.unclear for each in asked)
        rows = []
        for word, each in zip(words, asked, strict=True):
            record_id = int(each.member) if contacts is None else self._record_id(each, contacts)
            if record_id is not None:
                is_created = word.member in created
                result = flush.results.get(record_id) if is_created else None
                rows.append(Resolved(record_id, *word, is_created, result.packed if result else None))
        self._supersede(unit, self._store.resolve(rows))

    def _supersede(self, unit: ListSnapshot, lost: Iterable[Resolved]) -> None:
        for row in lost:
            unit.account(row.cohort).superseded += 1

    def _follow_merges(self, unit: ListSnapshot) -> None:
        """Where people would be removed, give merged contacts the id they have now: the list has them under it."""
        by_email = self._settings.match_by == "email"
        if next(self._store.to_remove(), None) is None:
            return
        to_add = (row.record_id for row in self._store.to_add())
        for old, new in self._merged(self._looked_up_before() if by_email else to_add).items():
            self._supersede(unit, self._store.replace(old, new))

    def _looked_up_before(self) -> Iterator[int]:
        """Yield those who are to be added and whose addresses an earlier run looked up."""
        for rows in _runs(self._store.to_add()):
            yield from self._memory.looked_up_before({str(row.member): row.record_id for row in rows})

    def _merged(self, record_ids: Iterator[int]) -> dict[int, int]:
        """Return those of the contacts that have another id now, and which."""
        batches = _runs(record_ids, MAX_INPUTS_PER_CALL)
        jobs = (partial(self._contacts.current_ids, batch) for batch in batches)
        parts = concurrently(jobs, workers=self._workers)
        return {old: new for part in parts for old, new in part.items() if old != new}

    def _follow_merges_of_list(self, hubspot_list: HubSpotList) -> None:
        """Give those who would be removed the ids they have now, which a ledger may not know.

        Whether HubSpot takes a retired id to remove the contact that it is now is not documented: that contact
        may be in the snapshot.
        """
        merged = self._merged(record_id for record_id, _ in self._store.to_remove())
        if merged:
            for old in merged:
                self._store.drop_from_baseline(old)
            self._store.take_baseline(merged.values())
            # In this order: a crash in between must not lose from the ledger that they are on the list.
            self._memory.begin(hubspot_list, merged.values())
            self._memory.confirm_reading(hubspot_list, Reading(frozenset(), frozenset(merged)))
            logger.info(
                "%s: %d members have another id now, since contacts were merged.", hubspot_list, len(merged)
            )

    def _stay(self, unit: ListSnapshot, hubspot_list: HubSpotList, rows: list[Resolved]) -> list[Stale]:
        """Settle who is on the list; a ledger's members may have to be sent again, since not all are settled."""
        asked = {row.record_id: self._asked(unit, row) for row in rows}
        self._write_properties(hubspot_list, asked, rows)
        if self._memory.is_kept:
            created = {row.record_id for row in rows if row.is_created}
            return self._write([ListChange(hubspot_list, asked)], created)
        for row in rows:
            self._settle(unit, row, Outcome.ALREADY_MEMBER)
        return []

    def _add(self, unit: ListSnapshot, hubspot_list: HubSpotList) -> list[Stale]:
        stale: list[Stale] = []
        for rows in _runs(self._store.to_add()):
            asked = {row.record_id: self._asked(unit, row) for row in rows}
            created = {row.record_id for row in rows if row.is_created}
            self._write_properties(hubspot_list, asked, rows)
            stale += self._deliver(ListChange(hubspot_list, asked), created)
        return stale

    @override
    def _is_outdone(self, stale: Stale, record_id: int) -> bool:
        self._store.drop_from_baseline(stale.record_id)
        if self._store.has(record_id):
            return True
        self._store.replace(stale.record_id, record_id)
        return False

    def _remove(self, unit: ListSnapshot, hubspot_list: HubSpotList, gap: str | None) -> None:
        """Remove who is not in the snapshot, if it is proven, the list is ours, and the guard allows it."""
        ours = self._memory.added_by_us(hubspot_list) if self._settings.mirror_removes == "ours" else None
        removal = Removal(self._store.baseline_size(), sum(1 for _ in self._to_remove(ours)))
        obstacle = self._obstacle(unit, hubspot_list, removal) if removal.to_remove and not gap else None
        if obstacle:
            self._hold_back(unit.stream, obstacle)
        if not gap and not obstacle:
            undone = _undone(unit)
            stale: list[Stale] = []
            for rows in _runs(self._to_remove(ours)):
                asked = {record_id: self._asked_to_remove(unit, record_id, said) for record_id, said in rows}
                self._write_properties(hubspot_list, asked)
                stale += self._deliver(ListChange(hubspot_list, asked), set())
            self._write_again(stale, self._begin_properties(each.asked.member for each in stale))
            if undone := _undone(unit) - undone:
                self._hold_back(
                    unit.stream,
                    f"{hubspot_list}: {undone:,} of {_members(removal.to_remove)} could not be removed. See the "
                    "reasons above, set report_path for a line on each, and run again.",
                )
            return
        self._memory.put_back(hubspot_list)
        for record_id, said in self._to_remove(ours):
            if said is not None or gap is None:  # what an unproven snapshot lacks was not asked for
                kept = self._asked_to_remove(unit, record_id, said)
                self.accounts.settle(kept, Outcome.SKIPPED, record_id=record_id)

    def _to_remove(self, ours: Collection[int] | None) -> Iterator[tuple[int, Resolved | None]]:
        """Yield who is to go: all who are on the list and not to be, or of those whom no record names only ours."""
        for record_id, said in self._store.to_remove():
            if said is not None or ours is None or record_id in ours:
                yield record_id, said

    def _write_properties(
        self, hubspot_list: HubSpotList, asked: Mapping[int, Asked], created: Iterable[Resolved] = ()
    ) -> None:
        """Write the properties of contacts that were there; before their memberships change."""
        flush = self._begin_properties((each.member for each in asked.values()), created)
        by_address = {str(each.member): record_id for record_id, each in asked.items()}
        contacts = Resolution(record_ids=by_address) if self._settings.match_by == "email" else None
        flush.write([(hubspot_list, asked)], contacts)

    def _deliver(self, change: ListChange, created: set[int]) -> list[Stale]:
        if not self._settings.dry_run:
            return self._write([change], created)
        for record_id, asked in change.asked.items():
            outcome = Outcome.ADDED if asked.is_member else Outcome.REMOVED
            self.accounts.settle(asked, outcome, record_id=record_id, created=record_id in created)
        return []

    # Cohorts that did not come

    def _empty_vanished(self, units: Collection[ListSnapshot]) -> None:
        """Empty the lists whose cohorts are absent from a stream proven complete, or name them."""
        taken = {each.hubspot_list.list_id for each in units if each.hubspot_list}
        keys = {cohort.key for _, cohort in self._snapshots}
        vanished = [
            each
            for each in self._memory.vanished(self.started_streams(), keys)
            if each.list_id not in taken and not self._routes.is_configured(_cohort(each))
        ]
        may_empty = self._settings.empty_vanished_cohorts
        to_empty = [each for each in vanished if may_empty and self._is_whole(each.stream)]
        if left_alone := [each for each in vanished if each not in to_empty]:
            names = ", ".join(f'"{shown(each.name)}" ({each.list_id})' for each in left_alone)
            logger.info(
                "Their cohorts are no longer in the input, and they were left alone: lists %s.", names
            )
        if not to_empty:
            return
        there = self._lists.find_all({each.list_id for each in to_empty})
        self._before_writing(there.values())
        for known in to_empty:
            if hubspot_list := there.get(known.list_id):
                self._apply(self._vanished_unit(known, hubspot_list), None)

    def _is_whole(self, stream: str) -> bool:
        """Whether all cohorts of a stream are proven to have come; a cohort's size proves only itself."""
        is_proven = self._streams[stream].is_activated or self._settings.snapshot_end == "end_of_input"
        return is_proven and self.is_done(stream)

    def _vanished_unit(self, known: KnownList, hubspot_list: HubSpotList) -> ListSnapshot:
        """The empty snapshot of a cohort that did not come."""
        cohort = _cohort(known)
        route = Route(known.list_id, known.name)
        account = self.accounts.lists[route.key] = Account(cohort, known.name, hubspot_list)
        snapshot = CohortSnapshot(next(self._numbers), known.stream, cohort, route, account)
        return ListSnapshot(hubspot_list, [snapshot])

    # Whether anybody may be removed

    def _gap(self, unit: ListSnapshot) -> str | None:
        """Why the snapshot of a list is not proven complete; None if it is."""
        gap = next(self._gaps(unit), None)
        return f"{unit.label}: {gap}" if gap else None

    def _gaps(self, unit: ListSnapshot) -> Iterator[str]:
        """Yield every reason why the snapshot of a list is not proven complete, the weightiest first."""
        if gap := self._gap_of_stream(unit.stream):
            yield f"{gap}, so it is not known who is to go. Nobody was removed: correct the source."
        arrived = {each.number: self._store.size(each.number) for each in unit.cohorts}
        told = [
            f'of cohort "{shown(each.cohort.name)}" {gap}'
            for each in unit.cohorts
            if (gap := each.evidence.gap(arrived[each.number]))
        ]
        if told:
            yield f"{'; '.join(told)}. Nobody was removed: run again with a complete snapshot."
        if self._settings.snapshot_end == "end_of_input":
            return
        if absent := self._absent_cohorts(unit):
            yield (
                f"lists[] sends {absent} there as well, and no such cohort came, so it is not known who of it is "
                "to stay. Nobody was removed: run again with all its cohorts, or take those that are no more out of "
                "lists[]."
            )
        is_sized = all(each.evidence.is_sized for each in unit.cohorts)
        if not is_sized and (gap := self._gap_of_unproven_stream(unit.stream)):
            yield (
                f"{gap}, since a tap that breaks off looks just the same. Nobody was removed. Give it a column "
                "cohort_size (in SQL: count(*) over (partition by cohort_name)), use a tap that ends with "
                "ACTIVATE_VERSION, or set snapshot_end: end_of_input if you know that the tap never breaks off."
            )
        if not any(arrived.values()):
            yield (
                "nobody is in the snapshot, and only the end of the input can prove an empty one. Nobody was "
                "removed: set snapshot_end: end_of_input if you know that the tap never breaks off."
            )

    def _absent_cohorts(self, unit: ListSnapshot) -> str:
        """The cohorts that `lists` sends to the same list and that did not come; "" if none."""
        if unit.hubspot_list is None:
            return ""
        came = {name for each in unit.cohorts for name in each.cohort}
        absent = [each for each in self._routes.configured_for(unit.hubspot_list) if each not in came]
        return ", ".join(f'"{shown(each)}"' for each in absent)

    def _gap_of_stream(self, stream: str) -> str | None:
        unclear = self._evidence(stream).unclear
        if not unclear:
            return None
        return f'{unclear:,} records of stream "{stream}" name no cohort or no known operation'

    def _gap_of_absent_cohorts(self, unit: ListSnapshot) -> str | None:
        """Why the cohorts that came are not all of the list; only the end of the input can prove one empty."""
        if unit.hubspot_list is None or self._settings.snapshot_end == "end_of_input":
            return None
        came = {name for each in unit.cohorts for name in each.cohort}
        absent = [each for each in self._routes.configured_for(unit.hubspot_list) if each not in came]
        if not absent:
            return None
        names = ", ".join(f'"{shown(each)}"' for each in absent)
        return (
            f"{unit.label}: lists[] sends {names} there as well, and no such cohort came, so it is not known who of it "
            "is to stay. Nobody was removed: run again with all its cohorts, or take those that are no more out of "
            "lists[]."
        )

    def _gap_of_unproven_stream(self, stream: str) -> str | None:
        if self._streams[stream].is_activated or self._settings.snapshot_end == "end_of_input":
            return None
        return f'nothing proves that stream "{stream}" brought the whole cohort'

    def _obstacle(self, unit: ListSnapshot, hubspot_list: HubSpotList, removal: Removal) -> str | None:
        """Why nobody may be removed in spite of a complete snapshot; None if they may."""
        if not self._is_ours(unit, hubspot_list):
            cohort = unit.cohorts[0].cohort.id or unit.cohorts[0].cohort.name
            return (
                f"{hubspot_list} may have been made by somebody else: nobody was removed. To let the cohort rule it, "
                f'name it in lists: [{{"cohort": "{cohort}", "list_id": "{hubspot_list.list_id}"}}].'
            )
        if removal.is_too_much(self._settings.max_removal_percent):
            return (
                f"{hubspot_list}: the snapshot would remove {removal.to_remove:,} of {removal.members:,} members, more "
                f"than max_removal_percent ({self._settings.max_removal_percent}) allows; nobody was removed. "
                "If that is right, raise max_removal_percent for one run."
            )
        return None

    def _is_ours(self, unit: ListSnapshot, hubspot_list: HubSpotList) -> bool:
        prefix = self._settings.list_name_prefix.casefold()
        has_prefix = bool(prefix) and hubspot_list.name.casefold().startswith(prefix)
        is_configured = any(self._routes.is_configured(each.cohort) for each in unit.cohorts)
        return has_prefix or is_configured or self._memory.is_ours(hubspot_list)

    # Accounts

    def _asked(self, unit: ListSnapshot, row: Resolved) -> Asked:
        return Asked(row.member, row.is_member, row.position, unit.account(row.cohort))

    def _asked_to_remove(self, unit: ListSnapshot, record_id: int, said: Resolved | None) -> Asked:
        """What is asked of a member who is to go: by a record, or by being absent from the snapshot."""
        if said is not None:
            return self._asked(unit, said)
        account = unit.cohorts[0].account
        account.mirror_removals += 1
        return Asked(record_id, is_member=False, position=-1, account=account)

    def _settle(self, unit: ListSnapshot, row: Resolved, outcome: Outcome) -> None:
        self.accounts.settle(self._asked(unit, row), outcome, record_id=row.record_id, created=row.is_created)


def _cohort(known: KnownList) -> Cohort:
    return Cohort.from_key(known.cohort_key or "", known.cohort_name)


def _undone(unit: ListSnapshot) -> int:
    """How many memberships of a list HubSpot refused, or said yes to and did not apply."""
    accounts = {id(each.account): each.account for each in unit.cohorts}.values()
    return sum(each.outcomes[Outcome.REJECTED] + each.outcomes[Outcome.DROPPED] for each in accounts)


def _gap_of_unclear_members(unit: ListSnapshot) -> str | None:
    if not unit.unclear:
        return None
    return (
        f"{unit.label}: HubSpot refused to look up {_members(unit.unclear)} of the snapshot, who may be on the list. "
        "Nobody was removed: correct the addresses in the source; set report_path to see them."
    )


def _members(count: int) -> str:
    return f"{count:,} member{'' if count == 1 else 's'}"


def _runs(rows: Iterator[T], size: int = MAX_RECORD_IDS_PER_CALL) -> Iterator[list[T]]:
    """Yield the rows in runs of what one call takes."""
    while run := list(itertools.islice(rows, size)):
        yield run
