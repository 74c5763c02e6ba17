"""Writes the properties of a snapshot's members, whose values are held on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.input.attributes import HeldAttributes, unpacked
from target_hubspot_lists.outcomes import PropertyResult
from target_hubspot_lists.sync.resolution import Resolution

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.mirror.comparison import Resolved
    from target_hubspot_lists.mirror.snapshot import Snapshot
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.reporting.asked import Asked
    from target_hubspot_lists.settings import MatchBy
    from target_hubspot_lists.sync.contact_properties import ContactProperties
    from target_hubspot_lists.sync.no_properties import NoProperties
    from target_hubspot_lists.sync.property_flush import Flush


class HeldProperties:
    """The properties of members, some members at a time."""

    def __init__(
        self,
        properties: ContactProperties | NoProperties,
        snapshot: Snapshot,
        accounts: Accounts,
        match_by: MatchBy,
    ) -> None:
        self._properties = properties
        self._snapshot = snapshot
        self._accounts = accounts
        self._is_by_email = match_by == "email"

    @property
    def is_wanted(self) -> bool:
        """Whether the settings ask for any property."""
        return self._properties.is_wanted

    def make_for(self, hubspot_list: HubSpotList | None) -> None:
        """Make the properties that a list needs."""
        self._properties.make_for([hubspot_list] if hubspot_list else [])
        self._accounts.properties_created = len(self._properties.created)

    def begin(self, members: Iterable[Member], created: Iterable[Resolved] = ()) -> Flush:
        """Begin to write what is held of these members; those created for this snapshot have theirs."""
        packed = self._snapshot.attributes(members) if self._properties.names else {}
        held = {member: unpacked(each) for member, each in packed.items()}
        results: dict[Member, PropertyResult] = {
            row.record_id: PropertyResult.unpacked(row.properties) for row in created if row.properties
        }
        flush = self._properties.flush(HeldAttributes.of(held), results)
        self._accounts.properties = flush.results
        return flush

    def write(
        self, hubspot_list: HubSpotList, asked: Mapping[int, Asked], created: Iterable[Resolved] = ()
    ) -> None:
        """Write the properties of contacts that were there; before their memberships change."""
        flush = self.begin((each.member for each in asked.values()), created)
        by_address = {str(each.member): record_id for record_id, each in asked.items()}
        flush.write([(hubspot_list, asked)], Resolution(record_ids=by_address) if self._is_by_email else None)
