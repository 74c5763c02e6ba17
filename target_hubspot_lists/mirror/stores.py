"""What a mirror keeps on disk for the whole run, besides the snapshot: attributes to write, and answers of HubSpot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.input.attributes import HeldAttributes, unpacked
from target_hubspot_lists.outcomes import KnownMailability, Mailability, PropertyResult
from target_hubspot_lists.reporting.account import EMPTY
from target_hubspot_lists.sync.resolution import Resolution

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.ledger.workspace import Workspace
    from target_hubspot_lists.mirror.comparison import Resolved
    from target_hubspot_lists.mirror.snapshot import Snapshot
    from target_hubspot_lists.reporting.accounts import Accounts
    from target_hubspot_lists.sync.contact_properties import ContactProperties, NoProperties
    from target_hubspot_lists.sync.plans import Plan
    from target_hubspot_lists.sync.property_flush import Flush


class HeldProperties:
    """Writes the properties of members whose attributes the snapshot holds, some members at a time."""

    def __init__(
        self, properties: ContactProperties | NoProperties, snapshot: Snapshot, accounts: Accounts
    ) -> None:
        self._properties = properties
        self._snapshot = snapshot
        self._accounts = accounts
        self.is_wanted = properties.is_wanted

    def create_for(self, hubspot_list: HubSpotList | None) -> None:
        """Create the properties that a list needs."""
        self._properties.create_for([hubspot_list] if hubspot_list else [])
        self._accounts.properties_created = len(self._properties.created)

    def begin(self, members: Iterable[Member], created: Iterable[Resolved] = ()) -> Flush:
        """Begin a flush of the attributes of these members; contacts `created` for the snapshot have theirs.

        Of two members who are one contact the attributes of the later one count.
        """
        in_order = list(members) if self._properties.names else []
        packed = self._snapshot.attributes(in_order)
        held = HeldAttributes.of({each: unpacked(packed[each]) for each in in_order if each in packed})
        results: dict[Member, PropertyResult] = {
            row.record_id: PropertyResult.unpacked(row.properties) for row in created if row.properties
        }
        return self._properties.flush(held, results)

    def write(self, plan: Plan, created: Iterable[Resolved] = ()) -> Mapping[Member, PropertyResult]:
        """Write the properties of contacts that existed before; must come before their memberships change.

        Return by record id what became of each contact's.
        """
        flush = self.begin(plan.members(), created)
        flush.write([plan], Resolution())
        return flush.results


class WrittenProperties:
    """The `PropertyMemory` of a mirror without a ledger: what one list wrote is not written for the next."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        workspace.create(
            "mirror_written", f"record_id {workspace.ordered_key}, hashes {workspace.blob} NOT NULL"
        )

    def known_hashes(self, record_ids: Collection[int]) -> Mapping[int, bytes]:
        """Return the hashes of the values written, by record id; contacts without any are left out."""
        rows = self._workspace.read(
            f"SELECT record_id, hashes FROM mirror_written WHERE record_id {self._workspace.among('record_ids')}",
            record_ids=self._workspace.values(list(record_ids)),
        )
        return {record_id: bytes(hashes) for record_id, hashes in rows}

    def remember(
        self,
        hashes: Mapping[int, bytes],
        known: Mapping[int, bytes] = EMPTY,  # noqa: ARG002 - no other run has this file
    ) -> None:
        """Remember what was written of these contacts."""
        self._workspace.insert(
            "mirror_written",
            list(hashes.items()),
            on_conflict="ON CONFLICT (record_id) DO UPDATE SET hashes = excluded.hashes",
        )


class MailabilityOnDisk:
    """The `MailabilityStore` of a mirror: it keeps answers until all lists of a member are done."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        workspace.create(
            "mirror_mailability", f"record_id {workspace.ordered_key}, mailability TEXT, looked_up BIGINT"
        )

    def keep(self, known: Mapping[int, KnownMailability]) -> None:
        """Keep the mailability of contacts, in place of what was kept."""
        self._workspace.insert(
            "mirror_mailability",
            [(record_id, each.mailability.value, each.looked_up) for record_id, each in known.items()],
            on_conflict="ON CONFLICT (record_id) DO UPDATE SET "
            "mailability = excluded.mailability, looked_up = excluded.looked_up",
        )

    def kept(self, record_ids: Collection[int]) -> Mapping[int, KnownMailability]:
        """Return what is kept of these contacts; others are left out."""
        rows = self._workspace.read(
            "SELECT record_id, mailability, looked_up FROM mirror_mailability "
            f"WHERE record_id {self._workspace.among('record_ids')}",
            record_ids=self._workspace.values(list(record_ids)),
        )
        return {record_id: KnownMailability(Mailability(code), moment) for record_id, code, moment in rows}

    def end_flush(self) -> None:
        """Do nothing: a member of this list may be one of the next list as well."""
