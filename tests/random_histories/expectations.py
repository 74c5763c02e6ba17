"""What must be true of the portal's lists after each run, worked out from the input and from the design's rules."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tests.random_histories import naming
from tests.random_histories.model import Members
from tests.random_histories.source import COHORTS, STATE_KEY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tests.hubspot_emulator import Portal
    from tests.random_histories.source import Change, Source
    from tests.random_histories.variants import Variant


RETRY_DAYS = 7  # the default of `retry_unapplied_days`
SECONDS_PER_DAY = 86_400


class Wrong(Exception):
    """A run or the portal is not as it must be; the text says how."""


class Expectations:
    """The expected members of every list, and which list belongs to which cohort."""

    def __init__(self, variant: Variant, portal: Portal, source: Source, bystanders: str) -> None:
        self._variant = variant
        self._portal = portal
        self._source = source
        self.members: dict[str, Members] = {}  # by list id
        self._holders: defaultdict[str, set[str]] = defaultdict(set)  # of each address or number
        self._list_ids: dict[str, str] = {}  # by cohort, as a ledger knows them
        self._bystanders = bystanders  # the name of a list that no run may change
        self.bystanders = portal.members(bystanders)
        # The cohorts of failed runs: nobody can tell whether the ledger knows their lists.
        self.unsettled: set[str] = set()

    def merge(self, old: Collection[int], merged: int) -> None:
        """Two contacts are merged."""
        for members in self.members.values():
            members.merge(old, merged)
        for held_by in self._holders.values():
            if not held_by.isdisjoint(map(str, old)):
                held_by.add(str(merged))

    # After a run

    def run_succeeded(self, changes: Sequence[Change], *, reconciled: bool = False) -> None:
        """Expect all of these changes: the run exited 0."""
        self._find_lists(changes)
        if self._variant.is_mirror:
            for members, wanted in self._snapshots(changes):
                members.replace(wanted)
        else:
            for members, last in self._last_changes(changes):
                self._apply(members, last)
            self._note_waiting(changes)
        self._check_additions(changes)
        for cohort in {each.cohort for each in changes}:
            if list_id := self.list_of(cohort):
                self.members[list_id].refilling.clear()
            self.unsettled.discard(cohort)
        if reconciled:
            self._reconcile(changes)
        self._source.bookmark = self._source.length

    def run_failed(
        self, changes: Sequence[Change], states: Sequence[Any], *, reconciled: bool = False
    ) -> None:
        """Expect the changes that the run's last STATE covers; of the others each may be applied or not."""
        self._find_lists(changes)
        covered = states[-1][STATE_KEY] if states else self._source.bookmark
        if self._variant.is_mirror:
            for members, wanted in self._snapshots(changes):
                members.may_have_replaced(wanted)
                if states:
                    members.replace(wanted)
        else:
            count = covered - self._source.bookmark
            for members, last in self._last_changes(changes[:count]):
                self._apply(members, last)
            for members, last in self._last_changes(changes[count:]):
                members.may_have_applied(last)
            self._note_waiting(changes[:count])
            self._note_waiting([each for each in changes[count:] if each.is_member], is_certain=False)
        if reconciled:
            self._learn_heirs()
        self._source.bookmark = covered
        self.unsettled |= {each.cohort for each in changes}

    def list_was_unusable(self, changes: Sequence[Change], cohort: str, states: Sequence[Any]) -> None:
        """Expect the changes of all cohorts but one, whose list could not be used, and what the last STATE covers."""
        if states and self._variant.is_mirror:
            raise Wrong("a STATE left, although a list could not be used")
        covered = states[-1][STATE_KEY] if states else self._source.bookmark
        count = covered - self._source.bookmark
        self.run_succeeded([each for each in changes if each.cohort != cohort])
        # A removal of somebody whom HubSpot does not know is done without the list.
        self.run_succeeded([each for each in changes[:count] if each.cohort == cohort])
        self.run_failed([each for each in changes[count:] if each.cohort == cohort], [])
        self._source.bookmark = covered

    def run_was_unproven(self, changes: Sequence[Change]) -> None:
        """Expect that the members of a mirror's snapshot were added, and that nobody was removed."""
        self._find_lists(changes)
        for members, wanted in self._snapshots(changes):
            members.add_only(wanted)
            members.refilling.clear()
        self.unsettled |= {each.cohort for each in changes}

    def check(self) -> None:
        """Compare every list of the portal with the expected members; raise `Wrong` if one differs."""
        self._learn_waiting()
        problems = [
            f"list {list_id} {each}"
            for list_id, members in self.members.items()
            if self.is_live(list_id)
            for each in members.problems(set(map(int, self._portal.members(list_id))))
        ]
        if self._portal.members(self._bystanders) != self.bystanders:
            problems.append("a list of no cohort was changed")
        others = {each.list_id for each in self._portal.lists if each.name != self._bystanders}
        if unknown := others - self.members.keys():
            problems.append(f"the lists {sorted(unknown)} were made for no reason")
        if problems:
            raise Wrong("; ".join(problems))

    # Adds of members whom HubSpot does not know

    def _note_waiting(self, changes: Sequence[Change], *, is_certain: bool = True) -> None:
        """Note adds that a ledger keeps; a later change of the same contact replaces them, if it is certain."""
        for each in changes:
            list_id = self.list_of(each.cohort)
            if list_id is None or not self._variant.has_ledger:
                continue
            waiting, contact = self.members[list_id].waiting, naming.find(self._portal, each.identifier)
            if each.is_member and contact is None:
                waiting[each.identifier] = self._portal.now()
            elif is_certain:
                for other in list(waiting):
                    is_same = contact is not None and self._number_of(other) == contact.number
                    if other == each.identifier or (is_same and not each.is_member):
                        del waiting[other]

    def _learn_waiting(self) -> None:
        for list_id, members in self.members.items():
            days_ago = self._portal.now() - RETRY_DAYS * SECONDS_PER_DAY
            members.waiting = {each: since for each, since in members.waiting.items() if since >= days_ago}
            if members.waiting and self.is_live(list_id):
                found = set(map(int, self._portal.members(list_id)))
                numbers = {
                    number for each in members.waiting if (number := self._number_of(each)) is not None
                }
                members.learn(found, numbers)

    def _number_of(self, identifier: str) -> int | None:
        contact = naming.find(self._portal, identifier)
        return None if contact is None else contact.number

    # Lists

    def list_of(self, cohort: str) -> str | None:
        """Return the id of a cohort's list: as the ledger knows it, even if it is deleted, else by its name."""
        if self._variant.has_ledger and cohort in self._list_ids:
            return self._list_ids[cohort]
        found = self._list_by_name(cohort)
        return found if found in self.members else None

    def live_list_of(self, cohort: str) -> str | None:
        """Return the id of a cohort's list, if there is one that is not deleted."""
        list_id = self.list_of(cohort)
        return list_id if list_id is not None and self.is_live(list_id) else None

    def is_live(self, list_id: str) -> bool:
        """Tell whether a list exists and is not deleted."""
        return any(each.list_id == list_id for each in self._portal.lists)

    def is_in_ledger(self, cohort: str) -> bool:
        """Tell whether a ledger knows a cohort's list."""
        return self._variant.has_ledger and cohort in self._list_ids

    def forget_list(self, cohort: str) -> None:
        """Expect a new list for a cohort that has another name and no id."""
        self._list_ids.pop(cohort, None)

    def list_name(self, cohort: str) -> str:
        """Return the name that a cohort's list gets."""
        return f"{self._variant.prefix}{self._source.names[cohort]}"

    def _list_by_name(self, cohort: str) -> str | None:
        try:
            return self._portal.hubspot_list(self.list_name(cohort)).list_id
        except KeyError:
            return None

    def _find_lists(self, changes: Sequence[Change]) -> None:
        """Note the lists that a run made or found; a list made again with a ledger gets the members that it knows."""
        for cohort in sorted({each.cohort for each in changes}):
            known, found = self._list_ids.get(cohort), self._list_by_name(cohort)
            if self._variant.has_ledger and known is not None and self.is_live(known):
                continue  # a second list for the cohort is found by `check`
            if found is not None and found not in self.members:
                is_made_again = self._variant.has_ledger and known is not None
                self.members[found] = (
                    self.members[known].made_again() if is_made_again and known else Members()
                )
            if found is not None:
                self._list_ids[cohort] = found

    # Changes, by the record ids that their members have now

    def _last_changes(self, changes: Sequence[Change]) -> Iterator[tuple[Members, Mapping[int, bool]]]:
        """Yield for each list the last change of each contact.

        A removal of somebody whom HubSpot no longer knows by this identifier is done by the record that the ledger
        knows, if a run came to note it there: so it may be the last change of the contact that has that record now.
        """
        last: defaultdict[str, dict[int, bool]] = defaultdict(dict)
        removed: defaultdict[str, set[int]] = defaultdict(set)  # perhaps
        for each in changes:
            list_id, contact = self.list_of(each.cohort), naming.find(self._portal, each.identifier)
            if list_id is not None and contact is not None:
                last[list_id][contact.number] = each.is_member
                removed[list_id].discard(contact.number)
            elif list_id is not None and not each.is_member and self._variant.has_ledger:
                removed[list_id] |= self._holders_of(each.identifier)
        self._note_holders(changes)
        for list_id, by_number in last.items():
            yield self.members[list_id], by_number
        for list_id, numbers in removed.items():
            self.members[list_id].may_have_applied(dict.fromkeys(numbers, False))

    def _apply(self, members: Members, last: Mapping[int, bool]) -> None:
        """Expect these changes, but for removals that a ledger may have held for done.

        For some days it trusts that an address, whose member it has recorded as removed, is of the same record, though
        that one was merged into a member since.
        """
        removed = {number for number, is_member in last.items() if not is_member}
        doubtful = removed & members.left & members.on if self._variant.has_ledger else set()
        members.apply({number: last[number] for number in last if number not in doubtful})
        members.may_have_applied(dict.fromkeys(doubtful, False))

    def _note_holders(self, changes: Sequence[Change]) -> None:
        """Note whose the addresses and numbers of these changes are now."""
        for part in {part for each in changes for part in naming.parts(each.identifier)}:
            if part and (contact := naming.find(self._portal, part)):
                self._holders[part].add(contact.record_id)

    def _holders_of(self, identifier: str) -> set[int]:
        """Return the contacts that the parts of an identifier ever led to, as what they are now."""
        records = {each for part in naming.parts(identifier) for each in self._holders[part]}
        contacts = map(self._portal.find_contact, records)
        return {each.number for each in contacts if each is not None}

    def _snapshots(self, changes: Sequence[Change]) -> Iterator[tuple[Members, set[int]]]:
        """Yield for each list the contacts of its cohort's snapshot."""
        self._note_holders(changes)
        for cohort in sorted({each.cohort for each in changes}):
            contacts = (
                naming.find(self._portal, each.identifier) for each in changes if each.cohort == cohort
            )
            if list_id := self.list_of(cohort):
                yield self.members[list_id], {each.number for each in contacts if each is not None}

    def _check_additions(self, changes: Sequence[Change]) -> None:
        """Check that each address that was added has a contact, and its cohort a list."""
        last: dict[tuple[str, str], bool] = {}
        for each in changes:
            contact = naming.find(self._portal, each.identifier)
            last[each.cohort, contact.record_id if contact else each.identifier] = each.is_member
        for (cohort, member), is_member in last.items():
            has_contact = naming.find(self._portal, member) is not None
            if not is_member or not (has_contact or (self._variant.by_email and self._variant.creates)):
                continue
            if not has_contact:
                raise Wrong(f"no contact was made for a member of {cohort}")
            if self.live_list_of(cohort) is None:
                raise Wrong(f"{cohort} has no list")

    def _reconcile(self, changes: Sequence[Change]) -> None:
        exact = {each.cohort for each in changes} if self._variant.is_mirror else set()
        self._learn_heirs(exact)
        for cohort, members, found in self._live():
            members.reconcile(found, is_exact=cohort in exact)

    def _learn_heirs(self, exact: Collection[str] = ()) -> None:
        """Who has an address or number of a deleted member is a member if a run has put them on the list."""
        for cohort, members, found in self._live():
            if cohort not in exact:
                members.learn(found, self._heirs(members.deleted))

    def _live(self) -> Iterator[tuple[str, Members, set[int]]]:
        """Yield each cohort that has a list, with the expected members and those that HubSpot has."""
        for cohort in COHORTS:
            if list_id := self.live_list_of(cohort):
                yield cohort, self.members[list_id], set(map(int, self._portal.members(list_id)))

    def _heirs(self, deleted: Collection[int]) -> set[int]:
        """Return the contacts that have an address or a number of a deleted member: they may be put on the list."""
        parts = [
            part for part, held_by in self._holders.items() if not set(deleted).isdisjoint(map(int, held_by))
        ]
        contacts = (naming.find(self._portal, part) for part in parts)
        return {each.number for each in contacts if each is not None}
