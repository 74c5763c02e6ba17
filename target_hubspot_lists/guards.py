"""Why a mirror may not remove people in spite of a whole snapshot: too many of them, or a list that is not ours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot_lists import shown

if TYPE_CHECKING:
    from target_hubspot_lists.hubspot_lists import HubSpotList
    from target_hubspot_lists.memberships import Cohort

EVERYTHING = 100  # percent
ENOUGH_TO_GUARD = 20  # members: of a shorter list a few are a large share


@dataclass(frozen=True)
class Removal:
    """What a snapshot asks of one list: how many of its members are to go."""

    members: int
    to_remove: int

    def is_too_much(self, max_removal_percent: int) -> bool:
        """Whether the guard holds it back: too large a share of a list, or everybody at any size."""
        if max_removal_percent >= EVERYTHING or not self.to_remove:
            return False
        is_everybody = self.to_remove >= self.members
        is_large_share = self.to_remove * EVERYTHING > self.members * max_removal_percent
        return is_everybody or (self.members >= ENOUGH_TO_GUARD and is_large_share)


def not_ours(hubspot_list: HubSpotList, cohort: Cohort) -> str:
    """What is said of a list that somebody else may have made; with the line that makes it ours."""
    entry = json.dumps(
        {"cohort": shown(cohort.id or cohort.name), "list_id": hubspot_list.list_id}, ensure_ascii=False
    )
    return (
        f"{hubspot_list} may have been made by somebody else: nobody was removed. To let the cohort rule it, name it "
        f"in lists: [{entry}]."
    )


def too_many(hubspot_list: HubSpotList, removal: Removal, max_removal_percent: int) -> str:
    """What is said where the guard holds removals back."""
    return (
        f"{hubspot_list}: the snapshot would remove {removal.to_remove:,} of {removal.members:,} members, more than "
        f"max_removal_percent ({max_removal_percent}) allows; nobody was removed. If that is right, raise "
        "max_removal_percent for one run."
    )


def not_followed(hubspot_list: HubSpotList) -> str:
    """What is said where merged contacts cannot be told from those who left."""
    return (
        f"{hubspot_list}: nobody was removed, since the token may not read contacts, and who was merged into somebody "
        "of the snapshot looks like one who left. Grant the app the scope crm.objects.contacts.read."
    )


def not_removed(hubspot_list: HubSpotList, undone: int, removal: Removal) -> str:
    """What is said where HubSpot did not let go all of those who were to be removed."""
    return (
        f"{hubspot_list}: {undone:,} of {removal.to_remove:,} members could not be removed. See the reasons above, set "
        "report_path for a line on each, and run again."
    )
