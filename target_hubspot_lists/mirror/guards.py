"""Why a mirror may not remove people in spite of a whole snapshot: too many of them, or a list that is not ours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.list_objects import shown

if TYPE_CHECKING:
    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.input.records import Cohort

EVERYTHING = 100  # percent
ENOUGH_TO_GUARD = 20  # members: of a shorter list a few are a large share


@dataclass(frozen=True)
class Removal:
    """The removals that a snapshot asks of one list, as counts.

    `unusable` are rows of the snapshot whose member is blank or malformed. Those of whom they are may be on the list,
    and then they are among those who would be removed: so they count twice.
    """

    members: int
    to_remove: int
    unusable: int = 0

    @property
    def perhaps_wrong(self) -> int:
        """How many of those who would be removed may be in the snapshot, in a row that is unusable."""
        return min(self.unusable, self.to_remove)

    def is_too_much(self, max_removal_percent: int) -> bool:
        """Return whether the guard holds the removals back: too large a share of a list, or all of its members."""
        if max_removal_percent >= EVERYTHING or not self.to_remove:
            return False
        counted = self.to_remove + self.perhaps_wrong
        is_everybody = counted >= self.members
        is_large_share = counted * EVERYTHING > self.members * max_removal_percent
        return is_everybody or (self.members >= ENOUGH_TO_GUARD and is_large_share)


def not_ours(hubspot_list: HubSpotList, cohort: Cohort) -> str:
    """The message for a list that this target may not have made, with the setting that allows removals."""
    entry = json.dumps(
        {"cohort": shown(cohort.id or cohort.name), "list_id": hubspot_list.list_id}, ensure_ascii=False
    )
    return (
        f"{hubspot_list} may have been made by somebody else: nobody was removed. To let the cohort rule it, name it "
        f"in lists: [{entry}]."
    )


def too_many(hubspot_list: HubSpotList, removal: Removal, max_removal_percent: int) -> str:
    """The message where the guard holds removals back."""
    doubt = (
        f", and {removal.unusable:,} of its rows have a member that is blank or malformed, who may be on the list: "
        "together"
        if removal.unusable
        else ","
    )
    return (
        f"{hubspot_list}: the snapshot would remove {removal.to_remove:,} of {removal.members:,} members{doubt} more "
        f"than max_removal_percent ({max_removal_percent}) allows; nobody was removed. If that is right, raise "
        "max_removal_percent for one run."
    )


def unusable_rows(label: str, rows: int) -> str:
    """The message for rows of a snapshot whose member is blank or malformed."""
    return (
        f"{label}: {rows:,} rows of the snapshot have a member that is blank or malformed. They may be people on the "
        "list, so they count with the removals for max_removal_percent, at most as many as there are removals: "
        "correct them in the source."
    )


def not_followed(hubspot_list: HubSpotList) -> str:
    """The message where merged contacts cannot be told from members that left."""
    return (
        f"{hubspot_list}: nobody was removed, since the token may not read contacts, and who was merged into somebody "
        "of the snapshot looks like one who left. Grant the app the scope crm.objects.contacts.read."
    )


def not_removed(hubspot_list: HubSpotList, undone: int, removal: Removal) -> str:
    """The message where HubSpot did not remove all members that it was asked to remove."""
    return (
        f"{hubspot_list}: {undone:,} of {removal.to_remove:,} members could not be removed. See the reasons above, set "
        "report_path for a line on each, and run again."
    )
