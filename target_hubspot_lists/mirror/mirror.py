"""Makes lists equal to whole cohorts: removes members only where a snapshot is proven complete."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import ListError
from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.journal.journal import Routed
from target_hubspot_lists.mirror.arrivals import Arrivals
from target_hubspot_lists.mirror.comparison import Comparison
from target_hubspot_lists.mirror.differences import Differences
from target_hubspot_lists.mirror.evidence import ArrivedCohort, gaps, unproven
from target_hubspot_lists.mirror.held_properties import HeldProperties
from target_hubspot_lists.mirror.identification import Identification
from target_hubspot_lists.mirror.list_mirror import ListMirror
from target_hubspot_lists.mirror.merges import Merges
from target_hubspot_lists.mirror.removals import Removals
from target_hubspot_lists.mirror.sending import Sending
from target_hubspot_lists.mirror.snapshot import Snapshot
from target_hubspot_lists.mirror.snapshots import HeldBack, ListSnapshot
from target_hubspot_lists.mirror.vanished import VanishedCohorts
from target_hubspot_lists.reporting.problems import unusable_lists

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.hubspot.membership_reads import MembershipReader
    from target_hubspot_lists.input.attributes import AttributeParser
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.ledger.workspace import Workspace
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.contact_properties import ContactProperties
    from target_hubspot_lists.sync.delivery import Delivery
    from target_hubspot_lists.sync.mailability import MailabilityCheck, NoMailabilityCheck
    from target_hubspot_lists.sync.no_properties import NoProperties
    from target_hubspot_lists.sync.planning import Planning
    from target_hubspot_lists.sync.resolution import Resolver
    from target_hubspot_lists.sync.second_chances import NoSecondChances, SecondChances

logger = logging.getLogger(__name__)


class Mirror:
    """A run in mirror mode: holds whole cohorts on disk, and changes lists at the end of the input."""

    held = 0  # nothing waits for a flush: all of it waits for the end of the input

    def __init__(  # noqa: PLR0913 - what an incremental run has, and where snapshots are held
        self,
        settings: Settings,
        planning: Planning,
        *,
        contacts: Contacts,
        reader: MembershipReader,
        resolver: Resolver,
        delivery: Delivery,
        properties: ContactProperties | NoProperties,
        journal: Journal,
        workspace: Workspace,
        mailability: MailabilityCheck | NoMailabilityCheck,
        second_chances: SecondChances | NoSecondChances,
    ) -> None:
        self._planning = planning
        self._properties = properties
        self._workspace = workspace
        self._snapshot = Snapshot(workspace, settings.identifiers)
        self._arrivals = Arrivals(planning, journal, self._snapshot)
        self._held_back = HeldBack()
        self._ends_with_input = settings.snapshot_end == "end_of_input"  # the user says that this is a proof
        self._list_mirror = _list_mirror(
            settings,
            planning,
            contacts=contacts,
            reader=reader,
            resolver=resolver,
            delivery=delivery,
            properties=HeldProperties(properties, self._snapshot, planning.accounts),
            journal=journal,
            workspace=workspace,
            held_back=self._held_back,
            mailability=mailability,
            second_chances=second_chances,
        )
        self._vanished = VanishedCohorts(
            settings, planning, journal, self._arrivals, self._list_mirror, held_back=self._held_back
        )
        # Each record takes this way: there is no other step on it.
        self.take, self.reject, self.count = self._arrivals.take, self._arrivals.reject, self._arrivals.count

    # While the input is read

    def attribute_parser(self, stream: str, columns: Sequence[str]) -> AttributeParser | None:
        """Return what reads the mapped fields of a stream's records; None if no field is mapped."""
        return self._properties.parser(stream, columns)

    def schema(self, stream: str, cohort: Cohort | None, *, can_remove: bool) -> None:
        """A SCHEMA of the stream came; with the cohort that all of the stream is, if it is one."""
        self._arrivals.schema(stream, cohort, can_remove=can_remove)

    def activate(self, stream: str, version: int | None) -> None:
        """An ACTIVATE_VERSION of the stream came."""
        self._arrivals.evidence(stream).activate(version)

    def pass_over(self, stream: str) -> None:
        """A RECORD of the stream came that a stream map filters out: what was activated was not the end."""
        self._arrivals.evidence(stream).other()

    def flush(self) -> None:
        """Nothing: lists change only at the end of the input."""

    def streams_at_stake(self) -> frozenset[str]:
        """Return the streams whose lists may change at the end of the input, so that STATE waits for them.

        Besides those of which a record came these are streams that are a cohort even where no record comes.
        """
        return self._arrivals.started_streams().union(
            each.stream for each in self._arrivals if each.is_current(ends=self._ends_with_input)
        )

    def close(self) -> None:
        """Count what was taken, and remove the snapshots from the disk."""
        self.count()
        self._workspace.close()

    # At the end of the input

    def finish(self) -> Sequence[str]:
        """Apply every snapshot; return what was held back, one sentence each."""
        self._arrivals.write()
        self._snapshot.fold()
        skipped = [each for each in self._arrivals if each.route.is_skipped]
        for each in skipped:
            self._list_mirror.skip(each)
        units = list(self._units())
        _refuse_shared_lists(units, self._arrivals)
        for unit in units:
            self._list_mirror.apply(unit, self._gap(unit))
            if unit.problem:
                self._held_back.streams.add(unit.stream)
        current = [each for unit in units for each in unit.cohorts]
        self._judge_streams({each.stream for each in (*current, *skipped)})
        whole = {
            stream
            for stream in self._arrivals.started_streams()
            # All of its cohorts are proven to have come; a cohort's size proves only itself.
            if self._is_proven(stream) and self.is_done(stream)
        }
        self._vanished.empty(units, whole)
        arrived = {name for each in self._arrivals for name in each.cohort}
        if absent := [name for name in self._planning.routes.configured if name not in arrived]:
            names = ", ".join(map(shown, absent))
            logger.info("Not in the input, so their lists were left alone: %s.", names)
        return [*unusable_lists(self._planning.accounts), *self._held_back.problems]

    def is_done(self, stream: str) -> bool:
        """Return whether the stream's snapshot was complete and everything it asked for was done."""
        return stream not in self._held_back.streams

    def _units(self) -> Iterator[ListSnapshot]:
        """Yield the lists that the snapshots lead to, found or made; an older version's cohorts count for nothing."""
        current = [each for each in self._arrivals if each.is_current(ends=self._ends_with_input)]
        routed = [
            Routed(each.cohort, each.route, each.stream, self._planning.routes.is_configured(each.cohort))
            for each in current
        ]
        wanted = {each.route.key for each in current if self._snapshot.size(each.number)}
        lists = self._planning.find_lists(routed, wanted)
        units: dict[str, ListSnapshot] = {}
        for snapshot in current:
            found = lists.get(snapshot.route.key)
            snapshot.account.hubspot_list = found
            key = found.list_id if found else snapshot.route.key
            units.setdefault(key, ListSnapshot(found, [])).cohorts.append(snapshot)
        yield from units.values()

    def _judge_streams(self, applied: AbstractSet[str]) -> None:
        """Judge the streams that were read and led to no list, so that no STATE says that they are done."""
        for stream in sorted(self._arrivals.started_streams() - applied):
            gap = self._arrivals.evidence(stream).gap_of_records(stream)
            if gap or not self._is_proven(stream):
                told = (
                    f"{gap or unproven(stream)}: see the reasons above, and run again with a whole snapshot."
                )
                self._held_back.note(stream, told)

    # Whether anybody may be removed

    def _is_proven(self, stream: str) -> bool:
        return self._arrivals.evidence(stream).is_activated or self._ends_with_input

    def _gap(self, unit: ListSnapshot) -> str | None:
        """Why the snapshot of a list is not proven complete; None if it is."""
        cohorts = [
            ArrivedCohort(
                each.cohort.name,
                each.evidence,
                members=self._snapshot.size(each.number),
                repeated=each.records - self._snapshot.distinct(each.number),
            )
            for each in unit.cohorts
        ]
        evidence, absent = self._arrivals.evidence(unit.stream), self._absent_cohorts(unit)
        gap = next(gaps(unit.stream, evidence, cohorts, absent, ends=self._ends_with_input), None)
        return f"{unit.label}: {gap}" if gap else None

    def _absent_cohorts(self, unit: ListSnapshot) -> list[str]:
        """The cohorts that `lists` sends to the same list and that did not come."""
        if unit.hubspot_list is None:
            return []
        came = {name for each in unit.cohorts for name in each.cohort}
        return [each for each in self._planning.routes.configured_for(unit.hubspot_list) if each not in came]


def _refuse_shared_lists(units: Sequence[ListSnapshot], arrivals: Arrivals) -> None:
    for unit in units:
        keys = {each.route.key for each in unit.cohorts}
        # Also those of which all records for the list were rejected: they are of members whom it has.
        streams = {each.stream: None for each in arrivals if each.route.key in keys}
        if len(streams) > 1:
            raise ListError(
                f"{unit.label} is fed by the streams {', '.join(streams)}: in mirror mode a list takes one "
                "stream, else each would remove the other's members. Send each to a list of its own with lists[]."
            )


def _list_mirror(  # noqa: PLR0913 - all that a list is compared and changed with
    settings: Settings,
    planning: Planning,
    *,
    contacts: Contacts,
    reader: MembershipReader,
    resolver: Resolver,
    delivery: Delivery,
    properties: HeldProperties,
    journal: Journal,
    workspace: Workspace,
    held_back: HeldBack,
    mailability: MailabilityCheck | NoMailabilityCheck,
    second_chances: SecondChances | NoSecondChances,
) -> ListMirror:
    """Build what makes one list equal to its snapshot."""
    accounts = planning.accounts
    comparison, differences = Comparison(workspace, settings.identifiers), Differences(workspace)
    merges = Merges(
        contacts,
        journal,
        workspace=workspace,
        comparison=comparison,
        differences=differences,
        mailability=mailability,
    )
    sending = Sending(
        settings,
        accounts,
        resolver=resolver,
        delivery=delivery,
        comparison=comparison,
        properties=properties,
        merges=merges,
        mailability=mailability,
    )
    return ListMirror(
        settings,
        planning,
        journal,
        reader=reader,
        held_back=held_back,
        comparison=comparison,
        differences=differences,
        properties=properties,
        merges=merges,
        identification=Identification(
            resolver,
            journal,
            accounts,
            comparison,
            properties,
            merges,
            checks_mailability=mailability.is_wanted,
        ),
        sending=sending,
        removals=Removals(
            settings, accounts, journal, differences, properties, held_back, sending, second_chances
        ),
        mailability=mailability,
    )
