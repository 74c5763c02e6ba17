"""Mirror mode: makes lists equal to whole cohorts, and removes members only if a snapshot is proven complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.errors import ListError
from target_hubspot_lists.journal.journal import Routed
from target_hubspot_lists.mirror.changes import ChangeSender, Removals
from target_hubspot_lists.mirror.comparison import Comparison
from target_hubspot_lists.mirror.differences import Differences
from target_hubspot_lists.mirror.evidence import ArrivedCohort, gaps, unproven
from target_hubspot_lists.mirror.guards import RemovalGuard
from target_hubspot_lists.mirror.identification import Identification, Merges
from target_hubspot_lists.mirror.intake import Intake
from target_hubspot_lists.mirror.list_mirror import ListMirror
from target_hubspot_lists.mirror.list_snapshot import HeldBack, ListSnapshot
from target_hubspot_lists.mirror.owners import Owners
from target_hubspot_lists.mirror.snapshot import Snapshot
from target_hubspot_lists.mirror.stores import HeldProperties
from target_hubspot_lists.mirror.vanished_cohorts import VanishedCohorts
from target_hubspot_lists.reporting.problems import unusable_lists

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.hubspot.membership_reads import MembershipReader
    from target_hubspot_lists.input.attributes import AttributeParser
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.ledger.workspace import Workspace
    from target_hubspot_lists.mirror.list_snapshot import CohortSnapshot
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.applier import Applier
    from target_hubspot_lists.sync.contact_properties import ContactProperties, NoProperties
    from target_hubspot_lists.sync.delivery import Delivery
    from target_hubspot_lists.sync.destinations import Destinations
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck
    from target_hubspot_lists.sync.unapplied_adds import NoUnappliedAdds, UnappliedAdds


class Mirror:
    """A run in mirror mode: holds whole cohorts on disk, and changes lists at the end of the input."""

    pending = 0  # nothing waits for a flush: everything waits for the end of the input

    def __init__(  # noqa: PLR0913 - what takes records, and what applies them
        self,
        settings: Settings,
        destinations: Destinations,
        *,
        properties: ContactProperties | NoProperties,
        workspace: Workspace,
        snapshot: Snapshot,
        intake: Intake,
        owners: Owners,
        list_mirror: ListMirror,
        vanished: VanishedCohorts,
        held_back: HeldBack,
    ) -> None:
        self._destinations = destinations
        self._properties = properties
        self._workspace = workspace
        self._snapshot = snapshot
        self._intake = intake
        self._owners = owners
        self._list_mirror = list_mirror
        self._vanished = vanished
        self._held_back = held_back
        self._ends_with_input = settings.snapshot_end == "end_of_input"  # the user says that this is a proof
        # Called for each record: no other function is between the input and these.
        self.take, self.reject, self.count = intake.take, intake.reject, intake.count

    # While the input is read

    def attribute_parser(self, stream: str, columns: Sequence[str]) -> AttributeParser | None:
        """Return what reads the mapped fields of a stream's records; None if no field is mapped."""
        return self._properties.parser(stream, columns)

    def schema(self, stream: str, cohort: Cohort | None, *, can_remove: bool) -> None:
        """A SCHEMA of the stream came; with the cohort that the whole stream is, if it is one."""
        self._intake.schema(stream, cohort, can_remove=can_remove)

    def activate(self, stream: str, version: int | None) -> None:
        """An ACTIVATE_VERSION of the stream came."""
        self._intake.evidence(stream).activate(version)

    def pass_over(self, stream: str) -> None:
        """A RECORD of the stream came that a stream map filters out: what was activated was not the end."""
        self._intake.evidence(stream).other()

    def note_removals(self, stream: str) -> None:
        """Note that records of the stream can remove a member, though its SCHEMA has no column for that."""
        self._destinations.accounts.streams[stream].can_remove = True

    def flush(self) -> None:
        """Do nothing: lists change only at the end of the input."""

    def streams_at_stake(self) -> frozenset[str]:
        """Return the streams whose lists may change at the end of the input, so that STATE waits for them.

        These are the streams of which a record came, and those that are a cohort even if no record comes.
        """
        return self._intake.started_streams().union(cohort.stream for cohort in self._current_cohorts())

    def close(self) -> None:
        """Count what was taken, and remove the snapshots from the disk."""
        self.count()
        self._workspace.close()

    # At the end of the input

    def finish(self) -> Sequence[str]:
        """Apply every snapshot; return what was held back, one sentence each."""
        self._intake.write()
        self._snapshot.fold()
        skipped = [cohort for cohort in self._intake if cohort.route.is_skipped]
        for cohort in skipped:
            self._list_mirror.skip(cohort)
        current = self._current_cohorts()
        list_snapshots = self._by_list(current)
        _refuse_shared_lists(list_snapshots, self._intake)
        for list_snapshot in list_snapshots:
            gap = self._gap(list_snapshot) or self._owners.claim(list_snapshot)
            self._list_mirror.apply(list_snapshot, gap)
            if list_snapshot.problem:
                self._held_back.streams.add(list_snapshot.stream)
        self._judge_streams({cohort.stream for cohort in (*current, *skipped)})
        # All cohorts of these streams are proven to have come; a cohort's size proves only itself.
        complete_streams = {
            stream
            for stream in self._intake.started_streams()
            if self._is_proven(stream) and stream not in self._held_back.streams
        }
        self._vanished.empty(list_snapshots, complete_streams)
        return [*unusable_lists(self._destinations.accounts), *self._held_back.problems]

    def undone_streams(self) -> frozenset[str]:
        """Return the streams whose snapshot was incomplete, or of which not everything was done."""
        return frozenset(self._held_back.streams)

    def _current_cohorts(self) -> list[CohortSnapshot]:
        """Return the cohorts that count: not those of which only records of an older version came."""
        return [cohort for cohort in self._intake if cohort.is_current(ends=self._ends_with_input)]

    def _by_list(self, cohorts: Sequence[CohortSnapshot]) -> list[ListSnapshot]:
        """Find or create the lists that cohorts go to; return a snapshot for each."""
        routes = self._destinations.routes
        routed = [
            Routed(cohort.cohort, cohort.route, cohort.stream, routes.is_configured(cohort.cohort))
            for cohort in cohorts
        ]
        with_members = {cohort.route.key for cohort in cohorts if self._snapshot.size(cohort.number)}
        lists = self._destinations.find_lists(routed, with_members)
        snapshots: dict[str, ListSnapshot] = {}
        for cohort in cohorts:
            found = lists.get(cohort.route.key)
            cohort.account.hubspot_list = found
            key = found.list_id if found else cohort.route.key
            snapshots.setdefault(key, ListSnapshot(found, [])).cohorts.append(cohort)
        return list(snapshots.values())

    def _judge_streams(self, applied: AbstractSet[str]) -> None:
        """Hold back the streams that were read and went to no list, so that no STATE says that they are done."""
        for stream in sorted(self._intake.started_streams() - applied):
            gap = self._intake.evidence(stream).gap_of_records(stream)
            if gap or not self._is_proven(stream):
                self._held_back.note(
                    stream,
                    f"{gap or unproven(stream)}: see the reasons above, and run again with a whole snapshot.",
                )

    def _is_proven(self, stream: str) -> bool:
        return self._intake.evidence(stream).is_activated or self._ends_with_input

    def _gap(self, list_snapshot: ListSnapshot) -> str | None:
        """Return why the snapshot of a list is not proven to be all of the list; None if it is."""
        cohorts = [
            ArrivedCohort(
                cohort.cohort.name,
                cohort.evidence,
                members=self._snapshot.size(cohort.number),
                repeated=cohort.records - self._snapshot.distinct(cohort.number),
                removed=self._snapshot.distinct(cohort.number) - self._snapshot.size(cohort.number),
            )
            for cohort in list_snapshot.cohorts
        ]
        absent: list[str] = []  # cohorts that `lists` sends to the same list, and that did not come
        if list_snapshot.hubspot_list is not None:
            configured = self._destinations.routes.configured_for(list_snapshot.hubspot_list)
            names_that_came = {name for cohort in list_snapshot.cohorts for name in cohort.cohort}
            absent = [name for name in configured if name not in names_that_came]
        stream, evidence = list_snapshot.stream, self._intake.evidence(list_snapshot.stream)
        gap = next(gaps(stream, evidence, cohorts, absent, ends=self._ends_with_input), None)
        return f"{list_snapshot.label}: {gap}" if gap else None


def _refuse_shared_lists(list_snapshots: Sequence[ListSnapshot], intake: Intake) -> None:
    """Raise if several streams have records for one list."""
    for list_snapshot in list_snapshots:
        keys = {cohort.route.key for cohort in list_snapshot.cohorts}
        # Also streams of which all records for the list were rejected: these are of members, too.
        streams = {cohort.stream: None for cohort in intake if cohort.route.key in keys}
        if len(streams) > 1:
            raise ListError(
                f"{list_snapshot.label} is fed by the streams {', '.join(streams)}: in mirror mode a list takes one "
                "stream, else each would remove the other's members. Send each to a list of its own with lists[]."
            )


def build_mirror(  # noqa: PLR0913 - what an incremental run has, and where snapshots are held
    settings: Settings,
    destinations: Destinations,
    *,
    contacts: Contacts,
    reader: MembershipReader,
    applier: Applier,
    delivery: Delivery,
    properties: ContactProperties | NoProperties,
    journal: Journal,
    workspace: Workspace,
    mailability: MailabilityCheck | NoMailabilityCheck,
    unapplied_adds: UnappliedAdds | NoUnappliedAdds,
) -> Mirror:
    """Build a run in mirror mode, with its tables in the workspace."""
    accounts = destinations.accounts
    snapshot = Snapshot(workspace, settings.identifiers)
    comparison, differences = Comparison(workspace, settings.identifiers), Differences(workspace)
    held_back, held_properties = HeldBack(), HeldProperties(properties, snapshot, accounts)
    guard = RemovalGuard(settings, journal, differences)
    merges = Merges(
        contacts,
        journal,
        workspace=workspace,
        comparison=comparison,
        differences=differences,
        mailability=mailability,
    )
    sender = ChangeSender(
        settings,
        accounts,
        applier=applier,
        delivery=delivery,
        comparison=comparison,
        differences=differences,
        properties=held_properties,
        merges=merges,
        mailability=mailability,
    )
    list_mirror = ListMirror(
        settings,
        destinations,
        journal,
        reader=reader,
        held_back=held_back,
        differences=differences,
        properties=held_properties,
        merges=merges,
        identification=Identification(
            applier,
            journal,
            accounts,
            comparison,
            held_properties,
            merges,
            checks_mailability=mailability.is_wanted,
        ),
        sender=sender,
        guard=guard,
        removals=Removals(
            settings,
            accounts,
            journal,
            differences,
            held_properties,
            held_back,
            guard,
            sender,
            unapplied_adds,
        ),
        mailability=mailability,
    )
    intake = Intake(destinations, journal, snapshot)
    return Mirror(
        settings,
        destinations,
        properties=properties,
        workspace=workspace,
        snapshot=snapshot,
        intake=intake,
        owners=Owners(journal, destinations.routes),
        list_mirror=list_mirror,
        vanished=VanishedCohorts(settings, destinations, journal, intake, list_mirror, held_back=held_back),
        held_back=held_back,
    )
