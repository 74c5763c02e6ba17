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
    from target_hubspot_lists.sync.contact_properties import ContactProperties
    from target_hubspot_lists.sync.no_properties import NoProperties
    from target_hubspot_lists.sync.plans import Plan
    from target_hubspot_lists.sync.property_flush import Flush


class HeldProperties:
    """The properties of members, some members at a time."""

    def __init__(
        self,
        properties: ContactProperties | NoProperties,
        snapshot: Snapshot,
        accounts: Accounts,
    ) -> None:
        self._properties = properties
        self._snapshot = snapshot
        self._accounts = accounts

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
        return self._properties.flush(HeldAttributes.of(held), results)

    def write(self, plan: Plan, created: Iterable[Resolved] = ()) -> Mapping[Member, PropertyResult]:
        """Write the properties of contacts that were there, before their memberships change.

        Return what became of each contact's.
        """
        flush = self.begin(plan.members(), created)
        flush.write([plan], Resolution())
        return flush.results
