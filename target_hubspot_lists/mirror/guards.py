"""Why a mirror may not remove members although the snapshot is complete: too many, or a list of somebody else. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.list_objects import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.journal.journal import Journal
    from target_hubspot_lists.mirror.differences import Differences
    from target_hubspot_lists.settings import Settings

EVERYTHING = 100  # percent
MOST_NAMED = 3  # cohorts in one sentence
ENOUGH_TO_GUARD = 20  # members: in a shorter list a few members are a large share


@dataclass(frozen=True)
class Removal:
    """The removals that a snapshot asks of one list, as counts.

    `unusable` are rows of the snapshot whose member is blank or malformed. Their members may be on the list, and are
    then among those who would be removed: so they count twice.

    `members_before` is how many members the list had before earlier runs whose removals were held back; None if none
    are. Those runs may have added members, of whom a snapshot of wrong people would now be a small share.
    """

    members: int
    to_remove: int
    unusable: int = 0
    members_before: int | None = None

    @property
    def perhaps_wrong(self) -> int:
        """How many of the members to remove may be in the snapshot after all, in an unusable row."""
        return min(self.unusable, self.to_remove)

    @property
    def fewest_members(self) -> int:
        """How many members the list has, or had before removals were held back, if that is fewer."""
        return self.members if self.members_before is None else min(self.members, self.members_before)

    def is_too_much(self, max_removal_percent: int) -> bool:
        """Return whether the removals are held back: too large a share of the list, or all of its members."""
        if max_removal_percent >= EVERYTHING or not self.to_remove:
            return False
        return any(
            self._is_too_much_of(size, max_removal_percent) for size in (self.members, self.fewest_members)
        )

    def _is_too_much_of(self, members: int, max_removal_percent: int) -> bool:
        counted = self.to_remove + self.perhaps_wrong
        is_everybody = counted >= members
        is_large_share = counted * EVERYTHING > members * max_removal_percent
        return is_everybody or (members >= ENOUGH_TO_GUARD and is_large_share)


class RemovalGuard:
    """Holds removals back that are too large a share of a list, also in later runs with the same snapshot.

    A run whose removals are held back adds members all the same. So the journal keeps how many there were before it,
    until removals of that list are done, or none are asked for.
    """

    def __init__(self, settings: Settings, journal: Journal, differences: Differences) -> None:
        self._max_percent = settings.max_removal_percent
        self._has_ledger = settings.ledger_url is not None
        self._journal = journal
        self._differences = differences
        self._noted: dict[str, int | None] = {}  # by list id, what the journal has noted

    def removal(self, hubspot_list: HubSpotList, to_remove: int, unusable: int) -> Removal:
        """Return the removals that a snapshot asks of a list, and the members of whom they are a share."""
        before = self._before_held_back(hubspot_list)
        return Removal(self._differences.members(), to_remove, unusable, before)

    def holds_back(self, removal: Removal) -> bool:
        """Return whether the removals must not be done."""
        return removal.is_too_much(self._max_percent)

    def message(self, hubspot_list: HubSpotList, removal: Removal) -> str:
        """Return what the run says of removals that are held back."""
        return too_many(hubspot_list, removal, self._max_percent, has_ledger=self._has_ledger)

    def begin(self, hubspot_list: HubSpotList, removal: Removal) -> None:
        """Note, before members are added, how many there are, if removals would be held back.

        Whatever keeps this run from them: the guard, an incomplete snapshot, or a crash after the adds.
        """
        fewest = removal.fewest_members
        if self.holds_back(removal) and fewest != removal.members_before:
            self._note(hubspot_list, fewest)

    def end(self, hubspot_list: HubSpotList) -> None:
        """Forget what is noted: the removals were let through, or none are asked for."""
        if self._before_held_back(hubspot_list) is not None:
            self._note(hubspot_list, None)

    def _before_held_back(self, hubspot_list: HubSpotList) -> int | None:
        """Return what the journal has noted of a list; it is asked once, and again after a change."""
        list_id = hubspot_list.list_id
        if list_id not in self._noted:
            self._noted[list_id] = self._journal.members_before_held_back(hubspot_list)
        return self._noted[list_id]

    def _note(self, hubspot_list: HubSpotList, members: int | None) -> None:
        self._journal.note_held_back(hubspot_list, members)
        del self._noted[hubspot_list.list_id]


def not_ours(hubspot_list: HubSpotList, cohort: Cohort) -> str:
    """Return the message for a list that this target may not have created, with the setting that allows removals."""
    return (
        f"{hubspot_list} may have been created by somebody else: no member was removed. To let the cohort decide on "
        f"all of its members, name it in lists: {entries(hubspot_list, [cohort])}."
    )


def entries(hubspot_list: HubSpotList, cohorts: Sequence[Cohort]) -> str:
    """Return the entries of the setting `lists` that name a list for these cohorts, as JSON; not more than three."""
    target = (
        {"list_name": shown(hubspot_list.name)}
        if hubspot_list.is_to_be_created
        else {"list_id": hubspot_list.list_id}
    )
    named = [{"cohort": shown(each.id or each.name)} | target for each in cohorts[:MOST_NAMED]]
    return json.dumps(named, ensure_ascii=False) + (" and so on" if len(cohorts) > MOST_NAMED else "")


def too_many(
    hubspot_list: HubSpotList, removal: Removal, max_removal_percent: int, *, has_ledger: bool
) -> str:
    """Return the message for removals that the guard holds back."""
    doubt = (
        f", and {removal.unusable:,} of its rows have a member that is blank or malformed, who may be on the list: "
        "together"
        if removal.unusable
        else ","
    )
    of_members = (
        f"of {removal.members:,} members"
        if removal.fewest_members == removal.members
        else f"of the {removal.fewest_members:,} members that the list had before an earlier run in which removals "
        f"were held back (now {removal.members:,})"
    )
    of_rerun = (
        ""
        if has_ledger
        else " A rerun counts the members that this run added as well, so it may remove them all the same; a ledger "
        "(ledger_url) prevents that."
    )
    return (
        f"{hubspot_list}: the snapshot would remove {removal.to_remove:,} {of_members}{doubt} more than "
        f"max_removal_percent ({max_removal_percent}) allows; no member was removed. If that is right, raise "
        f"max_removal_percent for one run.{of_rerun}"
    )


def unusable_rows(label: str, rows: int) -> str:
    """Return the message for rows of a snapshot whose member is blank or malformed."""
    return (
        f"{label}: {rows:,} rows of the snapshot have a member that is blank or malformed. They may be people on the "
        "list, so they count with the removals for max_removal_percent, at most as many as there are removals: "
        "correct them in the source."
    )


def not_followed(hubspot_list: HubSpotList) -> str:
    """Return the message for a token with which merged contacts look like members who left."""
    return (
        f"{hubspot_list}: no member was removed, since the token may not read contacts: without that, a member whose "
        "contact was merged looks like one who left. Grant the app the scope crm.objects.contacts.read."
    )


def not_removed(hubspot_list: HubSpotList, undone: int, removal: Removal) -> str:
    """Return the message for removals that HubSpot refused or did not apply."""
    return (
        f"{hubspot_list}: {undone:,} of {removal.to_remove:,} members could not be removed. See the reasons above, set "
        "report_path for a line on each, and run again."
    )
